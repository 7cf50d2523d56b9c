use super::*;
use contract::masking::PiiType;
use contract::price::Prices;
use contract::spool::LineType;

const PRICES: Prices = Prices {
    input: 1_000_000,
    cached_input: 500_000,
    output: 2_000_000,
    request: 0,
    image: 0,
    page: 0,
    audio_second: 0,
    gpu_second: 0,
};

fn book() -> PriceBook {
    PriceBook::from([(PRICES.version(), PRICES)])
}

fn who() -> Who {
    Who {
        tenant: "acme".to_owned(),
        key: "k1".to_owned(),
        price_version: Some(PRICES.version()),
        ..Who::default()
    }
}

fn line(who: &Who, tally: &Tally, status: u16, flags: &str, details: &str) -> Line {
    Line {
        line_type: LineType::End,
        id: "r1".to_owned(),
        at_ms: 1_795_252_163_123,
        who: Some(serde_json::to_string(who).unwrap()),
        usage: Some(serde_json::to_string(tally).unwrap()),
        status: Some(status).filter(|status| *status != 0),
        flags: Some(flags.to_owned()).filter(|flags| !flags.is_empty()),
        details: Some(details.to_owned()),
        endpoint: Some("127.0.0.1:9".to_owned()),
        duration_ms: Some(40),
        sent: Some(900),
        attempts: Some(1),
    }
}

fn priced(posting: Posting) -> Priced {
    match posting {
        Posting::Record(priced) => *priced,
        other => panic!("{other:?}"),
    }
}

#[test]
fn how_a_request_ended() {
    let part = Tally { input: 10, output: 5, source: Source::Engine, ..Tally::default() };
    let whole = Tally { whole: true, ..part };
    let failed = Tally { failed: true, ..whole };
    let (silent, said_all) = (Tally { silent: true, ..part }, Tally { silent: true, ..whole });
    let none = Tally::default();
    use End::{ClientLeft, Complete, EngineFailed, Refused};
    use Source::{Engine, None as Uncounted, Running};
    #[rustfmt::skip]
    let table = [
        // tally, status, flags, details -> end, status, code, source
        (whole, 200, "-", "via_upstream", Complete, 200, None, Engine),
        (whole, 400, "", "via_upstream", Complete, 400, Some("invalid_request"), Engine),
        (none, 429, "", "via_upstream", Complete, 429, Some("rate_limit_exceeded"), Uncounted),
        (none, 429, "URX", "via_upstream", Complete, 429, Some("rate_limit_exceeded"), Uncounted),
        (none, 503, "UO", "via_upstream", EngineFailed, 503, Some("no_healthy_engine"), Uncounted),
        (part, 200, "UT", "upstream_per_try_idle_timeout", EngineFailed, 200, Some("engine_timeout"), Running),
        (none, 504, "URX,UT", "upstream_per_try_timeout", EngineFailed, 504, Some("engine_timeout"), Uncounted),
        (none, 503, "URX", "via_upstream", EngineFailed, 503, Some("no_healthy_engine"), Uncounted),
        (whole, 500, "", "via_upstream", EngineFailed, 500, Some("engine_error"), Engine),
        (failed, 200, "", "via_upstream", EngineFailed, 200, None, Engine),
        (silent, 200, "", "via_upstream", EngineFailed, 200, Some("engine_timeout"), Running),
        (said_all, 200, "", "via_upstream", Complete, 200, None, Engine),
        (whole, 200, "DC", "downstream_remote_disconnect", Complete, 200, None, Engine),
        (part, 200, "DC", "downstream_remote_disconnect", ClientLeft, 200, None, Running),
        (part, 200, "DR", "http2.remote_reset", ClientLeft, 200, None, Running),
        (none, 0, "DC", "downstream_remote_disconnect", ClientLeft, 499, None, Uncounted),
        (none, 0, "", "", ClientLeft, 499, None, Uncounted),
        (none, 0, "DC,UF", "downstream_local_disconnect(x)", ClientLeft, 499, None, Uncounted),
        (part, 200, "UC", "upstream_reset_after_response_started{x}", EngineFailed, 200, Some("engine_error"), Running),
        (part, 200, "UPE", "upstream_reset_after_response_started", EngineFailed, 200, Some("engine_error"), Running),
        (part, 200, "SI", "stream_idle_timeout", EngineFailed, 200, Some("engine_timeout"), Running),
        (part, 200, "UT", "response_timeout", EngineFailed, 200, Some("engine_timeout"), Running),
        (none, 504, "UT", "response_timeout", EngineFailed, 504, Some("engine_timeout"), Uncounted),
        (none, 0, "UT", "response_timeout", EngineFailed, 504, Some("engine_timeout"), Uncounted),
        (none, 503, "UH", "no_healthy_upstream", EngineFailed, 503, Some("no_healthy_engine"), Uncounted),
        (none, 503, "UF,URX", "upstream_reset_before_response_started", EngineFailed, 503, Some("no_healthy_engine"), Uncounted),
        (none, 413, "", "request_payload_too_large", Refused, 413, Some("request_too_large"), Uncounted),
        (whole, 413, "", "request_payload_too_large", Refused, 413, Some("request_too_large"), Engine),
        (none, 503, "", "wasm_fail_stream", Refused, 503, Some("filter_unavailable"), Uncounted),
        (none, 502, "", "via_upstream", EngineFailed, 502, Some("engine_error"), Uncounted),
        (none, 200, "", "via_upstream", Complete, 200, None, Uncounted),
    ];
    for (tally, status, flags, details, end, told, code, source) in table {
        let record = priced(ended(line(&who(), &tally, status, flags, details), &book())).record;
        let got = (record.end, record.status, record.code.as_deref(), record.source);
        assert_eq!(got, (end, told, code, source), "{status} {flags} {details} {tally:?}");
    }
}

