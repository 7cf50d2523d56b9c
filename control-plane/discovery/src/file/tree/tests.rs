use super::*;

fn shown(placed: &Placed) -> String {
    match &placed.node {
        Node::Nothing => "-".to_owned(),
        Node::Scalar(text) => text.clone(),
        Node::List(list) => format!("[{}]", list.iter().map(shown).collect::<Vec<_>>().join(" ")),
        Node::Map(entries) => {
            let entry = |(key, value): &(String, Placed)| format!("{key}={}", shown(value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(" "))
        }
    }
}

#[test]
fn trees() {
    let table = [
        ("- a:1\n- 10.0.0.1:8000\n- 8000\n- true\n- \n- ~\n", "[a:1 10.0.0.1:8000 8000 true - -]"),
        ("[a:1, \"b:2\"]", "[a:1 b:2]"),
        (
            "{\n\t\"resources\": [\n\t\t{\"port_value\": 8000}\n\t]\n}\n",
            "{resources=[{port_value=8000}]}",
        ),
        ("# Engines.\n---\nresources: []\n", "{resources=[]}"),
        ("a: &a [x]\nb: *a\n", "{a=[x] b=[x]}"),
        ("", "-"),
    ];
    for (text, expected) in table {
        assert_eq!(shown(&parse(text).unwrap()), expected, "{text}");
    }
}

#[test]
fn parts_know_their_places() {
    let tree = parse("resources:\n- name: a\n").unwrap();
    let resources = tree.get(&["resources"]).unwrap();
    let Node::List(list) = &resources.node else { panic!("a list") };
    let name = list[0].get(&["Name", "name"]).unwrap();
    assert_eq!((name.line, name.column, name.text()), (2, 9, Some("a")));
}

#[test]
fn what_is_broken_or_grows_is_refused() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let deep_blocks =
        (0..200).map(|level| format!("{}a:\n", " ".repeat(level))).collect::<String>();
    let bomb = (1..40).fold("a0: &a0 [x, x]\n".to_owned(), |text, level| {
        let below = level - 1;
        format!("{text}a{level}: &a{level} [*a{below}, *a{below}]\n")
    });
    let aliases = format!("a: &a x\nb: [{}]\n", "*a, ".repeat(2_000));
    let grown = "more levels, anchors, aliases or entries than a list of endpoints has";
    let table = [
        ("[\"http://10.0.0.1:80\",\n \"http://10", "2:2: unclosed quote"),
        ("{\"resources\": [\n{\"cluster_name\": \"a\"", "2:1: unclosed bracket '{'"),
        (
            "resources:\n  - a\n - b\n",
            "3:2: while parsing a block mapping, did not find expected key",
        ),
        ("- a\n---\n- b\n", "2:1: another document begins; one file is one list"),
        ("resources: []\nresources: []\n", "2:1: this key is there already"),
        ("a: &a {b: c}\nd:\n  <<: *a\n", "3:3: merge keys are not read"),
        ("- *a\n", "1:3: alias references unknown anchor"),
        ("? [a]\n: b\n", "1:3: expected string scalar"),
        (&deep, "1:33: recursion limit exceeded"),
        (&deep_blocks, &format!("33:33: {grown}")),
        (&bomb, &format!("15:12: {grown}")),
        (&aliases, &format!("2:4005: {grown}")),
    ];
    for (text, expected) in table {
        let Fault { line, column, what } = parse(text).unwrap_err();
        assert_eq!(format!("{line}:{column}: {what}"), expected);
    }
}
