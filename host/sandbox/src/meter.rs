//! What one call has used, and the price list of host calls.
//!
//! Guest instructions burn fuel by themselves. A host call is charged here: the call hook takes what was charged from the
//! store's fuel before the guest goes on, so that a guest cannot spend the host for free.
//!
//! Time is fuel, too: clocks advance with the fuel used and a sleep is paid for, so that two runs of a call see the same
//! times.
//!
//! **Invariant:** charges depend on what was asked and on the bytes of the workspace, never on the machine, the kernel's
//! answers in time, or the way a path was resolved.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ringfence_core::quantity::{Bytes, Fuel};

/// What decides the fuel of a call besides component and input: another engine or price list means other figures, and a
/// figure from the one says nothing about the other. Raised by hand with every change here or of the engine.
pub const FUEL_RULES: &str = "wasmtime 48, prices 3";
/// Fuel per nanosecond: about what one core burns.
pub(crate) const FUEL_PER_NANO: u64 = 10;
/// Every host call.
pub(crate) const HOST_CALL: u64 = 500;
/// A call that asks the kernel for something, such as opening, looking, renaming.
pub(crate) const SYSCALL: u64 = 5_000;
/// Each name of a path, each link followed.
pub(crate) const PATH_NAME: u64 = 1_000;
/// Each entry that a listing shows, and each entry looked at for other names of a file or below a directory that moves.
pub(crate) const ENTRY: u64 = 500;
/// Each thing of a list to be waited for.
pub(crate) const POLLABLE: u64 = 100;
/// Each byte moved to or from a file, the log, a stream, or the source of randomness, and each byte of a path's text.
pub(crate) const BYTE: u64 = 1;
/// Each look at a change, for which the host runs git.
pub(crate) const GIT: u64 = 20_000_000;
/// Each changed file as it was before the change: the host reads them all at once
pub(crate) const BASE_FILE: u64 = 1_000_000;
/// Making sure that bytes are on the disk.
pub(crate) const SYNC: u64 = 1_000_000;

// Limit: the files of one change, twenty times over; each takes a block of the disk, however little is written to it.
const NAMES_MADE_MAX: u64 = 1 << 18;

/// Counts for one call; shared by its streams.
#[derive(Debug)]
pub(crate) struct Meter {
    fuel_limit: Fuel,
    /// Fuel left in the store when the guest last called the host.
    left_at_entry: AtomicU64,
    /// Charged since then.
    pending: AtomicU64,
    bytes_read: AtomicU64,
    bytes_written: AtomicU64,
    bytes_written_max: Bytes,
    names_made: AtomicU64,
    /// True once a host call has cost more than there was.
    broke: AtomicBool,
    /// When the timers that are being waited for go off.
    alarms: Mutex<Vec<u64>>,
    /// When the call's time is up; none when that is beyond what the clock can say.
    until: Option<Instant>,
}

impl Meter {
    pub(crate) fn new(fuel_limit: Fuel, bytes_written_max: Bytes) -> Self {
        Self {
            fuel_limit,
            left_at_entry: AtomicU64::new(fuel_limit.0),
            pending: AtomicU64::new(0),
            bytes_read: AtomicU64::new(0),
            bytes_written: AtomicU64::new(0),
            bytes_written_max,
            names_made: AtomicU64::new(0),
            broke: AtomicBool::new(false),
            alarms: Mutex::default(),
            until: None,
        }
    }

    /// The same for a call whose time is up then.
    pub(crate) fn ending(self, until: Option<Instant>) -> Self {
        Self { until, ..self }
    }

    /// The guest calls the host with `left` fuel in the store.
    pub(crate) fn enter_host(&self, left: u64) {
        self.left_at_entry.store(left, Ordering::Relaxed);
        self.charge(HOST_CALL);
    }

    /// The host returns: what is left for the guest; none when the charges exceed it.
    pub(crate) fn leave_host(&self, left: u64) -> Option<u64> {
        let entered = self.left_at_entry.load(Ordering::Relaxed);
        let left = left.checked_sub(self.pending.swap(0, Ordering::Relaxed));
        self.left_at_entry
            .store(left.unwrap_or(0), Ordering::Relaxed);
        // What begins with nothing left is the engine's own call that tells it so.
        let is_broke = left.is_none() && entered > 0;
        self.broke.fetch_or(is_broke, Ordering::Relaxed);
        left
    }

    /// True when the last unit went to a host call.
    pub(crate) fn is_broke(&self) -> bool {
        self.broke.load(Ordering::Relaxed)
    }

    pub(crate) fn charge(&self, fuel: u64) {
        let total = self.pending.load(Ordering::Relaxed).saturating_add(fuel);
        self.pending.store(total, Ordering::Relaxed);
    }

