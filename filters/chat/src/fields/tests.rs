use super::*;

use serde_json::{Value, json};

use crate::request::parse;

const ENGINES: [Engine; 6] =
    [Engine::Vllm, Engine::Sglang, Engine::Tgi, Engine::Llamacpp, Engine::Triton, Engine::Openai];

const APIS: [Api<'static>; 6] =
    [Api::Chat, Api::Completions, Api::Embeddings, Api::Responses, Api::Messages, Api::Rerank];

/// Fields of the engines that steer them: which slot, peer, cache, adapter or template
/// is used, in which order, at whose cost.
const STEERING_FIELDS: [&str; 48] = [
    "access_programs",
    "add_generation_prompt",
    "adapter_id",
    "allowed_token_ids",
    "background_options",
    "bootstrap_host",
    "bootstrap_port",
    "bootstrap_room",
    "cache_prompt",
    "cache_salt",
    "chat_template",
    "chat_template_kwargs",
    "custom_logit_processor",
    "custom_params",
    "data_parallel_rank",
    "documents",
    "extra_body",
    "extra_key",
    "grammar",
    "guided_json",
    "id_slot",
    "ignore_eos",
    "image_data",
    "input_embeds",
    "kv_transfer_params",
    "logits_processors",
    "lora",
    "lora_path",
    "lora_request",
    "min_p",
    "mm_processor_kwargs",
    "multi_modal_data",
    "multimodal_data",
    "n_predict",
    "priority",
    "prompt_embeds",
    "prompt_logprobs",
    "repetition_penalty",
    "request_id",
    "return_hidden_states",
    "return_token_ids",
    "rid",
    "routed_dp_rank",
    "session_params",
    "slot_id",
    "structural_tag",
    "truncate_prompt_tokens",
    "vllm_xargs",
];

struct Pool {
    engine: Engine,
    allow: Vec<String>,
    own_cache_salt: bool,
}

fn pool(engine: Engine) -> Pool {
    Pool { engine, allow: Vec::new(), own_cache_salt: false }
}

impl Pool {
    fn allowing(mut self, name: &str) -> Self {
        self.allow.push(name.to_owned());
        self
    }

    fn salted(mut self) -> Self {
        self.own_cache_salt = true;
        self
    }

    fn refuses(&self, api: &Api<'_>, body: &Value) -> Option<String> {
        let body = body.to_string();
        let request = parse(body.as_bytes()).unwrap();
        refused(api, self.engine, &self.allow, self.own_cache_salt, &request).map(str::to_owned)
    }
}

fn with(name: &str, value: Value) -> Value {
    let mut body = json!({"model": "m"});
    body[name] = value;
    body
}

#[test]
fn every_documented_field_is_allowed() {
    for api in &APIS {
        for name in documented::of(api) {
            let value = if *name == "model" { json!("m") } else { Value::Null };
            for engine in ENGINES {
                let providers =
                    engine == Engine::Openai && ["inference_geo", "speed"].contains(name);
                let expected = providers.then(|| (*name).to_owned());
                assert_eq!(pool(engine).refuses(api, &with(name, value.clone())), expected);
            }
        }
    }
}

#[test]
fn every_field_that_steers_is_refused_until_the_pool_allows_it() {
    for api in &APIS {
        for name in STEERING_FIELDS {
            if name == "documents" && *api == Api::Rerank {
                continue;
            }
            for engine in ENGINES {
                let body = with(name, json!(1));
                assert_eq!(pool(engine).refuses(api, &body).as_deref(), Some(name), "{api:?}");
                assert_eq!(pool(engine).allowing(name).refuses(api, &body), None, "{api:?} {name}");
                assert_eq!(
                    pool(engine).allowing("other").refuses(api, &body).as_deref(),
                    Some(name)
                );
            }
        }
    }
}

#[test]
fn a_salt_of_the_callers_never_stands_beside_the_pools() {
    let body = with("cache_salt", json!("theirs"));
    for engine in [Engine::Vllm, Engine::Sglang] {
        let allowing = || pool(engine).allowing("cache_salt");
        assert_eq!(allowing().refuses(&Api::Chat, &body), None);
        assert_eq!(allowing().salted().refuses(&Api::Chat, &body).as_deref(), Some("cache_salt"));
    }
}

#[test]
fn a_field_of_another_api_is_refused() {
    for (api, name) in [
        (Api::Chat, "prompt"),
        (Api::Chat, "best_of"),
        (Api::Chat, "previous_response_id"),
        (Api::Chat, "top_k"),
        (Api::Completions, "messages"),
        (Api::Embeddings, "messages"),
        (Api::Responses, "messages"),
        (Api::Messages, "n"),
        (Api::Rerank, "input"),
        (Api::Transcriptions, "file"),
    ] {
        let refused = pool(Engine::Vllm).allowing("model").refuses(&api, &with(name, json!(1)));
        assert_eq!(refused.as_deref(), Some(name), "{api:?}");
    }
}

#[test]
fn what_the_engine_keeps_is_out_of_reach() {
    for (api, name, refused, harmless) in [
        (Api::Responses, "previous_response_id", json!("resp_1"), json!(null)),
        (Api::Responses, "conversation", json!({"id": "conv_1"}), json!(null)),
        (Api::Responses, "background", json!(true), json!(false)),
        (Api::Responses, "store", json!(true), json!(false)),
        (Api::Responses, "prompt", json!({"id": "pmpt_1"}), json!(null)),
        (Api::Chat, "store", json!("true"), json!(false)),
        (Api::Completions, "prompt", json!({"prompt_string": "x"}), json!(["x", [1, 2]])),
        (Api::Messages, "container", json!("container_1"), json!(null)),
    ] {
        for engine in ENGINES {
            let bad = with(name, refused.clone());
            assert_eq!(pool(engine).refuses(&api, &bad).as_deref(), Some(name));
            assert_eq!(pool(engine).allowing(name).refuses(&api, &bad), None, "{name}");
            assert_eq!(pool(engine).refuses(&api, &with(name, harmless.clone())), None, "{name}");
        }
    }
}

#[test]
fn what_a_provider_bills_is_refused_there_alone() {
    for (name, value, at_provider) in [
        ("service_tier", json!("priority"), Some("service_tier")),
        ("service_tier", json!(1), Some("service_tier")),
        ("service_tier", json!("auto"), None),
        ("service_tier", json!("standard_only"), None),
        ("service_tier", json!(null), None),
        ("speed", json!("fast"), Some("speed")),
        ("inference_geo", json!("us"), Some("inference_geo")),
    ] {
        let body = with(name, value);
        let provider = || pool(Engine::Openai);
        assert_eq!(provider().refuses(&Api::Messages, &body).as_deref(), at_provider, "{body}");
        assert_eq!(provider().allowing(name).refuses(&Api::Messages, &body), None, "{body}");
        assert_eq!(pool(Engine::Vllm).refuses(&Api::Messages, &body), None, "{body}");
    }
}

#[test]
fn what_steers_below_the_fields_is_refused() {
    let part = |part: Value| with("messages", json!([{"role": "user", "content": [part]}]));
    let item = |item: Value| with("input", json!([item]));
    let tool = |tool: Value| with("tools", json!([tool]));
    for (api, name, body) in [
        (Api::Chat, "image_embeds", part(json!({"type": "image_embeds", "image_embeds": "gASV"}))),
        (Api::Chat, "image_embeds", part(json!({"type": "image_embeds"}))),
        (Api::Chat, "audio_embeds", part(json!({"audio_embeds": {"a": "gASV"}}))),
        (Api::Chat, "video_embeds", part(json!({"type": "video_embeds"}))),
        (Api::Chat, "prompt_embeds", part(json!({"prompt_embeds": "gASV"}))),
        (Api::Chat, "prompt_embeds", part(json!({"Prompt_Embeds": "gASV"}))),
        (Api::Chat, "mm_processor_kwargs", part(json!({"mm_processor_kwargs": {}}))),
        (Api::Chat, "uuid", part(json!({"type": "image_url", "image_url": null, "uuid": "a"}))),
        (Api::Chat, "file_id", part(json!({"type": "file", "file": {"file_id": "f"}}))),
        (
            Api::Messages,
            "file_id",
            part(json!({"type": "document", "source": {"type": "file", "file_id": "f"}})),
        ),
        (Api::Responses, "file_id", item(json!({"type": "input_image", "file_id": "f"}))),
        (Api::Responses, "item_reference", item(json!({"type": "item_reference", "id": "m"}))),
        (Api::Responses, "vector_store_ids", tool(json!({"vector_store_ids": ["v"]}))),
        (Api::Responses, "connector_id", tool(json!({"type": "mcp", "connector_id": "c"}))),
        (Api::Responses, "file_ids", tool(json!({"container": {"type": "auto", "file_ids": []}}))),
        (Api::Completions, "multimodal_data", with("prompt", json!([{"multimodal_data": ["x"]}]))),
        (
            Api::Chat,
            "comparison_response_id",
            with("prompt_cache_options", json!({"comparison_response_id": "r"})),
        ),
        (Api::Responses, "container_id", tool(json!({"container_id": "c"}))),
        (Api::Responses, "skill_id", tool(json!({"skill_id": "s"}))),
        (Api::Chat, "stream_options", with("stream_options", json!({"new_one": true}))),
    ] {
        assert_eq!(pool(Engine::Vllm).refuses(&api, &body).as_deref(), Some(name), "{body}");
        assert_eq!(pool(Engine::Vllm).allowing(name).refuses(&api, &body), None, "{body}");
    }
}

#[test]
fn what_engines_only_pass_on_steers_nothing() {
    let schema =
        json!({"type": "object", "properties": {"uuid": {}, "file_id": {"type": "string"}}});
    for (api, body) in [
        (Api::Chat, with("metadata", json!({"file_id": "x", "uuid": "y"}))),
        (Api::Chat, with("tools", json!([{"function": {"name": "f", "parameters": schema}}]))),
        (Api::Messages, with("tools", json!([{"name": "f", "input_schema": schema}]))),
        (Api::Chat, with("response_format", json!({"json_schema": {"schema": schema}}))),
        (Api::Responses, with("text", json!({"format": {"schema": schema}}))),
        (
            Api::Messages,
            with("messages", json!([{"content": [{"type": "tool_use", "input": {"uuid": "x"}}]}])),
        ),
        (Api::Rerank, with("documents", json!([{"text": "a", "uuid": "x"}]))),
        (
            Api::Responses,
            with(
                "input",
                json!([{"content": [{"type": "input_text", "text": "a", "file_id": null}]}]),
            ),
        ),
        (
            Api::Chat,
            with("stream_options", json!({"include_usage": true, "include_obfuscation": false})),
        ),
        (Api::Chat, with("stream_options", json!({"continuous_usage_stats": true}))),
    ] {
        assert_eq!(pool(Engine::Sglang).refuses(&api, &body), None, "{body}");
    }
}

#[test]
fn only_plain_words_are_told() {
    let longest = "x".repeat(TOLD_BYTES_MAX);
    for (name, expected) in [
        ("rid", "rid"),
        ("new.field-1", "new.field-1"),
        (longest.as_str(), longest.as_str()),
        (&format!("{longest}x"), "?"),
        ("", "?"),
        ("my card is 4111", "?"),
        ("é", "?"),
        ("a\"b", "?"),
        ("a\u{1}", "?"),
    ] {
        let refused = pool(Engine::Vllm).refuses(&Api::Chat, &with(name, json!(1)));
        assert_eq!(refused.as_deref(), Some(expected));
    }
}

#[test]
fn the_first_is_told_and_escapes_hide_nothing() {
    for (body, expected) in [
        (r#"{"model":"m","rid":1,"priority":2}"#, "rid"),
        (r#"{"model":"m","pri\u006frity":1,"rid":2}"#, "priority"),
        (r#"{"messages":[{"uu\u0069d":1}],"model":"m","rid":2}"#, "rid"),
        (r#"{"messages":[{"type":"image\u005fembeds"}],"model":"m"}"#, "image_embeds"),
        (r#"{"model":"m","str\u0065am_options":{"x":1}}"#, "stream_options"),
        (r#"{"model":"m","stream_options":{"Include_Usage":true}}"#, "stream_options"),
        (r#"{"model":"m","Model":"n"}"#, "Model"),
        (r#"{"model":"m","\u004dodel":"n"}"#, "Model"),
    ] {
        let request = parse(body.as_bytes()).unwrap();
        assert_eq!(refused(&Api::Chat, Engine::Vllm, &[], false, &request), Some(expected));
    }
}
