//! Endpoints as people and tools write them.

use model::{Endpoint, Host};
use std::collections::BTreeSet;

/// `http://HOST:PORT`, `https://HOST:PORT` or `HOST:PORT`; one without a scheme
/// takes `tls`.
///
/// # Errors
/// Says what is wrong in words that follow its place; quotes nothing, because a
/// URL may hold a password.
pub(crate) fn endpoint(text: &str, tls: bool) -> Result<Endpoint, String> {
    if text.contains("://") {
        return Endpoint::parse(text);
    }
    let scheme = if tls { "https" } else { "http" };
    let endpoint = Endpoint::parse(&format!("{scheme}://{text}"));
    endpoint.ok().filter(|_| names_a_port(text)).ok_or_else(|| {
        "is not an endpoint; write HOST:PORT, http://HOST:PORT or https://HOST:PORT".to_owned()
    })
}

/// A scheme has a usual port; without one there is nothing to guess from.
fn names_a_port(authority: &str) -> bool {
    let after_ip = authority.rsplit_once(']').map_or(authority, |(_, rest)| rest);
    after_ip.contains(':')
}

/// The endpoints of a list so far.
///
/// One that comes twice is an error, as it is in the configuration: who writes a
/// list by hand meant another one, and a list that a tool wrote wrong is not to be
/// trusted. Dropping it in silence would leave an engine without work.
#[derive(Default)]
pub(crate) struct List {
    endpoints: Vec<Endpoint>,
    places: BTreeSet<(Host, u16)>,
}

impl List {
    /// Adds an endpoint.
    ///
    /// # Errors
    /// That its host and port are there already, in words that follow its place.
    pub(crate) fn push(&mut self, endpoint: Endpoint) -> Result<(), String> {
        if !self.places.insert((endpoint.host.clone(), endpoint.port)) {
            return Err("is there already".to_owned());
        }
        self.endpoints.push(endpoint);
        Ok(())
    }

    /// All of them, in the order they came in.
    pub(crate) fn into_endpoints(self) -> Vec<Endpoint> {
        self.endpoints
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
        let table = [
            ("10.0.0.1:8000", Some("http://10.0.0.1:8000")),
            ("[::1]:8000", Some("http://[::1]:8000")),
            ("Llama.gpu.svc:8000", Some("http://llama.gpu.svc:8000")),
            ("https://llama.gpu.svc", Some("https://llama.gpu.svc:443")),
            ("http://10.0.0.1:8000", Some("http://10.0.0.1:8000")),
            ("10.0.0.1", None),
            ("[::1]", None),
            ("::1", None),
            ("llama", None),
            ("8000", None),
            ("", None),
            ("10.0.0.1:0", None),
            ("10.0.0.1:8000/v1", None),
            ("me:hunter2@10.0.0.1:8000", None),
            ("unix:/run/engine", None),
            ("ftp://10.0.0.1:21", None),
        ];
        for (text, expected) in table {
            let parsed = endpoint(text, false).ok().map(|endpoint| endpoint.to_string());
            assert_eq!(parsed.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_scheme_of_the_pool_is_for_those_without() {
        assert!(endpoint("10.0.0.1:8000", true).unwrap().tls);
        assert!(!endpoint("http://10.0.0.1:8000", true).unwrap().tls);
    }

    #[test]
    fn one_that_comes_twice_is_an_error_whatever_its_scheme() {
        let mut list = List::default();
        list.push(endpoint("engine:8000", false).unwrap()).unwrap();
        let again = list.push(endpoint("https://ENGINE:8000", false).unwrap());
        assert_eq!(again.unwrap_err(), "is there already");
        list.push(endpoint("engine:8001", false).unwrap()).unwrap();
        assert_eq!(list.into_endpoints().len(), 2);
    }
}
