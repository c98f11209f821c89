//! What the machine gives, a line for each thing.
//!
//! **Invariant:** the word before what was found says how it is; colour only repeats it.

use serde::Serialize;

use super::page::Page;
use super::safe::Safe;
use super::text::{Ink, text};

// Column of what was found.
const FOUND: usize = 15;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    /// What it is.
    pub(crate) name: &'static str,
    /// How it is.
    pub(crate) state: State,
    /// What was found.
    pub(crate) found: String,
    /// What that means and what to do, where something is wrong.
    pub(crate) help: Option<&'static str>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// As it should be.
    Ok,
    /// It works, and less would be at stake if it were better.
    Weaker,
    /// It is needed, and cannot be had.
    Missing,
    /// Nothing shows that it is so.
    Unproven,
}

/// The page.
pub(crate) fn page(checks: &[Check]) -> Page {
    let mut page = Page::new();
    for check in checks {
        let state = match check.state {
            State::Ok => text!["ok"].ink(Ink::Good),
            State::Weaker => text!["weaker"].ink(Ink::Warn),
            State::Missing => text!["missing"].ink(Ink::Bad),
            State::Unproven => text!["unproven"].ink(Ink::Warn),
        };
        let found = text![state, ": ", Safe::paragraph(&check.found)];
        page.field(0, FOUND, check.name, found);
        if let Some(help) = check.help {
            page.field(0, FOUND, "", help);
        }
    }
    page
}
