//! What a prompt is, told cheaply: how long it is, and whether it is Korean.

use contract::policy::Language;

/// Bytes of ASCII that are a token: English prose and code have 3.5 to 4.5 in the vocabularies
/// of today; the estimate decides where a prompt fits, so it is on the side of more tokens.
const ASCII_BYTES_PER_TOKEN: u64 = 4;

/// Bytes of a prompt that are looked at for its language: more say nothing new.
const LANGUAGE_BYTES: usize = 16 * 1024;

/// How much text a prompt has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    ascii_bytes: u64,
    other_characters: u64,
}

impl Volume {
    /// Counts one more text.
    pub fn add(&mut self, text: &str) {
        if text.is_ascii() {
            self.ascii_bytes += text.len() as u64;
            return;
        }
        let ascii = text.bytes().filter(u8::is_ascii).count();
        let continued = text.bytes().filter(|byte| byte & 0xc0 == 0x80).count();
        self.ascii_bytes += ascii as u64;
        self.other_characters += (text.len() - ascii - continued) as u64;
    }

    /// Of all texts.
    #[must_use]
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Volume {
        let mut volume = Volume::default();
        texts.into_iter().for_each(|text| volume.add(text));
        volume
    }

    /// An estimate of its tokens: a fourth of the bytes in ASCII, and one for every other
    /// character (Hangul has 0.6 to 1.1 in the vocabularies of today).
    #[must_use]
    pub const fn tokens(&self) -> u64 {
        self.ascii_bytes.div_ceil(ASCII_BYTES_PER_TOKEN) + self.other_characters
    }
}

/// What a prompt is written in: Korean where at least a fifth of its letters are Hangul. The
/// first 16 KiB decide.
#[must_use]
pub fn language<'t>(texts: impl Iterator<Item = &'t str> + Clone) -> Language {
    // What is all ASCII has no Hangul: its letters need not be counted.
    if beginnings(texts.clone()).all(|(text, bytes)| is_ascii_before(text, bytes)) {
        return Language::Other;
    }
    let (mut hangul, mut letters) = (0_u64, 0_u64);
    for (text, bytes) in beginnings(texts) {
        let bounds = text.char_indices().take_while(|(at, _)| *at < bytes);
        for letter in bounds.map(|(_, letter)| letter).filter(|letter| letter.is_alphabetic()) {
            letters += 1;
            hangul += u64::from(is_hangul(letter));
        }
    }
    if hangul > 0 && hangul * 5 >= letters { Language::Korean } else { Language::Other }
}

/// The texts that are looked at, each with the bytes of it before which its last character
/// begins.
fn beginnings<'t>(texts: impl Iterator<Item = &'t str>) -> impl Iterator<Item = (&'t str, usize)> {
    let bounded = texts.scan(LANGUAGE_BYTES, |left, text| {
        let bytes = *left;
        *left = left.saturating_sub(text.len());
        (bytes > 0).then_some((text, bytes))
    });
    bounded.fuse()
}

fn is_ascii_before(text: &str, bytes: usize) -> bool {
    text.as_bytes().get(..bytes).unwrap_or(text.as_bytes()).is_ascii()
}

/// Syllables, and the letters they are made of.
const fn is_hangul(letter: char) -> bool {
    matches!(letter, '\u{ac00}'..='\u{d7a3}' | '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_estimated_by_script() {
        let table = [
            (&[][..], 0),
            (&["word word"], 3),
            (&["안녕하세요"], 5),
            (&["ab", "cd"], 1),
            (&["안녕, Tollgate"], 5),
            (&["🙂🙂"], 2),
        ];
        for (texts, expected) in table {
            assert_eq!(Volume::of(texts.iter().copied()).tokens(), expected, "{texts:?}");
        }
    }

    #[test]
    fn a_fifth_of_hangul_is_korean() {
        let table = [
            (&[][..], Language::Other),
            (&["1 + 1 = ?"], Language::Other),
            (&["hello"], Language::Other),
            (&["안녕하세요"], Language::Korean),
            (&["abcd가"], Language::Korean),
            (&["abcde가"], Language::Other),
            (&["def main(): pass", "설명해 주세요"], Language::Korean),
            (&["こんにちは"], Language::Other),
            (&["ㅋㅋㅋ"], Language::Korean),
        ];
        for (texts, expected) in table {
            assert_eq!(language(texts.iter().copied()), expected, "{texts:?}");
        }
    }

    #[test]
    fn the_beginning_decides() {
        let long = "a".repeat(LANGUAGE_BYTES);
        let much = "가".repeat(99_999);
        assert_eq!(language([long.as_str(), &much].into_iter()), Language::Other);
        let (short, long) = ("가".repeat(LANGUAGE_BYTES), long.repeat(9));
        assert_eq!(language([short.as_str(), &long].into_iter()), Language::Korean);
    }
}
