//! The texts that are masked: sentences in an order made of a fixed seed, so that every
//! run has the same and no two stretches of one text are alike.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A kind of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// English without any value.
    Prose,
    /// Korean without any value.
    Korean,
    /// A program.
    Code,
    /// Attachments in base64, each with a line before it.
    Base64,
    /// English with a value in every hundred bytes.
    Dense,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 5] = [Kind::Prose, Kind::Korean, Kind::Code, Kind::Base64, Kind::Dense];

    /// What its row is called.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Prose => "prose",
            Kind::Korean => "Korean prose",
            Kind::Code => "source code",
            Kind::Base64 => "base64",
            Kind::Dense => "dense, English",
        }
    }

    /// As many whole sentences as there is room for, at least one.
    pub fn text(self, bytes: usize) -> String {
        let (mut text, mut chance) = (String::with_capacity(bytes), Chance(SEED));
        loop {
            let sentence = self.sentence(&mut chance);
            if !text.is_empty() && text.len() + sentence.len() > bytes {
                return text;
            }
            text += &sentence;
        }
    }

    fn sentence(self, chance: &mut Chance) -> String {
        match self {
            Kind::Prose => chance.one_of(PROSE).to_owned(),
            Kind::Korean => chance.one_of(KOREAN).to_owned(),
            Kind::Code => chance.one_of(CODE).to_owned(),
            Kind::Base64 => attachment(chance),
            Kind::Dense => dense(chance),
        }
    }
}

const SEED: u64 = 0x2545_f491_4f6c_dd1d;
/// Of what an attachment encodes.
const ATTACHMENT_BYTES: usize = 300;

const PROSE: &[&str] = &[
    "The committee met on Thursday to talk about the library's new reading room. ",
    "Most members liked the plan, though a few wondered about the light in winter. ",
    "It was agreed to ask the architect for a second drawing.\n",
    "\"We have waited long enough,\" said the oldest of them, and nobody disagreed. ",
    "Nothing in the budget (which had been cut twice) spoke against a smaller roof. ",
    "By noon the rain had stopped, and the street was full of people again. ",
    "Could the two halls be joined? That depends on what the old wall carries. ",
    "What follows is a list of everything that has to be decided before spring:\n\n",
    "A model of the building stands at the entrance, beside the stairs to the archive. ",
    "Please summarise the discussion in plain words, and say what remains open. ",
];
const KOREAN: &[&str] = &[
    "위원회는 목요일에 모여 도서관의 새 열람실에 대해 이야기했다. ",
    "대부분의 위원은 계획을 마음에 들어 했지만 몇몇은 겨울의 빛을 걱정했다. ",
    "건축가에게 두 번째 도면을 부탁하고 다음 달에 다시 논의하기로 했다.\n",
    "“이제는 결정할 때가 되었습니다.” 가장 나이 많은 위원의 말에 모두가 고개를 끄덕였다. ",
    "예산이 두 번이나 줄었으나 작은 지붕을 올리는 데에는 문제가 없었다. ",
    "정오가 되자 비가 그치고 거리는 다시 사람들로 가득 찼다. ",
    "두 방을 하나로 이을 수 있을까? 그것은 오래된 벽이 무엇을 떠받치는지에 달려 있다. ",
    "회의에서 나온 의견을 쉬운 말로 요약하고, 아직 남은 문제를 알려 주세요. ",
];
const CODE: &[&str] = &[
    "    pub fn next(&mut self, at: usize) -> Option<u8> {\n        let rest = self.bytes.get(at..)?;\n    }\n",
    "        if rest.len() < 16 { return None; } // 2 of 3\n",
    "        let value: u32 = rest.iter().map(|b| u32::from(*b)).sum();\n",
    "        println!(\"{value}\\t{}\\n\", self.name());\n    }\n}\n\n",
    "for (let i = 0; i < items.length; i += 1) {\n  total += items[i].price * 0.95;\n}\n",
    "def widest(rows, default=None):\n    return max((len(row) for row in rows), default=default)\n",
    "    #[error(\"a head that cannot be read: {0}\")]\n    Head(String),\n",
    "SELECT name, count(*) FROM visits WHERE room = 'reading' GROUP BY name ORDER BY 2 DESC;\n",
    "/* The table is sorted: see lookup() in table.c, line 120. */\n",
    "static const size_t widths[] = {1, 2, 4, 8, 16, 32, 64, 128, 256};\n",
];
/// What stands between two values; of some 75 bytes.
const BETWEEN: &[&str] = &[
    "The visitor asked for a seat by the window and left a word for the desk: ",
    "Please write an answer to everyone who was there, and begin it with the ",
    "Nobody remembered who had put this line into the book of the reading room. ",
    "It was the third time this week that somebody wanted to have it changed. ",
];

