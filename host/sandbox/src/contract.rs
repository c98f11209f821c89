//! Our own interfaces: `log`, `config`, `change`, `evidence`.

mod change;
mod evidence;

use crate::bindings::ringfence::beat::{config, log, types};
use crate::state::State;

impl types::Host for State {}

impl log::Host for State {
    fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Trace => "trace",
            log::Level::Debug => "debug",
            log::Level::Info => "info",
            log::Level::Warn => "warn",
            log::Level::Error => "error",
        };
        self.output.message(level, &message);
        Ok(())
    }
}

impl config::Host for State {
    fn get(&mut self) -> wasmtime::Result<String> {
        self.meter.charge_bytes(self.config.len());
        Ok(self.config.clone())
    }
}
