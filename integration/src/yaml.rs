//! Puts into a configuration what a test left out of it, and changes nothing else.

/// Sets `path` (sections, then the field) to `value`, unless the text has it.
///
/// Works on block style with any indentation; the text is otherwise kept as it
/// is, comments too.
///
/// # Panics
/// Where a section on the way is in flow style (`gateway: { … }`): write it as a
/// block.
pub fn set_default(text: &str, path: &[&str], value: &str) -> String {
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut lines = lines;
    let mut range = 0..lines.len();
    let mut indent = indent_of_block(&lines, range.clone(), 0);
    for (depth, name) in path.iter().enumerate() {
        let Some(at) = find_key(&lines, range.clone(), indent, name) else {
            let missing = block(&path[depth..], value, indent);
            let at = end_of_block(&lines, range);
            lines.splice(at..at, missing);
            break;
        };
        if depth + 1 == path.len() {
            break;
        }
        let after = lines[at].trim().split_once(':').map_or("", |(_, after)| after.trim());
        let is_block = after.is_empty() || after.starts_with('#');
        assert!(is_block, "write `{name}:` as a block, so that the test can add to it");
        range = children(&lines, at, indent);
        indent = indent_of_block(&lines, range.clone(), indent + 2);
    }
    lines.join("\n") + "\n"
}

fn is_content(line: &str) -> bool {
    let text = line.trim_start();
    !text.is_empty() && !text.starts_with('#')
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn indent_of_block(lines: &[String], range: std::ops::Range<usize>, otherwise: usize) -> usize {
    lines[range].iter().find(|line| is_content(line)).map_or(otherwise, |line| indent_of(line))
}

fn find_key(
    lines: &[String],
    mut range: std::ops::Range<usize>,
    indent: usize,
    name: &str,
) -> Option<usize> {
    range.find(|at| {
        let line = &lines[*at];
        let key = line.trim_start().split(':').next().unwrap_or_default();
        indent_of(line) == indent && is_content(line) && key.trim_matches('"') == name
    })
}

/// Lines below the key at `at` that are deeper than it.
fn children(lines: &[String], at: usize, indent: usize) -> std::ops::Range<usize> {
    let rest = &lines[at + 1..];
    let length = rest.iter().position(|line| is_content(line) && indent_of(line) <= indent);
    at + 1..at + 1 + length.unwrap_or(rest.len())
}

/// After the last line of content in the range.
fn end_of_block(lines: &[String], range: std::ops::Range<usize>) -> usize {
    let start = range.start;
    let last = range.rev().find(|at| is_content(&lines[*at]));
    last.map_or(start, |at| at + 1)
}

fn block(path: &[&str], value: &str, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for (depth, name) in path.iter().enumerate() {
        let value = if depth + 1 == path.len() { format!(" {value}") } else { String::new() };
        lines.push(format!("{}{name}:{value}", " ".repeat(indent + 2 * depth)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_section_is_appended() {
        let text = set_default("version: 1\n", &["gateway", "listen"], "127.0.0.1:0");
        assert_eq!(text, "version: 1\ngateway:\n  listen: 127.0.0.1:0\n");
        assert_eq!(set_default("", &["version"], "1"), "version: 1\n");
    }

    #[test]
    fn a_missing_field_joins_its_section() {
        let text = "gateway: # where\n    workers: 2\n\n# next\ncontrol:\n  admin: x\n";
        let expected =
            "gateway: # where\n    workers: 2\n    listen: a\n\n# next\ncontrol:\n  admin: x\n";
        assert_eq!(set_default(text, &["gateway", "listen"], "a"), expected);
    }

    #[test]
    fn what_is_there_stays() {
        let text = "pools:\n  a:\n    engine: openai\n";
        assert_eq!(set_default(text, &["pools", "a", "engine"], "vllm"), text);
        let more = set_default(text, &["pools", "a", "model"], "tiny");
        assert_eq!(more, "pools:\n  a:\n    engine: openai\n    model: tiny\n");
        let other = set_default(&more, &["pools", "b", "model"], "x");
        assert!(other.ends_with("    model: tiny\n  b:\n    model: x\n"), "{other}");
    }

    #[test]
    fn an_empty_section_takes_its_first_field() {
        let text = set_default("pools:\nmodels:\n", &["pools", "a", "model"], "t");
        assert_eq!(text, "pools:\n  a:\n    model: t\nmodels:\n");
    }

    #[test]
    #[should_panic(expected = "as a block")]
    fn flow_style_is_not_guessed_at() {
        set_default("pools: { a: {} }\n", &["pools", "b"], "x");
    }
}
