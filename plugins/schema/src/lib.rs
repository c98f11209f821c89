//! `schema`: the gate that holds JSON, YAML and TOML files to JSON Schemas.
//!
//! The files that differ are judged as they are after the change, and so are the schemas read: where a schema differs, or
//! one that it refers to, every file in the tree that its rule covers is judged. Schemas are of draft 2020-12 unless they
//! say otherwise. Nothing is fetched: a reference leads to a file of the workspace by its relative path, to the `$id` of a
//! schema that the configuration names, or to a meta-schema of JSON Schema itself.
//!
//! | rule | means |
//! | --- | --- |
//! | `not-valid` | a value does not fit its schema |
//! | `unreadable` | the file is not the JSON, YAML or TOML that it should be, a key stands twice, it is too large, or a link |
//! | `no-format` | neither the name of a file nor its rule says what it is written in |
//! | `schema-unusable` | the schema is missing, is none, or refers to what is not at hand |
//! | `too-many-files` | a schema differs, and more files than a call can judge fall under it |
//! | `too-many-findings` | more values of a file do not fit than are shown; it has no place, so that nothing excuses it |
//!
//! ```toml
//! [[gate]]
//! plugin = "std:schema"
//! config = { rules = [{ files = ["data/**/*.json"], schema = "schemas/data.json" }] }
//! ```
//!
//! The validator is the crate `jsonschema`, which knows all of the standard. The host checks configurations with a part
//! of it, since no manifest of a plugin may cost it more than the size of what is checked; here fuel is the bound.
//!
//! **Invariant:** a file that a rule covers is valid, or there is a finding; what could not be judged is one, too.

mod document;
mod schemas;
mod tree;

use std::collections::BTreeSet;

use jsonschema::{ValidationError, error::ValidationErrorKind};
use ringfence_globs::{Case, Globs};
use ringfence_sdk::prelude::*;
use serde::Deserialize;

use crate::document::{Document, Format};
use crate::schemas::{Compiled, Schemas};
use crate::tree::{Tree, Walked};

ringfence_sdk::plugin!("../plugin.toml");

/// Limit: findings of one file under one rule: a file of the wrong kind fails everywhere.
const OF_FILE_MAX: usize = 50;
/// Limit: of a message, which quotes what the schema wants.
const MESSAGE_CHARS_MAX: usize = 300;

/// The `config` table; every key has the default that `plugin.toml` names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    rules: Vec<RuleConfig>,
    #[serde(default)]
    refs: Vec<String>,
    format_assertion: Option<bool>,
    #[serde(default)]
    tags: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleConfig {
    files: Vec<String>,
    schema: String,
    format: Option<Format>,
}

/// Judges the files that differ, and all that a schema covers which differs.
///
/// # Errors
/// [`Error::Config`] for a glob that is none; [`Error::Unavailable`] for a file that may not be read.
#[gate]
pub fn judge(cx: &Context, change: &Change) -> Result<Verdict> {
    Gate::new(cx.config()?, Tree::new("."))?.judge(change.files())
}

struct Gate {
    rules: Vec<Rule>,
    schemas: Schemas,
    tree: Tree,
    tags: BTreeSet<String>,
}

struct Rule {
    files: Globs,
    schema: String,
    format: Option<Format>,
}

impl Gate {
    fn new(config: Config, tree: Tree) -> Result<Self> {
        let listed = config.rules.iter().map(|rule| rule.schema.clone());
        let listed: BTreeSet<String> = listed.chain(config.refs).collect();
        let rules = config.rules.into_iter().map(|rule| {
            Ok(Rule {
                files: Globs::parse("files", &rule.files, Case::Any)?,
                schema: rule.schema,
                format: rule.format,
            })
        });
        Ok(Self {
            rules: rules.collect::<Result<_>>()?,
            schemas: Schemas::new(tree.clone(), listed, config.format_assertion),
            tree,
            tags: config.tags,
        })
    }

