use super::*;
use crate::spool::tests::line as spool_line;

const AT: Position = Position { generation: 3, offset: 100 };

/// A line as Envoy's worker writes it for the filter.
pub(crate) fn line(id: &str, output: u64) -> String {
    let who = r#"{\"tenant\":\"acme\",\"key\":\"k1\"}"#;
    let usage = format!(r#"{{\"in\":1,\"out\":{output},\"src\":\"engine\",\"whole\":true}}"#);
    format!(
        concat!(
            "[2026-11-21 09:00:00.123][42][info][wasm] [source/extensions/x.cc:1195] ",
            "wasm log gateway gateway vm: tollgate-usage ",
            r#"{{"type":"DownstreamEnd","id":"{}","at_ms":1795252163123,"who":"{}","usage":"{}","#,
            r#""status":200,"flags":null,"details":null,"endpoint":null,"duration_ms":3}}"#,
            "\n"
        ),
        id, who, usage
    )
}

/// What Envoy says of itself.
pub(crate) const OTHER: &str = "[2026-11-21 09:00:00.001][42][warning][main] no more memory\n";

fn folded(text: &[u8]) -> (Batch, u64) {
    let entries = entries(text);
    (fold(&entries.lines, AT, &PriceBook::new()), entries.torn)
}

fn ids(batch: &Batch) -> Vec<(&str, u64)> {
    batch.records.iter().map(|record| (record.id.as_str(), record.output_tokens)).collect()
}

#[test]
fn only_lines_with_the_mark_are_usage() {
    let text = [OTHER, &line("a", 5), "\n", OTHER, &line("b", 6)].concat();
    let (batch, torn) = folded(text.as_bytes());
    assert_eq!((ids(&batch), torn), (vec![("a", 5), ("b", 6)], 0));
    assert_eq!(batch.ended, ["a", "b"]);
    assert_eq!((batch.from, batch.to, batch.recovery), (AT, AT, true));
    assert_eq!(batch.counts, crate::store::Counts::default());
}

#[test]
fn a_mark_far_inside_a_line_is_a_quotation() {
    let quoted = format!("[warning] {} {}", "x".repeat(HEAD_BYTES_MAX), line("a", 5));
    assert_eq!(usage_of(quoted.as_bytes()), None);
    assert_eq!(usage_of(b"tollgate-usage "), Some(&b""[..]));
}

#[test]
fn what_was_given_back_to_the_disk_is_passed_over() {
    let (cut, kept) = (line("a", 5), line("b", 6));
    let mut bytes = vec![0; 8192];
    bytes.extend(cut.split_at(200).1.as_bytes());
    bytes.extend(kept.as_bytes());
    let (batch, torn) = folded(&bytes);
    assert_eq!((ids(&batch), torn, batch.counts.malformed), (vec![("b", 6)], 0, 0));
    assert_eq!(folded(&[0; 4096]).1, 0);
}

#[test]
fn a_line_cut_anywhere_is_torn_and_not_usage() {
    let (whole, last) = (line("a", 5), line("b", 6));
    let last = last.trim_end();
    for length in 1..last.len() {
        let (batch, torn) = folded([&whole, last.split_at(length).0].concat().as_bytes());
        assert_eq!((ids(&batch), torn), (vec![("a", 5)], 1), "{length}");
    }
    let (batch, torn) = folded([&whole, last].concat().as_bytes());
    assert_eq!((batch.records.len(), torn), (2, 0), "it lacks its newline only");
}

#[test]
fn the_first_line_of_an_id_holds_and_what_is_no_end_is_malformed() {
    let start = spool_line("Start", "c", true, 0);
    let text = [line("a", 5), line("a", 6), format!("{JOURNAL_MARK}{start}"), line("d", 1)]
        .concat()
        .replace("\"id\":\"d\"", "\"id\":7");
    let (batch, torn) = folded(text.as_bytes());
    assert_eq!((ids(&batch), batch.counts.malformed, torn), (vec![("a", 5)], 2, 0));
}

#[test]
fn the_end_of_a_long_journal_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("usage.1.journal");
    assert_eq!(read(&path).unwrap(), b"");
    let file = File::create(&path).unwrap();
    file.set_len(10 * BYTES_READ).unwrap();
    drop(file);
    let mut file = File::options().append(true).open(&path).unwrap();
    io::Write::write_all(&mut file, line("a", 5).as_bytes()).unwrap();
    let bytes = read(&path).unwrap();
    assert_eq!(bytes.len() as u64, BYTES_READ);
    assert_eq!(ids(&folded(&bytes).0), [("a", 5)]);
}

proptest::proptest! {
    #[test]
    fn any_bytes_come_to_nothing(bytes: Vec<u8>) {
        let (batch, torn) = folded(&bytes);
        proptest::prop_assert!(batch.records.is_empty() && torn <= 1);
    }
}
