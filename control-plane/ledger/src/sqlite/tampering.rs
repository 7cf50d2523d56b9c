//! What somebody who can write the database cannot do unseen.

use crate::audit::{Action, Actor, AuditEvent, AuditFilter, Fault, Head, Sealed, Verdict};
use crate::sqlite::SqliteStore;
use crate::store::Store;
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

/// More than are read at a time.
const ROWS: u64 = 1_205;

struct World {
    store: SqliteStore,
    head: Head,
    _folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("a.db")).await.unwrap();
        let event = |n: u64| {
            let event = AuditEvent::new(n, Actor::Admin, Action::KeyCreated, format!("key_{n}"));
            event.with("tenant", "acme")
        };
        let events: Vec<_> = (1..=ROWS).map(event).collect();
        let mut transaction = store.writer.begin().await.unwrap();
        let head = super::audit::append(&mut transaction, &events).await.unwrap();
        transaction.commit().await.unwrap();
        World { store, head, _folder: folder }
    }

    /// Does to the database what somebody can who owns the file.
    async fn tamper(&self, sql: &str) {
        for trigger in ["audit_keeps_rows", "audit_loses_no_rows"] {
            self.run(&format!("DROP TRIGGER IF EXISTS {trigger}")).await.unwrap();
        }
        self.run(sql).await.unwrap();
    }

    async fn run(&self, sql: &str) -> sqlx::Result<()> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        sql.execute(&self.store.writer).await.map(|_| ())
    }

    async fn verdict(&self) -> Verdict {
        self.store.verify_audit(None).await.unwrap()
    }
}

