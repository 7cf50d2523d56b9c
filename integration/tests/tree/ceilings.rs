//! How long a file and a function may be.

use std::io;
use std::path::{Path, PathBuf};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A file beyond this has a second subject.
const FILE_LINES_MAX: usize = 500;
/// A function beyond this has a second idea; Clippy counts the same for code
/// that it sees, without what lies in fuzz targets.
const FUNCTION_LINES_MAX: usize = 70;

const SOURCE_FOLDERS: &[&str] = &["filters", "control-plane", "integration"];
/// Not ours: what builds leave behind, and what fetched tools bring.
const SKIPPED_FOLDERS: &[&str] = &["target", "node_modules", "corpus", "artifacts"];

/// Every Rust source of the repository below `root`.
pub fn rust_files(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = SOURCE_FOLDERS.iter().map(|name| root.join(name)).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                if !SKIPPED_FOLDERS.iter().any(|name| entry.file_name() == *name) {
                    folders.push(entry.path());
                }
            } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// What of one file is too long, or that it cannot be read as Rust.
pub fn offenders(path: &str, text: &str) -> Vec<String> {
    let mut offenders = Vec::new();
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        offenders.push(format!("{path}: {lines} lines, {FILE_LINES_MAX} are the most"));
    }
    match syn::parse_file(text) {
        Ok(file) => offenders.extend(long_functions(path, &file)),
        Err(error) => offenders.push(format!("{path}: {error}")),
    }
    offenders
}

fn long_functions(path: &str, file: &syn::File) -> Vec<String> {
    let mut functions = Functions::default();
    functions.visit_file(file);
    let too_long = functions.seen.iter().filter(|seen| seen.lines > FUNCTION_LINES_MAX);
    too_long
        .map(|seen| {
            let Function { name, line, lines } = seen;
            format!("{path}:{line}: fn {name}: {lines} lines, {FUNCTION_LINES_MAX} are the most")
        })
        .collect()
}

struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// Collects every function with a body: free, in an `impl`, in a trait.
#[derive(Default)]
struct Functions {
    seen: Vec<Function>,
}

impl Functions {
    /// From `fn` to the closing brace; attributes and docstrings do not count.
    fn note(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let first = signature.span().start().line;
        let last = body.span().end().line;
        let name = signature.ident.to_string();
        self.seen.push(Function { name, line: first, lines: last + 1 - first });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.note(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.note(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.note(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function of exactly `lines` lines.
    fn function_of(lines: usize) -> String {
        format!("fn sample() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_at_the_ceiling_passes_and_one_above_is_named() {
        assert!(offenders("a.rs", &function_of(FUNCTION_LINES_MAX)).is_empty());
        let found = offenders("a.rs", &function_of(FUNCTION_LINES_MAX + 1));
        assert_eq!(found, ["a.rs:1: fn sample: 71 lines, 70 are the most"]);
    }

    #[test]
    fn methods_default_methods_and_functions_in_modules_count_too() {
        let long = function_of(FUNCTION_LINES_MAX + 1);
        for outer in ["impl Thing", "trait Thing", "mod thing", "fn outer()"] {
            let found = offenders("a.rs", &format!("{outer} {{\n{long}}}\n"));
            assert!(found.iter().any(|line| line.contains("fn sample: 71")), "{outer}: {found:?}");
        }
    }

    #[test]
    fn docstrings_and_attributes_are_free() {
        let documented = format!("/// why\n#[inline]\n{}", function_of(FUNCTION_LINES_MAX));
        assert!(offenders("a.rs", &documented).is_empty());
    }

    #[test]
    fn a_file_at_the_ceiling_passes_and_one_above_is_named() {
        assert!(offenders("a.rs", &"// line\n".repeat(FILE_LINES_MAX)).is_empty());
        let found = offenders("a.rs", &"// line\n".repeat(FILE_LINES_MAX + 1));
        assert_eq!(found, ["a.rs: 501 lines, 500 are the most"]);
    }

    #[test]
    fn what_is_not_rust_is_named() {
        assert_eq!(offenders("a.rs", "fn (").len(), 1);
    }

    #[test]
    fn the_walk_goes_down_and_skips_what_is_not_ours() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["filters/a/src", "filters/a/target/x", "control-plane", "integration"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for file in ["filters/a/src/lib.rs", "filters/a/target/x/made.rs", "integration/notes.md"] {
            std::fs::write(root.path().join(file), "").unwrap();
        }
        let found = rust_files(root.path()).unwrap();
        assert_eq!(found, [root.path().join("filters/a/src/lib.rs")]);
    }
}
