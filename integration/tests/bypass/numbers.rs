//! Numbers that do not fit, bodies that are deep or wide.

use super::attack::{Attack, HONEST};
use super::world::World;
use integration::Result;
use serde_json::{Value, json};

/// The honest body with one field more, its value as written.
fn with(field: &str, value: &str) -> Attack {
    let body = HONEST.replacen('{', &format!("{{\"{field}\":{value},"), 1);
    Attack::body(format!("{field}: {value:.30}"), body)
}

fn refused_numbers() -> Vec<Attack> {
    let wrong = [
        ("n", "17"),
        ("n", "0"),
        ("n", "-1"),
        ("n", "1.5"),
        ("n", "\"1\""),
        ("n", "[1]"),
        ("n", "1e9"),
        ("n", "1e400"),
        ("n", "18446744073709551617"),
        ("n", "true"),
        ("max_tokens", "-1"),
        ("max_tokens", "\"9\""),
        ("max_tokens", "1.5"),
        ("max_tokens", "1e400"),
        ("max_tokens", "18446744073709551616"),
        ("max_tokens", "99999999999999999999999999999999999999"),
        ("max_tokens", "-9223372036854775809"),
        ("max_tokens", "[1]"),
        ("max_tokens", "{}"),
        ("max_completion_tokens", "-1"),
        ("max_completion_tokens", "1e400"),
        ("stream", "1"),
        ("stream", "\"true\""),
        ("stream", "[]"),
        ("stream", "0"),
        ("stream_options", "7"),
        ("stream_options", "[]"),
    ];
    let told = |(field, value)| {
        with(field, value).refused(400, "invalid_request").refused(400, "invalid_json")
    };
    wrong.map(told).into()
}

/// Numbers that are none in JSON (RFC 8259 §6).
fn malformed_numbers() -> Vec<Attack> {
    let wrong = [
        "01",
        "+1",
        "0x1",
        "1.",
        ".5",
        "1e",
        "--1",
        "1_000",
        "Infinity",
        "-Infinity",
        "1e+",
        "0b1",
        "- 1",
    ];
    wrong.map(|value| with("max_tokens", value).refused(400, "invalid_json")).into()
}

/// What may be said, and reaches the engine as it was said, or is refused.
fn odd_numbers() -> Vec<Attack> {
    let odd = [
        ("max_tokens", "1e1"),
        ("max_tokens", "10.0"),
        ("max_tokens", "-0"),
        ("max_tokens", "null"),
        ("n", "1.0"),
        ("n", "1e0"),
        ("n", "null"),
        ("stream", "null"),
        ("temperature", "1e308"),
        ("temperature", "0.1000000000000000055511151231257827"),
        ("seed", "9007199254740993"),
        ("seed", "-9223372036854775808"),
        ("temperature", "-0.0"),
    ];
    odd.map(|(field, value)| {
        let mut asked: Value = serde_json::from_str(HONEST).unwrap_or_default();
        asked[field] = serde_json::from_str(value).unwrap_or_default();
        with(field, value).means(asked)
    })
    .into()
}

fn deep_and_wide() -> Vec<Attack> {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let deep = |name: &str, value: &str| {
        let body = HONEST.replace("\"role\"", &format!("\"{name}\":{value},\"role\""));
        Attack::body(format!("{name} {} bytes", value.len()), body)
            .refused(400, "invalid_json")
            .refused(400, "invalid_request")
    };
    let wide = format!("[{}0]", "0,".repeat(1_000_001));
    let names: Vec<String> = (0..500_001).map(|it| format!("\"{it}\":0")).collect();
    vec![
        deep("lists", &nested(100)),
        deep("lists", &nested(100_000)),
        deep("objects", &objects(100)),
        deep("objects", &objects(50_000)),
        deep("open", &"[".repeat(1_000_000)),
        deep("open", &"{\"a\":".repeat(100_000)),
        deep("wide", &wide),
        deep("names", &format!("{{{}}}", names.join(","))),
    ]
}

/// What real requests have.
fn still_fine() -> Vec<Attack> {
    let tools = json!([{"type": "function", "function": {"name": "f", "parameters":
        {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object", "properties":
            {"b": {"type": "string", "enum": ["model", "messages"]}}}}}}}}]);
    let mut asked: Value = serde_json::from_str(HONEST).unwrap_or_default();
    asked["tools"] = tools;
    let long: String = "word ".repeat(20_000);
    let mut of_many_words: Value = serde_json::from_str(HONEST).unwrap_or_default();
    of_many_words["messages"][0]["content"] = long.into();
    [("tools", asked), ("100 KB of words", of_many_words)]
        .map(|(name, body)| Attack::body(name, body.to_string()).means(body).served())
        .into()
}

#[tokio::test]
async fn numbers_are_what_they_say() -> Result<()> {
    let mut world = World::new().await?;
    world.try_all(refused_numbers()).await?;
    world.try_all(malformed_numbers()).await?;
    world.try_all(odd_numbers()).await?;
    world.end().await
}

#[tokio::test]
async fn depth_and_width_have_bounds() -> Result<()> {
    let mut world = World::new().await?;
    world.try_all(deep_and_wide()).await?;
    world.try_all(still_fine()).await?;
    world.end().await
}
