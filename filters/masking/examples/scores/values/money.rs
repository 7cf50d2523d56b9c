//! Cards, accounts, taxpayers, patients and wallets.

use masking::PiiType;

use crate::checks;
use crate::rng::{BASE64, HEX, Rng, UPPER_DIGITS};
use crate::sample::Made;

/// A network, what its numbers start with (filled to all but the last digit), groups.
const NETWORKS: &[(&str, &[&str], &[usize])] = &[
    ("Visa", &["4##############"], &[4, 4, 4, 4]),
    ("Visa", &["4##############"], &[4, 4, 4, 4]),
    (
        "Mastercard",
        &["51#############", "55#############", "2221###########", "2720###########"],
        &[4, 4, 4, 4],
    ),
    ("Mastercard", &["52#############", "54#############", "53#############"], &[4, 4, 4, 4]),
    ("American Express", &["34############", "37############"], &[4, 6, 5]),
    ("Diners", &["36###########", "38###########", "301##########", "305##########"], &[4, 6, 4]),
    ("Discover", &["6011###########", "65#############", "644############"], &[4, 4, 4, 4]),
    ("JCB", &["3528###########", "3566###########", "3589###########"], &[4, 4, 4, 4]),
    ("UnionPay", &["62#############", "6253###########"], &[4, 4, 4, 4]),
    ("local", &["94#############", "9410###########", "9490###########"], &[4, 4, 4, 4]),
];

fn group(digits: &str, groups: &[usize], joint: &str) -> String {
    let mut rest = digits.chars();
    let parts = groups.iter().map(|length| rest.by_ref().take(*length).collect::<String>());
    parts.collect::<Vec<_>>().join(joint)
}

fn card_text(rng: &mut Rng, wrong_by: u32) -> (&'static str, String) {
    let at = rng.below(NETWORKS.len());
    let Some((network, starts, groups)) = NETWORKS.get(at) else { return ("", String::new()) };
    let shape = rng.pick(starts);
    let start = rng.shape(shape);
    let last = checks::luhn(&start).to_digit(10).unwrap_or(0) + wrong_by;
    let digits = format!("{start}{}", checks::digit(last));
    let joint = rng.pick(&["-", "-", " ", " ", ""]);
    (network, group(&digits, groups, joint))
}

pub fn card(rng: &mut Rng) -> Made {
    let (network, text) = card_text(rng, 0);
    Made::pii(PiiType::CreditCard, network, text)
}

pub fn card_wrong(rng: &mut Rng) -> String {
    let by = rng.within(1..=9);
    card_text(rng, by).1
}

/// ISO 13616: countries and their accounts (`!`: a letter or digit).
const COUNTRIES: &[(&str, &str)] = &[
    ("DE", "##################"),
    ("GB", "????##############"),
    ("FR", "#######################"),
    ("NL", "????##########"),
    ("ES", "####################"),
    ("IT", "?######################"),
    ("CH", "#################"),
    ("BE", "############"),
    ("AT", "################"),
    ("SE", "####################"),
    ("PL", "########################"),
    ("PT", "#####################"),
    ("IE", "????##############"),
    ("NO", "###########"),
    ("DK", "##############"),
    ("FI", "##############"),
    ("TR", "#####0################"),
    ("SA", "##!!!!!!!!!!!!!!!!!!"),
    ("AE", "###################"),
    ("LU", "###!!!!!!!!!!!!!"),
    ("CZ", "####################"),
    ("GR", "#######################"),
    ("HU", "########################"),
    ("RO", "????!!!!!!!!!!!!!!!!"),
    ("MT", "????#####!!!!!!!!!!!!!!!!!!"),
    ("IL", "###################"),
    ("LT", "################"),
    ("HR", "#################"),
];

fn iban_text(rng: &mut Rng, wrong: bool) -> String {
    let at = rng.below(COUNTRIES.len());
    let Some((country, shape)) = COUNTRIES.get(at) else { return String::new() };
    let shape: String = shape
        .chars()
        .map(|sign| if sign == '!' { rng.text(UPPER_DIGITS, 1) } else { sign.to_string() })
        .collect();
    let account = rng.shape(&shape);
    let check = checks::iban(country, &account);
    let check = match wrong {
        true => format!("{:02}", (check.parse::<u32>().unwrap_or(0) + rng.within(1..=50)) % 97 + 2),
        false => check,
    };
    let all = format!("{country}{check}{account}");
    match rng.below(5) {
        0..=1 => group(&all, &[4; 9], " ").trim_end().to_owned(),
        2 => group(&all, &[4; 9], "-").trim_end_matches('-').to_owned(),
        _ => all,
    }
}

