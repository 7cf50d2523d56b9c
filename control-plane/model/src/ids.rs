//! Names that an operator gives to things. A name that exists is well-formed:
//! it goes into headers, cluster names, JSON and tables without further checks.

use contract::limits::NAME_BYTES_MAX;
use std::borrow::Borrow;
use std::fmt;

/// Why a text is no name; says what is allowed and quotes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is there.
    #[error("is empty; a name has 1 to {NAME_BYTES_MAX} characters")]
    Empty,
    /// Longer than [`NAME_BYTES_MAX`].
    #[error("is too long; a name has at most {NAME_BYTES_MAX} bytes")]
    TooLong,
    /// A character outside of the plain set.
    #[error("is not a name; allowed: letters, digits and . _ : @ / -, a letter or digit first")]
    Plain,
    /// Like [`NameError::Plain`], of a tenant: a slash ends its name in the ledger.
    #[error(
        "is not the name of a tenant; allowed: letters, digits and . _ : @ -, a letter or digit \
         first"
    )]
    Tenant,
    /// White space or a control character.
    #[error("is not a model name; allowed: anything but white space and control characters")]
    Printable,
    /// White space or a control character, in what is no name of ours.
    #[error("holds white space or a control character; allowed: anything else")]
    Visible,
    /// What no path begins with.
    #[error(
        "is not a pattern over paths; it begins with / or * and holds no white space, such as \
         /v1/chat/*"
    )]
    Path,
    /// A prefix that the ids of other credentials have.
    #[error("is taken; the ids of other credentials begin with key_, yaml:, jwt: and mtls:")]
    Taken,
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident by $rule:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The name, if `text` is one.
            ///
            /// # Errors
            /// Says what is wrong with `text` and what is allowed.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                sized(text)?;
                $rule(text)?;
                Ok($name(text.to_owned()))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
    )*};
}

names! {
    /// Name of a pool, a set of equal inference servers.
    PoolName by plain;
    /// Name of a tenant, who is billed. It holds no slash, which parts it from the names of
    /// its keys and users in the ledger.
    TenantName by tenant;
    /// Name of an organisation, which tenants are of.
    OrganisationName by plain;
    /// Name of a set of limits.
    LimitsName by plain;
    /// Name of a role.
    RoleName by plain;
    /// Name of a key within its tenant.
    KeyName by plain;
    /// Name of a user, whom a key was made for.
    UserName by plain;
    /// A name that callers ask for.
    ModelName by printable;
    /// The name of a model on its inference servers.
    EngineModel by printable;
    /// A pattern over model names; `*` stands for any run of characters.
    ModelGlob by printable;
    /// A pattern over the node ids of Envoys; `*` stands for any run of characters.
    NodeGlob by printable;
    /// Name of a service, a tag or a data centre in Consul.
    ConsulName by plain;
    /// A pattern over the paths of the API; `*` stands for any run of characters.
    PathGlob by path;
    /// A pattern over the names in client certificates (their subject alternative
    /// names of the kinds URI and DNS); `*` stands for any run of characters.
    SanGlob by visible;
    /// Whom a credential names: the user of a key, or of a token.
    Subject by visible;
    /// Id of a credential for signed requests. It tells from ids of other kinds: usage
    /// records have both.
    CredentialId by credential;
    /// Name of an issuer of tokens.
    IssuerName by visible;
    /// Whom a token is meant for.
    Audience by visible;
    /// Name of a claim in a token, or a path of names with dots.
    ClaimName by visible;
    /// Name of a masking policy.
    PolicyName by plain;
    /// Name of a regular expression in a masking policy.
    PatternName by plain;
    /// What an external detector calls a kind of value.
    EntityName by plain;
    /// A pattern over the values of a header; `*` stands for any run of characters.
    HeaderGlob by visible;
    /// Name of a zone, in which some servers are.
    ZoneName by plain;
    /// The word by which the callers of a split are divided.
    ExperimentName by plain;
    /// Name of a field in the body of a request.
    FieldName by plain;
}

/// What the ids of API keys, of keys in the configuration, of tokens and of
/// certificates begin with.
const TAKEN: [&str; 4] = ["key_", "yaml:", "jwt:", "mtls:"];

impl ClaimName {
    /// The claim with the user when nothing is said (RFC 7519, section 4.1.2).
    pub(crate) fn subject() -> ClaimName {
        ClaimName("sub".to_owned())
    }
}

impl NodeGlob {
    /// Whether the pattern matches the whole of `node`.
    #[must_use]
    pub fn matches(&self, node: &str) -> bool {
        fits(&self.0, node)
    }
}

impl ModelGlob {
    /// Whether the pattern matches the whole of `name`.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        fits(&self.0, name)
    }
}

