//! Databases of tests.

use crate::postgres::PostgresStore;
use postgres_server::PostgresServer;
use sqlx::{Connection as _, PgConnection};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The server of the tests that run now: it ends with the last of them.
static SERVER: Mutex<Weak<PostgresServer>> = Mutex::new(Weak::new());

/// Schemas were made so often.
static SCHEMAS: AtomicU32 = AtomicU32::new(0);

/// Room for a ledger in a server that other tests use too: a schema, which is made faster
/// than a database.
pub(crate) struct Database {
    server: Arc<PostgresServer>,
    schema: String,
}

impl Database {
    pub(crate) async fn new() -> Self {
        let server = tokio::task::spawn_blocking(shared).await.unwrap();
        let schema = format!("t{}", SCHEMAS.fetch_add(1, Ordering::Relaxed));
        run(&server, format!("CREATE SCHEMA {schema}")).await;
        Database { server, schema }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}?options[search_path]={}", self.server.url("postgres"), self.schema)
    }

    pub(crate) async fn store(&self) -> PostgresStore {
        PostgresStore::open(&self.url()).await.unwrap()
    }
}

fn shared() -> Arc<PostgresServer> {
    let mut held = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    held.upgrade().unwrap_or_else(|| {
        let server = Arc::new(PostgresServer::start().unwrap());
        *held = Arc::downgrade(&server);
        server
    })
}

async fn run(server: &PostgresServer, sql: String) {
    let mut connection = PgConnection::connect(&server.url("postgres")).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
}

/// Makes a database in a server of the test's own; where it is.
pub(crate) async fn made(server: &PostgresServer) -> String {
    run(server, "CREATE DATABASE ledger".to_owned()).await;
    server.url("ledger")
}
