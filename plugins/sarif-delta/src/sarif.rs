//! Reads SARIF 2.1.0: of each result what tells it from others, how bad it is, and where it is.
//!
//! **Invariant:** a report that is not whole (another version, no run, results that stand in another file, an invocation that did
//! not succeed) is refused. A level that is not said is what the specification says it is, never less.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::Kind;

/// How bad a result is, from the least.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    None,
    Note,
    #[default]
    Warning,
    Error,
}

/// One result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) tool: String,
    pub(crate) rule: String,
    pub(crate) level: Level,
    pub(crate) message: String,
    /// By name.
    pub(crate) fingerprints: BTreeMap<String, String>,
    pub(crate) uri: Option<String>,
    /// 1-based; 0 where it is not said.
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// The last line, the first where it is not said.
    pub(crate) end_line: u32,
    /// The kinds of suppressions that were accepted.
    pub(crate) suppressed: Vec<Kind>,
}

#[derive(Deserialize)]
struct Log {
    version: String,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    #[serde(default)]
    invocations: Vec<Invocation>,
    /// None where the tool did not look for any.
    results: Option<Vec<RawResult>>,
    external_property_file_references: Option<Value>,
}

#[derive(Deserialize)]
struct Tool {
    driver: Part,
    #[serde(default)]
    extensions: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    name: String,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    default_configuration: Option<Configuration>,
    #[serde(default)]
    message_strings: BTreeMap<String, Text>,
}

#[derive(Deserialize)]
struct Configuration {
    level: Option<Level>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: Option<bool>,
    #[serde(default)]
    rule_configuration_overrides: Vec<Override>,
    #[serde(default)]
    tool_execution_notifications: Vec<Notification>,
    #[serde(default)]
    tool_configuration_notifications: Vec<Notification>,
}

#[derive(Deserialize)]
struct Notification {
    level: Option<Level>,
    #[serde(default)]
    message: Text,
}

#[derive(Deserialize)]
struct Override {
    configuration: Configuration,
    descriptor: RuleReference,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RuleReference {
    id: Option<String>,
    index: Option<i64>,
    tool_component: Option<Component>,
}

#[derive(Deserialize)]
struct Component {
    index: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawResult {
    rule_id: Option<String>,
    rule_index: Option<i64>,
    rule: Option<RuleReference>,
    level: Option<Level>,
    kind: Option<String>,
    message: Text,
    #[serde(default)]
    locations: Vec<Location>,
    #[serde(default)]
    partial_fingerprints: BTreeMap<String, String>,
    #[serde(default)]
    suppressions: Vec<Suppression>,
}

#[derive(Deserialize, Default)]
struct Text {
    text: Option<String>,
    markdown: Option<String>,
    id: Option<String>,
    #[serde(default)]
    arguments: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Option<Physical>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Option<Artifact>,
    region: Option<Region>,
}

#[derive(Deserialize)]
struct Artifact {
    uri: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Region {
    start_line: Option<u32>,
    start_column: Option<u32>,
    end_line: Option<u32>,
}

#[derive(Deserialize)]
struct Suppression {
    kind: String,
    status: Option<String>,
}

/// What a report says.
pub(crate) struct Report {
    pub(crate) found: Vec<Found>,
    /// What kept its tools from analysing all that they should have, in their own words.
    pub(crate) tool_errors: Vec<String>,
}

/// A report.
///
/// # Errors
/// Why it cannot be used, in words.
pub(crate) fn read(bytes: &[u8]) -> Result<Report, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let log: Log = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if log.version != "2.1.0" {
        return Err(format!("SARIF {}, not 2.1.0", log.version));
    }
    if log.runs.is_empty() {
        return Err("it has no run".to_owned());
    }
    let (mut all, mut tool_errors) = (Vec::new(), Vec::new());
    for run in &log.runs {
        run.check()?;
        let results = run.results.as_deref().ok_or("a run without results")?;
        // What passed, or is only for information, is no result of a kind that counts.
        let found = results.iter().map(|result| run.found(result));
        all.extend(found.filter(|found| found.level > Level::None));
        tool_errors.extend(run.errors());
    }
    Ok(Report {
        found: all,
        tool_errors,
    })
}

impl Run {
    fn check(&self) -> Result<(), String> {
        let failed = |invocation: &Invocation| invocation.execution_successful == Some(false);
        if self.invocations.iter().any(failed) {
            return Err(format!(
                "{} says that it did not succeed",
                self.tool.driver.name
            ));
        }
        let elsewhere = self.external_property_file_references.as_ref();
        if elsewhere.is_some_and(|references| references.get("results").is_some()) {
            return Err("its results stand in another file".to_owned());
        }
        Ok(())
    }

