//! Dates of birth. A date alone is none: a label before it (`생년월일`, `DOB`, `born`) or a
//! word behind it (`생`, `출생`) must say so.
//!
//! Forms: ISO 8601 and the Korean ones (KS X ISO 8601, 행정 효율과 협업 촉진에 관한 규정 시행령
//! 제7조: `1985. 3. 2.`), `1985년 3월 2일`, two-digit years, digits alone, and the English
//! orders with names of months.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use contract::masking::PiiType;

use crate::detectors::checks_kr::{is_birthday, number};
use crate::detectors::labels::{Label, Labels, Near};
use crate::detectors::months::{Month, read_with_month};
use crate::detectors::numerals::{Joints, Reading, is_free_before, read};
use crate::evidence::automaton;
use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

/// How far off a label may be, in characters.
const LABEL_CHARS: usize = 32;

/// The lengths of years, months and days, and which group is the year.
const FORMS: &[(&[usize], usize)] = &[
    (&[4, 2, 2], 0),
    (&[4, 1, 1], 0),
    (&[4, 1, 2], 0),
    (&[4, 2, 1], 0),
    (&[2, 2, 4], 2),
    (&[1, 1, 4], 2),
    (&[1, 2, 4], 2),
    (&[2, 1, 4], 2),
    (&[2, 2, 2], 0),
    (&[2, 1, 1], 0),
    (&[2, 1, 2], 0),
    (&[2, 2, 1], 0),
    (&[1, 2, 2], 2),
    (&[1, 1, 2], 2),
];

/// What can stand between a date's numbers.
const JOINTS: Joints =
    Joints::HYPHEN.and(Joints::DOT).and(Joints::SLASH).and(Joints::HANGUL).and(Joints::SPACE);

/// Puts down every date of birth.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    if scene.digits().is_empty() || !speaks_of_births(scene.text()) {
        return;
    }
    let mut labels = Labels::of(scene);
    let mut free = 0;
    for first in 0..scene.digits().len() {
        if scene.digits().get(first).is_none_or(|run| run.start < free) {
            continue;
        }
        let Some(span) = date(scene, first) else { continue };
        free = span.end;
        if is_of_birth(scene, &mut labels, &span) {
            found.pii(PiiType::Dob, span, Level::Strong);
        }
    }
}

/// A text without any of these has no date of birth.
static BIRTHS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    automaton(&[
        "생",
        "태어",
        "birth",
        "born",
        "dob",
        "d.o.b",
        "d/o/b",
        "bday",
        "b-day",
        "geburt",
        "naissance",
        "nacimiento",
        "환자",
        "등록번호",
        "차트",
        "병록",
        "patient",
        "mrn",
    ])
});

fn speaks_of_births(text: &str) -> bool {
    BIRTHS.as_ref().is_some_and(|words| words.is_match(text))
}

fn date(scene: &Scene<'_>, first: usize) -> Option<Range<usize>> {
    let run = scene.digits().get(first)?;
    if !matches!(run.len(), 1 | 2 | 4 | 6 | 8) || scene.byte(run.end) == Some(b':') {
        return None;
    }
    let written = || {
        let month = read_with_month(scene, first)?;
        is_date_of(scene, &month).then_some(month.span)
    };
    by_groups(scene, first).or_else(written).or_else(|| by_digits(scene, first))
}

fn is_date_of(scene: &Scene<'_>, month: &Month) -> bool {
    let year = year_of(&scene.digits_of(month.year.clone()));
    let day = number(&scene.digits_of(month.day.clone()));
    year.is_some_and(|year| is_birthday(year, month.number, day))
}

fn by_groups(scene: &Scene<'_>, first: usize) -> Option<Range<usize>> {
    let joint = scene.gap(first)?.trim_start().chars().next();
    if !matches!(joint, None | Some('-' | '.' | '/' | '년')) {
        return None;
    }
    FORMS.iter().find_map(|(lengths, year_at)| {
        let reading =
            read(scene, first, lengths).filter(|reading| reading.joints.within(JOINTS))?;
        let digits = scene.digits_of(reading.span.clone());
        let hangul = reading.joints.within(Joints::HANGUL) && *year_at == 0;
        let mixed = !hangul && !is_one_joint(reading.joints);
        let span = whole_day(scene, reading, hangul)?;
        (!mixed && is_date(&digits, lengths, *year_at)).then_some(span)
    })
}

