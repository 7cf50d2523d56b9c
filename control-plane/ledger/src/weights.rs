//! The weights that commands gave to the splits of models, in place of those of the
//! configuration, and the way back.
//!
//! Each change is a step; a step can be taken back once, the last one first. What a model
//! stood at before its first step, and after it was reset, are the weights of the
//! configuration, which are not kept here: [`None`].
//!
//! Weights of other pools than the configuration's split has are kept and not in force (see
//! [`fitting`]): another control plane may have another configuration still, or this one may
//! have it again tomorrow.

use crate::audit::{Action, Actor, AuditEvent};
use crate::error::Error;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Weights by the names of the pools.
pub type Weights = BTreeMap<String, u32>;

/// The weights by command that are in force where the configuration's split is `configured`:
/// those of the same pools of which one gets requests.
#[must_use]
pub fn fitting<'a>(held: Option<&'a Weights>, configured: &Weights) -> Option<&'a Weights> {
    held.filter(|held| contract::routes::weights_fit(held, configured))
}

/// Why a model gets other weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Somebody said so.
    Set {
        /// Of these pools of the split; the others keep what they have when it is written.
        weights: Weights,
        /// The split in the configuration, for what was not moved yet.
        configured: Weights,
    },
    /// Somebody wants those of the configuration again.
    Reset,
}

impl Cause {
    /// What holds after it, where `held` did before; `None`: what the configuration says.
    ///
    /// # Errors
    ///
    /// [`Error::NoShare`] when no pool would get a request.
    pub(crate) fn after(&self, held: Option<&Weights>) -> Result<Option<Weights>, Error> {
        let Cause::Set { weights, configured } = self else { return Ok(None) };
        let mut after = fitting(held, configured).unwrap_or(configured).clone();
        after.extend(weights.iter().map(|(pool, weight)| (pool.clone(), *weight)));
        if after.values().all(|weight| *weight == 0) {
            return Err(Error::NoShare);
        }
        Ok(Some(after))
    }
}

/// Other weights for a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightChange {
    /// The model.
    pub model: String,
    /// What is wanted.
    pub cause: Cause,
    /// Who.
    pub actor: Actor,
    /// When, in Unix milliseconds.
    pub at_ms: u64,
}

impl WeightChange {
    /// What the audit trail says of it, with the weights before and after.
    pub(crate) fn event(&self, held: Option<&Weights>, after: Option<&Weights>) -> AuditEvent {
        let action = match self.cause {
            Cause::Set { .. } => Action::RolloutSet,
            Cause::Reset => Action::RolloutReset,
        };
        event(action, (&self.model, self.actor, self.at_ms), (held, after))
    }
}

/// A row of the trail about the weights of a model: of what, by whom and when, and the
/// weights before and after.
pub(crate) fn event(
    action: Action,
    (model, actor, at_ms): (&str, Actor, u64),
    (held, weights): (Option<&Weights>, Option<&Weights>),
) -> AuditEvent {
    AuditEvent::new(at_ms, actor, action, model)
        .with("before", shown(held))
        .with("after", shown(weights))
}

fn shown(weights: Option<&Weights>) -> Value {
    let object = |weights: &Weights| -> Map<String, Value> {
        weights.iter().map(|(pool, weight)| (pool.clone(), (*weight).into())).collect()
    };
    weights.map_or(Value::Null, |weights| Value::Object(object(weights)))
}

/// How the weights of a model stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightStanding {
    /// The model.
    pub model: String,
    /// What a command said last, in force where it fits (see [`fitting`]); `None`: what the
    /// configuration says.
    pub weights: Option<Weights>,
    /// When the last step was made, in Unix milliseconds.
    pub at_ms: u64,
    /// Steps that can be taken back.
    pub steps_to_undo: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(pools: &[(&str, u32)]) -> Weights {
        pools.iter().map(|(pool, weight)| ((*pool).to_owned(), *weight)).collect()
    }

    #[test]
    fn the_trail_names_both_sides_of_a_step() {
        let weights = of(&[("a", 90), ("b", 10)]);
        let change =
            |cause| WeightChange { model: "chat".into(), cause, actor: Actor::Admin, at_ms: 5 };
        let set = Cause::Set { weights: of(&[("b", 10)]), configured: weights.clone() };
        let set = change(set).event(None, Some(&weights));
        assert_eq!((set.action, set.subject.as_str(), set.at_ms), (Action::RolloutSet, "chat", 5));
        assert_eq!(json!(set.detail), json!({"before": null, "after": {"a": 90, "b": 10}}));
        let reset = change(Cause::Reset).event(Some(&weights), None);
        assert_eq!(reset.action, Action::RolloutReset);
        assert_eq!(json!(reset.detail), json!({"before": {"a": 90, "b": 10}, "after": null}));
    }

    #[test]
    fn a_pool_that_is_left_out_keeps_what_it_has() {
        type Row<'a> = (Option<Weights>, &'a [(&'a str, u32)], Option<Weights>);
        let both = |a, b| Some(of(&[("a", a), ("b", b)]));
        let table: [Row<'_>; 7] = [
            (None, &[("b", 10)], both(95, 10)),
            (both(1, 2), &[("b", 10)], both(1, 10)),
            (both(1, 2), &[("a", 3), ("b", 4)], both(3, 4)),
            // What does not fit the split has no say.
            (Some(of(&[("a", 1), ("c", 2)])), &[("b", 10)], both(95, 10)),
            (Some(of(&[("a", 1)])), &[("a", 3)], both(3, 5)),
            (both(0, 0), &[("b", 10)], both(95, 10)),
            (both(0, 7), &[("b", 0)], None),
        ];
        for (held, weights, expected) in table {
            let configured = of(&[("a", 95), ("b", 5)]);
            let set = Cause::Set { weights: of(weights), configured };
            let after = set.after(held.as_ref());
            match expected {
                Some(expected) => assert_eq!(after.unwrap(), Some(expected), "{held:?} {set:?}"),
                None => assert!(matches!(after, Err(Error::NoShare)), "{held:?} {set:?}"),
            }
        }
        assert_eq!(Cause::Reset.after(both(1, 2).as_ref()).unwrap(), None);
    }
}
