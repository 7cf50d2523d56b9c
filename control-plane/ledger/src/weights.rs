//! The weights that commands gave to the splits of models, in place of those of the
//! configuration, and the way back.
//!
//! Each change is a step; a step can be taken back once, the last one first. What a model
//! stood at before its first step, and after it was reset, are the weights of the
//! configuration, which are not kept here: [`None`].

use crate::audit::{Action, Actor, AuditEvent};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Weights by the names of the pools.
pub type Weights = BTreeMap<String, u32>;

/// Why a model gets other weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Somebody said so.
    Set,
    /// Somebody wants those of the configuration again.
    Reset,
    /// The model's split has other pools now: nothing of before fits it, and no step can
    /// be taken back any more.
    Dropped,
}

/// Other weights for a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightChange {
    /// The model.
    pub model: String,
    /// What holds from now on; `None`: what the configuration says.
    pub weights: Option<Weights>,
    /// Why.
    pub cause: Cause,
    /// Who.
    pub actor: Actor,
    /// When, in Unix milliseconds.
    pub at_ms: u64,
}

impl WeightChange {
    /// What the audit trail says of it, where `held` was in force.
    pub(crate) fn event(&self, held: Option<&Weights>) -> AuditEvent {
        let action = match self.cause {
            Cause::Set => Action::RolloutSet,
            Cause::Reset => Action::RolloutReset,
            Cause::Dropped => Action::RolloutDropped,
        };
        event(action, (&self.model, self.actor, self.at_ms), (held, self.weights.as_ref()))
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
    /// What holds; `None`: what the configuration says.
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

    #[test]
    fn the_trail_names_both_sides_of_a_step() {
        let change = |cause, weights: Option<Weights>| WeightChange {
            model: "chat".into(),
            weights,
            cause,
            actor: Actor::Admin,
            at_ms: 5,
        };
        let weights = Weights::from([("a".to_owned(), 90), ("b".to_owned(), 10)]);
        let set = change(Cause::Set, Some(weights.clone())).event(None);
        assert_eq!((set.action, set.subject.as_str(), set.at_ms), (Action::RolloutSet, "chat", 5));
        assert_eq!(json!(set.detail), json!({"before": null, "after": {"a": 90, "b": 10}}));
        let reset = change(Cause::Reset, None).event(Some(&weights));
        assert_eq!(reset.action, Action::RolloutReset);
        assert_eq!(json!(reset.detail), json!({"before": {"a": 90, "b": 10}, "after": null}));
        assert_eq!(change(Cause::Dropped, None).event(None).action, Action::RolloutDropped);
    }
}
