//! The words of an engine without what is nobody's business.

/// Longest message, in characters.
const MESSAGE_CHARS_MAX: usize = 500;

/// Shortest name of an engine's model that tells something as a part of another word, in
/// bytes: `base` is in `database` too.
const OWN_BYTES_MIN: usize = 6;

/// Shortest mixture of letters and digits that is taken for a key, in bytes.
const SECRET_BYTES_MIN: usize = 24;

/// What stands in the place of what is left out.
const LEFT_OUT: &str = "…";

/// Where a stack trace begins.
const TRACES: [&str; 6] = [
    "Traceback (most recent call last)",
    "\n  File \"",
    "\n    at ",
    "\n\tat ",
    "stack backtrace:",
    "Stack trace:",
];

/// What an engine repeats of a fault for its own log, at the end of its message.
const AFTERTHOUGHT: &str = " (parameter=";

/// What a JSON parser puts before its words: the name of an exception, in brackets.
const EXCEPTION: &str = "[json.exception.";

/// Ends of names of files that say how an engine is built.
const FILE_ENDS: [&str; 17] = [
    ".bin",
    ".c",
    ".cc",
    ".cpp",
    ".cu",
    ".cuh",
    ".gguf",
    ".go",
    ".h",
    ".hpp",
    ".java",
    ".js",
    ".pt",
    ".py",
    ".rs",
    ".safetensors",
    ".so",
];

/// Last labels of hosts, inside of a cluster and outside.
const HOST_ENDS: [&str; 14] = [
    ".ai",
    ".cloud",
    ".co",
    ".com",
    ".corp",
    ".dev",
    ".home",
    ".internal",
    ".io",
    ".lan",
    ".local",
    ".net",
    ".org",
    ".svc",
];

/// What an engine says, in one line of at most 500 characters: without stack traces, paths,
/// addresses and hosts, and with the `asked` name of the model in place of the engine's `own`.
pub(super) fn clean(text: &str, own: &str, asked: &str) -> String {
    let text = without_wrapping(without_trace(text));
    let text = renamed(&text, own, asked);
    let mut out = String::with_capacity(text.len());
    let mut is_announced = false;
    for piece in pieces(&text) {
        match piece {
            Piece::Word(word) if std::mem::replace(&mut is_announced, announces(word)) => {
                out.push_str(LEFT_OUT);
            }
            Piece::Between(c) if c.is_whitespace() || c.is_control() => {
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            Piece::Between(c) => out.push(c),
            Piece::Word(word) => push_word(&mut out, word, own, asked),
        }
    }
    shortened(out.trim())
}

/// Whether a credential stands behind this word (RFC 6750, section 2.1; RFC 7617).
fn announces(word: &str) -> bool {
    ["basic", "bearer"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

fn without_trace(text: &str) -> &str {
    let begins = TRACES.iter().filter_map(|trace| text.find(trace)).min();
    begins.and_then(|at| text.get(..at)).unwrap_or(text)
}

fn without_wrapping(text: &str) -> String {
    let text = text.split_once(AFTERTHOUGHT).map_or(text, |(said, _)| said);
    let mut parts = text.split(EXCEPTION);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |said, part| said + part.split_once("] ").map_or(part, |(_, rest)| rest))
}

/// The text with the asked name wherever the engine's own stands by itself.
fn renamed(text: &str, own: &str, asked: &str) -> String {
    if own.is_empty() || own == asked {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(own) {
        out.push_str(before);
        let is_part = out.ends_with(is_of_name) || goes_on(behind);
        out.push_str(if is_part { own } else { asked });
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | '.')
}

/// Whether a name goes on; a point at the end of a sentence is none of it.
fn goes_on(behind: &str) -> bool {
    let mut chars = behind.chars();
    match chars.next() {
        Some('.') => chars.next().is_some_and(char::is_alphanumeric),
        Some(next) => is_of_name(next),
        None => false,
    }
}

enum Piece<'t> {
    Word(&'t str),
    Between(char),
}

/// Words, and what stands between them.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.find(is_between).unwrap_or(rest.len());
        if end > 0 {
            let (word, behind) = rest.split_at_checked(end)?;
            rest = behind;
            return Some(Piece::Word(word));
        }
        let mut chars = rest.chars();
        let next = chars.next()?;
        rest = chars.as_str();
        Some(Piece::Between(next))
    })
}

