//! How placeholders look: `[EMAIL_k3x9q2]`.
//!
//! A placeholder has a type's name and a tag between literals of the policy's. What
//! stands before the type, between it and the tag, and behind the tag ends in something
//! that is neither letter nor digit: so no placeholder is the beginning of another, and
//! a tag ends where its letters and digits do.

use std::ops::Range;

use contract::masking::PiiType;
use memchr::memmem;

use crate::scan::Finding;
use crate::tag::{TAG_CHARS_MIN, tag_at_start};

const TYPE: &str = "{TYPE}";
const TAG: &str = "{TAG}";

/// Longest template, in bytes. A placeholder is to be short: models copy it, and a
/// stream is held back by up to its length.
pub const TEMPLATE_BYTES_MAX: usize = 64;

/// Characters that no template has: JSON writes them in more than one way, HTML and
/// Markdown change them, and a space is where models break lines.
const REFUSED: &[char] = &['"', '\'', '\\', '<', '>', '&', '`', '/'];

/// A tag as placeholders have it, to try a template with.
const SAMPLE_TAG: &str = "k3x9q2";

/// A template, taken apart. All of it is printable ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// What stands before the type; not empty.
    pub opening: String,
    /// What stands between type and tag; not empty, without letters and digits.
    pub joint: String,
    /// What stands behind the tag; not empty.
    pub closing: String,
}

impl Template {
    /// Takes a template apart: `{TYPE}` and then `{TAG}`, once each.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, in sentences.
    pub fn compile(written: &str) -> Result<Self, Vec<String>> {
        let mut faults = faults_of_characters(written);
        let Some(template) = Self::apart(written) else {
            faults.push(format!(
                "a placeholder has {TYPE} and behind it {TAG}, each of them once, as in \
                 \"[{TYPE}_{TAG}]\""
            ));
            return Err(faults);
        };
        faults.extend(template.faults_of_pieces());
        if faults.is_empty() { Ok(template) } else { Err(faults) }
    }

    fn apart(written: &str) -> Option<Self> {
        let (opening, rest) = written.split_once(TYPE)?;
        let (joint, closing) = rest.split_once(TAG)?;
        let more = [opening, joint, closing].iter().any(|it| it.contains(TYPE) || it.contains(TAG));
        let own = |piece: &str| piece.to_owned();
        (!more).then(|| Self { opening: own(opening), joint: own(joint), closing: own(closing) })
    }

    fn faults_of_pieces(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let both_ends =
            |piece: &str| is_mark(piece.chars().next()) && is_mark(piece.chars().last());
        for (piece, place) in [(&self.opening, "before {TYPE}"), (&self.closing, "behind {TAG}")] {
            if !both_ends(piece) {
                faults.push(format!(
                    "what stands {place} begins and ends with something that is neither letter \
                     nor digit, such as a bracket"
                ));
            }
        }
        if self.joint.is_empty() || !self.joint.chars().all(|c| is_mark(Some(c))) {
            faults.push(format!(
                "between {TYPE} and {TAG} stands at least one character, and neither letter nor \
                 digit"
            ));
        }
        faults
    }

    /// The placeholder of a value.
    #[must_use]
    pub fn placeholder(&self, of: PiiType, tag: &str) -> String {
        let Self { opening, joint, closing } = self;
        format!("{opening}{}{joint}{tag}{closing}", of.as_str())
    }

    /// What tells placeholders apart, without case: type, joint and tag in small letters.
    #[must_use]
    pub(crate) fn core(&self, of: PiiType, tag: &str) -> String {
        format!("{}{}{tag}", of.as_str().to_ascii_lowercase(), self.joint)
    }

    /// Where placeholders stand in a text, as they are issued.
    pub(crate) fn places(&self, text: &str) -> Vec<Range<usize>> {
        let (mut places, mut at) = (Vec::new(), 0);
        while let Some(rest) = text.as_bytes().get(at..)
            && let Some(offset) = memmem::find(rest, self.opening.as_bytes())
        {
            let start = at + offset;
            let length = text.get(start..).and_then(|text| self.length(text));
            places.extend(length.map(|length| start..start + length));
            at = start + length.unwrap_or(1);
        }
        places
    }

    fn length(&self, text: &str) -> Option<usize> {
        let inside = text.strip_prefix(self.opening.as_str())?;
        let mut tails = PiiType::ALL.iter().filter_map(|of| {
            let tag = inside.strip_prefix(of.as_str())?.strip_prefix(self.joint.as_str())?;
            tag.get(tag_at_start(tag.as_bytes())?..)?.strip_prefix(self.closing.as_str())
        });
        tails.next().map(|behind| text.len() - behind.len())
    }

