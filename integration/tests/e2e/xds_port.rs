//! The port of xDS: who gets in, and that nobody else is told anything.

use super::made::{self, Authority, Pair};
use integration::{
    BareEnvoy, Engine, Load, Process, Result, Tollgate, binaries, client, wait_until,
};
use serde_json::Value;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(10);
const TOKEN: &str = "made-up-token-of-the-port";
/// A port that asks for both a certificate and a token.
const CLOSED: &str = "control:\n  xds:\n    listen: 127.0.0.1:0\n    token: ${XDS_TOKEN}\n    \
    tls: { cert: c.pem, key: k.pem, client_ca: ca.pem }\n    \
    envoy: { ca: ca.pem, cert: e.pem, key: e-key.pem }\n";

/// The files that [`CLOSED`] names, and who signed them.
struct Made {
    authority: Authority,
    files: Vec<(&'static str, String)>,
}

impl Made {
    fn new() -> Made {
        let authority = Authority::new();
        let (own, envoy) = (authority.sign("127.0.0.1"), authority.sign("envoy.example"));
        let files = vec![
            ("ca.pem", authority.pem.clone()),
            ("c.pem", own.cert),
            ("k.pem", own.key),
            ("e.pem", envoy.cert),
            ("e-key.pem", envoy.key),
        ];
        Made { authority, files }
    }
}

async fn chats(gate: &Tollgate, key: &str) -> Result<bool> {
    Ok(Load::on(gate.url()).key(key).count(1).await?[0].status == Some(200))
}

/// A key that nobody has seen is asked for at the control plane, over the port.
async fn is_looked_up(gate: &Tollgate) -> Result<bool> {
    let refused = Load::on(gate.url()).key("nobody-knows-it").count(1).await?;
    Ok(refused[0].status == Some(401))
}

fn run(gate: &Tollgate) -> Result<Value> {
    Ok(serde_json::from_slice(&std::fs::read(gate.data().join("run.json"))?)?)
}

#[tokio::test]
async fn up_works_over_a_unix_socket_and_its_envoy_is_adopted() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let yaml = "control:\n  xds: unix:xds.sock\n";
    let mut gate = Tollgate::with(yaml).engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    assert!(chats(&gate, &key).await? && is_looked_up(&gate).await?);
    assert_eq!(run(&gate)?["xds"], Value::Null);
    let envoy = gate.envoy_pid();
    gate.kill9();
    assert!(gate.folder().join("xds.sock").exists(), "it is left over");
    gate.start_again().await?;
    assert_eq!(gate.envoy_pid(), envoy, "the running Envoy is adopted");
    let next = gate.key("acme").await?.key;
    let back = async || chats(&gate, &next).await.unwrap_or(false);
    assert!(wait_until(back, SOON).await, "{}", gate.tails());
    Ok(())
}

/// Where nobody says otherwise no port is open, and the socket is the owner's alone.
#[tokio::test]
async fn up_opens_no_port_of_its_own_accord() -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("").default_xds().engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    assert!(chats(&gate, &key).await? && is_looked_up(&gate).await?);
    assert_eq!(run(&gate)?["xds"], Value::Null);
    let mode = |path: std::path::PathBuf| std::fs::metadata(path).map(|it| it.permissions().mode());
    let (folder, socket) = (mode(gate.data())?, mode(gate.data().join("xds.sock"))?);
    assert!(folder & 0o077 == 0 || socket & 0o077 == 0, "{folder:o} {socket:o}");
    Ok(())
}

#[tokio::test]
async fn up_works_over_a_closed_port_and_nobody_else_is_served() -> Result<()> {
    let (engine, made) = (Engine::start().spawn().await?, Made::new());
    let mut start = Tollgate::with(CLOSED).env("XDS_TOKEN", TOKEN).engine("tiny", &engine);
    for (name, text) in &made.files {
        start = start.file(name, text);
    }
    let gate = start.start().await?;
    let key = gate.key("acme").await?.key;
    assert!(chats(&gate, &key).await? && is_looked_up(&gate).await?);
    let run = run(&gate)?;
    let (xds, admin) =
        (run["xds"].as_str().unwrap_or(""), run["envoy_admin"].as_str().unwrap_or(""));
    let dump = client().get(format!("http://{admin}/config_dump?include_eds")).send().await?;
    assert!(!dump.text().await?.contains(TOKEN), "Envoy shows the token");
    let right = made.authority.sign("envoy.example");
    assert_eq!(answer(xds, Some(&right), Some(TOKEN)).await, Some((200, None)));
    assert_eq!(answer(xds, Some(&right), Some("other")).await, Some((401, None)));
    assert_eq!(answer(xds, Some(&right), None).await, Some((401, None)));
    assert_eq!(
        ask_for_xds(xds, &right).await,
        Some((200, Some("16".to_owned()))),
        "UNAUTHENTICATED"
    );
    for foreign in [None, Some(&Authority::new().sign("envoy.example"))] {
        assert_eq!(answer(xds, foreign, Some(TOKEN)).await, None);
    }
    let in_clear = client().get(format!("http://{xds}/sync/v1/keyring")).bearer_auth(TOKEN).send();
    assert!(in_clear.await.is_err());
    let log = gate.tails();
    assert!(log.contains("refused on control.xds") && log.contains("127.0.0.1:"), "{log}");
    assert!(!log.contains(TOKEN), "the token is in a log");
    Ok(())
}

