use super::*;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;

/// Asks for TLS, which the server says in one byte that it has not (PostgreSQL,
/// "Frontend/Backend Protocol", SSLRequest).
fn answers(port: u16) -> bool {
    const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
    let mut byte = [0];
    stream.write_all(&SSL_REQUEST).and_then(|()| stream.read_exact(&mut byte)).is_ok()
        && byte == *b"N"
}

#[test]
fn a_server_starts_restarts_and_goes_with_its_folder() {
    let mut server = PostgresServer::start().unwrap();
    let (port, folder) = (server.port(), server.folder.path().to_owned());
    assert!(answers(port) && server.url("a").ends_with(&format!("@127.0.0.1:{port}/a")));
    let first = server.child.as_ref().unwrap().id();
    for how in [Shutdown::Fast, Shutdown::Immediate] {
        server.restart(how).unwrap();
        assert!(answers(port), "{how:?}");
    }
    assert_ne!(server.child.as_ref().unwrap().id(), first);
    server.stop(Shutdown::Fast).unwrap();
    server.stop(Shutdown::Fast).unwrap();
    assert!(!answers(port));
    server.start_again().unwrap();
    drop(server);
    assert!(!answers(port) && !folder.exists());
}

#[test]
fn programs_that_are_none_are_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let failed = PostgresServer::with_programs(folder.path().to_owned(), false).unwrap_err();
    assert!(matches!(failed, Error::System { what: "running initdb", .. }), "{failed}");
    assert!(Error::NoPostgres.to_string().contains("integration/postgres/setup.sh"));
}

#[test]
fn programs_where_only_root_may_go_are_taken_along() {
    let closed = tempfile::tempdir().unwrap();
    let bin = closed.path().join("bin");
    fs::create_dir(&bin).unwrap();
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let found = programs::find().unwrap();
    for program in ["initdb", "postgres"] {
        let script = format!("#!/bin/sh\nexec {} \"$@\"\n", found.join(program).display());
        fs::write(bin.join(program), script).unwrap();
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(bin.join(program), mode).unwrap();
    }
    let server = PostgresServer::with_programs(bin.clone(), false).unwrap();
    let copied = server.programs != bin;
    assert_eq!(copied, server.account.is_some(), "{:?}", server.programs);
    assert!(answers(server.port()));
}
