//! From a name to its value: what may stand between, and where the value ends.

use std::ops::Range;

use memchr::memchr2;

use super::super::runs::end_of_run;
use super::name::Name;
use super::plausible::Link;
use crate::scene::Scene;

/// Where a value begins and how its name leads there.
pub struct Lead {
    /// The first byte of the value.
    pub start: usize,
    /// How sure it is to be the name's.
    pub link: Link,
    /// The quote that ends it.
    pub quote: Option<char>,
}

/// Spaces that are looked over.
const SPACES_MAX: usize = 16;
/// The longest value in quotes.
const QUOTED_BYTES_MAX: usize = 1024;
/// The longest value without.
const BARE_BYTES_MAX: usize = 1024;

/// How the name leads to what stands behind it.
pub fn lead(scene: &Scene<'_>, name: &Name) -> Option<Lead> {
    if scene.text().get(name.span.end..)?.starts_with("'s ") {
        return opened(scene, name.span.end + 3, Link::Said);
    }
    let closed = skip(
        scene,
        name.span.end,
        |c| matches!(c, '"' | '\'' | '`' | ')' | ']' | '*' | '”' | '’'),
        4,
    );
    let closed = skip_note(scene, skip_attribute(scene, closed));
    let tagged = skip_tags(scene, closed);
    let spaced = skip_spaces(scene, tagged);
    let rest = scene.text().get(spaced..)?;
    if let Some(sign) = sign(rest, is_tag(scene, name)) {
        let tight = spaced == name.span.end && !rest.get(sign..)?.starts_with(' ');
        let chained = scene.before(name.span.start) == Some(b';');
        let link = if tight && (name.shouted || chained) && rest.starts_with('=') {
            Link::Environment
        } else {
            Link::Assigned
        };
        return opened(scene, over_line_end(scene, spaced + sign), link);
    }
    if matches!(scene.slice(closed.saturating_sub(2)..closed), "\">" | "\n\n" | "\r\n") {
        return Some(Lead { start: closed, link: Link::Assigned, quote: None });
    }
    if let Some(inner) = rest.strip_prefix('(').filter(|_| name.bare || name.korean) {
        let start = scene.text().len() - inner.len();
        return Some(Lead { start, link: Link::Assigned, quote: Some(')') });
    }
    let said =
        if name.korean { particle(rest, closed < spaced) } else { verb(rest, closed < spaced) };
    if let Some(chars) = said {
        let behind = skip_spaces(scene, spaced + chars);
        let rest = scene.text().get(behind..)?;
        let sign = sign(rest, false).unwrap_or(0);
        let link = if sign > 0 { Link::Assigned } else { Link::Said };
        return opened(scene, behind + sign, link);
    }
    if closed == spaced && !rest.starts_with(['\n', '\r']) {
        return None;
    }
    let bracketed = scene.slice(name.span.end..closed).starts_with(']');
    if tagged > closed || bracketed || scene.slice(closed..spaced).contains('\t') {
        return opened(scene, spaced, Link::Assigned);
    }
    if let Some(rest) = rest.strip_prefix("- ") {
        return opened(scene, scene.text().len() - rest.len(), Link::Assigned);
    }
    if let Some(rest) = rest.strip_prefix(['\n', '\r']).map(str::trim_ascii_start)
        && let Some(value) = rest.strip_prefix("value:")
    {
        // An entry of a container's environment: `- name: NAME`, `value: …` below.
        return opened(scene, scene.text().len() - value.len(), Link::Assigned);
    }
    let option = scene.slice(name.span.start.saturating_sub(2)..name.span.start) == "--";
    if closed == spaced {
        return None;
    }
    let is_set = option || is_alone(scene, name, spaced);
    let lead = opened(scene, spaced, if is_set { Link::Assigned } else { Link::Beside })?;
    // SQL: `WITH PASSWORD '…'`.
    let is_sql = lead.quote == Some('\'') && scene.slice(name.span.clone()) == "PASSWORD";
    Some(if is_sql { Lead { link: Link::Quoted, ..lead } } else { lead })
}

