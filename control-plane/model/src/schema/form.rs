//! Forms of text.

/// How a text is written.
pub(crate) struct Form {
    /// What the documentation calls it.
    pub words: &'static str,
    /// A regular expression (ECMA-262) for the whole of it. It may accept more
    /// than the reader does, and never less.
    pub pattern: &'static str,
    /// Whether it may look like a number or a truth value to YAML.
    pub scalar: bool,
}

const fn form(words: &'static str, pattern: &'static str) -> Form {
    Form { words, pattern, scalar: false }
}

impl Form {
    const fn or_scalar(mut self) -> Form {
        self.scalar = true;
        self
    }
}

pub(crate) const ADDRESS: Form =
    form("address", r"^(localhost|[0-9.]+|\[[0-9A-Fa-f:.%]+\]):[0-9]+$");
pub(crate) const SOCKET: Form = form("`unix:PATH`", "^unix:.+$");
pub(crate) const DIAL: Form = form("`HOST:PORT`", r"^[^/\s]+:[0-9]+$");
pub(crate) const LINE: Form = form("`line`", "^line$");
pub(crate) const PATH: Form = form("path", "^[^\\u0000-\\u001f\\u007f]+$").or_scalar();
pub(crate) const URL_PATH: Form = form("begins with `/`, at most 1024 bytes", r"^/[!-~]{0,1023}$");
pub(crate) const BASE_PATH: Form = form(
    "begins with `/` and does not end with it, at most 256 characters",
    r"^(/[A-Za-z0-9._~!$&'()*+,;=:@-]+)+$",
);
pub(crate) const TOKEN: Form =
    form("1 to 1024 visible ASCII characters", "^[!-~]{1,1024}$").or_scalar();
pub(crate) const PLAIN_NAME: Form =
    form("plain name", "^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,255}$").or_scalar();
pub(crate) const TENANT_NAME: Form =
    form("plain name without `/`", "^[A-Za-z0-9][A-Za-z0-9._:@-]{0,255}$").or_scalar();
pub(crate) const MODEL_NAME: Form = form("model name", r"^\S{1,256}$").or_scalar();
pub(crate) const PATTERN: Form = form("pattern", r"^\S{1,256}$").or_scalar();
pub(crate) const ENDPOINT: Form =
    form("`http://HOST:PORT` or `https://HOST:PORT`", r"^https?://[^/?#@\s]+$");
pub(crate) const BASE_URL: Form =
    form("`http://HOST:PORT` or `https://HOST:PORT`", r"^https?://[^/?#@\s]+/?$");
pub(crate) const VARIABLE: Form =
    form("letters, digits and `_`, no digit first", "^[A-Za-z_][A-Za-z0-9_]*$").or_scalar();
pub(crate) const DNS_AND_PORT: Form =
    form("`NAME:PORT` or `NAME`", r"^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?(:[0-9]+)?$")
        .or_scalar();
pub(crate) const DNS_NAME: Form =
    form("name in the DNS", r"^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$").or_scalar();
pub(crate) const SERVER: Form = form("`IP:PORT`", r"^[0-9A-Fa-f:.%\[\]]+:[0-9]+$");
pub(crate) const LABEL: Form =
    form("1 to 63 lower-case letters, digits and `-`", "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
        .or_scalar();
pub(crate) const SERVICE_PORT: Form =
    form("name, or 1 to 65535", "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$").or_scalar();
pub(crate) const SHA256: Form = form("64 hexadecimal digits", "^[0-9A-Fa-f]{64}$").or_scalar();
pub(crate) const TIME: Form = form("time", "^[+0-9].{9,}$").or_scalar();
pub(crate) const POOL: Form = form("one of `pools`", r"^[A-Za-z0-9]\S*$").or_scalar();
pub(crate) const MODEL: Form =
    form("one of `models`, or a name that a family has", r"^\S{1,256}$").or_scalar();
pub(crate) const HEADER: Form =
    form("name of a header", "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$").or_scalar();
pub(crate) const HEADER_REFERENCE: Form =
    form("`header:NAME`", "^header:[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$");
pub(crate) const HEADER_VALUE: Form =
    form("1 to 4096 visible ASCII characters, spaces between them", "^[!-~]([ -~]{0,4094}[!-~])?$")
        .or_scalar();
pub(crate) const ROLE: Form = form("one of `roles`", r"^[A-Za-z0-9]\S*$").or_scalar();
pub(crate) const TENANT: Form = form("one of `tenants`", r"^[A-Za-z0-9]\S*$").or_scalar();
pub(crate) const LIMITS: Form = form("one of `limits`", r"^[A-Za-z0-9]\S*$").or_scalar();
pub(crate) const ORGANISATION: Form =
    form("one of `organisations`", r"^[A-Za-z0-9]\S*$").or_scalar();
pub(crate) const DATABASE: Form =
    form("`postgres://URL` or `postgresql://URL`", r"^postgres(ql)?://\S+$");
pub(crate) const PATHS: Form = form("pattern over paths", r"^[/*]\S{0,255}$");
pub(crate) const VISIBLE: Form = form("text", r"^\S{1,256}$").or_scalar();
pub(crate) const SECRET: Form =
    form("8 to 1024 visible ASCII characters", "^[!-~]{8,1024}$").or_scalar();
pub(crate) const MASKING_KEY: Form =
    form("16 to 1024 visible ASCII characters", "^[!-~]{16,1024}$").or_scalar();
pub(crate) const PLACEHOLDER: Form = form(
    "`{TYPE}`, then `{TAG}`, with signs around them; at most 64 characters",
    r"^[!-~]*\{TYPE\}[!-~]*\{TAG\}[!-~]*$",
);
pub(crate) const WORD: Form =
    form("1 to 200 characters without spaces around them", r"^\S(.*\S)?$").or_scalar();
pub(crate) const REGEX: Form = form("regular expression, 1 to 1000 characters", "^.+$").or_scalar();
pub(crate) const LANGUAGE: Form = form("language tag", "^[A-Za-z0-9-]{1,35}$").or_scalar();
pub(crate) const MASKING: Form = form("one of `masking.policies`", r"^[A-Za-z0-9]\S*$").or_scalar();
pub(crate) const KEYS_FILE: Form = form("`file:PATH`", "^file:.+$");
pub(crate) const KEYS_URL: Form =
    form("`https://URL` or `http://URL`", r"^https?://[^/?#@\s]+([/?][^#\s]*)?$");
pub(crate) const HOSTS: Form =
    form("name in the DNS, or `*.NAME`", r"^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$")
        .or_scalar();
