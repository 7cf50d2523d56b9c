//! Lists of faults as validators write them: in JSON (FastAPI), and as Python prints them
//! (SGLang, vLLM), which is no JSON.

use serde_json::Value;

/// One fault of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The field, its names and numbers with points between them; empty: all of it.
    pub(super) place: String,
    /// What is wrong with it.
    pub(super) message: String,
}

impl Fault {
    fn new(place: impl Iterator<Item = String>, message: &str) -> Fault {
        // Names of validators stand between those of fields, with brackets in them.
        let place: Vec<_> = place.filter(|name| !name.contains(['[', '(', '{'])).collect();
        let place = place.iter().map(String::as_str).enumerate();
        let place = place.filter(|(at, name)| *at > 0 || *name != "body").map(|(_, name)| name);
        let message = message.strip_prefix("Value error, ").unwrap_or(message);
        Fault { place: place.collect::<Vec<_>>().join("."), message: message.to_owned() }
    }

    /// The fault in one line.
    pub(super) fn line(&self) -> String {
        if self.place.is_empty() || self.place.starts_with(|first: char| first.is_ascii_digit()) {
            return self.message.clone();
        }
        format!("{}: {}", self.place, self.message)
    }
}

/// A fault in JSON: `{"loc": ["body", "messages", 0], "msg": "…"}`.
pub(super) fn of_item(item: &Value) -> Option<Fault> {
    let message = item.get("msg")?.as_str()?;
    let place = item.get("loc").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let names = place.iter().map(|name| match name {
        Value::String(name) => name.clone(),
        other => other.to_string(),
    });
    Some(Fault::new(names, message))
}

const MESSAGE: &str = "'msg': ";
const PLACE: &str = "'loc': ";

/// The faults in a text that Python has printed, `{'loc': ('body', 'n'), 'msg': '…'}`; none
/// where it is any other text.
pub(super) fn of_text(text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(MESSAGE) {
        let Some((message, behind)) = quoted(behind) else { break };
        let place = before.rsplit_once(PLACE).map(|(_, place)| names(place)).unwrap_or_default();
        faults.push(Fault::new(place.into_iter(), &message));
        rest = behind;
    }
    faults
}

/// The names of a place: `'body.n'`, `('body', 'n', 0)` or `['body', 'n']`.
fn names(text: &str) -> Vec<String> {
    if let Some((name, _)) = quoted(text) {
        return name.split('.').map(str::to_owned).collect();
    }
    let mut names = Vec::new();
    let mut rest = text.strip_prefix(['(', '[']).unwrap_or_default();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some((name, behind)) = quoted(rest) {
            names.push(name);
            rest = behind;
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        match rest.split_at_checked(end) {
            Some((number, behind)) if !number.is_empty() => {
                names.push(number.to_owned());
                rest = behind;
            }
            _ => return names,
        }
    }
}

/// A string as Python prints it at the beginning of `text`, and what stands behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
    let mut said = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, next)) = chars.next() {
        match next {
            '\\' => said.push(match chars.next()?.1 {
                'n' | 'r' | 't' => ' ',
                other => other,
            }),
            next if next == quote => return Some((said, text.get(at + 1..)?)),
            next => said.push(next),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &str) -> Vec<String> {
        of_text(text).iter().map(Fault::line).collect()
    }

    #[test]
    fn reads_what_python_prints() {
        for (text, expected) in [
            (
                "1 validation error:\n  {'loc': 'body.n', 'msg': 'too many', 'input': '9'}",
                &["n: too many"][..],
            ),
            (
                "{'loc': ('body', 'messages', 0, 'f[x(), Y]', 'role'), 'msg': \"'a' or 'b'\"}",
                &["messages.0.role: 'a' or 'b'"],
            ),
            (
                "{'loc': ['header', 'x'], 'msg': 'no\\nway'} {'loc': ('body',), 'msg': 'gone'}",
                &["header.x: no way", "gone"],
            ),
            ("{'loc': ('body', 28), 'msg': 'JSON decode error'}", &["JSON decode error"]),
            ("{'msg': 'Value error, it\\'s wrong'}", &["it's wrong"]),
            ("{'msg': 'never ends", &[]),
            ("{'msg': 7}", &[]),
            ("nothing of the kind", &[]),
        ] {
            assert_eq!(lines(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "('loc': |'msg': |[(\\['\"\\\\,a0가 ]){0,40}") {
            for fault in of_text(&text) {
                prop_assert!(fault.line().len() <= 2 * text.len() + 2);
            }
        }
    }
}
