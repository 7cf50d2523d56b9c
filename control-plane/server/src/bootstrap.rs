//! What an Envoy is started with, whoever starts it.

use crate::error::Failure;
use crate::run_file::Run;
use crate::xds_port::{self, Opened};
use crate::{args, cli, files, wasm};
use model::{Config, XdsListen, XdsPort};
use resources::bootstrap::{Bootstrap, ControlPort};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The id under which an Envoy is known to the control plane, when nothing else
/// is said.
pub const NODE: &str = "gateway";

/// The bootstrap of the Envoy that `up` starts.
pub fn of_own(
    config: &Config,
    port: &XdsPort,
    opened: &Opened,
    wasm: PathBuf,
) -> Result<String, Failure> {
    let control = xds_port::as_dialled(port, opened, None)?;
    render(NODE, config.control.envoy_admin, control, wasm)
}

/// `tollgate bootstrap`: the text.
pub fn of_neighbour(asked: &args::Bootstrap) -> Result<String, Failure> {
    let loaded = cli::load(&asked.config)?;
    let control = &loaded.config.control;
    let data = files::absolute(&control.data)?;
    files::private_folder(&data)?;
    let wasm = wasm::keep(&control.wasm, &data)?;
    let opened = where_opened(&control.xds, &data)?;
    let token_file = asked.token_file.as_deref();
    let dialled = xds_port::as_dialled(&control.xds, &opened, token_file)?;
    render(&asked.node, asked.envoy_admin.unwrap_or(control.envoy_admin), dialled, wasm)
}

/// Where `serve` has the port open, or will have.
fn where_opened(port: &model::XdsPort, data: &Path) -> Result<Opened, Failure> {
    match &port.listen {
        XdsListen::Unix(path) => files::absolute(path).map(Opened::Unix),
        XdsListen::Tcp(address) if address.port() != 0 || port.connect.is_some() => {
            Ok(Opened::Tcp(*address))
        }
        XdsListen::Tcp(_) => Run::read(data).xds.map(Opened::Tcp).ok_or_else(|| {
            Failure::Refused(
                "control.xds leaves the port open, and it is known only once `tollgate serve` \
                 runs: start it first, or configure a port"
                    .to_owned(),
            )
        }),
    }
}

fn render(
    node: &str,
    envoy_admin: SocketAddr,
    control: ControlPort,
    wasm: PathBuf,
) -> Result<String, Failure> {
    let bootstrap = Bootstrap { node_id: node.to_owned(), control, envoy_admin, wasm };
    resources::bootstrap::render(&bootstrap).map_err(Failure::internal)
}
