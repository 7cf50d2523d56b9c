//! A PostgreSQL server of a test's own: its data in a folder that goes with it, on a free
//! port of 127.0.0.1, started and ended as a child of this process.
//!
//! The programs are those in `.tools/postgres`, which `integration/postgres/setup.sh`
//! makes, else the ones on PATH, else Debian's. None at all is an error.

mod account;
mod programs;

use account::Account;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Who may do everything in the server.
pub const USER: &str = "tollgate";

/// The password of [`USER`]; the server listens on this machine alone.
pub const PASSWORD: &str = "made-up-for-tests";

/// How long a server may take to take connections, or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often the server is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Ports that are tried: another program may take one before the server does.
const PORTS_TRIED: usize = 5;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no PostgreSQL on this machine.
    #[error(
        "there is no PostgreSQL 15 or later in .tools/postgres, on PATH or in \
         /usr/lib/postgresql: run integration/postgres/setup.sh"
    )]
    NoPostgres,
    /// The tests run as root, and there is nobody to run the server as.
    #[error("PostgreSQL does not run as root, and there is neither `postgres` nor `nobody`")]
    NoAccount,
    /// Something of the system's failed.
    #[error("PostgreSQL's {what}: {cause}")]
    System {
        /// What was to be done.
        what: &'static str,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// A program ended that should not have, or not in this way.
    #[error("PostgreSQL's {program} ended ({status}): {said}")]
    Ended {
        /// Which.
        program: &'static str,
        /// In which way.
        status: ExitStatus,
        /// The end of its log.
        said: String,
    },
    /// The server was not ready, or not gone, in time.
    #[error("PostgreSQL took longer than {PATIENCE:?} to {0}")]
    Late(&'static str),
}

/// How a server is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Open transactions are rolled back; what was committed is written.
    Fast,
    /// At once, as after a crash: the next start replays its log.
    Immediate,
}

/// A server. It ends when it is dropped, and its data goes.
#[derive(Debug)]
pub struct PostgresServer {
    programs: PathBuf,
    account: Option<Account>,
    /// `data` with the database, and the log beside it.
    folder: TempDir,
    durable: bool,
    port: u16,
    child: Option<Child>,
}

impl PostgresServer {
    /// Makes a server and waits until it takes connections; blocks for a second or two.
    /// What it commits outlives every end of the server, but not one of the machine: it
    /// does not wait for the disk.
    pub fn start() -> Result<Self, Error> {
        Self::with_programs(programs::find().ok_or(Error::NoPostgres)?, false)
    }

    /// Makes one that waits for the disk, as those of users do: for measuring.
    pub fn start_durable() -> Result<Self, Error> {
        Self::with_programs(programs::find().ok_or(Error::NoPostgres)?, true)
    }

    fn with_programs(programs: PathBuf, durable: bool) -> Result<Self, Error> {
        let account = account::unprivileged()?;
        let folder = tempfile::Builder::new()
            .prefix("postgres-")
            .tempdir()
            .map_err(system("making a folder"))?;
        if let Some(account) = account {
            account.own(folder.path()).map_err(system("handing the folder over"))?;
        }
        let mut server =
            PostgresServer { programs, account, folder, durable, port: 0, child: None };
        server.reach_programs()?;
        server.make_data()?;
        server.start_somewhere()?;
        Ok(server)
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where `database` is; `postgres` is there from the start.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// Ends the server and starts it again, on the same port with the same data.
    pub fn restart(&mut self, how: Shutdown) -> Result<(), Error> {
        self.stop(how)?;
        self.start_again()
    }

    /// Ends the server; its data stays.
    pub fn stop(&mut self, how: Shutdown) -> Result<(), Error> {
        let Some(child) = self.child.as_mut() else { return Ok(()) };
        let signal = match how {
            Shutdown::Fast => Signal::INT,
            Shutdown::Immediate => Signal::QUIT,
        };
        let pid = Pid::from_child(child);
        kill_process(pid, signal).map_err(|errno| system("signal")(errno.into()))?;
        let gone = await_end(child)?;
        self.child = None;
        if gone { Ok(()) } else { Err(Error::Late("end")) }
    }

    /// Starts the server that was stopped.
    pub fn start_again(&mut self) -> Result<(), Error> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .map_err(system("opening the log"))?;
        let child = self
            .command("postgres")
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            .args(["-c", if self.durable { "fsync=on" } else { "fsync=off" }])
            .stderr(log)
            .spawn()
            .map_err(system("starting the server"))?;
        self.child = Some(child);
        self.await_ready()
    }