    fn judge(&self, files: &[FileChange]) -> Result<Verdict> {
        let mut judged = Judged::default();
        for rule in &self.rules {
            self.judge_rule(rule, files, &mut judged)?;
        }
        Ok(judged.verdict())
    }

    fn judge_rule(&self, rule: &Rule, files: &[FileChange], judged: &mut Judged) -> Result<()> {
        let differ: BTreeSet<&str> = files
            .iter()
            .flat_map(|file| [Some(file.path.as_str()), file.renamed_from.as_deref()])
            .flatten()
            .collect();
        // What became a link is covered, too: where it leads, nobody looks.
        let is_there = |file: &&FileChange| file.new_mode != 0;
        let covered = files.iter().filter(is_there).map(|file| file.path.clone());
        let covered: BTreeSet<String> = covered.filter(|path| rule.files.cover(path)).collect();
        // Only a file of these formats can be part of a schema: without one, there is no need to compile any.
        if covered.is_empty() && !differ.iter().any(|path| Format::of(path).is_some()) {
            return Ok(());
        }
        let (compiled, read) = self.schemas.compile(&rule.schema)?;
        let schema_differs = read.iter().any(|path| differ.contains(path.as_str()));
        if covered.is_empty() && !schema_differs {
            return Ok(());
        }
        let compiled = match compiled {
            Ok(compiled) => compiled,
            Err(finding) => {
                judged.add(*finding);
                return Ok(());
            }
        };
        if !schema_differs {
            return self.judge_files(rule, &compiled, &covered, judged);
        }
        judged.whole.insert(rule.schema.clone());
        match self.tree.files(&rule.files)? {
            Walked::Files(files) => self.judge_files(rule, &compiled, &files, judged),
            Walked::TooMany(limit) => {
                let message = format!("differs, and more than {limit} files lie in the tree");
                judged.add(Finding::error("too-many-files", message).at(&rule.schema));
                self.judge_files(rule, &compiled, &covered, judged)
            }
        }
    }

    fn judge_files(
        &self,
        rule: &Rule,
        compiled: &Compiled,
        files: &BTreeSet<String>,
        judged: &mut Judged,
    ) -> Result<()> {
        for path in files {
            judged.files.insert(path.clone());
            for finding in self.judge_file(rule, compiled, path)? {
                judged.add(finding);
            }
        }
        Ok(())
    }

    fn judge_file(&self, rule: &Rule, compiled: &Compiled, path: &str) -> Result<Vec<Finding>> {
        let Some(format) = rule.format.or_else(|| Format::of(path)) else {
            let finding = Finding::error("no-format", "JSON, YAML or TOML: nothing says which");
            let help = "say `format` in the rule that covers it";
            return Ok(vec![finding.at(path).help(help)]);
        };
        let text = match self.tree.text(path)? {
            Ok(text) => text,
            Err(why) => return Ok(vec![Finding::error("unreadable", why).at(path)]),
        };
        let documents = match document::read(&text, format, &self.tags) {
            Ok(documents) => documents,
            Err(refused) => return Ok(vec![refused.finding("unreadable", path)]),
        };
        let (mut shown, mut more) = (Vec::new(), 0);
        for document in &documents {
            let (remarks, others) = remarks(&rule.schema, compiled, document);
            shown.extend(remarks);
            more += others;
        }
        shown.sort();
        shown.dedup_by(|a, b| a.at == b.at && a.message == b.message);
        more += shown.len().saturating_sub(OF_FILE_MAX);
        shown.truncate(OF_FILE_MAX);
        let places = document::Positions::new(&text, format);
        let shown = shown
            .into_iter()
            .map(|remark| remark.finding(path, &places));
        let mut findings: Vec<Finding> = shown.collect();
        if more > 0 {
            let more = count(more, "more value does not fit", "more values do not fit");
            let message = format!("{path}: {more}, beside the {OF_FILE_MAX} that are shown");
            findings.push(Finding::error("too-many-findings", message));
        }
        Ok(findings)
    }
}

