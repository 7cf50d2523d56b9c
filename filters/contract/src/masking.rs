//! What must not leave: the words of the masking policies.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

macro_rules! types {
    ($($(#[$doc:meta])* $variant:ident = $text:literal;)*) => {
        /// A type of personal data or of secrets.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum PiiType { $($(#[$doc])* #[serde(rename = $text)] $variant,)* }

        impl PiiType {
            /// Every type, in the order of the documentation.
            pub const ALL: &[PiiType] = &[$(PiiType::$variant,)*];

            /// The type as policies, placeholders, metrics and records name it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(PiiType::$variant => $text,)* }
            }
        }
    };
}

types! {
    /// E-mail address.
    Email = "EMAIL";
    /// Telephone number.
    Phone = "PHONE";
    /// Number of a payment card.
    CreditCard = "CREDIT_CARD";
    /// International bank account number.
    Iban = "IBAN";
    /// Social security number of the United States.
    UsSsn = "US_SSN";
    /// Individual taxpayer number of the United States.
    UsItin = "US_ITIN";
    /// Korean resident registration number.
    KrRrn = "KR_RRN";
    /// Korean foreigner registration number.
    KrFrn = "KR_FRN";
    /// Korean business registration number.
    KrBrn = "KR_BRN";
    /// Korean driver's licence.
    KrDriverLicense = "KR_DRIVER_LICENSE";
    /// Korean passport.
    KrPassport = "KR_PASSPORT";
    /// Korean bank account.
    KrBankAccount = "KR_BANK_ACCOUNT";
    /// IPv4 or IPv6 address.
    IpAddress = "IP_ADDRESS";
    /// Address of a network card.
    MacAddress = "MAC_ADDRESS";
    /// User and password in a URL.
    UrlCredentials = "URL_CREDENTIALS";
    /// Key, token or password.
    Secret = "SECRET";
    /// Date of birth.
    Dob = "DOB";
    /// Medical record number.
    Mrn = "MRN";
    /// Address of a crypto currency.
    CryptoAddress = "CRYPTO_ADDRESS";
    /// A word of the policy's list.
    DenyWord = "DENY_WORD";
    /// What a pattern of the policy matches.
    Custom = "CUSTOM";
    /// Name of a person; found by an external detector alone.
    Person = "PERSON";
    /// Place or postal address; found by an external detector alone.
    Address = "ADDRESS";
    /// Name of a company; found by an external detector alone.
    Organization = "ORGANIZATION";
}

/// What is done with a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A placeholder goes out, the value comes back in the answer.
    #[default]
    Restore,
    /// The type's name goes out, nothing comes back.
    Mask,
    /// The request is refused.
    Block,
    /// It is counted and goes out as it is.
    Alert,
    /// It is not looked for.
    Off,
}

/// What happens to a request that cannot be looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// It is refused.
    #[default]
    Refuse,
    /// What could not be looked at goes out as it is.
    Pass,
}

/// The masking policies by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskingConfig {
    /// By name.
    #[serde(default)]
    pub policies: BTreeMap<String, MaskingPolicyConfig>,
}

impl MaskingConfig {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }
}

/// The placeholder of a policy that names none.
pub const PLACEHOLDER_DEFAULT: &str = "[{TYPE}_{TAG}]";

/// One policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskingPolicyConfig {
    /// What happens when it cannot be applied.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// How placeholders look: `{TYPE}` and `{TAG}` once each.
    pub placeholder: String,
    /// What is done with types that `types` does not name.
    #[serde(default)]
    pub default: Action,
    /// What is done with a type.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub types: BTreeMap<PiiType, Action>,
    /// Words of [`PiiType::DenyWord`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny_words: Vec<String>,
    /// Regular expressions of [`PiiType::Custom`], by a name for messages.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<String, String>,
    /// Whether what a model wrote itself is masked too.
    #[serde(default)]
    pub answers: bool,
    /// A service that finds what patterns cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalConfig>,
}

impl Default for MaskingPolicyConfig {
    fn default() -> Self {
        MaskingPolicyConfig {
            on_failure: OnFailure::default(),
            placeholder: PLACEHOLDER_DEFAULT.to_owned(),
            default: Action::default(),
            types: BTreeMap::new(),
            deny_words: Vec::new(),
            custom: BTreeMap::new(),
            answers: false,
            external: None,
        }
    }
}

impl MaskingPolicyConfig {
    /// What is done with a type.
    #[must_use]
    pub fn action(&self, of: PiiType) -> Action {
        self.types.get(&of).copied().unwrap_or(self.default)
    }
}

/// A service with the REST interface of Presidio's analyzer: `POST` of
/// `{"text", "language"}`, answered with
/// `[{"entity_type", "start", "end", "score"}]`, places in characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalConfig {
    /// The Envoy cluster.
    pub cluster: String,
    /// The `Host` that it is called by.
    pub authority: String,
    /// Path and query.
    pub path: String,
    /// How long an answer is awaited, in milliseconds.
    pub timeout_ms: u64,
    /// The `language` that is asked for.
    pub language: String,
    /// The least score that counts, in percent.
    pub score_min: u8,
    /// Its names for entities, and ours; others are left out.
    pub entities: BTreeMap<String, PiiType>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_written_as_they_are_named() {
        for of in PiiType::ALL {
            assert_eq!(serde_json::to_value(of).unwrap(), of.as_str());
        }
    }

    #[test]
    fn a_type_that_is_not_named_has_the_default() {
        let policy = MaskingPolicyConfig {
            default: Action::Alert,
            types: [(PiiType::KrRrn, Action::Mask)].into(),
            ..MaskingPolicyConfig::default()
        };
        assert_eq!(policy.action(PiiType::KrRrn), Action::Mask);
        assert_eq!(policy.action(PiiType::Email), Action::Alert);
    }
}