pub fn iban(rng: &mut Rng) -> Made {
    let text = iban_text(rng, false);
    let kind = if text.contains([' ', '-']) { "grouped" } else { "bare" };
    Made::pii(PiiType::Iban, kind, text)
}

/// The check digits may by chance be right in one of a hundred: not so here.
pub fn iban_wrong(rng: &mut Rng) -> String {
    loop {
        let text = iban_text(rng, true);
        let bare = text.replace([' ', '-'], "");
        let (country, rest) = bare.split_at_checked(2).unwrap_or_default();
        let (check, account) = rest.split_at_checked(2).unwrap_or_default();
        if checks::iban(country, account) != check {
            return text;
        }
    }
}

fn area(rng: &mut Rng) -> u32 {
    match rng.within(1..=899) {
        666 => 665,
        area => area,
    }
}

pub fn ssn(rng: &mut Rng) -> Made {
    let (area, group, serial) = (area(rng), rng.within(1..=99), rng.within(1..=9999));
    let joint = if rng.chance(12) { " " } else { "-" };
    Made::pii(PiiType::UsSsn, "grouped", format!("{area:03}{joint}{group:02}{joint}{serial:04}"))
}

/// Behind a label: bare digits too.
pub fn ssn_labelled(rng: &mut Rng) -> Made {
    if rng.chance(80) {
        return ssn(rng);
    }
    let (area, group, serial) = (area(rng), rng.within(1..=99), rng.within(1..=9999));
    Made::pii(PiiType::UsSsn, "bare", format!("{area:03}{group:02}{serial:04}"))
}

pub fn ssn_wrong(rng: &mut Rng) -> String {
    let shape = rng.pick(&["000-##-####", "666-##-####", "###-00-####", "###-##-0000"]);
    let text = rng.shape(shape);
    if text.starts_with('9') { text.replacen('9', "4", 1) } else { text }
}

/// IRS: 9xx, then 50 to 65, 70 to 88, 90 to 92 or 94 to 99.
pub fn itin(rng: &mut Rng) -> Made {
    let group = match rng.below(4) {
        0 => rng.within(50..=65),
        1 => rng.within(90..=92),
        2 => rng.within(94..=99),
        _ => rng.within(70..=88),
    };
    let joint = if rng.chance(12) { " " } else { "-" };
    let text = format!("9{}{joint}{group}{joint}{}", rng.shape("##"), rng.shape("####"));
    Made::pii(PiiType::UsItin, "grouped", text)
}

/// Behind a label.
pub fn mrn(rng: &mut Rng) -> Made {
    match rng.below(9) {
        8 => {
            let letters = rng.pick(&["P", "PT", "H", "HN"]);
            Made::pii(PiiType::Mrn, "letters", format!("{letters}-{}", rng.shape("%######")))
        }
        0..=1 => {
            Made::pii(PiiType::Mrn, "MRN-", rng.shape("%#######")).between("MRN-", "").or_all()
        }
        2 => Made::pii(PiiType::Mrn, "letter", rng.shape("?%######")),
        3 => Made::pii(PiiType::Mrn, "grouped", rng.shape("##-##-##")),
        4 => Made::pii(PiiType::Mrn, "ten digits", rng.shape("%#########")),
        5 => Made::pii(PiiType::Mrn, "leading zeros", rng.shape("00######")),
        _ => Made::pii(PiiType::Mrn, "digits", rng.shape("%#######")),
    }
}

pub fn wallet(rng: &mut Rng) -> Made {
    let hash = rng.bytes(20);
    let (kind, text) = match rng.below(13) {
        10 => ("Dogecoin", checks::base58_check(0x1e, &hash)),
        11 => ("Litecoin old", checks::base58_check(0x30, &hash)),
        12 => ("Ripple", checks::ripple(&hash)),
        0..=1 => ("P2PKH", checks::base58_check(0, &hash)),
        2 => ("P2SH", checks::base58_check(5, &hash)),
        3..=4 => ("bech32", checks::bech32("bc", 0, &hash)),
        5 => ("taproot", checks::bech32("bc", 1, &rng.bytes(32))),
        6 => ("Tron", checks::base58_check(0x41, &hash)),
        7 => ("Litecoin", checks::bech32("ltc", 0, &hash)),
        8 => ("Ethereum small", format!("0x{}", rng.text(HEX, 40))),
        _ => ("Ethereum", checks::ethereum(&rng.text(HEX, 40))),
    };
    Made::pii(PiiType::CryptoAddress, kind, text)
}

pub fn blob(rng: &mut Rng, length: usize) -> String {
    rng.text(BASE64, length)
}
