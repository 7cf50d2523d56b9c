//! `tollgate keys`.

use super::client::Client;
use super::{say, say_json, table};
use crate::args::{self, Format, Keys};
use crate::error::Failure;
use admin::{CreateKey, CreatedKey, KeyBudget, RevokedKey, RotateKey, RotatedKey};
use jiff::Timestamp;
use ledger::Key;

/// Creates, lists, rotates or revokes.
pub async fn run(keys: Keys) -> Result<(), Failure> {
    match keys {
        Keys::Create(create) => self::create(create).await,
        Keys::List(list) => self::list(&list).await,
        Keys::Rotate(rotate) => self::rotate(&rotate).await,
        Keys::Revoke(revoke) => self::revoke(&revoke).await,
    }
}

async fn create(wanted: args::CreateKey) -> Result<(), Failure> {
    let client = Client::of(&wanted.target)?;
    let body = CreateKey {
        tenant: wanted.tenant,
        name: wanted.name,
        user: wanted.user,
        roles: wanted.roles,
        models: wanted.models,
        masking: wanted.masking,
        limits: wanted.limits,
        budget: wanted.budget.map(budget),
        expires: wanted.expires,
    };
    let made: CreatedKey = client.post("keys", &body).await?;
    match wanted.format {
        Format::Json => say_json(&made),
        Format::Table => say(&format!(
            "id:   {}\nkey:  {}\n\nKeep the key now: it is not stored and cannot be shown again.",
            made.id, made.key
        )),
    }
}

fn budget(budget: model::Budget) -> KeyBudget {
    let dollars = table::dollars_of(budget.nanodollars);
    KeyBudget { dollars, per: budget.per.to_string() }
}

async fn list(wanted: &args::ListKeys) -> Result<(), Failure> {
    let keys: Vec<Key> = Client::of(&wanted.target)?.get("keys", &[]).await?;
    match wanted.format {
        Format::Json => say_json(&keys),
        Format::Table => say(&as_table(&keys, Timestamp::now())),
    }
}

async fn rotate(wanted: &args::RotateKey) -> Result<(), Failure> {
    let client = Client::of(&wanted.target)?;
    let body = RotateKey { overlap: wanted.overlap.clone() };
    let made: RotatedKey = client.post_to("keys", &wanted.id, "rotate", &body).await?;
    match wanted.format {
        Format::Json => say_json(&made),
        Format::Table => say(&format!(
            "id:   {}\nkey:  {}\n\nKeep the key now: it is not stored and cannot be shown again.\n\
             {} is refused from {} on.",
            made.id, made.key, made.replaces, made.old_valid_until
        )),
    }
}

async fn revoke(wanted: &args::RevokeKey) -> Result<(), Failure> {
    let client = Client::of(&wanted.target)?;
    let revoked: RevokedKey = client.delete("keys", &wanted.id).await?;
    match wanted.format {
        Format::Json => say_json(&revoked),
        Format::Table if revoked.revoked_now => say(&format!("{} is revoked", revoked.id)),
        Format::Table => say(&format!("{} was revoked before", revoked.id)),
    }
}

fn as_table(keys: &[Key], now: Timestamp) -> String {
    let columns = [
        "ID", "NAME", "TENANT", "USER", "ROLES", "MODELS", "MASKING", "LIMITS", "BUDGET", "STATE",
        "CREATED", "EXPIRES", "USED",
    ];
    let mut table = table::new(&columns, &[]);
    for key in keys {
        table.add_row([
            key.id.clone(),
            key.name.clone(),
            key.tenant.clone(),
            table::or_nothing(key.user.as_ref()),
            joined(&key.roles),
            joined(&key.models),
            table::or_nothing(key.masking.as_ref()),
            table::or_nothing(key.limits.as_ref()),
            table::or_nothing(key.budget.as_ref().map(budget_text)),
            state(key, now).to_owned(),
            time(Some(key.created_at_s)),
            time(key.expires_at_s),
            time(key.last_used_at_s),
        ]);
    }
    table::text(&table)
}

/// As `--budget` takes it.
fn budget_text(budget: &ledger::Budget) -> String {
    let dollars = table::dollars_of(budget.nanodollars);
    let dollars = dollars.trim_end_matches('0').trim_end_matches('.');
    format!("{dollars}/{}", budget.per.as_str())
}

fn joined(names: &[String]) -> String {
    table::or_nothing(Some(names.join(",")).filter(|names| !names.is_empty()))
}

fn state(key: &Key, now: Timestamp) -> &'static str {
    let over = |at: u64| i64::try_from(at).is_ok_and(|at| at <= now.as_second());
    match (key.revoked_at_s, key.expires_at_s) {
        (Some(_), _) => "revoked",
        (None, Some(at)) if over(at) => "expired",
        _ if key.configured => "configured",
        _ => "active",
    }
}

fn time(at_s: Option<u64>) -> String {
    let at = at_s.and_then(|at| Timestamp::from_second(i64::try_from(at).ok()?).ok());
    table::or_nothing(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key {
            id: "key_1".into(),
            name: "ci".into(),
            tenant: "acme".into(),
            user: None,
            roles: Vec::new(),
            models: vec!["qwen-*".into(), "e5".into()],
            masking: Some("strict".into()),
            limits: Some("slow".into()),
            budget: Some(ledger::Budget { nanodollars: 2_500_000_000, per: ledger::Per::Day }),
            last_used_at_s: None,
            rotated_from: None,
            replaced_by: None,
            configured: false,
            created_at_s: 1_000,
            expires_at_s: None,
            revoked_at_s: None,
        }
    }

    #[test]
    fn states() {
        let now = Timestamp::from_second(2_000).unwrap();
        let table = [
            (key(), "active"),
            (Key { expires_at_s: Some(2_001), ..key() }, "active"),
            (Key { expires_at_s: Some(2_000), ..key() }, "expired"),
            (Key { configured: true, ..key() }, "configured"),
            (Key { revoked_at_s: Some(1), expires_at_s: Some(1), ..key() }, "revoked"),
        ];
        for (key, expected) in table {
            assert_eq!(state(&key, now), expected);
        }
    }

    #[test]
    fn budgets_are_written_as_they_are_asked_for() {
        let table = [(0, "0/hour"), (10_000_000_000, "10/hour"), (1, "0.000000001/hour")];
        for (nanodollars, text) in table {
            let budget = ledger::Budget { nanodollars, per: ledger::Per::Hour };
            assert_eq!(budget_text(&budget), text);
        }
    }

    #[test]
    fn a_table_for_people() {
        let text = as_table(&[key()], Timestamp::UNIX_EPOCH);
        let lines: Vec<Vec<&str>> =
            text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0][..3], ["ID", "NAME", "TENANT"]);
        let created = "1970-01-01T00:16:40Z";
        let models = "qwen-*,e5";
        let whose = ["key_1", "ci", "acme", "-", "-", models, "strict", "slow", "2.5/day"];
        assert_eq!(lines[1], [&whose[..], &["active", created, "-", "-"]].concat());
    }
}