fn attachment(chance: &mut Chance) -> String {
    let bytes: Vec<u8> = (0..ATTACHMENT_BYTES).map(|_| chance.below(256) as u8).collect();
    format!("Here is the next picture of the series:\n{}\n", STANDARD.encode(bytes))
}

fn dense(chance: &mut Chance) -> String {
    let mut text = chance.one_of(BETWEEN).to_owned();
    let names = ["ann.lee", "bob_stone", "carol", "d.hill"];
    match chance.below(5) {
        0 => put(&mut text, format_args!("{}{}@", chance.one_of(&names), chance.below(10_000))),
        1 => put(&mut text, format_args!("phone (415) 867-{:04}.\n", chance.below(10_000))),
        2 => put(&mut text, format_args!("card {}.\n", card(chance))),
        3 => put(&mut text, format_args!("host 84.17.{}.{}.\n", chance.octet(), chance.octet())),
        _ => put(
            &mut text,
            format_args!(
                "SSN 536-{:02}-{:04}.\n",
                chance.octet() % 90 + 1,
                chance.below(9_000) + 1
            ),
        ),
    }
    if text.ends_with('@') {
        text += "mail.example.com.\n";
    }
    text
}

fn put(text: &mut String, value: std::fmt::Arguments<'_>) {
    // A string takes everything.
    let _ = text.write_fmt(value);
}

/// Sixteen digits that pass the check of payment cards (ISO/IEC 7812-1, annex B).
fn card(chance: &mut Chance) -> String {
    let mut digits: Vec<u64> = vec![4, 1, 1, 1];
    digits.extend((0..11).map(|_| chance.below(10)));
    let doubled = |digit: u64| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let odd: u64 = digits.iter().step_by(2).map(|digit| doubled(*digit)).sum();
    let even: u64 = digits.iter().skip(1).step_by(2).sum();
    digits.push((10 - (odd + even) % 10) % 10);
    let groups = digits.chunks(4).map(|group| group.iter().map(u64::to_string).collect::<String>());
    groups.collect::<Vec<_>>().join(" ")
}

/// Numbers that look like chance (xorshift64*, S. Vigna 2016) and are the same each time.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn octet(&mut self) -> u64 {
        self.below(254) + 1
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use masking::Rules;

    const BYTES: usize = 32 << 10;

    #[test]
    fn a_text_is_nearly_as_long_as_asked_for_and_always_the_same() {
        for kind in Kind::ALL {
            let text = kind.text(BYTES);
            assert!((BYTES - 500..=BYTES).contains(&text.len()), "{kind:?}: {}", text.len());
            assert_eq!(text, kind.text(BYTES), "{kind:?}");
        }
    }

    #[test]
    fn only_dense_text_has_values() {
        for kind in [Kind::Prose, Kind::Korean, Kind::Code, Kind::Base64] {
            let text = kind.text(BYTES);
            let found = Rules::all().scan(&text);
            let found: Vec<&str> = found.iter().map(|it| &text[it.span.clone()]).collect();
            assert!(found.is_empty(), "{kind:?}: {found:?}");
        }
    }

    #[test]
    fn dense_text_has_a_value_in_a_hundred_bytes() {
        let (text, sentences) = (Kind::Dense.text(BYTES), Kind::Dense.text(BYTES).lines().count());
        let found = Rules::all().scan(&text).len();
        assert_eq!(found, sentences);
        assert!((80..=120).contains(&(text.len() / found)), "{found} in {}", text.len());
    }
}
