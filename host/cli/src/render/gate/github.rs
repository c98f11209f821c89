//! What counts, as workflow commands of GitHub, which shows them beside the lines of a pull request; and the gates as lines
//! of the step's log.
//!
//! GitHub shows ten errors, ten warnings and ten notices of a step and drops the others without a word. What is over that
//! is said here, and stands in the log.
//!
//! **Invariant:** no line begins with a command but those that are made here, and none of these can be ended or given
//! another property by what stands in it.

use ringfence_core::gating::Report;
use ringfence_core::verdict::Severity;

use super::items::{self, Item, Kind, plain};
use super::said::said;
use super::text::{cost, counted, ran_line, spent, why};
use crate::render::text::{Text, text};

// Limit: GitHub's own, for each kind and step.
const ANNOTATIONS_MAX: usize = 10;
// Limit: a log that a person scrolls through; the JSON has all of it.
const LINES_MAX: usize = 200;
const LINE_CHARS_MAX: usize = 300;

/// The lines.
pub(super) fn write(report: &Report) -> String {
    let items = items::all(report);
    let mut out = Lines(String::new());
    let word = items::outcome(report.outcome).0;
    out.group(text!["ringfence gate: ", word, ": ", why(report)]);
    for gate in &report.gates {
        let word = items::standing(gate.standing).0;
        out.line(text![
            word,
            " ",
            &gate.gate,
            ": ",
            items::summary(gate),
            " (",
            cost(gate),
            ")"
        ]);
    }
    for command in &report.commands {
        out.line(text!["command ", ran_line(command)]);
    }
    out.line(text![counted(&items), "; ", spent(report)]);
    out.end_group();
    for command in &report.commands {
        for said in said(report, command, LINE_CHARS_MAX) {
            out.group(text!["command ", &command.command, ": ", said.title]);
            for line in said.lines {
                out.line(text!["| ", line]);
            }
            out.end_group();
        }
    }
    let mut rest: Vec<&Item> = Vec::new();
    for (severity, command) in [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Note, "notice"),
    ] {
        let counting = |item: &&Item| item.counts() && item.severity == severity;
        let mut some: Vec<&Item> = items.iter().filter(counting).collect();
        some.sort_by_key(|item| !matches!(item.kind, Kind::Broken));
        rest.extend(annotate(&mut out, command, &some));
    }
    if !rest.is_empty() {
        out.group(text!["ringfence gate: what is not annotated"]);
        for item in rest.iter().take(LINES_MAX) {
            out.line(item.line());
        }
        if rest.len() > LINES_MAX {
            out.line(text!["… ", rest.len() - LINES_MAX, " more"]);
        }
        out.end_group();
    }
    out.0
}

/// Annotates what GitHub shows, and gives the rest back.
fn annotate<'a>(
    out: &mut Lines,
    command: &'static str,
    items: &[&'a Item<'a>],
) -> Vec<&'a Item<'a>> {
    if items.len() <= ANNOTATIONS_MAX {
        for item in items {
            out.annotation(command, item);
        }
        return Vec::new();
    }
    let (shown, rest) = items.split_at(ANNOTATIONS_MAX - 1);
    for item in shown {
        out.annotation(command, item);
    }
    let more = text![rest.len(), " more, listed in the log of this step"];
    out.command(command, &[("title", "ringfence gate".into())], more);
    rest.to_vec()
}

/// Lines of a log.
struct Lines(String);

impl Lines {
    /// A line of our own, which begins with a word of ours.
    fn line(&mut self, text: Text) {
        self.0 += &plain(&text);
        self.0.push('\n');
    }

    fn group(&mut self, title: Text) {
        self.command("group", &[], title);
    }

    fn end_group(&mut self) {
        self.command("endgroup", &[], Text::new());
    }

    fn annotation(&mut self, command: &'static str, item: &Item) {
        let places = item.places();
        let mut properties = Vec::new();
        if let Some(place) = places.first() {
            properties.push(("file", Text::from(&place.path)));
            if place.line > 0 {
                properties.push(("line", place.line.into()));
            }
            if place.column > 0 {
                properties.push(("col", place.column.into()));
            }
        }
        properties.push(("title", item.code()));
        let also = places.get(1..).unwrap_or_default();
        self.command(command, &properties, item.said(also));
    }

    fn command(&mut self, command: &'static str, properties: &[(&'static str, Text)], data: Text) {
        self.0 += "::";
        self.0 += command;
        for (index, (name, value)) in properties.iter().enumerate() {
            self.0.push(if index == 0 { ' ' } else { ',' });
            self.0 += name;
            self.0.push('=');
            escape(&mut self.0, &plain(value), true);
        }
        self.0 += "::";
        escape(&mut self.0, &plain(&data), false);
        self.0.push('\n');
    }
}

/// Escapes what a command reads as its own: more of it in a property than in the data.
fn escape(out: &mut String, text: &str, property: bool) {
    for c in text.chars() {
        match c {
            '%' => *out += "%25",
            '\r' => *out += "%0D",
            '\n' => *out += "%0A",
            ':' if property => *out += "%3A",
            ',' if property => *out += "%2C",
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_escaped() {
        let mut lines = Lines(String::new());
        let text = || Text::from("a,b: 5%\r\n::x");
        lines.command("error", &[("file", text()), ("title", text())], text());
        assert_eq!(
            lines.0,
            "::error file=a%2Cb%3A 5%25%0D%0A%3A%3Ax,title=a%2Cb%3A 5%25%0D%0A%3A%3Ax::a,b: 5%25%0D%0A::x\n"
        );
    }
}
