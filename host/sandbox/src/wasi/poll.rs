//! `wasi:io/poll`: waiting, as it comes, but for a price.
//!
//! **Invariant:** a list to be waited for is paid for by its length: it may name one thing a million times, and the host
//! looks at each.

use wasmtime::component::Resource;
use wasmtime_wasi_io::bindings::wasi::io::poll::{Host, HostPollable};
use wasmtime_wasi_io::poll::DynPollable;

use crate::meter::POLLABLE;
use crate::state::State;

impl Host for State {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        self.meter
            .charge(POLLABLE.saturating_mul(pollables.len() as u64));
        self.table.poll(pollables).await
    }
}

impl HostPollable for State {
    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.table.block(pollable).await
    }

    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        self.table.ready(pollable).await
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        HostPollable::drop(&mut self.table, pollable)
    }
}
