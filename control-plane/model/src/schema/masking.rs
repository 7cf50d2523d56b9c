//! The tables of `masking`.

use super::{Change, Field, Kind, Presence, Section, Table, form};
use crate::masking::TIMEOUT_BOUNDS;
use Change::Live;
use Presence::{Default, Otherwise, Required};

pub(super) const MASKING: Table = Table {
    section: Section::Masking,
    name: "masking",
    one_of: &[],
    fields: &[
        Field::new(
            "key",
            Kind::Text(&form::MASKING_KEY),
            Otherwise("made once, in `masking.key` of the data folder"),
            Live,
            "'${TOLLGATE_MASKING_KEY}'",
            "the key of the placeholders' tags; the same on all gateways",
        ),
        Field::new(
            "policies",
            Kind::Named(&form::PLAIN_NAME, &Kind::Map(Section::MaskingPolicy)),
            Default("{}"),
            Live,
            "{ default: {}, strict: { types: { default: block } } }",
            "masking policies; tenants, models, keys and signers name them",
        ),
    ],
};

pub(super) const POLICY: Table = Table {
    section: Section::MaskingPolicy,
    name: "masking.policies.NAME",
    one_of: &[],
    fields: &[
        Field::new(
            "on_failure",
            Kind::Choice(&["refuse", "pass"]),
            Default("refuse"),
            Live,
            "pass",
            "what happens to a request when `external` fails or is too late: it is refused (503 \
             `control_unavailable`), or goes out without what that would have found",
        ),
        Field::new(
            "placeholder",
            Kind::Text(&form::PLACEHOLDER),
            Default("'[{TYPE}_{TAG}]'"),
            Live,
            "'[[{TYPE}:{TAG}]]'",
            "what stands for a value towards the engine: `{TYPE}` is its type, `{TAG}` 6 or more \
             characters of `0-9 a-z` that are the same for the same value",
        ),
        Field::new(
            "types",
            Kind::Map(Section::MaskingTypes),
            Default("{}"),
            Live,
            "{ SECRET: block, default: mask }",
            "what is done with values of a type",
        ),
        Field::new(
            "deny_words",
            Kind::List(&Kind::Text(&form::WORD), 0, None),
            Default("[]"),
            Live,
            "[한빛프로젝트, Project Bluefin]",
            "words of the type `DENY_WORD`, whatever their case, width and composition",
        ),
        Field::new(
            "custom",
            Kind::Named(&form::PLAIN_NAME, &Kind::Text(&form::REGEX)),
            Default("{}"),
            Live,
            "{ emp: '\\bEMP-\\d{6}\\b' }",
            "regular expressions of the type `CUSTOM`, each by a name for messages",
        ),
        Field::new(
            "answers",
            Kind::Truth,
            Default("false"),
            Live,
            "true",
            "also masks what the model wrote itself",
        ),
        Field::new(
            "external",
            Kind::Map(Section::Detector),
            Otherwise("none"),
            Live,
            "{ url: http://127.0.0.1:5002/analyze }",
            "a service that finds names and addresses, asked once for each request",
        ),
    ],
};

const ACTION: Kind = Kind::Choice(&["restore", "mask", "block", "alert", "off"]);

/// A row of [`TYPES`].
const fn of(name: &'static str, meaning: &'static str) -> Field {
    Field::new(name, ACTION, Otherwise("as `default`"), Live, "mask", meaning)
}

