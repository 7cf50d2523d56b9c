//! Texts with the truth about them.

use std::ops::Range;

use masking::PiiType;

/// What a place of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Pii(PiiType),
    /// Must stay.
    LookAlike,
    /// May be masked or not.
    Neutral,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub what: What,
    /// How it is written or what it really is: `mobile`, `epoch`...
    pub kind: &'static str,
    pub span: Range<usize>,
    /// Other spans that are as right.
    pub also: Vec<Range<usize>>,
}

/// A part of a text that was made for a slot of a template.
#[derive(Clone, Debug)]
pub struct Made {
    pub text: String,
    pub mark: Option<Mark>,
}

impl Made {
    pub fn plain(text: impl Into<String>) -> Self {
        Made { text: text.into(), mark: None }
    }

    fn whole(what: What, kind: &'static str, text: String) -> Self {
        let mark = Mark { what, kind, span: 0..text.len(), also: Vec::new() };
        Made { text, mark: Some(mark) }
    }

    pub fn pii(of: PiiType, kind: &'static str, text: impl Into<String>) -> Self {
        Made::whole(What::Pii(of), kind, text.into())
    }

    pub fn look_alike(kind: &'static str, text: impl Into<String>) -> Self {
        Made::whole(What::LookAlike, kind, text.into())
    }

    pub fn neutral(kind: &'static str, text: impl Into<String>) -> Self {
        Made::whole(What::Neutral, kind, text.into())
    }

    /// Puts text around what is marked, which stays marked alone.
    pub fn between(self, before: &str, after: &str) -> Self {
        let by = before.len();
        let moved = |span: Range<usize>| span.start + by..span.end + by;
        let mark = self.mark.map(|mark| Mark {
            span: moved(mark.span),
            also: mark.also.into_iter().map(moved).collect(),
            ..mark
        });
        Made { text: format!("{before}{}{after}", self.text), mark }
    }

    /// All of the text made so far is right too.
    pub fn or_all(mut self) -> Self {
        let all = 0..self.text.len();
        if let Some(mark) = &mut self.mark {
            mark.also.push(all);
        }
        self
    }
}

/// Text with the truth about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labelled {
    pub said: String,
    pub marks: Vec<Mark>,
}

impl Labelled {
    pub fn push(&mut self, made: Made) {
        let by = self.said.len();
        let moved = |span: Range<usize>| span.start + by..span.end + by;
        self.said.push_str(&made.text);
        self.marks.extend(made.mark.map(|mark| Mark {
            span: moved(mark.span),
            also: mark.also.into_iter().map(moved).collect(),
            ..mark
        }));
    }

    pub fn pii(&self) -> impl Iterator<Item = (PiiType, &Mark)> {
        self.marks.iter().filter_map(|mark| match mark.what {
            What::Pii(of) => Some((of, mark)),
            _ => None,
        })
    }
}

/// Before it is put together, so that tricks can be played on it.
#[derive(Clone, Debug)]
pub struct Sample {
    pub genre: &'static str,
    pub pieces: Vec<Made>,
}

impl Sample {
    pub fn has_pii(&self) -> bool {
        self.pieces.iter().any(is_pii)
    }

    pub fn plain(&self) -> Labelled {
        let mut labelled = Labelled::default();
        self.pieces.iter().for_each(|made| labelled.push(made.clone()));
        labelled
    }
}

pub fn is_pii(made: &Made) -> bool {
    matches!(made.mark, Some(Mark { what: What::Pii(_), .. }))
}
