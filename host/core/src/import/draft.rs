//! One loop out of all that was found: which of several values counts, and what becomes of it.
//!
//! **Invariant:** where files differ, the stricter value is taken and the other one said. A limit that was not written is
//! not made up.

use super::Note;
use super::amount::{self, Cadence};
use super::fact::{Fact, Setting, slug};
use super::glob::{Purpose, translate};
use super::markdown::plain;
use super::write::decimal;
use crate::diagnostic::quote;
use crate::ids::LoopId;
use crate::spec::Level;
use crate::text;

// Limit: a loop file takes 256 patterns in a list.
const PATTERNS_MAX: usize = 250;
// Limit: words that are looked at for one list.
const TRIES_MAX: usize = 2_000;
// Limit: a page of prose; the rest is in the old file.
const GOAL_CHARS_MAX: usize = 2_000;
const PEOPLE_MAX: usize = 30;
const PEOPLE_CHARS_MAX: usize = 300;
// Limit: what the loop file takes.
const BEATS_PER_DAY_MAX: u64 = 86_400;
const ATTEMPTS_MAX: u64 = 100;
const FILES_MAX: u64 = 10_000;
const LINES_MAX: u64 = 1_000_000;

/// What a loop file is made of.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) name: Option<String>,
    pub(super) level: Option<Level>,
    pub(super) cadence: Option<Cadence>,
    pub(super) timezone: Option<String>,
    pub(super) write: Vec<String>,
    pub(super) deny: Vec<String>,
    pub(super) person_paths: Vec<String>,
    pub(super) person_labels: Vec<String>,
    pub(super) max_files: Option<u64>,
    pub(super) max_lines: Option<u64>,
    pub(super) beats_per_day: Option<u64>,
    pub(super) tokens_per_day: Option<u64>,
    pub(super) tokens_per_beat: Option<u64>,
    pub(super) money_per_day: Option<(u64, &'static str)>,
    pub(super) money_per_beat: Option<(u64, &'static str)>,
    pub(super) attempts_per_item: Option<u64>,
    pub(super) goal: Option<String>,
    pub(super) people: Vec<String>,
}

/// The loops that the facts tell of, in their order, and which one is meant.
pub(super) fn choose(facts: &[Fact], wanted: Option<&LoopId>) -> (Vec<String>, LoopId) {
    let mut loops: Vec<String> = Vec::new();
    for fact in facts.iter().filter(|fact| fact.setting == Setting::Name) {
        if let Some(of) = fact.of.clone().filter(|of| !loops.contains(of)) {
            loops.push(of);
        }
    }
    let named = facts
        .iter()
        .filter(|fact| fact.setting == Setting::Name)
        .map(|fact| slug(&fact.text))
        .find(|name| !name.is_empty());
    let first = loops.first().cloned().or(named);
    let chosen = wanted
        .cloned()
        .or_else(|| first.and_then(|name| LoopId::new(&name).ok()))
        .or_else(|| LoopId::new("imported").ok());
    let Some(chosen) = chosen else {
        #[expect(clippy::unreachable, reason = "the name is written here")]
        {
            unreachable!("a name of letters")
        }
    };
    (loops, chosen)
}

/// The draft of the loop called `chosen`; facts of other loops are passed over.
pub(super) fn draft(facts: &[Fact], chosen: &LoopId, notes: &mut Vec<Note>) -> Draft {
    let mine: Vec<&Fact> = facts
        .iter()
        .filter(|fact| fact.of.as_deref().is_none_or(|of| of == chosen.as_str()))
        .collect();
    let mut picker = Picker { facts: mine, notes };
    let mut draft = Draft {
        name: picker.name(chosen),
        level: picker.level(),
        cadence: picker.cadence(),
        timezone: picker.timezone(),
        max_files: picker.least(Setting::MaxFiles, "max_files", FILES_MAX),
        max_lines: picker.least(Setting::MaxLines, "max_lines", LINES_MAX),
        beats_per_day: picker.least(Setting::RunsPerDay, "beats_per_day", BEATS_PER_DAY_MAX),
        tokens_per_day: picker.least(
            Setting::TokensPerDay,
            "as a comment: tokens_per_day",
            u64::MAX,
        ),
        tokens_per_beat: picker.least(
            Setting::TokensPerRun,
            "as a comment: tokens_per_beat",
            u64::MAX,
        ),
        attempts_per_item: picker.least(Setting::Attempts, "attempts_per_item", ATTEMPTS_MAX),
        money_per_day: picker.money(Setting::MoneyPerDay, "as a comment: money_per_day"),
        money_per_beat: picker.money(Setting::MoneyPerRun, "as a comment: money_per_beat"),
        goal: picker.goal(),
        people: picker.people(),
        ..Draft::default()
    };
    draft.deny = picker.paths(Setting::Deny, "paths.deny", Purpose::Deny);
    draft.write = picker.write();
    draft.person_paths = picker.paths(Setting::PersonPaths, "escalate.paths", Purpose::Allow);
    draft.person_labels = picker.labels();
    draft
}

struct Picker<'a> {
    facts: Vec<&'a Fact>,
    notes: &'a mut Vec<Note>,
}

