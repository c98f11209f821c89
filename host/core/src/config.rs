//! The operator's own file: what the names in loop files stand for on this machine.
//!
//! ```toml
//! [notify.team]
//! argv = ["/usr/local/bin/tell-the-team", "--json"]
//! deadline = "30s"
//! ```
//!
//! **Invariant:** a repository can name a command and never say what it is. A key that is not understood refuses the whole
//! file.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::diagnostic::{Diagnostics, line_column};
use crate::quantity::Millis;
use crate::toml_doc::{Key, Kind, Table};

/// Longest file in bytes.
// Limit: a few lines for each of a few commands.
pub const CONFIG_BYTES_MAX: u64 = 64 << 10;
// Limit: a message is handed over, not waited with.
const DEADLINE_DEFAULT: Millis = Millis(30_000);
const DEADLINE_MAX: Millis = Millis(300_000);
// Limit: a program and its switches.
const ARGS_MAX: usize = 64;

/// What is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

/// What the operator's file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    notify: BTreeMap<String, NotifyCommand>,
}

/// A command that hands a message on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifyCommand {
    /// The absolute path of a program, and what it is told.
    pub argv: Vec<String>,
    /// How long it may take.
    pub deadline: Millis,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    argv: Vec<String>,
    deadline: Option<String>,
}

static CONFIG: Table = Table {
    title: "config.toml",
    later: &[],
    keys: &[Key::optional(
        "notify",
        Kind::Json,
        "the commands that hand messages to people, each by its name",
    )],
};

impl Config {
    /// Reads the file of at most [`CONFIG_BYTES_MAX`].
    ///
    /// # Errors
    /// [`ConfigError`] with the first problem.
    pub fn parse(source: &str) -> Result<Self, ConfigError> {
        let mut found = Diagnostics::default();
        let root = crate::toml_doc::read(source, &CONFIG, 0..0, &mut found);
        if let Some(first) = found.into_sorted().first() {
            let (line, _) = line_column(source, first.span.start);
            return Err(ConfigError(format!("line {line}: {}", first.message)));
        }
        let mut notify = BTreeMap::new();
        let commands = root.as_ref().and_then(|root| root.json("notify"));
        if let Some(Value::Object(commands)) = commands.map(|json| &json.value) {
            for (name, command) in commands {
                let command = command_of(command)
                    .map_err(|why| ConfigError(format!("[notify.{name}]: {why}")))?;
                notify.insert(name.clone(), command);
            }
        }
        Ok(Self { notify })
    }

    /// The command of that name.
    #[must_use]
    pub fn notify(&self, name: &str) -> Option<&NotifyCommand> {
        self.notify.get(name)
    }
}

fn command_of(value: &Value) -> Result<NotifyCommand, String> {
    let raw = Raw::deserialize(value).map_err(|error| error.to_string())?;
    let absolute = raw
        .argv
        .first()
        .is_some_and(|program| program.starts_with('/'));
    if !absolute {
        return Err("argv begins with the absolute path of a program".to_owned());
    }
    if raw.argv.len() > ARGS_MAX || raw.argv.iter().any(|arg| arg.contains('\0')) {
        return Err(format!("argv is at most {ARGS_MAX} texts without NUL"));
    }
    let deadline = match raw.deadline {
        None => DEADLINE_DEFAULT,
        Some(text) => text
            .parse()
            .map_err(|error: crate::quantity::QuantityError| error.to_string())?,
    };
    if deadline > DEADLINE_MAX {
        return Err(format!(
            "the deadline is {deadline}, at most {DEADLINE_MAX} are waited"
        ));
    }
    Ok(NotifyCommand {
        argv: raw.argv,
        deadline,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_commands() {
        let text = "[notify.team]\nargv = [\"/bin/mail\", \"-s\"]\n[notify.me]\nargv = [\"/bin/x\"]\ndeadline = \"5s\"";
        let config = Config::parse(text).unwrap();
        let team = config.notify("team").unwrap();
        assert_eq!(
            (team.argv.join(" "), team.deadline),
            ("/bin/mail -s".to_owned(), Millis(30_000))
        );
        assert_eq!(config.notify("me").unwrap().deadline, Millis(5_000));
        assert_eq!(config.notify("you"), None);
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        for (text, expect) in [
            ("notify", "line 1: invalid TOML"),
            (
                "[notifications.team]",
                "line 1: config.toml has no key \"notifications\"",
            ),
            ("[notify]\nteam = 1", "[notify.team]: invalid type"),
            (
                "[notify.team]\nargv = []",
                "[notify.team]: argv begins with",
            ),
            (
                "[notify.team]\nargv = [\"mail\"]",
                "[notify.team]: argv begins with",
            ),
            (
                "[notify.team]\nargv = [\"/x\"]\nshell = true",
                "[notify.team]: unknown field",
            ),
            (
                "[notify.team]\nargv = [\"/x\"]\ndeadline = \"0s\"",
                "[notify.team]: \"0s\" is not",
            ),
            (
                "[notify.team]\nargv = [\"/x\"]\ndeadline = \"1d\"",
                "[notify.team]: the deadline is 1d",
            ),
        ] {
            let error = Config::parse(text).unwrap_err().to_string();
            assert!(error.starts_with(expect), "{text}: {error}");
        }
    }
}
