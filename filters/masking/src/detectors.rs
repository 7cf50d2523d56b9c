//! The detectors: one file each, with its rule, where that comes from, what it finds
//! and what it must not.

use crate::resolve::Candidates;
use crate::scene::Scene;

mod blob;
mod calendar;
mod calling_codes;
mod checks_kr;
mod commerce;
mod credit_card;
mod crypto_address;
mod dob;
mod domain;
mod email;
mod goods;
mod groups;
mod hash;
mod headings;
mod iban;
mod ip_address;
mod ipv6;
mod kr_bank_account;
mod kr_brn;
mod kr_driver_license;
mod kr_passport;
mod kr_rrn;
mod labels;
mod lexicon;
mod mac_address;
mod money;
mod months;
mod mrn;
mod naming;
mod numerals;
mod phone;
mod phone_abroad;
mod placeholder;
mod runs;
mod science;
mod secret;
mod url_credentials;
mod us_ssn;
mod uuid;
mod web;

#[cfg(test)]
mod trial;

pub use labels::Nearest;

/// A detector: puts down every place that it would mask, and with
/// [`Candidates::innocent`] places that only look so.
pub type Find = fn(&Scene<'_>, &mut Candidates);

/// All of them. Of two candidates that are equal the first counts: numbers with a label
/// of their own come first, then look-alikes, then the others.
pub const ALL: &[Find] = &[
    kr_rrn::find,
    kr_brn::find,
    kr_driver_license::find,
    kr_passport::find,
    kr_bank_account::find,
    phone::find,
    dob::find,
    mrn::find,
    calendar::find,
    commerce::find,
    goods::find,
    money::find,
    science::find,
    web::find,
    email::find,
    credit_card::find,
    iban::find,
    us_ssn::find,
    ip_address::find,
    mac_address::find,
    blob::find,
    crypto_address::find,
    hash::find,
    placeholder::find,
    secret::find,
    url_credentials::find,
    uuid::find,
];
