//! Answers with placeholders in every shape, cut in every way: what comes out is the
//! same, and has the values.

mod captured;
mod conversation;

use super::*;
use crate::Policy;
use crate::exchange::Held;
use crate::policy::tests::config;
use crate::privacy::{External, Material};
use crate::request_path::{self, Arrival, Decision, Identified, Setting};
use contract::fleet::Fleet;
use contract::keyring::KeyEntry;
use contract::masking::{MaskingConfig, MaskingPolicyConfig};
use conversation::{JSON, Kind, STREAMS, Split, Style, Texts, told};

const EMAIL: &str = "kim@example.com";
/// Has to be escaped in JSON, and once more in JSON in JSON.
const WORD: &str = r#"plan "B\D""#;

/// How many single cuts of an answer are tried, at even distances: all of them, but for
/// builds that are not optimized, which would take minutes.
const SINGLES: usize = if cfg!(debug_assertions) { 100 } else { usize::MAX };

/// How many pairs of cuts are tried.
const PAIRS: usize = if cfg!(debug_assertions) { 50 } else { 300 };

/// A tenant whose requests are masked, and one request of his on a path.
struct World {
    policy: Policy,
    held: Held,
    body: String,
}

impl World {
    fn on(path: &'static str) -> World {
        let deny_words = vec![WORD.to_owned()];
        let masking = MaskingPolicyConfig { deny_words, ..MaskingPolicyConfig::default() };
        let mut config = config();
        config.masking = MaskingConfig { policies: [("p".to_owned(), masking)].into() };
        config.tenants.get_mut("acme").unwrap().masking = Some("p".into());
        let policy = Policy::compile(&config).unwrap();
        World { held: held(&policy, path), policy, body: request(path) }
    }

    /// The request on its way to the engine, and its body.
    fn forwarded(&self) -> (String, Forwarded) {
        let material = Material { key: Some(b"made-up key"), external: External::Unasked };
        let (till, fleet) = (free(), Fleet::default());
        let setting = Setting { material, till: &till, fleet: &fleet, may_ask: true };
        match request_path::on_body(&self.policy, &self.held, self.body.as_bytes(), &setting) {
            Decision::Forward { body, forwarded, .. } => {
                (String::from_utf8(body.unwrap()).unwrap(), *forwarded)
            }
            other => panic!("{other:?}"),
        }
    }

    /// What the engine reads in the place of the values, and may say itself.
    fn placeholders(&self) -> Texts {
        let (body, _) = self.forwarded();
        let between = |from: &str, to: &str| {
            let (_, rest) = body.split_once(from).unwrap();
            rest.split_once(to).unwrap().0.to_owned()
        };
        let (mail, word) = (between("mail: ", ";"), between("word: ", ";"));
        assert!(mail.starts_with("[EMAIL_") && word.starts_with("[DENY_WORD_"), "{body}");
        Texts { model: "meta/Llama", mail, word }
    }

    fn begin(&self, media: &str) -> Answering {
        answer_to(self.forwarded().1, media)
    }

    /// An answer that arrives in pieces. Its end comes with the last of them, or by
    /// itself where there is an even number of them.
    fn passed(&self, media: &str, answer: &[u8], cuts: &[usize]) -> Vec<u8> {
        passed(self.begin(media), answer, cuts)
    }
}

fn held(policy: &Policy, path: &str) -> Held {
    let bearer = format!("Bearer {}", auth::key::generate(&[1; 32]));
    let kind = ("content-type", "application/json");
    let lines = [(":method", "POST"), (":path", path), ("authorization", &bearer), kind];
    let headers = Headers::of(&lines);
    let arrival =
        Arrival { headers: &headers, end_of_stream: false, certificate: None, now_s: 1_000 };
    let opened = request_path::on_headers(policy, arrival).opened;
    let entry = KeyEntry {
        id: "key_1".into(),
        tenant: "acme".into(),
        user: None,
        roles: vec![],
        models: vec![],
        masking: None,
        limits: None,
        budget: false,
        expires_at_s: None,
    };
    let caller = request_path::on_key(Some(entry), 0).unwrap();
    match request_path::on_caller(policy, opened, caller.into()) {
        Identified::Hold(held) => held,
        other => panic!("{other:?}"),
    }
}

fn request(path: &str) -> String {
    let text = format!("mail: {EMAIL}; word: {WORD};");
    let messages = serde_json::json!([{"role": "user", "content": text}]);
    let mut body = match path {
        "/v1/chat/completions" => serde_json::json!({"messages": messages}),
        "/v1/completions" => serde_json::json!({"prompt": text}),
        "/v1/messages" => serde_json::json!({"max_tokens": 9, "messages": messages}),
        "/v1/rerank" => serde_json::json!({"query": text, "documents": ["a"]}),
        _ => serde_json::json!({"input": text}),
    };
    body["model"] = "llama".into();
    body.to_string()
}

