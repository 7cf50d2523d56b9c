//! The configuration of the filter that verifies tokens, a resource of ECDS: Envoy's
//! own `jwt_authn`. It refuses nothing. What it has verified it hands over in a
//! header, and the filter `gateway` behind it refuses what was not.

use crate::well_known::duration;
use crate::{Jwks, TranslateError, key_clusters};
use contract::limits::TOKEN_LEEWAY_S;
use contract::names::JWT;
use envoy_types::pb::envoy::config::core::v3::{
    DataSource, HttpUri, TypedExtensionConfig, data_source, http_uri::HttpUpstreamType,
};
use envoy_types::pb::envoy::config::route::v3::{RouteMatch, route_match::PathSpecifier};
use envoy_types::pb::envoy::extensions::filters::http::jwt_authn::v3::{
    JwksAsyncFetch, JwtHeader, JwtProvider, JwtRequirement, JwtRequirementOrList, RemoteJwks,
    RequirementRule, jwt_provider::JwksSourceSpecifier, jwt_requirement::RequiresType,
    requirement_rule::RequirementType,
};
use envoy_types::pb::google::protobuf::Any;
use plan::{IssuerPlan, Jwks as Source, JwksUrl};
use prost::Message;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// The filter's type: the one message that a listener takes under [`JWT`].
pub(crate) const TYPE_URL: &str =
    "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";

/// How long one fetch of keys may take. A request whose issuer's keys are not there yet
/// waits for it.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Time from a fetch that failed to the next one; the keys that are there stay.
const FETCH_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// `JwtAuthentication` with the fields that are used. Declared here, because the map
/// of the generated one has no order: the same issuers would be other bytes, and sent
/// again, with every translation.
#[derive(Clone, PartialEq, Message)]
struct JwtAuthentication {
    #[prost(btree_map = "string, message", tag = "1")]
    providers: BTreeMap<String, JwtProvider>,
    #[prost(message, repeated, tag = "2")]
    rules: Vec<RequirementRule>,
}

/// What the filter `jwt` is to verify: nothing, when there are no issuers.
pub(crate) fn filter(
    issuers: &[IssuerPlan],
    read: &BTreeMap<PathBuf, Jwks>,
) -> Result<TypedExtensionConfig, TranslateError> {
    let named = |issuer: &IssuerPlan| Ok((issuer.issuer.clone(), provider(issuer, read)?));
    let filter = JwtAuthentication {
        providers: issuers.iter().map(named).collect::<Result<_, TranslateError>>()?,
        rules: (!issuers.is_empty()).then(|| rule(issuers)).into_iter().collect(),
    };
    let typed_config = Some(Any { type_url: TYPE_URL.to_owned(), value: filter.encode_to_vec() });
    Ok(TypedExtensionConfig { name: JWT.to_owned(), typed_config })
}

fn provider(
    issuer: &IssuerPlan,
    read: &BTreeMap<PathBuf, Jwks>,
) -> Result<JwtProvider, TranslateError> {
    Ok(JwtProvider {
        issuer: issuer.issuer.clone(),
        audiences: issuer.audiences.clone(),
        require_expiration: true,
        clock_skew_seconds: u32::try_from(TOKEN_LEEWAY_S).unwrap_or(u32::MAX),
        // Without it Envoy would look into the query, too. It tells the cases of a scheme
        // apart, which have no meaning (RFC 9110 §11.1): the two that clients write.
        from_headers: ["Bearer ", "bearer "].map(in_authorization).to_vec(),
        // The gateway's filter sees what was presented, and removes it itself.
        forward: true,
        forward_payload_header: issuer.payload_header.clone(),
        jwks_source_specifier: Some(match &issuer.jwks {
            Source::File(path) => JwksSourceSpecifier::LocalJwks(inline(issuer, path, read)?),
            Source::Url(url) => JwksSourceSpecifier::RemoteJwks(remote(url, issuer.refresh)),
        }),
        ..JwtProvider::default()
    })
}

fn in_authorization(scheme: &str) -> JwtHeader {
    JwtHeader { name: "Authorization".to_owned(), value_prefix: scheme.to_owned() }
}

fn inline(
    issuer: &IssuerPlan,
    path: &PathBuf,
    read: &BTreeMap<PathBuf, Jwks>,
) -> Result<DataSource, TranslateError> {
    let keys = read.get(path).ok_or_else(|| {
        TranslateError::NotRead(format!(
            "the file {} with the keys of {}",
            path.display(),
            issuer.issuer
        ))
    })?;
    let specifier = Some(data_source::Specifier::InlineString(keys.as_str().to_owned()));
    Ok(DataSource { specifier, ..DataSource::default() })
}

/// Keys that Envoy fetches ahead of time on its main thread and shares with all
/// workers. The listener does not wait for them: an issuer that is away must not keep
/// the callers of all others out.
fn remote(url: &JwksUrl, refresh: Duration) -> RemoteJwks {
    RemoteJwks {
        http_uri: Some(HttpUri {
            uri: url.text.clone(),
            timeout: duration(FETCH_TIMEOUT),
            http_upstream_type: Some(HttpUpstreamType::Cluster(key_clusters::name(url))),
        }),
        cache_duration: duration(refresh),
        async_fetch: Some(JwksAsyncFetch {
            fast_listener: true,
            failed_refetch_duration: duration(FETCH_AGAIN_AFTER),
        }),
        ..RemoteJwks::default()
    }
}

/// On every path: the token of whichever issuer it is, or none.
fn rule(issuers: &[IssuerPlan]) -> RequirementRule {
    let from = |issuer: &IssuerPlan| RequiresType::ProviderName(issuer.issuer.clone());
    // Last, and never alone: Envoy looks for tokens only where those before it would.
    let anyhow = RequiresType::AllowMissingOrFailed(Default::default());
    let any = issuers.iter().map(from).chain([anyhow]).map(requirement).collect();
    RequirementRule {
        r#match: Some(RouteMatch {
            path_specifier: Some(PathSpecifier::Prefix("/".to_owned())),
            ..RouteMatch::default()
        }),
        requirement_type: Some(RequirementType::Requires(requirement(RequiresType::RequiresAny(
            JwtRequirementOrList { requirements: any },
        )))),
    }
}

fn requirement(kind: RequiresType) -> JwtRequirement {
    JwtRequirement { requires_type: Some(kind) }
}
