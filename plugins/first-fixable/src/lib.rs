//! `first-fixable`: the decider that needs no model.
//!
//! It takes the first eligible item with one of the wanted labels (by default `fixable`) and runs an executor's
//! action (by default `fix`) on it, with the item's detail as input. Which executor is said in the configuration, or
//! follows from there being only one that has the action. In every other case it decides on nothing and says why: no
//! items, none with the label, none eligible (with the host's reason for the first of them), no such executor, more
//! than one.
//!
//! ```toml
//! [decider]
//! plugin = "std:first-fixable"
//! config = { labels = ["fixable", "typo"], executor = "fix" }
//! ```
//!
//! **Invariant:** the same situation gives the same decision; sensors' order is kept, nothing is weighed. Eligibility
//! is the host's to say, and is never second-guessed.

use ringfence_sdk::prelude::*;
use serde::Deserialize;

ringfence_sdk::plugin!("../plugin.toml");

/// The `config` table.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    labels: Vec<String>,
    executor: Option<String>,
    action: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            labels: vec!["fixable".to_owned()],
            executor: None,
            action: "fix".to_owned(),
        }
    }
}

/// Decides on the first item that fits the configuration.
///
/// # Errors
/// [`Error::Config`] when the configuration is not one.
#[decider]
pub fn decide(cx: &Context, situation: &Situation) -> Result<Decision> {
    let config: Config = cx.config()?;
    let decided = first_item(&config, &situation.items).and_then(|item| {
        executor(&config, &situation.executors).map(|executor| run(&config, executor, item))
    });
    Ok(decided.unwrap_or_else(Decision::noop))
}

fn run(config: &Config, executor: &str, item: &SituationItem) -> Decision {
    let attempt = match item.attempts {
        0 => String::new(),
        tried => format!(", attempt {}", tried.saturating_add(1)),
    };
    let reason = format!(
        "first eligible item{}{attempt}: {}",
        wanted(config, " labelled "),
        item.title
    );
    Decision::run(
        executor,
        config.action.as_str(),
        item.detail.clone(),
        reason,
    )
    .item(item.id.as_str())
}

/// The first eligible item with a wanted label, or why there is none.
fn first_item<'a>(
    config: &Config,
    items: &'a [SituationItem],
) -> std::result::Result<&'a SituationItem, String> {
    if items.is_empty() {
        return Err("the sensors name no items".to_owned());
    }
    let is_wanted = |item: &&SituationItem| {
        config.labels.is_empty()
            || item
                .labels
                .iter()
                .any(|label| config.labels.contains(label))
    };
    let mut fitting = items.iter().filter(is_wanted).peekable();
    let Some(first) = fitting.peek().copied() else {
        return Err(format!(
            "of {} items none is{}",
            items.len(),
            wanted(config, " labelled ")
        ));
    };
    let count = fitting.clone().count();
    fitting.find(|item| item.eligible).ok_or_else(|| {
        let why = first.why_not.as_deref().unwrap_or("not eligible");
        format!(
            "{count} items{} but none is eligible; the first: {why}",
            wanted(config, " labelled ")
        )
    })
}

/// The wanted labels as words, after `before`; empty when any item will do.
fn wanted(config: &Config, before: &str) -> String {
    if config.labels.is_empty() {
        String::new()
    } else {
        format!("{before}{}", config.labels.join(" or "))
    }
}

/// The id of the executor to run, or why there is none.
fn executor<'a>(
    config: &Config,
    executors: &'a [ExecutorInfo],
) -> std::result::Result<&'a str, String> {
    let able = |executor: &&ExecutorInfo| {
        executor
            .actions
            .iter()
            .any(|action| action.name == config.action)
    };
    let named =
        |executor: &&ExecutorInfo| config.executor.as_ref().is_none_or(|id| executor.id == *id);
    let fitting: Vec<&str> = executors
        .iter()
        .filter(named)
        .filter(able)
        .map(|executor| executor.id.as_str())
        .collect();
    match (fitting.as_slice(), &config.executor) {
        ([only], _) => Ok(only),
        ([], Some(id)) => Err(format!(
            "there is no executor `{id}` with the action `{}`",
            config.action
        )),
        ([], None) => Err(format!("no executor has the action `{}`", config.action)),
        (several, _) => Err(format!(
            "{} executors have the action `{}`, and `executor` in the configuration names none: {}",
            several.len(),
            config.action,
            several.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests;