/// What was judged, and what came of it.
#[derive(Default)]
struct Judged {
    files: BTreeSet<String>,
    /// Schemas that differ, so that all files were judged.
    whole: BTreeSet<String>,
    findings: Vec<Finding>,
    /// The same again: several rules may cover a file, or have a schema.
    seen: BTreeSet<Finding>,
}

impl Judged {
    fn add(&mut self, finding: Finding) {
        if self.seen.insert(finding.clone()) {
            self.findings.push(finding);
        }
    }

    fn verdict(self) -> Verdict {
        if self.files.is_empty() && self.findings.is_empty() && self.whole.is_empty() {
            return Verdict::abstain("no file that a rule covers differs");
        }
        let mut summary = count(self.files.len(), "file judged", "files judged");
        if !self.whole.is_empty() {
            let schemas: Vec<String> = self.whole.into_iter().collect();
            summary.push_str(", all in the tree where ");
            summary.push_str(&schemas.join(", "));
            summary.push_str(" holds, since it differs");
        }
        if self.findings.is_empty() {
            return Verdict::pass(summary);
        }
        let found = count(self.findings.len(), "finding", "findings");
        Verdict::fail(format!("{summary}; {found}"), self.findings)
    }
}

/// One reason why a value does not fit, in the order of the file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Remark {
    at: usize,
    message: String,
    help: String,
}

impl Remark {
    fn finding(self, path: &str, places: &document::Positions<'_>) -> Finding {
        let (line, column) = places.of(self.at);
        Finding::error("not-valid", self.message)
            .at_position(path, line, column)
            .help(self.help)
    }
}

/// The first reasons why a document does not fit, and how many there are besides.
fn remarks(schema: &str, compiled: &Compiled, document: &Document) -> (Vec<Remark>, usize) {
    let mut errors = compiled.validator.iter_errors(&document.value);
    let first = errors.by_ref().take(OF_FILE_MAX);
    let shown = first
        .map(|error| remark(schema, document, &error))
        .collect();
    (shown, errors.count())
}

fn remark(schema: &str, document: &Document, error: &ValidationError<'_>) -> Remark {
    let pointer = error.instance_path().as_str();
    let at = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let key = unexpected.iter().map(|key| document.key(pointer, key));
            key.flatten().min()
        }
        _ => None,
    };
    let keyword = error.kind().keyword();
    let message = format!("{} ({keyword})", told(error));
    let keyword_at = error.absolute_keyword_location();
    let keyword_at = keyword_at.map(|uri| uri.as_str().trim_start_matches(schemas::WORKSPACE));
    let mut help = match keyword_at {
        Some(place) => format!("see {place}"),
        None => format!("see {schema}#{}", error.evaluation_path()),
    };
    if let Some(near) = nearest(error.kind()) {
        help.push_str(&format!("; nearest: {}", told(near)));
    }
    Remark {
        at: at.unwrap_or_else(|| document.at(pointer)),
        message: document::shortened(&message, MESSAGE_CHARS_MAX),
        help: document::shortened(&help, MESSAGE_CHARS_MAX),
    }
}

/// Place and reason. What stands in the file is not quoted: findings end in journals and reports.
fn told(error: &ValidationError<'_>) -> String {
    let pointer = match error.instance_path().as_str() {
        "" => "/",
        pointer => pointer,
    };
    format!("{pointer}: {}", error.masked())
}

/// Where all branches of an `anyOf` or `oneOf` fail, the reason of the one that came furthest into the value.
fn nearest(kind: &ValidationErrorKind) -> Option<&ValidationError<'static>> {
    let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) =
        kind
    else {
        return None;
    };
    let depth = |error: &ValidationError<'_>| error.instance_path().as_str().matches('/').count();
    let reasons = context.iter().filter_map(|branch| branch.first());
    // Of several equally near ones the first.
    let near = reasons.rev().max_by_key(|error| depth(error))?;
    nearest(near.kind()).or(Some(near))
}

#[cfg(test)]
mod tests;
