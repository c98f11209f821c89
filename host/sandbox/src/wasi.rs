//! The WASI interfaces besides the file system, each giving nothing: no environment, no arguments, no input, no network, a
//! clock that is fuel, and chance that is a seed. Programs can be given some of it by their operator, but the network
//! never.

pub(crate) mod cli;
pub(crate) mod clocks;
mod poll;
pub(crate) mod random;
pub(crate) mod streams;

use wasmtime::component::{HasData, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::p2::bindings::{cli as c, clocks as t, random as r, sockets as n};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsCtxView};
use wasmtime_wasi_io::bindings::wasi::io;

use crate::bindings::ringfence::beat::{change, config, evidence, log};
use crate::bindings::wasi::filesystem::{preopens, types};
use crate::state::State;

/// Links everything that a component may import.
///
/// # Errors
/// Only when two interfaces of one name are linked, which no input decides.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    io::error::add_to_linker::<_, Table>(linker, |state| &mut state.table)?;
    io::streams::add_to_linker::<_, Table>(linker, |state| &mut state.table)?;
    type Own = HasSelf<State>;
    fn own(state: &mut State) -> &mut State {
        state
    }
    io::poll::add_to_linker::<_, Own>(linker, own)?;
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
    change::add_to_linker::<_, Own>(linker, own)?;
    evidence::add_to_linker::<_, Own>(linker, own)
}

/// Links sockets that cannot be made: a world of `wasi:cli/command` imports them, whether its program wants any or not.
///
/// # Errors
/// See [`link`].
pub(crate) fn link_no_network(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    fn none(state: &mut State) -> WasiSocketsCtxView<'_> {
        WasiSocketsCtxView {
            ctx: &mut state.sockets,
            table: &mut state.table,
        }
    }
    n::instance_network::add_to_linker::<_, WasiSockets>(linker, none)?;
    n::network::add_to_linker::<_, WasiSockets>(linker, &n::network::LinkOptions::default(), none)?;
    n::ip_name_lookup::add_to_linker::<_, WasiSockets>(linker, none)?;
    n::tcp::add_to_linker::<_, WasiSockets>(linker, none)?;
    n::tcp_create_socket::add_to_linker::<_, WasiSockets>(linker, none)?;
    n::udp::add_to_linker::<_, WasiSockets>(linker, none)?;
    n::udp_create_socket::add_to_linker::<_, WasiSockets>(linker, none)
}

/// The table alone is what streams and errors are kept in.
struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}
