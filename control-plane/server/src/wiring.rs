//! Puts the parts together: `up`, `serve` and `bootstrap`.

mod background;

use crate::chains::{self, Chains};
use crate::config_file::Loaded;
use crate::config_state::{self, ConfigState};
use crate::database::{self, Opened as Database};
use crate::error::Failure;
use crate::gateway_health::GatewayHealth;
use crate::lock::{self, DataLock};
use crate::overview::Running;
use crate::publish::{self, Publisher};
use crate::roster::{Kept, Roster};
use crate::run_file::{Run, RunFile};
use crate::signers::Signers;
use crate::stop::Stopping;
use crate::supervise::command::{self, Launch};
use crate::supervise::{Supervisor, adopt, process};
use crate::tag_keys::TagKeys;
use crate::tasks::envoy_log::EnvoyLog;
use crate::tasks::materials::Materials;
use crate::turned_away::TurnedAway;
use crate::weights::Commanded;
use crate::xds_port::{self, Opened, Port};
use crate::{bootstrap, cli, files, listen, mint, token, wasm};
use admin::{Access, Admin, AdminToken, CLOCK, Gateways, Refusals, SpoolStatus, Supervised};
use contract::fleet::Fleet;
use engines::Scraper;
use ledger::{Action, Actor, AuditEvent, Ledger};
use model::{Config, Control, XdsPort};
use resources::Placement;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, watch};
use tokio::time::{sleep, timeout};
use xds::{Cache, Canary, Registry, Server};

/// This program, in the audit trail.
const TOLLGATE: &str = concat!("tollgate ", env!("CARGO_PKG_VERSION"));
/// Name of the bootstrap in the data folder.
const BOOTSTRAP_NAME: &str = "bootstrap.json";
/// Name of the file with the address of Envoy's admin interface.
const ENVOY_ADMIN_NAME: &str = "envoy-admin-address";
/// Name of Envoy's log, without the journal.
const ENVOY_LOG_NAME: &str = "envoy.log";
/// Name of the live usage spool, in the spool folder.
const SPOOL_NAME: &str = "usage.jsonl";
/// How often the gateway is asked whether it is ready.
const ASK_EVERY: Duration = Duration::from_millis(25);
/// After how long a gateway that is not ready is worth a word.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long the rest of the usage may take to reach the ledger at the end.
const CATCHING_UP: Duration = Duration::from_secs(10);

/// Whose Envoy it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Ours.
    Up,
    /// A neighbour's.
    Serve,
}

/// What is fixed from the start to the end of a run.
struct Ground {
    file: PathBuf,
    loaded: Loaded,
    data: PathBuf,
    wasm: PathBuf,
    /// Where Envoys ask.
    xds: XdsPort,
    run_file: RunFile,
    _lock: DataLock,
}

/// `tollgate up`: returns when it was told to stop and nothing is left running.
pub async fn up(file: &Path) -> Result<(), Failure> {
    let stopping = Stopping::by_signals()?;
    let ground = Ground::prepare(file, Mode::Up).await?;
    let envoy = command::find_envoy()?;
    let last = ground.run_file.get();
    let alive = envoy_is_alive(&last, &ground.data);
    let kept = listen::keep(ground.config().gateway.listen, last.gateway, alive)?;
    let can = chains::of_program(&envoy).await;
    let starting = Plane::start(&ground, kept.address, Mode::Up, Chains::new(can));
    // An Envoy of the last run is adopted all the same, to be ended in peace.
    let plane =
        if alive { Some(starting.await?) } else { unless_stopped(starting, &stopping).await? };
    let Some(plane) = plane else { return ground.leave() };
    let log = EnvoyLog::new(plane.ledger.spool_folder(), ground.data.join(ENVOY_LOG_NAME));
    let launch = ground.launch(envoy, &plane.xds, log.journal().to_owned())?;
    let supervisor = Supervisor {
        launch,
        run_file: ground.run_file.clone(),
        spool: plane.ledger.spool_folder().to_owned(),
        log: log.clone(),
        http: plane.http.clone(),
        shown: plane.shown.clone(),
    };
    tokio::spawn(log.follow());
    let mut running = tokio::spawn(supervisor.run(stopping.clone()));
    let ended = tokio::select! {
        ended = &mut running => ended,
        never = announce(&plane, stopping) => match never {},
    };
    ended.map_err(Failure::internal)??;
    ground.finish(&plane.ledger).await
}