#[test]
fn a_refusal_of_the_gateway_has_its_code() {
    let who = Who { code: Some("model_not_found".to_owned()), ..who() };
    let line = line(&who, &Tally::default(), 404, "", "");
    let record = priced(ended(line, &book())).record;
    assert_eq!((record.end, record.code.as_deref()), (End::Refused, Some("model_not_found")));
    assert_eq!((record.status, record.cost_nanodollars), (404, 0));
}

#[test]
fn what_was_masked_is_recorded_by_type() {
    let masked = [(PiiType::Email, 2), (PiiType::KrRrn, 1)];
    let who = Who { masked: masked.into(), ..who() };
    let record = priced(ended(line(&who, &Tally::default(), 200, "", ""), &book())).record;
    let expected = [("EMAIL", 2), ("KR_RRN", 1)].map(|(of, count)| (of.to_owned(), count));
    assert_eq!(record.masked, expected.into());
    let lost = priced(lost(line(&who, &Tally::default(), 200, "", ""), &book())).record;
    assert_eq!(lost.masked, record.masked);
}

#[test]
fn what_it_costs() {
    let tally = Tally {
        input: 10,
        cached_input: 4,
        output: 5,
        reasoning: 2,
        source: Source::Engine,
        first_token_ms: Some(9),
        whole: true,
        ..Tally::default()
    };
    let table = [
        (Some(PRICES.version()), 18, false),
        (Some("i9-c9-o9".to_owned()), 0, true),
        (None, 0, false),
    ];
    for (price_version, cost, unpriced) in table {
        let who = Who { price_version: price_version.clone(), ..who() };
        let priced = priced(ended(line(&who, &tally, 200, "", "via_upstream"), &book()));
        assert_eq!((priced.record.cost_nanodollars, priced.unpriced), (cost, unpriced));
        assert_eq!(priced.record.price_version, price_version);
        assert_eq!((priced.record.input_tokens, priced.record.cached_input_tokens), (10, 4));
        assert_eq!((priced.record.output_tokens, priced.record.reasoning_tokens), (5, 2));
        assert_eq!((priced.record.first_token_ms, priced.record.duration_ms), (Some(9), 40));
    }
}

#[test]
fn a_lost_request_is_billed_what_was_written() {
    let table = [
        (Source::Engine, Source::Running),
        (Source::Running, Source::Running),
        (Source::Estimated, Source::Estimated),
        (Source::None, Source::None),
    ];
    for (counted, source) in table {
        let tally = Tally { input: 10, output: 5, source: counted, ..Tally::default() };
        let record = priced(lost(line(&who(), &tally, 200, "", ""), &book())).record;
        assert_eq!((record.end, record.source), (End::GatewayLost, source));
        assert_eq!((record.cost_nanodollars, record.status), (20, 200));
    }
    let early = priced(lost(line(&who(), &Tally::default(), 0, "", ""), &book())).record;
    assert_eq!((early.status, early.code), (0, None));
}

