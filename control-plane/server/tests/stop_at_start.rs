//! A start that waits for a source of endpoints hears that it is time to stop.

use rustix::process::{Pid, Signal, kill_process};
use std::error::Error;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A new source is waited for longer than that.
const AT_ONCE: Duration = Duration::from_secs(2);

/// How long a start may take until it asks.
const PATIENCE: Duration = Duration::from_secs(20);

/// Ended with the test, whatever comes of it.
struct Tollgate(Child);

impl Drop for Tollgate {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Tollgate {
    /// In `folder`, with a pool whose Consul is at `consul`. The Envoy must never be
    /// started: it is no program.
    fn start(command: &str, folder: &Path, consul: &str) -> Result<Self, Box<dyn Error>> {
        let (config, envoy) = (folder.join("tollgate.yaml"), folder.join("envoy"));
        let yaml = format!(
            "version: 1\n\
             gateway: {{ listen: 127.0.0.1:0 }}\n\
             control: {{ admin: 127.0.0.1:0, xds: 127.0.0.1:0, wasm: envoy }}\n\
             pools: {{ a: {{ engine: vllm, model: m, discover: {{ consul: {{ service: s, \
             address: 'http://{consul}' }} }} }} }}\n\
             models: {{ m: a }}\n\
             tenants: {{ acme: {{}} }}\n"
        );
        fs::write(&envoy, "no program")?;
        fs::write(&config, yaml)?;
        let mut program = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        program.arg(command).arg("--config").arg(config).env("ENVOY", envoy);
        Ok(Tollgate(program.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
    }

    fn interrupt(&self) -> Result<(), Box<dyn Error>> {
        let pid = Pid::from_raw(i32::try_from(self.0.id())?).ok_or("no process")?;
        Ok(kill_process(pid, Signal::INT)?)
    }

    fn ended_within(&mut self, patience: Duration) -> Result<Option<ExitStatus>, Box<dyn Error>> {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            if let Some(status) = self.0.try_wait()? {
                return Ok(Some(status));
            }
            sleep(Duration::from_millis(10));
        }
        Ok(None)
    }
}

/// The first connection.
fn asked(consul: &TcpListener) -> Result<TcpStream, Box<dyn Error>> {
    consul.set_nonblocking(true)?;
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Ok((question, _)) = consul.accept() {
            return Ok(question);
        }
        sleep(Duration::from_millis(10));
    }
    Err("Consul is not asked".into())
}

#[test]
fn ctrl_c_ends_a_start_that_waits() -> Result<(), Box<dyn Error>> {
    for command in ["up", "serve"] {
        let folder = tempfile::tempdir()?;
        // Takes questions and never answers.
        let consul = TcpListener::bind("127.0.0.1:0")?;
        let mut tollgate =
            Tollgate::start(command, folder.path(), &consul.local_addr()?.to_string())?;
        let _question = asked(&consul)?;
        tollgate.interrupt()?;
        let status = tollgate.ended_within(AT_ONCE)?;
        let status = status.ok_or(format!("`{command}` goes on"))?;
        assert_eq!(status.code(), Some(0), "{command}");
        let run = fs::read_to_string(folder.path().join("tollgate-data/run.json"))?;
        assert!(run.contains("\"tollgate_pid\": null"), "{command}: {run}");
    }
    Ok(())
}
