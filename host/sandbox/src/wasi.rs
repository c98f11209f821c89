//! The WASI interfaces besides the file system, each giving nothing: no environment, no arguments, no input, no network, a
//! clock that is fuel, and chance that is a seed.

mod cli;
mod clocks;
pub(crate) mod random;

use wasmtime::component::{HasSelf, Linker};
use wasmtime_wasi::p2::bindings::{cli as c, clocks as t, random as r};

use crate::bindings::ringfence::beat::{change, config, log};
use crate::bindings::wasi::filesystem::{preopens, types};
use crate::state::State;

/// Links everything that a component may import.
///
/// # Errors
/// Only when two interfaces of one name are linked, which no input decides.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi_io::add_to_linker_async(linker)?;
    type Own = HasSelf<State>;
    fn own(state: &mut State) -> &mut State {
        state
    }
    c::environment::add_to_linker::<_, Own>(linker, own)?;
    c::exit::add_to_linker::<_, Own>(linker, own)?;
    c::stdin::add_to_linker::<_, Own>(linker, own)?;
    c::stdout::add_to_linker::<_, Own>(linker, own)?;
    c::stderr::add_to_linker::<_, Own>(linker, own)?;
    c::terminal_input::add_to_linker::<_, Own>(linker, own)?;
    c::terminal_output::add_to_linker::<_, Own>(linker, own)?;
    c::terminal_stdin::add_to_linker::<_, Own>(linker, own)?;
    c::terminal_stdout::add_to_linker::<_, Own>(linker, own)?;
    c::terminal_stderr::add_to_linker::<_, Own>(linker, own)?;
    t::wall_clock::add_to_linker::<_, Own>(linker, own)?;
    t::monotonic_clock::add_to_linker::<_, Own>(linker, own)?;
    r::random::add_to_linker::<_, Own>(linker, own)?;
    r::insecure::add_to_linker::<_, Own>(linker, own)?;
    r::insecure_seed::add_to_linker::<_, Own>(linker, own)?;
    types::add_to_linker::<_, Own>(linker, own)?;
    preopens::add_to_linker::<_, Own>(linker, own)?;
    log::add_to_linker::<_, Own>(linker, own)?;
    config::add_to_linker::<_, Own>(linker, own)?;
    change::add_to_linker::<_, Own>(linker, own)
}
