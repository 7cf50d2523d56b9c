//! From a verified token to a caller.
//!
//! Envoy's own filter has checked signature, issuer and audience and hands over the
//! payload (Envoy, "JWT Authentication", `forward_payload_header`). What the token
//! may say is decided here: its time, and tenant, user and roles within what its
//! issuer may speak for. No refusal quotes a claim.

mod claims;

use crate::authenticate::{Caller, Means, Roles, key_of};
use crate::credential::PresentedToken;
use claims::Claims;
use contract::limits::{NAME_BYTES_MAX, TOKEN_LEEWAY_S};
use contract::policy::IssuerConfig;
use contract::refusal::{Code, Refusal};
use serde_json::Value;

/// Most roles that one token may give. More are refused and not cut off: the one
/// that is cut off might be the one that denies.
pub const ROLES_MAX: usize = 64;

/// The caller whom a token names. `payloads` are the payloads that Envoy handed over
/// with the request ([`contract::names::jwt_payload_header`]), each with the place of its
/// issuer in the list.
///
/// # Errors
/// `invalid_token` when there is not exactly one payload, or when it says what it may
/// not say. A token that gives no role is no error: its caller may do nothing.
pub fn caller<'a>(
    issuers: &[IssuerConfig],
    payloads: impl IntoIterator<Item = (usize, &'a [u8])>,
    now_s: u64,
) -> Result<Caller, Refusal> {
    let mut payloads = payloads.into_iter();
    let (Some((issuer, payload)), None) = (payloads.next(), payloads.next()) else {
        return Err(invalid("The token is not one that this gateway accepts."));
    };
    let issuer = issuers.get(issuer).ok_or_else(|| invalid("The token's issuer is not known."))?;
    let claims = Claims::decode(payload).ok_or_else(|| invalid("The token cannot be read."))?;
    check_issuer(issuer, &claims)?;
    check_time(&claims, now_s)?;
    Ok(Caller {
        tenant: tenant(issuer, &claims)?,
        key: key_of("jwt", &issuer.issuer),
        user: user(issuer, &claims)?,
        roles: roles(issuer, &claims)?,
        models: Vec::new(),
        masking: None,
        limits: None,
        budget: false,
        means: Means::Jwt,
    })
}

/// Whether the token's own header demands nothing that Envoy does not look at: what
/// `crit` names has to be understood (RFC 7515 §4.1.11), and Envoy passes over it.
///
/// # Errors
/// `invalid_token`.
pub fn check_header(token: PresentedToken<'_>) -> Result<(), Refusal> {
    let header = token.0.split('.').next().unwrap_or_default();
    match Claims::decode(header.as_bytes()) {
        Some(header) if header.named("crit").is_none() => Ok(()),
        _ => Err(invalid("The token's header says what this gateway does not understand.")),
    }
}

fn check_issuer(issuer: &IssuerConfig, claims: &Claims) -> Result<(), Refusal> {
    match claims.named("iss").and_then(Value::as_str) {
        Some(name) if name == issuer.issuer => Ok(()),
        _ => Err(invalid("The token is of another issuer.")),
    }
}

/// RFC 7519 §4.1.4 and §4.1.5; seconds may have a fraction (§2, NumericDate).
fn check_time(claims: &Claims, now_s: u64) -> Result<(), Refusal> {
    let expires_at_s = claims.named("exp").and_then(Value::as_f64);
    let expires_at_s =
        expires_at_s.ok_or_else(|| invalid("The token does not say when it ends."))?;
    if expires_at_s <= now_s as f64 {
        return Err(invalid("The token has expired."));
    }
    let Some(not_before) = claims.named("nbf") else { return Ok(()) };
    let latest_s = now_s.saturating_add(TOKEN_LEEWAY_S) as f64;
    match not_before.as_f64() {
        Some(not_before_s) if not_before_s <= latest_s => Ok(()),
        Some(_) => Err(invalid("The token is not valid yet.")),
        None => Err(invalid("The token does not say rightly when it begins.")),
    }
}

fn tenant(issuer: &IssuerConfig, claims: &Claims) -> Result<String, Refusal> {
    let Some(claim) = &issuer.tenant_claim else {
        let [only] = issuer.tenants.as_slice() else {
            return Err(invalid("The token names no tenant."));
        };
        return Ok(only.clone());
    };
    let name = claims.at(claim).ok_or_else(|| invalid("The token names no tenant."))?;
    let allowed = issuer.tenants.iter().find(|tenant| name.as_str() == Some(tenant));
    allowed.cloned().ok_or_else(|| invalid("The token's issuer may not speak for its tenant."))
}

/// No claim, no user; a user that cannot be named is refused and not left out,
/// because what bounds users goes by their names.
fn user(issuer: &IssuerConfig, claims: &Claims) -> Result<Option<String>, Refusal> {
    let Some(claim) = claims.at(&issuer.user_claim) else { return Ok(None) };
    let is_name = |name: &&str| {
        (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control)
    };
    let name = claim.as_str().filter(is_name);
    name.map(|name| Some(name.to_owned())).ok_or_else(|| {
        invalid("The token's user must be a text of 1 to 256 bytes without control characters.")
    })
}

/// The issuer's roles that the claim names, in the order of the configuration.
fn roles(issuer: &IssuerConfig, claims: &Claims) -> Result<Roles, Refusal> {
    let given = match &issuer.roles_claim {
        None if issuer.roles.is_empty() => return Ok(Roles::All),
        None => issuer.roles.clone(),
        Some(claim) => {
            let named = named_roles(claims.at(claim))?;
            issuer.roles.iter().filter(|role| named.contains(&role.as_str())).cloned().collect()
        }
    };
    if given.len() > ROLES_MAX {
        return Err(invalid("The token gives more than 64 roles."));
    }
    Ok(Roles::Of(given))
}

/// A list of texts, or one text with spaces between names, as OAuth writes a scope
/// (RFC 6749 §3.3).
fn named_roles(claim: Option<&Value>) -> Result<Vec<&str>, Refusal> {
    let named = match claim {
        None => Some(Vec::new()),
        Some(Value::String(names)) => Some(names.split(' ').collect()),
        Some(Value::Array(names)) => names.iter().map(Value::as_str).collect(),
        Some(_) => None,
    };
    named.ok_or_else(|| invalid("The token's roles must be a list of texts, or one text."))
}

fn invalid(message: &'static str) -> Refusal {
    Refusal::new(Code::InvalidToken, message)
}

#[cfg(test)]
mod tests;
