//! `${NAME}` and `${file:PATH}` inside of scalars.

use std::borrow::Cow;
use std::io;
use std::path::Path;

/// Longest text that one `${...}` may stand for.
const SOURCE_BYTES_MAX: usize = 64 * 1024;

/// What stands for the braces of `${...}` while YAML is parsed: YAML takes bare
/// braces for a map inside of `{ }` and `[ ]`. For private use in Unicode, and
/// as many characters as before, so that columns stay what they are.
const SHIELDED: [char; 2] = ['\u{f8a0}', '\u{f8a1}'];

/// Where `${NAME}` and `${file:PATH}` come from.
pub trait Sources {
    /// The environment variable `name`, if it is set.
    fn var(&self, name: &str) -> Option<String>;

    /// The text of a file; `path` is already counted from the configuration's folder.
    ///
    /// # Errors
    /// When the file cannot be read or is not UTF-8.
    fn file(&self, path: &Path) -> io::Result<String>;
}

/// The document with the braces of every `${...}` out of YAML's way.
pub(crate) fn shield(document: &str) -> Cow<'_, str> {
    if !document.contains("${") || document.contains(SHIELDED) {
        return Cow::Borrowed(document);
    }
    let [open, close] = SHIELDED;
    let mut parts = document.split("${");
    let mut shielded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('}') {
            Some((inside, after)) if is_reference(inside) => {
                shielded.extend(['$', open]);
                shielded.push_str(inside);
                shielded.push(close);
                shielded.push_str(after);
            }
            _ => shielded.extend(["${", part]),
        }
    }
    Cow::Owned(shielded)
}

/// A scalar as it stood in the document before [`shield`], if that did anything.
pub(crate) fn unshield(text: String, shielded: bool) -> String {
    let [open, close] = SHIELDED;
    if shielded { text.replace(open, "{").replace(close, "}") } else { text }
}

fn is_reference(inside: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-/:".contains(c);
    !inside.is_empty() && inside.chars().all(plain)
}

/// `text` with every `${...}` replaced, once: what comes in is not looked
/// through again. The line break at a file's end is left out.
///
/// # Errors
/// Says which one cannot be replaced, and never what another one stands for.
pub(crate) fn expand(text: &str, base: &Path, sources: &dyn Sources) -> Result<String, String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (reference, after) =
            after.split_once('}').ok_or("has a `${` without its `}`; write ${NAME}")?;
        expanded.push_str(before);
        expanded.push_str(&resolve(reference, base, sources)?);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn resolve(reference: &str, base: &Path, sources: &dyn Sources) -> Result<String, String> {
    let found = match reference.strip_prefix("file:") {
        Some(path) => file(path, base, sources)?,
        None => variable(reference, sources)?,
    };
    if found.len() > SOURCE_BYTES_MAX {
        return Err(format!(
            "${{{}}} is longer than {SOURCE_BYTES_MAX} bytes",
            reference.escape_debug()
        ));
    }
    Ok(found)
}

fn file(path: &str, base: &Path, sources: &dyn Sources) -> Result<String, String> {
    let text = sources.file(&base.join(path)).map_err(|error| {
        format!("the file of ${{file:{}}} cannot be read: {error}", path.escape_debug())
    })?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

fn variable(name: &str, sources: &dyn Sources) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(plain) {
        return Err("has a `${...}` that names nothing; write ${NAME} or ${file:PATH}".to_owned());
    }
    sources.var(name).ok_or_else(|| format!("the environment variable `{name}` is not set"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Sources that are made up.
    #[derive(Default)]
    pub(crate) struct Fixed(pub BTreeMap<&'static str, &'static str>);

    impl Sources for Fixed {
        fn var(&self, name: &str) -> Option<String> {
            self.0.get(name).map(|&text| text.to_owned())
        }

        fn file(&self, path: &Path) -> io::Result<String> {
            let text = path.to_str().and_then(|path| self.0.get(path));
            text.map(|&text| text.to_owned()).ok_or(io::ErrorKind::NotFound.into())
        }
    }

    #[test]
    fn shields_and_unshields() {
        for text in ["", "a", "{ a: ${B}, c: ${file:/x/y.z} }", "${", "${}", "${a b}", "${${A}}"] {
            let shielded = shield(text);
            assert_eq!(shielded.chars().count(), text.chars().count(), "{text}");
            assert_eq!(unshield(shielded.into_owned(), true), text);
        }
        assert!(!shield("[${A}, ${B}]").contains(['{', '}']));
        let own = "\u{f8a0} ${A}";
        assert!(matches!(shield(own), Cow::Borrowed(text) if text == own));
    }

    #[test]
    fn replaces_once() {
        let sources = Fixed(BTreeMap::from([
            ("A", "one"),
            ("NESTED", "${A}"),
            ("/etc/t/token", "secret\r\n"),
            ("/abs", "two"),
        ]));
        let expand = |text| expand(text, Path::new("/etc/t"), &sources);
        let table: [(&str, Result<&str, &str>); 9] = [
            ("plain $A {A}", Ok("plain $A {A}")),
            ("<${A}|${A}>", Ok("<one|one>")),
            ("${NESTED}", Ok("${A}")),
            ("${file:token}", Ok("secret")),
            ("${file:/abs}", Ok("two")),
            ("${B}", Err("the environment variable `B` is not set")),
            ("${A", Err("has a `${` without its `}`; write ${NAME}")),
            ("${}", Err("has a `${...}` that names nothing; write ${NAME} or ${file:PATH}")),
            ("${file:x}", Err("the file of ${file:x} cannot be read: entity not found")),
        ];
        for (text, expected) in table {
            assert_eq!(expand(text).as_deref().map_err(String::as_str), expected, "{text}");
        }
    }
}