/// `tollgate serve`.
pub async fn serve(file: &Path) -> Result<(), Failure> {
    let mut stopping = Stopping::by_signals()?;
    let ground = Ground::prepare(file, Mode::Serve).await?;
    let last = ground.run_file.get();
    // A neighbour's Envoy may have the address already.
    let kept = listen::keep(ground.config().gateway.listen, last.gateway, true)?;
    let could = chains::of_last_run(last.chains);
    let starting = Plane::start(&ground, kept.address, Mode::Serve, Chains::new(could));
    let Some(plane) = unless_stopped(starting, &stopping).await? else { return ground.leave() };
    cli::say(&format!("serving xds: {}", plane.xds))?;
    stopping.asked().await;
    ground.finish(&plane.ledger).await
}

/// What `starting` comes to; `None`: it was time to stop before, for a start waits
/// for the sources of endpoints.
async fn unless_stopped(
    starting: impl Future<Output = Result<Plane, Failure>>,
    stopping: &Stopping,
) -> Result<Option<Plane>, Failure> {
    let mut stopping = stopping.clone();
    tokio::select! {
        plane = starting => plane.map(Some),
        () = stopping.asked() => Ok(None),
    }
}

fn envoy_is_alive(last: &Run, data: &Path) -> bool {
    let seen = last.envoy_pid.and_then(|pid| process::look(pid, &data.join(BOOTSTRAP_NAME)));
    adopt::is_alive(last, seen.as_ref())
}

impl Ground {
    async fn prepare(file: &Path, mode: Mode) -> Result<Ground, Failure> {
        let loaded = cli::load(file)?;
        let data = files::absolute(&loaded.config.control.data)?;
        files::private_folder(&data)?;
        let lock = lock::take(&data).await?;
        let wasm = wasm::keep(&loaded.config.control.wasm, &data)?;
        let run_file = RunFile::new(&data, Run::read(&data));
        let control = &loaded.config.control;
        let xds = match mode {
            Mode::Up => xds_port::for_own_envoy(control, &data),
            Mode::Serve => control.xds.clone(),
        };
        Ok(Ground { file: file.to_owned(), loaded, data, wasm, xds, run_file, _lock: lock })
    }

    fn config(&self) -> &Config {
        &self.loaded.config
    }

    fn launch(
        &self,
        envoy: PathBuf,
        xds: &Opened,
        journal_file: PathBuf,
    ) -> Result<Launch, Failure> {
        Ok(Launch {
            envoy,
            bootstrap_file: self.data.join(BOOTSTRAP_NAME),
            bootstrap: bootstrap::of_own(self.config(), &self.xds, xds, self.wasm.clone())?,
            admin_address_file: self.data.join(ENVOY_ADMIN_NAME),
            journal_file,
            workers: self.config().gateway.workers,
            usage_flush: self.config().control.usage_flush,
        })
    }

    /// The last of the usage, and word that nobody is here any more.
    async fn finish(&self, ledger: &Ledger) -> Result<(), Failure> {
        if !ledger.catch_up(CATCHING_UP).await {
            tracing::warn!("usage is left in the spool; the next start reads it");
        }
        self.leave()
    }

    /// Word that nobody is here any more.
    fn leave(&self) -> Result<(), Failure> {
        self.run_file.change(|run| {
            run.tollgate_pid = None;
            run.admin = None;
        })
    }
}

/// The control plane, running.
struct Plane {
    ledger: Ledger,
    /// What the ledger lies in.
    database: String,
    /// The gateways that poll, here and elsewhere.
    gateways: Gateways,
    /// The space that usage is written to.
    space: watch::Sender<SpoolStatus>,
    /// The servers of pools with affinity.
    fleet: watch::Sender<Arc<Fleet>>,
    /// Whether a request can be sent on to another pool.
    chains: Chains,
    http: reqwest::Client,
    health: GatewayHealth,
    materials: Materials,
    xds: Opened,
    shown: watch::Sender<Supervised>,
}