fn answer_to(forwarded: Forwarded, media: &str) -> Answering {
    let headers = Headers::of(&[(":status", "200"), ("content-type", media)]);
    on_headers(forwarded, &headers, false, || true).answering
}

fn passed(mut answering: Answering, answer: &[u8], cuts: &[usize]) -> Vec<u8> {
    let ends = cuts.iter().copied().chain([answer.len()]);
    let starts = [0].into_iter().chain(cuts.iter().copied());
    let mut pieces: Vec<_> = starts.zip(ends).map(|(from, to)| &answer[from..to]).collect();
    if pieces.len() % 2 == 0 {
        pieces.push(b"");
    }
    let mut out = Vec::with_capacity(answer.len());
    let last = pieces.len() - 1;
    for (index, piece) in pieces.into_iter().enumerate() {
        let step = on_body(&mut answering, piece, index == last, || 1, free);
        out.extend(step.replacement.unwrap_or_else(|| piece.to_vec()));
    }
    out
}

/// Places that differ from seed to seed but not from run to run, in order.
fn random_cuts(seed: u64, count: usize, below: usize) -> Vec<usize> {
    let step =
        |x: &u64| Some(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_041));
    let numbers = std::iter::successors(Some(seed), step).skip(3).take(count);
    let mut cuts: Vec<_> = numbers.map(|x| (x >> 33) as usize % (below + 1)).collect();
    cuts.sort_unstable();
    cuts
}

/// Places from the first to the last, at most so many.
fn single_cuts(length: usize, most: usize) -> impl Iterator<Item = Vec<usize>> {
    (0..=length).step_by(length / most + 1).map(|cut| vec![cut])
}

/// Every way of cutting that is tried, one after the other.
fn ways_to_cut(length: usize) -> impl Iterator<Item = Vec<usize>> {
    let singles = single_cuts(length, SINGLES);
    let pairs = (0..PAIRS).map(move |seed| random_cuts(seed as u64, 2, length));
    singles.chain(pairs).chain([(1..length).collect()])
}

/// What comes out of an answer, however it is cut.
#[track_caller]
fn passed_any_way(world: &World, media: &str, answer: &str, what: &str) -> String {
    let whole = world.passed(media, answer.as_bytes(), &[]);
    for cuts in ways_to_cut(answer.len()) {
        let out = world.passed(media, answer.as_bytes(), &cuts);
        let at = &cuts[..cuts.len().min(2)];
        assert!(out == whole, "{what} cut at {at:?}:\n{}", String::from_utf8_lossy(&out));
    }
    String::from_utf8(whole).unwrap()
}

fn values() -> Texts {
    Texts { model: "llama", mail: EMAIL.to_owned(), word: WORD.to_owned() }
}

/// A stream says the values, and everything else is as it was.
#[track_caller]
fn check_stream(kind: &Kind, split: Split, style: Style) {
    let what = format!("{} {split:?} {style:?}", kind.name);
    let world = World::on(kind.path);
    let placeholders = world.placeholders();
    let answer = (kind.write)(&placeholders, split, style);
    let out = passed_any_way(&world, "text/event-stream", &answer, &what);
    let expected = (kind.write)(&values(), split, style);
    if split == Split::Whole {
        assert_eq!(out, expected, "{what}");
    }
    let (told, expected) = (told(&out), told(&expected));
    assert_eq!(told.texts, expected.texts, "{what}");
    for said in (kind.says)(&values()) {
        assert!(told.texts.values().any(|text| *text == said), "{what}: {said} in {out}");
    }
    let renamed = answer.replace(placeholders.model, values().model);
    assert_eq!(told.rest, conversation::told(&renamed).rest, "{what}");
}

#[track_caller]
fn check_kind(name: &str) {
    let kind = STREAMS.iter().find(|kind| kind.name == name).unwrap();
    let [plain, bare, short, full] = Style::ALL;
    for (split, style) in [
        (Split::Whole, plain),
        (Split::Letters, bare),
        (Split::Letters, full),
        (Split::Escaped, short),
    ] {
        check_stream(kind, split, style);
    }
}

#[test]
fn contents_of_chats() {
    check_kind("content");
}

#[test]
fn thoughts_of_chats() {
    check_kind("thought");
}

#[test]
fn calls_of_chats() {
    check_kind("call");
}

#[test]
fn two_choices_at_once() {
    check_kind("choices");
}

#[test]
fn completions() {
    check_kind("completion");
}