/// Whether `pattern` matches the whole of `text`.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let inner = text.strip_prefix(first).and_then(|text| text.strip_suffix(last));
    // The leftmost place of each piece leaves most for the next.
    let after = |left: Option<_>, piece| left.and_then(|left: &str| left.split_once(piece));
    let found = middle.split('*').filter(|piece| !piece.is_empty());
    found.fold(inner, |left, piece| after(left, piece).map(|(_, right)| right)).is_some()
}

fn sized(text: &str) -> Result<(), NameError> {
    match text.len() {
        0 => Err(NameError::Empty),
        1..=NAME_BYTES_MAX => Ok(()),
        _ => Err(NameError::TooLong),
    }
}

fn plain(text: &str) -> Result<(), NameError> {
    let first = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let rest = text.chars().all(|c| c.is_ascii_alphanumeric() || "._:@/-".contains(c));
    if first && rest { Ok(()) } else { Err(NameError::Plain) }
}

fn tenant(text: &str) -> Result<(), NameError> {
    plain(text).ok().filter(|()| !text.contains('/')).ok_or(NameError::Tenant)
}

fn printable(text: &str) -> Result<(), NameError> {
    let bad = text.chars().any(|c| c.is_whitespace() || c.is_control());
    if bad { Err(NameError::Printable) } else { Ok(()) }
}

fn visible(text: &str) -> Result<(), NameError> {
    printable(text).map_err(|_| NameError::Visible)
}

fn path(text: &str) -> Result<(), NameError> {
    let begun = text.starts_with(['/', '*']);
    printable(text).ok().filter(|()| begun).ok_or(NameError::Path)
}

fn credential(text: &str) -> Result<(), NameError> {
    plain(text)?;
    let taken = TAKEN.iter().any(|prefix| text.starts_with(prefix));
    if taken { Err(NameError::Taken) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names() {
        let (longest, long) = ("x".repeat(NAME_BYTES_MAX), "x".repeat(NAME_BYTES_MAX + 1));
        let table = [
            ("llama-70b", None),
            ("a", None),
            ("7b", None),
            ("team/ci:nightly@eu.1_2", None),
            (&longest, None),
            ("", Some(NameError::Empty)),
            (&long, Some(NameError::TooLong)),
            ("-x", Some(NameError::Plain)),
            ("a b", Some(NameError::Plain)),
            ("한", Some(NameError::Plain)),
            ("a\n", Some(NameError::Plain)),
        ];
        for (text, error) in table {
            assert_eq!(PoolName::parse(text).err(), error, "{text:?}");
        }
    }

    #[test]
    fn model_names_hold_more() {
        for text in ["gpt-4.1", "한국어-모델", "a+b(c)", "*"] {
            assert_eq!(ModelName::parse(text).unwrap().as_str(), text);
        }
        for text in ["a b", "a\tb", "a\u{0}", "a\u{a0}b"] {
            assert_eq!(ModelName::parse(text), Err(NameError::Printable), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_name_of_ours() {
        for text in ["https://login.example.com/", "auth0|5f7c", "realm_access.roles", "한"] {
            assert_eq!(Subject::parse(text).unwrap().as_str(), text);
        }
        assert_eq!(SanGlob::parse("CN=a b"), Err(NameError::Visible));
        assert_eq!(ClaimName::parse(""), Err(NameError::Empty));
        assert_eq!(ClaimName::subject(), ClaimName::parse("sub").unwrap());
    }

    #[test]
    fn patterns_over_paths() {
        for text in ["*", "/", "/v1/*", "*/completions"] {
            assert_eq!(PathGlob::parse(text).unwrap().as_str(), text);
        }
        for text in ["v1/chat", "https://a/", "/v1 /chat"] {
            assert_eq!(PathGlob::parse(text), Err(NameError::Path), "{text}");
        }
    }

    #[test]
    fn ids_of_credentials_are_of_their_own_kind() {
        for (text, error) in [
            ("partner-1", None),
            ("keys", None),
            ("a/key_1", None),
            ("key_1", Some(NameError::Taken)),
            ("yaml:acme/ci", Some(NameError::Taken)),
            ("jwt:a", Some(NameError::Taken)),
            ("mtls:a", Some(NameError::Taken)),
            ("a,b", Some(NameError::Plain)),
        ] {
            assert_eq!(CredentialId::parse(text).err(), error, "{text}");
        }
    }

    #[test]
    fn patterns_over_nodes() {
        let table = [
            ("gateway", "gateway", true),
            ("gateway", "gateway-1", false),
            ("*", "", true),
            ("canary-*", "canary-1", true),
            ("canary-*", "a-canary-1", false),
            ("*-eu", "a-eu", true),
            ("aa*aa", "aaa", false),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "acb", false),
            ("a**c", "ac", true),
            ("*x*y*", "y-x", false),
            ("*x*y*", "-x-y-", true),
        ];
        for (pattern, node, expected) in table {
            assert_eq!(
                NodeGlob::parse(pattern).unwrap().matches(node),
                expected,
                "{pattern} {node}"
            );
        }
    }
}
