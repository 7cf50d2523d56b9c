//! Fields in the formats of files, tables and forms.

use crate::rng::Rng;
use crate::sample::Made;
use crate::slots;
use crate::templates::Field;

/// How a field is written: before its name, between, behind its value.
struct Format {
    name: &'static str,
    names: Names,
    open: &'static str,
    field: [&'static str; 3],
    joint: &'static str,
    close: &'static str,
    /// What a value cannot have in it.
    breaks: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
enum Names {
    Snake,
    Camel,
    Loud,
    Korean,
    English,
}

use Names::{Camel, English, Korean, Loud, Snake};

#[rustfmt::skip]
const FORMATS: &[Format] = &[
    Format { name: "json", names: Snake, open: "{\n  ", field: ["\"", "\": \"", "\""], joint: ",\n  ", close: "\n}", breaks: "\"'" },
    Format { name: "json", names: Camel, open: "{", field: ["\"", "\":\"", "\""], joint: ",", close: "}", breaks: "\"'" },
    Format { name: "json", names: Korean, open: "{", field: ["\"", "\": \"", "\""], joint: ", ", close: "}", breaks: "\"'" },
    Format { name: "json in json", names: Snake, open: "{\"arguments\":\"{", field: ["\\\"", "\\\":\\\"", "\\\""], joint: ",", close: "}\"}", breaks: "\"'" },
    Format { name: "yaml", names: Snake, open: "user:\n  ", field: ["", ": ", ""], joint: "\n  ", close: "\n", breaks: "" },
    Format { name: "yaml", names: Camel, open: "- ", field: ["", ": \"", "\""], joint: "\n  ", close: "\n", breaks: "\"'" },
    Format { name: "ini", names: Snake, open: "[main]\n", field: ["", " = ", ""], joint: "\n", close: "\n", breaks: "" },
    Format { name: "toml", names: Snake, open: "[account]\n", field: ["", " = \"", "\""], joint: "\n", close: "\n", breaks: "\"'" },
    Format { name: "env", names: Loud, open: "", field: ["", "=", ""], joint: "\n", close: "\n", breaks: "" },
    Format { name: "env", names: Loud, open: "", field: ["export ", "=\"", "\""], joint: "\n", close: "\n", breaks: "\"'" },
    Format { name: "python", names: Snake, open: "record = {", field: ["'", "': '", "'"], joint: ", ", close: "}", breaks: "\"'" },
    Format { name: "javascript", names: Camel, open: "const user = {\n  ", field: ["", ": '", "'"], joint: ",\n  ", close: ",\n};", breaks: "\"'" },
    Format { name: "xml", names: Camel, open: "<user ", field: ["", "=\"", "\""], joint: " ", close: "/>", breaks: "\"'" },
    Format { name: "logfmt", names: Snake, open: "level=info ", field: ["", "=", ""], joint: " ", close: "", breaks: "" },
    Format { name: "logfmt", names: Camel, open: "msg=\"save\" ", field: ["", "=\"", "\""], joint: " ", close: "", breaks: "\"'" },
    Format { name: "sql where", names: Snake, open: "SELECT * FROM users WHERE ", field: ["", " = '", "'"], joint: " AND ", close: ";", breaks: "\"'" },
    Format { name: "sql update", names: Snake, open: "UPDATE members SET ", field: ["", "='", "'"], joint: ", ", close: " WHERE id = 7;", breaks: "\"'" },
    Format { name: "form", names: Korean, open: "", field: ["", ": ", ""], joint: "\n", close: "", breaks: "" },
    Format { name: "form", names: Korean, open: "[신청서]\n", field: ["■ ", " : ", ""], joint: "\n", close: "", breaks: "" },
    Format { name: "form", names: Korean, open: "", field: ["- ", " ", ""], joint: "\n", close: "", breaks: "" },
    Format { name: "form", names: Korean, open: "고객 정보 (", field: ["", " ", ""], joint: ", ", close: ")", breaks: "" },
    Format { name: "form", names: Korean, open: "| 항목 | 값 |\n|---|---|\n", field: ["| ", " | ", " |"], joint: "\n", close: "\n", breaks: "" },
    Format { name: "form", names: Korean, open: "", field: ["", "\t", ""], joint: "\n", close: "", breaks: "" },
    Format { name: "form", names: English, open: "", field: ["", ": ", ""], joint: "\n", close: "", breaks: "" },
    Format { name: "form", names: English, open: "FORM 12-B\n", field: ["* ", " - ", ""], joint: "\n", close: "", breaks: "" },
    Format { name: "form", names: English, open: "", field: ["**", ":** ", ""], joint: "  \n", close: "", breaks: "" },
    Format { name: "form", names: English, open: "Details: ", field: ["", " ", ""], joint: "; ", close: ".", breaks: "" },
    Format { name: "form", names: English, open: "| Field | Value |\n| --- | --- |\n", field: ["| ", " | ", " |"], joint: "\n", close: "\n", breaks: "" },
    Format { name: "form", names: Korean, open: "", field: ["", " ........ ", ""], joint: "\n", close: "", breaks: "" },
    Format { name: "form", names: Korean, open: "※ 아래 정보를 확인해 주세요\n", field: ["○ ", "：", ""], joint: "\n", close: "", breaks: "" },
    Format { name: "form", names: Korean, open: "", field: ["[", "] ", ""], joint: " ", close: "", breaks: "" },
    Format { name: "form", names: English, open: "", field: ["", " ..... ", ""], joint: "\n", close: "", breaks: "" },
    Format { name: "form", names: English, open: "> ", field: ["", ": ", ""], joint: "\n> ", close: "", breaks: "" },
    Format { name: "xml", names: Snake, open: "<record>\n", field: ["  <field name=\"", "\">", "</field>"], joint: "\n", close: "\n</record>", breaks: "\"<&" },
    Format { name: "query", names: Snake, open: "GET /submit?", field: ["", "=", ""], joint: "&", close: " HTTP/1.1", breaks: " &+#%=\"'\n/" },
    Format { name: "terraform", names: Snake, open: "resource \"x\" \"y\" {\n", field: ["  ", " = \"", "\""], joint: "\n", close: "\n}", breaks: "\"\\" },
    Format { name: "go", names: Camel, open: "User{", field: ["", ": \"", "\""], joint: ", ", close: "}", breaks: "\"\\" },
    Format { name: "multipart", names: Snake, open: "--x\r\n", field: ["Content-Disposition: form-data; name=\"", "\"\r\n\r\n", ""], joint: "\r\n--x\r\n", close: "\r\n--x--", breaks: "" },
    Format { name: "html", names: English, open: "<table>", field: ["<tr><th>", "</th><td>", "</td></tr>"], joint: "", close: "</table>", breaks: "\"'" },
    Format { name: "html", names: Korean, open: "<ul>\n", field: ["<li><b>", "</b>: ", "</li>"], joint: "\n", close: "\n</ul>", breaks: "\"'" },
];

fn name(field: &Field, names: Names) -> String {
    match names {
        Snake => field.key.to_owned(),
        Loud => field.key.to_uppercase(),
        Korean => field.korean.to_owned(),
        English => field.english.to_owned(),
        Camel => {
            let mut parts = field.key.split('_');
            let first = parts.next().unwrap_or_default().to_owned();
            parts.fold(first, |name, part| {
                let (head, rest) = part.split_at_checked(1).unwrap_or_default();
                name + &head.to_uppercase() + rest
            })
        }
    }
}

fn value(rng: &mut Rng, field: &Field) -> Made {
    slots::fill(rng, field.slot).unwrap_or_else(|| Made::plain(""))
}

/// In one of the formats of a record: `korean` decides what labels are in.
pub fn record(rng: &mut Rng, fields: &[&Field], korean: bool) -> (&'static str, Vec<Made>) {
    let unfit = if korean { English } else { Korean };
    let fit: Vec<&Format> = FORMATS.iter().filter(|format| format.names != unfit).collect();
    let Some(format) = fit.get(rng.below(fit.len())) else { return ("", Vec::new()) };
    let [before, between, behind] = format.field;
    let mut pieces = vec![Made::plain(format.open)];
    for (place, field) in fields.iter().enumerate() {
        let joint = if place == 0 { "" } else { format.joint };
        pieces.push(Made::plain(format!("{joint}{before}{}{between}", name(field, format.names))));
        let made = value(rng, field);
        let breaks = made.text.contains(|sign| format.breaks.contains(sign));
        pieces.push(if breaks { Made::plain("") } else { made });
        pieces.push(Made::plain(behind));
    }
    pieces.push(Made::plain(format.close));
    (format.name, pieces)
}

/// Several rows of the same fields.
pub fn table(rng: &mut Rng, fields: &[&Field], korean: bool) -> (&'static str, Vec<Made>) {
    let (kind, open, joint, close) = rng.pick(&[
        ("csv", "", ",", ""),
        ("csv", "", ", ", ""),
        ("csv quoted", "\"", "\",\"", "\""),
        ("tsv", "", "\t", ""),
        ("semicolons", "", ";", ""),
        ("markdown", "| ", " | ", " |"),
        ("sql", "(", ", ", ")"),
    ]);
    let labels = |names| fields.iter().map(|field| name(field, names)).collect::<Vec<_>>();
    let names = if korean && kind != "sql" { Korean } else { Snake };
    let head = format!("{open}{}{close}", labels(names).join(joint));
    let mut pieces = vec![Made::plain(match kind {
        "markdown" => format!("{head}\n|{}", "---|".repeat(fields.len())),
        "sql" => format!("INSERT INTO customers {head} VALUES"),
        _ => head,
    })];
    let quote = if kind == "sql" { "'" } else { "" };
    for row in 0..rng.within(1..=3) {
        let end = if kind == "sql" && row > 0 { ",\n" } else { "\n" };
        pieces.push(Made::plain(format!("{end}{open}")));
        for (place, field) in fields.iter().enumerate() {
            let joint = if place == 0 { "" } else { joint };
            pieces.push(Made::plain(format!("{joint}{quote}")));
            pieces.push(cell(rng, field, kind));
            pieces.push(Made::plain(quote));
        }
        pieces.push(Made::plain(close));
    }
    (kind, pieces)
}

/// What would need quotes in a table has none of it.
fn cell(rng: &mut Rng, field: &Field, kind: &str) -> Made {
    let breaks = |text: &str| {
        text.contains(['\n', '\'', '"', '|', ';'])
            || matches!(kind, "csv" | "sql" | "csv quoted") && text.contains(',')
    };
    for _ in 0..8 {
        let made = value(rng, field);
        if !breaks(&made.text) {
            return made;
        }
    }
    Made::plain("-")
}
