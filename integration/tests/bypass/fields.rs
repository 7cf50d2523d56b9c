//! Fields that steer the engine, and places that it would fetch from.

use super::attack::{Attack, HONEST};
use super::world::World;
use integration::Result;
use serde_json::{Value, json};

/// Root members that no caller may set where nobody has allowed them.
const STEERING: &[(&str, &str)] = &[
    ("rid", "\"1\""),
    ("bootstrap_host", "\"10.0.0.1\""),
    ("bootstrap_port", "1"),
    ("bootstrap_room", "1"),
    ("kv_transfer_params", r#"{"do_remote_prefill":true,"remote_host":"10.0.0.1"}"#),
    ("priority", "-100"),
    ("chat_template", "\"{{ x }}\""),
    ("chat_template_kwargs", "{}"),
    ("logits_processors", "[\"os.system\"]"),
    ("custom_logit_processor", "\"x\""),
    ("lora_path", "\"/etc/passwd\""),
    ("lora_request", "{}"),
    ("session_params", "{}"),
    ("return_hidden_states", "true"),
    ("data_parallel_rank", "1"),
    ("request_id", "\"x\""),
    ("vllm_xargs", "{}"),
    ("cache_salt", "\"of another tenant\""),
    ("prompt_embeds", "\"x\""),
    ("mm_processor_kwargs", "{}"),
    ("extra_key", "\"x\""),
    ("RID", "1"),
    ("Priority", "1"),
    ("x", "1"),
    ("", "1"),
    ("extra_body", "{\"rid\":1}"),
    ("__proto__", "{\"rid\":1}"),
    ("r\\u0069d", "\"1\""),
    ("\\u0070riority", "1"),
    ("priority\\u0000", "1"),
    ("priority ", "1"),
];

#[tokio::test]
async fn nobody_steers_the_engine() -> Result<()> {
    let mut world = World::new().await?;
    let steering = |(name, value): &(&str, &str)| {
        let body = HONEST.replacen('{', &format!("{{\"{name}\":{value},"), 1);
        let attack =
            Attack::body(format!("{name}: {value}"), body).refused(400, "field_not_allowed");
        // A name with NUL in it is no name.
        if name.contains("u0000") {
            attack.refused(400, "invalid_json").refused(400, "invalid_request")
        } else {
            attack
        }
    };
    world.try_all(STEERING.iter().map(steering).collect()).await?;
    let fields = [
        ("temperature", json!(0.5)),
        ("top_p", json!(1)),
        ("user", json!("kim")),
        ("seed", json!(7)),
        ("stop", json!(["a"])),
        ("response_format", json!({"type": "text"})),
        ("logprobs", json!(false)),
        ("metadata", json!({"a": "b"})),
        ("frequency_penalty", json!(0)),
        ("parallel_tool_calls", json!(true)),
        ("max_completion_tokens", json!(5)),
    ];
    let fine = fields.map(|(name, value)| {
        let mut asked: Value = serde_json::from_str(HONEST).unwrap_or_default();
        asked[name] = value;
        Attack::body(name, asked.to_string()).means(asked).served()
    });
    world.try_all(fine.into()).await?;
    world.end().await
}

/// URLs in a picture's place; the engine would fetch them (server-side request forgery).
const PLACES: &[&str] = &[
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1:8081/api/v1/keys",
    "http://localhost/a.png",
    "http://[::1]/a.png",
    "http://0x7f000001/a.png",
    "http://2130706433/a.png",
    "http://0/a.png",
    "https://example.com/a.png",
    "HTTP://example.com/a.png",
    "hTTps://example.com/a.png",
    " http://example.com/a.png",
    "\\thttp://example.com/a.png",
    "http:\\/\\/example.com/a.png",
    "http:example.com",
    "//example.com/a.png",
    "\\\\\\\\example.com\\\\a.png",
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    "/etc/passwd",
    "../../etc/passwd",
    "ftp://example.com/a.png",
    "gopher://example.com/_x",
    "s3://bucket/a.png",
    "gs://bucket/a.png",
    "data:text/html,<script>",
    "data:image/png;base64,AAAA",
    "data:image/png,AAAA",
    "data:;base64,AAAA",
    "data:image/svg+xml;base64,PHN2Zy8+",
    "jar:http://example.com!/a",
    "javascript:1",
    "\\u0068ttp://example.com/a.png",
    "http://allowed.example@evil.example/a.png",
    "http://allowed.example#@evil.example/",
    "http://allowed.example\\\\@evil.example/",
    "http://evil.example/allowed.example",
    "http://allowed.example.evil.example/",
    "http://evilallowed.example/",
    "https://allowed.example:22/",
    "http://allowed.example%2f@evil.example/",
    "http://allowed.example%00.evil.example/",
    "",
];

/// Where a part of a message names a place.
fn parts(place: &str) -> [String; 5] {
    [
        format!(r#"{{"type":"image_url","image_url":{{"url":"{place}"}}}}"#),
        format!(r#"{{"type":"image_url","image_url":"{place}"}}"#),
        format!(r#"{{"type":"video_url","video_url":{{"url":"{place}"}}}}"#),
        format!(r#"{{"type":"audio_url","audio_url":{{"url":"{place}"}}}}"#),
        format!(r#"{{"type":"file","file":{{"file_url":"{place}"}}}}"#),
    ]
}

#[tokio::test]
async fn no_engine_is_sent_anywhere() -> Result<()> {
    let allows = "pools:\n  p:\n    media:\n      hosts: [allowed.example]\n";
    let mut world = World::with(allows).await?;
    for place in PLACES {
        let is_http =
            place.to_lowercase().contains("//example.com/a.png") && place.starts_with('h');
        // Each place in each part costs seconds; the plain ones stand for the rest.
        let parts = parts(place);
        let tried = if is_http { &parts[..] } else { &parts[..1] };
        let attack = |part: &String| {
            let body = HONEST.replace("\"one two\"", &format!("[{part}]"));
            Attack::body(part.clone(), body).any_refusal()
        };
        world.try_all(tried.iter().map(attack).collect()).await?;
    }
    let part = json!({"type": "image_url", "image_url": {"url": "https://allowed.example/a.png"}});
    let mut asked: Value = serde_json::from_str(HONEST).unwrap_or_default();
    asked["messages"][0]["content"] = json!([part]);
    world.try_all(vec![Attack::body("allowed", asked.to_string()).means(asked).served()]).await?;
    world.end().await
}
