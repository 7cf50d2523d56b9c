//! What a credential of each kind costs: API key, signed request, tokens.

use integration::Result;
use integration::TollgateStart;
use integration::signed::now_s;
use integration::token::{Algorithm, SigningKey, jwks};
use serde_json::json;

use crate::columns::{BUSY, CPU_PER_REQUEST, REQUESTS, WAITED};
use crate::cores::Cores;
use crate::report::Column;
use crate::request::{Ask, LARGE_BYTES, SMALL_BYTES};
use crate::requests::{Credential, Requests, Signature};
use crate::scenarios::{Row, Runs, Schedule, alternate};
use crate::sides::{Side, TENANT, with};
use crate::sink::Sink;
use crate::tell::{tell, tell_ledger};

/// Who signs: id and secret are as long as the documentation has them.
const SIGNER: Credential<'static> = Credential {
    id: "partner-01",
    secret: "made-up-secret-of-the-benchmark-0123456789a",
    signature: Signature::Right,
};
/// Nonces of so long are remembered. The default of 300 s is for clients whose clocks
/// are off, and holds some 1,000 signed requests a second; the load makes ten times more.
const MAX_SKEW: &str = "30s";
/// Of the tokens; longer than any measurement.
const LIFETIME_S: u64 = 24 * 3600;
/// Who issues tokens, and what they are signed with.
const ISSUERS: [(&str, Algorithm); 2] = [
    ("https://rsa.issuer.example", Algorithm::Rs256),
    ("https://ec.issuer.example", Algorithm::Es256),
];
const COLUMNS: &[Column] = &[REQUESTS, CPU_PER_REQUEST, BUSY, WAITED];

/// One table.
struct Table {
    title: &'static str,
    /// Of the body of a chat.
    bytes: usize,
    connections: usize,
    has_tokens: bool,
}

const TABLES: [Table; 2] = [
    Table {
        title: "Credentials: JSON answer to a 2 KB chat, 8 connections",
        bytes: SMALL_BYTES,
        connections: 8,
        has_tokens: true,
    },
    Table {
        title: "Credentials: JSON answer to a 1 MB chat, 4 connections",
        bytes: LARGE_BYTES,
        connections: 4,
        has_tokens: false,
    },
];

/// Where the two sides stand in the list of them.
const PLAIN: usize = 0;
const GATE: usize = 1;

/// Measures and prints the chosen tables; how many failures there were.
pub async fn measure(
    schedule: &Schedule,
    cores: &Cores,
    is_chosen: impl Fn(&str) -> bool,
) -> Result<u64> {
    let chosen: Vec<&Table> = TABLES.iter().filter(|it| is_chosen(it.title)).collect();
    if chosen.is_empty() {
        return Ok(0);
    }
    let engine = Sink::start()?;
    let keys = ISSUERS.map(|(_, algorithm)| SigningKey::new("key-0", algorithm, 0));
    let gate = Side::gate("Tollgate", start(&keys), engine.address(), cores).await?;
    let plain = Side::plain(&gate.envoy_program()?, engine.address(), cores).await?;
    let mut sides = [plain, gate];
    let mut failures = 0;
    for table in chosen {
        let rows = rows(table, &mut sides, &keys).await?;
        let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
        let Table { title, connections, .. } = *table;
        let runs = Runs { title: title.to_owned(), connections, columns: COLUMNS };
        let samples = alternate(&runs, &rows, &mut sides, schedule).await?;
        failures += tell(title, COLUMNS, &names, &samples);
    }
    failures += tell_ledger("Credentials: ledger", &sides).await?;
    Ok(failures)
}

/// Plain Envoy, which looks at no credential, and the gateway with one of each kind.
async fn rows(table: &Table, sides: &mut [Side; 2], keys: &[SigningKey; 2]) -> Result<Vec<Row>> {
    let plain = sides[PLAIN].chat(Ask::Json, table.bytes);
    let chat = sides[GATE].chat(Ask::Json, table.bytes);
    let mut rows = vec![
        (PLAIN, "plain Envoy", Requests::same(plain.request(&sides[PLAIN].bearer()))),
        (GATE, "API key", Requests::same(chat.request(&sides[GATE].bearer()))),
        (GATE, "HMAC", Requests::signed_chat(chat, SIGNER)?),
    ];
    if table.has_tokens {
        for ((issuer, algorithm), key) in ISSUERS.iter().zip(keys) {
            let request = chat.request(&format!("Bearer {}", token(issuer, key)));
            rows.push((GATE, algorithm.name(), Requests::same(request)));
        }
    }
    let mut made = Vec::new();
    for (side, name, requests) in rows {
        let name = if side == PLAIN { name.to_owned() } else { format!("Tollgate, {name}") };
        let target = sides[side].target(requests, 0).await?;
        made.push(Row { name, target, side, is_heated: side == GATE });
    }
    Ok(made)
}

/// As an issuer's tokens are: some claims that nobody asks for are in it.
fn token(issuer: &str, key: &SigningKey) -> String {
    let now_s = now_s();
    key.token(&json!({
        "iss": issuer,
        "sub": "auth0|0123456789abcdef",
        "aud": "tollgate",
        "iat": now_s,
        "exp": now_s + LIFETIME_S,
        "scope": "openid profile email",
    }))
}

/// A gateway that takes all of them.
fn start(keys: &[SigningKey; 2]) -> TollgateStart {
    let Credential { id, secret, .. } = SIGNER;
    let mut sections = format!(
        "tenants:\n  {TENANT}:\n    hmac:\n      - {{ id: {id}, secret: {secret} }}\n\
         auth:\n  hmac: {{ max_skew: {MAX_SKEW} }}\n  jwt:\n"
    );
    for (issuer, algorithm) in ISSUERS {
        let file = file_of(algorithm);
        sections += &format!(
            "    - {{ issuer: \"{issuer}\", audiences: [tollgate], jwks: \"file:{file}\", \
             tenants: [{TENANT}] }}\n"
        );
    }
    let mut start = with("line", &sections);
    for ((_, algorithm), key) in ISSUERS.into_iter().zip(keys) {
        start = start.file(&file_of(algorithm), &jwks([key]));
    }
    start
}

fn file_of(algorithm: Algorithm) -> String {
    format!("{}.json", algorithm.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_knows_every_credential() {
        let keys = ISSUERS.map(|(_, algorithm)| SigningKey::new("key-0", algorithm, 0));
        let yaml = start(&keys).endpoint("engines", "m", "http://127.0.0.1:1").config();
        assert!(yaml.contains("id: partner-01, secret: made-up"), "{yaml}");
        assert!(yaml.contains("jwks: \"file:RS256.json\"") && yaml.contains("file:ES256.json"));
        assert!(!yaml.contains("acme: {}"), "{yaml}");
    }

    #[test]
    fn a_token_names_its_issuer() {
        let key = SigningKey::new("key-0", Algorithm::Es256, 0);
        assert_eq!(token("https://a.example", &key).matches('.').count(), 2);
    }
}
