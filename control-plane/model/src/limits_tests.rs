//! Limits, budgets, organisations and what tokens cost: what is accepted, and what is said
//! of what is not.

use crate::ids::TenantName;
use crate::load_tests::{WHOLE, accepted, check, check_pool};
use crate::{Budget, Config, Limits, Organisation, Per, Pool, UserSource, Users};
use contract::price::Prices;
use std::num::NonZeroU32;

/// Nano-dollars in a dollar.
const DOLLAR: u64 = 1_000_000_000;

fn budget(nanodollars: u64, per: Per) -> Option<Budget> {
    Some(Budget { nanodollars, per })
}

fn name<T: AsRef<str>>(name: Option<&T>) -> Option<&str> {
    name.map(AsRef::as_ref)
}

#[test]
fn limits_by_name() {
    let config = accepted(WHOLE);
    let standard = Limits {
        requests_per_minute: NonZeroU32::new(600),
        burst: NonZeroU32::new(1_200),
        tokens_per_minute: NonZeroU32::new(200_000),
        concurrent: NonZeroU32::new(32),
    };
    assert_eq!(config.limits["standard"], standard, "a burst may be more than a minute's");
    let shared = Limits {
        requests_per_minute: None,
        burst: None,
        tokens_per_minute: None,
        concurrent: NonZeroU32::new(8),
    };
    assert_eq!((config.limits["shared"], config.limits.len()), (shared, 2));
}

#[test]
fn who_has_which_limits() {
    let config = accepted(WHOLE);
    let acme = &config.tenants["acme"];
    assert_eq!(name(config.models["gpt-4.1"].limits.as_ref()), Some("shared"));
    assert_eq!(name(acme.limits.as_ref()), Some("standard"));
    assert_eq!(name(acme.users.limits.as_ref()), Some("shared"));
    assert_eq!(name(acme.keys[0].limits.as_ref()), Some("shared"));
    assert_eq!((&config.models["llama"].limits, &acme.keys[1].limits), (&None, &None));
}

#[test]
fn who_may_spend_how_much() {
    let config = accepted(WHOLE);
    let acme = &config.tenants["acme"];
    let northwind = Organisation { budget: budget(1_000 * DOLLAR, Per::Month) };
    assert_eq!(config.organisations["northwind"], northwind);
    assert_eq!(config.organisations["southwind"], Organisation { budget: None });
    assert_eq!(name(acme.organisation.as_ref()), Some("northwind"));
    assert_eq!(acme.budget, budget(250 * DOLLAR, Per::Month));
    assert_eq!(acme.users.budget, budget(DOLLAR / 2, Per::Hour));
    assert_eq!(acme.keys[0].budget, budget(0, Per::Total), "nothing may be spent");
    assert_eq!((acme.keys[1].budget, acme.users.from), (None, UserSource::Body));
}

#[test]
fn a_tenant_with_nothing_said() {
    let Config { tenants, limits, organisations, .. } =
        accepted("version: 1\nlimits:\norganisations: {}\ntenants: { t: { users: } }");
    let tenant = &tenants[&TenantName::parse("t").unwrap()];
    assert!(limits.is_empty() && organisations.is_empty());
    assert_eq!((&tenant.organisation, &tenant.limits, tenant.budget), (&None, &None, None));
    assert_eq!(tenant.users, Users::default());
    assert_eq!(tenant.users.from, UserSource::Credential);
}

#[test]
fn every_period() {
    for (text, per) in
        [("hour", Per::Hour), ("day", Per::Day), ("month", Per::Month), ("total", Per::Total)]
    {
        let yaml =
            format!("version: 1\ntenants: {{ t: {{ budget: {{ dollars: 7, per: {text} }} }} }}");
        assert_eq!(accepted(&yaml).tenants["t"].budget, budget(7 * DOLLAR, per));
        assert_eq!((text.parse(), per.to_string()), (Ok(per), text.to_owned()));
    }
}

fn pool(rest: &str) -> Pool {
    let text = format!(
        "version: 1\npools: {{ a: {{ engine: vllm, model: m, endpoints: [http://b:1], {rest} }} }}"
    );
    accepted(&text).pools.remove("a").unwrap()
}

#[test]
fn every_price() {
    let expected = Prices {
        input: 600_000_000,
        cached_input: 250_000_000,
        output: 1_800_000_000,
        request: 100_000,
        image: 2_000_000,
        page: 1_000_000,
        audio_second: 1,
        gpu_second: i64::MAX as u64,
    };
    assert_eq!(accepted(WHOLE).pools["llama-70b"].prices, expected);
    assert_eq!(pool("price: { image: 1 }").prices, Prices { image: DOLLAR, ..Prices::default() });
    assert!(pool("price:").prices.are_zero());
}

