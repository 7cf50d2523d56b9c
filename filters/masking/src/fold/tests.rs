use std::borrow::Cow;
use std::ops::Range;

use proptest::prelude::*;

use super::Folded;

/// Texts and how they are read.
#[track_caller]
fn reads(table: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (text, expected) in table {
        let folded = Folded::of(text);
        if folded.text() != *expected {
            wrong.push(format!("{text:?}: {:?} instead of {expected:?}", folded.text()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Texts that are read as they are.
#[track_caller]
fn stays(texts: &[&str]) {
    let table: Vec<_> = texts.iter().map(|text| (*text, *text)).collect();
    reads(&table);
    assert!(texts.iter().all(|text| !Folded::of(text).is_changed()));
}

/// The place in the text of what is read as `piece`.
fn place<'t>(text: &'t str, piece: &str) -> &'t str {
    let folded = Folded::of(text);
    let start = folded.text().find(piece).unwrap();
    &text[folded.original(start..start + piece.len())]
}

#[test]
fn plain_texts_stay() {
    stays(&[
        "",
        "The quick brown fox: 010-1234-5678, kim@example.com.",
        "안녕하세요. 회의는 3시 30분에 시작합니다. 이 일은 사실 이사님이 오십니다.",
        "日本語 テスト、Русский текст, Ελληνικά, café, naïve",
        "100% sure & ready; a\\b, C:\\Users, 5 % 3, AT&T, x &y; \\d+",
        "①  first ② second¹ and so on… “quoted” 5 000 €",
        "1 2 3 4 5 6 7 8 9 10 11",
        "0 1 0 1 1 0 1 0 1 0 1",
        "a[b] b (at home) 골뱅이무침 3 @ 4.50, look at example dot by dot",
    ]);
}

#[test]
fn characters_are_read_plainly() {
    reads(&[
        ("０１０－１２３４", "010-1234"),
        ("ｋｉｍ＠ｅｘａｍｐｌｅ．ｃｏｍ", "kim@example.com"),
        ("0\u{200b}1\u{ad}0\u{feff}-1\u{2060}2", "010-12"),
        ("010–1234—5678−9‑0", "010-1234-5678-9-0"),
        ("010ー1234ㅡ5678", "010-1234-5678"),
        ("010 ㅡ 1234 ㅡ 5678", "010-1234-5678"),
        ("010\u{a0}1234\u{2009}5678\u{3000}9", "010 1234 5678 9"),
        ("전화—010", "전화—010"),
        ("𝟎𝟏𝟘 𝐀𝐤𝒂", "010 Aka"),
        ("①②③④", "1234"),
        ("1️⃣2️⃣", "12"),
        ("٠١٢", "012"),
        ("АKIА ѕk-аbс", "AKIA sk-abc"),
        ("kim@ехаmple.com", "kim@example.com"),
        ("привет мир", "привет мир"),
    ]);
}

#[test]
fn decomposed_letters_are_composed() {
    reads(&[
        ("\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}", "한글"),
        ("cafe\u{301}", "café"),
        ("\u{301}a", "\u{301}a"),
        ("\\u1112\\u1161\\u11ab", "한"),
    ]);
    assert_eq!(place("a \u{1112}\u{1161}\u{11ab} b", "한"), "\u{1112}\u{1161}\u{11ab}");
    assert_eq!(place("ae\u{200b}\u{301}b", "é"), "e\u{200b}\u{301}");
}

#[test]
fn escapes_are_read() {
    reads(&[
        (r#"{\"a\":\"b\\n\"}"#, "{\"a\":\"b\n\"}"),
        (r#"\\\\\"x\\\\\\n"#, "\"x\n"),
        (r"https:\/\/a.b", "https://a.b"),
        (r"kim\u0040example.com \u{40} \x40", "kim@example.com @ @"),
        (r"\ud83d\ude00 \\ud83d\\ude00", "😀 😀"),
        (r"\ud83d \u12 \uzzzz", r"\ud83d \u12 \uzzzz"),
        ("kim%40example%2Ecom %2540", "kim@example.com @"),
        ("p%2Fw%3F %25", "p%2Fw%3F %25"),
        ("%ED%95%9C%EA%B8%80 %ED%95", "한글 %ED%95"),
        ("kim&#64;a.kr &#x40; &commat; &amp;#64; &amp; &nbsp;", "kim@a.kr @ @ @ &  "),
        (r"\uff10\u200b1", "01"),
        (r"C:\data\x", r"C:\data\x"),
    ]);
    assert_eq!(place(r#"x\\\"pw\\\""#, "\""), r#"\\\""#);
    assert_eq!(place("kim&#64;a.kr", "m@"), "m&#64;");
}

#[test]
fn addresses_are_read() {
    reads(&[
        ("kim [at] example [dot] com", "kim@example.com"),
        ("kim(at)example(dot)co(dot)kr 로", "kim@example.co.kr 로"),
        ("kim골뱅이naver.com", "kim@naver.com"),
        ("kim 골뱅이 naver 점 com", "kim@naver.com"),
        ("kim(골뱅이)naver.com, lee[@]a.com", "kim@naver.com, lee@a.com"),
        ("john dot doe at example dot co dot kr now", "john.doe@example.co.kr now"),
        ("kim @ example.com", "kim@example.com"),
        ("kim@example[.]com", "kim@example.com"),
        ("kim@exam\nple.com", "kim@example.com"),
        ("kim@example.\ncom", "kim@example.com"),
        ("kim@example\n  .com", "kim@example.com"),
        ("kim@\nexample.com", "kim@example.com"),
        ("kim@\r\ncompany.tech", "kim@company.tech"),
        ("kim\n@example.com", "kim@example.com"),
        ("root@server\nnginx.conf", "root@server\nnginx.conf"),
        ("meet @ cafe", "meet @ cafe"),
    ]);
    assert_eq!(place("to kim [at] example.com.", "kim@example.com"), "kim [at] example.com");
}

#[test]
fn numbers_are_read() {
    reads(&[
        ("01O-l234-5678", "010-1234-5678"),
        ("OIO 1234 5678", "OIO 1234 5678"),
        ("O1O 1234 5678", "010 1234 5678"),
        ("DE8937O4OO44O532O13OOO", "DE89370400440532013000"),
        ("LI21 0881 0000 2324 013A A", "LI21 0881 0000 2324 013A A"),
        ("192.168.O.1", "192.168.0.1"),
        ("I 1234567", "I 1234567"),
        ("item 10l, lol 12 00, 0o755", "item 10l, lol 12 00, 0o755"),
        ("0 1 0 - 1 2 3 4 - 5 6 7 8", "010-1234-5678"),
        ("call 0 1 0 1 2 3 4 5 6 7 8 now", "call 01012345678 now"),
        ("0 1 0  1 2 3 4  5 6 7 8", "010 1234 5678"),
        ("0 1 0-1 2 3 4-5 6 7 8", "010-1234-5678"),
        ("+ 8 2 - 1 0 - 1 2 3 4 - 5 6 7 8", "+82-10-1234-5678"),
        ("여권 M 1 2 3 4 5 6 7 8", "여권 M12345678"),
        ("010 - 1234 - 5678", "010-1234-5678"),
        ("1 - 2", "1 - 2"),
        ("4163-7480 - 6346715@a.kr", "4163-7480 - 6346715@a.kr"),
        ("IT89O0275695312410676352870", "IT89O0275695312410676352870"),
    ]);
}

#[test]
fn broken_numbers_are_joined() {
    reads(&[
        ("연락처 010-1234-\n5678", "연락처 010-1234-5678"),
        ("010-12\n34-5678", "010-1234-5678"),
        ("010-1234\n5678 로", "010-1234-5678 로"),
        ("010-1234\n-5678", "010-1234-5678"),
        ("번호는 0101234\n5678", "번호는 01012345678"),
        ("card 4111 1111\n1111 1111", "card 4111 1111 1111 1111"),
        ("900101-12\n34567", "900101-1234567"),
        ("host 192.16\n8.100.25", "host 192.168.100.25"),
        ("폰 010.94\r\n25.2388 로", "폰 010.9425.2388 로"),
        ("번호 \"671 \n34 94168\"", "번호 \"671 34 94168\""),
        ("010-1234-5678\n010-2345-6789", "010-1234-5678\n010-2345-6789"),
        ("12\n34\n5678\n90", "12\n34\n5678\n90"),
        ("1234 5678\n4321 8765", "1234 5678\n4321 8765"),
        ("0101234\n5678", "0101234\n5678"),
        ("1.2.3\n4.5.6", "1.2.3\n4.5.6"),
    ]);
}

#[test]
fn read_out_numbers_are_digits() {
    reads(&[
        ("공일공-일이삼사-오육칠팔", "010-1234-5678"),
        ("공일공 일이삼사 오육칠팔로 전화", "010 1234 5678로 전화"),
        ("공일공일이삼사오육칠팔이에요", "01012345678이에요"),
        ("영일영에 일이삼사에 오육칠팔", "010-1234-5678"),
        ("공일공-1234-5678", "010-1234-5678"),
        ("구공공일공일-일이삼사오육칠", "900101-1234567"),
        ("이사 공일공-일이삼사-오육칠팔", "이사 010-1234-5678"),
        ("계좌 사구사육삼칠-오팔-칠칠구칠삼팔이고", "계좌 494637-58-779738이고"),
        ("공일공칠일칠삼삼칠팔일육사.", "0107173378164."),
        ("공사오 사공 삼육일구일 사\n", "045 40 36191 4\n"),
        ("이 일 이 구 사 오", "이 일 이 구 사 오"),
        ("이사 2024-01-01 일이", "이사 2024-01-01 일이"),
    ]);
    assert_eq!(place("번호 공일공-일이삼사-오육칠팔.", "1234-5"), "일이삼사-오");
}

/// Pieces that would be dear, repeated, if anything were looked at twice.
const REPEATED: &[&str] = &[
    "1",
    "1 ",
    "1\n",
    "1-",
    "O1-",
    "12 - ",
    "공",
    "공 ",
    "공 공공 ",
    "이에",
    "\\",
    "\\u",
    "\\n",
    "&",
    "&amp;",
    "%",
    "%2",
    "%40",
    "@",
    "a@",
    " @ ",
    "a@\n",
    "[at]",
    " dot ",
    "a at b dot ",
    "골뱅이",
    "\u{301}",
    "\u{1112}\u{1161}",
    "e\u{200b}\u{301}",
    "е",
    "-е",
    "ı-",
    "①",
    "—",
    "ㅡ",
    "０",
    "\u{200b}",
    " ",
    "-",
];

#[test]
fn a_long_text_of_anything_is_read_once() {
    // If this does not end soon, something is looked at again and again.
    for piece in REPEATED {
        let text = piece.repeat(200_000 / piece.len());
        let folded = Folded::of(&text);
        let whole = folded.original(0..folded.text().len());
        assert!(whole.end <= text.len() && folded.text().len() <= text.len(), "{piece:?}");
    }
}

/// A reading of characters that is slow and plain: every byte of the read text with
/// the span it comes from.
fn slowly(text: &str) -> (String, Vec<Range<usize>>) {
    use super::escapes::escape;
    use super::letters::{Reading, reading};
    let (mut read, mut from): (String, Vec<Range<usize>>) = Default::default();
    let mut at = 0;
    while let Some(raw) = text[at..].chars().next() {
        let escaped = escape(&text.as_bytes()[at..]);
        let (c, len) = escaped.unwrap_or((raw, raw.len_utf8()));
        let slashes = text[at..].bytes().take_while(|byte| *byte == b'\\').count();
        let said = match reading(c) {
            _ if escaped.is_none() && slashes > 0 => {
                read.extend(std::iter::repeat_n('\\', slashes));
                from.extend((at..at + slashes).map(|at| at..at + 1));
                at += slashes;
                continue;
            }
            Reading::Gone => None,
            Reading::As(other) => Some(other),
            _ => Some(c),
        };
        if let Some(c) = said {
            let width = c.len_utf8();
            let is_whole = escaped.is_some() || c != raw;
            read.push(c);
            from.extend(
                (0..width).map(|n| if is_whole { at..at + len } else { at + n..at + n + 1 }),
            );
        }
        at += len;
    }
    (read, from)
}

fn texts() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a",
        "x@y.com",
        "0",
        "1",
        "12",
        "345-",
        " ",
        "-",
        "\n",
        ".",
        "가",
        "나",
        "공",
        "일",
        "이",
        "\\",
        "\\\\n",
        "\\u0040",
        "%40",
        "%",
        "&#64;",
        "&",
        ";",
        "amp;",
        "０",
        "\u{200b}",
        "\u{a0}",
        "😀",
        "é",
        "—",
        "\u{1112}",
        "\u{1161}",
        "\u{11ab}",
        "\u{301}",
        "о",
        "O",
        "l",
        "①",
        "[at]",
        " dot ",
        "골뱅이",
        "@",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn places_are_in_the_text_and_in_order(text in texts()) {
        let folded = Folded::of(&text);
        let read = folded.text();
        let places: Vec<usize> = read.char_indices().map(|(at, _)| at).chain([read.len()]).collect();
        let mut end = 0;
        for pair in places.windows(2) {
            let was = folded.original(pair[0]..pair[1]);
            prop_assert!(was.start >= end || was.end == end, "{:?} {:?}", was, end);
            prop_assert!(was.start < was.end && text.get(was.clone()).is_some());
            end = was.end;
        }
        let whole = folded.original(0..read.len());
        prop_assert!(text.get(whole).is_some());
    }

    #[test]
    fn any_text_can_be_read(text: String) {
        let folded = Folded::of(&text);
        prop_assert!(text.get(folded.original(0..folded.text().len())).is_some());
        prop_assert!(folded.is_changed() || folded.text() == text);
    }

    #[test]
    fn a_slow_reader_reads_the_same(text in "([a-c가-나０-９ \u{200b}\u{a0}–\\\\n\"u%40&;#x]|&#64;|\\\\u0040|amp;){0,40}") {
        let (read, from) = slowly(&text);
        let (fast, map) = super::characters::read(&text);
        prop_assert_eq!(&fast, &read);
        for (start, _) in read.char_indices() {
            for (at, c) in read.char_indices().filter(|(at, _)| *at >= start) {
                let end = at + c.len_utf8();
                prop_assert_eq!(map.original(start..end), from[start].start..from[end - 1].end);
            }
        }
    }

    #[test]
    fn prose_is_not_copied(text in "[a-zA-Z가-힣,.!?\n]{0,200}") {
        let (read, _) = super::characters::read(&text);
        prop_assert!(matches!(read, Cow::Borrowed(_)));
    }
}