#[test]
fn without_a_caller_nobody_is_billed_and_what_cannot_be_read_is_malformed() {
    let good = line(&who(), &Tally::default(), 401, "", "");
    let anonymous = Line { who: None, ..good.clone() };
    assert_eq!(ended(anonymous.clone(), &book()), Posting::Anonymous);
    assert_eq!(lost(anonymous, &book()), Posting::Anonymous);
    let malformed = [
        Line { who: Some("{".to_owned()), ..good.clone() },
        Line { usage: Some(r#"{"in":-1}"#.to_owned()), ..good.clone() },
        Line { at_ms: AT_MS_MAX + 1, ..good.clone() },
    ];
    for line in malformed {
        assert_eq!(ended(line, &book()), Posting::Malformed);
    }
    let uncounted = Line { usage: None, ..good };
    assert_eq!(priced(ended(uncounted, &book())).record.source, Source::None);
}

#[test]
fn a_journals_line_says_how_it_ended_without_envoys_words() {
    let tally =
        Tally { input: 10, output: 5, source: Source::Engine, whole: true, ..Tally::default() };
    let table = [(200, End::Complete), (404, End::Complete), (503, End::EngineFailed)];
    for (status, expected) in table {
        let line = Line { details: None, endpoint: None, ..line(&who(), &tally, status, "", "") };
        let record = priced(ended(line, &book())).record;
        assert_eq!((record.end, record.status, record.source), (expected, status, Source::Engine));
        assert_eq!((record.cost_nanodollars, record.endpoint), (20, None));
    }
}

/// Tokens, source, end and cost of a request that ended with this.
fn billed(line: Line) -> (u64, u64, Source, End, i64) {
    let record = priced(ended(line, &book())).record;
    let (input, output) = (record.input_tokens, record.output_tokens);
    (input, output, record.source, record.end, record.cost_nanodollars)
}

#[test]
fn what_is_charged_without_an_engines_count() {
    let estimate = Tally { input: 10, source: Source::Estimated, ..Tally::default() };
    let delivered = Tally { output: 5, whole: true, ..estimate };
    let counted = Tally { source: Source::Engine, ..delivered };
    use End::{ClientLeft, Complete, EngineFailed};
    use Source::{Engine, Estimated, None as Uncounted};
    let sent = |sent, line: Line| Line { sent, ..line };
    let line = |tally: &Tally, status, flags| line(&who(), tally, status, flags, "x");
    #[rustfmt::skip]
    let table = [
        // The client left: the input is paid from the moment an engine had the request.
        (sent(Some(0), line(&estimate, 0, "DC")), (0, 0, Uncounted, ClientLeft, 0)),
        (sent(Some(1), line(&estimate, 0, "DC")), (10, 0, Estimated, ClientLeft, 10)),
        (sent(Some(1), line(&estimate, 200, "DC")), (10, 0, Estimated, ClientLeft, 10)),
        (sent(None, line(&delivered, 200, "")), (10, 5, Estimated, Complete, 20)),
        // An error costs nothing, unless the engine has counted.
        (line(&estimate, 503, "UF"), (0, 0, Uncounted, EngineFailed, 0)),
        (line(&delivered, 400, ""), (0, 0, Uncounted, Complete, 0)),
        (line(&delivered, 500, ""), (0, 0, Uncounted, EngineFailed, 0)),
        (line(&counted, 500, ""), (10, 5, Engine, EngineFailed, 20)),
        (line(&counted, 400, ""), (10, 5, Engine, Complete, 20)),
        // What an engine has counted, it has seen.
        (sent(Some(0), line(&counted, 200, "")), (10, 5, Engine, Complete, 20)),
        (sent(Some(0), line(&delivered, 200, "")), (0, 0, Uncounted, Complete, 0)),
    ];
    for (line, expected) in table {
        assert_eq!(billed(line.clone()), expected, "{line:?}");
    }
}

#[test]
fn what_the_budget_has_cut() {
    let part =
        Tally { input: 10, output: 5, source: Source::Engine, cut: true, ..Tally::default() };
    let whole = Tally { whole: true, ..part };
    let failed = Tally { failed: true, ..whole };
    let over = Who { code: Some("budget_exceeded".to_owned()), ..who() };
    for (who, tally, flags, source, end) in [
        (who(), part, "", Source::Running, End::CutByBudget),
        (who(), part, "DC", Source::Running, End::CutByBudget),
        (who(), whole, "", Source::Engine, End::CutByBudget),
        (over.clone(), part, "", Source::Running, End::CutByBudget),
        (who(), failed, "", Source::Engine, End::EngineFailed),
        (over, Tally { cut: false, ..Tally::default() }, "", Source::None, End::Refused),
    ] {
        let record = priced(ended(line(&who, &tally, 200, flags, "x"), &book())).record;
        assert_eq!((record.source, record.end), (source, end), "{who:?} {tally:?}");
    }
}

#[test]
fn everything_that_has_a_price_is_recorded_and_charged() {
    let prices = Prices { request: 7, image: 100, page: 1_000, audio_second: 10_000, ..PRICES };
    let prices = Prices { gpu_second: 100_000, ..prices };
    let book = PriceBook::from([(prices.version(), prices)]);
    let who = Who {
        price_version: Some(prices.version()),
        organisation: Some("org".to_owned()),
        leases: vec![4, 5],
        ..who()
    };
    let tally = Tally {
        images: 2,
        pages: 3,
        audio_ms: 1_500,
        gpu_ms: 2_000,
        source: Source::Engine,
        whole: true,
        ..Tally::default()
    };
    let line = Line { attempts: Some(3), ..line(&who, &tally, 200, "", "x") };
    let record = priced(ended(line.clone(), &book)).record;
    assert_eq!(record.cost_nanodollars, 7 + 200 + 3_000 + 15_000 + 200_000);
    let counts = (record.images, record.pages, record.audio_ms, record.gpu_ms, record.attempts);
    assert_eq!(counts, (2, 3, 1_500, 2_000, 3));
    assert_eq!((record.organisation.as_deref(), &record.leases), (Some("org"), &vec![4, 5]));
    assert_eq!(cost_nanodollars(&record, &prices), record.cost_nanodollars);
    assert_eq!(leases(&line), [4, 5]);
    assert!(leases(&Line { who: None, ..line.clone() }).is_empty());
    // A journal does not say how many engines were tried.
    let journals = Line { attempts: None, ..line };
    assert_eq!(priced(ended(journals, &book)).record.attempts, 1);
}

#[test]
fn money_up_to_the_limits_of_integers() {
    let most = Prices { input: u64::MAX, output: u64::MAX, ..Prices::default() };
    let one = Prices { input: 1, ..Prices::default() };
    let tally = |input, output| Tally { input, output, source: Source::Engine, ..Tally::default() };
    const MOST: u64 = u64::MAX;
    for (prices, tally, cost) in [
        (most, tally(MOST, MOST), i64::MAX),
        (most, tally(1, 0), 18_446_744_073_710),
        (one, tally(MOST, 0), 18_446_744_073_710),
        (one, tally(499_999, MOST), 0),
        (one, tally(500_000, MOST), 1),
        (Prices::default(), tally(MOST, MOST), 0),
    ] {
        let book = PriceBook::from([(prices.version(), prices)]);
        let who = Who { price_version: Some(prices.version()), ..who() };
        let record = priced(ended(line(&who, &tally, 200, "", "x"), &book)).record;
        assert_eq!(record.cost_nanodollars, cost, "{prices:?} {tally:?}");
    }
}

#[test]
fn a_clock_that_jumps_stops_nothing() {
    // 1970, before 2020, now, and days ahead.
    for at_ms in [0, 1_000_000_000_000, 1_795_252_163_123, 1_796_000_000_000, AT_MS_MAX] {
        let line = Line { at_ms, ..line(&who(), &Tally::default(), 200, "", "x") };
        assert_eq!(priced(ended(line, &book())).record.at_ms, at_ms);
    }
}

#[test]
fn nobody_is_no_server() {
    let table = [
        ("127.0.0.1:9", Some("127.0.0.1:9")),
        ("envoy://nobody/pool/a", None),
        ("envoy://somebody/x", Some("envoy://somebody/x")),
    ];
    for (endpoint, expected) in table {
        let answered = line(&who(), &Tally::default(), 503, "URX", "via_upstream");
        let answered = Line { endpoint: Some(endpoint.to_owned()), attempts: Some(3), ..answered };
        let record = priced(ended(answered, &book())).record;
        assert_eq!((record.endpoint.as_deref(), record.attempts), (expected, 3));
    }
}
