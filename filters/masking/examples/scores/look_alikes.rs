//! What looks like a value and must stay.

use crate::checks;
use crate::rng::{BASE64, HEX, LETTERS_DIGITS, LOWER, Rng, UPPER_DIGITS};
use crate::sample::Made;
use crate::values::{dates, korean, money};

type Make = fn(&mut Rng) -> String;

/// By kind; one of the makers is taken.
const KINDS: &[(&str, &[Make])] = &[
    (
        "order",
        &[
            |rng| rng.shape("2024####-#######"),
            |rng| {
                format!(
                    "{}-{}",
                    dates::day_text(rng)
                        .replace(['-', '.', '/', ' '], "")
                        .replace(char::is_alphabetic, ""),
                    rng.shape("#######")
                )
            },
            |rng| format!("ORD-{}", rng.shape("2025-######")),
            |rng| {
                rng.shape("24####-#######")
                    .replace("24####", &dates::Day::within(rng, 2020, 2026).short())
            },
            |rng| rng.shape("%##-#######-#######"),
            |rng| rng.shape("%###########"),
        ],
    ),
    (
        "ticket",
        &[
            |rng| {
                format!("{}-{}", rng.pick(&["PROJ", "CS", "INC", "OPS", "BUG"]), rng.shape("%####"))
            },
            |rng| rng.shape("#%#####"),
            |rng| rng.shape("INC00#######"),
            |rng| rng.shape("CASE-########"),
            |rng| rng.shape("REQ%########"),
        ],
    ),
    (
        "tracking",
        &[
            |rng| rng.shape("####-####-####"),
            |rng| rng.shape("6%##########"),
            |rng| format!("1Z{}", rng.text(UPPER_DIGITS, 16)),
            |rng| rng.shape("RR#########KR"),
            |rng| rng.shape("%############"),
            |rng| rng.shape("9400 #### #### #### #### ##"),
        ],
    ),
    ("uuid", &[uuid, uuid, |rng| uuid(rng).to_uppercase(), |rng| uuid(rng).replace('-', "")]),
    (
        "timestamp",
        &[
            |rng| format!("{}T{}Z", dates::day_iso(rng), dates::clock(rng)),
            |rng| format!("{} {}", dates::day_iso(rng), dates::clock(rng)),
            |rng| {
                format!("{}T{}.{}+09:00", dates::day_iso(rng), dates::clock(rng), rng.shape("###"))
            },
            |rng| dates::day_iso(rng).replace('-', "") + &dates::clock(rng).replace(':', ""),
            |rng| format!("{} {},{}", dates::day_iso(rng), dates::clock(rng), rng.shape("###")),
        ],
    ),
    (
        "epoch",
        &[
            |rng| rng.shape("17########"),
            |rng| rng.shape("17###########"),
            |rng| rng.shape("16########"),
            |rng| rng.shape("17########.######"),
            |rng| rng.shape("17#################"),
        ],
    ),
    ("date", &[dates::day_text]),
    (
        "version",
        &[
            |rng| format!("v{}.{}.{}", rng.within(0..=20), rng.within(0..=30), rng.within(0..=99)),
            |rng| {
                format!(
                    "{}.{}.{}-rc.{}",
                    rng.within(0..=9),
                    rng.within(0..=30),
                    rng.within(0..=9),
                    rng.within(1..=9)
                )
            },
            |rng| format!("^{}.{}.{}", rng.within(0..=20), rng.within(0..=30), rng.within(0..=99)),
        ],
    ),
    (
        "version of four",
        &[
            |rng| format!("v{}", four(rng)),
            |rng| format!("버전 {}", four(rng)),
            |rng| format!("version {}", four(rng)),
            |rng| {
                format!(
                    "Chrome/{}.0.{}.{}",
                    rng.within(90..=140),
                    rng.within(1000..=7000),
                    rng.within(10..=250)
                )
            },
            |rng| {
                format!(
                    "{}.{}.{}.{}",
                    rng.within(100..=140),
                    0,
                    rng.within(1000..=7000),
                    rng.within(10..=250)
                )
            },
        ],
    ),
    (
        "price",
        &[
            |rng| format!("{},{}원", rng.within(1..=999), rng.shape("##0")),
            |rng| format!("₩{},{},{}", rng.within(1..=99), rng.shape("###"), rng.shape("000")),
            |rng| format!("${},{}.{}", rng.within(1..=99), rng.shape("###"), rng.shape("##")),
            |rng| format!("{}만 {}원", rng.within(1..=900), rng.shape("%000")),
            |rng| format!("€{}.{}", rng.within(1..=900), rng.shape("##")),
            |rng| format!("{}원", rng.shape("%#######")),
            |rng| format!("KRW {},{},{}", rng.within(1..=99), rng.shape("###"), rng.shape("###")),
        ],
    ),
    (
        "isbn",
        &[
            |rng| ean_of(rng, "978"),
            |rng| format!("ISBN {}", grouped_isbn(rng)),
            |rng| format!("ISBN-10: {}", rng.shape("%-####-####-X")),
        ],
    ),
    ("ean", &[|rng| ean_of(rng, "880"), |rng| ean_of(rng, "880"), |rng| ean_of(rng, "400")]),
    (
        "sku",
        &[
            |rng| rng.shape("SKU-#####-??"),
            |rng| rng.shape("??-####-###"),
            |rng| rng.shape("?##-####-????"),
            |rng| format!("SM-{}", rng.shape("S9##N")),
            |rng| rng.shape("M########X"),
        ],
    ),
    (
        "hash",
        &[
            |rng| rng.text(HEX, 32),
            |rng| rng.text(HEX, 40),
            |rng| rng.text(HEX, 64),
            |rng| format!("sha256:{}", rng.text(HEX, 64)),
            |rng| rng.text(HEX, 7),
            |rng| rng.text(HEX, 128),
        ],
    ),
    (
        "fingerprint",
        &[
            |rng| format!("SHA256:{}", rng.text(BASE64, 43)),
            |rng| pairs(rng, 20, ":").to_uppercase(),
            |rng| pairs(rng, 16, ":"),
            |rng| pairs(rng, 32, ":").to_uppercase(),
        ],
    ),
    (
        "colour",
        &[
            |rng| format!("#{}", rng.text(HEX, 6)),
            |rng| format!("#{}", rng.text(HEX, 8).to_uppercase()),
            |rng| format!("#{}", rng.text(HEX, 3)),
            |rng| {
                format!(
                    "rgba({}, {}, {}, 0.5)",
                    rng.within(0..=255),
                    rng.within(0..=255),
                    rng.within(0..=255)
                )
            },
        ],
    ),
    (
        "base64",
        &[
            |rng| base64_of(rng, 30),
            |rng| base64_of(rng, 48),
            |rng| base64_of(rng, 120),
            |rng| format!("data:image/png;base64,iVBORw0KGgo{}", base64_of(rng, 90)),
            |rng| format!("data:image/jpeg;base64,/9j/{}", base64_of(rng, 150)),
            |rng| format!("data:font/woff2;base64,d09GMg{}", base64_of(rng, 60)),
        ],
    ),
    (
        "integrity",
        &[
            |rng| format!("sha512-{}==", rng.text(BASE64, 86)),
            |rng| format!("sha384-{}", rng.text(BASE64, 64)),
            |rng| format!("sha256-{}=", rng.text(BASE64, 43)),
            |rng| format!("h1:{}=", rng.text(BASE64, 43)),
        ],
    ),
    ("transaction", &[|rng| format!("0x{}", rng.text(HEX, 64)), |rng| rng.text(HEX, 64)]),
    ("wrong card", &[money::card_wrong]),
    ("wrong iban", &[money::iban_wrong]),
    ("wrong brn", &[korean::brn_wrong]),
    ("wrong ssn", &[money::ssn_wrong]),
    ("corporation", &[korean::corporation]),
    (
        "zip",
        &[
            |rng| {
                format!(
                    "{} {}-{}",
                    rng.pick(&["CA", "NY", "WA", "TX"]),
                    rng.shape("9####"),
                    rng.shape("####")
                )
            },
            |rng| rng.shape("%####-####"),
            |rng| rng.shape("0####"),
        ],
    ),
    (
        "drug",
        &[
            |rng| rng.shape("NDC 0###-####-##"),
            |rng| rng.shape("64#######"),
            |rng| rng.shape("A##BC0#"),
            |rng| rng.shape("#####-%##-##"),
        ],
    ),
    (
        "lab",
        &[
            |rng| format!("LOINC {}", rng.shape("%###-#")),
            |rng| rng.shape("ICD-10 ?##.#"),
            |rng| rng.shape("LAB-24-######"),
            |rng| rng.shape("D%##00##"),
            |rng| rng.shape("CPT 99###"),
        ],
    ),
    (
        "doi",
        &[
            |rng| {
                format!(
                    "10.{}/{}.{}",
                    rng.shape("%###"),
                    rng.text(LOWER, 6),
                    rng.shape("20##.######")
                )
            },
            |rng| {
                format!(
                    "https://doi.org/10.{}/s{}",
                    rng.shape("%###"),
                    rng.shape("#####-0##-#####-%")
                )
            },
            |rng| format!("arXiv:{}", rng.shape("24##.#####")),
            |rng| rng.shape("PMID: 3#######"),
        ],
    ),
    (
        "blood pressure",
        &[
            |rng| format!("{}/{}", rng.within(95..=180), rng.within(55..=110)),
            |rng| format!("혈압 {}/{} mmHg", rng.within(95..=180), rng.within(55..=110)),
            |rng| format!("BP {}/{}", rng.within(95..=180), rng.within(55..=110)),
        ],
    ),
    (
        "rate",
        &[
            |rng| format!("1,{}.{}", rng.shape("3##"), rng.shape("##")),
            |rng| format!("1 USD = 1{}.{} KRW", rng.shape("3##"), rng.shape("##")),
            |rng| format!("EUR/USD 1.{}", rng.shape("0###")),
        ],
    ),
    (
        "math",
        &[
            |rng| format!("{} - {} = {}", rng.shape("%##"), rng.shape("##"), rng.shape("%#")),
            |rng| format!("3.14159{}", rng.shape("##########")),
            |rng| format!("2^{} + {}", rng.within(8..=64), rng.shape("%###")),
            |rng| format!("{}e-{}", rng.shape("%.####"), rng.within(1..=12)),
            |rng| {
                format!(
                    "[{}, {}, {}]",
                    rng.shape("0.####"),
                    rng.shape("-0.####"),
                    rng.shape("0.####")
                )
            },
            |rng| format!("{} × {}", rng.shape("%###"), rng.shape("%###")),
        ],
    ),
    (
        "path",
        &[
            |rng| {
                format!("std::net::{}", rng.pick(&["IpAddr", "TcpStream::connect", "SocketAddr"]))
            },
            |rng| {
                format!(
                    "{}::{}::new",
                    rng.pick(&["crate::fold", "a::b", "tokio::sync", "ab::cd"]),
                    rng.pick(&["Face", "Bead", "Mutex"])
                )
            },
            |rng| format!("fe::{}::dad()", rng.pick(&["bad", "cafe", "ace"])),
            |_| "::std::fmt::Display".to_owned(),
            |rng| {
                format!(
                    "/usr/lib/x86_64-linux-gnu/libssl.so.{}.{}",
                    rng.within(1..=3),
                    rng.within(0..=9)
                )
            },
        ],
    ),
    (
        "package",
        &[
            |rng| {
                format!(
                    "@types/node@{}.{}.{}",
                    rng.within(10..=22),
                    rng.within(0..=20),
                    rng.within(0..=9)
                )
            },
            |rng| {
                format!("react@{}.{}.{}", rng.within(16..=19), rng.within(0..=9), rng.within(0..=9))
            },
            |rng| format!("actions/checkout@v{}", rng.within(2..=5)),
            |rng| format!("icon@{}x.png", rng.within(2..=3)),
            |rng| format!("python@{}.{}", 3, rng.within(8..=14)),
            |rng| format!("lodash-es@^{}.{}.{}", 4, rng.within(10..=17), rng.within(0..=30)),
            |rng| format!("registry.example.com/acme/api@sha256:{}", rng.text(HEX, 64)),
        ],
    ),
    (
        "handle",
        &[
            |rng| {
                format!(
                    "@{}",
                    rng.pick(&["minjun_dev", "Override", "app.route", "media", "channel"])
                )
            },
            |rng| format!("user@{}", rng.pick(&["db-01", "web", "ip-node"])),
        ],
    ),
    (
        "number",
        &[
            |rng| rng.shape("제2024-######호"),
            |rng| rng.shape("2023가단######"),
            |rng| format!("{}~{}쪽", rng.shape("%##"), rng.shape("%##")),
            |rng| format!("{}, {}", rng.shape("37.######"), rng.shape("12%.######")),
            |rng| rng.shape("%##.##%"),
            |rng| format!("RFC {}", rng.shape("%###")),
            |rng| rng.shape("KE0##"),
            |rng| format!("{}-{}-{}", rng.shape("%"), rng.shape("%"), rng.shape("%")),
            |rng| format!("{} MB", rng.shape("%###")),
            |rng| format!("[{}:{}]", rng.shape("%#"), rng.shape("%##")),
        ],
    ),
    (
        "stand-in",
        &[
            |_| "${DB_PASSWORD}".to_owned(),
            |_| "<your-api-key>".to_owned(),
            |_| "process.env.API_KEY".to_owned(),
            |_| "{{ secrets.GITHUB_TOKEN }}".to_owned(),
            |_| "os.environ[\"SECRET_KEY\"]".to_owned(),
            |_| "changeme".to_owned(),
            |_| "YOUR_API_KEY".to_owned(),
            |_| "sk-xxxxxxxxxxxxxxxxxxxxxxxx".to_owned(),
        ],
    ),
    (
        "run id",
        &[
            |rng| format!("req_{}", rng.text(LETTERS_DIGITS, 24)),
            |rng| format!("api-7d9f8b6c5d-{}", rng.text(LOWER, 5)),
            |rng| format!("chatcmpl-{}", rng.text(LETTERS_DIGITS, 29)),
            |rng| format!("01H{}", rng.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 23)),
            |rng| format!("i-0{}", rng.text(HEX, 16)),
            |rng| format!("arn:aws:iam::{}:role/app", rng.shape("%###########")),
        ],
    ),
];

