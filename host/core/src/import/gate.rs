//! Facts out of `gate.yaml`: what must not be touched, how much may change, what could be merged alone.
//!
//! **Invariant:** a denial is never lost without a word: where the file is no YAML, its lists are read line by line.

use super::fact::{Findings, Setting, normalised};
use super::yaml::{self, Node, Value};
use crate::diagnostic::quote;

/// Reads one file.
pub(super) fn read(text: &str, out: &mut Findings) {
    match yaml::read(text) {
        Ok(documents) => {
            if documents.len() > 1 {
                out.weak(
                    1,
                    "several documents",
                    "its own gate refuses the file; all of them were read",
                );
            }
            for document in &documents {
                root(document, out);
            }
        }
        Err(error) => {
            let why = format!(
                "no YAML ({}): its own gate cannot read it either, so nothing in it is enforced there; its lists were read line by line",
                error.what
            );
            out.weak(error.line, "the file", why);
            by_line(text, out);
        }
    }
    if out.facts.iter().all(|fact| fact.setting != Setting::Deny) {
        out.weak(0, "the file", "it denies nothing");
    }
}

fn root(document: &Node, out: &mut Findings) {
    match &document.value {
        Value::Map(entries) => map(entries, None, out),
        Value::List(_) | Value::Text { .. } => {
            out.left(document.line, "the file", "it is no map of keys");
        }
    }
}

fn map(entries: &[(Node, Node)], within: Option<Setting>, out: &mut Findings) {
    let mut seen = Vec::new();
    for (key, value) in entries {
        let Some(name) = key.text() else {
            out.left(key.line, "an entry", "its key is no text");
            continue;
        };
        if seen.contains(&name) {
            out.weak(
                key.line,
                name,
                "it stands twice: others read only one of the two; both were read",
            );
        }
        seen.push(name);
        entry(name, key.line, value, within, out);
    }
}

fn entry(name: &str, line: usize, value: &Node, within: Option<Setting>, out: &mut Findings) {
    let key = normalised(name);
    let setting = match key.as_str() {
        "version" => return,
        "max files" => Some(Setting::MaxFiles),
        "max lines" | "max diff lines" | "max changed lines" => Some(Setting::MaxLines),
        "auto merge allowlist" | "auto merge" => Some(Setting::MergeAlone),
        "deny" | "denylist" | "deny paths" | "denied paths" | "denied" => Some(Setting::Deny),
        "allow" | "allowlist" | "allowed paths" | "allow paths" | "write" => Some(Setting::Allow),
        "escalate" | "escalate paths" => Some(Setting::PersonPaths),
        "labels" => Some(Setting::PersonLabels),
        "denylist except" | "deny except" | "exceptions" => {
            out.left(
                line,
                name,
                "nothing takes a denial back here: what it exempts stays denied",
            );
            return;
        }
        "paths" | "patterns" | "globs" => within,
        _ => None,
    };
    match (setting, &value.value) {
        (None, Value::Map(entries))
            if ["paths", "policy", "gate", "limits"].contains(&key.as_str()) =>
        {
            map(entries, None, out)
        }
        (None, _) if key.ends_with("denylist") => {
            // A list for others than the loop may be just as well for it: what it denies stays closed.
            list(Setting::Deny, line, name, value, out);
        }
        (None, _) => out.left(line, name, "no key of the loop file says this"),
        (Some(setting), Value::Map(entries)) => map(entries, Some(setting), out),
        (Some(setting @ (Setting::MaxFiles | Setting::MaxLines)), _) => match value.text() {
            Some(text) => out.fact(setting, text, line, None),
            None => out.left(line, name, "it is no number"),
        },
        (Some(setting), _) => list(setting, line, name, value, out),
    }
}

fn list(setting: Setting, line: usize, name: &str, value: &Node, out: &mut Findings) {
    let is_empty = |node: &Node| matches!(&node.value, Value::Text { text, tag } if tag.is_none() && (text.is_empty() || text == "~" || text == "null"));
    match &value.value {
        Value::List(items) if items.is_empty() => nothing(setting, line, name, out),
        Value::List(items) => {
            for item in items {
                self::item(setting, name, item, out);
            }
        }
        Value::Text { .. } if is_empty(value) => nothing(setting, line, name, out),
        Value::Text { text, .. } => {
            out.weak(
                line,
                name,
                "one text is no list: its own gate refuses the file",
            );
            out.fact(setting, text, value.line, None);
        }
        Value::Map(_) => out.left(line, name, "it is no list"),
    }
}

fn nothing(setting: Setting, line: usize, name: &str, out: &mut Findings) {
    if setting == Setting::Deny {
        out.weak(line, name, "the list is empty: it denies nothing");
    }
}

fn item(setting: Setting, name: &str, item: &Node, out: &mut Findings) {
    match &item.value {
        Value::Text { text, tag: None } => out.fact(setting, text, item.line, None),
        Value::Text { tag: Some(tag), .. } => {
            let why = format!(
                "without quotes {} is a YAML tag and the entry is empty: quote it",
                quote(tag)
            );
            out.weak(item.line, name, why);
        }
        Value::List(_) | Value::Map(_) => {
            let why = "without quotes `[`, `{` and `: ` mean something else in YAML: its own gate refuses the file; quote the pattern";
            out.weak(item.line, name, why);
        }
    }
}

/// Lists below keys that deny or allow, for a file that is no YAML.
fn by_line(text: &str, out: &mut Findings) {
    let mut setting = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(item) = line.strip_prefix("- ") {
            if let Some(setting) = setting {
                out.fact(setting, unquoted(item), index + 1, None);
            }
        } else if let Some((key, value)) = line.split_once(':')
            && !line.starts_with('#')
        {
            setting = match normalised(key).as_str() {
                "deny" | "denylist" | "deny paths" | "denied paths" => Some(Setting::Deny),
                "auto merge allowlist" => Some(Setting::MergeAlone),
                "max files" => {
                    out.fact(Setting::MaxFiles, value, index + 1, None);
                    None
                }
                _ => None,
            };
        }
    }
}

fn unquoted(item: &str) -> &str {
    let item = item.trim();
    for quote in ['"', '\''] {
        if let Some((inner, _)) = item
            .strip_prefix(quote)
            .and_then(|rest| rest.split_once(quote))
        {
            return inner;
        }
    }
    item.split(" #").next().unwrap_or(item).trim()
}