#[test]
fn how_many_tokens() {
    let tokens =
        |pool: &Pool| (pool.max_tokens.map(u64::from), pool.template_tokens, pool.medium_tokens);
    assert_eq!(tokens(&accepted(WHOLE).pools["llama-70b"]), (Some(4_096), 64, 4_096));
    assert_eq!(tokens(&pool("context: 8192")), (None, 256, 16_384));
    assert_eq!(tokens(&pool("context: 8192, max_tokens: 8192")).0, Some(8_192));
    assert_eq!(tokens(&pool("max_tokens: 1000000000")).0, Some(1_000_000_000));
}

#[test]
fn what_is_wrong_with_limits() {
    check(&[
        (
            "limits: { a: {} }",
            "2:11: limits.a: limits nothing; give requests_per_minute, tokens_per_minute or concurrent, or remove it",
        ),
        (
            "limits: { a: }",
            "2:11: limits.a: limits nothing; give requests_per_minute, tokens_per_minute or concurrent, or remove it",
        ),
        (
            "limits: { a: { burst: 5 } }",
            "2:16: limits.a.burst: needs `requests_per_minute`, by which it is refilled",
        ),
        (
            "limits: { a: { burst: 5, concurrent: 5 } }",
            "2:16: limits.a.burst: needs `requests_per_minute`, by which it is refilled",
        ),
        (
            "limits: { a: { requests_per_minute: 0 } }",
            "2:37: limits.a.requests_per_minute: `0` is not a whole number from 1 to 10000000",
        ),
        (
            "limits: { a: { requests_per_minute: 1, burst: 10000001 } }",
            "2:47: limits.a.burst: `10000001` is not a whole number from 1 to 10000000",
        ),
        (
            "limits: { a: { tokens_per_minute: 18446744073709551616 } }",
            "2:35: limits.a.tokens_per_minute: `18446744073709551616` is not a whole number from 1 to 1000000000",
        ),
        (
            "limits: { a: { concurrent: -1 } }",
            "2:28: limits.a.concurrent: `-1` is not a whole number from 1 to 1000000",
        ),
        (
            "limits: { a: { requests: 5 } }",
            "2:16: limits.a.requests: unknown field `requests`; did you mean requests_per_minute? allowed: requests_per_minute, burst, tokens_per_minute, concurrent",
        ),
        (
            "limits: { 'a b': { concurrent: 1 } }",
            "2:11: limits.\"a b\": `a b` is not a name; allowed: letters, digits and . _ : @ / -, a letter or digit first",
        ),
        (
            "limits: { a: { concurrent: 1 }, a: { concurrent: 2 } }",
            "2:33: limits.a: stands here a second time; once is allowed",
        ),
    ]);
}

#[test]
fn limits_that_do_not_exist() {
    let digest = "0".repeat(64);
    let declared = "limits: { slow: { concurrent: 1 } }\n";
    let key = format!(
        "{declared}tenants: {{ t: {{ keys: [{{ name: k, sha256: '{digest}', limits: slwo }}] }} }}"
    );
    let meant = "`slwo` is no set of limits; did you mean slow? allowed: slow";
    check(&[
        (
            &format!("{declared}tenants: {{ t: {{ limits: slwo }} }}"),
            &format!("3:25: tenants.t.limits: {meant}"),
        ),
        (
            &format!("{declared}tenants: {{ t: {{ users: {{ limits: slwo }} }} }}"),
            &format!("3:34: tenants.t.users.limits: {meant}"),
        ),
        (&key, &format!("3:119: tenants.t.keys[0].limits: {meant}")),
        (
            "pools: { p: { engine: vllm, model: m, endpoints: [http://b:1] } }\nmodels: { m: { split: [{ pool: p }], limits: slow } }",
            "3:46: models.m.limits: `slow` is no set of limits; allowed: none",
        ),
        // One that is there and wrong is one problem and not two.
        (
            "limits: { a: { concurrent: 0 } }\ntenants: { t: { limits: a } }",
            "2:28: limits.a.concurrent: `0` is not a whole number from 1 to 1000000",
        ),
    ]);
}