pub fn uuid(rng: &mut Rng) -> String {
    let mut part = |length| rng.text(HEX, length);
    format!("{}-{}-4{}-a{}-{}", part(8), part(4), part(3), part(3), part(12))
}

fn four(rng: &mut Rng) -> String {
    format!(
        "{}.{}.{}.{}",
        rng.within(1..=12),
        rng.within(0..=30),
        rng.within(0..=99),
        rng.within(0..=250)
    )
}

fn ean_of(rng: &mut Rng, start: &str) -> String {
    let twelve = format!("{start}{}", rng.shape("#########"));
    format!("{twelve}{}", checks::ean(&twelve))
}

fn grouped_isbn(rng: &mut Rng) -> String {
    let thirteen = ean_of(rng, "979");
    let part = |range| thirteen.get(range).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0..3), part(3..5), part(5..9), part(9..12), part(12..13))
}

fn pairs(rng: &mut Rng, count: usize, joint: &str) -> String {
    (0..count).map(|_| rng.text(HEX, 2)).collect::<Vec<_>>().join(joint)
}

fn base64_of(rng: &mut Rng, length: usize) -> String {
    checks::base64(&rng.bytes(length))
}

/// Of one kind; nothing where there is no such kind.
pub fn of(rng: &mut Rng, kind: &str) -> Option<Made> {
    let (kind, makers) = KINDS.iter().find(|(name, _)| *name == kind)?;
    let make = makers.get(rng.below(makers.len()))?;
    Some(Made::look_alike(kind, make(rng)))
}

/// Of any kind that reads well behind any label.
pub fn any(rng: &mut Rng) -> Made {
    let at = rng.below(KINDS.len());
    let kind = KINDS.get(at).map_or("uuid", |(kind, _)| *kind);
    of(rng, kind).unwrap_or_else(|| Made::plain(""))
}