fn is_one_joint(joints: Joints) -> bool {
    let all = [Joints::HYPHEN, Joints::DOT, Joints::SLASH, Joints::SPACE];
    all.into_iter().any(|one| joints == one)
}

/// The span with the `일` of a date in Hangul; `None` where more digits hang on.
fn whole_day(scene: &Scene<'_>, reading: Reading, hangul: bool) -> Option<Range<usize>> {
    let Range { start, end } = reading.span;
    if hangul {
        let rest = scene.text().get(end..)?;
        let blank = usize::from(rest.starts_with(' '));
        return rest.get(blank..)?.starts_with('일').then(|| start..end + blank + '일'.len_utf8());
    }
    let behind = scene.byte(end).unwrap_or(b' ');
    let beyond = scene.byte(end + 1).unwrap_or(b' ');
    let goes_on = (matches!(behind, b'-' | b'.' | b'/') && beyond.is_ascii_digit())
        || (behind.is_ascii_alphanumeric() && behind != b'T')
        || behind == b'_';
    // The last stop of `1985. 3. 2.` belongs to the date.
    let is_spaced = reading.joints == Joints::DOT && scene.slice(start..end).contains(". ");
    let stop = usize::from(is_spaced && behind == b'.');
    (!goes_on && is_free_before(scene, start)).then_some(start..end + stop)
}

/// Whether digits in parts of these lengths are a date.
fn is_date(digits: &[u8], lengths: &[usize], year_at: usize) -> bool {
    let [first, second, _] = lengths else { return false };
    let (a, rest) = digits.split_at_checked(*first).unwrap_or_default();
    let (b, c) = rest.split_at_checked(*second).unwrap_or_default();
    let is = |year: &[u8], month: &[u8], day: &[u8]| {
        year_of(year).is_some_and(|year| is_birthday(year, number(month), number(day)))
    };
    let year_last = is(c, a, b) || is(c, b, a);
    if year_at == 2 { year_last } else { is(a, b, c) || (a.len() == 2 && year_last) }
}

/// `19850302`, `850302`, and for North America `03021985`.
fn by_digits(scene: &Scene<'_>, first: usize) -> Option<Range<usize>> {
    let reading = [8, 6].iter().find_map(|length| read(scene, first, &[*length]))?;
    let digits = scene.digits_of(reading.span.clone());
    let is_written = match digits.len() {
        8 => is_date(&digits, &[4, 2, 2], 0) || is_date(&digits, &[2, 2, 4], 2),
        _ => is_date(&digits, &[2, 2, 2], 0),
    };
    (is_written && reading.joints == Joints::NONE).then(|| whole_day(scene, reading, false))?
}

/// A year as written; of two digits either century.
fn year_of(digits: &[u8]) -> Option<u16> {
    match digits.len() {
        4 => Some(number(digits)),
        2 => Some(1900 + number(digits)),
        _ => None,
    }
}

fn is_of_birth(scene: &Scene<'_>, labels: &mut Labels<'_, '_>, span: &Range<usize>) -> bool {
    let before = labels.before(span.start);
    let is_said = |near: Near<'_>| near.label == Label::Birth && near.chars() <= LABEL_CHARS;
    before.is_some_and(is_said)
        || is_born(scene.text().get(span.end..).unwrap_or_default())
        || labels.labelled_behind(span.end, Label::Birth)
        || is_of_patient(scene, labels, span)
}

