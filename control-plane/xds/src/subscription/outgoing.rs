//! What goes out next, and what is still missing.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{COMPACT_FROM, InFlight, RESPONSE_BYTES, Subscription};
use crate::ask::{Protocol, Push};
use crate::had::{Had, differing};
use crate::resource::{Resource, ResourceType, Version};
use crate::snapshot::TypeSet;
use crate::status::{Counts, Nack, TypeStatus};

impl Subscription {
    /// Finds what differs from `set`. To be called before any question about
    /// it; costs next to nothing if nothing happened since the last time.
    ///
    /// A refusal holds for the refused bytes alone: those of others, and of
    /// names that are no more, are forgotten here.
    pub(crate) fn look(&mut self, set: &TypeSet) {
        self.doubt(set);
        let recheck = std::mem::take(&mut self.recheck);
        if self.looked_at != Some(set.version) {
            self.differ = differing(&self.known, &set.all, |name| self.wants(name));
            self.looked_at = Some(set.version);
            self.unused_since.retain(|name, _| !set.all.contains_key(name));
            self.try_again_as_a_whole();
        } else {
            recheck.into_iter().for_each(|name| self.look_at(name, set));
        }
        self.refused.retain(|name, refusal| {
            set.all.get(name).is_some_and(|r| r.version == refusal.version)
        });
        self.compact();
    }

    /// What Envoy may have taken of a refused response counts as had once it is gone: it has to
    /// be taken away like everything else. What is still to be said of a name says it anyway.
    fn doubt(&mut self, set: &TypeSet) {
        let gone = |name: &&Arc<str>| !set.all.contains_key(*name) && !self.owed.contains(*name);
        let gone: Vec<Arc<str>> = self.doubtful.iter().filter(gone).cloned().collect();
        for name in gone {
            self.doubtful.remove(&name);
            let unknown = Resource::declared(&name, Version::declared(""));
            self.known.insert(Had(Arc::new(unknown)));
            self.recheck.push(name);
        }
    }

    /// Trees that grew in the order of their names are half empty. Once what
    /// was to come has come, they are built anew, and full.
    fn compact(&mut self) {
        if self.grown > COMPACT_FROM && self.differ.missing.is_empty() {
            self.known = std::mem::take(&mut self.known).into_iter().collect();
            self.names = std::mem::take(&mut self.names).into_iter().collect();
            self.grown = 0;
        }
    }

    /// What was refused as a whole is another whole now.
    fn try_again_as_a_whole(&mut self) {
        if self.unsure && self.last_nack.is_some() {
            self.refused.clear();
            self.owes_answer = true;
        }
    }

    fn look_at(&mut self, name: Arc<str>, set: &TypeSet) {
        self.differ.missing.remove(&name);
        self.differ.gone.remove(&name);
        match set.all.get(&name) {
            Some(resource) if self.wants(&name) && !self.has(resource) => {
                self.differ.missing.insert(name);
            }
            None if self.knows(&name) => {
                self.differ.gone.insert(name);
            }
            _ => {}
        }
    }

    /// Names that Envoy has and the set has not.
    pub(crate) fn gone(&self) -> impl Iterator<Item = &Arc<str>> {
        self.differ.gone.iter()
    }

    /// Whether Envoy has all that it wants, and nothing is on the way.
    /// Refused and held resources count as missing.
    pub(crate) fn is_settled(&self) -> bool {
        self.in_flight.is_none() && self.owed.is_empty() && self.differ.missing.is_empty()
    }

    /// Whether Envoy accepted or refused all that it wants.
    pub(crate) fn is_tried(&self) -> bool {
        let at_rest = self.in_flight.is_none() && self.owed.is_empty();
        at_rest && self.differ.missing.iter().all(|name| self.refused.contains_key(name))
    }

    /// Whether Envoy has every resource of the set, wanted or not.
    pub(crate) fn has_all(&self, set: &TypeSet) -> bool {
        if self.looked_at != Some(set.version) {
            return set.all.values().all(|resource| self.has(resource));
        }
        let had = self.known.len() - self.differ.gone.len();
        self.differ.missing.is_empty() && had == set.all.len()
    }

