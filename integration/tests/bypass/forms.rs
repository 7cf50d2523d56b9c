//! Forms with a recording: the parts that decide are the ones the engine reads.

use super::attack::{AUTH, Attack, post};
use super::world::World;
use integration::Result;

const PATH: &str = "/v1/audio/transcriptions";
/// Begins as a WAV file does.
const SOUND: &str =
    "RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x3e\0\0\x02\0\x10\0data\0\0\0\0";

fn part(head: &str, content: &str) -> String {
    format!("--B\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n")
}

fn file() -> String {
    part("name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav", SOUND)
}

fn model(name: &str) -> String {
    part("name=\"model\"", name)
}

fn form(name: &str, parts: &[String]) -> Attack {
    typed(name, "multipart/form-data; boundary=B", &format!("{}--B--\r\n", parts.concat()))
}

fn typed(name: &str, kind: &str, body: &str) -> Attack {
    let bytes = post(PATH, &format!("{AUTH}content-type: {kind}\r\n"), body);
    Attack::new(name, bytes).at(PATH)
}

/// Forms in which another reader finds another model, or none.
fn doubtful() -> Vec<Attack> {
    let closing = "--B--\r\n";
    let whole = format!("{}{}{closing}", file(), model("tiny"));
    vec![
        form("two models", &[model("tiny"), file(), model("secret")]),
        form("two models, the other way round", &[model("secret"), file(), model("tiny")]),
        form("two files", &[file(), file(), model("tiny")]),
        form("no file", &[model("tiny")]),
        form("no model", &[file()]),
        form("a model of another tenant", &[file(), model("secret")]),
        form("an engine's model", &[file(), model("engine-secret")]),
        form("a model and a line end", &[file(), model("tiny\r\n")]),
        form("a name in capitals", &[file(), model("tiny"), part("name=\"Model\"", "secret")]),
        form("a name without quotes", &[file(), model("tiny"), part("name=model", "secret")]),
        form("a name in another encoding", &[file(), model("tiny"), part("name*=utf-8''model", "secret")]),
        form("two names", &[file(), part("name=\"model\"; name=\"x\"", "tiny")]),
        form("an escaped name", &[file(), part("name=\"mod\\el\"", "secret"), model("tiny")]),
        form("a name with a line end", &[file(), model("tiny"), part("name=\"x%0d%0a\"", "1")]),
        form("model as a file", &[file(), part("name=\"model\"; filename=\"m\"", "tiny")]),
        form("a model in base64", &[file(), part("name=\"model\"\r\nContent-Transfer-Encoding: base64", "dGlueQ==")]),
        form("a model in UTF-7", &[file(), part("name=\"model\"\r\nContent-Type: text/plain; charset=utf-7", "tiny")]),
        form("_charset_", &[part("name=\"_charset_\"", "utf-16"), file(), model("tiny")]),
        form("the name in another header", &[file(), "--B\r\nX: form-data; name=\"model\"\r\n\r\nsecret\r\n".into(), model("tiny")]),
        form("two dispositions", &[file(), "--B\r\nContent-Disposition: form-data; name=\"model\"\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nsecret\r\n".into(), model("tiny")]),
        form("a folded disposition", &[file(), "--B\r\nContent-Disposition: form-data;\r\n name=\"model\"\r\n\r\nsecret\r\n".into(), model("tiny")]),
        form("a part without a head", &[file(), "--B\r\n\r\nsecret\r\n".into(), model("tiny")]),
        form("a file that is a program", &[part("name=\"file\"; filename=\"a.wav\"", "#!/bin/sh"), model("tiny")]),
        form("a file by its place", &[part("name=\"file\"; filename=\"../../a.wav\"", SOUND), model("tiny")]),
        form("steering", &[file(), model("tiny"), part("name=\"chat_template\"", "x")]),
        form("steering by vLLM's name", &[file(), model("tiny"), part("name=\"vllm_xargs\"", "{}")]),
        form("a URL in the file's place", &[part("name=\"file\"", "http://169.254.169.254/"), model("tiny")]),
        form("10,000 parts", &[file(), part("name=\"x\"", "1").repeat(10_000), model("tiny")]),
        typed("no boundary", "multipart/form-data", &whole),
        typed("an empty boundary", "multipart/form-data; boundary=", &whole),
        typed("two boundaries", "multipart/form-data; boundary=B; boundary=C", &whole),
        typed("a boundary in capitals", "multipart/form-data; BOUNDARY=B", &whole),
        typed("another boundary", "multipart/form-data; boundary=C", &whole),
        typed("a boundary of 200", &format!("multipart/form-data; boundary={}", "B".repeat(200)), &whole),
        typed("another kind of multipart", "multipart/mixed; boundary=B", &whole),
        typed("no end", "multipart/form-data; boundary=B", &format!("{}{}", file(), model("tiny"))),
        typed("LF for CRLF", "multipart/form-data; boundary=B", &whole.replace("\r\n", "\n")),
        typed("text before", "multipart/form-data; boundary=B", &format!("{}{whole}", "x\r\n")),
        typed("a form after the end", "multipart/form-data; boundary=B", &format!("{whole}{}{closing}", model("secret"))),
        typed("a longer boundary inside", "multipart/form-data; boundary=B", &whole.replace("RIFF", "RIFF\r\n--Bx\r\n")),
        typed("space behind a boundary", "multipart/form-data; boundary=B", &whole.replace("--B\r\n", "--B \r\n")),
        typed("nothing", "multipart/form-data; boundary=B", ""),
        typed("the end alone", "multipart/form-data; boundary=B", closing),
        typed("JSON", "application/json", r#"{"model":"tiny","file":"a"}"#),
    ]
}

fn honest() -> Vec<Attack> {
    vec![
        form("the file first", &[file(), model("tiny")]).served(),
        form("the model first", &[model("tiny"), file()]).served(),
        form(
            "more fields",
            &[
                part("name=\"language\"", "en"),
                file(),
                model("tiny"),
                part("name=\"temperature\"", "0"),
            ],
        )
        .served(),
        typed(
            "a boundary in quotes",
            "multipart/form-data; boundary=\"B\"",
            &format!("{}{}--B--\r\n", file(), model("tiny")),
        )
        .served(),
    ]
}

#[tokio::test]
async fn a_form_has_one_model() -> Result<()> {
    let mut world = World::new().await?;
    world.try_all(honest()).await?;
    world.try_all(doubtful()).await?;
    world.end().await
}