/// `PW:` at the end of a line, and a word alone on the next one.
fn over_line_end(scene: &Scene<'_>, at: usize) -> usize {
    let bytes = scene.bytes();
    let end = end_of_run(bytes, at, |byte| byte == b' ');
    let next = match bytes.get(end..) {
        Some([b'\n', ..]) => end + 1,
        Some([b'\r', b'\n', ..]) => end + 2,
        _ => return at,
    };
    let word = end_of_run(bytes, next, |byte| byte == b' ');
    let word_end = end_of_run(bytes, word, |byte| byte.is_ascii_graphic());
    let is_alone = matches!(bytes.get(word_end), None | Some(b'\n' | b'\r'));
    if is_alone && bytes.get(word_end.wrapping_sub(1)) != Some(&b':') { word } else { at }
}

/// What a line of a list may begin with.
const BULLETS: [char; 6] = ['-', '*', ' ', '\t', '+', '#'];

/// Whether a line holds the name and one word behind it, and no more: an item of a list, or
/// a `machine` of netrc.
fn is_alone(scene: &Scene<'_>, name: &Name, value_start: usize) -> bool {
    let bytes = scene.bytes();
    let before = scene.slice(name.span.start.saturating_sub(ITEM_BYTES_MAX)..name.span.start);
    let line_start = before.rsplit('\n').next().unwrap_or_default();
    let word_end = end_of_run(bytes, value_start, |byte| byte.is_ascii_graphic());
    // `secret key: …` has a name of its own.
    let is_pair =
        bytes.get(value_start..word_end).is_some_and(|word| memchr2(b':', b'=', word).is_some());
    let ends = !is_pair && matches!(bytes.get(word_end), None | Some(b'\n' | b'\r'));
    let begins = before.contains('\n') || before.len() == name.span.start;
    let is_item = begins
        && (line_start.is_empty() || line_start.starts_with(BULLETS))
        && line_start.chars().count() < 16;
    ends && (is_item || line_start.starts_with("machine "))
}

/// Bytes before a name in which its line begins.
const ITEM_BYTES_MAX: usize = 120;

/// Tags that are looked over: `</th><td>`, `</b>`.
const TAGS_MAX: usize = 4;
const TAG_BYTES_MAX: usize = 80;

/// Over what stands between the name of an XML element's value and the value:
/// `key="password" value="…"`, `name="password">…</property>`.
fn skip_attribute(scene: &Scene<'_>, at: usize) -> usize {
    if scene.before(at) != Some(b'"') {
        return at;
    }
    let rest = scene.chars_behind(at, TAGGED_CHARS_MAX);
    match rest.strip_prefix('>') {
        Some(value) if value.contains("</") => at + 1,
        // A field of `multipart/form-data` (RFC 7578 §4.2).
        _ if rest.starts_with("\r\n\r\n") => at + 4,
        _ if rest.starts_with("\n\n") => at + 2,
        _ if rest.starts_with(" value=") => at + " value".len(),
        _ => at,
    }
}

/// The longest note behind a name: `(hex)`, ` (임시)`.
const NOTE_CHARS_MAX: usize = 16;

/// Over a note in brackets, which holds no value.
fn skip_note(scene: &Scene<'_>, at: usize) -> usize {
    let rest = scene.chars_behind(at, NOTE_CHARS_MAX);
    let open = rest.trim_start_matches(' ');
    let note = open.strip_prefix('(').and_then(|note| note.split_once(')'));
    let words = note.map(|(note, _)| note).filter(|note| {
        !note.is_empty() && note.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '-' | '/'))
    });
    let is_short = |words: &&str| {
        words.chars().count() < 10 && !words.bytes().any(|byte| byte.is_ascii_uppercase())
    };
    words.filter(is_short).map_or(at, |words| at + (rest.len() - open.len()) + words.len() + 2)
}

