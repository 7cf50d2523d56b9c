//! Numbers that Korean offices and banks give.

use masking::PiiType;

use super::dates::Day;
use crate::checks;
use crate::rng::Rng;
use crate::sample::Made;

const REGIONS: &[&str] = &[
    "서울",
    "부산",
    "경기",
    "강원",
    "충북",
    "충남",
    "전북",
    "전남",
    "경북",
    "경남",
    "제주",
    "대구",
    "인천",
    "광주",
    "대전",
    "울산",
    "경기남부",
    "경기북부",
];

/// The names of a bank, and the groups of its account numbers.
pub struct Bank {
    names: &'static [&'static str],
    shapes: &'static [&'static str],
}

const BANKS: &[Bank] = &[
    Bank {
        names: &["국민은행", "KB국민은행", "국민", "KB국민"],
        shapes: &["######-##-######", "###-##-####-###"],
    },
    Bank {
        names: &["신한은행", "신한"],
        shapes: &["110-###-######", "140-###-######", "###-##-######"],
    },
    Bank { names: &["우리은행", "우리"], shapes: &["1002-###-######", "###-######-##-###"] },
    Bank {
        names: &["하나은행", "KEB하나은행", "하나"],
        shapes: &["###-######-#####", "###-##-#####-#"],
    },
    Bank {
        names: &["농협", "NH농협", "농협은행"],
        shapes: &["###-####-####-##", "301-####-####-##", "###-##-######"],
    },
    Bank {
        names: &["기업은행", "IBK기업은행"],
        shapes: &["###-######-##-###", "###-######-01-###"],
    },
    Bank { names: &["SC제일은행"], shapes: &["###-##-######"] },
    Bank { names: &["카카오뱅크", "카뱅"], shapes: &["3333-##-#######", "7979-##-#######"] },
    Bank { names: &["토스뱅크"], shapes: &["1000-####-####"] },
    Bank { names: &["케이뱅크"], shapes: &["100-###-######"] },
    Bank { names: &["우체국"], shapes: &["######-##-######"] },
    Bank {
        names: &["새마을금고", "MG새마을금고"],
        shapes: &["9002-####-####-#", "####-##-######-#"],
    },
    Bank { names: &["신협"], shapes: &["###-###-######"] },
    Bank { names: &["부산은행", "BNK부산은행"], shapes: &["101-####-####-##"] },
    Bank { names: &["대구은행", "iM뱅크"], shapes: &["###-##-######-#", "508-##-######-#"] },
    Bank { names: &["수협", "수협은행"], shapes: &["###-##-######-#"] },
    Bank { names: &["씨티은행", "한국씨티은행"], shapes: &["###-######-###"] },
    Bank { names: &["KB Kookmin Bank", "Kookmin Bank"], shapes: &["######-##-######"] },
    Bank { names: &["Shinhan Bank"], shapes: &["110-###-######"] },
    Bank { names: &["KakaoBank"], shapes: &["3333-##-#######"] },
];

fn bank(rng: &mut Rng, korean_names: bool) -> (&'static str, String) {
    let count = if korean_names { BANKS.len() - 3 } else { BANKS.len() };
    let at = rng.below(count);
    let Some(bank) = BANKS.get(at) else { return ("", String::new()) };
    let shape = rng.pick(bank.shapes);
    let number = rng.shape(shape);
    let number = match rng.below(8) {
        0 => number.replace('-', ""),
        1 => number.replace('-', " "),
        _ => number,
    };
    (rng.pick(bank.names), number)
}

fn account_kind(number: &str) -> &'static str {
    if number.contains('-') {
        "grouped"
    } else if number.contains(' ') {
        "spaced"
    } else {
        "bare"
    }
}

/// A bank's name and an account of it.
pub fn bank_account(rng: &mut Rng) -> Made {
    let (name, number) = bank(rng, true);
    let joint = rng.pick(&[" ", " ", " ", ": ", " 계좌 ", "", " 계좌번호 ", ") ", "/", ", ", "\t"]);
    Made::pii(PiiType::KrBankAccount, account_kind(&number), number)
        .between(&format!("{name}{joint}"), "")
}

pub fn bank_account_english(rng: &mut Rng) -> Made {
    let (name, number) = bank(rng, false);
    let joint = rng.pick(&[" ", " account ", ", account no. ", ": "]);
    Made::pii(PiiType::KrBankAccount, account_kind(&number), number)
        .between(&format!("{name}{joint}"), "")
}

/// An account with the bank's name behind.
pub fn bank_behind(rng: &mut Rng) -> Made {
    let (name, number) = bank(rng, true);
    let (before, behind) = rng.pick(&[(" ", ""), ("(", ")"), (" (", ")"), (" / ", ""), (", ", "")]);
    Made::pii(PiiType::KrBankAccount, account_kind(&number), number)
        .between("", &format!("{before}{name}{behind}"))
}

/// Behind a label.
pub fn account(rng: &mut Rng) -> Made {
    let (_, number) = bank(rng, true);
    Made::pii(PiiType::KrBankAccount, account_kind(&number), number)
}

fn century(rng: &mut Rng, year: u32, foreigner: bool) -> u32 {
    let first = match (year >= 2000, foreigner) {
        (false, false) => 1,
        (true, false) => 3,
        (false, true) => 5,
        (true, true) => 7,
    };
    first + rng.within(0..=1)
}

