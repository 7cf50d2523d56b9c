//! `masking.policies.NAME.external`: a service that finds what rules cannot, with the
//! REST interface of Presidio's analyzer.

use crate::document::{Cursor, alternatives};
use crate::endpoint::Endpoint;
use crate::ids::EntityName;
use crate::schema::Section;
use crate::units;
use contract::masking::PiiType;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How long an answer may be awaited. Every masked request waits that long at most.
pub(crate) const TIMEOUT_BOUNDS: RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(10);
const TIMEOUT_DEFAULT: Duration = Duration::from_millis(200);

/// The language that is asked for when nothing is said.
const LANGUAGE_DEFAULT: &str = "en";

/// Longest language tag (RFC 5646, section 4.4.1).
const LANGUAGE_BYTES_MAX: usize = 35;

/// The least score that counts when nothing is said, in percent.
const SCORE_MIN_DEFAULT: u8 = 50;

/// What of Presidio counts when nothing is said: what its models find in prose, and what
/// it proves by a checksum. Not its addresses of machines, dates and licences: most of
/// what it finds of those is none.
const ENTITIES_DEFAULT: &[(&str, PiiType)] = &[
    ("PERSON", PiiType::Person),
    ("LOCATION", PiiType::Address),
    ("ORGANIZATION", PiiType::Organization),
    ("EMAIL_ADDRESS", PiiType::Email),
    ("PHONE_NUMBER", PiiType::Phone),
    ("CREDIT_CARD", PiiType::CreditCard),
    ("IBAN_CODE", PiiType::Iban),
    ("CRYPTO", PiiType::CryptoAddress),
];

/// A service that is asked once for each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detector {
    /// Where it listens.
    pub endpoint: Endpoint,
    /// What is asked for there; begins with `/`.
    pub path_and_query: String,
    /// How long an answer is awaited, in whole milliseconds.
    pub timeout: Duration,
    /// The language that is asked for.
    pub language: String,
    /// The least score that counts, 0 to 100 percent.
    pub score_min: u8,
    /// Its names for what it finds, and ours; not empty.
    pub entities: BTreeMap<String, PiiType>,
}

impl Detector {
    pub(super) fn read(cursor: &Cursor<'_>) -> Option<Detector> {
        let fields = cursor.fields(Section::Detector);
        let url = fields.require("url", "where it is asked, such as http://127.0.0.1:5002/analyze");
        let timeout =
            fields.value("timeout", TIMEOUT_DEFAULT, |text| units::duration(text, TIMEOUT_BOUNDS));
        let language = fields.value("language", LANGUAGE_DEFAULT.to_owned(), language);
        let score_min = fields.value("min_score", SCORE_MIN_DEFAULT, units::score);
        let entities = fields.get("entities").as_ref().map_or_else(default_entities, entities);
        fields.close();
        let wrong = "is not where a detector is; write http://HOST:PORT/PATH";
        let (endpoint, path_and_query) =
            url?.parse_unquoted(|text| Endpoint::parse_url(text, wrong))?;
        Some(Detector { endpoint, path_and_query, timeout, language, score_min, entities })
    }
}

fn default_entities() -> BTreeMap<String, PiiType> {
    ENTITIES_DEFAULT.iter().map(|(name, of)| ((*name).to_owned(), *of)).collect()
}

fn entities(cursor: &Cursor<'_>) -> BTreeMap<String, PiiType> {
    let named = cursor.named(EntityName::parse);
    if named.is_empty() {
        cursor.report("is empty; name what counts, or remove it to take what usually does");
    }
    let entity =
        |(name, field): (EntityName, Cursor<'_>)| Some((name.to_string(), field.parse(type_of)?));
    named.into_iter().filter_map(entity).collect()
}

fn type_of(text: &str) -> Result<PiiType, String> {
    let named = PiiType::ALL.iter().find(|of| of.as_str() == text);
    let types = PiiType::ALL.iter().map(|of| of.as_str());
    named.copied().ok_or_else(|| format!("is no type;{}", alternatives(text, types)))
}

fn language(text: &str) -> Result<String, &'static str> {
    let sized = (1..=LANGUAGE_BYTES_MAX).contains(&text.len());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if sized && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    Err("is not a language; write its tag, such as en or ko")
}
