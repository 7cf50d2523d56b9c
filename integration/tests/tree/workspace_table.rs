//! A crate names what it uses; the version stands in the workspace's table.

const FROM_THE_TABLE: &str = "workspace = true";

/// The dependency lines of a crate's manifest that say more than the table.
///
/// Read line by line: a dependency is `name = { workspace = true, ... }` or
/// `name.workspace = true`; a table of its own (`[dependencies.name]`) is
/// refused as a second way of writing.
pub fn offenders(crate_name: &str, manifest: &str) -> Vec<String> {
    let mut in_dependencies = false;
    let mut offenders = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            in_dependencies = holds_dependencies(section);
            if section.contains("dependencies.") {
                offenders.push(format!("{crate_name}: {line}"));
            }
        } else if in_dependencies && is_foreign(line) {
            offenders.push(format!("{crate_name}: {line}"));
        }
    }
    offenders
}

/// `[dependencies]`, `[dev-dependencies]`, `[target.'…'.dependencies]`.
fn holds_dependencies(section: &str) -> bool {
    section.split(']').next().is_some_and(|name| name.ends_with("dependencies"))
}

fn is_foreign(line: &str) -> bool {
    let said = line.split('#').next().unwrap_or_default().trim();
    !said.is_empty() && (!said.contains(FROM_THE_TABLE) || said.contains("version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(section: &str, line: &str) -> Vec<String> {
        offenders("sample", &format!("[package]\nversion = \"1\"\n\n[{section}]\n{line}\n"))
    }

    #[test]
    fn the_table_s_own_are_welcome() {
        assert!(of("dependencies", "serde = { workspace = true }").is_empty());
        assert!(of("dependencies", "serde.workspace = true  # words").is_empty());
        assert!(of("dependencies", "# serde = \"1\"").is_empty());
        assert!(of("features", "serde = []").is_empty());
    }

    #[test]
    fn a_version_of_its_own_is_found_in_every_section() {
        for section in ["dependencies", "dev-dependencies", "target.'cfg(unix)'.dependencies"] {
            assert_eq!(of(section, "serde = \"1\""), ["sample: serde = \"1\""], "{section}");
        }
    }

    #[test]
    fn a_path_of_its_own_is_found() {
        let line = "auth = { path = \"../auth\" }";
        assert_eq!(of("dependencies", line), [format!("sample: {line}")]);
    }

    #[test]
    fn a_table_of_its_own_is_found() {
        let found = of("dependencies.serde", "version = \"1\"");
        assert_eq!(found, ["sample: [dependencies.serde]"]);
    }
}
