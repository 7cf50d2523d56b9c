//! The requests of a run: the bytes of one, and what is another in the next.
//!
//! What changes has always the same length and is written over what was there, so
//! that the next request of a megabyte costs the client as little as one of a kilobyte.

use std::cell::{Cell, RefCell};
use std::io::Write as _;
use std::ops::Range;

use integration::signed::{Signed, now_s};
use integration::{Failure, Result};
use ring::hmac;

use crate::made_up::Series;
use crate::request::{Chat, PATH, models};

/// From one key to the next, in places of the list: no two neighbours in it follow each
/// other, and with a length that has no common factor with it every key has its turn.
const STRIDE: usize = 61_803;
/// Digits at the end of a nonce that count.
const COUNTED_DIGITS: usize = 8;

/// A request that can be renewed.
pub struct Requests {
    template: Vec<u8>,
    vary: Vary,
}

enum Vary {
    Nothing,
    Keys { place: Range<usize>, keys: Vec<String>, turn: Cell<usize> },
    Strangers { place: Range<usize>, series: RefCell<Series> },
    Signature(Box<Signer>),
}

/// Which signature a request has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// The right one.
    Right,
    /// Right but for its first digit.
    WrongAtFirst,
    /// Right but for its last digit.
    WrongAtLast,
}

/// Somebody who signs.
#[derive(Clone, Copy)]
pub struct Credential<'a> {
    /// As in the header.
    pub id: &'a str,
    /// The key of the HMAC.
    pub secret: &'a str,
    /// What becomes of the signature.
    pub signature: Signature,
}

impl Requests {
    /// The same bytes every time.
    pub fn same(template: Vec<u8>) -> Requests {
        Requests { template, vary: Vary::Nothing }
    }

    /// A chat with another one of the keys each time.
    ///
    /// # Errors
    /// There is no key, or they are not all of one length.
    pub fn keyed(chat: Chat<'_>, keys: Vec<String>) -> Result<Requests> {
        let first = keys.first().ok_or_else(|| Failure::new("no keys"))?;
        if keys.iter().any(|key| key.len() != first.len()) {
            return Err(Failure::new("keys of several lengths"));
        }
        let template = chat.request(&format!("Bearer {first}"));
        let place = place_of(&template, first)?;
        Ok(Requests { template, vary: Vary::Keys { place, keys, turn: Cell::new(0) } })
    }

    /// A chat by this bearer with another one of the models each time.
    ///
    /// # Errors
    /// There is no model, or their names are not all of one length.
    pub fn named(chat: Chat<'_>, bearer: &str, names: Vec<String>) -> Result<Requests> {
        let first = names.first().ok_or_else(|| Failure::new("no models"))?;
        if names.iter().any(|name| name.len() != first.len()) {
            return Err(Failure::new("names of several lengths"));
        }
        let template = Chat { model: first, ..chat }.request(bearer);
        let place = place_of(&template, &format!("\"{first}\""))?;
        let place = place.start + 1..place.end - 1;
        Ok(Requests { template, vary: Vary::Keys { place, keys: names, turn: Cell::new(0) } })
    }

    /// A question for the models with a key of the series each time.
    pub fn strangers(mut series: Series) -> Result<Requests> {
        let key = series.next();
        let template = models(&format!("Bearer {key}"));
        let place = place_of(&template, &key)?;
        Ok(Requests { template, vary: Vary::Strangers { place, series: RefCell::new(series) } })
    }

    /// A chat, signed anew each time.
    pub fn signed_chat(chat: Chat<'_>, credential: Credential<'_>) -> Result<Requests> {
        let signed = Signed::post(credential.id, credential.secret, PATH, chat.body().as_bytes());
        let template = chat.request(&signed.header());
        Requests::signed(template, &format!("POST\n{PATH}\n"), credential)
    }

    /// A question for the models, signed anew each time.
    pub fn signed_models(credential: Credential<'_>) -> Result<Requests> {
        let signed =
            Signed::post(credential.id, credential.secret, "/v1/models", b"").method("GET");
        Requests::signed(models(&signed.header()), "GET\n/v1/models\n", credential)
    }