impl<'a> Picker<'a> {
    fn all(&self, setting: Setting) -> Vec<&'a Fact> {
        let facts = self.facts.iter().copied();
        facts.filter(|fact| fact.setting == setting).collect()
    }

    fn took(&mut self, fact: &Fact, became: &str) {
        self.notes.push(Note::taken(&fact.at, &fact.text, became));
    }

    fn left(&mut self, fact: &Fact, why: impl Into<String>) {
        self.notes.push(Note::left(&fact.at, &fact.text, why));
    }

    fn name(&mut self, chosen: &LoopId) -> Option<String> {
        let names = self.all(Setting::Name);
        let fact = names
            .iter()
            .find(|fact| slug(&fact.text) == chosen.as_str())?;
        self.took(fact, &format!("loop = \"{chosen}\""));
        Some(text::one_line(&plain(&fact.text), 100))
    }

    fn level(&mut self) -> Option<Level> {
        let mut levels = Vec::new();
        for fact in self.all(Setting::Level) {
            let level = match fact.text.as_str() {
                text if text.contains("L1") => Level::L1,
                text if text.contains("L2") => Level::L2,
                text if text.contains("L3") => {
                    self.left(fact, "L3 is earned here, by drills and by changes that were accepted: it begins at L2");
                    Level::L2
                }
                _ => continue,
            };
            levels.push((fact, level));
        }
        self.smallest(levels, |level| format!("level = \"{level}\""))
    }

    /// The smallest of several values, which is the strictest; the others are said.
    fn smallest<T: Ord + Copy>(
        &mut self,
        values: Vec<(&Fact, T)>,
        shown: impl Fn(T) -> String,
    ) -> Option<T> {
        let least = values.iter().map(|(_, value)| *value).min()?;
        for (fact, value) in values {
            if value == least {
                self.took(fact, &shown(value));
            } else {
                self.left(fact, format!("stricter, and taken: {}", shown(least)));
            }
        }
        Some(least)
    }

    fn cadence(&mut self) -> Option<Cadence> {
        let mut found = None;
        for fact in self.all(Setting::Cadence) {
            match amount::cadence(&fact.text) {
                None => self.left(fact, "no interval and no cron line"),
                Some(cadence) if found.is_none() => {
                    let became = match &cadence {
                        Cadence::Every(every) => format!("cadence.every = \"{every}\""),
                        Cadence::Cron(fields) => format!("cadence.cron = \"{fields}\""),
                    };
                    self.took(fact, &became);
                    found = Some(cadence);
                }
                Some(cadence) if found.as_ref() == Some(&cadence) => {}
                Some(_) => self.left(fact, "another cadence was taken"),
            }
        }
        found
    }

    fn timezone(&mut self) -> Option<String> {
        for fact in self.all(Setting::Timezone) {
            let name = plain(&fact.text);
            if crate::spec::is_timezone_name(&name) {
                self.took(fact, &format!("budget.timezone = {name:?}"));
                return Some(name);
            }
            self.left(fact, "no name of the IANA database");
        }
        None
    }

    /// The smallest of all numbers: a limit never grows by being imported.
    fn least(&mut self, setting: Setting, key: &str, max: u64) -> Option<u64> {
        let mut numbers = Vec::new();
        for fact in self.all(setting) {
            match amount::count(&fact.text) {
                None => self.left(fact, "no number above zero; nothing here means «unlimited»"),
                Some(number) if number > max => {
                    self.left(
                        fact,
                        format!("more than {max}, the most that `{key}` takes"),
                    );
                }
                Some(number) => numbers.push((fact, number)),
            }
        }
        self.smallest(numbers, |number| format!("{key} = {number}"))
    }

    fn money(&mut self, setting: Setting, key: &str) -> Option<(u64, &'static str)> {
        let mut sums = Vec::new();
        let mut currency = None;
        for fact in self.all(setting) {
            match amount::money(&fact.text) {
                None => self.left(fact, "no amount with a currency"),
                Some((_, unit)) if *currency.get_or_insert(unit) != unit => {
                    self.left(fact, "another currency was taken");
                }
                Some((micros, _)) => sums.push((fact, micros)),
            }
        }
        let least = self.smallest(sums, |micros| format!("{key} = {}", decimal(micros)))?;
        currency.map(|unit| (least, unit))
    }

    fn goal(&mut self) -> Option<String> {
        let goals = self.all(Setting::Goal);
        let text: Vec<&str> = goals.iter().map(|fact| fact.text.as_str()).collect();
        for fact in &goals {
            self.took(fact, "the prose");
        }
        (!text.is_empty()).then(|| text::one_line(&text.join(" "), GOAL_CHARS_MAX))
    }

    fn people(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        for (index, fact) in self.all(Setting::People).into_iter().enumerate() {
            if index < PEOPLE_MAX {
                let enforced = [Setting::PersonPaths, Setting::MaxFiles]
                    .into_iter()
                    .flat_map(|setting| self.all(setting))
                    .any(|other| other.at == fact.at);
                self.took(
                    fact,
                    if enforced {
                        "the prose, besides what of it is enforced"
                    } else {
                        "the prose; words decide nothing"
                    },
                );
                lines.push(text::one_line(&fact.text, PEOPLE_CHARS_MAX));
            } else {
                self.left(fact, format!("only the first {PEOPLE_MAX} are kept"));
            }
        }
        lines
    }

    fn labels(&mut self) -> Vec<String> {
        let mut labels: Vec<String> = Vec::new();
        for fact in self.all(Setting::PersonLabels) {
            for label in words(&fact.text) {
                let fits =
                    !label.is_empty() && label.len() <= 64 && !label.chars().any(char::is_control);
                if fits && !labels.contains(&label) && labels.len() < PATTERNS_MAX {
                    self.took(fact, "escalate.labels");
                    labels.push(label);
                }
            }
        }
        labels
    }

    /// What may be changed: what a file says of that, else what could be merged alone.
    fn write(&mut self) -> Vec<String> {
        let allowed = self.paths(Setting::Allow, "paths.write", Purpose::Allow);
        if allowed.is_empty() {
            return self.paths(
                Setting::MergeAlone,
                "paths.write (merged alone there, all that may change here)",
                Purpose::Allow,
            );
        }
        for fact in self.all(Setting::MergeAlone) {
            self.left(
                fact,
                "nothing is merged alone here; `paths.write` comes from the allowed paths",
            );
        }
        allowed
    }

    fn paths(&mut self, setting: Setting, key: &str, purpose: Purpose) -> Vec<String> {
        let mut patterns: Vec<String> = Vec::new();
        let mut tries = 0;
        for fact in self.all(setting) {
            let words = if is_yaml(fact) {
                vec![fact.text.clone()]
            } else {
                path_words(&fact.text)
            };
            if words.is_empty() {
                self.left(fact, "no path in it");
            }
            for word in words {
                tries += 1;
                if patterns.len() >= PATTERNS_MAX || tries > TRIES_MAX {
                    let why = format!(
                        "a list takes {PATTERNS_MAX} patterns here, this and what follows is not in it: fold some into one"
                    );
                    self.notes.push(Note::missing(&fact.at, &word, why));
                    return patterns;
                }
                self.path(fact, &word, key, purpose, &mut patterns);
            }
        }
        patterns
    }

    fn path(
        &mut self,
        fact: &Fact,
        word: &str,
        key: &str,
        purpose: Purpose,
        patterns: &mut Vec<String>,
    ) {
        let found = translate(word, purpose);
        // A list in running text is not matched by anything, so there is nothing that it matches less than it seems to.
        if is_yaml(fact) {
            for why in &found.weak {
                self.notes.push(Note::weak(&fact.at, word, why.as_str()));
            }
        }
        if let Some(why) = &found.refused {
            let takes_back = word.trim().starts_with('!');
            let note = if purpose == Purpose::Deny && !takes_back {
                // A denial must not get lost.
                Note::missing(&fact.at, word, why.as_str())
            } else {
                Note::left(&fact.at, word, why.as_str())
            };
            self.notes.push(note);
            return;
        }
        for pattern in found.patterns {
            if patterns.contains(&pattern) {
                continue;
            }
            if patterns.len() >= PATTERNS_MAX {
                let why = "only a part of what it stands for still fits into the list";
                self.notes.push(Note::missing(&fact.at, word, why));
                return;
            }
            let note = Note::taken(&fact.at, word, &format!("{key}: {}", quote(&pattern)));
            self.notes.push(note);
            patterns.push(pattern);
        }
    }
}