fn is_between(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\"'`()<>{},;|".contains(c)
}

fn push_word(out: &mut String, word: &str, own: &str, asked: &str) {
    let said = word.trim_end_matches(['.', ':', '!', '?']);
    let names_own = own.len() >= OWN_BYTES_MIN && said.contains(own);
    if said == asked || !(names_own || is_private(said)) {
        return out.push_str(word);
    }
    out.push_str(LEFT_OUT);
    out.push_str(word.get(said.len()..).unwrap_or_default());
}

/// A value says it as well as a word by itself: `path=/etc/passwd`.
fn is_private(word: &str) -> bool {
    word.split('=')
        .map(|part| part.trim_matches(['[', ']']))
        .any(|part| is_path(part) || is_host(part) || is_memory(part) || is_secret(part))
}

/// What looks like a key: begins as keys of OpenAI's kind do, or has letters and digits mixed
/// for longer than any word.
fn is_secret(word: &str) -> bool {
    let is_token = word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let has = |kind: fn(&u8) -> bool| word.as_bytes().iter().any(kind);
    let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    let is_long = word.len() >= SECRET_BYTES_MIN && is_mixed;
    is_token && (is_long || (word.starts_with("sk-") && word.len() > 8))
}

fn is_path(word: &str) -> bool {
    let (name, line) = word.split_once(".py:").map_or((word, ""), |(name, line)| (name, line));
    let is_file = !line.is_empty() || FILE_ENDS.iter().any(|end| name.ends_with(end));
    let is_rooted = ["/", "~/", "./", "../", "\\\\"].iter().any(|root| word.starts_with(root));
    let is_drive = word.get(1..3).is_some_and(|drive| matches!(drive, ":\\" | ":/"));
    let is_url = word.contains(":/");
    is_file || (is_rooted && word.len() > 1) || is_drive || is_url || word.matches('/').count() > 2
}

fn is_host(word: &str) -> bool {
    let (name, port) = match word.rsplit_once(':') {
        Some((name, port)) if is_number(port) && port.len() <= 5 => (name, Some(port)),
        _ => (word, None),
    };
    let lower = name.to_ascii_lowercase();
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    let has_letter = name.bytes().any(|b| b.is_ascii_alphabetic());
    let has_host_end = lower.contains(".svc.") || HOST_ENDS.iter().any(|end| lower.ends_with(end));
    let has_port = port.is_some_and(|port| port.len() > 1) && has_letter;
    lower == "localhost"
        || is_ipv4(name)
        || is_ipv6(word)
        || (is_name && (has_port || (has_letter && has_host_end)))
}

fn is_ipv4(name: &str) -> bool {
    let parts = name.split('.');
    parts.clone().count() == 4 && parts.clone().all(|part| is_number(part) && part.len() <= 3)
}

fn is_ipv6(word: &str) -> bool {
    let is_hex = |b: u8| b.is_ascii_hexdigit() || matches!(b, b':' | b'[' | b']' | b'.');
    word.matches(':').count() > 1 && word.bytes().all(is_hex)
}