    fn signed(template: Vec<u8>, begin: &str, credential: Credential<'_>) -> Result<Requests> {
        let signer = Signer {
            key: hmac::Key::new(hmac::HMAC_SHA256, credential.secret.as_bytes()),
            begin: begin.to_owned(),
            timestamp: value_of(&template, "Timestamp=")?,
            nonce: value_of(&template, "Nonce=")?,
            digest: value_of(&template, "BodySha256=")?,
            signature: value_of(&template, "Signature=")?,
            kind: credential.signature,
            count: Cell::new(0),
        };
        Ok(Requests { template, vary: Vary::Signature(Box::new(signer)) })
    }

    /// What a connection keeps and renews before it sends it.
    pub fn template(&self) -> Vec<u8> {
        self.template.clone()
    }

    /// Makes the next request of what [`Requests::template`] gave.
    pub fn renew(&self, bytes: &mut [u8]) {
        match &self.vary {
            Vary::Nothing => {}
            Vary::Keys { place, keys, turn } => {
                bytes[place.clone()].copy_from_slice(keys[turn.get()].as_bytes());
                turn.set((turn.get() + STRIDE) % keys.len());
            }
            Vary::Strangers { place, series } => {
                let key = series.borrow_mut().next();
                bytes[place.clone()].copy_from_slice(key.as_bytes());
            }
            Vary::Signature(signer) => signer.sign(bytes),
        }
    }
}

/// Where the parts of a signed request are, and what they are signed with.
struct Signer {
    key: hmac::Key,
    /// Method and path, each with the line feed behind it.
    begin: String,
    timestamp: Range<usize>,
    nonce: Range<usize>,
    digest: Range<usize>,
    signature: Range<usize>,
    kind: Signature,
    count: Cell<u32>,
}

impl Signer {
    /// The nonce begins as the template's, by chance, and counts at its end.
    fn sign(&self, bytes: &mut [u8]) {
        put(&mut bytes[self.timestamp.clone()], &format!("{:010}", now_s()));
        let counted = self.nonce.end - COUNTED_DIGITS..self.nonce.end;
        put(&mut bytes[counted], &format!("{:08x}", self.count.get()));
        self.count.set(self.count.get().wrapping_add(1));
        let mut context = hmac::Context::with_key(&self.key);
        context.update(self.begin.as_bytes());
        for (place, end) in [(&self.timestamp, "\n"), (&self.nonce, "\n"), (&self.digest, "")] {
            context.update(&bytes[place.clone()]);
            context.update(end.as_bytes());
        }
        let mut place = &mut bytes[self.signature.clone()];
        for byte in context.sign().as_ref() {
            // The place has room for 64 digits.
            let _ = write!(place, "{byte:02x}");
        }
        let spoilt = match self.kind {
            Signature::Right => return,
            Signature::WrongAtFirst => self.signature.start,
            Signature::WrongAtLast => self.signature.end - 1,
        };
        bytes[spoilt] = if bytes[spoilt] == b'0' { b'1' } else { b'0' };
    }
}

fn put(place: &mut [u8], text: &str) {
    place.copy_from_slice(text.as_bytes());
}

fn place_of(template: &[u8], text: &str) -> Result<Range<usize>> {
    let mut windows = template.windows(text.len());
    let start = windows.position(|window| window == text.as_bytes());
    let start = start.ok_or_else(|| Failure::new(format!("no {text} in the request")))?;
    Ok(start..start + text.len())
}

