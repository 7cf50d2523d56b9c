//! One event of a stream, with what becomes of its texts.

use std::borrow::Cow;

use super::document::{Document, Leaf, said};
use super::frame::Event;
use super::template::Template;
use super::{Lane, LaneTexts};
use crate::edit::{Edit, apply, json_string};

/// The event that is passed on now.
pub(super) struct Now<'n> {
    event: &'n Event<'n>,
    data: &'n [u8],
    /// The data as they can be read.
    pub(super) text: &'n str,
    pub(super) document: &'n Document,
    /// Which lane each of the document's texts is a piece of.
    pub(super) lanes: Vec<Option<Lane>>,
    /// What leaves in the place of texts, by their index.
    changed: Vec<(usize, String)>,
}

impl<'n> Now<'n> {
    pub(super) fn new(
        event: &'n Event<'n>,
        data: &'n [u8],
        text: &'n str,
        document: &'n Document,
    ) -> Self {
        let lanes = document.leaves.iter().map(|leaf| document.lane(leaf, text)).collect();
        Self { event, data, text, document, lanes, changed: Vec::new() }
    }

    fn leaf(&self, index: usize) -> Option<&'n Leaf> {
        self.document.leaves.get(index)
    }

    pub(super) fn lane(&self, index: usize) -> Option<Lane> {
        self.lanes.get(index).copied().flatten()
    }

    pub(super) fn said(&self, index: usize) -> Cow<'n, str> {
        self.leaf(index).map_or(Cow::Borrowed(""), |leaf| said(self.text, leaf))
    }

    /// What leaves in the place of a text that comes whole; `None`: the same.
    pub(super) fn whole(
        &self,
        index: usize,
        said: &str,
        texts: &mut impl LaneTexts,
    ) -> Option<String> {
        let leaf = self.leaf(index).filter(|leaf| !leaf.is_piece)?;
        texts.whole(leaf.field, said)
    }

    /// The lanes that the event has a text of, each once.
    pub(super) fn own_lanes(&self) -> Vec<Lane> {
        let mut own: Vec<Lane> = Vec::new();
        for lane in self.lanes.iter().flatten() {
            if !own.contains(lane) {
                own.push(*lane);
            }
        }
        own
    }

    /// Whether the event says that the lane's choice has come to its end.
    pub(super) fn finishes(&self, lane: &Lane) -> bool {
        let choices = &self.document.choices;
        choices.iter().any(|choice| choice.is_finished && choice.index == lane.choice)
    }

    /// Whether the lane's choice says something, but not in this lane. Engines that
    /// say one thought in two fields say it in both of them at once.
    pub(super) fn goes_on_elsewhere(&self, lane: &Lane) -> bool {
        let spoken = |(index, own): (usize, &Option<Lane>)| {
            let is_said = self.leaf(index).is_some_and(|leaf| leaf.span.len() > 2);
            own.filter(|own| is_said && own.choice == lane.choice)
        };
        let mut elsewhere = false;
        for own in self.lanes.iter().enumerate().filter_map(spoken) {
            if own == *lane {
                return false;
            }
            elsewhere = true;
        }
        elsewhere
    }

    /// Puts another text in the place of one.
    pub(super) fn put(&mut self, index: usize, said: &str, changed: Option<String>) {
        if let Some(changed) = changed.filter(|changed| changed != said) {
            self.changed.push((index, changed));
        }
    }

    /// Adds to the lane's last text here.
    pub(super) fn append(&mut self, lane: &Lane, rest: Option<String>) {
        let Some(rest) = rest.filter(|rest| !rest.is_empty()) else { return };
        let Some(index) = self.last_of(lane) else { return };
        match self.changed.iter_mut().find(|(own, _)| *own == index) {
            Some((_, text)) => text.push_str(&rest),
            None => self.changed.push((index, self.said(index).into_owned() + &rest)),
        }
    }

    fn last_of(&self, lane: &Lane) -> Option<usize> {
        self.lanes.iter().rposition(|own| own.as_ref() == Some(lane))
    }

    /// Writes the event: as it came, where nothing of it has changed.
    pub(super) fn write(&mut self, out: &mut Vec<u8>) {
        self.changed.sort_unstable_by_key(|(index, _)| *index);
        let edit = |(index, text): &(usize, String)| {
            let span = self.leaf(*index)?.span.clone();
            Some(Edit { span, text: json_string(text) })
        };
        let edits: Vec<_> = self.changed.iter().filter_map(edit).collect();
        match apply(self.data, &edits).filter(|_| !edits.is_empty()) {
            Some(data) => self.event.write(&data, out),
            None => out.extend_from_slice(self.event.raw),
        }
    }

    /// One more event for a lane that this one has a text of.
    pub(super) fn template(&self, lane: &Lane) -> Option<Template> {
        let leaf = self.leaf(self.last_of(lane)?)?;
        Some(Template::of(self.event, self.data, self.document, leaf))
    }
}
