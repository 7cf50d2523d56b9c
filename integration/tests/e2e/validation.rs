//! What a request may hold: media by pool, fields by engine, forms, cache salts.

use super::ask::{CHAT, HELLO, Told, chat, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use integration::{Engine, Result, Tollgate, client};
use serde_json::{Value, json};

/// The head of a PNG of this size and a bit of what follows it: all that says how large
/// it is (PNG 1.2, §11.2.2).
fn png(width: u32, height: u32, bytes: usize) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    png.extend(width.to_be_bytes());
    png.extend(height.to_be_bytes());
    png.extend(b"\x08\x02\0\0\0\0\0\0\0");
    png.resize(png.len().max(bytes), 0);
    png
}

fn pdf(pages: usize) -> Vec<u8> {
    let page: String = (0..pages)
        .map(|at| format!("{} 0 obj\n<</Type /Page /Parent 2 0 R>>\nendobj\n", at + 3))
        .collect();
    format!("%PDF-1.4\n1 0 obj\n<</Type /Catalog /Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type /Pages /Count {pages}>>\nendobj\n{page}%%EOF\n").into()
}

fn data_url(kind: &str, bytes: &[u8]) -> String {
    format!("data:{kind};base64,{}", STANDARD.encode(bytes))
}

fn with_part(model: &str, part: &Value) -> String {
    json!({"model": model, "messages": [{"role": "user", "content": [{"type": "text", "text": "what is it?"}, part]}]})
        .to_string()
}

fn image(url: &str) -> Value {
    json!({"type": "image_url", "image_url": {"url": url}})
}

fn document(url: &str) -> Value {
    json!({"type": "file", "file": {"filename": "a.pdf", "file_data": url}})
}

async fn send(gate: &Tollgate, key: &str, path: &str, body: &str) -> Result<Told> {
    Told::of(post(gate, path, &[("x-api-key", key)], body)).await
}

/// 16 by 16: the frame's header, then that of a scan (ITU-T T.81, annex B).
const JPEG: &[u8] = b"\xff\xd8\xff\xc0\0\x0b\x08\0\x10\0\x10\x01\x01\x11\0\xff\xda\0\x08\x01\x01\0\0\x3f\0\x12\xff\xd9";

const MEDIA: &str = "models: { tiny: p, blind: q }\npools:\n  p:\n    media: { max_bytes: 4KiB, max_pixels: 1000000, max_pages: 3 }\n  \
                     q:\n    media: { kinds: [] }\n";

