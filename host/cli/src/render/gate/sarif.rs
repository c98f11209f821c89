//! The report as SARIF 2.1.0, of the part that code scanning of GitHub reads.
//!
//! Rules are those of the driver, `GATE/RULE`, since alerts are told apart by them; the plugins stand beside it as
//! extensions. Every result has a place, because GitHub refuses a whole file for one result without: what has none is shown
//! at the file that names the gates. `primaryLocationLineHash` is left to GitHub's upload, which warns about every
//! result that brings its own.
//!
//! **Invariant:** URIs are relative to the top of the project and have no character that is not their own; a message has no
//! link of its author's.

use std::collections::BTreeMap;

use ringfence_core::gating::{Judged, Report, Status, TreeName};
use ringfence_core::relpath::RelPath;
use ringfence_core::verdict::Severity;
use serde_json::{Value, json};

use super::items::{self, Item, Kind, Place, plain};
use crate::render::json;
use crate::render::safe::Safe;
use crate::render::text::{Text, text};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const HOME: &str = env!("CARGO_PKG_REPOSITORY");
const ROOT: &str = "%SRCROOT%";
/// The key of our own fingerprint, with the version of how it is made.
const FINGERPRINT: &str = "ringfence/v2";

/// The document.
///
/// # Errors
/// See [`super::write`].
pub(super) fn write(report: &Report, exit_code: u8) -> Result<String, serde_json::Error> {
    let items = items::all(report);
    let (broken, results): (Vec<Item>, Vec<Item>) = items
        .into_iter()
        .partition(|item| matches!(item.kind, Kind::Broken));
    let rules = rules(&results);
    let run = json!({
        "tool": {
            "driver": {
                "name": "ringfence",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": HOME,
                "rules": rules.iter().map(|(id, rule)| rule_json(id, rule)).collect::<Vec<_>>(),
            },
            "extensions": extensions(report),
        },
        "invocations": [{
            "executionSuccessful": broken.is_empty(),
            "exitCode": exit_code,
            "toolExecutionNotifications": broken.iter().map(notification).collect::<Vec<_>>(),
        }],
        "originalUriBaseIds": { ROOT: { "description": { "text": "the top of the project" } } },
        "columnKind": "unicodeCodePoints",
        "results": results.iter().map(|item| result(report, &rules, item)).collect::<Vec<_>>(),
        "properties": properties(report),
    });
    json::print(&json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] }))
}

/// What a rule is known of: the first finding that names it, and the worst severity.
struct Rule<'a> {
    item: Item<'a>,
    worst: Severity,
    index: usize,
}

/// The rules that results name, by id.
fn rules<'a>(results: &[Item<'a>]) -> BTreeMap<String, Rule<'a>> {
    let mut rules: BTreeMap<String, Rule> = BTreeMap::new();
    for item in results {
        let rule = rules.entry(plain(&item.code())).or_insert(Rule {
            item: *item,
            worst: item.severity,
            index: 0,
        });
        rule.worst = rule.worst.max(item.severity);
    }
    for (index, rule) in rules.values_mut().enumerate() {
        rule.index = index;
    }
    rules
}

fn rule_json(id: &str, rule: &Rule) -> Value {
    let (source, code) = (Safe::line(rule.item.source), Safe::line(rule.item.rule));
    let (source, code) = (source.as_str(), code.as_str());
    let said = format!("{code}, found by {source}");
    json!({
        "id": id,
        "name": id,
        "shortDescription": { "text": said },
        "fullDescription": { "text": said },
        "help": { "text": format!("See the documentation of the plugin of {source}.") },
        "defaultConfiguration": { "level": level(rule.worst) },
    })
}

/// The plugins, each once.
fn extensions(report: &Report) -> Vec<Value> {
    let plugins: BTreeMap<_, _> = report
        .gates
        .iter()
        .map(|gate| {
            (
                (&gate.plugin, &gate.name, &gate.version),
                gate.receipt.plugin,
            )
        })
        .collect();
    let shown = |text: &str| Safe::line(text).as_str().to_owned();
    plugins
        .into_iter()
        .map(|((plugin, name, version), digest)| {
            json!({
                "name": shown(name),
                "version": shown(version),
                "properties": { "plugin": shown(plugin), "digest": digest.to_string() },
            })
        })
        .collect()
}

