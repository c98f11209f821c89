//! What the old files say, one setting at a time, before anything is decided.

use super::Note;
use super::markdown::plain;
use crate::ids::NAME_ID_BYTES_MAX;
use crate::text;

// Limit: what a key or name says, it says at its beginning.
const KEY_CHARS_MAX: usize = 200;
// Limit: as many values as a gate may hold.
const FACTS_MAX: usize = 10_000;

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Setting {
    Name,
    Goal,
    Cadence,
    Level,
    Timezone,
    /// Paths that may be changed.
    Allow,
    /// Paths that could be changed and merged without a person.
    MergeAlone,
    /// Paths that must not be touched.
    Deny,
    /// What people decide about, in words.
    People,
    /// Paths whose change is for a person.
    PersonPaths,
    /// Labels of items that are for a person.
    PersonLabels,
    MaxFiles,
    MaxLines,
    RunsPerDay,
    TokensPerDay,
    TokensPerRun,
    MoneyPerDay,
    MoneyPerRun,
    Attempts,
}

/// One setting as a file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) setting: Setting,
    pub(super) text: String,
    pub(super) at: Place,
    /// The loop it belongs to, as [`slug`]; none when it is about all.
    pub(super) of: Option<String>,
}

/// A file and a line of it, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) line: usize,
}

/// Facts and notes of one file, as a reader finds them.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) file: String,
    pub(super) facts: Vec<Fact>,
    /// Each with the loop it is about, as [`slug`]; none for all.
    pub(super) notes: Vec<(Option<String>, Note)>,
    is_full: bool,
}

impl Findings {
    pub(super) fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn fact(&mut self, setting: Setting, text: &str, line: usize, of: Option<&str>) {
        let fact = Fact {
            setting,
            text: text.trim().to_owned(),
            at: self.place(line),
            of: of.map(str::to_owned),
        };
        if fact.text.is_empty() {
            return;
        }
        if self.facts.len() < FACTS_MAX {
            self.facts.push(fact);
        } else if !self.is_full {
            self.is_full = true;
            self.left(line, "the rest of the file", "too many settings");
        }
    }

    pub(super) fn left(&mut self, line: usize, what: &str, why: impl Into<String>) {
        self.left_of(None, line, what, why);
    }

    pub(super) fn left_of(
        &mut self,
        of: Option<&str>,
        line: usize,
        what: &str,
        why: impl Into<String>,
    ) {
        let note = Note::left(&self.place(line), what, why);
        self.notes.push((of.map(str::to_owned), note));
    }

    pub(super) fn weak(&mut self, line: usize, what: &str, why: impl Into<String>) {
        self.notes
            .push((None, Note::weak(&self.place(line), what, why)));
    }

    fn place(&self, line: usize) -> Place {
        Place {
            file: self.file.clone(),
            line,
        }
    }
}

/// The setting that a key, heading or column is about.
pub(super) fn setting_of(key: &str) -> Option<Setting> {
    let key = normalised(key);
    let has = |words: &[&str]| {
        words
            .iter()
            .any(|word| key.split(' ').any(|own| own == *word))
    };
    let (daily, each) = (has(&["day", "daily"]), has(&["run", "beat", "iteration"]));
    let money = has(&["cost", "costs", "spend", "usd", "eur", "money", "dollars"]);
    let bounded = has(&["max", "maximum", "limit", "cap", "maxfiles", "maxlines"]);
    Some(match key.as_str() {
        "goal" | "goals" | "objective" | "purpose" | "mission" => Setting::Goal,
        "cadence" | "schedule" | "interval" | "frequency" | "cron" | "every" => Setting::Cadence,
        "level" | "status" | "phase" | "autonomy" | "loop level" | "autonomy level" => {
            Setting::Level
        }
        "timezone" | "time zone" | "tz" => Setting::Timezone,
        "name" | "loop" | "pattern" | "loop name" | "id" => Setting::Name,
        "labels" | "escalate labels" | "human labels" => Setting::PersonLabels,
        "escalate paths" | "escalation paths" | "human paths" => Setting::PersonPaths,
        "human gates" | "human gate" | "escalation" | "escalate" | "escalate to" => Setting::People,
        _ if has(&["token", "tokens"]) && daily => Setting::TokensPerDay,
        _ if has(&["token", "tokens"]) && each => Setting::TokensPerRun,
        _ if money && daily => Setting::MoneyPerDay,
        _ if money && each => Setting::MoneyPerRun,
        _ if has(&["run", "runs", "beats"]) && daily => Setting::RunsPerDay,
        _ if has(&["attempts", "attempt", "retries", "iterations"]) && !has(&["repeat"]) => {
            Setting::Attempts
        }
        _ if has(&["file", "files", "maxfiles"]) && bounded => Setting::MaxFiles,
        _ if has(&["line", "lines", "maxlines"]) && bounded => Setting::MaxLines,
        _ if is_merge(&key) => Setting::MergeAlone,
        _ if is_deny(&key) => Setting::Deny,
        _ if is_allow(&key) => Setting::Allow,
        _ => return None,
    })
}