#[test]
fn messages() {
    check_kind("message");
}

#[test]
fn responses() {
    check_kind("response");
}

#[test]
fn answers_in_json() {
    for (name, path, write) in JSON {
        let world = World::on(path);
        let answer = write(&world.placeholders());
        let out = passed_any_way(&world, "application/json", &answer, name);
        assert_eq!(out, write(&values()), "{name}");
        assert!(!out.contains("EMAIL") && !out.contains("DENY_WORD"), "{name}: {out}");
    }
}

/// An engine that refuses quotes what it was sent.
#[test]
fn errors_of_engines() {
    for path in ["/v1/chat/completions", "/v1/messages"] {
        let world = World::on(path);
        let sent = world.placeholders();
        let quoted = format!("cannot read {} at /opt/engine.py: {}", sent.mail, sent.word);
        let body = serde_json::json!({ "error": { "message": quoted } }).to_string();
        let headers = [(":status", "400"), ("content-type", "application/json")];
        for cuts in [vec![], vec![9, 30], (1..body.len()).collect()] {
            let forwarded = world.forwarded().1;
            let answering = on_headers(forwarded, &Headers::of(&headers), false, || true).answering;
            let told = passed(answering, body.as_bytes(), &cuts);
            let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
            assert_eq!(told["error"]["message"], format!("cannot read {EMAIL} at …: {WORD}"));
        }
    }
}

/// All lines of `before` are there in their order; what came between them are lines of the
/// same kind, at most an event for each of an answer's texts.
#[track_caller]
fn assert_only_more(lines: &[String], before: &[String], what: &str) {
    let mut rest = before.iter().peekable();
    let more: Vec<_> = lines.iter().filter(|line| rest.next_if_eq(line).is_none()).collect();
    assert_eq!(rest.next(), None, "{what}: {lines:#?}");
    assert!(more.len() <= 3 * 3, "{what}: {more:#?}");
    assert!(more.iter().all(|line| before.contains(line)), "{what}: {more:#?}");
}

/// What only begins like a placeholder is said as it is, in the place where its text
/// ends.
#[test]
fn halves_of_placeholders() {
    for kind in STREAMS {
        let world = World::on(kind.path);
        let mut placeholders = world.placeholders();
        let half = placeholders.mail.split_at(placeholders.mail.len() - 3).0.to_owned();
        placeholders.mail = format!("{half}\u{2026}{half}");
        let same = Texts { mail: placeholders.mail.clone(), ..values() };
        for style in Style::ALL {
            let what = format!("{} {style:?}", kind.name);
            let answer = (kind.write)(&placeholders, Split::Letters, style);
            let whole = world.passed("text/event-stream", answer.as_bytes(), &[]);
            for cuts in [(1..answer.len()).collect(), random_cuts(7, 9, answer.len())] {
                let out = world.passed("text/event-stream", answer.as_bytes(), &cuts);
                assert!(out == whole, "{what}: {}", String::from_utf8_lossy(&out));
            }
            let told = told(std::str::from_utf8(&whole).unwrap());
            let expected = conversation::told(&(kind.write)(&same, Split::Letters, style));
            assert_eq!(told.texts, expected.texts, "{what}");
            let renamed = answer.replace(placeholders.model, same.model);
            assert_only_more(&told.rest, &conversation::told(&renamed).rest, &what);
        }
    }
}

/// The text with the values in it, also where only the last bracket is missing.
fn restored(text: &str, placeholders: &Texts) -> String {
    let mut text = text.to_owned();
    for (placeholder, value) in [(&placeholders.mail, EMAIL), (&placeholders.word, WORD)] {
        text = text.replace(placeholder, value);
        if let Some(before) = text.strip_suffix(placeholder.trim_end_matches(']')) {
            text = format!("{before}{value}");
        }
    }
    text
}

/// A stream may break off behind every event: what was held back leaves.
#[test]
fn streams_that_break_off() {
    for name in ["content", "thought", "choices", "completion"] {
        let kind = STREAMS.iter().find(|kind| kind.name == name).unwrap();
        let world = World::on(kind.path);
        let placeholders = world.placeholders();
        let answer = (kind.write)(&placeholders, Split::Letters, Style::ALL[0]);
        for (end, _) in answer.match_indices("\n\n") {
            let part = answer.split_at(end + 2).0;
            let out = world.passed("text/event-stream", part.as_bytes(), &[end / 2]);
            let texts = told(std::str::from_utf8(&out).unwrap()).texts;
            let expected = told(part).texts.into_iter();
            let expected = expected.map(|(place, text)| (place, restored(&text, &placeholders)));
            assert_eq!(texts, expected.collect(), "{name}: {part}");
        }
    }
}
