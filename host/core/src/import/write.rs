//! A draft as the text of a loop file.
//!
//! **Invariant:** whatever the draft holds, the text is a loop file without errors: foreign words stand in quoted TOML
//! strings of one line, in comments of one line, or behind the front matter.

use std::fmt::Write as _;

use super::amount::Cadence;
use super::draft::Draft;
use super::{Note, Source};
use crate::ids::LoopId;
use crate::spec::Level;
use crate::text;

/// The text, and what of the draft this version of the loop file has no key for.
pub(super) fn loop_file(
    draft: &Draft,
    id: &LoopId,
    sources: &[Source],
    notes: &mut Vec<Note>,
) -> String {
    let mut out = Writer::default();
    out.head(sources);
    out.line(&format!("loop  = {}", quoted(id.as_str())));
    out.line(&format!("level = \"{}\"", draft.level.unwrap_or(Level::L1)));
    out.cadence(draft, notes);
    out.paths(draft, notes);
    out.steps(draft, notes);
    out.budget(draft, notes);
    out.escalate(draft);
    out.line("+++");
    out.prose(draft, id);
    out.text
}

// What a terminal shows on a line.
const COLUMNS: usize = 80;

#[derive(Default)]
struct Writer {
    text: String,
}

impl Writer {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A remark, broken before column 80.
    fn remark(&mut self, text: &str) {
        self.broken("# ", "# ", text);
    }

    /// Running text behind `first`, broken before column 80; its other lines stand behind `next`.
    fn broken(&mut self, first: &str, next: &str, text: &str) {
        let mut line = first.to_owned();
        let mut is_empty = true;
        for word in comment(text).split(' ') {
            let wide = line.chars().count() + 1 + word.chars().count() > COLUMNS;
            if wide && !is_empty {
                self.line(line.trim_end());
                next.clone_into(&mut line);
            } else if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
            is_empty = false;
        }
        self.line(line.trim_end());
    }

    fn head(&mut self, sources: &[Source]) {
        let files: Vec<&str> = sources.iter().map(|source| source.name).collect();
        self.line("+++");
        self.remark(&format!(
            "Written by `ringfence import` from {}. Look through all of it; `ringfence check` shows what each step may do.",
            files.join(", ")
        ));
        self.line("");
    }

    fn cadence(&mut self, draft: &Draft, notes: &mut Vec<Note>) {
        let (key, value) = match &draft.cadence {
            None => {
                let why = "no file says how often the loop runs, so it keeps its default";
                return notes.push(Note::todo("cadence", why));
            }
            Some(Cadence::Every(every)) => ("every", every.to_string()),
            Some(Cadence::Cron(cron)) => ("cron", cron.to_string()),
        };
        self.line("");
        self.line("[cadence]");
        self.line(&format!("{key} = {}", quoted(&value)));
    }

    fn paths(&mut self, draft: &Draft, notes: &mut Vec<Note>) {
        self.line("");
        self.remark("Globs from the top of the repository. `deny` wins, and hides a path from reading, too: what steps should see and not change goes into [escalate] instead.");
        self.line("[paths]");
        self.line("read  = [\"**\"]");
        if draft.write.is_empty() {
            notes.push(Note::todo(
                "paths.write",
                "no file says what may be changed, so nothing may be",
            ));
            self.line("# Fill in: what executors may write. Nothing, until you say so.");
        }
        self.list("write", &draft.write);
        if draft.deny.is_empty() {
            notes.push(Note::todo(
                "paths.deny",
                "no file denies anything; a loop at L3 needs a list",
            ));
        }
        self.list("deny", &draft.deny);
    }

    fn list(&mut self, key: &str, values: &[String]) {
        match values {
            [] => self.line(&format!("{key} = []")),
            [one] => self.line(&format!("{key} = [{}]", quoted(one))),
            many => {
                self.line(&format!("{key} = ["));
                for value in many {
                    self.line(&format!("    {},", quoted(value)));
                }
                self.line("]");
            }
        }
    }

