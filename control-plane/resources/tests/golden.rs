//! The resources of a small plan, against a text that people have read.
//! `GOLDEN=write cargo test -p resources` writes it anew.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[cfg(test)]
mod fixture;

use envoy_types::pb::envoy::config::cluster::v3::Cluster;
use envoy_types::pb::envoy::config::listener::v3::filter::ConfigType;
use envoy_types::pb::envoy::extensions::filters::http::jwt_authn::v3::JwtAuthentication;
use envoy_types::pb::envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
use envoy_types::pb::envoy::extensions::http::early_header_mutation::header_mutation::v3::HeaderMutation;
use envoy_types::pb::envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
use envoy_types::pb::google::protobuf::StringValue;
use prost::Message;
use resources::EnvoyResources;
use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::path::Path;

#[test]
fn a_small_plan_becomes_what_was_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/small-plan.txt");
    let shown = show(&fixture::on_paper());
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(&path, &shown).unwrap();
    }
    let read = std::fs::read_to_string(&path).unwrap();
    for (number, (got, expected)) in shown.lines().zip(read.lines()).enumerate() {
        assert_eq!(got, expected, "{}:{}", path.display(), number + 1);
    }
    assert_eq!(shown.lines().count(), read.lines().count());
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    let bytes = || {
        let all = fixture::on_paper();
        let listeners = all.listeners.iter().map(Message::encode_to_vec);
        let clusters = all.clusters.iter().map(Message::encode_to_vec);
        let extensions = all.extensions.iter().map(Message::encode_to_vec);
        listeners.chain(clusters).chain(extensions).collect::<Vec<_>>()
    };
    let first = bytes();
    assert!((0..10).all(|_| bytes() == first));
}

fn show(all: &EnvoyResources) -> String {
    let mut text = String::new();
    all.clusters.iter().for_each(|one| section(&mut text, "cluster", one));
    all.clusters.iter().filter(|one| one.name.starts_with("pool/")).for_each(|one| {
        section(&mut text, &format!("protocol of {}", one.name), &protocol(one));
    });
    all.endpoints.iter().for_each(|one| section(&mut text, "endpoints", one));
    all.routes.iter().for_each(|one| section(&mut text, "routes", one));
    all.listeners.iter().for_each(|one| section(&mut text, "listener", one));
    section(&mut text, "connection manager", &manager(all));
    section(&mut text, "early header mutation", &mutations(all));
    let mut tokens = tokens(all);
    let providers = std::mem::take(&mut tokens.providers).into_iter();
    providers.collect::<BTreeMap<_, _>>().iter().for_each(|(name, one)| {
        section(&mut text, &format!("issuer {name}"), one);
    });
    section(&mut text, "tokens", &tokens);
    section(&mut text, "filter", &wasm(all));
    writeln!(text, "== filter configuration\n{}", configuration(all)).unwrap();
    text
}

fn protocol(cluster: &Cluster) -> HttpProtocolOptions {
    let options = cluster.typed_extension_protocol_options.values().next().unwrap();
    HttpProtocolOptions::decode(&*options.value).unwrap()
}

fn manager(all: &EnvoyResources) -> HttpConnectionManager {
    match all.listeners[0].filter_chains[0].filters[0].config_type.as_ref().unwrap() {
        ConfigType::TypedConfig(any) => HttpConnectionManager::decode(&*any.value).unwrap(),
        ConfigType::ConfigDiscovery(_) => panic!("not by discovery"),
    }
}

fn mutations(all: &EnvoyResources) -> HeaderMutation {
    let extension = manager(all).early_header_mutation_extensions.remove(0);
    HeaderMutation::decode(&*extension.typed_config.unwrap().value).unwrap()
}

fn wasm(all: &EnvoyResources) -> Wasm {
    Wasm::decode(extension(all, "gateway")).unwrap()
}

fn tokens(all: &EnvoyResources) -> JwtAuthentication {
    JwtAuthentication::decode(extension(all, "jwt")).unwrap()
}

fn extension<'a>(all: &'a EnvoyResources, name: &str) -> &'a [u8] {
    let found = all.extensions.iter().find(|one| one.name == name).unwrap();
    &found.typed_config.as_ref().unwrap().value
}

fn configuration(all: &EnvoyResources) -> String {
    let any = wasm(all).config.unwrap().configuration.unwrap();
    StringValue::decode(&*any.value).unwrap().value
}

/// The message without the fields that say nothing, the brackets that the
/// indentation shows, and the bytes of what has a section of its own.
fn section(text: &mut String, title: &str, message: &impl Debug) {
    writeln!(text, "== {title}").unwrap();
    let shown = format!("{message:#?}");
    shown.lines().filter(|line| says_something(line)).for_each(|line| {
        writeln!(text, "{line}").unwrap();
    });
}

fn says_something(line: &str) -> bool {
    const EMPTY: [&str; 6] = [": None,", ": [],", ": {},", ": \"\",", ": false,", ": 0,"];
    let word = line.trim().trim_end_matches(',');
    let bracket = ["}", "]", ")", "Some("].contains(&word);
    !bracket && word.parse::<u8>().is_err() && !EMPTY.iter().any(|end| line.ends_with(end))
}
