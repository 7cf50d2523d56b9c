//! Any bytes as the payload of a token: no panic, and a caller is never more than
//! its issuer may make it.
//!
//! The first byte chooses the issuer's configuration, and whether the rest is the
//! payload itself or the claims in it.

#![no_main]

use auth::jwt::{ROLES_MAX, caller};
use auth::{Caller, Means, Roles};
use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use contract::limits::NAME_BYTES_MAX;
use contract::policy::IssuerConfig;
use contract::refusal::Code;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const NOW_S: u64 = 1_000_000;

fn issuer(choice: u8) -> IssuerConfig {
    let claim = |bit: u8, name: &str| (choice & bit == 0).then(|| name.to_owned());
    let tenants: &[&str] = if choice & 1 == 0 { &["acme", "beta"] } else { &["acme"] };
    let roles: &[&str] = if choice & 2 == 0 { &["user", "batch"] } else { &[] };
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    IssuerConfig {
        issuer: "i".to_owned(),
        tenant_claim: claim(4, "org.id"),
        user_claim: "sub".to_owned(),
        roles_claim: claim(8, "realm.roles"),
        tenants: own(tenants),
        roles: own(roles),
    }
}

fn payload(choice: u8, rest: &[u8]) -> Vec<u8> {
    match choice >> 6 {
        0 => rest.to_vec(),
        1 => URL_SAFE.encode(rest).into_bytes(),
        _ => URL_SAFE_NO_PAD.encode(rest).into_bytes(),
    }
}

fn check(caller: &Caller, issuer: &IssuerConfig) {
    assert!(issuer.tenants.contains(&caller.tenant));
    assert_eq!((caller.key.as_str(), caller.means), ("jwt:i", Means::Jwt));
    assert!(caller.models.is_empty());
    if let Some(user) = &caller.user {
        assert!((1..=NAME_BYTES_MAX).contains(&user.len()));
        assert!(!user.chars().any(char::is_control));
    }
    match &caller.roles {
        Roles::All => assert!(issuer.roles.is_empty() && issuer.roles_claim.is_none()),
        Roles::Of(roles) => {
            assert!(roles.len() <= ROLES_MAX);
            let mut configured = issuer.roles.iter();
            assert!(roles.iter().all(|role| configured.any(|other| other == role)));
        }
    }
}

/// What another reader of JSON finds in the payload of an accepted token.
fn check_claims(caller: &Caller, payload: &[u8]) {
    let json = URL_SAFE_NO_PAD.decode(payload).or_else(|_| URL_SAFE.decode(payload));
    let claims: Value = serde_json::from_slice(&json.unwrap()).unwrap();
    assert_eq!(claims["iss"], "i");
    assert!(claims["exp"].as_f64().unwrap() > NOW_S as f64);
    assert_eq!(claims["sub"].as_str(), caller.user.as_deref());
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else { return };
    let issuer = issuer(choice);
    let payload = payload(choice, rest);
    let outcome = caller(std::slice::from_ref(&issuer), [(0, payload.as_slice())], NOW_S);
    match outcome {
        Ok(caller) => {
            check(&caller, &issuer);
            check_claims(&caller, &payload);
        }
        Err(refusal) => {
            assert_eq!(refusal.code, Code::InvalidToken);
            // Our own words, never a claim's.
            assert!(matches!(refusal.message, std::borrow::Cow::Borrowed(_)));
        }
    }
});