fn is_merge(key: &str) -> bool {
    key.contains("merge") && key.contains("allow")
}

fn is_deny(key: &str) -> bool {
    [
        "deny",
        "denied",
        "denylist",
        "forbidden",
        "off limits",
        "protected",
        "never edit",
        "never touch",
        "blocked paths",
        "do not touch",
    ]
    .iter()
    .any(|word| key == *word || key.split_once(' ').is_some_and(|_| key.contains(word)))
}

fn is_allow(key: &str) -> bool {
    [
        "allow",
        "allowed",
        "allowlist",
        "allowed paths",
        "paths allowed",
        "writable",
        "writable paths",
        "write paths",
        "editable paths",
        "may edit",
        "in scope",
    ]
    .contains(&key)
        || key.starts_with("allowed ") && key.contains("path")
        || key.starts_with("paths ") && key.contains("may")
}

/// Lower-case words with one space between them; `maxFiles` and `max_files` are two words.
pub(super) fn normalised(key: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for c in plain(&text::cut(key, KEY_CHARS_MAX)).chars() {
        if c.is_uppercase() && before.is_lowercase() || !c.is_alphanumeric() {
            out.push(' ');
        }
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        }
        before = c;
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A name fit for a loop: lower-case letters, digits and dashes, without what stands in brackets; empty when nothing is left.
pub(super) fn slug(name: &str) -> String {
    let name = plain(&text::cut(name, KEY_CHARS_MAX));
    let head = name.split(['(', '[', '—']).next().unwrap_or_default();
    let mut out = String::new();
    for c in head.chars() {
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9') => out.push(c),
            _ if out.ends_with('-') || out.is_empty() => {}
            _ => out.push('-'),
        }
        if out.len() >= NAME_ID_BYTES_MAX {
            break;
        }
    }
    out.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        use Setting::*;
        for (key, expect) in [
            ("Max runs/day", Some(RunsPerDay)),
            ("Runs per day", Some(RunsPerDay)),
            ("Max tokens/day", Some(TokensPerDay)),
            ("Tokens/run", Some(TokensPerRun)),
            ("Max cost per day (USD)", Some(MoneyPerDay)),
            ("Max fix attempts per failure", Some(Attempts)),
            ("Max iterations", Some(Attempts)),
            ("Max files changed per fix", Some(MaxFiles)),
            ("maxFiles", Some(MaxFiles)),
            ("max_lines", Some(MaxLines)),
            ("**Cadence**", Some(Cadence)),
            ("Allowed Paths", Some(Allow)),
            ("Path denylist", Some(Deny)),
            ("Denied paths", Some(Deny)),
            ("Human Gates", Some(People)),
            ("Auto-merge allowlist", Some(MergeAlone)),
            ("Status", Some(Level)),
            ("Max sub-agent spawns/run", None),
            ("Verification", None),
            ("Kill switch", None),
            ("", None),
        ] {
            assert_eq!(setting_of(key), expect, "{key}");
        }
    }

    #[test]
    fn slugs() {
        for (name, expect) in [
            ("Daily Triage", "daily-triage"),
            ("CI Sweeper (fix-capable)", "ci-sweeper"),
            ("`test-failure-triage`", "test-failure-triage"),
            ("**PR** / Babysitter!", "pr-babysitter"),
            ("每日", ""),
            ("--x--", "x"),
        ] {
            assert_eq!(slug(name), expect, "{name}");
        }
        assert!(slug(&"x ".repeat(200)).len() <= NAME_ID_BYTES_MAX);
    }
}
