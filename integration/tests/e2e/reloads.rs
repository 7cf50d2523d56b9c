//! New VMs in the Envoy that runs, where another module is put in force, as an upgrade
//! of Tollgate does, and where one has trapped: what the old VMs had noted in shared data
//! counts in the new ones.

use super::ask::{CHAT, HELLO};
use super::serving::{SOON, Serving, ready};
use integration::signed::Signed;
use integration::{BareEnvoy, Engine, RawClient, Result, Tollgate, binaries, wait_until};
use serde_json::Value;
use std::net::Ipv4Addr;
use tempfile::TempDir;

const SECRET: &str = "a-made-up-secret-of-partner-1";
/// Failures that are let through at once, and again in a minute.
const PER_MINUTE: usize = 200;
/// Connections of one question, so that each worker is asked.
const CONNECTIONS: usize = 16;
/// Guesses come from an address of their own, which alone is slowed down.
const GUESSER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// Of a bare Envoy.
const WORKERS: u64 = 2;
const VMS: &str = "wasm.envoy.wasm.runtime.v8";
/// Pages of 64 KiB that a VM of the narrow module may have at most: 4 MiB.
const NARROW_PAGES: u8 = 64;
/// A body for which that is not enough.
const LARGE_BODY_BYTES: usize = 5 << 20;

/// The module, and one more custom section of this name, which says nothing
/// (WebAssembly core specification, §5.5.3): another module for Envoy that does the same.
fn module_with(section: &str) -> Result<Vec<u8>> {
    let mut module = std::fs::read(binaries::wasm())?;
    let length = u8::try_from(section.len())?;
    module.extend([0, length + 1, length]);
    module.extend(section.bytes());
    Ok(module)
}

/// §5.5.2.
const MEMORY_SECTION: u8 = 5;

/// Where the section of that id begins (§5.5.2): behind the header of eight bytes one
/// follows the other, each with its id and its length in LEB128.
fn section(module: &[u8], id: u8) -> Option<usize> {
    let mut at = 8;
    while *module.get(at)? != id {
        let mut length = 0;
        let digits = module.get(at + 1..)?.iter().enumerate();
        for (place, byte) in digits {
            length |= usize::from(byte & 0x7F) << (7 * place);
            if byte & 0x80 == 0 {
                at += 1 + place + 1 + length;
                break;
            }
        }
    }
    Some(at)
}

/// The module with a bound to its memory (§5.5.8), as an operator's VM may have one.
fn narrow_module() -> Result<Vec<u8>> {
    let mut module = module_with("narrow")?;
    let at = section(&module, MEMORY_SECTION).expect("a section of memories");
    // 3 bytes: one memory without a bound, whose least pages are one byte.
    assert_eq!(module[at..at + 4], [MEMORY_SECTION, 3, 1, 0]);
    let least = module[at + 4];
    assert!(least < NARROW_PAGES);
    module.splice(at..at + 5, [5, 4, 1, 1, least, NARROW_PAGES]);
    Ok(module)
}

/// A control plane with its one Envoy, and a module that can be replaced.
struct World {
    serving: Serving,
    envoys: [BareEnvoy; 1],
    url: String,
    modules: TempDir,
    engine: Engine,
}

impl World {
    async fn start(module: Vec<u8>) -> Result<World> {
        let engine = Engine::start().spawn().await?;
        let modules = TempDir::with_prefix("modules-")?;
        let path = modules.path().join("gateway.wasm");
        std::fs::write(&path, module)?;
        let yaml = format!(
            "control:\n  wasm: {}\nauth:\n  failures_per_minute: {PER_MINUTE}\n\
             tenants:\n  acme:\n    hmac: [{{ id: partner-1, secret: {SECRET} }}]\n",
            path.display()
        );
        let serving = Serving::start(Tollgate::with(&yaml).engine("tiny", &engine)).await?;
        let envoys = [serving.envoy("one").await?];
        let url = ready(&envoys).await?;
        Ok(World { serving, envoys, url, modules, engine })
    }

    /// A new control plane that puts this module in force.
    async fn upgrade(&mut self, module: Vec<u8>) -> Result<()> {
        self.serving.stop();
        std::fs::write(self.modules.path().join("gateway.wasm"), module)?;
        self.serving.start_again().await
    }

    /// The VMs: how many were made, and how many there are.
    async fn vms(&self) -> Result<(u64, u64)> {
        let stat = async |name: &str| self.envoys[0].stat(&format!("{VMS}.{name}")).await;
        Ok((stat("created").await?, stat("active").await?))
    }

    fn key(&self, name: &str) -> Result<Value> {
        let make = ["keys", "create", "--tenant", "acme", "--format", "json", "--name", name];
        self.serving.cli_json(&make)
    }

    /// What a new connection is told: status and code.
    async fn told_once(&self, authorization: &str, body: &str) -> Result<(u16, String)> {
        let mut connection = RawClient::connect(&self.url).await?;
        let header = format!("authorization: {authorization}\r\n");
        connection.post(CHAT, &header, body).await?;
        let answer = connection.answer().await?;
        let code = answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned();
        Ok((answer.status, code))
    }

