//! What every role's function is given: its configuration and a way to say something.
//!
//! Owns the parsed configuration and, in native tests, the collected log.
//!
//! **Invariant:** nothing of a call outlives it; each call has an instance of its own.

use std::cell::RefCell;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    bindings::shared::ringfence::beat::{config, log},
    error::{Error, Result},
};

/// How loud a log message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Every detail.
    Trace,
    /// For the plugin's author.
    Debug,
    /// For whoever reads the report.
    Info,
    /// Something odd.
    Warn,
    /// Something broken.
    Error,
}

/// What a role's function is given.
#[derive(Debug)]
pub struct Context {
    config: Value,
    log: Log,
}

#[derive(Debug)]
enum Log {
    Host,
    Kept(RefCell<Vec<(Level, String)>>),
}

impl Context {
    /// A context for native tests; what is logged can be read with [`Context::logged`].
    pub fn test(config: Value) -> Self {
        Self {
            config,
            log: Log::Kept(RefCell::default()),
        }
    }

    /// The context of a call by the host.
    pub(crate) fn of_call() -> Result<Self> {
        Ok(Self {
            config: serde_json::from_str(&config::get())?,
            log: Log::Host,
        })
    }

    /// The step's configuration in the plugin's own type.
    ///
    /// # Errors
    /// [`Error::Config`] with serde's message when it does not fit.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T> {
        T::deserialize(&self.config).map_err(|error| Error::config(error.to_string()))
    }

    /// Logs every detail.
    pub fn trace(&self, message: impl AsRef<str>) {
        self.log(Level::Trace, message.as_ref());
    }

    /// Logs for the plugin's author.
    pub fn debug(&self, message: impl AsRef<str>) {
        self.log(Level::Debug, message.as_ref());
    }

    /// Logs for whoever reads the report.
    pub fn info(&self, message: impl AsRef<str>) {
        self.log(Level::Info, message.as_ref());
    }

    /// Logs something odd.
    pub fn warn(&self, message: impl AsRef<str>) {
        self.log(Level::Warn, message.as_ref());
    }

    /// Logs something broken.
    pub fn error(&self, message: impl AsRef<str>) {
        self.log(Level::Error, message.as_ref());
    }

    /// What was logged so far, in order. Empty inside a call by the host, which has taken the messages already.
    pub fn logged(&self) -> Vec<(Level, String)> {
        match &self.log {
            Log::Host => Vec::new(),
            Log::Kept(messages) => messages.borrow().clone(),
        }
    }

    fn log(&self, level: Level, message: &str) {
        match &self.log {
            Log::Host => log::write(level.into(), message),
            Log::Kept(messages) => messages.borrow_mut().push((level, message.to_owned())),
        }
    }
}

impl From<Level> for log::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Trace => Self::Trace,
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Config {
        max: u32,
    }

    #[test]
    fn config_is_typed() {
        let config: Config = Context::test(json!({"max": 3})).config().unwrap();
        assert_eq!(config.max, 3);
    }

    #[test]
    fn a_config_that_does_not_fit_names_why() {
        let error = Context::test(json!({})).config::<Config>().unwrap_err();
        assert_eq!(error, Error::config("missing field `max`"));
    }

    #[test]
    fn log_is_kept_in_order() {
        let cx = Context::test(json!({}));
        cx.warn("odd");
        cx.info(format!("{} files", 2));
        assert_eq!(
            cx.logged(),
            [
                (Level::Warn, "odd".to_owned()),
                (Level::Info, "2 files".to_owned())
            ]
        );
    }
}
