//! The audit trail.

use super::{digest, entry, new_key};
use crate::audit::{Action, Actor, AuditEvent, AuditFilter, AuditRow, Fault, Head, Verdict};
use crate::key::{NewSecret, Revocation};
use crate::store::Store;
use contract::keyring::KeyEntry;
use serde_json::json;

fn all() -> AuditFilter {
    AuditFilter { limit: 99, ..AuditFilter::default() }
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

async fn whole(store: &impl Store) -> Head {
    match store.verify_audit(None).await.unwrap() {
        Verdict::Whole { rows, head } if rows == head.seq => head,
        other => panic!("{other:?}"),
    }
}

/// Words of the rows: who, what, to what.
async fn said(store: &impl Store) -> Vec<String> {
    let rows = store.audit(&all()).await.unwrap();
    rows.iter().map(|row| format!("{} {} {}", row.actor, row.action, row.subject)).collect()
}

pub async fn what_is_noted_is_found(store: &impl Store) {
    assert_eq!(whole(store).await, Head::GENESIS);
    let started = AuditEvent::new(1_000, Actor::System, Action::ControlStarted, "1.2.3");
    let applied = AuditEvent::new(2_000, Actor::Config, Action::ConfigApplied, "v1")
        .with("changes", 2)
        .with("tenants", vec!["acme", "한빛"]);
    let again = AuditEvent { at_ms: 3_000, subject: "v2".to_owned(), ..applied.clone() };
    for event in [&started, &applied, &again] {
        let head = store.note(event).await.unwrap();
        assert_eq!(store.audit_head().await.unwrap(), head);
        assert_eq!(whole(store).await, head);
    }
    let rows = store.audit(&all()).await.unwrap();
    let expected = AuditRow {
        seq: 2,
        at_ms: 2_000,
        actor: "config".to_owned(),
        action: "config.applied".to_owned(),
        subject: "v1".to_owned(),
        detail: json!({"changes": 2, "tenants": ["acme", "한빛"]}),
        hash: rows[1].hash.clone(),
    };
    assert_eq!(rows[1], expected);
    assert_eq!(rows[2].hash, hex::encode(store.audit_head().await.unwrap().hash));
    for (filter, seqs) in [
        (all(), vec![1, 2, 3]),
        (AuditFilter { limit: 2, ..all() }, vec![2, 3]),
        (AuditFilter { since_ms: Some(2_000), ..all() }, vec![2, 3]),
        (AuditFilter { until_ms: Some(2_000), ..all() }, vec![1]),
        (AuditFilter { action: text("config.applied"), ..all() }, vec![2, 3]),
        (AuditFilter { subject: text("v2"), ..all() }, vec![3]),
        (AuditFilter { subject: text("v2"), action: text("key.created"), ..all() }, vec![]),
    ] {
        let rows = store.audit(&filter).await.unwrap();
        let found: Vec<_> = rows.iter().map(|row| row.seq).collect();
        assert_eq!(found, seqs, "{filter:?}");
    }
}

pub async fn what_changes_a_key_is_noted_with_it(store: &impl Store) {
    store.create_key(&new_key("k1", "acme")).await.unwrap();
    assert!(store.create_key(&new_key("k1", "acme")).await.is_err());
    let secret = NewSecret { id: "k2".to_owned(), sha256: digest("k2") };
    store.rotate_key("k1", &secret, 60, 1_500).await.unwrap();
    for expected in [Revocation::Revoked, Revocation::AlreadyRevoked] {
        assert_eq!(store.revoke_key("k1", 1_600).await.unwrap(), expected);
    }
    store.revoke_key("nobody", 1_600).await.unwrap();
    let expected = [
        "admin key.created k1",
        "admin key.created k2",
        "admin key.rotated k1",
        "admin key.revoked k1",
    ];
    assert_eq!(said(store).await, expected);
    let rows = store.audit(&all()).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.at_ms).collect::<Vec<_>>(),
        [1_000_000, 1_500_000, 1_500_000, 1_600_000]
    );
    let made = json!({
        "tenant": "acme", "name": "name of k1", "user": "ann", "roles": ["user"],
        "models": ["llama*"], "masking": "strict", "expires_at_s": 2_000_000_000,
        "limits": "slow", "budget_nanodollars": 5_000, "budget_per": "day",
    });
    assert_eq!(rows[0].detail, made);
    let mut successor = made;
    successor["replaces"] = json!("k1");
    assert_eq!(rows[1].detail, successor);
    assert_eq!(rows[2].detail["replaced_by"], "k2");
    assert_eq!(rows[2].detail["valid_until_s"], 1_560);
    let everything = serde_json::to_string(&rows).unwrap();
    assert!(![digest("k1"), digest("k2")].iter().any(|of| everything.contains(of)), "{everything}");
    whole(store).await;
}

pub async fn the_configurations_keys_are_noted(store: &impl Store) {
    let (ci, cd) = ((digest("ci"), entry("ci", "acme")), (digest("cd"), entry("cd", "acme")));
    store.set_static_keys(&[ci.clone(), cd.clone()], 1_000).await.unwrap();
    store.set_static_keys(&[ci.clone(), cd], 1_100).await.unwrap();
    let wider = (ci.0, KeyEntry { roles: Vec::new(), ..ci.1 });
    store.set_static_keys(&[wider], 1_200).await.unwrap();
    let expected = [
        "config key.created ci",
        "config key.created cd",
        "config key.changed ci",
        "config key.revoked cd",
    ];
    assert_eq!(said(store).await, expected);
    let rows = store.audit(&all()).await.unwrap();
    let made = json!({
        "tenant": "acme", "user": "ann", "roles": ["user"], "models": ["llama*"],
        "masking": "strict", "expires_at_s": 2_000_000_000, "limits": "slow", "budget": true,
    });
    assert_eq!(rows[0].detail, made);
    assert_eq!((&rows[2].detail["user"], &rows[2].detail["roles"]), (&json!("ann"), &json!([])));
    whole(store).await;
}

pub async fn the_end_is_known_by_its_head(store: &impl Store) {
    let event = AuditEvent::new(1_000, Actor::System, Action::ControlStarted, "1.2.3");
    let first = store.note(&event).await.unwrap();
    let last = store.note(&event).await.unwrap();
    assert_ne!(first.hash, last.hash);
    let verdict = Verdict::Whole { rows: 2, head: last };
    for known in [Head::GENESIS, first, last] {
        assert_eq!(store.verify_audit(Some(known)).await.unwrap(), verdict, "{known}");
    }
    let beyond = Head { seq: 4, hash: last.hash };
    let other = Head { seq: 1, hash: last.hash };
    for (known, seq, why) in [(beyond, 3, Fault::Cut), (other, 1, Fault::Rewritten)] {
        let verdict = store.verify_audit(Some(known)).await.unwrap();
        assert_eq!(verdict, Verdict::Broken { seq, why });
    }
}
