//! What stands for a slot of a template.

use crate::labels;
use crate::look_alikes;
use crate::neutral;
use crate::rng::Rng;
use crate::sample::Made;
use crate::values::{dates, korean, money, network, people, secrets, telephones};

type Maker = fn(&mut Rng) -> Made;

/// Slots of values.
const VALUES: &[(&str, Maker)] = &[
    ("email", people::email),
    ("phone ko", telephones::korean),
    ("mobile", telephones::mobile),
    ("landline", telephones::landline),
    ("phone en", telephones::english),
    ("phone labelled", telephones::labelled),
    ("card", money::card),
    ("iban", money::iban),
    ("ssn", money::ssn),
    ("ssn labelled", money::ssn_labelled),
    ("itin", money::itin),
    ("rrn", korean::rrn),
    ("rrn labelled", korean::rrn_labelled),
    ("frn", korean::frn),
    ("brn", korean::brn),
    ("brn labelled", korean::brn_labelled),
    ("license", korean::license),
    ("license labelled", korean::license_labelled),
    ("passport", korean::passport),
    ("bank", korean::bank_account),
    ("bank behind", korean::bank_behind),
    ("bank en", korean::bank_account_english),
    ("account", korean::account),
    ("ip", network::ip),
    ("ip4", network::ip4),
    ("ip6", network::ip6),
    ("ip port", network::ip_port),
    ("mac", network::mac),
    ("url", network::url_credentials),
    ("token", secrets::token),
    ("webhook", secrets::slack_webhook),
    ("password", secrets::password),
    ("password spoken", secrets::password_spoken),
    ("password git", secrets::password_plain),
    ("login", secrets::login),
    ("aws secret", secrets::aws_secret),
    ("jwt", secrets::jwt),
    ("basic", secrets::basic),
    ("hex key", secrets::hex_key),
    ("azure", secrets::azure),
    ("pem", secrets::private_key),
    ("pem line", secrets::private_key_line),
    ("dob ko", dates::birth_korean),
    ("dob en", dates::birth_english),
    ("dob record", dates::birth_record),
    ("mrn", money::mrn),
    ("wallet", money::wallet),
    ("labelled ko", labels::korean),
    ("labelled en", labels::english),
];

/// Slots of what has no label at all, or a neutral one.
const OTHERS: &[(&str, Maker)] = &[
    ("name ko", people::korean_name),
    ("name en", people::english_name),
    ("company", people::company),
    ("street", people::street),
    ("any", look_alikes::any),
    ("harmless ko", labels::korean_harmless),
    ("harmless en", labels::english_harmless),
    ("n", |rng| Made::plain(rng.within(1..=60).to_string())),
    ("clock", |rng| Made::plain(dates::clock(rng))),
    ("host", |rng| Made::plain(network::host(rng))),
    ("nick", |rng| Made::plain(people::nick(rng))),
    ("level", |rng| Made::plain(rng.pick(&["INFO", "WARN", "ERROR", "DEBUG"]))),
    ("blob", |rng| Made::plain(money::blob(rng, 40))),
];

fn find(table: &[(&str, Maker)], name: &str) -> Option<Maker> {
    table.iter().find(|(slot, _)| *slot == name).map(|(_, make)| *make)
}

/// Whether a value stands for it.
pub fn is_value(name: &str) -> bool {
    find(VALUES, name).is_some()
}

/// Nothing where there is no such slot.
pub fn fill(rng: &mut Rng, name: &str) -> Option<Made> {
    if let Some(make) = find(VALUES, name).or_else(|| find(OTHERS, name)) {
        return Some(make(rng));
    }
    look_alikes::of(rng, name).or_else(|| neutral::of(rng, name))
}

/// Each text of a template with the slot behind it; none is behind the last.
pub fn parts(template: &str) -> Vec<(&str, Option<&str>)> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('«') {
        let (slot, behind) = behind.split_once('»').unwrap_or((behind, ""));
        parts.push((before, Some(slot)));
        rest = behind;
    }
    parts.push((rest, None));
    parts
}
