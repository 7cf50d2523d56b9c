//! The ways to the control plane.

use resources::bootstrap::{ControlAddress, ControlPort, ControlTls, ControlToken};
use std::path::Path;

/// Every way to the control plane; the files of TLS lie in `folder`.
pub fn all(folder: &Path) -> Vec<ControlPort> {
    let made = rcgen::generate_simple_self_signed(vec!["control.example".to_owned()]).unwrap();
    let (pem, key) = (folder.join("c.pem"), folder.join("c-key.pem"));
    std::fs::write(&pem, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("token"), "Bearer made-up").unwrap();
    let tls = |own| Some(ControlTls { ca: pem.clone(), own });
    let socket = ControlAddress::Socket("192.0.2.1:18000".parse().unwrap());
    let name = ControlAddress::Name("control.example".to_owned(), 18000);
    let pipe = ControlAddress::Pipe(folder.join("xds.sock"));
    let inline = Some(ControlToken::Inline("made-up".to_owned()));
    let from_file = Some(ControlToken::File(folder.join("token")));
    vec![
        ControlPort::open("127.0.0.1:1".parse().unwrap()),
        ControlPort { address: pipe, tls: None, token: inline.clone() },
        ControlPort { address: socket, tls: tls(None), token: inline },
        ControlPort { address: name, tls: tls(Some((pem.clone(), key))), token: from_file },
    ]
}
