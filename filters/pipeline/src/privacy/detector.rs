//! What an external detector is asked and answers: the REST interface of Presidio's
//! analyzer (`POST /analyze`).

use contract::masking::{ExternalConfig, PiiType};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Most text that is sent, in bytes: a service that reads language takes some 0.1 s for
/// 64 KiB already. More counts as a failure.
pub const TEXT_BYTES_MAX: usize = 1 << 20;

/// Largest answer that is read, in bytes.
pub const ANSWER_BYTES_MAX: usize = 4 << 20;

/// Most entities in an answer: each is held against all that was found before.
pub const ENTITIES_MAX: usize = 4_096;

/// What stands between two texts: the end of a sentence for whoever reads language.
const BETWEEN: &str = "\n\n";

/// All texts of a request as the one that is sent.
pub struct Question {
    text: String,
    /// Where each of them stands in it.
    places: Vec<Range<usize>>,
}

/// A value, in bytes of its text.
pub type Span = (Range<usize>, PiiType);

#[derive(Serialize)]
struct Analyze<'a> {
    text: &'a str,
    language: &'a str,
}

#[derive(Deserialize)]
struct Entity {
    entity_type: String,
    start: usize,
    end: usize,
    score: f64,
}

impl Question {
    /// The question about some texts; `None`: they are too long.
    #[must_use]
    pub fn about<'t>(texts: impl Iterator<Item = &'t str>) -> Option<Question> {
        let mut question = Question { text: String::new(), places: Vec::new() };
        for text in texts {
            if question.text.len() + text.len() > TEXT_BYTES_MAX {
                return None;
            }
            if !question.text.is_empty() {
                question.text.push_str(BETWEEN);
            }
            let start = question.text.len();
            question.text.push_str(text);
            question.places.push(start..question.text.len());
        }
        Some(question)
    }

    /// Whether there is nothing to ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// The body that is sent.
    #[must_use]
    pub fn body(&self, detector: &ExternalConfig) -> Vec<u8> {
        let analyze = Analyze { text: &self.text, language: &detector.language };
        // Plain data: there is nothing in it that JSON cannot say.
        serde_json::to_vec(&analyze).unwrap_or_default()
    }

    /// What the answer finds in each of the texts, in their order; `None` when it is no
    /// answer: an entity without a score or with a place that is none, or more than
    /// [`ENTITIES_MAX`] of them. What reaches over the end of a text is cut there.
    #[must_use]
    pub fn read(&self, detector: &ExternalConfig, answer: &[u8]) -> Option<Vec<Vec<Span>>> {
        let answer = Some(answer).filter(|answer| answer.len() <= ANSWER_BYTES_MAX)?;
        let entities: Vec<Entity> = serde_json::from_slice(answer).ok()?;
        if entities.len() > ENTITIES_MAX {
            return None;
        }
        let offsets = Offsets::of(&self.text);
        let mut found = vec![Vec::new(); self.places.len()];
        for entity in entities {
            let Some(of) = detector.entities.get(&entity.entity_type) else { continue };
            if entity.score * 100.0 < f64::from(detector.score_min) {
                continue;
            }
            let (start, end) = (offsets.byte(entity.start)?, offsets.byte(entity.end)?);
            let span = Some(start..end).filter(|span| span.start <= span.end)?;
            self.put_down(&mut found, &span, *of);
        }
        Some(found)
    }

    fn put_down(&self, found: &mut [Vec<Span>], span: &Range<usize>, of: PiiType) {
        let first = self.places.partition_point(|place| place.end <= span.start);
        let places = self.places.iter().zip(found).skip(first);
        for (place, found) in places.take_while(|(place, _)| place.start < span.end) {
            let (start, end) = (span.start.max(place.start), span.end.min(place.end));
            if start < end {
                found.push((start - place.start..end - place.start, of));
            }
        }
    }
}

/// How many characters lie between two places that are kept.
const STEP: usize = 64;

/// From places in characters to places in bytes.
struct Offsets<'t> {
    text: &'t str,
    /// Every [`STEP`]th character's first byte.
    marks: Vec<usize>,
}

impl<'t> Offsets<'t> {
    fn of(text: &'t str) -> Self {
        let marks = text.char_indices().step_by(STEP).map(|(byte, _)| byte).collect();
        Self { text, marks }
    }