#[tokio::test]
async fn media_are_what_they_say_and_as_large_as_they_may_be() -> Result<()> {
    let engines = [Engine::start().spawn().await?, Engine::start().spawn().await?];
    let gate =
        Tollgate::with(MEDIA).engine("p", &engines[0]).engine("q", &engines[1]).start().await?;
    let key = gate.key("acme").await?.key;
    let small = data_url("image/png", &png(10, 10, 0));
    let served = [
        image(&small),
        image(&data_url("image/png", &png(1000, 1000, 0))),
        image(&data_url("image/jpeg", JPEG)),
        document(&data_url("application/pdf", &pdf(3))),
    ];
    for part in served {
        let told = send(&gate, &key, CHAT, &with_part("tiny", &part)).await?;
        assert_eq!(told.status, 200, "{:.80}: {}", part.to_string(), told.body);
    }
    let refused = [
        image(&data_url("image/png", &png(1001, 1000, 0))),
        image(&data_url("image/png", &png(u32::MAX, u32::MAX, 0))),
        image(&data_url("image/png", &png(0, 0, 0))),
        image(&data_url("image/png", &png(10, 10, 5_000))),
        image(&data_url("image/png", b"GIF89a\x0a\0\x0a\0")),
        image(&data_url("image/png", b"<html>")),
        image(&data_url("image/png", b"")),
        image(&data_url("image/svg+xml", b"<svg/>")),
        image(&data_url("text/html", b"<html>")),
        image(&data_url("application/pdf", &pdf(1))),
        image(&small.replace("base64,", "base64,!")),
        image(&small.replace(";base64", "")),
        image("data:image/png;base64"),
        document(&data_url("application/pdf", &pdf(4))),
        document(&data_url("application/pdf", b"MZ")),
    ];
    let before = engines[0].chats().await?;
    for part in refused {
        let told = send(&gate, &key, CHAT, &with_part("tiny", &part)).await?;
        assert!(
            [400, 413].contains(&told.status) && !told.code.is_empty(),
            "{:.80}: {told:?}",
            part.to_string()
        );
    }
    for part in [image(&small), document(&data_url("application/pdf", &pdf(1)))] {
        let told = send(&gate, &key, CHAT, &with_part("blind", &part)).await?;
        assert_eq!(told.status, 400, "{}", told.body);
    }
    assert_eq!((engines[0].chats().await?, engines[1].chats().await?), (before, 0));
    assert_eq!(chat(&gate, &key, "blind").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn fields_beyond_the_api_are_the_operators_to_allow() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let yaml = "models: { tiny: p, open: q }\npools:\n  p:\n    engine: openai\n  q:\n    engine: openai\n    allow_fields: [min_p, priority]\n";
    let gate = Tollgate::with(yaml).engine("p", &engine).engine("q", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    for (field, allowed) in
        [("min_p", true), ("priority", true), ("rid", false), ("chat_template", false)]
    {
        let body = |model: &str| {
            HELLO.replace("tiny", model).replacen('{', &format!("{{\"{field}\":1,"), 1)
        };
        let strict = send(&gate, &key, CHAT, &body("tiny")).await?;
        assert_eq!(strict.what(), (400, "field_not_allowed"), "{field}");
        let param = strict.body["error"]["param"].as_str();
        assert!(param.is_none_or(|param| param == field), "{}", strict.body);
        let open = send(&gate, &key, CHAT, &body("open")).await?;
        assert_eq!(open.status == 200, allowed, "{field}: {}", open.body);
    }
    Ok(())
}

/// The prefix cache of one tenant tells another nothing.
#[tokio::test]
async fn each_tenant_has_its_own_cache_salt() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let yaml = "models: { tiny: p, bare: q }\npools:\n  q:\n    cache_salt: none\ntenants: { acme: {}, rich: {} }\n";
    let gate = Tollgate::with(yaml).engine("p", &engine).engine("q", &engine).start().await?;
    let salt = async |key: &str, model: &str| -> Result<Option<String>> {
        let told = chat(&gate, key, model).await?;
        assert_eq!(told.status, 200, "{}", told.body);
        let body: Value = serde_json::from_str(told.echo()["body"].as_str().unwrap_or_default())?;
        Ok(body["cache_salt"].as_str().map(str::to_owned))
    };
    let keys =
        [gate.key("acme").await?.key, gate.key("acme").await?.key, gate.key("rich").await?.key];
    let salts = [
        salt(&keys[0], "tiny").await?,
        salt(&keys[1], "tiny").await?,
        salt(&keys[2], "tiny").await?,
    ];
    assert!(salts[0].as_ref().is_some_and(|salt| salt.len() >= 8), "{salts:?}");
    assert_eq!(salts[0], salts[1], "one tenant");
    assert_ne!(salts[0], salts[2], "two tenants");
    assert_eq!(salt(&keys[0], "bare").await?, None);
    let own = HELLO.replacen('{', "{\"cache_salt\":\"of rich\",", 1);
    assert_eq!(send(&gate, &keys[0], CHAT, &own).await?.what(), (400, "field_not_allowed"));
    Ok(())
}

const SOUND: &[u8] =
    b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0";

fn part(name: &str, more: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--XYZ\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n");
    [head.as_bytes(), content, b"\r\n"].concat()
}

#[tokio::test]
async fn a_recording_is_transcribed_whatever_comes_first() -> Result<()> {
    let engine = Engine::start().model("org/whisper").record().spawn().await?;
    let gate = Tollgate::with("models: { hear: p }\n").engine("p", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let file = part("file", "; filename=\"a.wav\"\r\nContent-Type: audio/wav", SOUND);
    let model = part("model", "", b"hear");
    let language = part("language", "", b"en");
    let end = b"--XYZ--\r\n".to_vec();
    let orders = [
        [file.clone(), model.clone(), end.clone()].concat(),
        [model.clone(), file.clone(), end.clone()].concat(),
        [language, file.clone(), model, end].concat(),
    ];
    for form in orders {
        let request =
            client().post(format!("{}/v1/audio/transcriptions", gate.url())).bearer_auth(&key);
        let request =
            request.header("content-type", "multipart/form-data; boundary=XYZ").body(form);
        let told = Told::of(request).await?;
        assert_eq!(
            (told.status, told.body["text"].as_str()),
            (200, Some("w0 w1 w2")),
            "{}",
            told.body
        );
        let row = super::ledger::record(&gate, told.id()).await?;
        assert_eq!(
            (&row["model"], &row["path"]),
            (&"hear".into(), &"/v1/audio/transcriptions".into()),
            "{row}"
        );
    }
    let received = engine.received(0).await?;
    let forms = received.iter().filter(|it| it.method == "POST");
    for form in forms {
        let text = String::from_utf8_lossy(&form.body);
        assert!(
            text.contains("\r\n\r\norg/whisper\r\n") && !text.contains("\r\nhear\r\n"),
            "{text}"
        );
        assert!(
            form.body.windows(SOUND.len()).any(|window| window == SOUND),
            "the file is as it was"
        );
    }
    Ok(())
}