fn is_memory(word: &str) -> bool {
    let digits = word.strip_prefix("0x").unwrap_or_default();
    digits.len() > 5 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MESSAGE_CHARS_MAX) {
        None => text.to_owned(),
        Some(_) => text.chars().take(MESSAGE_CHARS_MAX - 1).chain(LEFT_OUT.chars()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn leaves_out_what_is_private() {
        #[rustfmt::skip]
        let table = [
            ("max_tokens must be at least 1, got -1. (parameter=max_tokens, value=-1)", "max_tokens must be at least 1, got -1."),
            ("The input (4011 tokens) is longer than the model's context length (2048 tokens).", "The input (4011 tokens) is longer than the model's context length (2048 tokens)."),
            ("only 'application/json' and/or image/png is allowed", "only 'application/json' and/or image/png is allowed"),
            ("bad\n\n  File \"/opt/x/server.py\", line 7, in f\n    g()", "bad"),
            ("Traceback (most recent call last):\n  x", ""),
            ("cannot open /var/lib/models/a.safetensors: gone", "cannot open …: gone"),
            ("cannot open 'C:\\models\\a.gguf' or D:/x", "cannot open '…' or …"),
            ("see https://docs.example.com/x?y=1.", "see …."),
            ("connect to 10.0.0.7:8000 failed, [fd00::1]:80 too, ::1", "connect to … failed, … too, …"),
            ("host vllm-0.vllm.svc.cluster.local:8000 and engine:8000 and localhost", "host … and … and …"),
            ("pull from registry.example.com", "pull from …"),
            ("in server.py:1870 and weights.gguf and a/b/c/d", "in … and … and …"),
            ("<object at 0x7f00deadbeef>", "<object at …>"),
            ("path=/etc/passwd;~/.ssh/id n=5", "…;… n=5"),
            ("/ is a slash, 3/4 a share, v1.2.3 and 12.5 numbers", "/ is a slash, 3/4 a share, v1.2.3 and 12.5 numbers"),
            ("[json.exception.parse_error.101] parse error at line 1", "parse error at line 1"),
            ("Field 'n': [json.exception.type_error.302] must be a number", "Field 'n': must be a number"),
            ("one\r\n\ttwo\u{0}three", "one two three"),
            ("key sk-proj-abcdefghijk is wrong", "key … is wrong"),
            ("authorization: Bearer made-up and x", "authorization: Bearer … and x"),
            ("api-key: 0a1b2c3d4e5f60718293a4b5c6d7", "api-key: …"),
            ("an internationalization-of-everything is no key", "an internationalization-of-everything is no key"),
            ("  \n ", ""),
        ];
        for (text, expected) in table {
            assert_eq!(clean(text, "own", "asked"), expected, "{text}");
        }
    }

    #[test]
    fn the_engines_name_of_the_model_is_the_asked_one() {
        for (text, expected) in [
            ("The model `/models/llama` is busy", "The model `chat` is busy"),
            ("/models/llama.", "chat."),
            ("pinned to '/models/llama'; not /models/llama-2", "pinned to 'chat'; not …"),
        ] {
            assert_eq!(clean(text, "/models/llama", "chat"), expected);
        }
        assert_eq!(
            clean("tiny is not a multimodal model", "tiny", "large"),
            "large is not a multimodal model"
        );
        assert_eq!(clean("tinyest, un-tiny", "tiny", "large"), "tinyest, un-tiny");
        assert_eq!(clean("got org/model-awq, org/model/x", "org/model", "chat"), "got …, …");
        assert_eq!(clean("use org/b.c", "org/b.c", "a/b/c/d.py"), "use a/b/c/d.py");
        assert_eq!(clean("x", "", "asked"), "x");
    }

    #[test]
    fn a_long_message_ends() {
        let long = clean(&"가".repeat(600), "own", "asked");
        assert_eq!(long.chars().count(), MESSAGE_CHARS_MAX);
        assert!(long.ends_with("가…"));
    }

    proptest! {
        #[test]
        fn is_one_short_line(text in "(?s).{0,700}", own in ".{0,4}") {
            let clean = clean(&text, &own, "asked");
            prop_assert!(clean.chars().count() <= MESSAGE_CHARS_MAX);
            prop_assert!(!clean.contains(|c: char| c.is_control()));
        }

        #[test]
        fn no_path_is_told(
            before in "[a-z ,('\"]{0,20}", path in "(/[a-z0-9_.-]{1,9}){2,6}", behind in "[ ,)'\"]",
        ) {
            let text = format!("{before} {path}{behind}");
            prop_assert!(!clean(&text, "own", "asked").contains(path.as_str()), "{}", text);
        }
    }
}
