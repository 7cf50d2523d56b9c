//! The texts of a request: what is found in them, and what goes out in its place.

use super::Masked;
use super::detector::{self, Span};
use chat::edit::Edit;
use chat::texts::{Fit, Join, Passage, Texts};
use contract::masking::{ExternalConfig, OnFailure, PiiType};
use contract::refusal::{Code, Refusal};
use masking::{Answer, Finding, Policy, Redaction, TagKey, apart};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::rc::Rc;

/// What masking needs beside the texts.
#[derive(Clone, Copy, Default)]
pub struct Material<'m> {
    /// The key of the placeholders' tags; `None`: it has not arrived.
    pub key: Option<&'m [u8]>,
    /// What the external detector says.
    pub external: External<'m>,
}

/// The word of an external detector.
#[derive(Clone, Copy, Default)]
pub enum External<'m> {
    /// It was not asked yet.
    #[default]
    Unasked,
    /// This is the body of its answer.
    Answered(&'m [u8]),
    /// It did not answer in time, or not well.
    Failed,
}

/// What an external detector is to be asked.
pub struct Question {
    /// Where it is.
    pub detector: ExternalConfig,
    /// What is sent.
    pub body: Vec<u8>,
}

/// The texts are not shown.
impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// What becomes of the texts of a request.
pub enum Outcome {
    /// The changes of its body, and what is done with its answer.
    Masked(Vec<Edit>, Masked),
    /// An external detector has to be asked first.
    Detect(Question),
}

/// Masks the texts of a request by its policy. `counts` is what was found, also in a
/// request that is refused for it.
///
/// # Errors
/// `control_unavailable` without a key or without the external detector's word,
/// `pii_blocked` with the types.
pub fn mask(
    policy: &Rc<Policy>,
    material: &Material<'_>,
    tenant: &str,
    texts: &Texts<'_>,
    counts: &mut BTreeMap<PiiType, u64>,
) -> Result<Outcome, Refusal> {
    let key = material.key.ok_or_else(super::unavailable)?;
    let (external, detector_failed) = match external(policy, material.external, texts) {
        Detected::Ask(question) => return Ok(Outcome::Detect(question)),
        Detected::Found(found) => (found, false),
        Detected::Failed if policy.on_failure() == OnFailure::Pass => (Vec::new(), true),
        Detected::Failed => return Err(super::unavailable()),
    };
    let redaction = Redaction::new(Rc::clone(policy), TagKey::for_tenant(key, tenant));
    let looked = Looked::at(policy, redaction, texts, &external);
    counts.clone_from(looked.redaction.counts());
    looked.check()?;
    let (edits, answer) = looked.masked(policy, texts);
    let found = counts.values().sum();
    Ok(Outcome::Masked(edits, Masked { answer, found, detector_failed, is_structured: false }))
}

/// The external detector's part.
enum Detected {
    /// It is to be asked.
    Ask(Question),
    /// What it has found, for each passage; nothing where there is no detector.
    Found(Vec<Vec<Span>>),
    /// It cannot be known.
    Failed,
}

fn external(policy: &Policy, external: External<'_>, texts: &Texts<'_>) -> Detected {
    let Some(detector) = policy.external() else { return Detected::Found(Vec::new()) };
    let question = detector::Question::about(texts.passages().iter().map(Passage::said));
    match (question, external) {
        (Some(question), _) if question.is_empty() => Detected::Found(Vec::new()),
        (Some(question), External::Unasked) => {
            let body = question.body(detector);
            Detected::Ask(Question { detector: detector.clone(), body })
        }
        (Some(question), External::Answered(answer)) => {
            question.read(detector, answer).map_or(Detected::Failed, Detected::Found)
        }
        (_, External::Failed) | (None, _) => Detected::Failed,
    }
}

/// All texts of a request, looked at.
struct Looked {
    redaction: Redaction,
    /// What was found in each passage, in no order.
    fits: Vec<Vec<(PiiType, Fit)>>,
}