/// What follows `name` to the end of the parameter.
fn value_of(template: &[u8], name: &str) -> Result<Range<usize>> {
    let start = place_of(template, name)?.end;
    let rest = template.get(start..).unwrap_or_default();
    let length = rest.iter().position(|byte| b",\r".contains(byte)).unwrap_or_default();
    Ok(start..start + length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Ask, SMALL_BYTES};
    use std::collections::BTreeSet;

    const CHAT: Chat<'static> = Chat { ask: Ask::Json, model: "chat", bytes: SMALL_BYTES };
    const SECRET: &str = "a secret of the tests";

    /// The values of `authorization` of the next requests.
    fn next(requests: &Requests, count: usize) -> Vec<String> {
        let mut bytes = requests.template();
        let mut next = || {
            requests.renew(&mut bytes);
            let text = String::from_utf8(bytes.clone()).unwrap();
            let line = text.lines().find_map(|line| line.strip_prefix("authorization: "));
            line.unwrap().to_owned()
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn the_same_is_the_same() {
        let requests = Requests::same(CHAT.request("Bearer k"));
        assert_eq!(next(&requests, 2), ["Bearer k", "Bearer k"]);
    }

    #[test]
    fn every_key_has_its_turn() {
        for count in [1, 10, 1_000] {
            let keys: Vec<String> = (0..count).map(|number| format!("{number:04}")).collect();
            let requests = Requests::keyed(CHAT, keys.clone()).unwrap();
            let seen: BTreeSet<String> = next(&requests, count).into_iter().collect();
            let due: BTreeSet<String> = keys.iter().map(|key| format!("Bearer {key}")).collect();
            assert_eq!(seen, due);
        }
        assert!(Requests::keyed(CHAT, vec![]).is_err());
        assert!(Requests::keyed(CHAT, vec!["a".into(), "bc".into()]).is_err());
    }

    #[test]
    fn every_model_has_its_turn() {
        let names: Vec<String> = (0..10).map(|number| format!("m{number:03}")).collect();
        let requests = Requests::named(CHAT, "Bearer k", names.clone()).unwrap();
        let mut bytes = requests.template();
        let mut seen = BTreeSet::new();
        for _ in 0..names.len() {
            requests.renew(&mut bytes);
            let text = String::from_utf8(bytes.clone()).unwrap();
            let body: serde_json::Value =
                serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap();
            seen.insert(body["model"].as_str().unwrap().to_owned());
        }
        assert_eq!(seen, names.into_iter().collect());
        assert!(Requests::named(CHAT, "k", vec![]).is_err());
        assert!(Requests::named(CHAT, "k", vec!["a".into(), "bc".into()]).is_err());
    }

    #[test]
    fn every_stranger_is_another() {
        let requests = Requests::strangers(Series::any()).unwrap();
        let seen: BTreeSet<String> = next(&requests, 50).into_iter().collect();
        assert_eq!(seen.len(), 50);
    }

    /// The gateway's own judgement of a header.
    fn verifies(header: &str, method: &str, path: &str) -> bool {
        let entry = contract::keyring::HmacEntry {
            id: "me".into(),
            secret: SECRET.into(),
            tenant: "acme".into(),
            user: None,
            roles: vec![],
            masking: None,
        };
        let headers = [("authorization", header.as_bytes())];
        let presented = auth::credential::take(headers.into_iter(), true);
        let Ok(Some(auth::credential::Presented::Signed(signed))) = presented else { return false };
        auth::hmac::verify(&signed, Some(&entry), method, path)
    }

    #[test]
    fn every_signature_is_right_and_every_nonce_new() {
        let credential = Credential { id: "me", secret: SECRET, signature: Signature::Right };
        let chats = next(&Requests::signed_chat(CHAT, credential).unwrap(), 20);
        assert!(chats.iter().all(|header| verifies(header, "POST", PATH)), "{chats:?}");
        assert_eq!(chats.iter().collect::<BTreeSet<_>>().len(), 20);
        let models = next(&Requests::signed_models(credential).unwrap(), 2);
        assert!(models.iter().all(|header| verifies(header, "GET", "/v1/models")), "{models:?}");
    }

    #[test]
    fn a_spoilt_signature_is_wrong_where_it_should_be() {
        for signature in [Signature::WrongAtFirst, Signature::WrongAtLast] {
            let credential = Credential { id: "me", secret: SECRET, signature };
            let headers = next(&Requests::signed_models(credential).unwrap(), 5);
            assert!(headers.iter().all(|it| !verifies(it, "GET", "/v1/models")), "{headers:?}");
        }
    }
}
