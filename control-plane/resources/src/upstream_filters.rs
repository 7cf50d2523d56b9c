//! What is done to each attempt on its way to a pool's servers. What one attempt's filters
//! do to the headers stays for the next attempt, on another pool (seen on Envoy 1.40): so
//! the first of them takes away what any pool's could have added.

use crate::TranslateError;
use crate::filter_config;
use crate::names::{EXTERNAL_ADDRESS_HEADER, INTERNAL_HEADER};
use crate::secrets::injector;
use contract::names::ENGINE;
use envoy_types::pb::envoy::config::common::mutation_rules::v3::{
    HeaderMutation, header_mutation::Action,
};
use envoy_types::pb::envoy::extensions::filters::http::header_mutation::v3 as filter;
use envoy_types::pb::envoy::extensions::filters::http::upstream_codec::v3::UpstreamCodec;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpFilter, http_filter::ConfigType,
};
use envoy_types::pb::google::protobuf::Any;
use envoy_types::util::pack_any;
use plan::PoolPlan;
use std::path::Path;

/// What all pools' clusters have in common.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'a> {
    /// The headers that carry credentials of any pool.
    pub(crate) credential_headers: &'a [String],
    /// The Wasm module.
    pub(crate) module: &'a Path,
}

/// The filters of a pool's cluster, the last of which is Envoy's codec. None at all where
/// nothing has to be done: most gateways have one kind of engine and no credentials.
pub(crate) fn of(pool: &PoolPlan, shared: Shared<'_>) -> Result<Vec<HttpFilter>, TranslateError> {
    if shared.credential_headers.is_empty() && !pool.rewritten {
        return Ok(Vec::new());
    }
    let engine = pool.rewritten.then(|| engine(shared.module)).transpose()?;
    let credential = pool
        .credentials
        .as_ref()
        .map(|plan| named("envoy.filters.http.credential_injector", pack_any(injector(plan))));
    let codec = named("envoy.filters.http.upstream_codec", pack_any(UpstreamCodec {}));
    let first = std::iter::once(clean(shared.credential_headers));
    Ok(first.chain(engine).chain(credential).chain([codec]).collect())
}

/// Takes away the credentials of all pools, and what Envoy writes on a copy of a request,
/// for which the routes' own list comes too early.
fn clean(credential_headers: &[String]) -> HttpFilter {
    let of_envoy = [EXTERNAL_ADDRESS_HEADER, INTERNAL_HEADER].map(str::to_owned);
    let names = credential_headers.iter().cloned().chain(of_envoy);
    let removed = names.map(|name| HeaderMutation { action: Some(Action::Remove(name)) });
    let mutations =
        filter::Mutations { request_mutations: removed.collect(), ..filter::Mutations::default() };
    let filter =
        filter::HeaderMutation { mutations: Some(mutations), ..filter::HeaderMutation::default() };
    named("envoy.filters.http.header_mutation", pack_any(filter))
}

fn engine(module: &Path) -> Result<HttpFilter, TranslateError> {
    Ok(named(ENGINE, pack_any(filter_config::engine(module)?)))
}

pub(crate) fn named(name: &str, config: Any) -> HttpFilter {
    HttpFilter {
        name: name.to_owned(),
        config_type: Some(ConfigType::TypedConfig(config)),
        ..HttpFilter::default()
    }
}
