//! Compiled code on disk, so that a component is compiled once per machine.
//!
//! An entry's name is a digest over everything that decides the code: the component, the engine's version and settings,
//! and the processor's features. Its first bytes are a digest of the rest, checked before use, because the engine itself
//! accepts a damaged file.
//!
//! **Invariant:** code is taken only from a directory that nobody but this user can write to. Whoever can write there can
//! run programs as this user anyway; a digest guards against damage, not against the owner.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use ringfence_core::digest::{Digest, PartsHasher};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::engine::SandboxError;

// Limit: some hundred components; the oldest go first.
const BYTES_MAX: u64 = 512 << 20;
const DIGEST_BYTES: usize = 32;

/// A directory of compiled components.
#[derive(Debug)]
pub(crate) struct Cache {
    dir: PathBuf,
    engine_key: u64,
}

impl Cache {
    /// Opens the directory, making it where there is none.
    pub(crate) fn open(dir: PathBuf, engine: &Engine) -> Result<Self, SandboxError> {
        let failed = |why: String| SandboxError::Cache {
            path: dir.clone(),
            why,
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir)
            .map_err(|error| failed(error.to_string()))?;
        let found = fs::symlink_metadata(&dir).map_err(|error| failed(error.to_string()))?;
        if !found.is_dir()
            || found.uid() != rustix::process::geteuid().as_raw()
            || found.mode() & 0o022 != 0
        {
            return Err(failed(
                "it must be a directory of yours that nobody else can write to".to_owned(),
            ));
        }
        // Not stable between compilers, which is one more reason for a new key.
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self {
            dir,
            engine_key: hasher.finish(),
        })
    }

    /// The code for the component with this digest; none when there is none that can be trusted.
    pub(crate) fn get(&self, engine: &Engine, component: &Digest) -> Option<Component> {
        let entry = fs::read(self.path(component)).ok()?;
        let (digest, code) = entry.split_at_checked(DIGEST_BYTES)?;
        if digest != Digest::of(code).as_bytes() {
            return None;
        }
        deserialize(engine, code)
    }

    /// Keeps the code. A cache that cannot be written to costs time, not correctness, so failures end here.
    pub(crate) fn put(&self, component: &Component, digest: &Digest) {
        let Ok(code) = component.serialize() else {
            return;
        };
        if self.write(&self.path(digest), &code).is_ok() {
            self.shrink(BYTES_MAX);
        }
    }

    fn path(&self, component: &Digest) -> PathBuf {
        let mut hasher = PartsHasher::new("ringfence compiled component 1");
        hasher.part("component", component.as_bytes());
        hasher.part("engine", &self.engine_key.to_le_bytes());
        self.dir.join(format!("{}.cwasm", hasher.finish().hex()))
    }

    /// Another process sees the whole entry or none.
    fn write(&self, path: &Path, code: &[u8]) -> std::io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(".new-")
            .tempfile_in(&self.dir)?;
        file.write_all(Digest::of(code).as_bytes())?;
        file.write_all(code)?;
        file.persist(path)?;
        Ok(())
    }

    /// Removes the entries that were not made recently until the rest fits.
    fn shrink(&self, bytes_max: u64) {
        let Ok(entries) = fs::read_dir(&self.dir) else {
            return;
        };
        let mut entries: Vec<_> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let found = entry.metadata().ok()?;
                Some((found.modified().ok()?, found.len(), entry.path()))
            })
            .collect();
        entries.sort_unstable_by(|a, b| b.cmp(a));
        let mut total = 0;
        for (_, len, path) in entries {
            total += len;
            if total > bytes_max && fs::remove_file(&path).is_err() {
                return;
            }
        }
    }
}

#[expect(
    unsafe_code,
    reason = "the one way to use compiled code; see the invariant of this module"
)]
fn deserialize(engine: &Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: the bytes were written by `put`, as the digest shows, in a directory that only this user can write to.
    unsafe { Component::deserialize(engine, code) }.ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn parts() -> (tempfile::TempDir, Engine, Cache) {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::default();
        let cache = Cache::open(dir.path().join("cache"), &engine).unwrap();
        (dir, engine, cache)
    }

    #[test]
    fn damaged_entries_are_not_used() {
        let (_dir, engine, cache) = parts();
        let digest = Digest::of(EMPTY);
        assert!(cache.get(&engine, &digest).is_none());
        cache.put(&Component::new(&engine, EMPTY).unwrap(), &digest);
        assert!(cache.get(&engine, &digest).is_some());
        let path = cache.path(&digest);
        let whole = fs::read(&path).unwrap();
        for at in [0, DIGEST_BYTES, whole.len() / 2, whole.len() - 1] {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            fs::write(&path, flipped).unwrap();
            assert!(cache.get(&engine, &digest).is_none(), "byte {at}");
        }
        for len in [0, 10, DIGEST_BYTES, whole.len() - 1] {
            fs::write(&path, &whole[..len]).unwrap();
            assert!(cache.get(&engine, &digest).is_none(), "cut at {len}");
        }
    }

    #[test]
    fn a_directory_that_others_can_write_to_is_refused() {
        let (dir, engine, _) = parts();
        let open = dir.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(Cache::open(open, &engine).is_err());
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(dir.path(), &link).unwrap();
        assert!(Cache::open(link, &engine).is_err());
    }

    #[test]
    fn old_entries_go_when_it_is_full() {
        let (_dir, _, cache) = parts();
        for n in 0..5 {
            fs::write(cache.dir.join(format!("{n}.cwasm")), [0; 100]).unwrap();
        }
        cache.shrink(250);
        assert_eq!(fs::read_dir(&cache.dir).unwrap().count(), 2);
    }
}