    /// What was refused and rests, with Envoy's words.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = (&Arc<str>, Version, &Nack)> {
        self.refused.iter().map(|(name, refusal)| (name, refusal.version, &*refusal.nack))
    }

    /// Everything that would go out if nothing were held.
    pub(crate) fn due<'a>(&'a self, set: &'a TypeSet) -> impl Iterator<Item = &'a Arc<Resource>> {
        let names = self.differ.missing.union(&self.owed);
        names.filter_map(|name| set.all.get(name)).filter(|r| self.is_due(r))
    }

    fn is_due(&self, resource: &Resource) -> bool {
        let name = &resource.name;
        let wanting =
            || self.wants(name) && !self.has(resource) && !self.refused.contains_key(name);
        self.owed.contains(name) || wanting()
    }

    /// What to send now, leaving out what is `held`; `removable` are gone names
    /// that may be taken away. `None` while a response is in flight, or when
    /// there is nothing to say.
    pub(crate) fn next_push(
        &mut self,
        set: &TypeSet,
        held: &BTreeSet<Arc<str>>,
        removable: Vec<Arc<str>>,
    ) -> Option<Push> {
        if self.in_flight.is_some() {
            return None;
        }
        let mut removed = self.answer_unknown(set);
        let changed = self.next_changed(set, held);
        if self.protocol == Protocol::Delta || self.is_full_state() {
            removed.extend(removable);
        } else {
            // State of the world has no word for it, and Envoy keeps its copy.
            for name in removable {
                self.forget(&name);
                self.differ.gone.remove(&name);
            }
        }
        let empty = changed.is_empty() && removed.is_empty();
        (!empty || self.owes_answer).then(|| self.with_standing(changed, removed))
    }

    /// Names that were asked for and do not exist are answered as removed,
    /// which lets Envoy go on without them (go-control-plane#488); their
    /// subscription stays. Not so an extension configuration: taking one away
    /// makes Envoy answer 500 (envoy#32823). State of the world says it by
    /// leaving the name out of a full state, or not at all.
    fn answer_unknown(&mut self, set: &TypeSet) -> Vec<Arc<str>> {
        let delta = self.protocol == Protocol::Delta;
        let says_removed = delta && self.kind != ResourceType::ExtensionConfig;
        let unknown = self.owed.iter().filter(|name| !set.all.contains_key(*name));
        let lost = |name: &&Arc<str>| !says_removed || !self.knows(name);
        let unknown: Vec<Arc<str>> = unknown.filter(lost).cloned().collect();
        if says_removed {
            return unknown;
        }
        self.owed.retain(|name| set.all.contains_key(name));
        self.owes_answer |= !unknown.is_empty() && (delta || self.is_full_state());
        Vec::new()
    }

    /// One part of a refused response, or what is due; of that as much as one
    /// response may hold.
    fn next_changed(&mut self, set: &TypeSet, held: &BTreeSet<Arc<str>>) -> Vec<Arc<Resource>> {
        let may_go = |r: &Arc<Resource>| !held.contains(&r.name);
        while let Some(part) = self.suspects.pop() {
            let of_part = part.iter().filter_map(|name| set.all.get(name));
            let due = of_part.filter(|r| self.is_due(r) && may_go(r));
            let found: Vec<_> = due.cloned().collect();
            if !found.is_empty() {
                return found;
            }
        }
        let mut due = self.due(set).filter(|r| may_go(r)).peekable();
        if !self.is_full_state() {
            let mut bytes = 0;
            return due.take_while(|r| count(&mut bytes, r) < RESPONSE_BYTES).cloned().collect();
        }
        if self.unsure && (self.owes_answer || due.peek().is_some()) {
            return set.all.values().filter(|r| self.wants(&r.name)).cloned().collect();
        }
        due.cloned().collect()
    }

    /// A full state repeats what Envoy has and shall keep.
    fn with_standing(&self, changed: Vec<Arc<Resource>>, removed: Vec<Arc<str>>) -> Push {
        if !self.is_full_state() {
            return Push { changed, removed, standing: Vec::new() };
        }
        let names = changed.iter().map(|r| &r.name).chain(&removed);
        let said: BTreeSet<&Arc<str>> = names.collect();
        let stands = self.known.iter().filter(|had| !said.contains(&had.0.name));
        let standing = stands.map(|had| had.0.clone()).collect();
        Push { changed, removed, standing }
    }

    /// Notes that `push` goes out under `nonce`.
    pub(crate) fn sent(&mut self, push: &Push, nonce: &str, snapshot: Arc<str>, now_ms: u64) {
        for name in push.changed.iter().map(|r| &r.name).chain(&push.removed) {
            self.owed.remove(name);
        }
        self.owes_answer = false;
        self.counts.responses += 1;
        nonce.clone_into(&mut self.nonce);
        self.in_flight = Some(InFlight {
            snapshot,
            resources: push.changed.clone(),
            removed: push.removed.clone(),
            set: self.looked_at,
            sent_at_ms: now_ms,
        });
    }

    /// The messages since the last call.
    pub(crate) fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    pub(crate) fn status(&self) -> TypeStatus {
        let refused = self.refusals().map(|(name, _, nack)| (name.to_string(), nack.clone()));
        TypeStatus {
            wildcard: self.wildcard,
            names: self.names.len(),
            acked: self.known.len(),
            version: self.acked_snapshot.as_deref().map(str::to_owned),
            in_flight: self.in_flight.is_some(),
            refused: refused.collect(),
            last_nack: self.last_nack.as_deref().cloned(),
        }
    }
}

/// Returns how many bytes came before `resource`.
fn count(bytes: &mut usize, resource: &Resource) -> usize {
    let before = *bytes;
    *bytes += resource.body.value.len();
    before
}
