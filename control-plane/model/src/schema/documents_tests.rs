//! The readers against the table, row by row.

use super::documents::{document, rows};
use super::{Field, Form, Kind, Presence, Section};
use crate::sources::Sources;
use crate::units::{shown_duration, shown_size};
use crate::{Config, Problem, load};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// Text that is wrong for each form, by the words for it.
const WRONG: &[(&str, &str)] = &[
    ("address", "nowhere"),
    ("`unix:PATH`", "'unix:'"),
    ("`HOST:PORT`", "nowhere"),
    ("`line`", "lines"),
    ("path", "''"),
    ("begins with `/`, at most 1024 bytes", "health"),
    ("begins with `/` and does not end with it, at most 256 characters", "openai/"),
    ("1 to 1024 visible ASCII characters", "a b"),
    ("plain name", "a b"),
    ("plain name without `/`", "a/b"),
    ("model name", "a b"),
    ("pattern", "a b"),
    ("`http://HOST:PORT` or `https://HOST:PORT`", "nowhere:80"),
    ("letters, digits and `_`, no digit first", "a-b"),
    ("`NAME:PORT` or `NAME`", "-a:80"),
    ("name in the DNS", "a:80"),
    ("`IP:PORT`", "localhost:53"),
    ("1 to 63 lower-case letters, digits and `-`", "A"),
    ("name, or 1 to 65535", "A"),
    ("64 hexadecimal digits", "abc"),
    ("time", "30d"),
    ("one of `pools`", "none"),
    ("one of `models`, or a name that a family has", "none"),
    ("name of a header", "a b"),
    ("`header:NAME`", "'header:'"),
    ("1 to 4096 visible ASCII characters, spaces between them", "한"),
    ("one of `roles`", "none"),
    ("one of `tenants`", "none"),
    ("pattern over paths", "v1/chat"),
    ("text", "a b"),
    ("8 to 1024 visible ASCII characters", "123-567"),
    ("name in the DNS, or `*.NAME`", "a.*"),
    ("`file:PATH`", "'file:'"),
    ("`https://URL` or `http://URL`", "nowhere"),
    ("16 to 1024 visible ASCII characters", "123-567-901-345"),
    ("`{TYPE}`, then `{TAG}`, with signs around them; at most 64 characters", "'[{TYPE}]'"),
    ("1 to 200 characters without spaces around them", "' a'"),
    ("regular expression, 1 to 1000 characters", "''"),
    ("language tag", "a_b"),
    ("one of `masking.policies`", "none"),
    ("one of `limits`", "none"),
    ("one of `organisations`", "none"),
    ("`postgres://URL` or `postgresql://URL`", "mysql://db.example/tollgate"),
];

/// Every variable is set and every file is there.
pub(super) struct Anything;

impl Sources for Anything {
    fn var(&self, name: &str) -> Option<String> {
        Some(format!("value-of-{name}"))
    }

    fn file(&self, _: &Path) -> std::io::Result<String> {
        Ok("text-of-some-file".to_owned())
    }
}

fn read(text: &str) -> Result<Config, Vec<Problem>> {
    load(text, Path::new("/etc/tollgate"), &Anything)
}

fn with(section: Section, field: &Field, yaml: Option<&str>) -> Config {
    let text = document(section, field, yaml);
    read(&text).unwrap_or_else(|problems| panic!("{text}\n{problems:?}"))
}

/// Values that are accepted, and values that are not.
pub(super) fn values(kind: &Kind) -> (Vec<String>, Vec<String>) {
    let (ms, byte) = (Duration::from_millis(1), 1);
    match kind {
        Kind::Duration(least, most) => {
            let below = least.checked_sub(ms).map(shown_duration);
            let wrong = below.into_iter().chain([shown_duration(*most + ms), "5".to_owned()]);
            (vec![shown_duration(*least), shown_duration(*most)], wrong.collect())
        }
        Kind::Size(least, most) => {
            let wrong = vec![shown_size(least - byte), shown_size(most + byte), "5".to_owned()];
            (vec![shown_size(*least), shown_size(*most)], wrong)
        }
        Kind::Count(most) => {
            let wrong = ["0", "-1", "many", "1.5"].map(str::to_owned).into_iter();
            (vec!["1".into(), most.to_string()], wrong.chain([(most + 1).to_string()]).collect())
        }
        Kind::Whole(least, most) => {
            let below = least.checked_sub(1).map(|below| below.to_string());
            let wrong = below.into_iter().chain(["-1", "many", "1.5"].map(str::to_owned));
            (
                vec![least.to_string(), most.to_string()],
                wrong.chain([(most + 1).to_string()]).collect(),
            )
        }
        Kind::Percent(least, most) => {
            let wrong = [format!("{}%", least - 1), format!("{}%", most + 1)];
            let odd = ["50", "0.5"].map(str::to_owned);
            (vec![format!("{least}%"), format!("{most}%")], wrong.into_iter().chain(odd).collect())
        }
        Kind::Share => {
            owned(&["0.0001%", "0.5%", "100%"], &["0%", "100.0001%", "0.00001%", "50", "some"])
        }
        Kind::Score => owned(&["0", "0.5", "0.05", "1"], &["-0.5", "1.5", "likely", "'.5'"]),
        Kind::Truth => owned(&["true", "false"], &["yes", "1"]),
        Kind::Money => owned(&["0", "9223372036.854775807"], &["-1", "cheap", "'1,5'"]),
        Kind::Text(form) => owned(&[], &[wrong(form), "[]", "''"]),
        Kind::Choice(words) => owned(words, &["nonesuch", "[]", "''"]),
        Kind::Map(_) => owned(&[], &["[]", "1", "{ nonesuch: 1 }"]),
        Kind::List(_, least, most) => {
            let few = (*least > 0).then(|| "[]".to_owned());
            let many = most.map(|most| format!("[{}]", "{ pool: llama }, ".repeat(most + 1)));
            (Vec::new(), few.into_iter().chain(many).chain(["1".to_owned()]).collect())
        }
        Kind::Named(form, _) => {
            (Vec::new(), vec!["[]".into(), format!("{{ '{}': {{}} }}", wrong(form))])
        }
        // What is wrong for one kind may be right for another.
        Kind::Either(kinds) => {
            let right = kinds.iter().flat_map(|kind| values(kind).0).collect();
            (right, vec!["[]".into(), "' '".into(), "{ nonesuch: 1 }".into()])
        }
    }
}

