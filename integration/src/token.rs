//! JSON Web Tokens (RFC 7519) and the keys that sign them, also as no issuer would.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

/// Made up for the tests: ring makes no RSA keys.
const RSA_KEYS: [&str; 2] =
    [include_str!("../fixtures/issuer-rsa-1.pem"), include_str!("../fixtures/issuer-rsa-2.pem")];
const UNCOMPRESSED_POINT_PREFIX_BYTES: usize = 1;
const P256_COORDINATE_BYTES: usize = 32;

/// What a token is signed with (RFC 7518 §3.1, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA PKCS #1 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// As `alg` names it.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Rs256 => "RS256",
            Algorithm::Es256 => "ES256",
            Algorithm::EdDsa => "EdDSA",
        }
    }
}

/// A private key with its id.
pub struct SigningKey {
    kid: String,
    algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// A new key; of RSA keys there are two, which take turns by `number`.
    ///
    /// # Panics
    /// Where the system has no random numbers.
    pub fn new(kid: &str, algorithm: Algorithm, number: usize) -> SigningKey {
        let random = SystemRandom::new();
        let pair = match algorithm {
            Algorithm::Rs256 => Pair::Rsa(rsa(RSA_KEYS[number % RSA_KEYS.len()])),
            Algorithm::Es256 => {
                let kind = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
                let made = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("a P-256 key");
                Pair::P256(EcdsaKeyPair::from_pkcs8(kind, made.as_ref(), &random).expect("it"))
            }
            Algorithm::EdDsa => {
                let made = Ed25519KeyPair::generate_pkcs8(&random).expect("an Ed25519 key");
                Pair::Ed25519(Ed25519KeyPair::from_pkcs8(made.as_ref()).expect("it"))
            }
        };
        SigningKey { kid: kid.to_owned(), algorithm, pair }
    }

    /// Its id.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its public half (RFC 7517).
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kty": "RSA", "n": encoded(&public.n), "e": encoded(&public.e)})
            }
            Pair::P256(pair) => {
                let point = &pair.public_key().as_ref()[UNCOMPRESSED_POINT_PREFIX_BYTES..];
                let (x, y) = point.split_at(P256_COORDINATE_BYTES);
                json!({"kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y)})
            }
            Pair::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key().as_ref())})
            }
        };
        jwk["kid"] = self.kid.as_str().into();
        jwk["alg"] = self.algorithm.name().into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// The token with these claims.
    pub fn token(&self, claims: &Value) -> String {
        self.token_headed(&self.header(), claims)
    }

    /// The header that its tokens have.
    pub fn header(&self) -> Value {
        json!({"alg": self.algorithm.name(), "typ": "JWT", "kid": self.kid})
    }

    /// The token with any header, signed with this key all the same.
    pub fn token_headed(&self, header: &Value, claims: &Value) -> String {
        let signed = signing_input(header, claims);
        let signature = encoded(&self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&signature::RSA_PKCS1_SHA256, &random, bytes, &mut signature)
                    .expect("a signature");
                signature
            }
            Pair::P256(pair) => pair.sign(&random, bytes).expect("a signature").as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(bytes).as_ref().to_vec(),
        }
    }
}

/// A token with `alg: none` in any spelling, and no signature (RFC 7519 §6).
pub fn unsigned(alg: &str, claims: &Value) -> String {
    format!("{}.", signing_input(&json!({"alg": alg, "typ": "JWT"}), claims))
}

/// A token signed with HS256 under a key that everybody knows, such as a public one.
pub fn hs256(kid: &str, secret: &[u8], claims: &Value) -> String {
    let signed = signing_input(&json!({"alg": "HS256", "typ": "JWT", "kid": kid}), claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signature = encoded(hmac::sign(&key, signed.as_bytes()).as_ref());
    format!("{signed}.{signature}")
}

/// A key set of these (RFC 7517 §5).
pub fn jwks<'a>(keys: impl IntoIterator<Item = &'a SigningKey>) -> String {
    json!({"keys": keys.into_iter().map(SigningKey::jwk).collect::<Vec<_>>()}).to_string()
}

fn rsa(pem: &str) -> RsaKeyPair {
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).expect("PEM");
    RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).expect("an RSA key")
}

fn signing_input(header: &Value, claims: &Value) -> String {
    format!("{}.{}", encoded(header.to_string().as_bytes()), encoded(claims.to_string().as_bytes()))
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{RsaPublicKeyComponents, UnparsedPublicKey};

    fn decoded(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// Whether the published half fits a token, as any verifier would see it.
    fn verifies(jwk: &Value, token: &str) -> bool {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (signed, signature) = (signed.as_bytes(), decoded(signature));
        let part = |name: &str| decoded(jwk[name].as_str().unwrap());
        match jwk["alg"].as_str().unwrap() {
            "RS256" => {
                let public = RsaPublicKeyComponents { n: part("n"), e: part("e") };
                let kind = &signature::RSA_PKCS1_2048_8192_SHA256;
                public.verify(kind, signed, &signature).is_ok()
            }
            "ES256" => {
                let point = [vec![4], part("x"), part("y")].concat();
                let kind = &signature::ECDSA_P256_SHA256_FIXED;
                UnparsedPublicKey::new(kind, point).verify(signed, &signature).is_ok()
            }
            _ => {
                let key = UnparsedPublicKey::new(&signature::ED25519, part("x"));
                key.verify(signed, &signature).is_ok()
            }
        }
    }

    #[test]
    fn each_algorithm_is_verified_by_what_is_published() {
        for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
            let (one, two) =
                (SigningKey::new("1", algorithm, 0), SigningKey::new("2", algorithm, 1));
            let token = one.token(&json!({"sub": "kim"}));
            assert!(verifies(&one.jwk(), &token), "{algorithm:?}");
            assert!(!verifies(&two.jwk(), &token), "{algorithm:?}");
            assert_eq!(token.matches('.').count(), 2);
        }
    }

    #[test]
    fn nothing_private_is_published() {
        for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
            let jwk = SigningKey::new("1", algorithm, 0).jwk();
            assert!(jwk.get("d").is_none() && jwk.get("p").is_none(), "{jwk}");
        }
    }

    #[test]
    fn a_token_without_a_signature_says_so() {
        let token = unsigned("none", &json!({}));
        assert!(token.ends_with('.'));
        let header: Value =
            serde_json::from_slice(&decoded(token.split('.').next().unwrap())).unwrap();
        assert_eq!(header["alg"], "none");
    }
}