impl Plane {
    /// Starts everything but Envoy. A configuration is in force afterwards, and
    /// both ports are open.
    async fn start(
        ground: &Ground,
        gateway: SocketAddr,
        mode: Mode,
        chains: Chains,
    ) -> Result<Plane, Failure> {
        let last = ground.run_file.get();
        let control = &ground.config().control;
        let port = xds_port::open(&ground.xds, last.xds).await?;
        let api = listen::listen("control.admin", control.admin, last.admin).await?;
        let admin = api.local_addr().map_err(Failure::internal)?;
        let token = token::settle(&ground.data, control.admin_token.as_ref())?;
        let access = Access { token: AdminToken::new(token.reveal()), listen: admin.ip() };
        let opened = database::open(control.database.as_ref(), &ground.data).await?;
        let Database { ledger, place, shared } = opened;
        let materials = Materials::new();
        let plane = Plane {
            ledger,
            database: place,
            gateways: Gateways::default(),
            space: watch::Sender::new(SpoolStatus::default()),
            fleet: watch::Sender::default(),
            chains,
            http: http_client()?,
            health: GatewayHealth::of(gateway, materials.clone())?,
            materials,
            xds: port.opened.clone(),
            shown: watch::Sender::new(Supervised::default()),
        };
        plane.run(ground, gateway, mode, (port, api), access).await?;
        if shared {
            plane.count_with_others();
        }
        ground.run_file.change(|run| {
            run.tollgate_pid = Some(std::process::id());
            run.admin = Some(admin);
            run.xds = plane.xds.tcp();
            run.gateway = Some(gateway);
        })?;
        Ok(plane)
    }

    async fn run(
        &self,
        ground: &Ground,
        gateway: SocketAddr,
        mode: Mode,
        (xds, admin): (Port, TcpListener),
        access: Access,
    ) -> Result<(), Failure> {
        let cache = cache(&ground.config().control);
        let registry = Registry::new(&cache);
        let state = ConfigState::of(&ground.file);
        let publisher = Arc::new(self.publisher(ground, gateway, mode, cache.clone())?);
        publisher.put_in_force(ground.config()).await?;
        state.in_force(&ground.loaded.version, config_state::now(), Vec::new());
        self.note_start(&ground.loaded.version, mode).await?;
        let neighbour = Some(ground.config().control.envoy_admin)
            .filter(|address| mode == Mode::Serve && address.port() != 0);
        let running = Running {
            config: state.clone(),
            plan: publisher.plan.subscribe(),
            cache: cache.clone(),
            registry: registry.clone(),
            roster: publisher.roster.clone(),
            supervised: (mode == Mode::Up).then(|| self.shown.subscribe()),
            neighbour,
            ledger: self.ledger.clone(),
            http: self.http.clone(),
            gateway,
            health: self.health.clone(),
            database: self.database.clone(),
            space: self.space.subscribe(),
            gateways: self.gateways.clone(),
            chains: self.chains.clone(),
            splits: publisher.commanded.watch_splits(),
        };
        let refusals = Refusals::new(self.ledger.clone());
        tokio::spawn(refusals.clone().keep_noting());
        let api = Admin {
            ledger: self.ledger.clone(),
            plan: publisher.plan.subscribe(),
            splits: publisher.commanded.watch_splits(),
            overview: Arc::new(running),
            mint: Arc::new(mint::mint),
            refusals: refusals.clone(),
        };
        let sync = admin::Sync {
            ledger: self.ledger.clone(),
            hmac: publisher.signers.watch(),
            masking: publisher.tag_keys.watch(),
            fleet: self.fleet.subscribe(),
            refusals: refusals.clone(),
            gateways: self.gateways.clone(),
            spool: self.space.subscribe(),
        };
        let turned_away = TurnedAway::service(publisher.roster.clone());
        self.spawn_tasks(ground, neighbour, publisher, state, registry.clone());
        serve_in_background("control.admin", admin, admin::router(api, access));
        let discovery = Server::new(cache, registry).into_service();
        let routes = tonic::service::Routes::new(discovery).add_service(turned_away);
        let routes = routes.into_axum_router();
        let routes = routes.merge(admin::sync_router(sync));
        xds.serve(routes);
        Ok(())
    }