/// Over tags behind a name, if the first one closes something.
fn skip_tags(scene: &Scene<'_>, at: usize) -> usize {
    let mut end = at;
    for _ in 0..TAGS_MAX {
        let start = end_of_run(scene.bytes(), end, |byte| byte == b' ');
        let bytes = scene.bytes().get(start..).unwrap_or_default();
        let is_tag = if end == at { bytes.starts_with(b"</") } else { bytes.starts_with(b"<") };
        let close = bytes.iter().take(TAG_BYTES_MAX).position(|byte| *byte == b'>');
        match close {
            Some(close) if is_tag => end = start + close + 1,
            _ => break,
        }
    }
    end
}

/// The longest value between tags.
const TAGGED_CHARS_MAX: usize = 160;

/// `<password>value</password>`.
fn is_tag(scene: &Scene<'_>, name: &Name) -> bool {
    let behind = scene.chars_behind(name.span.end, TAGGED_CHARS_MAX);
    scene.before(name.span.start) == Some(b'<') && behind.contains("</")
}

/// The longest leader of dots: `Password ..... value`.
const LEADER_MAX: usize = 64;

/// The length of a sign that gives a value to a name.
fn sign(rest: &str, is_tag: bool) -> Option<usize> {
    let second = rest.as_bytes().get(1);
    match rest.as_bytes().first()? {
        b'=' if second == Some(&b'>') => Some(2),
        b'=' if second == Some(&b'=') => None,
        b':' if second == Some(&b'=') => Some(2),
        b':' if second == Some(&b':') => None,
        b'-' if second == Some(&b'>') => Some(2),
        b'#' if second == Some(&b' ') => Some(1),
        b'=' | b':' | b'|' => Some(1),

        b'.' if rest.starts_with("...") => {
            Some(rest.bytes().take(LEADER_MAX).take_while(|byte| *byte == b'.').count())
        }
        _ if rest.starts_with('→') => Some('→'.len_utf8()),
        b'>' if is_tag => Some(1),
        _ => None,
    }
}

const PARTICLES: [&str; 12] =
    ["으로는", "으로", "로는", "은", "는", "이", "가", "을", "를", "로", "도", "란"];

/// The length of a particle; the name itself comes before it without a space.
fn particle(rest: &str, is_spaced: bool) -> Option<usize> {
    if is_spaced {
        return None;
    }
    let particle = PARTICLES.iter().find(|particle| rest.starts_with(**particle))?;
    let behind = rest.get(particle.len()..)?.chars().next()?;
    (behind.is_ascii() || "‘“「".contains(behind)).then_some(particle.len())
}

const VERBS: [&str; 9] = [
    "is ",
    "was ",
    "to ",
    "will be ",
    "as ",
    "changed from ",
    "changed to ",
    "set to ",
    "reset to ",
];

/// What may follow a verb before the value.
const SETTINGS: [&str; 8] = [
    "set to ",
    "now ",
    "currently ",
    "still ",
    "changed from ",
    "changed to ",
    "reset to ",
    "just ",
];

fn verb(rest: &str, is_spaced: bool) -> Option<usize> {
    let verb = VERBS.iter().find(|verb| {
        is_spaced && rest.get(..verb.len()).is_some_and(|head| head.eq_ignore_ascii_case(verb))
    })?;
    let behind = rest.get(verb.len()..)?;
    let set = SETTINGS.iter().find(|word| behind.starts_with(**word));
    Some(verb.len() + set.map_or(0, |word| word.len()))
}

/// Over spaces and the opening quote.
fn opened(scene: &Scene<'_>, at: usize, link: Link) -> Option<Lead> {
    let mut start = skip_spaces(scene, at);
    let rest = scene.text().get(start..)?;
    let mut bold = rest.bytes().take_while(|byte| *byte == b'*').count();
    if bold == 2 {
        // `**name:** value` closes here, `name: **value**` opens.
        bold = if rest.get(bold..)?.starts_with([' ', '\t']) { 0 } else { bold };
        start = skip_spaces(scene, start + 2);
    }
    let rest = scene.text().get(start..)?;
    let prefix = usize::from(
        rest.starts_with(['f', 'b', 'r', 'u'])
            && rest.get(1..).is_some_and(|rest| rest.starts_with(['"', '\''])),
    );
    let quote = rest.get(prefix..)?.chars().next().and_then(closing);
    let Some((open, close)) = quote else {
        return Some(Lead { start, link, quote: (bold == 2).then_some('*') });
    };
    // In backticks stands what a text speaks of.
    let link = match link {
        Link::Beside if close == '`' => Link::Beside,
        Link::Beside => Link::Assigned,
        _ => Link::Quoted,
    };
    Some(Lead { start: start + prefix + open, link, quote: Some(close) })
}