#[tokio::test]
async fn the_first_broken_row_is_named_wherever_it_is() {
    const SWAP: &str = "UPDATE audit SET seq = -1 WHERE seq = 700;
        UPDATE audit SET seq = 700 WHERE seq = 701; UPDATE audit SET seq = 701 WHERE seq = -1";
    const PUT_IN: &str = "UPDATE audit SET seq = -seq - 1 WHERE seq >= 600;
        UPDATE audit SET seq = -seq WHERE seq < 0;
        INSERT INTO audit SELECT 600, at_ms, actor, \"action\", 'key_x', detail, hash
        FROM audit WHERE seq = 599";
    const CLOSE_THE_GAP: &str = "DELETE FROM audit WHERE seq = 600;
        UPDATE audit SET seq = -seq + 1 WHERE seq > 600;
        UPDATE audit SET seq = -seq WHERE seq < 0";
    let table = [
        ("UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 1", 1, Fault::Altered),
        ("UPDATE audit SET actor = 'config' WHERE seq = 2", 2, Fault::Altered),
        ("UPDATE audit SET \"action\" = 'key.revoked' WHERE seq = 999", 999, Fault::Altered),
        ("UPDATE audit SET subject = 'key_2' WHERE seq = 1000", 1_000, Fault::Altered),
        ("UPDATE audit SET detail = '{}' WHERE seq = 1001", 1_001, Fault::Altered),
        ("UPDATE audit SET detail = detail || ' ' WHERE seq = 1205", 1_205, Fault::Altered),
        ("UPDATE audit SET hash = zeroblob(32) WHERE seq = 1205", 1_205, Fault::Altered),
        ("UPDATE audit SET hash = substr(hash, 1, 31) WHERE seq = 7", 7, Fault::Altered),
        ("UPDATE audit SET hash = x'' WHERE seq = 7", 7, Fault::Altered),
        ("DELETE FROM audit WHERE seq = 1", 1, Fault::Missing),
        ("DELETE FROM audit WHERE seq = 600", 600, Fault::Missing),
        ("DELETE FROM audit WHERE seq BETWEEN 900 AND 1100", 900, Fault::Missing),
        ("UPDATE audit SET seq = 9000 WHERE seq = 1205", 1_205, Fault::Missing),
        (CLOSE_THE_GAP, 600, Fault::Altered),
        (SWAP, 700, Fault::Altered),
        (PUT_IN, 600, Fault::Altered),
        ("UPDATE audit SET seq = 0 WHERE seq = 1", 1, Fault::Altered),
        ("INSERT INTO audit SELECT 1206, 1, actor, \"action\", subject, detail, hash FROM audit
          WHERE seq = 1205", 1_206, Fault::Altered),
        ("INSERT INTO audit SELECT -5, at_ms, actor, \"action\", subject, detail, hash FROM audit
          WHERE seq = 5", 1, Fault::Altered),
    ];
    for (sql, seq, why) in table {
        let world = World::new().await;
        assert_eq!(world.verdict().await, Verdict::Whole { rows: ROWS, head: world.head });
        world.tamper(sql).await;
        assert_eq!(world.verdict().await, Verdict::Broken { seq, why }, "{sql}");
    }
}

#[tokio::test]
async fn what_is_no_value_of_a_row_is_found_and_the_rest_is_shown() {
    const OTHER_TABLE: &str = "ALTER TABLE audit RENAME TO was;
        CREATE TABLE audit (seq INTEGER PRIMARY KEY, at_ms, actor, \"action\", subject, detail, hash);
        INSERT INTO audit SELECT * FROM was;";
    for change in ["at_ms = 'soon'", "at_ms = 9.5", "actor = NULL", "subject = 7", "detail = x'ff'"]
    {
        let world = World::new().await;
        world.tamper(&format!("{OTHER_TABLE} UPDATE audit SET {change} WHERE seq = 3")).await;
        let expected = Verdict::Broken { seq: 3, why: Fault::Unreadable };
        assert_eq!(world.verdict().await, expected, "{change}");
    }
    let world = World::new().await;
    world.tamper("UPDATE audit SET at_ms = 9223372036854775807, detail = 'x' WHERE seq = 3").await;
    let filter = AuditFilter { limit: 2_000, ..AuditFilter::default() };
    let rows = world.store.audit(&filter).await.unwrap();
    assert_eq!((rows.len() as u64, &rows[2].detail), (ROWS, &"x".into()));
    assert!(serde_json::to_string(&rows).is_ok());
}

/// As the head is not known, these are found only with it: see the crate's docs.
#[tokio::test]
async fn what_only_a_known_head_finds() {
    let world = World::new().await;
    world.tamper("DELETE FROM audit WHERE seq > 1000").await;
    assert!(matches!(world.verdict().await, Verdict::Whole { rows: 1_000, .. }));
    let verdict = world.store.verify_audit(Some(world.head)).await.unwrap();
    assert_eq!(verdict, Verdict::Broken { seq: 1_001, why: Fault::Cut });

    // Cut, and written on until it is as long as it was.
    let event = AuditEvent::new(1, Actor::Admin, Action::KeyCreated, "key_x");
    for _ in 1_001..=ROWS {
        world.store.note(&event).await.unwrap();
    }
    assert!(matches!(world.verdict().await, Verdict::Whole { rows: ROWS, .. }));
    let verdict = world.store.verify_audit(Some(world.head)).await.unwrap();
    assert_eq!(verdict, Verdict::Broken { seq: ROWS, why: Fault::Rewritten });
}

/// Who gives an altered row the hash that fits it has broken the next one.
#[tokio::test]
async fn a_row_with_a_hash_that_fits_breaks_the_next() {
    let world = World::new().await;
    let before: Vec<u8> = sqlx::query_scalar("SELECT hash FROM audit WHERE seq = 41")
        .fetch_one(&world.store.writer)
        .await
        .unwrap();
    let row = Sealed {
        seq: 42,
        at_ms: 42,
        actor: "admin",
        action: "key.created",
        subject: "key_x",
        detail: "{}",
    };
    let hash = hex::encode(row.hash(&before.try_into().unwrap()));
    world
        .tamper(&format!(
            "UPDATE audit SET subject = 'key_x', detail = '{{}}', hash = x'{hash}' WHERE seq = 42"
        ))
        .await;
    assert_eq!(world.verdict().await, Verdict::Broken { seq: 43, why: Fault::Altered });
}

#[tokio::test]
async fn rows_are_not_changed_or_removed_by_accident() {
    let world = World::new().await;
    for sql in ["UPDATE audit SET actor = 'x' WHERE seq = 1", "DELETE FROM audit WHERE seq = 1"] {
        let refused = world.run(sql).await.unwrap_err().to_string();
        assert!(refused.contains("the audit trail is not"), "{refused}");
    }
    assert_eq!(world.verdict().await, Verdict::Whole { rows: ROWS, head: world.head });
}