    /// The byte at which the character begins; `None` behind the text's end.
    fn byte(&self, character: usize) -> Option<usize> {
        let mark = match self.marks.get(character / STEP) {
            Some(mark) => *mark,
            None if character.is_multiple_of(STEP) && character / STEP == self.marks.len() => {
                let count = self.text.chars().count();
                return (count == character).then_some(self.text.len());
            }
            None => return None,
        };
        let rest = self.text.get(mark..)?;
        let mut starts = rest.char_indices().map(|(byte, _)| byte).chain([rest.len()]);
        starts.nth(character % STEP).map(|byte| mark + byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::masking::PiiType::{Address, Person};

    fn detector() -> ExternalConfig {
        ExternalConfig {
            cluster: "masking/a".into(),
            authority: "a".into(),
            path: "/analyze".into(),
            timeout_ms: 200,
            language: "ko".into(),
            score_min: 50,
            entities: [("PERSON".to_owned(), Person), ("LOCATION".to_owned(), Address)].into(),
        }
    }

    fn read(texts: &[&str], answer: &str) -> Option<Vec<Vec<Span>>> {
        let question = Question::about(texts.iter().copied()).unwrap();
        question.read(&detector(), answer.as_bytes())
    }

    fn entity(of: &str, span: Range<usize>, score: f64) -> String {
        format!(
            r#"{{"entity_type":"{of}","start":{},"end":{},"score":{score},"analysis_explanation":null}}"#,
            span.start, span.end
        )
    }

    #[test]
    fn asks_about_all_texts_at_once() {
        let question = Question::about(["김철수", "a \"b\""].into_iter()).unwrap();
        let body: serde_json::Value = serde_json::from_slice(&question.body(&detector())).unwrap();
        assert_eq!(body, serde_json::json!({"text": "김철수\n\na \"b\"", "language": "ko"}));
        assert!(!question.is_empty());
        assert!(Question::about([" ", "\n"].into_iter()).unwrap().is_empty());
        let long = "x".repeat(TEXT_BYTES_MAX);
        assert!(Question::about([long.as_str()].into_iter()).is_some());
        assert!(Question::about([long.as_str(), "y"].into_iter()).is_none());
    }

    #[test]
    fn places_are_in_characters_of_all_and_become_bytes_of_each() {
        let answer =
            format!("[{},{}]", entity("PERSON", 0..3, 0.85), entity("LOCATION", 8..10, 1.0));
        let found = read(&["김철수", "at 서울"], &answer).unwrap();
        assert_eq!(found, [vec![(0..9, Person)], vec![(3..9, Address)]]);
    }

    #[test]
    fn what_does_not_count_is_left_out() {
        let answer = format!("[{},{}]", entity("PERSON", 0..3, 0.49), entity("URL", 0..3, 1.0));
        assert_eq!(read(&["abc"], &answer), Some(vec![vec![]]));
    }

    #[test]
    fn what_reaches_over_a_text_is_cut() {
        let found = read(&["abc", "def"], &format!("[{}]", entity("PERSON", 1..7, 1.0))).unwrap();
        assert_eq!(found, [vec![(1..3, Person)], vec![(0..2, Person)]]);
    }

    #[test]
    fn what_is_no_answer_is_none() {
        let beyond = format!("[{}]", entity("PERSON", 0..99, 1.0));
        let backwards = beyond.replace("\"start\":0", "\"start\":2").replace("99", "1");
        let unscored = beyond.replace("\"score\":1,", "").replace("99", "2");
        let many = format!("[{}]", vec![entity("URL", 0..1, 1.0); ENTITIES_MAX + 1].join(","));
        let answers = ["", "{}", r#"{"error":"x"}"#, "[1]", &beyond, &backwards, &unscored, &many];
        for answer in answers {
            assert_eq!(read(&["abc"], answer), None, "{answer}");
        }
    }

    #[test]
    fn offsets_agree_with_counting() {
        for length in [0, 1, 63, 64, 65, 128, 200] {
            let text: String = "가b".chars().cycle().take(length).collect();
            let offsets = Offsets::of(&text);
            let starts: Vec<_> =
                text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            for (character, start) in starts.iter().enumerate() {
                assert_eq!(offsets.byte(character), Some(*start), "{length} {character}");
            }
            assert_eq!(offsets.byte(starts.len()), None, "{length}");
        }
    }
}