/// What the port answers to the question for the keyring: status and gRPC's.
/// `None`: nothing, there is no connection.
async fn answer(
    xds: &str,
    own: Option<&Pair>,
    token: Option<&str>,
) -> Option<(u16, Option<String>)> {
    let request = made::showing(own).get(format!("https://{xds}/sync/v1/keyring"));
    sent(token.into_iter().fold(request, |request, token| request.bearer_auth(token))).await
}

async fn ask_for_xds(xds: &str, own: &Pair) -> Option<(u16, Option<String>)> {
    const ADS: &str = "envoy.service.discovery.v3.AggregatedDiscoveryService";
    let url = format!("https://{xds}/{ADS}/DeltaAggregatedResources");
    sent(made::showing(Some(own)).post(url).header("content-type", "application/grpc")).await
}

async fn sent(request: reqwest::RequestBuilder) -> Option<(u16, Option<String>)> {
    let answer = request.header("host", "control").send().await.ok()?;
    let grpc = answer.headers().get("grpc-status").and_then(|it| it.to_str().ok());
    Some((answer.status().as_u16(), grpc.map(str::to_owned)))
}

/// `tollgate serve`, and the bootstraps that go with it.
struct Serving {
    process: Process,
    folder: TempDir,
}

impl Serving {
    async fn start(yaml: &str, made: &Made) -> Result<Serving> {
        let folder = TempDir::with_prefix("tollgate-")?;
        for (name, text) in &made.files {
            std::fs::write(folder.path().join(name), text)?;
        }
        std::fs::write(folder.path().join("tollgate.yaml"), Tollgate::with(yaml).config())?;
        let process = Process::spawn(command(&folder, &["serve"])?, folder.path(), "serve")?;
        let mut serving = Serving { process, folder };
        serving.process.line_after("serving xds: ", SOON).await?;
        Ok(serving)
    }

    fn bootstrap(&self, more: &[&str]) -> Result<Value> {
        let printed = command(&self.folder, &[&["bootstrap"], more].concat())?.output()?;
        assert!(printed.status.success(), "{printed:?}");
        Ok(serde_json::from_slice(&printed.stdout)?)
    }

    async fn envoys(&self) -> Result<Vec<Value>> {
        let status = command(&self.folder, &["status", "--format", "json"])?.output()?;
        let status: Value = serde_json::from_slice(&status.stdout)?;
        Ok(status["envoys"].as_array().cloned().unwrap_or_default())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.process.stderr).unwrap_or_default()
    }
}

fn command(folder: &TempDir, words: &[&str]) -> Result<Command> {
    let mut command = Command::new(binaries::built("tollgate", "TOLLGATE_BIN")?);
    command.args(words).arg("-c").arg(folder.path().join("tollgate.yaml"));
    command.env("XDS_TOKEN", TOKEN);
    Ok(command)
}

#[tokio::test]
async fn an_envoy_with_the_wrong_token_is_told_nothing() -> Result<()> {
    let serving = Serving::start(CLOSED, &Made::new()).await?;
    let right = serving.bootstrap(&["--node", "gw-7"])?;
    let wrong = serde_json::from_str(&right.to_string().replace(TOKEN, "another"))?;
    let stranger = BareEnvoy::start(wrong).await?;
    let refused = async || serving.log().contains("the token of control.xds is missing or wrong");
    assert!(wait_until(refused, SOON).await, "{}", serving.log());
    assert_eq!(serving.envoys().await?, Vec::<Value>::new());
    assert!(!stranger.admin("/config_dump").await?.contains("filter_chains"), "it has a listener");
    drop(stranger);
    let file = serving.folder.path().join("token");
    std::fs::write(&file, format!("Bearer {TOKEN}"))?;
    let from_file = ["--node", "gw-8", "--token-file", &file.to_string_lossy()];
    let by_file = serving.bootstrap(&from_file)?;
    assert!(!by_file.to_string().contains(TOKEN));
    for (bootstrap, node) in [(right, "gw-7"), (by_file, "gw-8")] {
        let envoy = BareEnvoy::start(bootstrap).await?;
        let known = async || {
            let envoys = serving.envoys().await.unwrap_or_default();
            envoys.iter().any(|envoy| envoy.to_string().contains(node))
        };
        assert!(wait_until(known, SOON).await, "{}\n{}", serving.log(), envoy.tails());
    }
    Ok(())
}

#[tokio::test]
async fn an_envoy_does_not_believe_another_control_plane() -> Result<()> {
    let (made, other) = (Made::new(), Made::new());
    let serving = Serving::start(CLOSED, &made).await?;
    let bootstrap = serving.bootstrap(&[])?;
    // The same files with other content: a control plane of somebody else.
    let (name, text) = &other.files[0];
    std::fs::write(serving.folder.path().join("envoy-ca.pem"), text)?;
    let text = bootstrap.to_string().replace(&format!("/{name}"), "/envoy-ca.pem");
    let envoy = BareEnvoy::start(serde_json::from_str(&text)?).await?;
    let failed =
        async || envoy.stat("cluster.control.ssl.fail_verify_error").await.unwrap_or(0) > 0;
    assert!(wait_until(failed, SOON).await, "{}", envoy.tails());
    assert_eq!(serving.envoys().await?, Vec::<Value>::new());
    Ok(())
}