    /// The first row of a run in the audit trail.
    async fn note_start(&self, version: &str, mode: Mode) -> Result<(), Failure> {
        let command = if mode == Mode::Up { "up" } else { "serve" };
        let began =
            AuditEvent::new(CLOCK.now_ms(), Actor::System, Action::ControlStarted, TOLLGATE)
                .with("command", command)
                .with("configuration", version);
        let noted = self.ledger.note(began).await;
        noted.map(|_| ()).map_err(|error| Failure::Ledger(error.to_string()))
    }

    fn publisher(
        &self,
        ground: &Ground,
        gateway: SocketAddr,
        mode: Mode,
        cache: Cache,
    ) -> Result<Publisher, Failure> {
        let plan = publish::plan(ground.config(), gateway);
        let spool_file = self.ledger.spool_folder().join(SPOOL_NAME);
        let engines = engines::http_client().map_err(Failure::internal)?;
        // Whoever is on this machine reaches the port.
        let in_clear = ground.xds.tcp().is_some() && ground.xds.token.is_none();
        Ok(Publisher {
            cache,
            ledger: self.ledger.clone(),
            placement: Placement { wasm: ground.wasm.clone(), spool_file },
            gateway,
            // A neighbour's log is not ours to read.
            journal: plan.filter.journal && mode == Mode::Up,
            plan: watch::Sender::new(Arc::new(plan)),
            roster: Roster::new(Scraper::new(engines), Kept::read(&ground.data)),
            config: Mutex::new(None),
            materials: self.materials.clone(),
            commanded: Commanded::default(),
            chains: self.chains.clone(),
            signers: Signers::new(in_clear),
            tag_keys: TagKeys::new(&ground.data, in_clear),
        })
    }
}

/// For neighbours on this machine: no proxy of the environment is meant.
fn http_client() -> Result<reqwest::Client, Failure> {
    reqwest::Client::builder().no_proxy().build().map_err(Failure::internal)
}

/// What is served to the Envoys: to the canaries first, where there are some.
fn cache(control: &Control) -> Cache {
    let Some(canary) = control.canary.clone() else { return Cache::new() };
    let soak_ms = u64::try_from(canary.soak.as_millis()).unwrap_or(u64::MAX);
    let nodes = move |node: &str| canary.nodes.iter().any(|glob| glob.matches(node));
    Cache::new().with_canary(Canary { nodes: Arc::new(nodes), soak_ms })
}

fn serve_in_background(setting: &'static str, listener: TcpListener, routes: axum::Router) {
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, routes).await {
            tracing::error!(setting, %error, "this address is served no longer");
        }
    });
}

enum Never {}

/// Says once that the gateway is ready, when it is.
async fn announce(plane: &Plane, mut stopping: Stopping) -> Never {
    let ready = async {
        // An Envoy that is about to be replaced would still say that it is well.
        while plane.shown.borrow().pid.is_none() || !plane.health.is_well().await {
            sleep(ASK_EVERY).await;
        }
    };
    tokio::pin!(ready);
    let told = async {
        while timeout(PATIENCE, &mut ready).await.is_err() {
            tracing::warn!("the gateway is not ready yet; `tollgate status` shows what is refused");
        }
    };
    tokio::select! {
        () = told => say_ready(&plane.health.url()),
        () = stopping.asked() => {}
    }
    std::future::pending().await
}

/// A reader that went away is no reason to stop.
fn say_ready(url: &str) {
    tracing::info!(url, "ready");
    if let Err(error) = cli::say(&format!("ready: {url}")) {
        tracing::warn!(%error, "nobody reads the standard output");
    }
}
