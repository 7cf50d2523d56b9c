use super::*;
use proptest::prelude::*;

fn outcome(text: &str) -> String {
    match read(text, false) {
        Ok(endpoints) => endpoints.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        Err(Fault { line, column, what }) => format!("{line}:{column}: {what}"),
    }
}

#[test]
fn lists() {
    let table = [
        ("- 10.0.0.1:8000\n- https://b:1\n", "http://10.0.0.1:8000 https://b:1"),
        ("[\"10.0.0.1:8000\", \"http://b\"]", "http://10.0.0.1:8000 http://b:80"),
        ("- '[::1]:8000'\n", "http://[::1]:8000"),
        ("[]\n", ""),
        ("", "1:1: the file is empty"),
        ("# nothing yet\n", "2:1: the file is empty"),
        ("10.0.0.1:8000\n", "1:1: is neither a list nor Envoy's `resources:`"),
        ("endpoints: []\n", "1:1: is neither a list nor Envoy's: there is no `resources`"),
        ("- a:1\n- address: b\n", "2:3: this entry is not text; write HOST:PORT or a URL"),
        ("- a:1\n-\n", "2:2: this entry is not text; write HOST:PORT or a URL"),
        ("- a:1\n- b:2\n- A:1\n", "3:3: this entry is there already"),
        (
            "- a:1\n- http://me:hunter2@b:2\n",
            "2:3: this entry holds a user; credentials do not belong into an address",
        ),
        (
            "- 8000\n",
            "1:3: this entry is not an endpoint; write HOST:PORT, http://HOST:PORT or https://HOST:PORT",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(outcome(text), expected, "{text}");
    }
}

const EDS: &str = r#"
version_info: "7"
resources:
- "@type": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment
  cluster_name: llama
  endpoints:
  - locality: { zone: a }
    priority: 0
    lb_endpoints:
    - endpoint: { hostname: x, address: { socket_address: { address: 10.0.0.1, port_value: 8000 } } }
      load_balancing_weight: 3
    - endpoint: { address: { socket_address: { address: 10.0.0.2, port_value: 8000 } } }
      health_status: DRAINING
    - endpoint: { address: { socket_address: { address: "::1", port_value: 8000 } } }
      health_status: HEALTHY
  - lb_endpoints:
    - endpoint: { address: { socket_address: { address: 10.0.0.3, port_value: 8000 } } }
      health_status: 2
    - endpoint: { address: { socket_address: { address: engine, port_value: 8001 } } }
      health_status: DEGRADED
"#;

#[test]
fn the_file_of_envoy() {
    let expected = "http://10.0.0.1:8000 http://[::1]:8000 http://engine:8001";
    assert_eq!(outcome(EDS), expected);
    assert!(read(EDS, true).unwrap().iter().all(|endpoint| endpoint.tls));
}

#[test]
fn the_file_of_envoy_in_json() {
    let json = |socket: &str| {
        format!(
            r#"{{"versionInfo": "7", "resources": [{{"clusterName": "llama", "endpoints":
            [{{"lbEndpoints": [{{"endpoint": {{"address": {{"socketAddress": {socket}}}}}}}]}}]}}]}}"#
        )
    };
    let good = json(r#"{"address": "10.0.0.1", "portValue": 8000}"#);
    assert_eq!(outcome(&good), "http://10.0.0.1:8000");
    let no_port = json(r#"{"address": "10.0.0.1", "namedPort": "http"}"#);
    assert_eq!(outcome(&no_port), "2:74: this address lacks `address` or `port_value`");
    let no_address = json(r#"{"address": "10.0.0.300", "portValue": 8000}"#);
    assert!(outcome(&no_address).starts_with("2:74: this entry is not an endpoint"));
}

#[test]
fn files_of_envoy_that_are_refused() {
    let one = "cluster_name: a, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: \
               {address: a, port_value: 1}}}}]}]";
    let table = [
        ("resources: []".to_owned(), ""),
        ("resources:\n".to_owned(), ""),
        ("resources: [{cluster_name: a}]".to_owned(), ""),
        ("resources: 7".to_owned(), "1:12: a list should be here"),
        ("resources: [7]".to_owned(), "1:13: there is no `cluster_name`"),
        ("resources: [{}]".to_owned(), "1:13: there is no `cluster_name`"),
        ("resources: [{cluster_name: a, endpoints: [7]}]".to_owned(), "1:43: a map should be here"),
        (
            "resources:\n- {cluster_name: a}\n- {cluster_name: b}\n".to_owned(),
            "3:3: another cluster; one file is for one pool",
        ),
        (
            "resources: [{\"@type\": type.googleapis.com/envoy.config.cluster.v3.Cluster}]"
                .to_owned(),
            "1:13: this resource is no ClusterLoadAssignment",
        ),
        (
            "resources: [{cluster_name: a, endpoints: [{lb_endpoints: [{endpoint_name: b}]}]}]"
                .to_owned(),
            "1:59: this endpoint has no `endpoint.address.socket_address`",
        ),
        (format!("resources:\n- {{{one}}}\n- {{{one}}}\n"), "3:87: this entry is there already"),
    ];
    for (text, expected) in table {
        assert_eq!(outcome(&text), expected, "{text}");
    }
}

#[test]
fn every_half_of_a_json_file_is_refused() {
    let whole = r#"["http://10.0.0.1:8000", "http://10.0.0.2:8000"]"#;
    for length in 0..whole.len() {
        let half: String = whole.chars().take(length).collect();
        assert!(read(&half, false).is_err(), "{half}");
    }
    assert!(read(whole, false).is_ok());
}

#[test]
fn a_large_pool_fits() {
    let endpoint = |number: u16| {
        format!(
            "{{\"endpoint\":{{\"address\":{{\"socket_address\":\
             {{\"address\":\"10.0.{}.{}\",\"port_value\":8000}}}}}}}}",
            number / 250,
            number % 250
        )
    };
    let endpoints: Vec<String> = (0..10_000).map(endpoint).collect();
    let text = format!(
        "{{\"resources\":[{{\"cluster_name\":\"a\",\"endpoints\":[{{\"lb_endpoints\":[{}]}}]}}]}}",
        endpoints.join(",")
    );
    assert_eq!(read(&text, false).unwrap().len(), 10_000);
}

/// A file of Envoy with passwords where they do not belong, and one place damaged.
fn damaged() -> impl Strategy<Value = String> {
    let secret = EDS.replace("10.0.0.", "http://me:hunter2@10.0.0.");
    let length = secret.chars().count();
    let junk =
        prop::sample::select(vec!["", "[", "]", "{", "}", ":", "- ", "\n", "\"", "&a", "*a"]);
    (0..length, 0..4_usize, junk).prop_map(move |(place, gone, junk)| {
        let before = secret.chars().take(place);
        before.chain(junk.chars()).chain(secret.chars().skip(place + gone)).collect()
    })
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[-a1:,{}\\[\\]\"'&*!|>#?~% \t\n.]{0,60}") {
        if let Err(fault) = read(&text, false) {
            prop_assert!(fault.line > 0 && fault.column > 0 && !fault.what.is_empty(), "{fault:?}");
        }
    }

    #[test]
    fn no_fault_quotes_the_file(text in damaged()) {
        if let Err(fault) = read(&text, false) {
            prop_assert!(!fault.what.contains("hunter2"), "{fault:?}");
        }
    }
}
