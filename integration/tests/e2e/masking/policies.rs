//! What policies say, and whose they are.

use super::super::ask::{Told, running};
use super::{EMAIL, PHONE, World, assert_no_value, chat, content};
use integration::{Result, client, wait_until};
use serde_json::json;
use std::time::Duration;

const RRN: &str = "900101-1234568";
const STRICT: &str = "masking:
  policies:
    default:
      types: { EMAIL: restore, KR_RRN: mask, SECRET: block, PHONE: alert, IP_ADDRESS: \"off\" }
      deny_words: [ 한빛프로젝트, Project Bluefin ]
      custom: { emp: '\\bEMP-\\d{6}\\b' }
tenants:
  acme:
    masking: default
";

#[tokio::test]
async fn each_type_goes_its_way() -> Result<()> {
    let world = World::with(STRICT).await?;
    let text = format!(
        "{EMAIL} 주민등록번호 {RRN} 전화 {PHONE} IP 10.1.2.3 한빛프로젝트는 project bluefin EMP-123456"
    );
    let told = world.chat(&text).await?;
    assert_eq!(content(&told), text.replace(RRN, "[KR_RRN]"), "{}", told.body);
    let received = world.received().await?;
    for gone in [EMAIL, RRN, "한빛프로젝트", "project bluefin", "EMP-123456"] {
        assert!(!received.contains(gone), "{gone}: {received}");
    }
    assert!(received.contains(PHONE) && received.contains("10.1.2.3"), "{received}");
    let row = super::super::ledger::record(&world.gate, told.id()).await?;
    let expected = json!({"EMAIL": 1, "KR_RRN": 1, "PHONE": 1, "DENY_WORD": 2, "CUSTOM": 1});
    assert_eq!(row["masked"], expected, "{row}");
    Ok(())
}

#[tokio::test]
async fn what_is_blocked_goes_nowhere() -> Result<()> {
    let world = World::with(STRICT).await?;
    let secret = concat!("AK", "IAQ3EGR5YJ7KLM2NPX");
    let told = world.chat(&format!("my key is {secret} and {EMAIL}")).await?;
    assert_eq!(told.what(), (400, "pii_blocked"), "{}", told.body);
    let message = told.body["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("SECRET") && !message.contains("EMAIL"), "{message}");
    assert!(!told.body.to_string().contains(secret));
    assert_eq!(world.received().await?, "");
    let row = super::super::ledger::record(&world.gate, told.id()).await?;
    assert_eq!((&row["end"], &row["code"]), (&"refused".into(), &"pii_blocked".into()), "{row}");
    assert_eq!(row["masked"], json!({"EMAIL": 1, "SECRET": 1}), "{row}");
    Ok(())
}

#[tokio::test]
async fn the_key_goes_before_the_model_and_that_before_the_tenant() -> Result<()> {
    let digest = integration::signed::sha256(b"made-up-key-of-the-yaml-31");
    let yaml = format!(
        "models:
  tiny: p
  guarded: {{ split: [{{ pool: p }}], masking: model }}
masking:
  policies:
    tenant: {{ types: {{ default: \"off\", EMAIL: mask }} }}
    model: {{ types: {{ default: \"off\", PHONE: mask }} }}
    key: {{ types: {{ default: \"off\", KR_RRN: mask }} }}
tenants:
  acme:
    masking: tenant
    keys: [{{ name: ci, sha256: \"{digest}\", masking: key }}]
"
    );
    let engine = integration::Engine::start().record().spawn().await?;
    let gate = integration::Tollgate::with(&yaml).engine("p", &engine).start().await?;
    let minted = gate.key("acme").await?.key;
    let text = format!("{EMAIL} 전화 {PHONE} 주민등록번호 {RRN}");
    for (key, model, gone) in [
        (minted.as_str(), "tiny", EMAIL),
        (&minted, "guarded", PHONE),
        ("made-up-key-of-the-yaml-31", "tiny", RRN),
        ("made-up-key-of-the-yaml-31", "guarded", RRN),
    ] {
        let mut body = chat(&text);
        body["model"] = model.into();
        let request = client().post(format!("{}/v1/chat/completions", gate.url())).json(&body);
        let told = Told::of(request.bearer_auth(key)).await?;
        assert_eq!(told.status, 200, "{}", told.body);
        let received = engine.received(0).await?.pop().map(|it| it.body).unwrap_or_default();
        let received = String::from_utf8_lossy(&received).into_owned();
        for value in [EMAIL, PHONE, RRN] {
            assert_eq!(received.contains(value), value != gone, "{model} {value}: {received}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_policy_is_live_without_a_restart() -> Result<()> {
    let world = World::with("tenants:\n  acme: {}\n").await?;
    world.chat(EMAIL).await?;
    assert!(world.received().await?.contains(EMAIL));
    world.gate.rewrite_config(|text| {
        let text = text.replace("  acme: {}\n", "  acme: { masking: default }\n");
        format!("{text}masking:\n  policies:\n    default: {{}}\n")
    })?;
    let is_live = async || {
        let Ok(told) = world.chat(EMAIL).await else { return false };
        assert!(told.status == 200 || told.code == "control_unavailable", "{}", told.body);
        told.headers.contains_key("x-tollgate-masked")
    };
    assert!(wait_until(is_live, Duration::from_secs(10)).await);
    assert_no_value(&world.received().await?);
    Ok(())
}

#[tokio::test]
async fn nothing_is_told_of_values_and_keys() -> Result<()> {
    let key = "made-up-masking-key-7d10";
    let yaml = STRICT.replacen("masking:\n", &format!("masking:\n  key: {key}\n"), 1);
    let world = World::with(&yaml).await?;
    let told = world.chat(&format!("{EMAIL} 주민등록번호 {RRN}")).await?;
    assert_eq!(told.status, 200, "{}", told.body);
    super::super::ledger::record(&world.gate, told.id()).await?;
    let secret = concat!("AK", "IAQ3EGR5YJ7KLM2NPX");
    let blocked = world.chat(&format!("{secret} {EMAIL}")).await?;
    assert_eq!(blocked.code, "pii_blocked");
    super::super::ledger::record(&world.gate, blocked.id()).await?;
    let hex_key = key.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let admin = running(&world.gate, "envoy_admin")?;
    let mut places = vec![("logs".to_owned(), world.gate.tails())];
    for path in ["config_dump?include_eds", "stats"] {
        let text = client().get(format!("http://{admin}/{path}")).send().await?.text().await?;
        assert!(!text.is_empty(), "{path}");
        places.push((path.to_owned(), text));
    }
    let stats = &places[2].1;
    assert!(stats.contains("wasmcustom.tollgate_masked_email: 2"), "{stats}");
    let mut folders = vec![world.gate.data()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                let bytes = std::fs::read(&path)?;
                let text = String::from_utf8_lossy(&bytes).into_owned();
                places.push((path.display().to_string(), text));
            }
        }
    }
    assert!(places.iter().any(|(place, _)| place.contains("/spool/")));
    for (place, text) in places {
        for secret in [EMAIL, RRN, key, &hex_key, secret] {
            assert!(!text.contains(secret), "{secret} in {place}");
        }
    }
    Ok(())
}
