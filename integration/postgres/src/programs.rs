//! Where the programs of PostgreSQL are.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest version that the ledger is for.
const OLDEST: u32 = 15;

/// Where Debian has a folder for each version.
const DEBIANS: &str = "/usr/lib/postgresql";

/// The folder of `initdb` and `postgres`.
pub fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = vec![crate::tools().join("postgres")];
    places.extend(on_path(&path));
    places.extend(of_debian(Path::new(DEBIANS)));
    places.into_iter().find(|place| is_supported(place))
}

/// The folders with an `initdb`, of links the folders that they lead to: the other
/// programs are beside it there.
fn on_path(path: &OsStr) -> Vec<PathBuf> {
    let places = std::env::split_paths(path).filter_map(|place| {
        let initdb = fs::canonicalize(place.join("initdb")).ok()?;
        initdb.parent().map(Path::to_owned)
    });
    places.collect()
}

/// The newest version first.
fn of_debian(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, place)| place).collect()
}

fn is_supported(place: &Path) -> bool {
    let output = Command::new(place.join("postgres")).arg("--version").output();
    place.join("initdb").is_file()
        && output.is_ok_and(|output| {
            version(&String::from_utf8_lossy(&output.stdout)).is_some_and(|at| at >= OLDEST)
        })
}

/// The first number of `postgres (PostgreSQL) 15.14 (Debian ...)`.
fn version(text: &str) -> Option<u32> {
    let number = text.split_once("(PostgreSQL) ")?.1;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_what_the_program_says() {
        for (text, expected) in [
            ("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", Some(15)),
            ("postgres (PostgreSQL) 18.1", Some(18)),
            ("postgres (PostgreSQL) 19beta1", Some(19)),
            ("postgres (PostgreSQL) ", None),
            ("mysqld 8", None),
        ] {
            assert_eq!(version(text), expected, "{text}");
        }
    }

    #[test]
    fn the_newest_of_debians_versions_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        for version in ["9", "15", "17", "common"] {
            fs::create_dir(folder.path().join(version)).unwrap();
        }
        let expected = ["17", "15", "9"].map(|version| folder.path().join(version).join("bin"));
        assert_eq!(of_debian(folder.path()), expected);
        assert!(of_debian(&folder.path().join("none")).is_empty());
    }

    #[test]
    fn a_link_on_path_leads_to_the_folder_of_all_programs() {
        let folder = tempfile::tempdir().unwrap();
        let (real, links) = (folder.path().join("real"), folder.path().join("links"));
        fs::create_dir(&real).unwrap();
        fs::create_dir(&links).unwrap();
        fs::write(real.join("initdb"), "").unwrap();
        std::os::unix::fs::symlink(real.join("initdb"), links.join("initdb")).unwrap();
        let path = std::env::join_paths([folder.path(), &links]).unwrap();
        assert_eq!(on_path(&path), [fs::canonicalize(real).unwrap()]);
        assert!(!is_supported(&links));
    }
}
