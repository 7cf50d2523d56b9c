//! Every kind of secret that can be configured or sent, and every place where an
//! operator, a log collector or a neighbour could come across it.

use super::ask::{self, CHAT, HELLO, Told, chat, post, running};
use super::made::{self, Authority};
use super::xds_bytes;
use integration::signed::Signed;
use integration::token::Algorithm;
use integration::{Engine, Issuer, Result, Tollgate, TollgateStart, client, wait_until};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use xds::ResourceType;

const ADMIN_TOKEN: &str = "made-up-admin-token-6c1f0f55";
const XDS_TOKEN: &str = "made-up-xds-token-20b7c9aa";
const HMAC_SECRET: &str = "made-up-hmac-secret-81d3e7b2";
const OLD_HMAC_SECRET: &str = "made-up-old-hmac-secret-4f5a";
const YAML_KEY: &str = "made-up-key-of-the-yaml-77aa01";
const PROMPT: &str = "made-up-prompt-3d9e41c0";
const UNKNOWN_MODEL: &str = "made-up-model-name-5b2c8d";
const QUERY: &str = "made-up-query-9a7e33f1";
const WRONG_KEY: &str = "made-up-wrong-key-e2f1a0b4";
const SOON: Duration = Duration::from_secs(20);

/// Files of the data folder that hold a secret because that is what they are for; only
/// their owner may read them.
const KEPT: [&str; 3] = ["admin-token", "admin_token", "bootstrap.json"];

fn yaml(issuer: &Issuer) -> String {
    let digest = integration::signed::sha256(YAML_KEY.as_bytes());
    format!(
        "gateway:\n  tls: {{ cert: server.pem, key: server-key.pem, client_ca: clients.pem }}\n\
         control:\n  admin_token: ${{ADMIN_TOKEN}}\n  xds:\n    listen: 127.0.0.1:0\n    token: ${{XDS_TOKEN}}\n\
         tenants:\n  acme:\n    mtls: [\"spiffe://acme/*\"]\n    \
         keys: [{{ name: ci, sha256: \"{digest}\" }}]\n    \
         hmac: [{{ id: partner-1, secret: \"${{file:hmac-secret}}\" }}]\n\
         auth:\n  jwt:\n    - {{ issuer: {}, jwks: \"file:jwks.json\", tenants: [acme] }}\n",
        issuer.url()
    )
}

/// A place where somebody might look, and what is there.
struct Place {
    name: String,
    content: Vec<u8>,
}

async fn fetched(url: &str, token: Option<&str>) -> Result<Place> {
    let request = client().get(url);
    let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
    let answer = request.send().await?;
    let name = format!("{url} {}", answer.status());
    Ok(Place { name, content: answer.bytes().await?.to_vec() })
}

/// Every file below the folder but those that are there to hold a secret.
fn files(folder: &Path) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let (path, kind) = {
                let entry = entry?;
                (entry.path(), entry.file_type()?)
            };
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if kind.is_dir() {
                folders.push(path);
            } else if KEPT.contains(&name.as_str()) {
                assert_private(&path)?;
            } else if kind.is_file() {
                places.push(Place {
                    name: path.display().to_string(),
                    content: std::fs::read(&path)?,
                });
            }
        }
    }
    Ok(places)
}

fn assert_private(path: &PathBuf) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path)?.permissions().mode();
    assert_eq!(mode & 0o077, 0, "{} can be read by others", path.display());
    Ok(())
}

