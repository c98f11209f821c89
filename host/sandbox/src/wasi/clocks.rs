//! `wasi:clocks`: time is fuel.
//!
//! Both clocks begin where the call says and advance with the fuel used. Waiting costs the fuel that the time stands for
//! and takes none of ours, so a guest that sleeps an hour is out of fuel at once.

use std::sync::Arc;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::poll::{Pollable, subscribe};

use crate::meter::Meter;
use crate::state::State;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

impl wall_clock::Host for State {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        let nanos = self.meter.elapsed_nanos();
        Ok(wall_clock::Datetime {
            seconds: self.clock_start.saturating_add(nanos / NANOS_PER_SECOND),
            nanoseconds: u32::try_from(nanos % NANOS_PER_SECOND).unwrap_or(0),
        })
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        Ok(wall_clock::Datetime {
            seconds: 0,
            nanoseconds: 1,
        })
    }
}

impl monotonic_clock::Host for State {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.meter.elapsed_nanos())
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.timer(when)
    }

    fn subscribe_duration(&mut self, nanos: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.timer(self.meter.elapsed_nanos().saturating_add(nanos))
    }
}

impl State {
    fn timer(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let timer = Timer {
            when,
            meter: Arc::clone(&self.meter),
        };
        let timer = self.table.push(timer)?;
        subscribe(&mut self.table, timer)
    }
}

struct Timer {
    when: u64,
    meter: Arc<Meter>,
}

#[async_trait]
impl Pollable for Timer {
    /// A guest may wait for several things at once. So a timer lets everything else have its turn first, and of several
    /// timers only the earliest moves the clock.
    async fn ready(&mut self) {
        let waiting = Waiting::begin(&self.meter, self.when);
        while self.meter.elapsed_nanos() < self.when {
            tokio::task::yield_now().await;
            if waiting.is_earliest() {
                // However far off: what cannot be paid for ends the guest as soon as this returns.
                self.meter
                    .sleep(self.when.saturating_sub(self.meter.elapsed_nanos()));
                return;
            }
        }
    }
}

/// A timer that is being waited for, until it is dropped.
struct Waiting<'a> {
    meter: &'a Meter,
    when: u64,
}

impl<'a> Waiting<'a> {
    fn begin(meter: &'a Meter, when: u64) -> Self {
        meter.alarms().push(when);
        Self { meter, when }
    }

    fn is_earliest(&self) -> bool {
        self.meter.alarms().iter().all(|other| self.when <= *other)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut alarms = self.meter.alarms();
        if let Some(at) = alarms.iter().position(|when| *when == self.when) {
            alarms.swap_remove(at);
        }
    }
}
