//! `tollgate mask`, as a process: what goes where, and the exit codes.

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const LETTER: &str = "Write to kim@example.com.\n";

fn mask(folder: &Path, arguments: &[&str], text: &str) -> Result<Output, Box<dyn Error>> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    program.arg("mask").args(arguments).current_dir(folder).stdin(Stdio::piped());
    let mut running = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut input = running.stdin.take().ok_or("no standard input")?;
    // Who does not read it has closed it.
    input.write_all(text.as_bytes()).ok();
    drop(input);
    Ok(running.wait_with_output()?)
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_text_goes_one_way_and_the_counts_another() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("letter.txt"), LETTER)?;
    for arguments in [&["letter.txt"][..], &["-"], &[]] {
        let found = mask(folder.path(), arguments, LETTER)?;
        let text = said(&found.stdout);
        assert!(text.starts_with("Write to [EMAIL_") && text.ends_with("].\n"), "{text}");
        let counts = said(&found.stderr);
        let row: Vec<_> = counts.lines().nth(1).unwrap_or_default().split_whitespace().collect();
        assert_eq!((row, found.status.code()), (vec!["EMAIL", "restore", "1"], Some(0)));
    }
    Ok(())
}

#[test]
fn a_policy_of_a_configuration() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let yaml = "version: 1\nmasking: { policies: { a: , b: { types: { EMAIL: mask } } } }\n";
    fs::write(folder.path().join("tollgate.yaml"), yaml)?;
    let b = ["--config", "tollgate.yaml", "--policy", "b"];
    let found = mask(folder.path(), &b, LETTER)?;
    assert_eq!(said(&found.stdout), "Write to [EMAIL].\n");
    let found = mask(folder.path(), &[&b[..], &["--format", "json"]].concat(), LETTER)?;
    let report: serde_json::Value = serde_json::from_slice(&found.stdout)?;
    let place = serde_json::json!({
        "type": "EMAIL", "action": "mask", "start": 9, "end": 24, "line": 1, "column": 10,
    });
    assert_eq!(report["findings"], serde_json::json!([place]));
    assert_eq!(said(&found.stderr), "");
    Ok(())
}

#[test]
fn what_cannot_be_done_is_said() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("none.yaml"), "version: 1\n")?;
    let table: [(&[&str], i32, &str); 4] = [
        (&["nowhere.txt"], 1, "tollgate: cannot read nowhere.txt: "),
        (&["-c", "none.yaml"], 2, "tollgate: --policy NAME is missing; in none.yaml: none"),
        (&["-c", "nowhere.yaml"], 1, "nowhere.yaml:1:1: cannot be read: "),
        (&["--policy", "strict"], 2, "error: "),
    ];
    for (arguments, code, why) in table {
        let found = mask(folder.path(), arguments, LETTER)?;
        let told = said(&found.stderr);
        assert!(told.starts_with(why), "{arguments:?}: {told}");
        assert_eq!((found.status.code(), said(&found.stdout)), (Some(code), String::new()));
    }
    Ok(())
}
