//! What drills are bound to.

use crate::digest::{Digest, PartsHasher};
use crate::json;
use crate::snapshot::setup;
use crate::spec::LockedSpec;

/// The digest of everything that a loop's drills were a trial of: its loop file, each plugin, each effective grant, which
/// holds this version's own denials as well, each configuration, the rules of the engine, and the folder that the loop keeps its
/// history in, so that the result of a trial elsewhere is worth nothing here.
#[must_use]
pub fn bound_to(spec: &LockedSpec, engine: &str, place: &str) -> Digest {
    let mut hasher = PartsHasher::new("ringfence drills 1");
    hasher
        .part(
            "setup",
            setup(&spec.file_digest, &spec.plugins()).as_bytes(),
        )
        .part("engine", engine.as_bytes())
        .part("place", place.as_bytes());
    for step in spec.steps() {
        hasher
            .part("grant", step.grant_digest().as_bytes())
            .part("config", json::canonical(&step.config).as_bytes());
    }
    hasher.finish()
}
