//! `wasi:cli`: for a plugin no environment, no arguments, no input, and what it prints goes into the report; for a program
//! what the operator gives it. A terminal for neither.

use wasmtime::component::Resource;
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p2::bindings::cli::{
    environment, exit, stderr, stdin, stdout, terminal_input, terminal_output, terminal_stderr,
    terminal_stdin, terminal_stdout,
};
use wasmtime_wasi::p2::pipe::ClosedInputStream;
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream};

use super::streams::{Streams, Which};
use crate::state::State;

/// What a guest is told, and where its streams lead; by default nothing, and into the report.
#[derive(Debug, Default)]
pub(crate) struct Cli {
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) streams: Option<Streams>,
}

impl environment::Host for State {
    fn get_environment(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        for (name, value) in &self.cli.env {
            self.meter.charge_bytes(name.len() + value.len());
        }
        Ok(self.cli.env.clone())
    }

    fn get_arguments(&mut self) -> wasmtime::Result<Vec<String>> {
        for arg in &self.cli.args {
            self.meter.charge_bytes(arg.len());
        }
        Ok(self.cli.args.clone())
    }

    fn initial_cwd(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(None)
    }
}

impl exit::Host for State {
    fn exit(&mut self, status: Result<(), ()>) -> wasmtime::Result<()> {
        Err(I32Exit(i32::from(status.is_err())).into())
    }

    fn exit_with_code(&mut self, code: u8) -> wasmtime::Result<()> {
        Err(I32Exit(code.into()).into())
    }
}

impl stdin::Host for State {
    fn get_stdin(&mut self) -> wasmtime::Result<Resource<DynInputStream>> {
        let input: DynInputStream = match &self.cli.streams {
            Some(streams) => streams.input(&self.meter),
            None => Box::new(ClosedInputStream),
        };
        Ok(self.table.push(input)?)
    }
}

impl stdout::Host for State {
    fn get_stdout(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        self.stream(Which::Stdout)
    }
}

impl stderr::Host for State {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        self.stream(Which::Stderr)
    }
}

impl State {
    fn stream(&mut self, which: Which) -> wasmtime::Result<Resource<DynOutputStream>> {
        let writer: DynOutputStream = match &self.cli.streams {
            Some(streams) => streams.output(which, &self.meter),
            None => Box::new(self.output.writer(match which {
                Which::Stdout => "stdout",
                Which::Stderr => "stderr",
            })),
        };
        Ok(self.table.push(writer)?)
    }
}

impl terminal_input::Host for State {}
impl terminal_output::Host for State {}

impl terminal_input::HostTerminalInput for State {
    fn drop(&mut self, terminal: Resource<terminal_input::TerminalInput>) -> wasmtime::Result<()> {
        self.table.delete(terminal).map(drop).map_err(Into::into)
    }
}

impl terminal_output::HostTerminalOutput for State {
    fn drop(
        &mut self,
        terminal: Resource<terminal_output::TerminalOutput>,
    ) -> wasmtime::Result<()> {
        self.table.delete(terminal).map(drop).map_err(Into::into)
    }
}

impl terminal_stdin::Host for State {
    fn get_terminal_stdin(
        &mut self,
    ) -> wasmtime::Result<Option<Resource<terminal_stdin::TerminalInput>>> {
        Ok(None)
    }
}

impl terminal_stdout::Host for State {
    fn get_terminal_stdout(
        &mut self,
    ) -> wasmtime::Result<Option<Resource<terminal_stdout::TerminalOutput>>> {
        Ok(None)
    }
}

impl terminal_stderr::Host for State {
    fn get_terminal_stderr(
        &mut self,
    ) -> wasmtime::Result<Option<Resource<terminal_stderr::TerminalOutput>>> {
        Ok(None)
    }
}
