//! `wasi:clocks`: time is fuel, unless the operator gives a program the machine's.
//!
//! By fuel, both clocks begin where the call says and advance with the fuel used. Waiting costs the fuel that the time
//! stands for and takes none of ours, so a guest that sleeps an hour is out of fuel at once. By the machine's clock,
//! waiting costs nothing but time, of which the deadline is the end.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use wasmtime::component::Resource;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::poll::{Pollable, subscribe};

use crate::meter::Meter;
use crate::state::State;

/// Where a guest's time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// From the fuel it uses, beginning at `start` seconds since 1970: the same on every run.
    Fuel {
        /// Seconds since 1970.
        start: u64,
    },
    /// From the machine.
    System,
}

impl wall_clock::Host for State {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        let now = match self.clock {
            Clock::Fuel { start } => Duration::from_secs(start)
                .saturating_add(Duration::from_nanos(self.meter.elapsed_nanos())),
            // A machine whose clock stands before 1970 has no time to tell.
            Clock::System => SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default(),
        };
        Ok(wall_clock::Datetime {
            seconds: now.as_secs(),
            nanoseconds: now.subsec_nanos(),
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
        Ok(self.nanos())
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.timer(when)
    }

    fn subscribe_duration(&mut self, nanos: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.timer(self.nanos().saturating_add(nanos))
    }
}

impl State {
    /// Nanoseconds since the call began.
    fn nanos(&self) -> u64 {
        match self.clock {
            Clock::Fuel { .. } => self.meter.elapsed_nanos(),
            Clock::System => u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX),
        }
    }

    fn timer(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        match self.clock {
            Clock::Fuel { .. } => {
                let meter = Arc::clone(&self.meter);
                let timer = self.table.push(Timer { when, meter })?;
                subscribe(&mut self.table, timer)
            }
            Clock::System => {
                let at = self.started.checked_add(Duration::from_nanos(when));
                let alarm = self.table.push(Alarm { at })?;
                subscribe(&mut self.table, alarm)
            }
        }
    }
}

/// Goes off by the machine's clock; never, when that is beyond what it can say.
struct Alarm {
    at: Option<Instant>,
}

#[async_trait]
impl Pollable for Alarm {
    async fn ready(&mut self) {
        match self.at {
            Some(at) => tokio::time::sleep_until(at.into()).await,
            None => std::future::pending().await,
        }
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