    /// Types whose placeholders a scan would take for values themselves.
    pub(crate) fn taken_for_values(
        &self,
        scan: impl Fn(&str) -> Vec<Finding>,
    ) -> Option<&'static str> {
        let sample = |of: &&PiiType| format!("a {} b", self.placeholder(**of, SAMPLE_TAG));
        let found = PiiType::ALL.iter().find(|of| !scan(&sample(of)).is_empty())?;
        Some(found.as_str())
    }
}

/// What goes out for a value that does not come back.
#[must_use]
pub fn masked(of: PiiType) -> String {
    format!("[{}]", of.as_str())
}

fn is_mark(character: Option<char>) -> bool {
    character.is_some_and(|character| !character.is_ascii_alphanumeric())
}

fn faults_of_characters(written: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if written.len() > TEMPLATE_BYTES_MAX {
        faults.push(format!(
            "a placeholder's template has at most {TEMPLATE_BYTES_MAX} characters, this one has {}",
            written.len()
        ));
    }
    let wrong = |c: &char| !c.is_ascii_graphic() || REFUSED.contains(c);
    if let Some(character) = written.chars().find(wrong) {
        faults.push(format!(
            "a placeholder has no {character:?}: it is made of printable ASCII without spaces, \
             quotes and the characters that JSON, HTML or Markdown write in ways of their own"
        ));
    }
    faults
}

const _: () = assert!(SAMPLE_TAG.len() == TAG_CHARS_MIN);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_templates_apart() {
        for written in
            ["[{TYPE}_{TAG}]", "{{TYPE}:{TAG}}", "[[PII-{TYPE}--{TAG}]]", "#{TYPE}#{TAG}#"]
        {
            let template = Template::compile(written).unwrap();
            let expected = written.replace(TYPE, "EMAIL").replace(TAG, "k3x9q2");
            assert_eq!(template.placeholder(PiiType::Email, "k3x9q2"), expected);
        }
    }

    #[test]
    fn cores_have_small_letters() {
        let template = Template::compile("[{TYPE}_{TAG}]").unwrap();
        assert_eq!(template.core(PiiType::KrRrn, "k3x9q2"), "kr_rrn_k3x9q2");
    }

    #[test]
    fn finds_what_was_issued() {
        let template = Template::compile("[[{TYPE}:{TAG}]]").unwrap();
        let text =
            "[[EMAIL:k3x9q2]] [[[KR_RRN:k3x9q2a1]] [[EMAIL:k3x9]] [[NAME:k3x9q2]] [[EMAIL:k3x9q2";
        let places: Vec<_> =
            template.places(text).into_iter().map(|span| text.get(span).unwrap()).collect();
        assert_eq!(places, ["[[EMAIL:k3x9q2]]", "[[KR_RRN:k3x9q2a1]]"]);
    }

    #[test]
    fn says_what_is_wrong_with_a_template() {
        let long = format!("[{}{{TYPE}}_{{TAG}}]", "-".repeat(TEMPLATE_BYTES_MAX));
        for (written, said) in [
            ("", "each of them once"),
            ("[{TYPE}]", "each of them once"),
            ("[{TAG}_{TYPE}]", "behind it {TAG}"),
            ("[{TYPE}_{TAG}_{TAG}]", "each of them once"),
            ("[{TYPE}_{TYPE}_{TAG}]", "each of them once"),
            ("{TYPE}_{TAG}]", "before {TYPE} begins and ends"),
            ("x[{TYPE}_{TAG}]", "before {TYPE} begins and ends"),
            ("[{TYPE}_{TAG}", "behind {TAG} begins and ends"),
            ("[{TYPE}_{TAG}]x", "behind {TAG} begins and ends"),
            ("[{TYPE}{TAG}]", "at least one character"),
            ("[{TYPE}_x_{TAG}]", "neither letter nor digit"),
            ("[{TYPE} {TAG}]", "has no ' '"),
            ("\"{TYPE}_{TAG}\"", "has no '\"'"),
            ("<{TYPE}_{TAG}>", "has no '<'"),
            ("【{TYPE}_{TAG}】", "has no '【'"),
            (&long, "at most 64 characters, this one has"),
        ] {
            let faults = Template::compile(written).unwrap_err();
            assert!(faults.iter().any(|fault| fault.contains(said)), "{written}: {faults:?}");
        }
    }

    #[test]
    fn names_every_fault_at_once() {
        assert_eq!(Template::compile("x {TYPE}{TAG}").unwrap_err().len(), 4);
    }

    #[test]
    fn notices_placeholders_that_would_be_masked() {
        let template = Template::compile("[{TYPE}_{TAG}]").unwrap();
        let finding = |text: &str| Finding { of: PiiType::Email, span: 0..text.len() };
        assert_eq!(template.taken_for_values(|_| Vec::new()), None);
        assert_eq!(template.taken_for_values(|text| vec![finding(text)]), Some("EMAIL"));
    }
}
