//! What is looked at in a body before an engine sees it.

use super::*;
use contract::policy::{Engine, GatewayConfig, MediaConfig, MediaKind};

const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn sent(change: impl FnOnce(&mut GatewayConfig), body: &str) -> Result<Option<String>, String> {
    let mut config = config();
    change(&mut config);
    match decided(&Policy::compile(&config).unwrap(), &hold("acme"), body.as_bytes()) {
        Decision::Forward { body, .. } => Ok(body.map(|body| String::from_utf8(body).unwrap())),
        Decision::Finish(finish) => Err(finish.reply.body),
        other => panic!("{other:?}"),
    }
}

#[test]
fn fields_that_steer_the_engine_are_the_operators() {
    let body = r#"{"model":"llama","messages":[],"top_k":1}"#;
    let told = sent(|_| {}, body).unwrap_err();
    assert!(told.contains(r#""param":"top_k","code":"field_not_allowed""#), "{told}");
    let allow = |config: &mut GatewayConfig| {
        config.pools.get_mut("big").unwrap().allow_fields = vec!["top_k".into()];
    };
    assert!(sent(allow, body).is_ok());
}

#[test]
fn every_tenant_has_a_cache_of_its_own() {
    let salted = |config: &mut GatewayConfig| {
        let pool = config.pools.get_mut("big").unwrap();
        pool.engine = Engine::Vllm;
        pool.cache_salt = true;
    };
    let body = sent(salted, r#"{"model":"llama","messages":[]}"#).unwrap().unwrap();
    let read: serde_json::Value = serde_json::from_str(&body).unwrap();
    let policy = policy();
    assert_eq!(read["cache_salt"], policy.salts["acme"].as_str());
    assert_ne!(policy.salts["acme"], policy.salts["other"]);
    assert!(body.ends_with(r#""model":"meta/Llama","messages":[]}"#), "{body}");
    let own = r#"{"model":"llama","messages":[],"cache_salt":"mine"}"#;
    let allowed = |config: &mut GatewayConfig| {
        salted(config);
        config.pools.get_mut("big").unwrap().allow_fields = vec!["cache_salt".into()];
    };
    assert!(sent(allowed, own).unwrap_err().contains("field_not_allowed"));
}

fn with_image(url: &str) -> String {
    format!(
        r#"{{"model":"llama","messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"{url}"}}}}]}}]}}"#
    )
}

#[test]
fn media_are_held_against_the_rules_of_the_pool() {
    let inline = with_image(&format!("data:image/png;base64,{PIXEL}"));
    let rules = |media: MediaConfig| {
        move |config: &mut GatewayConfig| config.pools.get_mut("big").unwrap().media = media
    };
    assert!(sent(|_| {}, &inline).is_ok());
    let none = MediaConfig { kinds: vec![MediaKind::Audio], ..MediaConfig::default() };
    assert!(sent(rules(none), &inline).unwrap_err().contains("invalid_request"));
    let lying = with_image(&format!("data:image/jpeg;base64,{PIXEL}"));
    assert!(sent(|_| {}, &lying).unwrap_err().contains("invalid_request"));
    let remote = with_image("https://cdn.example/a.png");
    assert!(sent(|_| {}, &remote).unwrap_err().contains("invalid_request"));
    let hosts = MediaConfig { hosts: vec!["cdn.example".into()], ..MediaConfig::default() };
    assert!(sent(rules(hosts), &remote).is_ok());
}

pub(super) const FORM: &str = "--b\r\n\
     content-disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\
     content-type: audio/wav\r\n\r\nRIFF\x04\0\0\0WAVEfmt \r\n--b\r\n\
     content-disposition: form-data; name=\"model\"\r\n\r\nllama\r\n--b--\r\n";

pub(super) fn hold_form() -> Held {
    let content_type = ("content-type", "multipart/form-data; boundary=b");
    let bearer = format!("Bearer {}", key());
    let lines = [
        (":method", "POST"),
        (":path", "/v1/audio/transcriptions"),
        ("authorization", bearer.as_str()),
        content_type,
    ];
    let (opened, _) = open(&Headers::of(&lines), false);
    match identify(opened, "acme") {
        Identified::Hold(held) => held,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_form_goes_to_its_pool_under_the_engines_name() {
    let decision = decided(&policy(), &hold_form(), FORM.as_bytes());
    let Decision::Forward { body: Some(body), forwarded, .. } = decision else {
        panic!("not forwarded")
    };
    assert_eq!(body, FORM.replace("\r\nllama\r\n", "\r\nmeta/Llama\r\n").into_bytes());
    assert_eq!(forwarded.asked, "llama");
    assert_eq!(forwarded.who.path.as_deref(), Some("/v1/audio/transcriptions"));
}

#[test]
fn forms_that_are_refused() {
    let twice = FORM.replace(
        "--b--",
        "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nx\r\n--b--",
    );
    let steering = FORM.replace(
        "--b--",
        "--b\r\ncontent-disposition: form-data; name=\"hotwords\"\r\n\r\nx\r\n--b--",
    );
    let table = [
        (FORM.replace("--b--", ""), "invalid_request"),
        (twice, "duplicate_key"),
        (steering, "field_not_allowed"),
        (FORM.replace("llama", "nothing"), "model_not_found"),
        (FORM.replace("RIFF", "<svg"), "invalid_request"),
    ];
    for (form, code) in table {
        let Decision::Finish(finish) = decided(&policy(), &hold_form(), form.as_bytes()) else {
            panic!("{form}")
        };
        assert!(finish.reply.body.contains(code), "{}: {form}", finish.reply.body);
    }
}

#[test]
fn an_engine_that_fetches_what_texts_name_gets_no_such_text() {
    let body =
        r#"{"model":"llama","messages":[{"role":"user","content":"![](http://192.0.2.1/)"}]}"#;
    let tgi = |hosts: &[&str]| {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        move |config: &mut GatewayConfig| {
            let pool = config.pools.get_mut("big").unwrap();
            pool.engine = Engine::Tgi;
            pool.media.hosts = hosts;
        }
    };
    assert!(sent(tgi(&[]), body).unwrap_err().contains("invalid_request"));
    assert!(sent(tgi(&["cdn.example"]), body).is_ok());
    assert!(sent(|_| {}, body).is_ok());
}
