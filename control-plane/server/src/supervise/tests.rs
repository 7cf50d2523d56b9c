//! The supervisor with a stand-in for Envoy: a script that opens no port, but
//! says where its admin interface would be.

use super::*;
use plan::UsageFlush;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// `$4` is the path after `--admin-address-path`. Ends at SIGTERM.
const STAND_IN: &str = "#!/bin/sh\necho 127.0.0.1:1 > \"$4\"\nsleep 600 &\n\
                        trap 'kill $!; exit 0' TERM\nwait\n";

struct World {
    data: TempDir,
    run_file: RunFile,
    shown: watch::Sender<Supervised>,
    stop: watch::Sender<Stop>,
}

impl World {
    fn new(script: &str) -> World {
        let data = tempfile::tempdir().unwrap();
        let envoy = data.path().join("envoy");
        std::fs::write(&envoy, script).unwrap();
        std::fs::set_permissions(&envoy, std::fs::Permissions::from_mode(0o700)).unwrap();
        let run_file = RunFile::new(data.path(), Run::default());
        let shown = watch::Sender::new(Supervised::default());
        World { data, run_file, shown, stop: watch::Sender::new(Stop::No) }
    }

    fn path(&self) -> &Path {
        self.data.path()
    }

    fn supervise(&self, bootstrap: &str) -> JoinHandle<Result<(), Failure>> {
        let spool = self.path().join("spool");
        std::fs::create_dir_all(&spool).unwrap();
        let supervisor = Supervisor {
            launch: Launch {
                envoy: self.path().join("envoy"),
                bootstrap_file: self.path().join("bootstrap.json"),
                bootstrap: bootstrap.to_owned(),
                admin_address_file: self.path().join("envoy-admin-address"),
                journal_file: spool.join("usage.journal"),
                workers: None,
                usage_flush: UsageFlush::Line,
            },
            run_file: self.run_file.clone(),
            log: EnvoyLog::new(&spool, self.path().join("envoy.log")),
            spool,
            http: engines::http_client().unwrap(),
            shown: self.shown.clone(),
        };
        tokio::spawn(supervisor.run(Stopping::of(self.stop.subscribe())))
    }

    /// The process that runs once `wanted` holds.
    async fn once(&self, wanted: impl Fn(&Supervised) -> bool) -> u32 {
        let mut shown = self.shown.subscribe();
        let found = shown.wait_for(|shown| shown.pid.is_some() && wanted(shown));
        let found = tokio::time::timeout(Duration::from_secs(10), found).await.unwrap();
        found.unwrap().pid.unwrap()
    }

    fn is_alive(&self, pid: u32) -> bool {
        let seen = process::look(pid, &self.path().join("bootstrap.json"));
        seen.is_some_and(|seen| !seen.dead && seen.is_ours)
    }

    async fn stop(&self, running: JoinHandle<Result<(), Failure>>) {
        self.stop.send_replace(Stop::Gently);
        running.await.unwrap().unwrap();
    }
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
}

#[tokio::test]
async fn one_that_dies_is_started_again_and_none_is_left_at_the_end() {
    let world = World::new(STAND_IN);
    let running = world.supervise("{}");
    let first = world.once(|_| true).await;
    assert_eq!(world.run_file.get().envoy_pid, Some(first));
    kill(first);
    let second = world.once(|shown| shown.restarts == 1).await;
    assert_ne!(first, second);
    assert!(world.is_alive(second));
    world.stop(running).await;
    assert!(!world.is_alive(second));
    assert_eq!(Run::read(world.path()).envoy_pid, None);
}

#[tokio::test]
async fn the_next_run_adopts_one_with_equal_settings_and_replaces_another() {
    let world = World::new(STAND_IN);
    let killed = world.supervise("{}");
    let first = world.once(|_| true).await;
    killed.abort();
    world.shown.send_replace(Supervised::default());

    let adopting = world.supervise("{}");
    assert_eq!(world.once(|shown| shown.adopted).await, first);
    adopting.abort();
    world.shown.send_replace(Supervised::default());

    let replacing = world.supervise("{ }");
    let second = world.once(|shown| !shown.adopted).await;
    assert_ne!(first, second);
    assert!(!world.is_alive(first));
    world.stop(replacing).await;
    assert!(!world.is_alive(second));
}

#[tokio::test]
async fn one_that_cannot_start_does_not_keep_us_from_stopping() {
    let world = World::new("#!/bin/sh\nexit 1\n");
    let running = world.supervise("{}");
    tokio::time::sleep(Duration::from_millis(50)).await;
    world.stop(running).await;
    assert_eq!(world.run_file.get().envoy_pid, None);
}

#[tokio::test]
async fn what_one_said_before_it_died_is_in_its_log_and_its_journal_is_closed() {
    let world = World::new("#!/bin/sh\necho no such option >&2\necho it is >&2\nexit 1\n");
    let running = world.supervise("{}");
    let log = world.path().join("envoy.log");
    let deadline = Instant::now() + Duration::from_secs(10);
    while !std::fs::read_to_string(&log).is_ok_and(|text| text.contains("it is")) {
        assert!(Instant::now() < deadline);
        sleep(Duration::from_millis(5)).await;
    }
    world.stop(running).await;
    assert!(std::fs::read_to_string(&log).unwrap().starts_with("no such option\nit is\n"));
    assert!(world.path().join("spool/usage.1.journal").exists());
    assert!(!world.path().join("spool/usage.journal").exists());
}