async fn places(gate: &Tollgate) -> Result<Vec<Place>> {
    let (envoy, admin) = (running(gate, "envoy_admin")?, running(gate, "admin")?);
    let mut places = Vec::new();
    let of_envoy = [
        "config_dump?include_eds",
        "stats?usedonly",
        "stats/prometheus",
        "clusters?format=json",
        "listeners",
        "certs",
        "server_info",
        "runtime",
        "memory",
        "init_dump",
        "contention",
    ];
    for path in of_envoy {
        places.push(fetched(&format!("http://{envoy}/{path}"), None).await?);
    }
    for path in [
        "metrics",
        "api/v1/config",
        "api/v1/status",
        "api/v1/keys",
        "api/v1/usage",
        "api/v1/audit",
        "healthz",
        "readyz",
    ] {
        places.push(fetched(&format!("http://{admin}/{path}"), Some(ADMIN_TOKEN)).await?);
    }
    places.extend(files(&gate.data())?);
    for log in ["tollgate-1.out", "tollgate-1.err"] {
        places
            .push(Place { name: log.to_owned(), content: std::fs::read(gate.folder().join(log))? });
    }
    for (name, pid) in [("tollgate", Some(gate.pid())), ("envoy", gate.envoy_pid())] {
        let content = std::fs::read(format!("/proc/{}/cmdline", pid.unwrap_or_default()))?;
        places.push(Place { name: format!("command line of {name}"), content });
    }
    for command in [&["status"][..], &["keys", "list"], &["usage"], &["audit", "list"]] {
        let output = gate.cli(command).await?;
        places.push(Place {
            name: command.join(" "),
            content: [output.stdout, output.stderr].concat(),
        });
    }
    Ok(places)
}

/// The middle of a private key: one line of its PEM.
fn line_of(pem: &str) -> String {
    pem.lines().nth(1).unwrap_or_default().to_owned()
}

fn contains(bytes: &[u8], what: &str) -> bool {
    bytes.windows(what.len()).any(|window| window == what.as_bytes())
}

/// Sends everything that may be sent, good and bad.
async fn use_everything(gate: &Tollgate, key: &str, token: &str, shown: &made::Pair) -> Result<()> {
    let (showing, url) = (made::showing(Some(shown)), gate.url());
    let ask = |path: String, authorization: String, body: String| {
        let request =
            showing.post(format!("{url}{path}")).header("content-type", "application/json");
        Told::of(request.header("authorization", authorization).body(body))
    };
    let signed = Signed::post("partner-1", HMAC_SECRET, CHAT, HELLO.as_bytes()).header();
    for authorization in
        [format!("Bearer {key}"), format!("Bearer {YAML_KEY}"), format!("Bearer {token}"), signed]
    {
        let told = ask(CHAT.to_owned(), authorization, HELLO.to_owned()).await?;
        assert_eq!(told.status, 200, "{}", told.body);
    }
    let bearer = || format!("Bearer {key}");
    let prompt = HELLO.replace("hello", PROMPT);
    assert_eq!(ask(CHAT.to_owned(), bearer(), prompt.clone()).await?.status, 200);
    assert_eq!(ask(format!("{CHAT}?a={QUERY}"), bearer(), prompt.clone()).await?.status, 200);
    let refused = [
        (CHAT.to_owned(), bearer(), prompt.replace("tiny", UNKNOWN_MODEL)),
        (
            CHAT.to_owned(),
            bearer(),
            prompt.replace("\"role\"", &format!("\"{QUERY}\":1,\"{QUERY}\":2,\"role\"")),
        ),
        (CHAT.to_owned(), bearer(), prompt.replace('}', "")),
        (format!("/v1/{QUERY}"), bearer(), prompt.clone()),
        (CHAT.to_owned(), format!("Bearer {WRONG_KEY}"), prompt.clone()),
        (CHAT.to_owned(), format!("Bearer {}", &token[..token.len() - 9]), prompt.clone()),
        (CHAT.to_owned(), Signed::post("partner-1", OLD_HMAC_SECRET, CHAT, b"").header(), prompt),
    ];
    for (path, authorization, body) in refused {
        let told = ask(path.clone(), authorization.clone(), body.clone()).await?;
        assert!((400..500).contains(&told.status), "{authorization:.40} {path} {body}: {told:?}");
    }
    Ok(())
}

/// A gate that has every kind of secret.
fn with_secrets(issuer: &Issuer, server: &made::Pair, authority: &Authority) -> TollgateStart {
    Tollgate::with(&yaml(issuer))
        .file("server.pem", &server.cert)
        .file("server-key.pem", &server.key)
        .file("clients.pem", &authority.pem)
        .file("jwks.json", &issuer.jwks())
        .file("hmac-secret", HMAC_SECRET)
        .env("ADMIN_TOKEN", ADMIN_TOKEN)
        .env("XDS_TOKEN", XDS_TOKEN)
}