/// Whether a date stands behind a patient's name in brackets: `(홍길동/1985-03-02)`.
fn is_of_patient(scene: &Scene<'_>, labels: &Labels<'_, '_>, span: &Range<usize>) -> bool {
    let is_bracketed = scene.byte(span.end) == Some(b')') && scene.before(span.start) == Some(b'/');
    is_bracketed && {
        let head = scene.chars_before(span.start, NAME_CHARS).trim_end_matches('/');
        let name = head.rsplit_once('(').map_or("", |(_, name)| name);
        let is_name = (2..=4).contains(&name.chars().count()) && name.chars().all(is_hangul);
        is_name && labels.around(span, &[Label::Patient], LABEL_CHARS)
    }
}

/// Characters of a name with what stands around it.
const NAME_CHARS: usize = 8;

fn is_hangul(c: char) -> bool {
    ('가'..='힣').contains(&c)
}

/// Words right behind a date that make it one of birth.
const BORN: &[&str] = &[
    "출생",
    "태생",
    "에 태어",
    "태어",
    "born",
    "에 출생",
    "(생)",
    "(생년월일)",
    "(dob)",
    "(birth",
];

/// What can follow `생` where it means born, and not `생산`, `생성`...
const PARTICLES: &[&str] =
    &["이", "으", "인", "입", "의", "은", "는", "임", "과", "도", "을", "남", "여"];

fn is_born(behind: &str) -> bool {
    let rest = behind.trim_start_matches(['.', ' ']);
    if behind.len() - rest.len() > 2 {
        return false;
    }
    if let Some(rest) = rest.strip_prefix('생') {
        let is_end = rest.chars().next().is_none_or(|c| !c.is_alphanumeric());
        return is_end || PARTICLES.iter().any(|particle| rest.starts_with(particle));
    }
    let starts =
        |word: &&str| rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    BORN.iter().any(starts)
}

#[cfg(test)]
mod tests {
    use contract::masking::PiiType;

    use crate::detectors::trial::{hits, misses};

    const HITS: &[&str] = &[
        "생년월일: ⟦1985-03-02⟧",
        "생년월일 ⟦1985년 3월 2일⟧, 서울",
        "⟦1985년 3월 2일⟧생입니다",
        "⟦1985.03.02⟧ 출생",
        "⟦85.03.02⟧생 김철수",
        "생일은 ⟦1985. 3. 2.⟧ 입니다",
        "생년월일(6자리): ⟦850302⟧",
        "생년월일 ⟦19850302⟧",
        "DOB: ⟦03/02/1985⟧",
        "DOB ⟦1985-03-02⟧, male",
        "date of birth: ⟦March 2, 1985⟧.",
        "born on ⟦2 March 1985⟧ in Seoul",
        "born ⟦Mar 2nd, 1985⟧",
        "\"birth_date\": \"⟦1985-03-02⟧\"",
        "\"birthDate\":\"⟦1985/03/02⟧\"",
        "\"dob\": \"⟦19850302⟧\"",
        "이름,생년월일,가입일\n홍길동,⟦1985-03-02⟧,2024-01-05",
        "생년월일 ⟦85년 3월 2일⟧",
        "birthday ⟦02-Mar-1985⟧",
        "(⟦1985.3.2⟧.생)",
        "저는 ⟦1985년3월2일⟧에 태어났습니다",
        "박보라, ⟦2001년 04월 18일⟧ 생년월일, 서울",
        "생년월일\n⟦1985-03-02⟧",
    ];

    const MISSES: &[&str] = &[
        "2024-01-05",
        "1985년 3월 2일",
        "가입일 1985-03-02",
        "2024-01-05 생성",
        "2024.03.02 생산분",
        "생년월일 1985-13-02",
        "생년월일 1985-02-30",
        "생년월일 미상, 가입일 2024-01-05",
        "DOB unknown; admitted 2024-01-05",
        "생일 쿠폰 2024-01-05까지",
        "생년월일 ****-**-**",
        "주문번호 19850302",
        "March 2, 1985",
        "created_at 1985-03-02T00:00:00Z",
        "born in Seoul in 1985",
        "850302",
        "version 85.03.02",
    ];

    #[test]
    fn finds_dates_of_birth() {
        hits(PiiType::Dob, HITS);
    }

    #[test]
    fn leaves_other_dates() {
        misses(MISSES);
    }
}
