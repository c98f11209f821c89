//! The walk of a TOML tree along a table of keys.
//!
//! **Invariant:** it goes on after each problem, and whatever it leaves out it has reported.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

use super::json::{self, Json};
use super::table::{Amount, Choice, Key, Kind, Table, Text, Whole, sample, spelled, wanted};
use super::{Entry, LIST_ENTRIES_MAX, Section, TABLES_MAX, Value};
use crate::diagnostic::{Diagnostic, Diagnostics, did_you_mean, quote};

// Limit: a command line that fits a message.
const WORDS_BYTES_MAX: usize = 100;

pub(super) struct Reader<'o> {
    pub(super) root: &'static Table,
    pub(super) out: &'o mut Diagnostics,
}

impl Reader<'_> {
    pub(super) fn section(
        &mut self,
        toml: &DeTable<'_>,
        span: Range<usize>,
        table: &'static Table,
    ) -> Section {
        let mut section = Section {
            span: span.clone(),
            entries: BTreeMap::new(),
        };
        for (name, value) in toml {
            match table
                .keys
                .iter()
                .find(|key| key.name == name.get_ref().as_ref())
            {
                Some(key) => {
                    let entry = Entry {
                        span: value.span(),
                        value: self.value(value, key, name.span()).unwrap_or(Value::Bad),
                    };
                    section.entries.insert(key.name, entry);
                }
                None => self.unknown_key(name.get_ref(), name.span(), table),
            }
        }
        for key in table
            .keys
            .iter()
            .filter(|key| key.required && !section.has(key.name))
        {
            let missing = Diagnostic::error(
                "missing-key",
                span.clone(),
                format!("{} has no {}", table.title, spelled(key)),
                "missing here",
            );
            self.out
                .push(missing.with_help(format!("{} is {}", spelled(key), key.doc)));
        }
        section
    }

    fn value(
        &mut self,
        toml: &Spanned<DeValue<'_>>,
        key: &'static Key,
        name: Range<usize>,
    ) -> Option<Value> {
        match (&key.kind, toml.get_ref()) {
            (Kind::Text(rule), DeValue::String(text)) => {
                self.text(text, toml.span(), rule).map(Value::Text)
            }
            (Kind::Whole(rule), DeValue::Integer(_)) => self.whole(toml, key.name, rule),
            (Kind::Choice(choice) | Kind::Either(choice, _), DeValue::String(text)) => {
                self.choice(text, toml.span(), key.name, choice)
            }
            (Kind::List(rule), DeValue::Array(array)) => {
                self.list(array, toml.span(), key.name, rule)
            }
            (Kind::Amount(rule), DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_)) => {
                self.amount(toml, key.name, rule)
            }
            (Kind::Json, DeValue::Table(_)) => Json::read(toml, self.out).map(Value::Json),
            (Kind::One(table) | Kind::Either(_, table), DeValue::Table(inner)) => {
                Some(Value::One(self.section(inner, toml.span(), table)))
            }
            (Kind::Many(table), DeValue::Array(array)) => self.many(array, name, key, table),
            (Kind::Named(rule, table), DeValue::Table(inner)) => {
                Some(Value::Named(self.named(inner, key, rule, table)?))
            }
            (Kind::Texts(rule, text), DeValue::Table(inner)) => {
                self.texts(inner, key, rule, text).map(Value::Texts)
            }
            (Kind::Flag, DeValue::Boolean(flag)) => Some(Value::Flag(*flag)),
            (_, found) => {
                let message = format!(
                    "`{}` is {}, not {}",
                    key.name,
                    wanted(&key.kind),
                    kind_of(found)
                );
                let wrong = Diagnostic::error(
                    "wrong-type",
                    toml.span(),
                    message,
                    format!("{} here", kind_of(found)),
                );
                self.out
                    .push(wrong.with_help(format!("write {}", meant(key, found))));
                None
            }
        }
    }

    fn text(&mut self, text: &str, span: Range<usize>, rule: &Text) -> Option<String> {
        match (rule.check)(text) {
            Ok(()) => Some(text.to_owned()),
            Err(why) => {
                self.out.push(Diagnostic::error(
                    rule.code,
                    span,
                    why,
                    format!("not {}", rule.what),
                ));
                None
            }
        }
    }

    fn choice(
        &mut self,
        text: &str,
        span: Range<usize>,
        name: &str,
        choice: &Choice,
    ) -> Option<Value> {
        if choice.values.contains(&text) {
            return Some(Value::Text(text.to_owned()));
        }
        let diagnostic = match choice.later.iter().find(|(word, _)| *word == text) {
            Some((word, until_then)) => Diagnostic::error(
                "not-supported",
                span,
                format!("`{name} = {word:?}` is not supported by this version"),
                "not yet",
            )
            .with_help(*until_then),
            None => {
                let words: Vec<String> = choice
                    .values
                    .iter()
                    .map(|word| format!("{word:?}"))
                    .collect();
                let message = format!("`{name}` is {}, not {}", words.join(" or "), quote(text));
                let unknown = Diagnostic::error("bad-value", span, message, "unknown word");
                match did_you_mean(text, choice.values.iter().copied()) {
                    Some(guess) => unknown.with_help(format!("did you mean {guess:?}?")),
                    None => unknown,
                }
            }
        };
        self.out.push(diagnostic);
        None
    }

    fn list(
        &mut self,
        array: &DeArray<'_>,
        span: Range<usize>,
        name: &str,
        rule: &Text,
    ) -> Option<Value> {
        if array.len() > LIST_ENTRIES_MAX {
            let message = format!(
                "`{name}` has {} entries, at most {LIST_ENTRIES_MAX} fit",
                array.len()
            );
            self.out.push(Diagnostic::error(
                "too-many",
                span,
                message,
                "too many entries",
            ));
            return None;
        }
        let mut texts = Vec::new();
        for entry in array {
            if let DeValue::String(text) = entry.get_ref() {
                texts.extend(self.text(text, entry.span(), rule));
            } else {
                let found = kind_of(entry.get_ref());
                let message = format!("`{name}` is a list of strings, and this is {found}");
                self.out.push(Diagnostic::error(
                    "wrong-type",
                    entry.span(),
                    message,
                    format!("{found} here"),
                ));
            }
        }
        (texts.len() == array.len()).then_some(Value::List(texts))
    }

    fn amount(&mut self, toml: &Spanned<DeValue<'_>>, name: &str, rule: &Amount) -> Option<Value> {
        let read = match (toml.get_ref(), rule.read) {
            (DeValue::String(text), Some(read)) => read(text),
            (DeValue::Integer(number), _) if rule.integers => match json::integer(number) {
                Some(number) if number > 0 => {
                    u64::try_from(number).map_err(|_| format!("{number} is too large"))
                }
                Some(number) => Err(format!(
                    "{number} is not above zero, and no number means «unlimited»"
                )),
                None => Err(format!("{number} is too large")),
            },
            (found, _) => Err(format!("`{name}` is {}, not {}", rule.what, kind_of(found))),
        };
        let problem = match read {
            Ok(amount) if amount <= rule.max => return Some(Value::Amount(amount)),
            Ok(amount) => {
                let message = format!(
                    "`{name}` is {}, and the most is {}",
                    (rule.show)(amount),
                    (rule.show)(rule.max)
                );
                Diagnostic::error("over-limit", toml.span(), message, "too much")
            }
            Err(why) => {
                let problem =
                    Diagnostic::error("bad-amount", toml.span(), why, format!("not {}", rule.what));
                problem.with_help(format!("write `{name} = {}`", rule.example))
            }
        };
        self.out.push(problem);
        None
    }

    fn whole(&mut self, toml: &Spanned<DeValue<'_>>, name: &str, rule: &Whole) -> Option<Value> {
        let Whole { min, max, .. } = rule;
        let number = match toml.get_ref() {
            DeValue::Integer(number) => json::integer(number),
            _ => None,
        };
        let fits = number
            .and_then(|number| u64::try_from(number).ok())
            .filter(|number| (min..=max).contains(&number));
        if fits.is_none() {
            let message = format!("`{name}` is a whole number from {min} to {max}");
            let problem = Diagnostic::error("bad-amount", toml.span(), message, "not one of these");
            self.out
                .push(problem.with_help(format!("write `{name} = {}`", rule.example)));
        }
        fits.map(Value::Amount)
    }

    fn many(
        &mut self,
        array: &DeArray<'_>,
        name: Range<usize>,
        key: &Key,
        table: &'static Table,
    ) -> Option<Value> {
        if array.len() > TABLES_MAX {
            let message = format!(
                "there are {} {}, at most {TABLES_MAX} fit",
                array.len(),
                spelled(key)
            );
            self.out
                .push(Diagnostic::error("too-many", name, message, "too many"));
            return None;
        }
        let mut sections = Vec::new();
        for entry in array {
            if let DeValue::Table(inner) = entry.get_ref() {
                sections.push(self.section(inner, entry.span(), table));
            } else {
                let found = kind_of(entry.get_ref());
                let message = format!(
                    "`{}` is {}, and this is {found}",
                    key.name,
                    wanted(&key.kind)
                );
                self.out.push(Diagnostic::error(
                    "wrong-type",
                    entry.span(),
                    message,
                    format!("{found} here"),
                ));
            }
        }
        if array.is_empty() && key.required {
            let message = format!("{} has no {}", self.root.title, spelled(key));
            self.out
                .push(Diagnostic::error("missing-key", name, message, "empty"));
        }
        Some(Value::Many(sections))
    }

    fn named(
        &mut self,
        inner: &DeTable<'_>,
        key: &Key,
        rule: &Text,
        table: &'static Table,
    ) -> Option<Vec<(String, Section)>> {
        let mut sections = Vec::new();
        for (name, value) in inner {
            let known = self.name(name, inner.len(), key, rule)?;
            match value.get_ref() {
                DeValue::Table(inner) => {
                    let section = self.section(inner, value.span(), table);
                    sections.extend(known.map(|name| (name, section)));
                }
                found => self.misfit(value, key, found),
            }
        }
        Some(sections)
    }

    fn texts(
        &mut self,
        inner: &DeTable<'_>,
        key: &Key,
        rule: &Text,
        text: &Text,
    ) -> Option<BTreeMap<String, String>> {
        let mut texts = BTreeMap::new();
        for (name, value) in inner {
            let known = self.name(name, inner.len(), key, rule)?;
            match value.get_ref() {
                DeValue::String(found) => {
                    let fits = self.text(found, value.span(), text);
                    texts.extend(known.zip(fits));
                }
                found => self.misfit(value, key, found),
            }
        }
        (texts.len() == inner.len()).then_some(texts)
    }

    /// A name of its own; the outer answer is none when there are too many to go on.
    fn name(
        &mut self,
        name: &Spanned<DeString<'_>>,
        count: usize,
        key: &Key,
        rule: &Text,
    ) -> Option<Option<String>> {
        if count > TABLES_MAX {
            let message = format!(
                "`{}` has {count} entries, at most {TABLES_MAX} fit",
                key.name
            );
            let problem = Diagnostic::error("too-many", name.span(), message, "too many entries");
            self.out.push(problem);
            return None;
        }
        Some(self.text(name.get_ref(), name.span(), rule))
    }

    fn misfit(&mut self, value: &Spanned<DeValue<'_>>, key: &Key, found: &DeValue<'_>) {
        let message = format!(
            "`{}` is {}, and this is {}",
            key.name,
            wanted(&key.kind),
            kind_of(found)
        );
        let label = format!("{} here", kind_of(found));
        let wrong = Diagnostic::error("wrong-type", value.span(), message, label);
        self.out
            .push(wrong.with_help(format!("write {}", sample(key))));
    }

    fn unknown_key(&mut self, name: &str, span: Range<usize>, table: &Table) {
        if let Some((_, until_then)) = table.later.iter().find(|(later, _)| *later == name) {
            let message = format!("`{name}` is not supported by this version");
            self.out.push(
                Diagnostic::error("not-supported", span, message, "not yet").with_help(*until_then),
            );
            return;
        }
        let message = format!("{} has no key {}", table.title, quote(name));
        let help = if let Some(guess) = did_you_mean(name, table.keys.iter().map(|key| key.name)) {
            format!("did you mean `{guess}`?")
        } else if let Some(key) = self.root.keys.iter().find(|key| key.name == name) {
            match key.kind {
                Kind::One(_) | Kind::Many(_) | Kind::Named(..) => {
                    format!("write {} on a line of its own", spelled(key))
                }
                _ => format!("`{name}` belongs at the top, above the first [table]"),
            }
        } else if let Some(elsewhere) = home_of(name, self.root) {
            format!("`{name}` belongs in {elsewhere}")
        } else {
            let names: Vec<&str> = table.keys.iter().map(|key| key.name).collect();
            format!("its keys are {}", names.join(", "))
        };
        self.out
            .push(Diagnostic::error("unknown-key", span, message, "unknown key").with_help(help));
    }
}

/// The table below `root` that knows `name`.
fn home_of(name: &str, root: &Table) -> Option<&'static str> {
    root.keys.iter().find_map(|key| match &key.kind {
        Kind::One(table) | Kind::Many(table) | Kind::Named(_, table) => {
            if table.keys.iter().any(|inner| inner.name == name) {
                Some(table.title)
            } else {
                home_of(name, table)
            }
        }
        _ => None,
    })
}

/// What was meant where a list is written as one text of its words; else a sample of the key.
fn meant(key: &Key, found: &DeValue<'_>) -> String {
    match (&key.kind, found) {
        (Kind::List(_), DeValue::String(text))
            if text.len() <= WORDS_BYTES_MAX && !text.trim().is_empty() =>
        {
            let words: Vec<&str> = text.split_whitespace().collect();
            format!("`{} = {words:?}`", key.name)
        }
        _ => sample(key),
    }
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