/// One pattern as it stands, as opposed to words that may hold some.
fn is_yaml(fact: &Fact) -> bool {
    fact.at.file.ends_with(".yaml") || fact.at.file.ends_with(".yml")
}

/// The paths in a line of prose: what stands in backticks, else what looks like a path.
pub(super) fn path_words(text: &str) -> Vec<String> {
    let quoted: Vec<String> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| !word.trim().is_empty() && !word.trim().contains(char::is_whitespace))
        .map(str::to_owned)
        .collect();
    if !quoted.is_empty() {
        return quoted;
    }
    let alone = !text.contains(char::is_whitespace);
    text.split(|c: char| c == ',' || c == ';' || c.is_whitespace())
        .map(|word| word.trim_matches(|c: char| "()\"'".contains(c)))
        .map(|word| word.strip_suffix(['.', ':']).unwrap_or(word))
        .filter(|word| {
            alone || word.contains(['/', '*']) || word.starts_with('.') || is_file_name(word)
        })
        .filter(|word| word.contains(char::is_alphabetic) || word.contains('*'))
        .filter(|word| !word.contains("://") && !["and/or", "n/a"].contains(word))
        .map(str::to_owned)
        .collect()
}

fn is_file_name(word: &str) -> bool {
    word.rsplit_once('.').is_some_and(|(stem, end)| {
        !stem.is_empty()
            && (1..=6).contains(&end.len())
            && end.chars().all(|c| c.is_ascii_alphanumeric())
            && end.chars().any(|c| c.is_ascii_alphabetic())
    })
}

fn words(text: &str) -> Vec<String> {
    text.split([',', ';'])
        .map(|word| plain(word.trim()))
        .filter(|word| !word.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_prose() {
        for (text, expect) in [
            (
                ".env, .env.*, auth/, payments/",
                &[".env", ".env.*", "auth/", "payments/"][..],
            ),
            ("`src/lib/**` (with its tests)", &["src/lib/**"]),
            ("`npm ci && npm test` in `web/`", &["web/"]),
            ("src/lib", &["src/lib"]),
            ("package.json and README", &["package.json"]),
            ("No changes to stat values, labels, or data.", &[]),
            ("see https://example.com/x", &[]),
            ("infrastructure configs without approval", &[]),
            ("1.5 or so", &[]),
            ("merging and/or 24/7 calls, n/a", &[]),
            ("changes to billing/**.", &["billing/**"]),
        ] {
            assert_eq!(path_words(text), expect, "{text}");
        }
    }
}