#[test]
fn what_is_wrong_with_budgets() {
    let tenant = |budget: &str| format!("tenants: {{ t: {{ budget: {budget} }} }}");
    check(&[
        (
            &tenant("{ dollars: 1 }"),
            "2:17: tenants.t.budget: `per` is missing; one of hour, day, month, total",
        ),
        (
            &tenant("{ per: day }"),
            "2:17: tenants.t.budget: `dollars` is missing; a decimal such as 250.00",
        ),
        (
            &tenant("5"),
            "2:17: tenants.t.budget: `dollars` is missing; a decimal such as 250.00\n2:17: tenants.t.budget: `per` is missing; one of hour, day, month, total\n2:25: tenants.t.budget: must be a map of fields, not one value",
        ),
        (
            &tenant("{ dollars: 1, per: week }"),
            "2:44: tenants.t.budget.per: `week` is not known; allowed: hour, day, month, total",
        ),
        (
            &tenant("{ dollars: -1, per: day }"),
            "2:36: tenants.t.budget.dollars: `-1` is negative; allowed: 0 or more dollars",
        ),
        (
            &tenant("{ dollars: 1e3, per: day }"),
            "2:36: tenants.t.budget.dollars: `1e3` is not an amount of money; write dollars as a decimal such as 0.60",
        ),
        (
            &tenant("{ dollars: 0.0000000001, per: day }"),
            "2:36: tenants.t.budget.dollars: `0.0000000001` has too many digits; allowed: 9 after the point",
        ),
        (
            &tenant("{ dollars: 9223372036.854775808, per: day }"),
            "2:36: tenants.t.budget.dollars: `9223372036.854775808` is too large; allowed: up to 9223372036.854775807 dollars",
        ),
        (
            &tenant("{ dollars: 1, per: day, from: 5 }"),
            "2:49: tenants.t.budget.from: unknown field `from`; allowed: dollars, per",
        ),
        (
            "tenants: { t: { users: { budget: { dollars: x, per: day } } } }",
            "2:45: tenants.t.users.budget.dollars: `x` is not an amount of money; write dollars as a decimal such as 0.60",
        ),
        (
            "tenants: { t: { users: { from: header } } }",
            "2:32: tenants.t.users.from: `header` is not known; allowed: credential, body",
        ),
    ]);
}

#[test]
fn what_is_wrong_with_organisations() {
    check(&[
        (
            "organisations: { a: }\ntenants: { t: { organisation: b } }",
            "3:31: tenants.t.organisation: `b` is no organisation; allowed: a",
        ),
        (
            "organisations: { a: { limits: x } }",
            "2:23: organisations.a.limits: unknown field `limits`; allowed: budget",
        ),
        (
            "organisations: { a: { budget: { dollars: , per: day } } }",
            "2:33: organisations.a.budget.dollars: is empty; give a value or remove it",
        ),
        (
            "organisations: { a: , a: }",
            "2:23: organisations.a: stands here a second time; once is allowed",
        ),
    ]);
}

#[test]
fn what_is_wrong_with_tokens_and_prices() {
    check_pool(&[
        (
            "endpoints: [http://b:1], context: 4096, max_tokens: 4097",
            "3:84: pools.a.max_tokens: is more than `context`, which the answer is a part of",
        ),
        (
            "endpoints: [http://b:1], max_tokens: 0",
            "3:69: pools.a.max_tokens: `0` is not a whole number from 1 to 1000000000",
        ),
        (
            "endpoints: [http://b:1], template_tokens: many",
            "3:74: pools.a.template_tokens: `many` is not a whole number from 1 to 1000000000",
        ),
        (
            "endpoints: [http://b:1], medium_tokens: 1000000001",
            "3:72: pools.a.medium_tokens: `1000000001` is not a whole number from 1 to 1000000000",
        ),
        (
            "endpoints: [http://b:1], price: { image: 9223372036.854775808 }",
            "3:73: pools.a.price.image: `9223372036.854775808` is too large; allowed: up to 9223372036.854775807 dollars",
        ),
        (
            "endpoints: [http://b:1], price: { second: 1 }",
            "3:66: pools.a.price.second: unknown field `second`; did you mean gpu_second? allowed: input, cached_input, output, request, image, page, audio_second, gpu_second",
        ),
    ]);
}

#[test]
fn which_database() {
    let database = accepted(WHOLE).control.database.unwrap();
    assert_eq!(
        database.reveal(),
        "postgres://tollgate:0123456789abcdef-secret@db.example/tollgate"
    );
    let other = accepted("version: 1\ncontrol: { database: postgresql:///tollgate }");
    assert!(other.control.database.is_some_and(|url| url.reveal() == "postgresql:///tollgate"));
    assert!(accepted("version: 1").control.database.is_none());
}

#[test]
fn what_is_wrong_with_the_database() {
    let form = "is not the URL of a database; write postgres://USER:PASSWORD@HOST:PORT/NAME, at most 1024 visible ASCII characters without spaces";
    let long = format!("postgres://{}", "x".repeat(1_014));
    for text in [
        "x",
        "mysql://u:hunter2@h/d",
        "postgres://",
        "Postgres://h/d",
        "'postgres://u:${SHORT}@h/d'",
        &long,
    ] {
        let yaml = format!("control: {{ database: {text} }}");
        check(&[(&yaml, &format!("2:22: control.database: the value {form}"))]);
    }
}
