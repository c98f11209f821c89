//! Compiled code as it is handed over: from the compiling process to this one, and from one run to the next by the cache.
//!
//! Owns the label behind the code: which component it was made of, by what, how long it is, and a digest. The engine
//! itself looks at none of these; it accepts a damaged file, and code of another component.
//!
//! **Invariant:** code is used only where the label names the component that was asked for and the engine that will run it,
//! and the digest is right. A label shows damage and mix-ups, not forgery: where artifacts may come from is the business of
//! `compile` and `cache`.

use std::fs::File;
use std::hash::{Hash, Hasher};
use std::os::fd::AsRawFd;

use ringfence_core::digest::{Digest, PartsHasher};
use wasmtime::Engine;
use wasmtime::component::Component;

const MAGIC: &[u8; 16] = b"ringfence code 3";
const DIGEST_BYTES: usize = 32;
const LENGTH_BYTES: usize = 8;
/// What stands behind the code, which the engine wants to be at the beginning of a file.
pub(crate) const LABEL_BYTES: usize = MAGIC.len() + 3 * DIGEST_BYTES + LENGTH_BYTES;

// Limit: code of the largest component that may be loaded, of which each byte becomes up to six of code.
/// The most code in bytes that is taken from a compiler or kept.
pub(crate) const CODE_BYTES_MAX: usize = 256 << 20;

/// Which code is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Label {
    /// The component's digest.
    pub(crate) component: Digest,
    /// What made it: [`engine_key`], and whatever else has to be the same.
    pub(crate) maker: Digest,
}

impl Label {
    /// What to put behind `code`.
    pub(crate) fn tail(&self, code: &[u8]) -> Vec<u8> {
        let length = (code.len() as u64).to_le_bytes();
        let digest = Digest::of(code);
        let parts = [
            &MAGIC[..],
            self.component.as_bytes(),
            self.maker.as_bytes(),
            &length,
            digest.as_bytes(),
        ];
        parts.concat()
    }

    /// The code before the label; none when it is another's, or damaged.
    pub(crate) fn code<'a>(&self, artifact: &'a [u8]) -> Option<&'a [u8]> {
        let length = artifact.len().checked_sub(LABEL_BYTES)?;
        let (code, tail) = artifact.split_at_checked(length)?;
        // The label of exactly this code: nothing of it is left to chance.
        (tail == self.tail(code)).then_some(code)
    }
}

/// Everything of the engine that decides its code: version, settings, target and the processor's features.
pub(crate) fn engine_key(engine: &Engine) -> Digest {
    let mut fed = Fed(PartsHasher::new("ringfence engine 1"));
    engine.precompile_compatibility_hash().hash(&mut fed);
    fed.0.finish()
}

/// Takes what the engine hashes into a digest that does not collide.
struct Fed(PartsHasher);

impl Hasher for Fed {
    fn write(&mut self, bytes: &[u8]) {
        self.0.part("", bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.finish();
        let first = digest.as_bytes().first_chunk().copied();
        u64::from_le_bytes(first.unwrap_or_default())
    }
}

/// Makes code ready to run.
///
/// # Errors
/// The engine's words: more memories, tables or instances than its pool has room for. That the code is another engine's, a
/// label has ruled out.
#[expect(unsafe_code, reason = "the one way to use compiled code")]
pub(crate) fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: a compiler of ours made the bytes, just now or for a cache that only this user can write to, and the digest
    // in their label shows that nothing has changed since.
    unsafe { Component::deserialize(engine, code) }
}

/// The same for a file that begins with code, which is mapped instead of copied. None also where the file cannot be opened
/// once more, such as without `/proc`.
#[expect(unsafe_code, reason = "the one way to use compiled code")]
pub(crate) fn deserialize_file(engine: &Engine, file: &File) -> Option<Component> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    // SAFETY: as above; and entries of the cache are replaced and removed, never written to.
    unsafe { Component::deserialize_file(engine, path) }.ok()
}

#[cfg(test)]
mod tests {
    use wasmtime::Config;

    use super::*;
    use crate::engine::{code_settings, settings};

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn a_label_fits_one_code_alone() {
        let label = Label {
            component: Digest::of(b"component"),
            maker: Digest::of(b"maker"),
        };
        let whole = [b"code".to_vec(), label.tail(b"code")].concat();
        assert_eq!(whole.len(), LABEL_BYTES + 4);
        assert_eq!(label.code(&whole), Some(&b"code"[..]));
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            assert_eq!(label.code(&flipped), None, "byte {at}");
            assert_eq!(label.code(&whole[..at]), None, "cut at {at}");
        }
        assert_eq!(label.code(&[&whole[..], b"x"].concat()), None);
        for other in [
            Label {
                component: Digest::of(b"other"),
                ..label
            },
            Label {
                maker: Digest::of(b"other"),
                ..label
            },
        ] {
            assert_eq!(other.code(&whole), None);
        }
    }

    fn engine(change: impl FnOnce(&mut Config) -> &mut Config) -> Engine {
        let mut config = code_settings();
        change(&mut config);
        Engine::new(&config).unwrap()
    }

    /// The process that compiles and the one that runs have settings of their own; what they share has to be enough.
    #[test]
    fn compiling_and_running_engines_have_one_key() {
        let (compiles, runs) = (engine(|config| config), Engine::new(&settings()).unwrap());
        assert_eq!(engine_key(&compiles), engine_key(&runs));
        let code = compiles.precompile_component(EMPTY).unwrap();
        assert!(deserialize(&runs, &code).is_ok());
    }

    #[test]
    fn whatever_decides_the_code_is_in_the_key() {
        let usual = engine(|config| config);
        let others = [
            ("fuel", engine(|config| config.consume_fuel(false))),
            (
                "floats",
                engine(|config| config.cranelift_nan_canonicalization(false)),
            ),
            ("epochs", engine(|config| config.epoch_interruption(true))),
            ("memory", engine(|config| config.memory_reservation(0))),
            ("features", engine(|config| config.wasm_simd(false))),
            // For a named target nothing is assumed of the processor.
            (
                "processor",
                engine(|config| config.target(&target()).unwrap()),
            ),
            (
                "optimisation",
                engine(|config| config.cranelift_opt_level(wasmtime::OptLevel::None)),
            ),
        ];
        let mut keys = std::collections::BTreeSet::from([engine_key(&usual)]);
        for (what, other) in &others {
            assert!(keys.insert(engine_key(other)), "{what} is not in the key");
        }
        assert_eq!(engine_key(&engine(|config| config)), engine_key(&usual));
    }

    fn target() -> String {
        format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
    }

    /// Behind the label, the engine refuses what it can tell by itself.
    #[test]
    fn the_engine_refuses_code_of_other_settings() {
        let usual = engine(|config| config);
        let code = engine(|config| config.consume_fuel(false)).precompile_component(EMPTY);
        assert!(deserialize(&usual, &code.unwrap()).is_err());
        assert!(deserialize(&usual, b"").is_err());
        assert!(
            deserialize(&usual, EMPTY).is_err(),
            "a component is no code"
        );
    }
}