    /// Takes the programs along where the account may not go, as into a home of root's.
    fn reach_programs(&mut self) -> Result<(), Error> {
        let tried = self.command("postgres").arg("--version").status();
        let denied = tried.is_err_and(|cause| cause.kind() == io::ErrorKind::PermissionDenied);
        let Some(installed) = self.programs.parent().filter(|_| denied) else { return Ok(()) };
        let copy = self.folder.path().join("installed");
        fs::create_dir(&copy).map_err(system("making a folder"))?;
        let output = Command::new("cp")
            .arg("-R")
            .args([installed.join("."), copy.clone()])
            .output()
            .map_err(system("copying the programs"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(Error::Ended { program: "copy", status: output.status, said });
        }
        self.programs = copy.join("bin");
        Ok(())
    }

    fn start_somewhere(&mut self) -> Result<(), Error> {
        let mut tried = 0;
        loop {
            tried += 1;
            self.port = free_port().map_err(system("looking for a free port"))?;
            match self.start_again() {
                Err(Error::Ended { .. }) if tried < PORTS_TRIED => self.child = None,
                started => return started,
            }
        }
    }

    fn make_data(&self) -> Result<(), Error> {
        let password = self.folder.path().join("password");
        fs::write(&password, PASSWORD).map_err(system("writing the password"))?;
        let output = self
            .command("initdb")
            .arg("-D")
            .arg(self.data())
            .arg(format!("--pwfile={}", password.display()))
            .args(["--username", USER, "--auth", "password"])
            .args(["--encoding", "UTF8", "--locale", "C", "--no-sync"])
            .output()
            .map_err(system("running initdb"))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(Error::Ended { program: "initdb", status: output.status, said })
    }

    /// Waits until the server says that it takes connections, in the last line of its
    /// lock file.
    fn await_ready(&mut self) -> Result<(), Error> {
        let lock = self.data().join("postmaster.pid");
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            let child = self.child.as_mut().ok_or(Error::Late("start"))?;
            if let Some(status) = child.try_wait().map_err(system("waiting for the server"))? {
                return Err(Error::Ended { program: "server", status, said: self.last_words() });
            }
            let pid = child.id().to_string();
            let text = fs::read_to_string(&lock).unwrap_or_default();
            if text.lines().next() == Some(&pid)
                && text.lines().last().is_some_and(|line| line.trim() == "ready")
            {
                return Ok(());
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Err(Error::Late("start"))
    }

    fn last_words(&self) -> String {
        let log = fs::read(self.log()).unwrap_or_default();
        let from = log.len().saturating_sub(1_000);
        String::from_utf8_lossy(log.get(from..).unwrap_or_default()).into_owned()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        // A server that the caller uses must not change how this one starts.
        for name in ["PGDATA", "PGPORT", "PGHOST", "PGUSER", "PGOPTIONS"] {
            command.env_remove(name);
        }
        if let Some(account) = self.account {
            account.runs(&mut command);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if self.stop(Shutdown::Immediate).is_err()
            && let Some(mut child) = self.child.take()
        {
            // Nobody is left who could be told.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn system(what: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |cause| Error::System { what, cause }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Whether the child has ended in time.
fn await_end(child: &mut Child) -> Result<bool, Error> {
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        if child.try_wait().map_err(system("waiting for the server"))?.is_some() {
            return Ok(true);
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(false)
}

/// Where the workspace keeps what it fetched.
fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools")
}

#[cfg(test)]
mod tests;
