//! `/v1/models`: what this caller may use.

use crate::Policy;
use auth::authorize::{ModelNames, Permissions};
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

/// The answer to `GET /v1/models` of a tenant's caller: models and their other names. What
/// only a family's pattern fits has no names that could be listed.
#[must_use]
pub fn list(policy: &Policy, tenant: &str, permissions: &Permissions<'_>) -> String {
    let names = policy.routes.names_of(tenant).into_iter();
    let data = names.filter(|name| may(policy, tenant, permissions, name)).map(model).collect();
    json(&List { object: "list", data })
}

/// The answer to `GET /v1/models/{id}`; `None` if it does not exist for this
/// caller.
#[must_use]
pub fn one(
    policy: &Policy,
    tenant: &str,
    permissions: &Permissions<'_>,
    name: &str,
) -> Option<String> {
    may(policy, tenant, permissions, name).then(|| json(&model(name)))
}

/// Whether there is such a model for this caller.
fn may(policy: &Policy, tenant: &str, permissions: &Permissions<'_>, asked: &str) -> bool {
    let model = policy.routes.resolve(tenant, asked);
    model.is_some_and(|model| permissions.model(ModelNames { asked, own: model.name() }))
}

fn model(id: &str) -> Model<'_> {
    Model { id, object: "model", created: 0, owned_by: "tollgate" }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
