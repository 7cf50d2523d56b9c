//! The last word on the resources is Envoy's: it validates them, and serves with
//! them. The Envoy is `$ENVOY`, or the one that `make build` links.

#[cfg(test)]
mod control_ports;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod process;

use process::{
    Gateway, as_sent, engine, for_this_envoy, inlined, module, resources_for_this_envoy, validate,
};
use resources::bootstrap::{Bootstrap, render};
use resources::consistency::check;
use resources::secrets::{Certificate, ClientCa};
use resources::{Material, Placement, translate};

#[test]
fn envoy_takes_the_resources() {
    let folder = tempfile::tempdir().unwrap();
    let wasm = module(folder.path());
    let engine = "192.0.2.7:8000".parse().unwrap();
    let resources = resources_for_this_envoy(engine, &wasm, &folder.path().join("usage.jsonl"));
    let inlined = inlined(resources.clone(), folder.path());
    for (name, bytes) in [("inlined", inlined), ("sent", as_sent(resources))] {
        let file = folder.path().join(name).with_extension("pb");
        std::fs::write(&file, bytes).unwrap();
        validate(&file);
    }
}

#[test]
fn envoy_takes_the_bootstrap() {
    let folder = tempfile::tempdir().unwrap();
    for control in control_ports::all(folder.path()) {
        let bootstrap = Bootstrap {
            node_id: "gateway-1".to_owned(),
            control,
            envoy_admin: "127.0.0.1:0".parse().unwrap(),
            wasm: module(folder.path()),
        };
        let file = folder.path().join("bootstrap.json");
        std::fs::write(&file, render(&bootstrap).unwrap()).unwrap();
        validate(&file);
    }
}

#[test]
fn envoy_takes_a_listener_with_tls_that_asks_for_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["gateway.example".to_owned()]).unwrap();
    let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let certificate = Certificate::parse(pem.as_bytes(), key.as_bytes()).unwrap();
    let mut plan = for_this_envoy(fixture::plan("192.0.2.7:8000".parse().unwrap()));
    plan.listener.client_certificates = true;
    let (wasm, spool_file) = (module(folder.path()), folder.path().join("usage.jsonl"));
    let placement = Placement { wasm, spool_file };
    let client_ca = ClientCa::parse(pem.as_bytes()).ok();
    let material = Material { certificate: Some(certificate), client_ca, ..fixture::material() };
    let resources = translate(&plan, &placement, &material).unwrap();
    assert_eq!(check(&resources).map_err(|faults| faults.len()), Ok(()));
    let file = folder.path().join("sent.pb");
    std::fs::write(&file, as_sent(resources)).unwrap();
    validate(&file);
}

/// What Envoy answers by itself, by request: status, code, whether in Anthropic's shape.
fn own_replies() -> Vec<(String, u16, &'static str, bool)> {
    let get = |target: &str, headers: &str| format!("GET {target} HTTP/1.1\r\n{headers}\r\n");
    let host = "host: a\r\nconnection: close\r\n";
    let post = |target: &str, length: usize| {
        let body = " ".repeat(length);
        format!("POST {target} HTTP/1.1\r\n{host}content-length: {length}\r\n\r\n{body}")
    };
    let large = format!("{host}a: {}\r\n", "a".repeat(70_000));
    let many = format!("{host}{}", "a: 1\r\n".repeat(101));
    let framed = |headers: &str| format!("POST /v1/x HTTP/1.1\r\n{host}{headers}\r\n\r\n0\r\n\r\n");
    vec![
        ("GET /v1/x HTTP/1.0\r\nhost: a\r\n\r\n".to_owned(), 426, "invalid_request", false),
        (format!("CONNECT a:443 HTTP/1.1\r\n{host}\r\n"), 404, "not_found", false),
        (format!("BREW /v1/x HTTP/1.1\r\n{host}\r\n"), 400, "invalid_request", false),
        (get("/v1/x", &many), 431, "invalid_request", false),
        (get("/v1/messages#x", host), 400, "invalid_request", true),
        (get("/v1\\..%5cx", host), 400, "invalid_request", false),
        (get("ftp://a/v1/x", host), 400, "invalid_request", false),
        (get("/v1/x", "host: a b\r\nconnection: close\r\n"), 400, "invalid_request", false),
        (framed("transfer-encoding: gzip, chunked"), 501, "invalid_request", false),
        (framed("transfer-encoding: xchunked"), 501, "invalid_request", false),
        (framed("transfer-encoding: chunked\r\ncontent-length: 5"), 400, "invalid_request", false),
        (framed("content-length: 5\r\ncontent-length: 6"), 400, "invalid_request", false),
        (framed("content-length: 5, 5"), 400, "invalid_request", false),
        (get("/v1%2fx", host), 400, "invalid_request", false),
        (get("/v1/messages%2f", host), 400, "invalid_request", true),
        (get("/v1/x", "connection: close\r\n"), 400, "invalid_request", false),
        (
            get("/v1/x", "host: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n"),
            400,
            "invalid_request",
            false,
        ),
        (
            "OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".to_owned(),
            404,
            "not_found",
            false,
        ),
        (get("/v1/x", &large), 431, "invalid_request", false),
        ("BLAH\r\n\r\n".to_owned(), 400, "invalid_request", false),
        (post("/v1/chat/completions", 10), 503, "no_healthy_engine", false),
        (post("/v1/messages", 10), 503, "no_healthy_engine", true),
        (
            get("/v1/x", &format!("{host}x-tollgate-pool: pool/small\r\n")),
            503,
            "no_healthy_engine",
            false,
        ),
        (
            get("/v1/x", &format!("{host}x-tollgate-chain: CgA=\r\n")),
            503,
            "no_healthy_engine",
            false,
        ),
    ]
}

#[test]
fn what_envoy_answers_itself_is_in_the_contracts_words() {
    let gateway = Gateway::start(engine());
    for (request, status, code, anthropic) in own_replies() {
        let reply = gateway.ask(request.as_bytes());
        let shown = request.lines().next().unwrap_or_default();
        assert_eq!(reply.status, status, "{shown}: {reply:?}");
        assert_eq!(reply.json()["error"]["code"], code, "{shown}: {reply:?}");
        assert_eq!(reply.json()["type"] == "error", anthropic, "{shown}: {reply:?}");
        assert_eq!(reply.header("content-type"), Some("application/json"), "{shown}");
        assert_eq!(reply.header("server"), Some("tollgate"), "{shown}");
        assert!(!reply.head.contains("x-envoy"), "{shown}: {reply:?}");
    }
}

/// A line in the spool with an id that the client chose could end a request of
/// his in the ledger that is still running.
#[test]
fn no_request_without_a_caller_is_in_the_spool() {
    let gateway = Gateway::start(engine());
    for target in ["/v1/x", "/v1%2fx", "/v1/x#y"] {
        let id = "x-request-id: 7d0f2a52-0000-4000-8000-000000000000";
        let request =
            format!("GET {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{id}\r\n\r\n");
        assert!(gateway.ask(request.as_bytes()).status >= 400);
    }
    assert_eq!(gateway.stop_and_read_spool(), "");
}

#[test]
fn a_served_request_has_an_id_of_the_gateways() {
    let gateway = Gateway::start(engine());
    let mine = "00000000-0000-4000-8000-000000000000";
    let request = format!(
        "GET /v1/x HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-request-id: {mine}\r\n\r\n"
    );
    let reply = gateway.ask(request.as_bytes());
    let id = reply.header("x-request-id").unwrap();
    assert_eq!(id.len(), mine.len());
    assert_ne!(id, mine);
}