    pub(crate) fn charge_bytes(&self, bytes: usize) {
        self.charge((bytes as u64).saturating_mul(BYTE));
    }

    /// Counts bytes read from files.
    pub(crate) fn read(&self, bytes: usize) {
        self.charge_bytes(bytes);
        self.bytes_read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Reserves `bytes` of what the call may write; false when that is more than is left.
    pub(crate) fn may_write(&self, bytes: u64) -> bool {
        let total = self
            .bytes_written
            .load(Ordering::Relaxed)
            .saturating_add(bytes);
        let fits = total <= self.bytes_written_max.0;
        if fits {
            self.bytes_written.store(total, Ordering::Relaxed);
            self.charge(bytes.saturating_mul(BYTE));
        }
        fits
    }

    /// Counts a file, directory or link that is about to be made; false when the call has made too many.
    pub(crate) fn may_make(&self) -> bool {
        self.names_made.fetch_add(1, Ordering::Relaxed) < NAMES_MADE_MAX
    }

    /// Fuel used so far, as the clocks see it.
    pub(crate) fn used(&self) -> u64 {
        let left = self.left_at_entry.load(Ordering::Relaxed);
        self.fuel_limit
            .0
            .saturating_sub(left)
            .saturating_add(self.pending.load(Ordering::Relaxed))
    }

    /// Nanoseconds since the call began, on the guest's clock.
    pub(crate) fn elapsed_nanos(&self) -> u64 {
        self.used() / FUEL_PER_NANO
    }

    /// Lets the guest's clock advance by `nanos`, which the guest pays for.
    pub(crate) fn sleep(&self, nanos: u64) {
        self.charge(nanos.saturating_mul(FUEL_PER_NANO));
    }

    pub(crate) fn alarms(&self) -> MutexGuard<'_, Vec<u64>> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True when this host call has cost more than the guest has left, or its time is up: whatever is answered, the
    /// guest does not live to see it, so that there is no use in going on.
    pub(crate) fn is_over(&self) -> bool {
        self.pending.load(Ordering::Relaxed) > self.left_at_entry.load(Ordering::Relaxed)
            || self.is_late()
    }

    /// When the call's time is up; none when that is beyond what the clock can say.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// True when the call's time is up.
    pub(crate) fn is_late(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    pub(crate) fn bytes_read(&self) -> Bytes {
        Bytes(self.bytes_read.load(Ordering::Relaxed))
    }

    pub(crate) fn bytes_written(&self) -> Bytes {
        Bytes(self.bytes_written.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charges_are_taken_on_the_way_back() {
        let meter = Meter::new(Fuel(10_000), Bytes(10));
        meter.enter_host(9_000);
        meter.charge(1_000);
        assert_eq!(meter.used(), 1_000 + HOST_CALL + 1_000);
        assert_eq!(meter.leave_host(9_000), Some(9_000 - HOST_CALL - 1_000));
        assert!(!meter.is_broke());
        meter.charge(u64::MAX);
        assert_eq!(meter.leave_host(9_000), None, "no overflow makes it cheap");
        assert!(meter.is_broke());
        let idle = Meter::new(Fuel(10_000), Bytes(10));
        idle.enter_host(0);
        assert_eq!(idle.leave_host(0), None);
        assert!(!idle.is_broke(), "it had nothing left when it came");
    }

    #[test]
    fn it_is_over_when_fuel_or_time_is() {
        let meter = Meter::new(Fuel(10_000), Bytes(10));
        meter.enter_host(9_000);
        assert!(!meter.is_over());
        meter.charge(9_000);
        assert!(meter.is_over(), "the call itself has a price, too");
        let late = Meter::new(Fuel(10_000), Bytes(10)).ending(Some(Instant::now()));
        late.enter_host(9_000);
        assert!(late.is_over());
    }

    #[test]
    fn a_sleep_moves_the_clock_by_itself() {
        let meter = Meter::new(Fuel(1_000_000), Bytes(10));
        let before = meter.elapsed_nanos();
        meter.sleep(5_000);
        assert_eq!(meter.elapsed_nanos() - before, 5_000);
    }

    #[test]
    fn writes_stop_at_the_quota() {
        let meter = Meter::new(Fuel(1), Bytes(10));
        assert!(meter.may_write(10));
        assert!(!meter.may_write(1));
        assert!(!meter.may_write(u64::MAX));
        assert_eq!(meter.bytes_written(), Bytes(10));
    }

    #[test]
    fn names_stop_at_their_number() {
        let meter = Meter::new(Fuel(1), Bytes(1));
        let made = (0..NAMES_MADE_MAX + 9).filter(|_| meter.may_make()).count();
        assert_eq!(made as u64, NAMES_MADE_MAX);
    }
}
