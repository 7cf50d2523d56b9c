use super::*;
use crate::store::Counts;
use contract::usage::End;

const FROM: Position = Position { generation: 3, offset: 100 };

pub(crate) fn line(kind: &str, id: &str, who: bool, output: u64) -> String {
    let who = if who { r#""{\"tenant\":\"acme\",\"key\":\"k1\"}""# } else { "null" };
    let whole = kind == "End";
    let usage = format!(r#"{{\"in\":1,\"out\":{output},\"src\":\"engine\",\"whole\":{whole}}}"#);
    format!(
        concat!(
            r#"{{"type":"Downstream{}","id":"{}","at_ms":"1795252163123","who":{},"usage":"{}","#,
            r#""status":200,"flags":null,"details":"via_upstream","endpoint":null,"duration_ms":3}}"#,
            "\n"
        ),
        kind, id, who, usage
    )
}

fn folded(lines: &[String]) -> Batch {
    fold(lines.concat().as_bytes(), FROM, &PriceBook::new())
}

fn ids(records: &[crate::record::UsageRecord]) -> Vec<(&str, u64)> {
    records.iter().map(|record| (record.id.as_str(), record.output_tokens)).collect()
}

#[test]
fn whole_lines_end_with_a_newline() {
    let table: &[(&[u8], &[u8])] =
        &[(b"", b""), (b"a", b""), (b"a\n", b"a\n"), (b"a\nb", b"a\n"), (b"a\n\nb\n", b"a\n\nb\n")];
    for (bytes, expected) in table {
        assert_eq!(whole_lines(bytes), *expected);
    }
    let many = b"a\n".repeat(LINES_PER_BATCH + 1);
    assert_eq!(whole_lines(&many).len(), 2 * LINES_PER_BATCH);
}

#[test]
fn a_line_cut_anywhere_is_no_line() {
    let text = line("End", "a", true, 5);
    let text = text.trim_end().as_bytes();
    assert!(is_a_line(text));
    for length in 0..text.len() {
        assert!(!is_a_line(&text[..length]), "{length}");
    }
}

#[test]
fn a_request_within_a_batch_never_was_open() {
    let lines =
        [line("Start", "a", false, 0), line("Periodic", "a", true, 2), line("End", "a", true, 5)];
    let batch = folded(&lines);
    assert_eq!(ids(&batch.records), [("a", 5)]);
    assert_eq!((batch.open.len(), batch.ended.len()), (0, 0));
    let length = lines.concat().len() as u64;
    assert_eq!(batch.to, Position { generation: 3, offset: 100 + length });
    assert_eq!(batch.counts, Counts { lines: 3, ..Counts::default() });
}

#[test]
fn the_last_line_of_a_running_request_is_kept() {
    let first = [line("Start", "a", false, 0), line("Start", "b", false, 0)];
    let batch = folded(&first);
    assert_eq!(batch.open.len(), 2);
    assert!(batch.open.iter().all(|open| open.start_only && open.generation == 3));
    let second = [
        line("Periodic", "a", true, 2),
        line("Periodic", "a", true, 4),
        line("Start", "a", true, 0),
    ];
    let batch = folded(&second);
    assert_eq!(batch.open.len(), 1);
    assert!(!batch.open[0].start_only);
    assert_eq!(format!("{}\n", batch.open[0].line), second[1]);
    assert_eq!(folded(&[line("End", "a", true, 5)]).ended, ["a"]);
}

#[test]
fn what_cannot_be_read_is_counted_and_stops_nothing() {
    let lines = [
        "not json\n".to_owned(),
        "\n".to_owned(),
        line("End", "a", true, 5),
        line("End", "a", true, 6),
        line("Periodic", "a", true, 7),
        line("End", "b", false, 0),
        line("End", "c", true, 0).replace("tenant", "renter"),
        "\u{0}\u{1}\n".to_owned(),
    ];
    let batch = folded(&lines);
    assert_eq!(ids(&batch.records), [("a", 5)]);
    let expected =
        Counts { lines: 7, malformed: 3, duplicates: 1, anonymous: 1, ..Counts::default() };
    assert_eq!(batch.counts, expected);
    assert!(batch.open.is_empty());
}

#[test]
fn open_requests_of_a_dead_gateway_are_posted_by_their_last_line() {
    let open = |id: &str, line: String| OpenRequest {
        id: id.to_owned(),
        generation: 2,
        offset: 0,
        leases: Vec::new(),
        line,
        start_only: false,
    };
    let batch = fold_lost(
        vec![
            open("a", line("Periodic", "a", true, 4)),
            open("b", line("Start", "b", false, 0)),
            open("c", "{".to_owned()),
        ],
        FROM,
        &PriceBook::new(),
    );
    assert_eq!(ids(&batch.records), [("a", 4)]);
    assert_eq!(batch.records[0].end, End::GatewayLost);
    assert_eq!(batch.ended, ["a", "b", "c"]);
    assert_eq!(batch.to, Position { generation: 4, offset: 0 });
    assert_eq!((batch.counts.lost, batch.counts.lost_anonymous, batch.counts.malformed), (1, 1, 1));
}

proptest::proptest! {
    #[test]
    fn any_bytes_fold(bytes: Vec<u8>) {
        let whole = whole_lines(&bytes);
        let batch = fold(whole, FROM, &PriceBook::new());
        proptest::prop_assert_eq!(batch.to.offset, FROM.offset + whole.len() as u64);
        proptest::prop_assert_eq!(batch.counts.lines, batch.counts.malformed);
    }
}
