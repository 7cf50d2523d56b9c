//! Scores as tables in Markdown.

use std::fmt::Write;

use masking::PiiType;

use crate::score::{Scores, ratio};
use crate::tricks::Trick;

/// All that was measured.
pub struct Report {
    pub seed: u64,
    pub texts: usize,
    pub plain: Scores,
    pub tricked: Scores,
    /// Texts with values by trick: leaking, all.
    pub tricks: Vec<(Trick, [usize; 2])>,
    pub speed: Speed,
}

/// MB/s of one thread.
pub struct Speed {
    /// Over texts with values.
    pub telling: f64,
    /// Over texts without, full of look-alikes.
    pub silent: f64,
    /// Over sentences with few digits.
    pub prose: f64,
}

fn percent([part, of]: [usize; 2]) -> String {
    if of == 0 { "-".to_owned() } else { format!("{:.1}", ratio(part, of) * 100.0) }
}

impl Report {
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        self.summary(&mut out);
        self.types(&mut out);
        tricks(&mut out, &self.tricks);
        look_alikes(&mut out, &self.plain);
        confused_types(&mut out, &self.plain);
        out
    }

    /// Also what only those who sharpen a detector want to know.
    pub fn details(&self) -> String {
        let mut out = String::new();
        kinds(&mut out, "plain", &self.plain);
        kinds(&mut out, "tricks", &self.tricked);
        genres(&mut out, &self.plain);
        out
    }

    fn summary(&self, out: &mut String) {
        let values: usize = self.plain.kinds.values().map(|[_, all]| all).sum();
        let [_, look_alikes] = self.plain.look_alikes_hit();
        let _ = writeln!(
            out,
            "{} texts of seed {}: {values} values in {} of them, {look_alikes} look-alikes.\n",
            self.texts, self.seed, self.plain.leaking[1]
        );
        out.push_str("| | leaking % | precision | recall | F1 | altered % | look-alikes hit % |\n");
        out.push_str("| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
        overall(out, "plain", &self.plain);
        overall(out, "with a trick", &self.tricked);
        let Speed { telling, silent, prose } = self.speed;
        let _ = writeln!(
            out,
            "\nOne thread: {telling:.1} MB/s on texts with values, {silent:.1} MB/s on look-alikes, \
             {prose:.1} MB/s on prose.\n"
        );
    }

    fn types(&self, out: &mut String) {
        out.push_str("| type | values | precision | recall | F1 | F1 with a trick |\n");
        out.push_str("| --- | ---: | ---: | ---: | ---: | ---: |\n");
        for (of, tally) in &self.plain.types {
            let tricked = self.tricked.types.get(of).copied().unwrap_or_default();
            let _ = writeln!(
                out,
                "| {} | {} | {:.3} | {:.3} | {:.3} | {:.3} |",
                of.as_str(),
                tally.right + tally.missed,
                tally.precision(),
                tally.recall(),
                tally.f1(),
                tricked.f1()
            );
        }
        out.push('\n');
    }
}

/// Leaking: of the texts with values; altered: of those without.
fn overall(out: &mut String, name: &str, scores: &Scores) {
    let all = scores.all();
    let [hit, of] = scores.look_alikes_hit();
    let _ = writeln!(
        out,
        "| {name} | {} | {:.4} | {:.4} | {:.4} | {} | {:.2} |",
        percent(scores.leaking),
        all.precision(),
        all.recall(),
        all.f1(),
        percent(scores.altered),
        ratio(hit, of) * 100.0,
    );
}

fn tricks(out: &mut String, tricks: &[(Trick, [usize; 2])]) {
    out.push_str("| trick | texts | that leak % |\n| --- | ---: | ---: |\n");
    for (trick, pair) in tricks {
        let _ = writeln!(out, "| {} | {} | {} |", trick.name(), pair[1], percent(*pair));
    }
    out.push('\n');
}

fn look_alikes(out: &mut String, scores: &Scores) {
    out.push_str("| look-alike | texts have | hit % | taken for |\n| --- | ---: | ---: | --- |\n");
    for (kind, pair) in &scores.look_alikes {
        let taken = scores.confusion.iter().filter(|((of, _), _)| of == kind);
        let taken: Vec<String> =
            taken.map(|((_, of), count)| format!("{} {count}", of.as_str())).collect();
        let _ =
            writeln!(out, "| {kind} | {} | {} | {} |", pair[1], percent(*pair), taken.join(", "));
    }
    out.push('\n');
}

fn confused_types(out: &mut String, scores: &Scores) {
    if scores.taken.is_empty() {
        return;
    }
    out.push_str("| value of | taken for | times |\n| --- | --- | ---: |\n");
    for ((of, taken), count) in &scores.taken {
        let _ = writeln!(out, "| {} | {} | {count} |", of.as_str(), taken.as_str());
    }
    out.push('\n');
}

/// The kinds of values that fare worst.
fn kinds(out: &mut String, name: &str, scores: &Scores) {
    let mut worst: Vec<_> = scores.kinds.iter().filter(|(_, [bad, _])| *bad > 0).collect();
    worst.sort_by_key(|(_, [bad, _])| std::cmp::Reverse(*bad));
    let _ = writeln!(out, "| {name}: kind | not right | of |\n| --- | ---: | ---: |");
    for ((of, kind), [bad, all]) in worst.into_iter().take(60) {
        let _ = writeln!(out, "| {} {kind} | {bad} | {all} |", of.as_str());
    }
    out.push('\n');
}

fn genres(out: &mut String, scores: &Scores) {
    out.push_str("| genre | texts | that leak % |\n| --- | ---: | ---: |\n");
    for (genre, pair) in &scores.genres {
        let _ = writeln!(out, "| {genre} | {} | {} |", pair[1], percent(*pair));
    }
    out.push('\n');
}

/// A type by its name in any case.
pub fn type_of(name: &str) -> Option<PiiType> {
    PiiType::ALL.iter().copied().find(|of| of.as_str().eq_ignore_ascii_case(name))
}