/// Thirteen digits; `checked`: with the right check digit.
fn resident(rng: &mut Rng, foreigner: bool, checked: bool) -> (String, String) {
    let day = Day::within(rng, 1945, 2024);
    let front = day.short();
    let back = format!("{}{}", century(rng, day.year, foreigner), rng.shape("#####"));
    let right = checks::resident(&format!("{front}{back}"), foreigner);
    let last = match checked {
        true => right,
        false => checks::digit(right.to_digit(10).unwrap_or(0) + rng.within(1..=9)),
    };
    (front, format!("{back}{last}"))
}

fn resident_text(rng: &mut Rng, foreigner: bool, bare: bool) -> (&'static str, String) {
    let checked = rng.chance(60);
    let (front, back) = resident(rng, foreigner, checked || bare);
    let joint = match (bare, rng.below(12)) {
        (true, _) => "",
        (_, 0) => " ",
        (_, 1) => " - ",
        _ => "-",
    };
    let kind = match (checked || bare, joint) {
        (true, "") => "bare",
        (true, _) => "right check digit",
        (false, _) => "no check digit",
    };
    (kind, format!("{front}{joint}{back}"))
}

pub fn rrn(rng: &mut Rng) -> Made {
    let bare = rng.chance(12);
    let (kind, text) = resident_text(rng, false, bare);
    Made::pii(PiiType::KrRrn, kind, text)
}

/// Behind a label: bare digits without a check digit too.
pub fn rrn_labelled(rng: &mut Rng) -> Made {
    if rng.chance(15) {
        let (front, back) = resident(rng, false, false);
        return Made::pii(PiiType::KrRrn, "bare, no check digit", format!("{front}{back}"));
    }
    rrn(rng)
}

pub fn frn(rng: &mut Rng) -> Made {
    let bare = rng.chance(12);
    let (kind, text) = resident_text(rng, true, bare);
    Made::pii(PiiType::KrFrn, kind, text)
}

pub fn brn_digits(rng: &mut Rng) -> String {
    let nine = rng.shape("%##%#####");
    format!("{nine}{}", checks::business(&nine))
}

fn grouped(ten: &str, joint: &str) -> String {
    let part = |range| ten.get(range).unwrap_or_default();
    format!("{}{joint}{}{joint}{}", part(0..3), part(3..5), part(5..10))
}

pub fn brn(rng: &mut Rng) -> Made {
    let ten = brn_digits(rng);
    Made::pii(PiiType::KrBrn, "grouped", grouped(&ten, "-"))
}

/// Behind a label.
pub fn brn_labelled(rng: &mut Rng) -> Made {
    let ten = brn_digits(rng);
    match rng.below(5) {
        0 => Made::pii(PiiType::KrBrn, "bare", ten),
        1 => Made::pii(PiiType::KrBrn, "spaced", grouped(&ten, " ")),
        _ => Made::pii(PiiType::KrBrn, "grouped", grouped(&ten, "-")),
    }
}

pub fn brn_wrong(rng: &mut Rng) -> String {
    let nine = rng.shape("%##%#####");
    let right = checks::business(&nine).to_digit(10).unwrap_or(0);
    grouped(&format!("{nine}{}", checks::digit(right + rng.within(1..=9))), "-")
}

pub fn corporation(rng: &mut Rng) -> String {
    let start =
        format!("{}111{}", rng.pick(&["110", "131", "180", "284", "200"]), rng.shape("0#####"));
    let check = checks::corporation(&start);
    let (front, back) = start.split_at_checked(6).unwrap_or_default();
    format!("{front}-{back}{check}")
}

fn region_code(rng: &mut Rng) -> String {
    match rng.below(17) {
        16 => "28".to_owned(),
        _ => rng.within(11..=26).to_string(),
    }
}

/// With its groups; a region's name may stand for the first one.
pub fn license(rng: &mut Rng) -> Made {
    if rng.chance(30) {
        let shape = rng.pick(&["##-######-##", "##-######-##", "##-######-##", "## ###### ##"]);
        let value = rng.shape(shape);
        let before = format!("{}{}", rng.pick(REGIONS), rng.pick(&[" ", " ", "-", ""]));
        return Made::pii(PiiType::KrDriverLicense, "region name", value)
            .between(&before, "")
            .or_all();
    }
    let value = format!("{}-{}", region_code(rng), rng.shape("##-######-##"));
    Made::pii(PiiType::KrDriverLicense, "grouped", value)
}

/// Behind a label.
pub fn license_labelled(rng: &mut Rng) -> Made {
    match rng.below(6) {
        0 => {
            let value = format!("{}{}", region_code(rng), rng.shape("##########"));
            Made::pii(PiiType::KrDriverLicense, "bare", value)
        }
        1 => {
            let value = format!("{} {}", region_code(rng), rng.shape("## ###### ##"));
            Made::pii(PiiType::KrDriverLicense, "spaced", value)
        }
        _ => license(rng),
    }
}

/// Behind a label.
pub fn passport(rng: &mut Rng) -> Made {
    let letter = rng.pick(&['M', 'M', 'M', 'S', 'R', 'G', 'D', 'O']);
    match rng.below(2) {
        0 => Made::pii(PiiType::KrPassport, "old", format!("{letter}{}", rng.shape("########"))),
        _ => Made::pii(
            PiiType::KrPassport,
            "since 2021",
            format!("{letter}{}", rng.shape("###?####")),
        ),
    }
}
