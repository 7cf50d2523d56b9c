//! `/v1/models`: what this caller may use.

use crate::Policy;
use auth::authorize::Permissions;
use serde::Serialize;

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Model<'a>>,
}

/// OpenAI's model object. A gateway knows no date of creation: it says 0.
#[derive(Serialize)]
struct Model<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

/// The answer to `GET /v1/models`.
#[must_use]
pub fn list(policy: &Policy, permissions: &Permissions<'_>) -> String {
    let names = policy.routes.names().iter().filter(|name| permissions.model(name));
    json(&List { object: "list", data: names.map(|name| model(name)).collect() })
}

/// The answer to `GET /v1/models/{id}`; `None` if it does not exist for this
/// caller.
#[must_use]
pub fn one(policy: &Policy, permissions: &Permissions<'_>, name: &str) -> Option<String> {
    policy.routes.choose(name)?;
    permissions.model(name).then(|| json(&model(name)))
}

fn model(id: &str) -> Model<'_> {
    Model { id, object: "model", created: 0, owned_by: "tollgate" }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
