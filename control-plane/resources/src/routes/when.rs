//! Which requests are on which route.

use super::{Copy, Way};
use contract::names::{CHAIN_KEY, CHAIN_METADATA, POOL_HEADER, SHADOW_HEADER, STREAM_HEADER};
use envoy_types::pb::envoy::config::route::v3::{
    HeaderMatcher, RouteMatch, header_matcher::HeaderMatchSpecifier, route_match::PathSpecifier,
};
use envoy_types::pb::envoy::r#type::matcher::v3::{
    MetadataMatcher, StringMatcher, ValueMatcher,
    metadata_matcher::{PathSegment, path_segment::Segment},
    string_matcher::MatchPattern,
    value_matcher,
};

/// The match of requests that go this way.
pub(super) fn is(way: Way<'_>) -> RouteMatch {
    let pool = (!way.chained).then(|| present(POOL_HEADER, true));
    let streamed = way.streamed.then(|| present(STREAM_HEADER, true));
    let copied = match way.copy {
        Copy::Unnamed => Some(present(SHADOW_HEADER, false)),
        Copy::To(cluster) => Some(copied(cluster)),
        Copy::Nobody => None,
    };
    RouteMatch {
        headers: pool.into_iter().chain(streamed).chain(copied).collect(),
        // The header is gone when the router looks: it has become metadata.
        dynamic_metadata: way.chained.then(chained).into_iter().collect(),
        ..RouteMatch::default()
    }
}

/// The same, for every path.
pub(super) fn every_path(when: RouteMatch) -> RouteMatch {
    RouteMatch { path_specifier: Some(PathSpecifier::Prefix("/".to_owned())), ..when }
}

fn chained() -> MetadataMatcher {
    MetadataMatcher {
        filter: CHAIN_METADATA.to_owned(),
        path: vec![PathSegment { segment: Some(Segment::Key(CHAIN_KEY.to_owned())) }],
        value: Some(ValueMatcher {
            match_pattern: Some(value_matcher::MatchPattern::PresentMatch(true)),
        }),
        ..MetadataMatcher::default()
    }
}

fn copied(cluster: &str) -> HeaderMatcher {
    let exact = StringMatcher {
        match_pattern: Some(MatchPattern::Exact(cluster.to_owned())),
        ..StringMatcher::default()
    };
    HeaderMatcher {
        name: SHADOW_HEADER.to_owned(),
        header_match_specifier: Some(HeaderMatchSpecifier::StringMatch(exact)),
        ..HeaderMatcher::default()
    }
}

fn present(name: &str, there: bool) -> HeaderMatcher {
    HeaderMatcher {
        name: name.to_owned(),
        invert_match: !there,
        header_match_specifier: Some(HeaderMatchSpecifier::PresentMatch(true)),
        ..HeaderMatcher::default()
    }
}
