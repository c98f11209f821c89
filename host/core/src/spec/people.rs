//! What a loop file says of people: what they are asked about, who tells them, and when nothing happens.
//!
//! **Invariant:** a loop file names whom a message goes to and never a program: what the name stands for is in the
//! operator's own file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Escalate;
use super::build::list;
use crate::diagnostic::{did_you_mean, quote};
use crate::quantity::Millis;
use crate::relpath::RelPath;
use crate::toml_doc::Section;

const AMBIGUITY: &str = "ambiguity";
const REPEATED_FAILURE: &str = "repeated-failure";
const BUDGET: &str = "budget";
const GATE_UNCERTAINTY: &str = "gate-uncertainty";
const TRIGGERS: [&str; 4] = [AMBIGUITY, REPEATED_FAILURE, BUDGET, GATE_UNCERTAINTY];
// Limit: what happens together is told together.
const DIGEST_DEFAULT: Millis = Millis(5 * 60_000);
const CONFIG: &str = "config:";

/// What people are asked or told about besides paths and labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct EscalateOn {
    /// A change of which the decider says that it is not sure.
    pub ambiguity: bool,
    /// An item whose attempts are used up, or fail for the same reason again.
    pub repeated_failure: bool,
    /// A budget of the day that is used up.
    pub budget: bool,
    /// A change that a gate abstains from, or passes with a warning.
    pub gate_uncertainty: bool,
}

/// Whom people's messages go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notify {
    /// The name of a command in the operator's file.
    pub to: String,
    /// At most one message in this time.
    pub digest: Millis,
}

/// Where a calendar is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CalendarRef {
    /// From the top of the repository.
    Project(RelPath),
    /// The name of a file in the operator's configuration directory.
    Config(String),
}

/// A text that names no calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is neither a path from the top of the repository nor \"config:\" and the name of a file", quote(.0))]
pub struct CalendarRefError(String);

impl Default for EscalateOn {
    /// Not the gates' doubts: what a loop proposes is looked at by a person anyway, and gates for code abstain from prose.
    fn default() -> Self {
        Self {
            ambiguity: true,
            repeated_failure: true,
            budget: true,
            gate_uncertainty: false,
        }
    }
}

impl FromStr for CalendarRef {
    type Err = CalendarRefError;
    fn from_str(text: &str) -> Result<Self, CalendarRefError> {
        let error = || CalendarRefError(text.to_owned());
        let path = |text: &str| {
            RelPath::lexical(text)
                .ok()
                .filter(|path| !path.is_root())
                .ok_or_else(error)
        };
        match text.strip_prefix(CONFIG) {
            Some(name) if name.contains('/') => Err(error()),
            Some(name) => path(name).map(|name| Self::Config(name.as_str().to_owned())),
            None => path(text.strip_prefix("./").unwrap_or(text)).map(Self::Project),
        }
    }
}

impl fmt::Display for CalendarRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project(path) => path.fmt(f),
            Self::Config(name) => write!(f, "{CONFIG}{name}"),
        }
    }
}

pub(super) fn escalate(root: &Section) -> Escalate {
    let section = root.one("escalate");
    let on = list(section, "on").map(|on| {
        let has = |trigger: &str| on.iter().any(|one| one == trigger);
        EscalateOn {
            ambiguity: has(AMBIGUITY),
            repeated_failure: has(REPEATED_FAILURE),
            budget: has(BUDGET),
            gate_uncertainty: has(GATE_UNCERTAINTY),
        }
    });
    Escalate {
        paths: list(section, "paths").unwrap_or_default(),
        labels: list(section, "labels").unwrap_or_default(),
        on: on.unwrap_or_default(),
    }
}

pub(super) fn notify(root: &Section) -> Option<Notify> {
    let section = root.one("notify")?;
    Some(Notify {
        to: section.text("to")?.to_owned(),
        digest: section.amount("digest").map_or(DIGEST_DEFAULT, Millis),
    })
}

pub(super) fn calendar(root: &Section) -> Option<CalendarRef> {
    root.text("calendar")?.parse().ok()
}

pub(super) fn check_trigger(text: &str) -> Result<(), String> {
    if TRIGGERS.contains(&text) {
        return Ok(());
    }
    let guess = did_you_mean(text, TRIGGERS).map_or_else(
        || format!("one of {}", TRIGGERS.join(", ")),
        |guess| format!("did you mean {guess:?}?"),
    );
    Err(format!(
        "{} is nothing to ask people about: {guess}",
        quote(text)
    ))
}

