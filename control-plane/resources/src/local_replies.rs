//! Answers that Envoy makes itself, in the contract's words.
//!
//! A reply of the Wasm filter is one of these for Envoy, too. It has no response
//! code details (seen on Envoy 1.40), every reply of Envoy's own has some:
//! [`made_by_envoy`] keeps the filter's as they are.

use crate::access_log::cel;
use crate::names::HOLDING_ROUTE;
use crate::well_known::{header, number};
use contract::refusal::{Code, ENVOY_ERRORS, EnvoyError, ErrorShape, Refusal};
use envoy_types::pb::envoy::config::accesslog::v3::{
    AccessLogFilter, AndFilter, ComparisonFilter, HeaderFilter, OrFilter, ResponseFlagFilter,
    StatusCodeFilter, access_log_filter::FilterSpecifier, comparison_filter::Op,
};
use envoy_types::pb::envoy::config::core::v3::{
    DataSource, RuntimeUInt32, data_source::Specifier, header_value_option::HeaderAppendAction,
};
use envoy_types::pb::envoy::config::route::v3::{
    HeaderMatcher, header_matcher::HeaderMatchSpecifier,
};
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    LocalReplyConfig, ResponseMapper,
};
use envoy_types::pb::envoy::r#type::matcher::v3::{
    RegexMatcher, StringMatcher, string_matcher::MatchPattern,
};

/// Paths whose errors have Anthropic's shape, also with what stands before the API's path at a
/// pool that has been tried: its path is on the request then. What is behind a `?` is the
/// caller's.
const ANTHROPIC_PATHS: &str = r"[^?]*/v1/messages.*";

/// What looks like an error of the contract's table by its flags, and is not: these
/// are asked first.
const FIRST: &[Rest] = &[
    Rest {
        // Until its body is there, a request is on this route: the client is silent.
        when: When::DetailsOnRoute("stream_idle_timeout", HOLDING_ROUTE),
        status: None,
        code: Code::InvalidRequest,
        message: "The body of the request took too long to arrive.",
    },
    Rest {
        // The routes are for every path; only CONNECT has none.
        when: When::Details("route_not_found"),
        status: None,
        code: Code::NotFound,
        message: "There is no such path.",
    },
];

/// What else Envoy may answer by itself, beside the errors of the contract's
/// table; the first that matches counts. The last two leave nothing over.
const REST: &[Rest] = &[
    Rest {
        when: When::Details("response_payload_too_large"),
        status: Some(502),
        code: Code::EngineError,
        message: "The inference server's answer is larger than this gateway takes.",
    },
    Rest {
        when: When::Details("upgrade_failed"),
        status: Some(400),
        code: Code::InvalidRequest,
        message: "This gateway does not switch protocols.",
    },
    Rest {
        when: When::Details("path_normalization_failed"),
        status: Some(400),
        code: Code::InvalidRequest,
        message: "The path is not well-formed; escaped slashes and fragments are not allowed.",
    },
    Rest {
        when: When::Details("missing_host_header"),
        status: Some(400),
        code: Code::InvalidRequest,
        message: "The request has no Host header.",
    },
    Rest {
        when: When::Details("request_header_timeout"),
        status: None,
        code: Code::InvalidRequest,
        message: "The headers of the request took too long to arrive.",
    },
    Rest {
        when: When::Status(Op::Eq, 426),
        status: None,
        code: Code::InvalidRequest,
        message: "This gateway speaks HTTP/1.1 and HTTP/2.",
    },
    Rest {
        when: When::Status(Op::Eq, 431),
        status: None,
        code: Code::InvalidRequest,
        message: "The headers of the request are too many or too large.",
    },
    Rest {
        when: When::Status(Op::Eq, 404),
        status: None,
        code: Code::NotFound,
        message: "There is no such path.",
    },
    Rest {
        when: When::Status(Op::Eq, 501),
        status: None,
        code: Code::InvalidRequest,
        message: "The transfer encoding of the request is not one that is taken.",
    },
    Rest {
        when: When::Status(Op::Ge, 500),
        status: Some(503),
        code: Code::FilterUnavailable,
        message: "The gateway could not serve this request.",
    },
    Rest {
        when: When::Status(Op::Ge, 400),
        status: None,
        code: Code::InvalidRequest,
        message: "The request is not well-formed HTTP.",
    },
];

struct Rest {
    when: When,
    /// `None`: Envoy's own, which says more than the code's.
    status: Option<u16>,
    code: Code,
    message: &'static str,
}