fn notification(item: &Item) -> Value {
    json!({
        "level": "error",
        "descriptor": { "id": plain(&item.code()) },
        "message": { "text": message(text![Safe::line(item.source), " gave no verdict: ", item.said(&[])]) },
    })
}

fn result(report: &Report, rules: &BTreeMap<String, Rule>, item: &Item) -> Value {
    let id = plain(&item.code());
    let (place, also) = item.shown_at(report);
    let mut result = json!({
        "ruleIndex": rules.get(&id).map(|rule| rule.index),
        "level": level(item.severity),
        "message": { "text": message(item.said(&[])) },
        "locations": [location(&place)],
        "baselineState": "new",
    });
    let mut set = |key: &str, value: Value| {
        if let Some(map) = result.as_object_mut() {
            map.insert(key.to_owned(), value);
        }
    };
    if !also.is_empty() {
        set("relatedLocations", also.iter().map(location).collect());
    }
    if let Some(remark) = item.remark() {
        set(
            "partialFingerprints",
            json!({ FINGERPRINT: remark.fingerprint }),
        );
        let suppression = |kind: &str, why: &str| json!([{ "kind": kind, "status": "accepted", "justification": why }]);
        match &remark.status {
            Status::New | Status::Noted => {}
            Status::Known => {
                set("baselineState", json!("unchanged"));
                set(
                    "suppressions",
                    suppression("external", "it stands in the baseline"),
                );
            }
            Status::Allowed { reason } => {
                let reason = message(Safe::line(reason).into());
                set("suppressions", suppression("inSource", &reason));
            }
            Status::Accepted => {
                set(
                    "suppressions",
                    suppression("external", "accepted by the gates file"),
                );
            }
        }
    }
    set("ruleId", json!(id));
    result
}

/// A message without links: in SARIF's plain text, `[words](address)` is one.
fn message(text: Text) -> String {
    plain(&text).replace("](", "] (")
}

fn level(severity: Severity) -> &'static str {
    items::severity(severity).0
}

fn location(place: &Place) -> Value {
    let mut region = json!({ "startLine": place.line.max(1) });
    if place.column > 0
        && let Some(map) = region.as_object_mut()
    {
        map.insert("startColumn".to_owned(), json!(place.column));
    }
    json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&place.path), "uriBaseId": ROOT },
            "region": region,
        },
    })
}

/// The path as a relative reference: everything but letters, digits and `-._~/` is percent-encoded.
fn uri(path: &RelPath) -> String {
    let mut uri = String::new();
    for byte in path.as_str().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            byte => uri += &format!("%{byte:02X}"),
        }
    }
    uri
}

/// What SARIF has no word for.
fn properties(report: &Report) -> Value {
    let tree = |tree: &TreeName| {
        json!({
            "name": Safe::line(&tree.name).as_str(),
            "commit": tree.commit.as_deref().map(|commit| Safe::line(commit).as_str().to_owned()),
            "tree": Safe::line(&tree.tree).as_str(),
        })
    };
    json!({
        "outcome": report.outcome,
        "base": tree(&report.base),
        "head": tree(&report.head),
        "change": report.change,
        "gates": report.gates.iter().map(gate).collect::<Vec<_>>(),
    })
}

fn gate(gate: &Judged) -> Value {
    json!({
        "gate": gate.gate,
        "standing": gate.standing,
        "summary": plain(&items::summary(gate)),
        "fuel": gate.receipt.usage.as_ref().map(|usage| usage.fuel),
        "memo": gate.receipt.memo,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_one_reference_to_one_file() {
        for (path, expect) in [
            ("docs/a-b_c~1.md", "docs/a-b_c~1.md"),
            ("a b/ü.md", "a%20b/%C3%BC.md"),
            ("http:/x", "http%3A/x"),
            ("a?b#c%41&=+", "a%3Fb%23c%2541%26%3D%2B"),
            ("\u{202e}\n", "%E2%80%AE%0A"),
        ] {
            assert_eq!(uri(&RelPath::lexical(path).unwrap()), expect);
        }
    }

    #[test]
    fn a_message_has_no_link() {
        let text = Safe::line("[click](http://x) [[a](b)](c)");
        assert_eq!(message(text.into()), "[click] (http://x) [[a] (b)] (c)");
    }
}
