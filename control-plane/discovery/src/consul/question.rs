//! One question to Consul and its answer.

use super::instances::Instance;
use crate::reason;
use model::Consul;
use model::Secret;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use std::time::Duration;

/// How long Consul may keep a question open. Short enough for a connection that
/// died unnoticed to be found out.
const WAIT: &str = "30s";

/// Consul adds up to a sixteenth to [`WAIT`]; the rest is for the way.
const ANSWER_WITHIN: Duration = Duration::from_secs(42);

/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Largest answer in bytes: about 10,000 instances with their checks.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// What is shown in the place of the token.
const HIDDEN: &str = "<token>";

/// What is asked again and again.
pub(super) struct Question {
    http: Client,
    url: Url,
    token: Option<Secret>,
}

/// What Consul answered.
pub(super) struct Answer {
    pub(super) index: u64,
    pub(super) instances: Vec<Instance>,
}

impl Question {
    /// # Errors
    /// Why Consul cannot be asked at all.
    pub(super) fn new(consul: Consul) -> Result<Self, String> {
        let url = url(&consul).ok_or("`address` is not a URL")?;
        Ok(Question { http: client(consul.token.as_ref())?, url, token: consul.token })
    }

    /// Asks for the instances; with an index from 1 on, for those after it.
    ///
    /// # Errors
    /// Why there is no answer that can be used; holds no token.
    pub(super) async fn ask(&self, index: u64) -> Result<Answer, String> {
        let request = self.http.get(self.url.clone());
        let request = match index {
            0 => request,
            index => request.query(&[("index", index.to_string().as_str()), ("wait", WAIT)]),
        };
        let response = request.send().await.map_err(|error| told(error, "reached"))?;
        let (status, index) = (response.status(), index_of(&response));
        let body = body(response).await?;
        if !status.is_success() {
            let why = self.shown(&String::from_utf8_lossy(&body));
            return Err(format!("Consul answers {}: {why}", status.as_u16()));
        }
        let index = index.ok_or("the answer has no X-Consul-Index; is this Consul?")?;
        let instances = serde_json::from_slice(&body);
        let instances = instances.map_err(|error| malformed(&error))?;
        Ok(Answer { index, instances })
    }

    /// Text of an answer as it may be shown: in one line and without the token,
    /// which is taken out before the text is cut.
    pub(super) fn shown(&self, foreign: &str) -> String {
        reason::one_line(&match &self.token {
            Some(token) if !token.reveal().is_empty() => foreign.replace(token.reveal(), HIDDEN),
            _ => foreign.to_owned(),
        })
    }

    /// Whether `text` is the token, as a host name would show it.
    pub(super) fn is_token(&self, text: &str) -> bool {
        self.token.as_ref().is_some_and(|token| token.reveal().eq_ignore_ascii_case(text))
    }
}

/// Straight to Consul: neither a proxy nor a redirect gets the token.
fn client(token: Option<&Secret>) -> Result<Client, String> {
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        let mut value = HeaderValue::from_str(token.reveal())
            .map_err(|_| "`token` has characters that a header cannot have")?;
        value.set_sensitive(true);
        headers.insert("x-consul-token", value);
    }
    let builder = Client::builder().default_headers(headers).no_proxy().redirect(Policy::none());
    let builder = builder.connect_timeout(CONNECT_WITHIN).timeout(ANSWER_WITHIN);
    builder.build().map_err(|error| reason::chain(&error))
}

fn url(consul: &Consul) -> Option<Url> {
    let mut url = Url::parse(&consul.address).ok()?;
    let path = ["v1", "health", "service", &consul.service];
    url.path_segments_mut().ok()?.pop_if_empty().extend(path);
    url.query_pairs_mut().append_pair("passing", "true");
    for (name, value) in [("tag", &consul.tag), ("dc", &consul.datacenter)] {
        if let Some(value) = value {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    Some(url)
}

fn index_of(response: &Response) -> Option<u64> {
    response.headers().get("x-consul-index")?.to_str().ok()?.parse().ok()
}

async fn body(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| told(error, "read"))? {
        if body.len() + piece.len() > ANSWER_BYTES_MAX {
            return Err(format!("Consul answers with more than {} MiB", ANSWER_BYTES_MAX >> 20));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// The URL is left out: it may hold a password.
fn told(error: reqwest::Error, cannot_be: &str) -> String {
    format!("Consul cannot be {cannot_be}: {}", reason::chain(&error.without_url()))
}

/// The parser's own words quote what it read.
fn malformed(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    format!("Consul's answer is not a list of instances (line {line}, column {column})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_that_of_the_service_with_its_filters() {
        let consul = |address: &str, tag: Option<&str>, datacenter: Option<&str>| Consul {
            service: "llama/70b ä".to_owned(),
            address: address.to_owned(),
            tag: tag.map(str::to_owned),
            datacenter: datacenter.map(str::to_owned),
            token: None,
        };
        let table = [
            (
                consul("http://c:8500", None, None),
                "http://c:8500/v1/health/service/{}?passing=true",
            ),
            (
                consul("http://c:8500/", Some("blue"), None),
                "http://c:8500/v1/health/service/{}?passing=true&tag=blue",
            ),
            (
                consul("https://c/consul/", Some("a&b"), Some("dc2")),
                "https://c/consul/v1/health/service/{}?passing=true&tag=a%26b&dc=dc2",
            ),
        ];
        for (consul, expected) in table {
            let expected = expected.replace("{}", "llama%2F70b%20%C3%A4");
            assert_eq!(url(&consul).unwrap().as_str(), expected);
        }
        assert!(url(&consul("consul", None, None)).is_none());
    }

    #[test]
    fn a_token_that_no_header_can_have_is_refused_without_showing_it() {
        let refused = client(Some(&Secret::new("made\nup".to_owned()))).err().unwrap();
        assert_eq!(refused, "`token` has characters that a header cannot have");
    }
}
