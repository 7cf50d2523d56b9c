//! The rules of [`super::super::spelling`] once more, on a whole text and without any
//! haste, for the default template.

const ISSUED: &[(&str, &str, &str)] = &[
    ("EMAIL", "k3x9q2", "kim@example.com"),
    ("EMAIL", "k3x9a1b2", "lee@example.com"),
    ("KR_RRN", "a1b2c3", "900101-1234567"),
    ("SECRET", "z9z9z9", "a\"b\\c\n\u{1}가"),
];

pub fn restored(text: &str) -> String {
    let (mut rest, mut before, mut out) = (text, ' ', String::new());
    while let Some(first) = rest.chars().next() {
        let found = ISSUED.iter().find_map(|(name, tag, value)| {
            let behind = spelled(rest, before, name, tag)?;
            Some((behind, *value))
        });
        let behind = match found {
            Some((behind, value)) => {
                out.push_str(value);
                behind
            }
            None => {
                out.push(first);
                rest.split_at(first.len_utf8()).1
            }
        };
        before = rest.split_at(rest.len() - behind.len()).0.chars().last().unwrap();
        rest = behind;
    }
    out
}

fn spelled<'t>(text: &'t str, before: char, name: &str, tag: &str) -> Option<&'t str> {
    if text.strip_prefix('\\').is_some_and(|text| text.starts_with(&format!("[{name}_{tag}]"))) {
        return None;
    }
    let opened = ["[", "\\[", "［", "\\［", "【", "\\【", "〔", "\\〔"]
        .iter()
        .find_map(|opening| text.strip_prefix(opening));
    if let Some(opened) = opened {
        let rest = core(spaced(opened), name, tag, true)?;
        return closing(spaced(rest)).or(Some(rest)).filter(|behind| ends(rest, behind));
    }
    let is_word = before.is_ascii_alphanumeric() || before == '_';
    let rest = core(text, name, tag, false).filter(|_| !is_word)?;
    closing(rest).or(Some(rest)).filter(|behind| ends(rest, behind))
}

/// Without a closing a word ends there.
fn ends(rest: &str, behind: &str) -> bool {
    rest.len() != behind.len() || !rest.starts_with('_')
}

fn core<'t>(text: &'t str, name: &str, tag: &str, any_case: bool) -> Option<&'t str> {
    let mut rest = text;
    for expected in name.chars() {
        let exact = letter(rest, expected);
        rest = if any_case {
            exact.or_else(|| letter(rest, expected.to_ascii_lowercase()))?
        } else {
            exact?
        };
    }
    rest = spaced(letter(spaced(rest), '_')?);
    for expected in tag.chars() {
        rest = letter(rest, expected).or_else(|| letter(rest, expected.to_ascii_uppercase()))?;
    }
    (!rest.starts_with(|next: char| next.is_ascii_alphanumeric())).then_some(rest)
}

fn letter(text: &str, expected: char) -> Option<&str> {
    let escaped = || text.strip_prefix('\\').filter(|_| expected == '_');
    text.strip_prefix(expected).or_else(|| escaped()?.strip_prefix(expected))
}

fn spaced(text: &str) -> &str {
    text.strip_prefix(' ').unwrap_or(text)
}

fn closing(text: &str) -> Option<&str> {
    ["]", "\\]", "］", "\\］", "】", "\\】", "〕", "\\〕"]
        .iter()
        .find_map(|it| text.strip_prefix(it))
}