    fn errors(&self) -> impl Iterator<Item = String> {
        let told = |call: &'_ Invocation| {
            let of_run = call.tool_execution_notifications.iter();
            let of_setup = call.tool_configuration_notifications.iter();
            let all = of_run.chain(of_setup);
            let errors = all.filter(|told| told.level == Some(Level::Error));
            let said = errors.map(|told| {
                format!(
                    "{}: {}",
                    self.tool.driver.name,
                    message(&told.message, None)
                )
            });
            said.collect::<Vec<String>>()
        };
        self.invocations.iter().flat_map(told)
    }

    fn found(&self, result: &RawResult) -> Found {
        let (id, rule) = self.rule(result);
        let physical = result
            .locations
            .iter()
            .find_map(|location| location.physical_location.as_ref());
        let region = physical.and_then(|physical| physical.region.as_ref());
        let region = |pick: fn(&Region) -> Option<u32>| region.and_then(pick).unwrap_or(0);
        let line = region(|region| region.start_line);
        let uri = physical
            .and_then(|physical| physical.artifact_location.as_ref())
            .and_then(|artifact| artifact.uri.clone());
        Found {
            tool: self.tool.driver.name.clone(),
            level: self.level(result, &id, rule),
            message: message(&result.message, rule),
            rule: id,
            fingerprints: result.partial_fingerprints.clone(),
            uri,
            line,
            column: region(|region| region.start_column),
            end_line: region(|region| region.end_line).max(line),
            suppressed: result.suppressions.iter().filter_map(kind).collect(),
        }
    }

    /// The id of a result's rule, and the rule where the tool says what it is.
    fn rule(&self, result: &RawResult) -> (String, Option<&Rule>) {
        let reference = result.rule.as_ref();
        let index = result
            .rule_index
            .or_else(|| reference.and_then(|rule| rule.index));
        let by_index = index
            .and_then(|index| usize::try_from(index).ok())
            .and_then(|index| self.part(reference)?.rules.get(index));
        let id = result.rule_id.clone();
        let id = id.or_else(|| reference.and_then(|rule| rule.id.clone()));
        let id = id.or_else(|| by_index.map(|rule| rule.id.clone()));
        let id = id.unwrap_or_default();
        // An id may go on below that of its rule: `CA1000/1`.
        let is_of = |rule: &&Rule| {
            id == rule.id || id.rsplit_once('/').is_some_and(|(of, _)| of == rule.id)
        };
        let rule = by_index.or_else(|| self.parts().flat_map(|part| &part.rules).find(is_of));
        (id, rule)
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.tool.driver).chain(&self.tool.extensions)
    }

    /// The part of the tool that has the rule.
    fn part(&self, reference: Option<&RuleReference>) -> Option<&Part> {
        let component = reference.and_then(|rule| rule.tool_component.as_ref());
        match component.and_then(|component| component.index) {
            None | Some(-1) => Some(&self.tool.driver),
            Some(index) => self.tool.extensions.get(usize::try_from(index).ok()?),
        }
    }

    /// By the result itself, or else as the tool was set up, or else by the rule.
    fn level(&self, result: &RawResult, id: &str, rule: Option<&Rule>) -> Level {
        if let Some(level) = result.level {
            return level;
        }
        // Only what failed has a level of its rule.
        if result.kind.as_deref().is_some_and(|kind| kind != "fail") {
            return Level::None;
        }
        let is_of_rule = |set: &&Override| {
            let by_id = set.descriptor.id.as_deref() == Some(id);
            let by_index =
                set.descriptor.index.is_some() && set.descriptor.index == result.rule_index;
            by_id || by_index
        };
        let overrides = self
            .invocations
            .iter()
            .flat_map(|call| &call.rule_configuration_overrides);
        let set = overrides
            .filter(is_of_rule)
            .find_map(|set| set.configuration.level);
        let default = rule.and_then(|rule| rule.default_configuration.as_ref()?.level);
        set.or(default).unwrap_or(Level::Warning)
    }
}

fn kind(suppression: &Suppression) -> Option<Kind> {
    if suppression
        .status
        .as_deref()
        .is_some_and(|status| status != "accepted")
    {
        return None;
    }
    match suppression.kind.as_str() {
        "inSource" => Some(Kind::InSource),
        "external" => Some(Kind::External),
        _ => None,
    }
}

/// The text of a message, with its arguments in their places.
fn message(message: &Text, rule: Option<&Rule>) -> String {
    let of_rule = || {
        let id = message.id.as_ref()?;
        rule?.message_strings.get(id)?.text.clone()
    };
    let text = message.text.clone().or_else(of_rule);
    let mut text = text
        .or_else(|| message.markdown.clone())
        .unwrap_or_default();
    for (place, argument) in message.arguments.iter().enumerate().take(10) {
        text = text.replace(&format!("{{{place}}}"), argument);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
