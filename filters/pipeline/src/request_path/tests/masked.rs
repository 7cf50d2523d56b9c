//! Values that must not leave, on their way through the pipeline and back.

use super::*;
use crate::exchange::Answering;
use crate::privacy::External;
use crate::response_path;
use crate::spending::trial::free;
use contract::masking::{
    Action, ExternalConfig, MaskingConfig, MaskingPolicyConfig, OnFailure, PiiType,
};
use contract::policy::GatewayConfig;
use contract::refusal::Code;

const KEY: &[u8] = b"made-up masking key";
const EMAIL: &str = "kim.minsu@example.com";

fn policy_of(masking: MaskingPolicyConfig) -> Policy {
    let mut config = config();
    config.masking = MaskingConfig { policies: [("p".to_owned(), masking)].into() };
    config.tenants.get_mut("acme").unwrap().masking = Some("p".into());
    Policy::compile(&config).unwrap()
}

fn external() -> MaskingPolicyConfig {
    let external = ExternalConfig {
        cluster: "masking/a".into(),
        authority: "a".into(),
        path: "/analyze".into(),
        timeout_ms: 200,
        language: "en".into(),
        score_min: 50,
        entities: [("PERSON".to_owned(), PiiType::Person)].into(),
    };
    MaskingPolicyConfig { external: Some(external), ..MaskingPolicyConfig::default() }
}

fn chat(content: &str) -> String {
    serde_json::json!({"model": "llama", "messages": [{"role": "user", "content": content}]})
        .to_string()
}

fn ask(policy: &Policy, body: &str, external: External<'_>) -> Decision {
    let material = Material { key: Some(KEY), external };
    let (table, fleet) = (Memory::default(), Fleet::default());
    let setting = Setting { material, till: &till(&table), fleet: &fleet, may_ask: true };
    on_body(policy, &hold("acme"), body.as_bytes(), &setting)
}

fn forwarded(decision: Decision) -> (String, Forwarded) {
    match decision {
        Decision::Forward { body: Some(body), forwarded, .. } => {
            (String::from_utf8(body).unwrap(), *forwarded)
        }
        other => panic!("{other:?}"),
    }
}

fn refused_with(decision: Decision) -> (u16, String, Option<Who>) {
    match decision {
        Decision::Finish(finish) => (finish.reply.status, finish.reply.body, finish.who),
        other => panic!("{other:?}"),
    }
}

fn sent_text(body: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    body["messages"][0]["content"].as_str().unwrap().to_owned()
}

fn answer(forwarded: Forwarded, media_type: &str) -> (Vec<HeaderEdit>, Answering) {
    let headers = Headers::of(&[(":status", "200"), ("content-type", media_type)]);
    let head = response_path::on_headers(forwarded, &headers, false, || true);
    (head.edits, head.answering)
}

