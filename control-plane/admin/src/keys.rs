//! `/api/v1/keys`: keys are made, listed, rotated and revoked. Each change is noted in
//! the audit trail in the transaction that makes it.

use crate::api::{Admin, CLOCK};
use crate::budgets::in_ledger;
use crate::problem::Problem;
use crate::when::{self, Span};
use axum::Json;
use axum::body::HttpBody as _;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest as _, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use contract::lease::Account;
use contract::limits::NAME_BYTES_MAX;
use contract::policy::GatewayConfig;
use ledger::{Key, NewKey, NewSecret, Revocation, Rotation};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Most patterns over model names of one key: it travels to the gateways among
/// thousands.
const MODELS_MAX: usize = 64;

/// How long a rotated key goes on when nobody says.
const OVERLAP_DEFAULT: &str = "24h";

/// Longest time for which a rotated key goes on, in seconds: 90 days.
const OVERLAP_S_MAX: u64 = 90 * 24 * 60 * 60;

/// A key that was just made. It has no `Debug`: the key must not be logged.
pub struct Minted {
    /// The id under which it is known.
    pub id: String,
    /// The key itself, to be shown once.
    pub key: String,
    /// Its digest, 64 hexadecimal digits in lower case.
    pub sha256: String,
}

/// Makes keys; `None` when the system gives no randomness.
pub type Mint = Arc<dyn Fn() -> Option<Minted> + Send + Sync>;

/// The body of `POST keys`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// The tenant that is billed; it is in the configuration.
    pub tenant: String,
    /// What people call it.
    pub name: String,
    /// The user it is made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Roles of the configuration; none means all that the tenant has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Patterns over model names, such as `llama-*`; none means no further bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// The masking policy of its requests, of the configuration; none means the model's,
    /// else the tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masking: Option<String>,
    /// Its limits, of the configuration; they hold beside those of its tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<String>,
    /// What may be spent with it; none means no budget of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<KeyBudget>,
    /// How long it lives, as `30d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// What may be spent with a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyBudget {
    /// Dollars as decimal text, such as `2.50`: numbers in JSON may be floating point on
    /// their way here.
    pub dollars: String,
    /// `hour`, `day`, `month` or `total`.
    pub per: String,
}

/// The answer of `POST keys`: the only place where a key is ever seen.
#[derive(Serialize, Deserialize)]
pub struct CreatedKey {
    /// The id under which it is known.
    pub id: String,
    /// The key.
    pub key: String,
}

/// The answer of `DELETE keys/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedKey {
    /// Its id.
    pub id: String,
    /// Whether it worked until now; `false`: it was revoked before.
    pub revoked_now: bool,
}

/// The body of `POST keys/{id}/rotate`, which may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// How long the old key goes on beside the new one, `0s` to `90d`; a day when
    /// left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<String>,
}

/// The answer of `POST keys/{id}/rotate`: the only place where the new key is seen.
#[derive(Serialize, Deserialize)]
pub struct RotatedKey {
    /// The id of the new key.
    pub id: String,
    /// The new key.
    pub key: String,
    /// The id of the old one.
    pub replaces: String,
    /// From when on the old one is refused, RFC 3339 in UTC.
    pub old_valid_until: String,
}

/// The query of `GET keys`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    tenant: Option<String>,
}

/// `POST keys`
pub async fn create(
    State(admin): State<Admin>,
    body: Result<Json<CreateKey>, JsonRejection>,
) -> Result<(StatusCode, Json<CreatedKey>), Problem> {
    let Json(wanted) = body?;
    check(&wanted, &admin.plan.borrow().filter)?;
    let minted = minted(&admin)?;
    let key = new_key(wanted, &minted)?;
    let (tenant, name) = (key.tenant.clone(), key.name.clone());
    admin.ledger.create_key(key).await?;
    tracing::info!(target: "audit", id = minted.id, tenant, name, "key created");
    Ok((StatusCode::CREATED, Json(CreatedKey { id: minted.id, key: minted.key })))
}