    fn steps(&mut self, draft: &Draft, notes: &mut Vec<Note>) {
        notes.push(Note::todo(
            "sensor, decider, executor",
            "the old loop was a prompt; here components do the work, and those that repair Markdown links stand in",
        ));
        self.line("");
        self.line("# Fill in: components do the work here, not a prompt. Until you name your own,");
        self.line("# those that repair Markdown links stand in for them.");
        self.line("[[sensor]]\nplugin = \"std:md-links\"\n");
        self.line("[decider]\nplugin = \"std:first-fixable\"\n");
        self.line("[[executor]]\nplugin = \"std:md-link-fix\"\n");
        self.line("[[gate]]\nplugin = \"std:md-links\"\n");
        self.line("[[gate]]\nplugin = \"std:diff-size\"");
        let bounds = [
            ("max_files", draft.max_files),
            ("max_lines", draft.max_lines),
        ];
        let bounds: Vec<String> = bounds
            .into_iter()
            .filter_map(|(key, bound)| bound.map(|bound| format!("{key} = {bound}")))
            .collect();
        if !bounds.is_empty() {
            self.line(&format!("config = {{ {} }}", bounds.join(", ")));
        }
    }

    fn budget(&mut self, draft: &Draft, notes: &mut Vec<Note>) {
        self.line("");
        self.line("# What does not stand here has a default, which `ringfence check` shows.");
        self.line("[budget]");
        if let Some(beats) = draft.beats_per_day {
            self.line(&format!("beats_per_day     = {beats}"));
        }
        if let Some(attempts) = draft.attempts_per_item {
            self.line(&format!("attempts_per_item = {attempts}"));
        }
        if let Some(timezone) = &draft.timezone {
            self.line(&format!("timezone = {}", quoted(timezone)));
        }
        let counts = [
            ("tokens_per_beat", draft.tokens_per_beat),
            ("tokens_per_day", draft.tokens_per_day),
        ];
        let sums = [
            ("money_per_beat", draft.money_per_beat),
            ("money_per_day", draft.money_per_day),
        ];
        let counts = counts
            .into_iter()
            .filter_map(|(key, tokens)| Some((key, tokens?.to_string(), "tokens")));
        let sums = sums.into_iter().filter_map(|(key, sum)| {
            let (micros, unit) = sum?;
            Some((key, format!("\"{}\"", decimal(micros)), unit))
        });
        for (key, amount, unit) in counts.chain(sums) {
            notes.push(Note::todo(
                key,
                format!("it was {amount} {unit}: set it once your decider says what it costs"),
            ));
            self.remark(&format!(
                "{key} = {amount} # {unit}: once your decider says what it costs"
            ));
        }
    }

    fn escalate(&mut self, draft: &Draft) {
        if draft.person_paths.is_empty() && draft.person_labels.is_empty() {
            return;
        }
        self.line("");
        self.remark(
            "A change of these paths, or an item with one of these labels, is left to a person.",
        );
        self.line("[escalate]");
        if !draft.person_paths.is_empty() {
            self.list("paths", &draft.person_paths);
        }
        if !draft.person_labels.is_empty() {
            self.list("labels", &draft.person_labels);
        }
    }

    fn prose(&mut self, draft: &Draft, id: &LoopId) {
        let title = draft.name.as_deref().unwrap_or(id.as_str());
        self.line(&format!("\n# {}", comment(title)));
        if let Some(goal) = &draft.goal {
            self.line("");
            self.broken("", "", goal);
        }
        if !draft.people.is_empty() {
            self.line("\n## What people decide\n\nFrom the old files, in their words, which enforce nothing. What is enforced\nstands in the front matter.\n");
            for line in &draft.people {
                self.broken("- ", "  ", line);
            }
        }
    }
}

/// Millionths as a decimal number.
pub(super) fn decimal(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A text as a basic string of TOML, on one line.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if is_unseen(c) => {
                // Writing to a string cannot fail.
                write!(out, "\\U{:08X}", u32::from(c)).unwrap_or_default();
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A text on one line without anything that an editor or a terminal would act upon.
fn comment(text: &str) -> String {
    let seen: String = text
        .chars()
        .map(|c| if is_unseen(c) { ' ' } else { c })
        .collect();
    text::one_line(&seen, 4_000)
}

/// True for controls, marks of direction, and what cannot be seen.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c), 0xAD | 0x61C | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF | 0xE0000..=0xE0FFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_stay_on_their_line() {
        assert_eq!(
            quoted("a\"b\\c\n\u{202e}"),
            r#""a\"b\\c\U0000000A\U0000202E""#
        );
        assert_eq!(comment("a\n+++\u{1b}[31m b"), "a +++ [31m b");
        assert_eq!(
            [decimal(5_000_000), decimal(50_000), decimal(1)],
            ["5", "0.05", "0.000001"]
        );
    }

    proptest::proptest! {
        #[test]
        fn a_quoted_text_reads_back(text: String) {
            let read: toml::Table = format!("x = {}", quoted(&text)).parse().unwrap();
            proptest::prop_assert_eq!(read.get("x").and_then(toml::Value::as_str), Some(text.as_str()));
        }
    }
}
