//! An issuer of tokens as OpenID Connect has them: discovery document, key set,
//! keys that rotate.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::State;
use axum::http::{StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Result;
use crate::signed::now_s;
use crate::token::{Algorithm, SigningKey, jwks};

/// How long a token lasts that does not say.
const LIFETIME_S: u64 = 600;

/// A running issuer; it ends with the value.
pub struct Issuer {
    url: String,
    books: Arc<Books>,
    server: JoinHandle<()>,
}

/// What the server and its owner share.
struct Books {
    url: String,
    keys: Mutex<Vec<SigningKey>>,
    made: AtomicUsize,
    fetches: AtomicU64,
    is_down: AtomicBool,
}

impl Issuer {
    /// An issuer with one key.
    pub async fn start(algorithm: Algorithm) -> Result<Issuer> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let books = Arc::new(Books {
            url: url.clone(),
            keys: Mutex::new(vec![SigningKey::new("key-0", algorithm, 0)]),
            made: AtomicUsize::new(1),
            fetches: AtomicU64::new(0),
            is_down: AtomicBool::new(false),
        });
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks.json", get(key_set))
            .with_state(Arc::clone(&books));
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Issuer { url, books, server })
    }

    /// `http://ADDRESS`: its name too, the claim `iss`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where its keys are.
    pub fn jwks_url(&self) -> String {
        format!("{}/jwks.json", self.url)
    }

    /// Its keys, as they are published.
    pub fn jwks(&self) -> String {
        jwks(self.books.keys().iter())
    }

    /// The public half of the key that signs.
    pub fn jwk(&self) -> Value {
        self.with_newest(SigningKey::jwk)
    }

    /// Signs with a new key from here on; the ones before are published no more
    /// unless they are kept. Returns the new key's id.
    pub fn rotate(&self, algorithm: Algorithm, keeps_old: bool) -> String {
        let number = self.books.made.fetch_add(1, Relaxed);
        let kid = format!("key-{number}");
        let mut keys = self.books.keys();
        if !keeps_old {
            keys.clear();
        }
        keys.push(SigningKey::new(&kid, algorithm, number));
        kid
    }

    /// A token of these claims; `iss`, `iat` and `exp` are put in where they are not
    /// said, and left out where they are null.
    pub fn token(&self, claims: Value) -> String {
        let claims = self.claims(claims);
        self.with_newest(|key| key.token(&claims))
    }

    /// A token whose header is not the one of the key, signed with the key.
    pub fn token_headed(&self, change: impl FnOnce(&mut Value), claims: Value) -> String {
        let claims = self.claims(claims);
        self.with_newest(|key| {
            let mut header = key.header();
            change(&mut header);
            key.token_headed(&header, &claims)
        })
    }

    /// The claims that [`Issuer::token`] signs.
    pub fn claims(&self, mut claims: Value) -> Value {
        let now_s = now_s();
        let defaults =
            [("iss", json!(self.url)), ("iat", json!(now_s)), ("exp", json!(now_s + LIFETIME_S))];
        for (name, value) in defaults {
            if claims.get(name).is_none() {
                claims[name] = value;
            }
        }
        if let Some(claims) = claims.as_object_mut() {
            claims.retain(|_, value| !value.is_null());
        }
        claims
    }

    /// How often the key set was asked for.
    pub fn fetches(&self) -> u64 {
        self.books.fetches.load(Relaxed)
    }

    /// Whether it answers 503 to everything.
    pub fn set_down(&self, is_down: bool) {
        self.books.is_down.store(is_down, Relaxed);
    }

    fn with_newest<T>(&self, ask: impl FnOnce(&SigningKey) -> T) -> T {
        ask(self.books.keys().last().expect("an issuer has a key"))
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Books {
    fn keys(&self) -> MutexGuard<'_, Vec<SigningKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn out_of_order(&self) -> Option<Response> {
        self.is_down.load(Relaxed).then(|| StatusCode::SERVICE_UNAVAILABLE.into_response())
    }
}

async fn discovery(State(books): State<Arc<Books>>) -> Response {
    let document = json!({
        "issuer": books.url,
        "jwks_uri": format!("{}/jwks.json", books.url),
        "token_endpoint": format!("{}/token", books.url),
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
    });
    books.out_of_order().unwrap_or_else(|| Json(document).into_response())
}

async fn key_set(State(books): State<Arc<Books>>) -> Response {
    books.fetches.fetch_add(1, Relaxed);
    let keys = jwks(books.keys().iter());
    let answer = || ([(CONTENT_TYPE, "application/json")], keys).into_response();
    books.out_of_order().unwrap_or_else(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client;

    async fn published(issuer: &Issuer) -> Vec<String> {
        let at = format!("{}/.well-known/openid-configuration", issuer.url());
        let document: Value = client().get(at).send().await.unwrap().json().await.unwrap();
        let at = document["jwks_uri"].as_str().unwrap();
        let keys: Value = client().get(at).send().await.unwrap().json().await.unwrap();
        let kid = |key: &Value| key["kid"].as_str().unwrap().to_owned();
        keys["keys"].as_array().unwrap().iter().map(kid).collect()
    }

    #[tokio::test]
    async fn keys_rotate() {
        let issuer = Issuer::start(Algorithm::Es256).await.unwrap();
        assert_eq!(published(&issuer).await, ["key-0"]);
        assert_eq!(issuer.rotate(Algorithm::EdDsa, true), "key-1");
        assert_eq!(published(&issuer).await, ["key-0", "key-1"]);
        issuer.rotate(Algorithm::Rs256, false);
        assert_eq!(published(&issuer).await, ["key-2"]);
        assert_eq!(issuer.fetches(), 3);
        issuer.set_down(true);
        assert_eq!(client().get(issuer.jwks_url()).send().await.unwrap().status(), 503);
    }

    #[tokio::test]
    async fn claims_are_filled_in_and_left_out() {
        let issuer = Issuer::start(Algorithm::Es256).await.unwrap();
        let claims = issuer.claims(json!({"sub": "kim", "exp": null, "iat": 1}));
        assert_eq!(claims, json!({"sub": "kim", "iat": 1, "iss": issuer.url()}));
    }
}
