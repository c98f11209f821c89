//! `wasi:random`: an endless stream of BLAKE3 output over the call's seed.

use std::fs::File;
use std::io::Read;

use blake3::OutputReader;
use ringfence_core::digest::Digest;
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

use crate::meter::BYTE;
use crate::state::State;

// Limit: what the host holds for one answer. Who asks for more is ended, for there is no code to refuse with.
const BYTES_MAX: u64 = 16 << 20;

/// A seed that nobody can foretell, from the machine.
///
/// # Errors
/// What the machine says that has none to give.
pub fn random_seed() -> std::io::Result<Digest> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(Digest::of(&bytes))
}

/// Chance that is the same for the same seed.
#[derive(Debug)]
pub(crate) struct Randomness(OutputReader);

impl Randomness {
    pub(crate) fn new(seed: &Digest) -> Self {
        Self(blake3::Hasher::new_keyed(seed.as_bytes()).finalize_xof())
    }

    fn draw(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

impl State {
    fn random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        if len > BYTES_MAX {
            return Err(wasmtime::Error::msg(format!(
                "{len} random bytes asked for at once, at most {BYTES_MAX} are given"
            )));
        }
        self.meter.charge(len.saturating_mul(BYTE));
        let mut bytes = vec![0; usize::try_from(len)?];
        self.randomness.0.fill(&mut bytes);
        Ok(bytes)
    }
}

impl random::Host for State {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(len)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.randomness.draw())
    }
}

impl insecure::Host for State {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(len)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.randomness.draw())
    }
}

impl insecure_seed::Host for State {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((self.randomness.draw(), self.randomness.draw()))
    }
}