/// One row a type, and one for those that are not named.
pub(super) const TYPES: Table = Table {
    section: Section::MaskingTypes,
    name: "masking.policies.NAME.types",
    one_of: &[],
    fields: &[
        of("EMAIL", "e-mail address"),
        of("PHONE", "telephone number"),
        of("CREDIT_CARD", "number of a payment card"),
        of("IBAN", "international bank account number"),
        of("US_SSN", "social security number of the United States"),
        of("US_ITIN", "individual taxpayer number of the United States"),
        of("KR_RRN", "Korean resident registration number (주민등록번호)"),
        of("KR_FRN", "Korean foreigner registration number (외국인등록번호)"),
        of("KR_BRN", "Korean business registration number (사업자등록번호)"),
        of("KR_DRIVER_LICENSE", "Korean driver's licence (운전면허)"),
        of("KR_PASSPORT", "Korean passport (여권)"),
        of("KR_BANK_ACCOUNT", "Korean bank account (계좌번호)"),
        of("IP_ADDRESS", "IPv4 or IPv6 address, private ones too"),
        of("MAC_ADDRESS", "address of a network card"),
        of("URL_CREDENTIALS", "user and password in a URL"),
        of("SECRET", "key, token, password or private key"),
        of("DOB", "date of birth"),
        of("MRN", "medical record number"),
        of("CRYPTO_ADDRESS", "address of a crypto currency"),
        of("DENY_WORD", "a word of `deny_words`"),
        of("CUSTOM", "what a pattern of `custom` matches"),
        of("PERSON", "name of a person; found by `external` alone"),
        of("ADDRESS", "place or postal address; found by `external` alone"),
        of("ORGANIZATION", "name of a company; found by `external` alone"),
        Field::new("default", ACTION, Default("restore"), Live, "mask", "every type not named"),
    ],
};

/// The types, as the entities of [`DETECTOR`] name them.
const TYPE_NAMES: &[&str] = &[
    "EMAIL",
    "PHONE",
    "CREDIT_CARD",
    "IBAN",
    "US_SSN",
    "US_ITIN",
    "KR_RRN",
    "KR_FRN",
    "KR_BRN",
    "KR_DRIVER_LICENSE",
    "KR_PASSPORT",
    "KR_BANK_ACCOUNT",
    "IP_ADDRESS",
    "MAC_ADDRESS",
    "URL_CREDENTIALS",
    "SECRET",
    "DOB",
    "MRN",
    "CRYPTO_ADDRESS",
    "DENY_WORD",
    "CUSTOM",
    "PERSON",
    "ADDRESS",
    "ORGANIZATION",
];

pub(super) const DETECTOR: Table = Table {
    section: Section::Detector,
    name: "masking.policies.NAME.external",
    one_of: &[],
    fields: &[
        Field::new(
            "url",
            Kind::Text(&form::KEYS_URL),
            Required,
            Live,
            "http://127.0.0.1:5002/analyze",
            "where it is asked, as Presidio's analyzer is: `POST` of `text` and `language`",
        ),
        Field::new(
            "timeout",
            Kind::Duration(*TIMEOUT_BOUNDS.start(), *TIMEOUT_BOUNDS.end()),
            Default("200ms"),
            Live,
            "500ms",
            "how long an answer is awaited; after it `on_failure` says what happens",
        ),
        Field::new(
            "language",
            Kind::Text(&form::LANGUAGE),
            Default("en"),
            Live,
            "ko",
            "the `language` that is asked for",
        ),
        Field::new(
            "min_score",
            Kind::Score,
            Default("0.5"),
            Live,
            "0.6",
            "the least score that counts",
        ),
        Field::new(
            "entities",
            Kind::Named(&form::PLAIN_NAME, &Kind::Choice(TYPE_NAMES)),
            Default(
                "{ PERSON: PERSON, LOCATION: ADDRESS, ORGANIZATION: ORGANIZATION, \
                 EMAIL_ADDRESS: EMAIL, PHONE_NUMBER: PHONE, CREDIT_CARD: CREDIT_CARD, \
                 IBAN_CODE: IBAN, CRYPTO: CRYPTO_ADDRESS }",
            ),
            Live,
            "{ PERSON: PERSON, KR_NAME: PERSON }",
            "its names for what counts, and the types they are",
        ),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use contract::masking::PiiType;

    #[test]
    fn every_type_has_a_row_and_a_name() {
        let types: Vec<_> = PiiType::ALL.iter().map(|of| of.as_str()).collect();
        let rows: Vec<_> = TYPES.fields.iter().map(|field| field.name).collect();
        assert_eq!(rows, [types.as_slice(), &["default"]].concat());
        assert_eq!(TYPE_NAMES, types);
    }
}