enum When {
    /// Response code details that begin so.
    Details(&'static str),
    /// The same, on the route of that name.
    DetailsOnRoute(&'static str, &'static str),
    Status(Op, u32),
}

/// Every reply that Envoy makes itself gets a body in the shape of its path.
pub(crate) fn all() -> LocalReplyConfig {
    let known = ENVOY_ERRORS
        .iter()
        .map(|error| (condition(error), Some(error.code.status()), error.refusal()));
    let (first, rest) = (FIRST.iter().map(Rest::reply), REST.iter().map(Rest::reply));
    LocalReplyConfig {
        mappers: first
            .chain(known)
            .chain(rest)
            .flat_map(|(when, status, refusal)| both_shapes(&when, status, &refusal))
            .collect(),
        ..LocalReplyConfig::default()
    }
}

fn both_shapes(
    when: &AccessLogFilter,
    status: Option<u16>,
    refusal: &Refusal,
) -> [ResponseMapper; 2] {
    let anthropic = all_of(vec![made_by_envoy(), on_messages(), when.clone()]);
    let openai = all_of(vec![made_by_envoy(), when.clone()]);
    [
        mapper(anthropic, status, refusal.body(ErrorShape::Anthropic)),
        mapper(openai, status, refusal.body(ErrorShape::OpenAi)),
    ]
}

fn mapper(filter: AccessLogFilter, status: Option<u16>, body: String) -> ResponseMapper {
    ResponseMapper {
        filter: Some(filter),
        status_code: status.and_then(|status| number(status.into())),
        body: Some(DataSource {
            specifier: Some(Specifier::InlineString(body)),
            ..DataSource::default()
        }),
        headers_to_add: vec![header(
            "content-type",
            "application/json",
            HeaderAppendAction::OverwriteIfExistsOrAdd,
        )],
        ..ResponseMapper::default()
    }
}

fn condition(error: &EnvoyError) -> AccessLogFilter {
    let flags = (!error.flags.is_empty()).then(|| flags(error.flags));
    any_of(flags.into_iter().chain(error.details.iter().map(|prefix| details(prefix))).collect())
}

impl Rest {
    fn reply(&self) -> (AccessLogFilter, Option<u16>, Refusal) {
        (self.when.condition(), self.status, Refusal::new(self.code, self.message))
    }
}

impl When {
    fn condition(&self) -> AccessLogFilter {
        match *self {
            When::Details(prefix) => details(prefix),
            When::DetailsOnRoute(prefix, route) => details_on(prefix, route),
            When::Status(op, value) => status(op, value),
        }
    }
}

fn made_by_envoy() -> AccessLogFilter {
    cel("response.code_details != ''")
}

fn details(prefix: &str) -> AccessLogFilter {
    cel(&format!("response.code_details.startsWith('{prefix}')"))
}

fn details_on(prefix: &str, route: &str) -> AccessLogFilter {
    let details = format!("response.code_details.startsWith('{prefix}')");
    cel(&format!("{details} && xds.route_name == '{route}'"))
}

fn flags(flags: &[&str]) -> AccessLogFilter {
    let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
    by(FilterSpecifier::ResponseFlagFilter(ResponseFlagFilter { flags }))
}

fn status(op: Op, value: u32) -> AccessLogFilter {
    let value =
        RuntimeUInt32 { default_value: value, runtime_key: "tollgate.local_reply".to_owned() };
    let comparison = ComparisonFilter { op: op.into(), value: Some(value) };
    by(FilterSpecifier::StatusCodeFilter(StatusCodeFilter { comparison: Some(comparison) }))
}

fn on_messages() -> AccessLogFilter {
    let regex = RegexMatcher { regex: ANTHROPIC_PATHS.to_owned(), ..RegexMatcher::default() };
    let paths = StringMatcher {
        match_pattern: Some(MatchPattern::SafeRegex(regex)),
        ..StringMatcher::default()
    };
    let header = HeaderMatcher {
        name: ":path".to_owned(),
        header_match_specifier: Some(HeaderMatchSpecifier::StringMatch(paths)),
        ..HeaderMatcher::default()
    };
    by(FilterSpecifier::HeaderFilter(HeaderFilter { header: Some(header) }))
}

fn all_of(filters: Vec<AccessLogFilter>) -> AccessLogFilter {
    by(FilterSpecifier::AndFilter(AndFilter { filters }))
}

/// Envoy takes an `or` only of two or more.
fn any_of(filters: Vec<AccessLogFilter>) -> AccessLogFilter {
    match <[AccessLogFilter; 1]>::try_from(filters) {
        Ok([only]) => only,
        Err(filters) => by(FilterSpecifier::OrFilter(OrFilter { filters })),
    }
}

fn by(specifier: FilterSpecifier) -> AccessLogFilter {
    AccessLogFilter { filter_specifier: Some(specifier) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(mapper: &ResponseMapper) -> &str {
        match mapper.body.as_ref().and_then(|body| body.specifier.as_ref()) {
            Some(Specifier::InlineString(text)) => text,
            _ => panic!("no body"),
        }
    }

    #[test]
    fn every_error_has_both_shapes_and_its_status() {
        let all = all().mappers;
        assert_eq!(all.len(), 2 * (FIRST.len() + ENVOY_ERRORS.len() + REST.len()));
        for (pair, error) in all.chunks(2).skip(FIRST.len()).zip(ENVOY_ERRORS) {
            assert!(body(&pair[0]).contains(r#""type":"error""#), "{error:?}");
            assert_eq!(body(&pair[1]), error.refusal().body(ErrorShape::OpenAi));
            let status = pair[0].status_code.map(|status| status.value);
            assert_eq!(status, Some(error.code.status().into()), "{error:?}");
        }
    }

    #[test]
    fn a_prefix_of_details_needs_no_escaping() {
        let known = ENVOY_ERRORS.iter().flat_map(|error| error.details);
        assert!(known.copied().all(|text| !text.contains(['\'', '\\'])));
    }

    #[test]
    fn one_condition_is_not_wrapped() {
        let single = any_of(vec![details("a")]);
        assert!(matches!(single.filter_specifier, Some(FilterSpecifier::ExtensionFilter(_))));
        let two = any_of(vec![details("a"), details("b")]);
        assert!(matches!(two.filter_specifier, Some(FilterSpecifier::OrFilter(_))));
    }
}