    /// What each of many new connections is told.
    async fn told(&self, authorization: &str) -> Result<Vec<(u16, String)>> {
        let mut told = Vec::new();
        for _ in 0..CONNECTIONS {
            told.push(self.told_once(authorization, HELLO).await?);
        }
        Ok(told)
    }

    /// How many of so many guesses are refused as too many. None has to be looked up.
    async fn limited(&self, guesses: usize) -> Result<usize> {
        let guesser = reqwest::Client::builder().no_proxy().local_address(Some(GUESSER.into()));
        let guesser = guesser.build()?;
        let mut limited = 0;
        for guess in 0..guesses {
            let request = guesser.post(format!("{}{CHAT}", self.url));
            let request = request.bearer_auth(format!("tg_guess-{guess}"));
            let request = request.header("content-type", "application/json").body(HELLO);
            let status = request.send().await?.status().as_u16();
            assert!([401, 429].contains(&status), "{status}");
            limited += usize::from(status == 429);
        }
        Ok(limited)
    }
}

fn all(status: u16, code: &str) -> Vec<(u16, String)> {
    vec![(status, code.to_owned()); CONNECTIONS]
}

/// What the VMs have noted.
struct Noted {
    good: String,
    revoked: String,
    used: String,
}

impl Noted {
    /// Has them note it.
    async fn at(world: &World) -> Result<Noted> {
        let keys = [world.key("good")?, world.key("revoked")?];
        let bearer = |key: &Value| format!("Bearer {}", key["key"].as_str().unwrap_or_default());
        let (good, revoked) = (bearer(&keys[0]), bearer(&keys[1]));
        let used = Signed::post("partner-1", SECRET, CHAT, HELLO.as_bytes()).header();
        for authorization in [&good, &revoked] {
            assert_eq!(world.told(authorization).await?, all(200, ""));
        }
        assert_eq!(world.told(&used).await?.iter().filter(|told| told.0 == 200).count(), 1);
        world.serving.cli(&["keys", "revoke", keys[1]["id"].as_str().unwrap_or_default()])?;
        let told = async || world.told_once(&revoked, HELLO).await;
        let heard = async || told().await.is_ok_and(|told| told.0 == 401);
        assert!(wait_until(heard, SOON).await, "{}", world.serving.tails());
        assert!(world.limited(PER_MINUTE * 2).await? >= PER_MINUTE / 2);
        Ok(Noted { good, revoked, used })
    }

    /// Asserts that it counts, where no control plane can say it again.
    async fn counts(&self, mut world: World) -> Result<()> {
        world.serving.stop();
        assert_eq!(world.told(&self.used).await?, all(401, "replayed_request"));
        assert_eq!(world.told(&self.good).await?, all(200, ""));
        assert_eq!(world.told(&self.revoked).await?, all(401, "invalid_api_key"));
        // Some three a second are let through by now; a new cell would take all of them.
        assert!(world.limited(PER_MINUTE).await? >= PER_MINUTE / 2);
        Ok(())
    }
}

/// Whether there is a VM of another module for each worker, beside the one that is copied,
/// the one on which the configuration is tried and the main thread's. Envoy lets go of
/// old ones when it comes to it, and keeps those that `sync` needs.
fn are_anew((made, there): (u64, u64), now: (u64, u64)) -> bool {
    let (new, live) = (WORKERS + 3, WORKERS + 2);
    now.0 >= made + new && now.1 < there + live
}

#[tokio::test]
async fn what_was_noted_counts_in_the_vms_of_another_module() -> Result<()> {
    let mut world = World::start(module_with("one")?).await?;
    let noted = Noted::at(&world).await?;
    let (made, there) = world.vms().await?;
    let another = module_with("another")?;
    let name = format!("{}.wasm", integration::signed::sha256(&another));
    world.upgrade(another).await?;
    let anew = async || {
        let dump = world.envoys[0].admin("/config_dump").await.unwrap_or_default();
        let now = world.vms().await;
        dump.contains(&name) && now.is_ok_and(|now| are_anew((made, there), now))
    };
    assert!(wait_until(anew, SOON).await, "{made} {there}, then {:?}", world.vms().await);
    noted.counts(world).await
}

#[tokio::test]
async fn what_was_noted_counts_after_a_trap() -> Result<()> {
    let world = World::start(narrow_module()?).await?;
    let noted = Noted::at(&world).await?;
    let (made, _) = world.vms().await?;
    let large = HELLO.replace("hello", &"o".repeat(LARGE_BODY_BYTES));
    let asked = world.engine.chats().await?;
    let trapped = async || {
        // A refusal that comes before the whole body was sent may close the connection.
        if let Ok(told) = world.told_once(&noted.good, &large).await {
            assert_eq!(told, (503, "filter_unavailable".to_owned()));
        }
        world.vms().await.is_ok_and(|now| now.0 >= made + WORKERS)
    };
    assert!(wait_until(trapped, SOON).await, "{made}, then {:?}", world.vms().await);
    assert_eq!(world.engine.chats().await?, asked);
    let served = async || world.told(&noted.good).await.ok() == Some(all(200, ""));
    assert!(wait_until(served, SOON).await, "{}", world.envoys[0].tails());
    noted.counts(world).await
}
