//! The watch over a real file, down to the plan in force.

use super::*;
use crate::roster::{Kept, Roster};
use crate::tag_keys::TagKeys;
use contract::keyring::MaskingKey;
use engines::Scraper;
use ledger::Ledger;
use plan::Plan;
use resources::Placement;
use std::net::SocketAddr;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

const GATEWAY: &str = "127.0.0.1:8080";

struct World {
    folder: TempDir,
    plan: watch::Receiver<Arc<Plan>>,
    tag_key: watch::Receiver<Option<MaskingKey>>,
    state: ConfigState,
    cache: xds::Cache,
    watching: JoinHandle<()>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

fn text(model: &str) -> String {
    format!(
        "version: 1\n\
         pools: {{ a: {{ engine: vllm, model: {model}, endpoints: [\"http://127.0.0.1:9\"] }} }}\n\
         models: {{ m: a }}\n\
         tenants: {{ acme: {{ models: [\"*\"] }} }}\n"
    )
}

impl World {
    async fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tollgate.yaml");
        std::fs::write(&file, text("first")).unwrap();
        let Ok(loaded) = config_file::load(&file) else { panic!("not valid") };
        let gateway: SocketAddr = GATEWAY.parse().unwrap();
        let cache = xds::Cache::new();
        let publisher = Publisher {
            cache: cache.clone(),
            ledger: Ledger::open(folder.path()).await.unwrap(),
            placement: Placement { wasm: "/w.wasm".into(), spool_file: "/u.jsonl".into() },
            gateway,
            journal: false,
            plan: watch::Sender::new(Arc::new(crate::publish::plan(&loaded.config, gateway))),
            roster: Roster::new(
                Scraper::new(engines::http_client().unwrap()),
                Kept::read(folder.path()),
            ),
            config: Mutex::new(None),
            materials: crate::tasks::materials::Materials::new(),
            commanded: crate::weights::Commanded::default(),
            chains: crate::chains::Chains::new(admin::ChainsStatus { on: true, why: None }),
            signers: crate::signers::Signers::new(false),
            tag_keys: TagKeys::new(folder.path(), false),
        };
        let tag_key = publisher.tag_keys.watch();
        let state = ConfigState::of(&file);
        let plan = publisher.plan.subscribe();
        let watch = ConfigWatch {
            file,
            seen: loaded.version,
            named: loaded.named,
            started_with: loaded.config,
            publisher: Arc::new(publisher),
            state: state.clone(),
        };
        World { folder, plan, tag_key, state, cache, watching: tokio::spawn(watch.run()) }
    }

    /// As an editor does it: a new file under the old name.
    fn replace(&self, text: &str) {
        let half = self.folder.path().join("half");
        std::fs::write(&half, text).unwrap();
        std::fs::rename(half, self.folder.path().join("tollgate.yaml")).unwrap();
    }

    fn model(&self) -> String {
        self.plan.borrow().filter.pools["a"].model.clone()
    }

    async fn until(&self, holds: impl Fn(&World) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(begun.elapsed() < Duration::from_secs(5), "it never came");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn a_valid_change_is_in_force_and_an_invalid_one_changes_nothing() {
    let world = World::new().await;
    world.replace(&text("second"));
    world.until(|world| world.model() == "second").await;
    assert!(!world.plan.borrow().filter.journal, "no file starts a journal that Envoy has not");

    world.replace(&format!("{}speed: 3\n", text("third")));
    world.until(|world| world.state.get().refused.is_some()).await;
    let refused = world.state.get().refused.unwrap();
    assert!(refused.problems[0].contains("tollgate.yaml:5:1: "), "{:?}", refused.problems);
    assert_eq!(world.model(), "second");

    world.replace(&format!("{}gateway: {{ workers: 7 }}\n", text("third")));
    world.until(|world| world.model() == "third").await;
    world.until(|world| world.state.get().refused.is_none()).await;
    assert_eq!(world.state.get().pending_restart, ["gateway.workers"]);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_refused_and_shown() {
    let world = World::new().await;
    let file = world.folder.path().join("tollgate.yaml");
    std::fs::write(&file, b"\xff\xfe\x00").unwrap();
    world.until(|world| world.state.get().refused.is_some()).await;
    world.replace(&text("second"));
    world.until(|world| world.state.get().refused.is_none()).await;
    std::fs::remove_file(&file).unwrap();
    world.until(|world| world.state.get().refused.is_some()).await;
    let refused = world.state.get().refused.unwrap();
    assert!(refused.problems[0].contains("cannot be read"), "{:?}", refused.problems);
    assert_eq!(world.model(), "second");
}

#[tokio::test]
async fn another_key_of_placeholders_is_in_force_at_once() {
    let world = World::new().await;
    let key = |world: &World| world.tag_key.borrow().as_ref().map(|key| key.key.clone());
    assert_eq!(key(&world), None);
    let masking = |key: &str| format!("{}masking: {{ {key}policies: {{ p: }} }}\n", text("m"));
    world.replace(&masking(""));
    world.until(|world| key(world).is_some()).await;
    let made = std::fs::read(world.folder.path().join("masking.key")).unwrap();
    assert_eq!(key(&world), Some(hex::encode(made)));
    assert!(world.plan.borrow().filter.masking.policies.contains_key("p"));

    let written = Some(hex::encode("made-up-key-of-tags"));
    world.replace(&masking("key: made-up-key-of-tags, "));
    world.until(|world| key(world) == written).await;
    // What is refused changes nothing.
    world.replace(&masking("key: short, "));
    world.until(|world| world.state.get().refused.is_some()).await;
    assert_eq!(key(&world), written);
    assert!(!format!("{:?}", world.state.get().refused).contains("short"));
}

#[tokio::test]
async fn a_secret_that_is_replaced_in_its_file_is_in_force() {
    let world = World::new().await;
    let key = world.folder.path().join("engine-key");
    std::fs::write(&key, "first-made-up-key").unwrap();
    let with_key = text("second").replace(
        "model: second,",
        "model: second, credentials: { header: x-key, value: \"${file:engine-key}\" },",
    );
    world.replace(&with_key);
    world.until(|world| world.model() == "second").await;
    let before = world.cache.current().unwrap().version().to_owned();
    std::fs::write(&key, "second-made-up-key").unwrap();
    world.until(|world| world.cache.current().unwrap().version() != before).await;
    // A file that is gone is refused, and what was there stays.
    let before = world.cache.current().unwrap().version().to_owned();
    std::fs::remove_file(&key).unwrap();
    world.until(|world| world.state.get().refused.is_some()).await;
    assert_eq!(world.cache.current().unwrap().version(), before);
}
