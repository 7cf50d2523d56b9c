//! A real Envoy with the resources written into its bootstrap, so that it needs
//! no control plane.
#![allow(dead_code, reason = "each test uses a part")]

mod written;

#[allow(unused_imports, reason = "each test uses a part")]
pub use written::{as_sent, for_this_envoy, inlined, resources_for_this_envoy};

use super::fixture;
use envoy_types::pb::envoy::config::route::v3::{
    RouteAction, route::Action, route_action::ClusterSpecifier,
};
use resources::{EnvoyResources, Material, Placement, translate};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const START_LIMIT: Duration = Duration::from_secs(20);

fn envoy() -> PathBuf {
    let linked = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/envoy");
    let path = std::env::var_os("ENVOY").map_or(linked, PathBuf::from);
    assert!(path.exists(), "no Envoy at {}: run `make build` or set ENVOY", path.display());
    path
}

/// Every line reaches the file at once; Envoys before 1.37 can only be told a time.
fn spooling() -> [&'static str; 2] {
    let help = Command::new(envoy()).arg("--help").output().unwrap().stdout;
    match String::from_utf8_lossy(&help).contains("--file-flush-min-size-kb") {
        true => ["--file-flush-min-size-kb", "0"],
        false => ["--file-flush-interval-msec", "1"],
    }
}

/// Whether this Envoy can send a request on to another pool.
pub fn can_chain() -> bool {
    version() >= (1, 40)
}

/// This Envoy's, without the patch.
fn version() -> (u32, u32) {
    let version = Command::new(envoy()).arg("--version").output().unwrap().stdout;
    let version = String::from_utf8_lossy(&version).into_owned();
    let version = version.split_once("version: ").unwrap_or_default().1;
    let number = version.split('/').nth(1).unwrap_or_default();
    let parts: Vec<u32> = number.split(['.', '-']).filter_map(|part| part.parse().ok()).collect();
    assert!(parts.len() >= 2, "no version in {version}");
    (parts[0], parts[1])
}

pub fn validate(config: &Path) {
    let out =
        Command::new(envoy()).args(["--mode", "validate", "-c"]).arg(config).output().unwrap();
    let text = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{text}");
    assert!(!text.contains("deprecated"), "{text}");
}

/// Writes the smallest module that Envoy loads: it has no callbacks, every
/// request passes.
pub fn module(folder: &Path) -> PathBuf {
    let export = |name: &str, kind: u8, index: u8| {
        [&[u8::try_from(name.len()).unwrap()], name.as_bytes(), &[kind, index]].concat()
    };
    let section = |id: u8, body: &[u8]| [&[id, u8::try_from(body.len()).unwrap()], body].concat();
    let exports = [
        vec![3],
        export("memory", 2, 0),
        export("proxy_abi_version_0_2_1", 0, 0),
        export("malloc", 0, 1),
    ];
    let bytes = [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &[2, 0x60, 0, 0, 0x60, 1, 0x7f, 1, 0x7f]), // types: () -> (), i32 -> i32
        section(3, &[2, 0, 1]),
        section(5, &[1, 0, 1]), // one page of memory
        section(7, &exports.concat()),
        section(10, &[2, 2, 0, 0x0b, 5, 0, 0x41, 0x80, 0x08, 0x0b]), // nothing; 1024
    ];
    let path = folder.join("empty.wasm");
    std::fs::write(&path, bytes.concat()).unwrap();
    path
}

/// An engine that answers with the request's own text; whoever reaches it past the
/// filter would read 200.
pub fn engine() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut received = [0; 4096];
            let size = stream.read(&mut received).unwrap_or(0);
            let text = String::from_utf8_lossy(&received[..size]);
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", text.len());
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(text.as_bytes());
        }
    });
    address
}

/// An Envoy that serves, ended when it goes out of scope.
pub struct Gateway {
    folder: tempfile::TempDir,
    process: Child,
    address: SocketAddr,
}

impl Gateway {
    pub fn start(engine: SocketAddr) -> Gateway {
        Gateway::with(|folder| {
            resources_for_this_envoy(engine, &module(folder), &folder.join("usage.jsonl"))
        })
    }

    /// One that sends every request to the engine as the filter would see it.
    pub fn without_a_filter(engine: SocketAddr, material: &Material) -> Gateway {
        Gateway::with(|folder| {
            let (wasm, spool_file) = (module(folder), folder.join("usage.jsonl"));
            let placement = Placement { wasm, spool_file };
            let mut all =
                translate(&for_this_envoy(fixture::plan(engine)), &placement, material).unwrap();
            let to = ClusterSpecifier::Cluster("pool/small".to_owned());
            let to = RouteAction { cluster_specifier: Some(to), ..RouteAction::default() };
            let host = &mut all.routes[0].virtual_hosts[0];
            host.routes.drain(..host.routes.len() - 1);
            host.routes[0].action = Some(Action::Route(to));
            host.request_headers_to_remove.clear();
            all
        })
    }

    pub fn with(resources: impl FnOnce(&Path) -> EnvoyResources) -> Gateway {
        let folder = tempfile::tempdir().unwrap();
        let resources = resources(folder.path());
        let config = folder.path().join("static.pb");
        std::fs::write(&config, inlined(resources, folder.path())).unwrap();
        let process = Command::new(envoy())
            .args(["--disable-hot-restart", "--concurrency", "1", "-l", "warn"])
            .args(spooling())
            .arg("--admin-address-path")
            .arg(folder.path().join("admin"))
            .arg("-c")
            .arg(config)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut gateway = Gateway { folder, process, address: unknown };
        gateway.address = gateway.listening();
        gateway
    }

    /// Waits until the listener is open; the health check of the engine is over by then.
    fn listening(&mut self) -> SocketAddr {
        let began = Instant::now();
        loop {
            let admin = std::fs::read_to_string(self.folder.path().join("admin"));
            let admin = admin.ok().and_then(|text| text.trim().parse().ok());
            let found = admin.and_then(|admin| {
                ask(admin, &get("/ready")).filter(|reply| reply.status == 200)?;
                let reply = ask(admin, &get("/listeners"))?;
                reply.body.lines().find_map(|line| line.strip_prefix("gateway::")?.parse().ok())
            });
            match found {
                Some(address) => return address,
                None => assert!(began.elapsed() < START_LIMIT, "Envoy does not listen"),
            }
            assert_eq!(self.process.try_wait().unwrap(), None, "Envoy has ended");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn ask(&self, request: &[u8]) -> Reply {
        ask(self.address, request).unwrap()
    }

    pub fn stop_and_read_spool(mut self) -> String {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        std::fs::read_to_string(self.folder.path().join("usage.jsonl")).unwrap()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    fn is_whole(&self) -> bool {
        let length = self.header("content-length").and_then(|text| text.parse().ok());
        length == Some(self.body.len())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").into_bytes()
}

/// Sends the bytes and reads one reply, to its length or to the end of the connection.
fn ask(address: SocketAddr, request: &[u8]) -> Option<Reply> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(request).ok()?;
    let mut received = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        let size = stream.read(&mut chunk).unwrap_or(0);
        received.extend_from_slice(&chunk[..size]);
        let reply = parse(&received);
        if size == 0 || reply.as_ref().is_some_and(Reply::is_whole) {
            return reply;
        }
    }
}

fn parse(received: &[u8]) -> Option<Reply> {
    let (head, body) = std::str::from_utf8(received).ok()?.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Reply { status, head: head.to_owned(), body: body.to_owned() })
}