/// `GET keys`
pub async fn list(
    State(admin): State<Admin>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Vec<Key>>, Problem> {
    let Query(query) = query?;
    let mut keys = admin.ledger.list_keys(query.tenant.as_deref()).await?;
    let plan = admin.plan.borrow();
    for key in keys.iter_mut().filter(|key| key.configured) {
        // The ledger does not keep what stands in the configuration.
        key.budget = plan.budgets.of(&Account::Key(key.id.clone())).map(in_ledger);
    }
    Ok(Json(keys))
}

/// `DELETE keys/{id}`
pub async fn revoke(
    State(admin): State<Admin>,
    Path(id): Path<String>,
) -> Result<Json<RevokedKey>, Problem> {
    match admin.ledger.revoke_key(&id, CLOCK.now_s()).await? {
        Revocation::Revoked => {
            tracing::info!(target: "audit", id, "key revoked");
            Ok(Json(RevokedKey { id, revoked_now: true }))
        }
        Revocation::AlreadyRevoked => Ok(Json(RevokedKey { id, revoked_now: false })),
        Revocation::Unknown => Err(Problem::not_found("There is no key with this id.")),
        Revocation::Configured => {
            Err(Problem::conflict("This key stands in the configuration file; remove it there."))
        }
    }
}

/// `POST keys/{id}/rotate`
pub async fn rotate(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<RotatedKey>), Problem> {
    let wanted = rotation_wanted(request).await?;
    let overlap_s = overlap_s(wanted.overlap.as_deref().unwrap_or(OVERLAP_DEFAULT))?;
    let Minted { id: new, key, sha256 } = minted(&admin)?;
    let secret = NewSecret { id: new.clone(), sha256 };
    let rotation = admin.ledger.rotate_key(&id, secret, overlap_s, CLOCK.now_s()).await?;
    let old_valid_until = when::rfc3339(end_of_old(rotation)?);
    tracing::info!(target: "audit", id, replaced_by = new, old_valid_until, "key rotated");
    Ok((StatusCode::CREATED, Json(RotatedKey { id: new, key, replaces: id, old_valid_until })))
}

/// What the body asks for: no body asks for nothing but the defaults.
async fn rotation_wanted(request: Request) -> Result<RotateKey, JsonRejection> {
    let nothing = request.body().is_end_stream() && !request.headers().contains_key(CONTENT_TYPE);
    if nothing {
        return Ok(RotateKey::default());
    }
    let Json(wanted) = Json::from_request(request, &()).await?;
    Ok(wanted)
}

/// Unix second from which the old key is refused, if there is a new one.
fn end_of_old(rotation: Rotation) -> Result<u64, Problem> {
    match rotation {
        Rotation::Rotated { old_valid_until_s, .. } => Ok(old_valid_until_s),
        Rotation::Unknown => Err(Problem::not_found("There is no key with this id.")),
        Rotation::Revoked => Err(Problem::conflict("This key is revoked; make a new one.")),
        Rotation::Expired => Err(Problem::conflict("This key's time is over; make a new one.")),
        Rotation::Replaced { by } => {
            Err(Problem::conflict(format!("This key was rotated before; rotate {by}.")))
        }
        Rotation::Configured => {
            Err(Problem::conflict("This key stands in the configuration file; rotate it there."))
        }
    }
}

fn overlap_s(text: &str) -> Result<u64, Problem> {
    let seconds = if text == "0s" { Some(0) } else { text.parse().ok().map(|s: Span| s.seconds) };
    seconds.filter(|seconds| *seconds <= OVERLAP_S_MAX).ok_or_else(|| {
        Problem::invalid("overlap: takes a duration from 0s to 90d, such as 24h.".to_owned())
    })
}

fn minted(admin: &Admin) -> Result<Minted, Problem> {
    (admin.mint)().ok_or_else(|| Problem::internal(&NoRandomness))
}

#[derive(Debug, thiserror::Error)]
#[error("the system gave no random bytes")]
struct NoRandomness;

fn new_key(wanted: CreateKey, minted: &Minted) -> Result<NewKey, Problem> {
    let at_s = CLOCK.now_s();
    let life: Option<Span> = wanted
        .expires
        .map(|text| text.parse())
        .transpose()
        .map_err(|why| Problem::invalid(format!("expires: {why}.")))?;
    Ok(NewKey {
        id: minted.id.clone(),
        sha256: minted.sha256.clone(),
        name: wanted.name,
        tenant: wanted.tenant,
        user: wanted.user,
        roles: wanted.roles,
        models: wanted.models,
        masking: wanted.masking,
        limits: wanted.limits,
        budget: wanted.budget.as_ref().map(budget).transpose()?,
        expires_at_s: life.map(|span| at_s.saturating_add(span.seconds)),
        at_s,
    })
}

fn budget(wanted: &KeyBudget) -> Result<ledger::Budget, Problem> {
    let text = format!("{}/{}", wanted.dollars, wanted.per);
    let budget = text.parse().map_err(|why| Problem::invalid(format!("budget: {text} {why}.")))?;
    Ok(in_ledger(budget))
}

fn check(wanted: &CreateKey, policy: &GatewayConfig) -> Result<(), Problem> {
    name("name", &wanted.name)?;
    wanted.user.iter().try_for_each(|user| name("user", user))?;
    one_of("tenant", &wanted.tenant, policy.tenants.keys())?;
    wanted.roles.iter().try_for_each(|role| one_of("role", role, policy.roles.keys()))?;
    let policies = policy.masking.policies.keys();
    wanted.masking.iter().try_for_each(|name| one_of("masking policy", name, policies.clone()))?;
    wanted.limits.iter().try_for_each(|name| one_of("limits", name, policy.limits.keys()))?;
    if wanted.models.len() > MODELS_MAX {
        return Err(Problem::invalid(format!("models: takes at most {MODELS_MAX} patterns.")));
    }
    wanted.models.iter().try_for_each(|pattern| glob(pattern))
}

fn glob(pattern: &str) -> Result<(), Problem> {
    let sized = (1..=NAME_BYTES_MAX).contains(&pattern.len());
    if sized && !pattern.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Ok(());
    }
    Err(Problem::invalid(format!(
        "models: a pattern takes 1 to {NAME_BYTES_MAX} bytes without white space and control \
         characters."
    )))
}

fn name(field: &str, text: &str) -> Result<(), Problem> {
    let sized = (1..=NAME_BYTES_MAX).contains(&text.len());
    if sized && text.trim() == text && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Problem::invalid(format!(
        "{field}: takes 1 to {NAME_BYTES_MAX} bytes without control characters and without \
         white space around."
    )))
}

fn one_of<'a>(
    field: &str,
    text: &str,
    mut allowed: impl Iterator<Item = &'a String> + Clone,
) -> Result<(), Problem> {
    if allowed.clone().any(|known| known == text) {
        return Ok(());
    }
    let mut list = allowed.next().cloned().unwrap_or_else(|| "none is configured".to_owned());
    for known in allowed {
        list.push_str(", ");
        list.push_str(known);
    }
    Err(Problem::invalid(format!("{field}: there is no such {field}; allowed: {list}.")))
}