#[test]
fn a_value_stays_and_comes_back() {
    let policy = policy_of(MaskingPolicyConfig::default());
    let text = format!("Write to {EMAIL}.");
    let (body, forwarded) = forwarded(ask(&policy, &chat(&text), External::Unasked));
    let sent = sent_text(&body);
    assert!(sent.starts_with("Write to [EMAIL_") && !body.contains(EMAIL), "{body}");
    assert!(body.contains(r#""model":"meta/Llama""#), "{body}");
    assert_eq!(forwarded.who.masked, [(PiiType::Email, 1)].into());
    let (edits, mut answering) = answer(forwarded, "application/json");
    assert_eq!(edits, [HeaderEdit::set("x-tollgate-masked", "1")]);
    let json = serde_json::json!({"model": "meta/Llama",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": sent}}]})
    .to_string();
    let (first, second) = json.as_bytes().split_at(json.len() / 2);
    let mut out = Vec::new();
    for (chunk, end) in [(first, false), (second, false), (b"".as_slice(), true)] {
        let step = response_path::on_body(&mut answering, chunk, end, || 1, free);
        out.extend(step.replacement.unwrap_or_else(|| chunk.to_vec()));
        assert_eq!(out.is_empty(), chunk == first, "it leaves with its last brace");
    }
    let expected = json.replace("meta/Llama", "llama").replace(&sent, &text);
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn a_stream_is_restored_however_it_is_cut() {
    let policy = policy_of(MaskingPolicyConfig::default());
    let text = format!("Write to {EMAIL} now.");
    let body = chat(&text);
    let (sent, _) = forwarded(ask(&policy, &body, External::Unasked));
    let sent = sent_text(&sent);
    let events: String = sent.chars().map(|letter| event(&letter.to_string())).collect();
    let stream = format!("{events}data: [DONE]\n\n");
    let mut whole = None;
    for cut in 1..stream.len() {
        let (_, forwarded) = forwarded(ask(&policy, &body, External::Unasked));
        let (_, mut answering) = answer(forwarded, "text/event-stream");
        let (first, second) = stream.as_bytes().split_at(cut);
        let mut out = Vec::new();
        for (chunk, end) in [(first, false), (second, true)] {
            let step = response_path::on_body(&mut answering, chunk, end, || 1, free);
            out.extend(step.replacement.unwrap_or_else(|| chunk.to_vec()));
        }
        assert_eq!(*whole.get_or_insert_with(|| out.clone()), out, "cut at {cut}");
    }
    let out = String::from_utf8(whole.unwrap()).unwrap();
    let contents = out.lines().filter_map(|line| line.strip_prefix("data: {"));
    let contents = contents.map(|data| {
        let event: serde_json::Value = serde_json::from_str(&format!("{{{data}")).unwrap();
        event["choices"][0]["delta"]["content"].as_str().unwrap().to_owned()
    });
    assert_eq!(contents.collect::<String>(), text);
    assert!(out.ends_with("data: [DONE]\n\n"));
}

fn event(text: &str) -> String {
    let delta = serde_json::json!({"choices": [{"index": 0, "delta": {"content": text}}]});
    format!("data: {delta}\n\n")
}

#[test]
fn what_is_blocked_is_named_by_its_type() {
    let types = [(PiiType::Email, Action::Block)].into();
    let policy = policy_of(MaskingPolicyConfig { types, ..MaskingPolicyConfig::default() });
    let (status, body, who) = refused_with(ask(&policy, &chat(EMAIL), External::Unasked));
    assert!(status == 400 && body.contains("pii_blocked") && body.contains("EMAIL"), "{body}");
    assert!(!body.contains(EMAIL), "{body}");
    assert_eq!(who.unwrap().masked, [(PiiType::Email, 1)].into());
}

#[test]
fn without_its_key_nothing_leaves() {
    let policy = policy_of(MaskingPolicyConfig::default());
    let (status, body, _) = refused_with(decided(&policy, &hold("acme"), chat("hi").as_bytes()));
    assert!(status == 503 && body.contains("control_unavailable"), "{body}");
    let other = decided(&policy, &hold("other"), chat(EMAIL).as_bytes());
    assert!(matches!(other, Decision::Forward { .. }), "that tenant has no policy");
}

#[test]
fn a_policy_that_is_not_known_is_waited_for() {
    let policy = policy_of(MaskingPolicyConfig::default());
    let mut held = hold("acme");
    held.signer.caller.masking = Some("gone".into());
    let (status, body, _) = refused_with(decided(&policy, &held, chat("hi").as_bytes()));
    assert!(status == 503 && body.contains("control_unavailable"), "{body}");
}

#[test]
fn an_external_detector_is_asked_first() {
    let policy = policy_of(external());
    let body = chat("Ann Lee is here");
    let question = match ask(&policy, &body, External::Unasked) {
        Decision::Detect(question) => question,
        other => panic!("{other:?}"),
    };
    assert_eq!(question.detector.path, "/analyze");
    assert_eq!(question.body, br#"{"text":"Ann Lee is here","language":"en"}"#);
    let found = br#"[{"entity_type":"PERSON","start":0,"end":7,"score":0.9}]"#;
    let (sent, _) = forwarded(ask(&policy, &body, External::Answered(found)));
    assert!(sent_text(&sent).starts_with("[PERSON_"), "{sent}");
    for failed in [External::Failed, External::Answered(b"no")] {
        assert_eq!(refused_with(ask(&policy, &body, failed)).0, Code::ControlUnavailable.status());
    }
    let passes = MaskingPolicyConfig { on_failure: OnFailure::Pass, ..external() };
    let (sent, _) = forwarded(ask(&policy_of(passes), &body, External::Failed));
    assert_eq!(sent_text(&sent), "Ann Lee is here");
}

#[test]
fn a_value_over_two_parts_of_a_message_is_found() {
    let policy = policy_of(MaskingPolicyConfig::default());
    let part = |text: &str| serde_json::json!({"type": "text", "text": text});
    let parts = [part("write to kim.minsu@exam"), part("ple.com please")];
    let body =
        serde_json::json!({"model": "llama", "messages": [{"role": "user", "content": parts}]});
    let (sent, forwarded) = forwarded(ask(&policy, &body.to_string(), External::Unasked));
    assert!(!sent.contains("kim.minsu") && !sent.contains("ple.com"), "{sent}");
    assert_eq!(forwarded.who.masked, [(PiiType::Email, 1)].into());
}

#[test]
fn nothing_is_left_of_a_value_whose_first_part_is_one_by_itself() {
    let policy = policy_of(MaskingPolicyConfig::default());
    let part = |text: &str| serde_json::json!({"type": "text", "text": text});
    let parts = [part("write to kim.minsu@example.co"), part("m.kr please")];
    let body =
        serde_json::json!({"model": "llama", "messages": [{"role": "user", "content": parts}]});
    let (sent, _) = forwarded(ask(&policy, &body.to_string(), External::Unasked));
    let sent: serde_json::Value = serde_json::from_str(&sent).unwrap();
    let part = |index: usize| sent["messages"][0]["content"][index]["text"].as_str().unwrap();
    assert!(part(0).starts_with("write to [EMAIL_"), "{sent}");
    assert!(part(1).starts_with("[EMAIL_") && part(1).ends_with("] please"), "{sent}");
}

#[test]
fn an_answer_that_is_json_stays_json() {
    let types = [(PiiType::DenyWord, Action::Restore)].into();
    let deny_words = vec![r#"a "quoted" word"#.to_owned()];
    let policy =
        policy_of(MaskingPolicyConfig { types, deny_words, ..MaskingPolicyConfig::default() });
    let body = serde_json::json!({"model": "llama", "response_format": {"type": "json_object"},
        "messages": [{"role": "user", "content": r#"say a "quoted" word"#}]});
    for (wraps, expected) in
        [(true, r#"{"is":"a \"quoted\" word"}"#), (false, r#"a "quoted" word"#)]
    {
        let (sent, forwarded) = forwarded(ask(&policy, &body.to_string(), External::Unasked));
        let placeholder = sent_text(&sent).replace("say ", "");
        let content = if wraps { format!(r#"{{"is":"{placeholder}"}}"#) } else { placeholder };
        let json = serde_json::json!({"choices": [{"index": 0, "message": {"content": content}}]});
        let (_, mut answering) = answer(forwarded, "application/json");
        let step =
            response_path::on_body(&mut answering, json.to_string().as_bytes(), true, || 1, free);
        let out: serde_json::Value = serde_json::from_slice(&step.replacement.unwrap()).unwrap();
        assert_eq!(out["choices"][0]["message"]["content"], expected);
    }
}

#[test]
fn values_of_the_models_own_are_counted() {
    let policy = policy_of(MaskingPolicyConfig { answers: true, ..MaskingPolicyConfig::default() });
    let (_, forwarded) = forwarded(ask(&policy, &chat(EMAIL), External::Unasked));
    let (_, mut answering) = answer(forwarded, "application/json");
    let json = serde_json::json!({"choices": [{"index": 0, "message": {"content": "ask lee@example.com"}}]});
    let step =
        response_path::on_body(&mut answering, json.to_string().as_bytes(), true, || 1, free);
    let out = String::from_utf8(step.replacement.unwrap()).unwrap();
    assert!(out.contains("ask [EMAIL]") && !out.contains("lee@"), "{out}");
    let who = response_path::who_of_answer(&answering).unwrap();
    assert_eq!(who.masked, [(PiiType::Email, 2)].into());
}

#[test]
fn faults_of_policies_are_told_with_their_names() {
    let faults = |change: &dyn Fn(&mut GatewayConfig)| {
        let mut config = config();
        change(&mut config);
        Policy::compile(&config).unwrap_err()
    };
    let unknown = faults(&|config| {
        config.tenants.get_mut("acme").unwrap().masking = Some("gone".into());
    });
    assert_eq!(unknown, ["tenant `acme`: there is no masking policy `gone`"]);
    let broken = faults(&|config| {
        let placeholder = "{TYPE}".to_owned();
        let policy = MaskingPolicyConfig { placeholder, ..MaskingPolicyConfig::default() };
        config.masking.policies.insert("p".into(), policy);
    });
    assert!(broken.iter().all(|fault| fault.starts_with("masking `p`: ")), "{broken:?}");
}
