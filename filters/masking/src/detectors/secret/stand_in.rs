//! What only stands in the place of a secret: fillers of documentation, references to
//! variables, calls, words of a language, addresses.

/// Words of documentation inside of what would otherwise be a token.
const FILLERS: [&str; 12] = [
    "xxxxx",
    "your",
    "example",
    "placeholder",
    "changeme",
    "redacted",
    "insert",
    "dummy",
    "replace",
    "....",
    "***",
    "•••",
];
/// So much of a token tells whether it is filler.
const LOOKED_AT_MAX: usize = 256;

/// Whether a token only shows where one goes: `xxxxxxxx`, `your-key-here`, `0000…`.
pub fn is_filler(token: &str) -> bool {
    let head = token.get(..LOOKED_AT_MAX).unwrap_or(token).to_ascii_lowercase();
    let (mut seen, mut kinds) = ([false; 256], 0);
    for byte in head.bytes() {
        if let Some(known) = seen.get_mut(usize::from(byte)) {
            kinds += u8::from(!*known);
            *known = true;
        }
        if kinds > 3 {
            break;
        }
    }
    kinds <= 3 && head.len() >= 6 || FILLERS.iter().any(|filler| head.contains(filler))
}

const REFERENCES: [&str; 24] = [
    "${",
    "$(",
    "{{",
    "{%",
    "<",
    "%(",
    "#{",
    "[",
    "process.env",
    "os.environ",
    "os.getenv",
    "env(",
    "env[",
    "env.",
    "getenv",
    "secrets.",
    "vars.",
    "op://",
    "vault:",
    "arn:",
    "(",
    "^",
    "!",
    "http",
];
/// What a path of names begins with in code.
const OWNERS: [&str; 26] = [
    "self",
    "this",
    "config",
    "settings",
    "args",
    "request",
    "req",
    "user",
    "params",
    "options",
    "opts",
    "data",
    "form",
    "credentials",
    "process",
    "os",
    "var",
    "local",
    "module",
    "ctx",
    "props",
    "state",
    "event",
    "body",
    "app",
    "conf",
];

/// Whether a value stands for another one: `$NAME`, `${NAME}`, `{{ name }}`,
/// `os.environ[…]`, `getpass()`, `self.password`, `<password>`.
pub fn is_reference(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let is_name = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let variable = value.strip_prefix('$').is_some_and(is_name)
        || value.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')).is_some_and(is_name);
    let owned = lower.split_once('.').is_some_and(|(owner, _)| OWNERS.contains(&owner));
    let template =
        value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).is_some_and(is_name);
    // `&str`, `&self.password`, `0x02` of C.
    let borrowed = value.strip_prefix('&').is_some_and(|rest| {
        rest.bytes()
            .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.' | b':' | b'\''))
    });
    let number = lower.strip_prefix("0x").is_some_and(|digits| {
        digits.len() <= 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    variable
        || borrowed
        || number
        || template
        || owned
        || is_call(value)
        || REFERENCES.iter().any(|reference| *reference != "!" && lower.starts_with(reference))
        || ["!ref", "!vault", "!sub", "!env"].iter().any(|tag| lower.starts_with(tag))
}

/// `name(…`, `name[…` and `Name<…`.
fn is_call(value: &str) -> bool {
    let name_ends = value.find(['(', '[', '<']);
    let name = name_ends.and_then(|end| value.get(..end)).unwrap_or_default();
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':');
    begins && name.trim_end_matches('!').bytes().all(of_name)
}

/// Words that stand where a value would: types, states, other names.
const WORDS: [&str; 76] = [
    "required",
    "optional",
    "string",
    "text",
    "null",
    "none",
    "undefined",
    "true",
    "false",
    "password",
    "passwd",
    "pass",
    "secret",
    "token",
    "empty",
    "hidden",
    "changed",
    "reset",
    "invalid",
    "incorrect",
    "wrong",
    "expired",
    "missing",
    "changeme",
    "change_me",
    "change-me",
    "n/a",
    "input",
    "varchar",
    "number",
    "integer",
    "boolean",
    "object",
    "bytes",
    "strong",
    "weak",
    "unknown",
    "redacted",
    "masked",
    "removed",
    "encrypted",
    "hashed",
    "username",
    "user",
    "value",
    "newpassword",
    "new_password",
    "old_password",
    "mypassword",
    "my_password",
    "your_password",
    "your-password",
    "yourpassword",
    "enabled",
    "disabled",
    "default",
    "prompt",
    "ask",
    "auto",
    "generated",
    "stored",
    "current-password",
    "new-password",
    "forgot",
    "login",
    "signin",
    "failed",
    "success",
    "error",
    "okay",
    "accepted",
    "denied",
    "bcrypt",
    "plaintext",
    "test_password",
    "userpassword",
];
/// Names of algorithms and formats, which hold digits.
const ALGORITHMS: [&str; 24] = [
    "sha", "md5", "bcrypt", "argon2", "pbkdf2", "aes", "rsa", "hs256", "hs512", "rs256", "es256",
    "ed25519", "utf", "base64", "oauth2", "oauth", "scrypt", "hmac", "http", "ascii", "x509",
    "2fa", "pkcs", "iso",
];

fn is_word(value: &str) -> bool {
    let lower = value.trim_end_matches(['.', ',', '!', '?', ':', ';']).to_ascii_lowercase();
    let algorithm = |name: &&str| {
        lower.strip_prefix(*name).is_some_and(|rest| {
            rest.len() <= 8
                && !rest
                    .bytes()
                    .any(|byte| byte.is_ascii_lowercase() || b"!@#$%^&*".contains(&byte))
        })
    };
    WORDS.contains(&lower.as_str()) || ALGORITHMS.iter().any(algorithm)
}

fn is_address(value: &str) -> bool {
    let of_mail = |(local, domain): (&str, &str)| {
        !local.is_empty()
            && domain.rsplit_once('.').is_some_and(|(name, top)| {
                !name.is_empty()
                    && top.len() >= 2
                    && top.bytes().all(|byte| byte.is_ascii_alphabetic())
            })
            && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
    };
    value.contains("://") || value.rsplit_once('@').is_some_and(of_mail)
}

/// Whether a value is anything but a password or a token.
pub fn stands_for_another(value: &str) -> bool {
    let masked = value.bytes().filter(|byte| *byte == b'*').count() >= 3 || value.contains('…');
    masked || is_reference(value) || is_word(value) || is_address(value) || is_shown(value)
}

/// Whether a value is filler or a reference, whatever it is called.
pub fn stands_in(value: &str) -> bool {
    let starred = value.bytes().filter(|byte| *byte == b'*').count() >= 3 || value.contains('…');
    starred || is_reference(value) || value.len() > 2 && is_shown(value)
}

/// Fillers of passwords: `xxxx`, `your-…`, `<…>`.
fn is_shown(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let first = lower.bytes().next();
    let same = lower.bytes().all(|byte| Some(byte) == first)
        && !lower.bytes().all(|byte| byte.is_ascii_digit());
    same || ["xxxx", "your", "placeholder", "redacted", "...."]
        .iter()
        .any(|part| lower.contains(part))
}
