//! Everything that people read: text that cannot carry a terminal's commands, tables, and what reports look like.
//!
//! [`safe`] is the one place where foreign text becomes showable, [`text`] and [`page`] are what lines are made of;
//! the other modules turn values of `ringfence_core` into pages.
//!
//! **Invariant:** a [`Page`] holds the program's own words and [`Safe`] text, nothing else: there is no way to put a
//! `String` on it. Nothing here prints or asks the machine anything.

pub(crate) mod amount;
pub(crate) mod authority;
pub(crate) mod bar;
pub(crate) mod diagnostic;
pub(crate) mod doctor;
pub(crate) mod drill;
pub(crate) mod estimate;
pub(crate) mod exec;
pub(crate) mod explained;
pub(crate) mod gate;
pub(crate) mod grant;
pub(crate) mod html;
pub(crate) mod import;
pub(crate) mod inbox;
pub(crate) mod journal;
pub(crate) mod json;
pub(crate) mod log;
pub(crate) mod metrics;
mod native;
pub(crate) mod page;
pub(crate) mod plugin;
pub(crate) mod receipt;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod safe;
pub(crate) mod selftest;
pub(crate) mod status;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod xml;

pub(crate) use page::Page;
pub(crate) use safe::Safe;
pub(crate) use text::{Ink, Text, text};