#[cfg(test)]
mod tests {
    use crate::quantity::Millis;
    use crate::spec::{CalendarRef, EscalateOn, Notify, Spec, parse};

    fn with(lines: &str) -> Result<Spec, String> {
        let steps = "[[sensor]]\nplugin = \"std:a\"\n[decider]\nplugin = \"std:b\"\n[[executor]]\nplugin = \"std:c\"\n[[gate]]\nplugin = \"std:d\"";
        let text = format!("+++\nloop = \"x\"\npaths.write = [\"a\"]\n{lines}\n{steps}\n+++\n");
        let problem =
            |found: Vec<crate::spec::Diagnostic>| found.first().map(|first| first.message.clone());
        parse(&text, "LOOP.md")
            .map(|(spec, _)| spec)
            .map_err(|found| problem(found).unwrap_or_default())
    }

    #[test]
    fn unless_written() {
        let spec = with("").unwrap();
        assert_eq!((spec.notify, spec.calendar), (None, None));
        assert_eq!(
            spec.escalate.on,
            EscalateOn {
                gate_uncertainty: false,
                ..all()
            }
        );
    }

    fn all() -> EscalateOn {
        EscalateOn {
            ambiguity: true,
            repeated_failure: true,
            budget: true,
            gate_uncertainty: true,
        }
    }

    #[test]
    fn as_written() {
        let on = |list: &str| with(&format!("escalate.on = {list}")).unwrap().escalate.on;
        let none = EscalateOn {
            ambiguity: false,
            repeated_failure: false,
            budget: false,
            gate_uncertainty: false,
        };
        assert_eq!(on("[]"), none);
        assert_eq!(
            on("[\"gate-uncertainty\"]"),
            EscalateOn {
                gate_uncertainty: true,
                ..none
            }
        );
        assert_eq!(
            on("[\"ambiguity\", \"repeated-failure\", \"budget\", \"gate-uncertainty\"]"),
            all()
        );
        let notify = |lines: &str| with(lines).unwrap().notify.unwrap();
        let team = |digest| Notify {
            to: "team".to_owned(),
            digest,
        };
        assert_eq!(notify("notify.to = \"team\""), team(Millis(300_000)));
        assert_eq!(
            notify("notify = { to = \"team\", digest = \"1d\" }"),
            team(Millis(86_400_000))
        );
        let calendar = |text: &str| {
            with(&format!("calendar = \"{text}\""))
                .unwrap()
                .calendar
                .unwrap()
        };
        assert_eq!(
            calendar("config:holidays.toml"),
            CalendarRef::Config("holidays.toml".to_owned())
        );
        for text in ["ops/x.toml", "./ops/x.toml"] {
            assert_eq!(calendar(text).to_string(), "ops/x.toml");
        }
    }

    #[test]
    fn what_does_not_fit() {
        for (lines, expect) in [
            (
                "escalate.on = [\"budgets\"]",
                "\"budgets\" is nothing to ask people about: did you mean \"budget\"?",
            ),
            (
                "escalate.on = [\"quite-something-else\"]",
                "\"quite-something-else\" is nothing to ask people about: one of",
            ),
            ("notify.digest = \"1h\"", "[notify] has no `to`"),
            (
                "notify = { to = \"/bin/mail\" }",
                "\"/bin/mail\" is not a name",
            ),
            (
                "notify = { to = \"team\", digest = \"8d\" }",
                "`digest` is 8d, and the most is 7d",
            ),
            (
                "notify = { to = \"team\", argv = [] }",
                "[notify] has no key \"argv\"",
            ),
            ("calendar = \"../x.toml\"", "\"../x.toml\" is neither"),
            ("calendar = \"/x.toml\"", "\"/x.toml\" is neither"),
            ("calendar = \"\"", "\"\" is neither"),
            ("calendar = \"config:\"", "\"config:\" is neither"),
            ("calendar = \"config:..\"", "\"config:..\" is neither"),
            ("calendar = \"config:a/b\"", "\"config:a/b\" is neither"),
        ] {
            let said = with(lines).unwrap_err();
            assert!(said.starts_with(expect), "{lines}: {said}");
        }
    }
}