impl Looked {
    fn at(
        policy: &Policy,
        redaction: Redaction,
        texts: &Texts<'_>,
        external: &[Vec<Span>],
    ) -> Looked {
        let fits = Vec::with_capacity(texts.passages().len());
        let mut looked = Looked { redaction, fits };
        for (index, passage) in texts.passages().iter().enumerate() {
            let external = external.get(index).map(Vec::as_slice).unwrap_or_default();
            looked.passage(passage, external);
        }
        for join in texts.joins() {
            looked.join(policy, texts.passages(), &join);
        }
        looked
    }

    fn passage(&mut self, passage: &Passage<'_>, external: &[Span]) {
        let mut found = self.redaction.look(passage.said());
        let of_external = |(span, of): &Span| Finding { of: *of, span: span.clone() };
        let external: Vec<_> = external.iter().map(of_external).collect();
        self.redaction.add(passage.said(), &mut found, &external);
        self.fits.push(Vec::with_capacity(found.len()));
        self.keep(self.fits.len() - 1, passage, &found);
    }

    /// What lies over the border of two texts of one message is masked in each of them,
    /// as far as it is not yet.
    fn join(&mut self, policy: &Policy, passages: &[Passage<'_>], join: &Join) {
        for finding in policy.scan(join.said()) {
            if !join.crosses(&finding.span) {
                continue;
            }
            let mut is_new = false;
            for (index, span) in join.split(finding.span) {
                let Some(passage) = passages.get(index) else { continue };
                let free = self.free(index, passage, span).into_iter();
                let free: Vec<_> = free.map(|span| Finding { of: finding.of, span }).collect();
                is_new |= !free.is_empty();
                self.keep(index, passage, &free);
            }
            if is_new {
                self.redaction.count(finding.of);
            }
        }
    }

    /// What of a span of a passage is in nothing that was found there.
    fn free(&self, index: usize, passage: &Passage<'_>, span: Range<usize>) -> Vec<Range<usize>> {
        let found = self.fits.get(index).map(Vec::as_slice).unwrap_or_default();
        let mut taken: Vec<_> = found.iter().map(|(_, fit)| fit.span.clone()).collect();
        taken.sort_by_key(|taken| taken.start);
        apart(passage.said(), taken.iter(), span)
    }

    fn keep(&mut self, index: usize, passage: &Passage<'_>, found: &[Finding]) {
        let Some(fits) = self.fits.get_mut(index) else { return };
        let spans: Vec<_> = found.iter().map(|finding| finding.span.clone()).collect();
        for fit in passage.fits(&spans) {
            let Some(finding) = found.get(fit.found) else { continue };
            self.redaction.keep(finding.of, &fit.value);
            fits.push((finding.of, fit));
        }
    }

    /// Whether the request may go on.
    ///
    /// # Errors
    /// `pii_blocked`, with the types.
    fn check(&self) -> Result<(), Refusal> {
        let blocked = self.redaction.blocked();
        if blocked.is_empty() {
            return Ok(());
        }
        let types: Vec<_> = blocked.into_iter().map(PiiType::as_str).collect();
        let message = format!("The request has values that may not be sent: {}.", types.join(", "));
        Err(Refusal::new(Code::PiiBlocked, message))
    }

    /// What goes out, and what comes back.
    fn masked(self, policy: &Rc<Policy>, texts: &Texts<'_>) -> (Vec<Edit>, Answer) {
        let settled = self.redaction.settle();
        let mut edits = Vec::new();
        for (index, fits) in self.fits.into_iter().enumerate() {
            let replaced = fits.into_iter().filter_map(|(of, fit)| {
                let replacement = settled.replacement(of, &fit.value)?.into_owned();
                Some((fit.span, replacement))
            });
            let replaced: Vec<_> = replaced.collect();
            if !replaced.is_empty() {
                edits.extend(texts.edits(index, &replaced));
            }
        }
        (edits, Answer::new(Rc::clone(policy), settled.into_issued()))
    }
}