pub(super) fn wrong(form: &Form) -> &'static str {
    let wrong = WRONG.iter().find(|(words, _)| *words == form.words);
    wrong.map(|(_, wrong)| *wrong).unwrap_or_else(|| panic!("nothing wrong for {}", form.words))
}

fn owned(right: &[&str], wrong: &[&str]) -> (Vec<String>, Vec<String>) {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    (owned(right), owned(wrong))
}

#[test]
fn every_row_is_read() {
    for (table, field) in rows() {
        with(table.section, field, Some(field.example));
    }
}

#[test]
fn what_is_within_bounds_is_accepted() {
    for (table, field) in rows() {
        for value in values(&field.kind).0 {
            with(table.section, field, Some(&value));
        }
    }
}

#[test]
fn what_is_beyond_is_refused_where_it_stands() {
    for (table, field) in rows() {
        for value in values(&field.kind).1 {
            let text = document(table.section, field, Some(&value));
            let Err(problems) = read(&text) else { panic!("accepted: {text}") };
            let place = |problem: &Problem| problem.path.contains(field.name);
            assert!(problems.iter().any(place), "{text}\n{problems:?}");
        }
    }
}

#[test]
fn words_are_those_of_the_readers() {
    for (table, field) in rows() {
        let Kind::Choice(words) = field.kind else { continue };
        let text = document(table.section, field, Some("nonesuch"));
        let problems = read(&text).err().unwrap_or_default();
        let expected = format!("`nonesuch` is not known; allowed: {}", words.join(", "));
        assert!(problems.iter().any(|p| p.message == expected), "{text}\n{problems:?}");
    }
}

#[test]
fn leaving_out_is_what_the_table_says() {
    for (table, field) in rows() {
        match field.presence {
            Presence::Required => {
                let text = document(table.section, field, None);
                let missing = format!("`{}` is missing; ", field.name);
                let problems = read(&text).err().unwrap_or_default();
                assert!(problems.iter().any(|p| p.message.starts_with(&missing)), "{text}");
            }
            Presence::Default(default) => {
                let (left_out, given) =
                    [None, Some(default)].map(|yaml| with(table.section, field, yaml)).into();
                assert!(left_out == given, "{}.{}: {default}", table.name, field.name);
            }
            Presence::Otherwise(_) => {}
        }
    }
}

/// A reader that puts a value in the wrong place, or nowhere, is found by this.
#[test]
fn every_field_makes_a_difference() {
    for (table, field) in rows() {
        let cannot_be_left_out = field.presence == Presence::Required
            || table.one_of.contains(&field.name)
            || !field.beside.is_empty();
        // All of a single pool is all of it, whatever the weight.
        let single = (table.section, field.name) == (Section::Split, "weight");
        let same = field.presence == Presence::Default(field.example) || single;
        if cannot_be_left_out || same {
            continue;
        }
        let left_out = with(table.section, field, None);
        let given = with(table.section, field, Some(field.example));
        assert!(left_out != given, "{}.{}", table.name, field.name);
    }
}

#[test]
fn exactly_one_of_those_that_exclude_each_other() {
    for (table, field) in rows().filter(|(table, field)| table.one_of.contains(&field.name)) {
        let others = table.fields.iter().filter(|o| table.one_of.contains(&o.name));
        let other = others.clone().find(|other| other.name != field.name).unwrap();
        let text = document(table.section, field, Some(field.example));
        let alone = format!("{}: {}", field.name, field.example);
        assert!(text.contains(&alone) && read(&text).is_ok(), "{text}");
        let both = text.replace(&alone, &format!("{alone}, {}: {}", other.name, other.example));
        assert!(read(&both).is_err(), "{both}");
        assert!(read(&text.replace(&alone, "")).is_err(), "{text}");
    }
}

#[test]
fn rows_are_told_apart() {
    let mut seen = BTreeSet::new();
    for (table, field) in rows() {
        assert!(seen.insert((table.section, field.name)), "{}.{}", table.name, field.name);
        assert!(!field.meaning.ends_with('.') && !field.meaning.contains('|'), "{}", field.name);
    }
}