#[tokio::test]
async fn no_secret_is_seen_anywhere() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let issuer = Issuer::start(Algorithm::Es256).await?;
    let (server, authority) = (made::pair("gateway.example"), Authority::new());
    let gate = with_secrets(&issuer, &server, &authority)
        .env("TOLLGATE_LOG", "debug")
        .engine("tiny", &engine)
        .start()
        .await?;
    let (key, revoked) = (gate.key("acme").await?, gate.key("acme").await?);
    gate.cli(&["keys", "revoke", &revoked.id]).await?;
    let shown = authority.sign_named(vec![rcgen::SanType::URI("spiffe://acme/one".try_into()?)]);
    let token = issuer.token(json!({"sub": "kim"}));
    use_everything(&gate, &key.key, &token, &shown).await?;
    let recorded = async || gate.usage().await.is_ok_and(|rows| rows.len() >= 8);
    assert!(wait_until(recorded, SOON).await, "{:?}", gate.usage().await?);
    let signature = token.rsplit('.').next().unwrap_or_default();
    let secrets = [
        ("admin token", ADMIN_TOKEN.to_owned()),
        ("xDS token", XDS_TOKEN.to_owned()),
        ("HMAC secret", HMAC_SECRET.to_owned()),
        ("wrong HMAC secret", OLD_HMAC_SECRET.to_owned()),
        ("API key", key.key.clone()),
        ("revoked API key", revoked.key.clone()),
        ("key of the configuration", YAML_KEY.to_owned()),
        ("wrong key", WRONG_KEY.to_owned()),
        ("token", token.clone()),
        ("signature of the token", signature.to_owned()),
        ("TLS key", line_of(&server.key)),
        ("client's TLS key", line_of(&shown.key)),
        ("prompt", PROMPT.to_owned()),
        ("unknown model", UNKNOWN_MODEL.to_owned()),
        ("query", QUERY.to_owned()),
    ];
    let mut seen = Vec::new();
    for place in places(&gate).await? {
        let in_it = secrets.iter().filter(|(_, secret)| contains(&place.content, secret));
        seen.extend(in_it.map(|(name, _)| format!("{name} in {}", place.name)));
    }
    assert!(seen.is_empty(), "{}", seen.join("\n"));
    Ok(())
}

/// The scan above would find something if it were there.
#[tokio::test]
async fn what_is_looked_for_would_be_found() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("").engine("tiny", &engine).start().await?;
    let key = ask::key(&gate, "acme", &["--user", "made-up-user-of-the-scan"]).await?;
    let told = chat(&gate, &key.key, "tiny").await?;
    super::ledger::record(&gate, told.id()).await?;
    assert!(Told::of(post(&gate, CHAT, &[], HELLO)).await?.status == 401);
    let found = files(&gate.data())?;
    let with_user =
        found.iter().filter(|place| contains(&place.content, "made-up-user-of-the-scan"));
    assert!(with_user.count() > 0, "a user's name is in the ledger");
    assert!(found.len() > 2);
    Ok(())
}

/// An Envoy is told the key of the certificate that it shows, as the secret that this
/// is, and no other secret: keys and HMAC secrets go another way, and digests are none.
#[tokio::test]
async fn the_bytes_of_xds_have_no_secret_but_the_key_of_tls() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let issuer = Issuer::start(Algorithm::Es256).await?;
    let (server, authority) = (made::pair("gateway.example"), Authority::new());
    let gate = with_secrets(&issuer, &server, &authority).engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?;
    let told = xds_bytes::all(&running(&gate, "xds")?, XDS_TOKEN).await?;
    let with = |what: &str| -> Vec<ResourceType> {
        let with = told.iter().filter(|(_, bytes)| contains(bytes, what));
        with.map(|(kind, _)| *kind).collect()
    };
    for secret in [ADMIN_TOKEN, XDS_TOKEN, HMAC_SECRET, YAML_KEY, &key.key] {
        assert_eq!(with(secret), [], "{secret}");
    }
    let digest = |key: &str| integration::signed::sha256(key.as_bytes());
    assert!(with(&digest(YAML_KEY)).is_empty() && with(&digest(&key.key)).is_empty());
    assert_eq!(with(&line_of(&server.key)), [ResourceType::Secret]);
    // What is there is found.
    assert!(with(issuer.url()).contains(&ResourceType::ExtensionConfig));
    assert!(with(engine.model()).contains(&ResourceType::Endpoints));
    Ok(())
}
