use super::*;
use crate::config_file;

const TEXT: &str =
    "Dear Kim,\n메일은 kim@example.com 또는 lee@example.com,\nagain kim@example.com.\n";

fn policy(types: &[(PiiType, Action)]) -> Rc<Policy> {
    let types = types.iter().copied().collect();
    let config = MaskingPolicyConfig { types, ..MaskingPolicyConfig::default() };
    Rc::new(Policy::compile(&config).ok().unwrap())
}

fn found(policy: &Rc<Policy>, text: &str) -> (Vec<Finding>, Settled) {
    let key = TagKey::for_tenant(b"made-up key of a test", "");
    let mut redaction = Redaction::new(Rc::clone(policy), key);
    let found = redaction.look(text);
    (found, redaction.settle())
}

fn config(yaml: &str) -> Config {
    let text = format!("version: 1\nmasking: {{ policies: {{ {yaml} }} }}");
    match config_file::load_text(Path::new("tollgate.yaml"), &text) {
        Ok(loaded) => loaded.config,
        Err(why) => panic!("{why:?}"),
    }
}

#[test]
fn the_text_has_placeholders_and_stays_else_what_it_was() {
    let policy = policy(&[]);
    let (places, settled) = found(&policy, TEXT);
    let text = masked(TEXT, &places, &settled);
    assert!(!text.contains("@example.com"), "{text}");
    assert!(text.starts_with("Dear Kim,\n메일은 [EMAIL_"), "{text}");
    let tags: Vec<_> = text.split("[EMAIL_").skip(1).filter_map(|rest| rest.get(..6)).collect();
    assert_eq!((tags.len(), tags[0] == tags[2], tags[0] == tags[1]), (3, true, false), "{text}");
}

#[test]
fn each_action_does_what_it_says() {
    for (action, expected) in [
        (Action::Mask, "to [EMAIL] now"),
        (Action::Block, "to [EMAIL] now"),
        (Action::Alert, "to kim@example.com now"),
        (Action::Off, "to kim@example.com now"),
    ] {
        let policy = policy(&[(PiiType::Email, action)]);
        let text = "to kim@example.com now";
        let (places, settled) = found(&policy, text);
        assert_eq!(masked(text, &places, &settled), expected);
        assert_eq!(places.len(), usize::from(action != Action::Off));
    }
}

#[test]
fn places_are_counted_in_bytes_lines_and_characters() {
    let policy = policy(&[(PiiType::Email, Action::Alert)]);
    let (places, _) = found(&policy, TEXT);
    let report = report(TEXT, &places, &policy);
    let at = |start, line, column| Place {
        of: PiiType::Email,
        action: Action::Alert,
        start,
        end: start + "kim@example.com".len(),
        line,
        column,
    };
    let all = |value| TEXT.match_indices(value).map(|(at, _)| at).collect::<Vec<_>>();
    let (kim, lee) = (all("kim@"), all("lee@"));
    assert_eq!(report.findings, [at(kim[0], 2, 5), at(lee[0], 2, 24), at(kim[1], 3, 7)]);
    let shown = serde_json::to_value(&report).unwrap();
    assert_eq!(shown["counts"], serde_json::json!({ "EMAIL": 3 }));
    assert_eq!(shown["findings"][0]["type"], "EMAIL");
    assert_eq!(shown["findings"][0]["action"], "alert");
    assert!(!shown.to_string().contains("example.com"), "{shown}");
}

#[test]
fn counts_for_people() {
    let policy = policy(&[(PiiType::Email, Action::Block)]);
    let (places, _) = found(&policy, TEXT);
    let text = summary(&places, &policy);
    let rows: Vec<Vec<&str>> = text.lines().map(|row| row.split_whitespace().collect()).collect();
    assert_eq!(rows[..2], [["TYPE", "ACTION", "COUNT"], ["EMAIL", "block", "3"]]);
    assert!(text.ends_with("A request with this text is refused: EMAIL."), "{text}");
    assert_eq!(summary(&[], &policy), "nothing is found");
}

#[test]
fn which_policy_is_meant() {
    let file = Path::new("tollgate.yaml");
    let chosen = |yaml: &str, name: Option<&str>| {
        super::chosen(&config(yaml), name, file)
            .map(|(name, _)| name)
            .map_err(|why| why.to_string())
    };
    let (several, two) = ("a: , b: , default:", "a: , b:");
    let ok = |name: &str| Ok(name.to_owned());
    let wrong = |why: &str| Err(why.to_owned());
    for (yaml, name, expected) in [
        (several, Some("b"), ok("b")),
        (several, None, ok("default")),
        ("only:", None, ok("only")),
        (two, None, wrong("--policy NAME is missing; in tollgate.yaml: a, b")),
        (two, Some("c"), wrong("there is no masking policy `c`; in tollgate.yaml: a, b")),
        ("", None, wrong("--policy NAME is missing; in tollgate.yaml: none")),
    ] {
        assert_eq!(chosen(yaml, name), expected, "{yaml} {name:?}");
    }
}

#[test]
fn texts_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("letter");
    let why = |file: &Path| text(Some(file)).map_err(|why| why.to_string()).unwrap_err();
    assert!(why(&file).starts_with(&format!("cannot read {}: ", file.display())));
    fs::write(&file, b"a\xff").unwrap();
    assert_eq!(why(&file), format!("{} is not UTF-8, from byte 1 on", file.display()));
    fs::write(&file, "한").unwrap();
    assert_eq!(text(Some(&file)).unwrap(), "한");
}
