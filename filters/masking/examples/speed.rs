//! How fast texts are looked over: `cargo run --release -p masking --example speed`.
//!
//! With an argument only texts with it in their name; `hostile` are many small ones, of
//! which those are told that are slow, or slower the longer they are. A second argument
//! names one of them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use contract::masking::MaskingPolicyConfig;
use masking::{Folded, Rules};

/// How long each text is measured.
const MEASURED: Duration = Duration::from_millis(400);

/// The length that texts are repeated to: short enough that some round is not
/// interrupted.
const TEXT_BYTES: usize = 16 << 10;

const TEXTS: &[(&str, &str)] = &[
    (
        "prose, English",
        "The committee met on Thursday to talk about the library's new reading room. \
         Most members liked the plan, though a few wondered whether the windows (all of \
         them facing north) would give enough light in winter. It was agreed to ask the \
         architect for a second drawing, and to come back to the matter next month.\n",
    ),
    (
        "prose, Korean",
        "위원회는 목요일에 모여 도서관의 새 열람실에 대해 이야기했다. 대부분의 위원은 계획을 \
         마음에 들어 했지만, 몇몇은 북쪽으로 난 창이 겨울에 충분한 빛을 줄지 걱정했다. \
         건축가에게 두 번째 도면을 부탁하고 다음 달에 다시 논의하기로 했다.\n",
    ),
    (
        "source code",
        "    pub fn next(&mut self, at: usize) -> Option<u8> {\n        let rest = \
         self.bytes.get(at..)?; // 2 of 3\n        if rest.len() < 16 { return None; }\n        \
         let value: u32 = rest.iter().map(|b| u32::from(*b)).sum();\n        println!(\"{value}\\n\");\n",
    ),
    (
        "base64",
        "iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4z8DwHwAFBQIAX8jx0gAAAABJ\
         RU5ErkJggg3wP9Z2kLmQxR7tYv5Nc0sHd8uEa1bGf4jOi6XyTzSqWm2eKoDhIpBnCrVl",
    ),
    (
        "numbers",
        "2024-03-01 12:30:45.123 INFO order=20240301-000123 price 12,900원 qty 3 v1.2.3 \
         id 550e8400-e29b-41d4-a716-446655440000 ts 1709263845123 lat 37.5665 lon 126.9780\n",
    ),
    (
        "dense",
        "김민수 010-1234-5678 kim.minsu@example.com 주민등록번호 900101-1234567 계좌 국민은행 \
         123456-04-123456 카드 4111-1111-1111-1111 IP 192.168.10.20 \
         사업자등록번호 120-81-47521 password=hunter2secret MAC 00:1a:2b:3c:4d:5e\n",
    ),
    (
        "dense, with tricks",
        "０１０－１２３４－５６７８ kim [at] example.com 900101–1234567 0 1 0 - 1 2 3 4 - 5 6 7 8 \
         공일공-일이삼사-오육칠팔 lee%40example.com \\u0030\\u0031\\u0030-2345-6789 01O-l234-5678\n",
    ),
];

/// Pieces that, repeated, would be dear to whoever looks at them again and again.
const HOSTILE: &[&str] = &[
    "1",
    "1 ",
    "1-",
    "1.",
    "1\n",
    "12 ",
    "O1-",
    "a@",
    "@",
    "a@b.",
    " @ ",
    "[at]",
    "a[at]b",
    " dot ",
    "a dot b",
    "골뱅이",
    "공",
    "공 ",
    "공-",
    "이 일",
    "\\",
    "\\u",
    "\\u0031",
    "&",
    "&amp;",
    "&#",
    "%",
    "%2",
    "%40",
    "\u{301}",
    "\u{1112}\u{1161}",
    "е",
    "е-",
    "①",
    "—",
    ":",
    "a:",
    "::",
    "://",
    "a://b:",
    "0:",
    "aa:",
    "f",
    "A",
    "Aa1",
    "a=",
    "key=",
    "password=",
    "password: ",
    "sk-",
    "AKIA",
    "SG.",
    "Q~",
    "xoxd-=",
    "glpat-.",
    "ya29.",
    "Bearer ",
    "https://hooks.slack.com/",
    "eyJ",
    "eyJ.",
    "-----BEGIN PRIVATE KEY-----",
    "-----",
    "\"",
    "{",
    "2024-01-01 ",
    "2024-01-01\n",
    "1, ",
    "1,",
    "a,b\n1,2\n",
    "123,456,",
    "123 ",
    "2 ",
    "4 2 ",
    "42 ",
    "md5-",
    "#f",
    "1월 2일 ",
    "010-1234-5678 ",
    "account 1-",
    "12-34 ",
    "1월 ",
    "계좌 ",
    "여권 M",
    "MRN-",
    "[EMAIL_",
    "DE89 ",
    "0x",
    "bc1q",
    "010-1234-",
    "010",
    "1/",
    "(",
    ")",
    "1)",
    "+",
    "+1 ",
    "_",
    "a_",
    "\n",
    " ",
    "가",
    "\t",
];

#[expect(clippy::print_stdout, reason = "a program that reports to its user")]
fn main() {
    let rules = Rules::all();
    let policy = MaskingPolicyConfig {
        deny_words: ["한빛프로젝트", "Project Bluefin", "Acme"].map(str::to_owned).to_vec(),
        custom: [("staff".to_owned(), r"\bEMP-\d{6}\b".to_owned())].into(),
        ..MaskingPolicyConfig::default()
    };
    let Ok(asking) = Rules::compile(&policy) else { return };
    let wanted = std::env::args().nth(1).unwrap_or_default();
    for (name, piece) in TEXTS.iter().filter(|(name, _)| name.contains(&wanted)) {
        let text = piece.repeat(TEXT_BYTES / piece.len() + 1);
        let found = rules.scan(&text).len();
        let folding = megabytes_a_second(&text, |text| Folded::of(text).text().len());
        let speed = megabytes_a_second(&text, |text| rules.scan(text).len());
        let asked = megabytes_a_second(&text, |text| asking.scan(text).len());
        println!(
            "{name:20} {speed:8.1} MB/s, with words and a pattern {asked:8.1} MB/s, \
             folding alone {folding:8.1} MB/s, {found} found"
        );
    }
    let only = std::env::args().nth(2);
    let is_asked = |piece: &&&str| only.as_ref().is_none_or(|only| only == **piece);
    for piece in HOSTILE.iter().filter(|_| "hostile".contains(&wanted)).filter(is_asked) {
        let [small, large] = [1, 8].map(|times| {
            let text = piece.repeat(times * HOSTILE_BYTES / piece.len());
            megabytes_a_second(&text, |text| rules.scan(text).len())
        });
        if large < small / 2.0 || large < HOSTILE_MEGABYTES {
            println!("hostile {piece:?}: {small:.2} MB/s, eight times as long {large:.2} MB/s");
        }
    }
}

/// The shorter length of hostile texts.
const HOSTILE_BYTES: usize = 2 << 10;

/// What is slow for a hostile text.
const HOSTILE_MEGABYTES: f64 = 2.0;

/// The best of several rounds: others use the machine, too.
fn megabytes_a_second(text: &str, round: impl Fn(&str) -> usize) -> f64 {
    let measured = if text.len() < TEXT_BYTES - 1024 { MEASURED / 20 } else { MEASURED };
    let begun = Instant::now();
    let mut best = Duration::MAX;
    while best == Duration::MAX || begun.elapsed() < measured {
        let start = Instant::now();
        black_box(round(black_box(text)));
        best = best.min(start.elapsed());
    }
    text.len() as f64 / 1e6 / best.as_secs_f64()
}