fn closing(open: char) -> Option<(usize, char)> {
    let close = match open {
        '"' | '\'' | '`' => open,
        '“' => '”',
        '‘' => '’',
        '「' => '」',
        _ => return None,
    };
    Some((open.len_utf8(), close))
}

/// The value itself, without what only follows it; empty where there is none.
pub fn span(scene: &Scene<'_>, lead: &Lead) -> Range<usize> {
    let rest = scene.text().get(lead.start..).unwrap_or_default();
    let length = match lead.quote {
        Some('*') => bare(rest, Some('*')),
        Some(quote) => quoted(rest, quote).unwrap_or_else(|| bare(rest, None)),
        None => bare(rest, None),
    };
    lead.start..lead.start + length
}

fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut end = rest.len().min(QUOTED_BYTES_MAX);
    while !rest.is_char_boundary(end) {
        end -= 1;
    }
    let window = rest.get(..end)?;
    let line = window.find('\n').unwrap_or(window.len());
    window.find(quote).filter(|end| *end <= line && *end > 0)
}

fn bare(rest: &str, stop: Option<char>) -> usize {
    let bytes = rest.as_bytes();
    let ends = |index: usize, byte: u8| match byte {
        b'"' | b'\'' | b'`' | b';' | b'|' => true,
        b',' => {
            bytes.get(index + 1).is_none_or(|next| !next.is_ascii_graphic())
                || starts_pair(bytes, index + 1)
        }
        b'&' => starts_pair(bytes, index + 1),
        b'<' => bytes.get(index + 1) == Some(&b'/'),
        _ if stop.is_some_and(|stop| u32::from(byte) == u32::from(stop)) => true,
        _ => !byte.is_ascii_graphic(),
    };
    let window = bytes.iter().take(BARE_BYTES_MAX).enumerate();
    let length = window
        .clone()
        .find(|(index, byte)| ends(*index, **byte))
        .map_or(window.len(), |(index, _)| index);
    trimmed(rest.get(..length).unwrap_or_default())
}

/// `name=` of the next pair; bounded, so that a run of commas stays cheap.
fn starts_pair(bytes: &[u8], at: usize) -> bool {
    let rest = bytes.get(at..).unwrap_or_default();
    let name = rest
        .iter()
        .take(32)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        .count();
    name > 0 && matches!(rest.get(name), Some(b'=' | b':'))
}

/// Without the punctuation of the sentence or the brackets around it.
fn trimmed(value: &str) -> usize {
    let mut value = value;
    loop {
        let shorter = match value.as_bytes().last() {
            Some(b'.' | b',' | b':' | b'?') => value.get(..value.len() - 1),
            Some(b')') if !value.contains('(') => value.get(..value.len() - 1),
            Some(b']') if !value.contains('[') => value.get(..value.len() - 1),
            Some(b'}') if !value.contains('{') => value.get(..value.len() - 1),
            Some(b'>') if !value.contains('<') => value.get(..value.len() - 1),
            _ => None,
        };
        match shorter {
            Some(shorter) => value = shorter,
            None => return value.len(),
        }
    }
}

fn skip(scene: &Scene<'_>, at: usize, over: impl Fn(char) -> bool, max: usize) -> usize {
    let rest = scene.text().get(at..).unwrap_or_default();
    at + rest.chars().take(max).take_while(|c| over(*c)).map(char::len_utf8).sum::<usize>()
}

fn skip_spaces(scene: &Scene<'_>, at: usize) -> usize {
    skip(scene, at, |c| matches!(c, ' ' | '\t'), SPACES_MAX)
}
