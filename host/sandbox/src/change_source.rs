//! Where a gate's `change` interface takes its answers from.

use ringfence_core::change::{Commit, FileChange};
use ringfence_core::relpath::RelPath;

/// Longest changed file whose bytes before the change cost no process of their own: a source holds those.
pub const HELD_FILE_BYTES_MAX: u64 = 4 << 20;

/// A measured change, as the runner or a test offers it to gates.
///
/// What a gate may read of it is judged by the sandbox, not here.
pub trait ChangeSource: Send + Sync {
    /// The files that differ, sorted by path.
    fn files(&self) -> &[FileChange];

    /// The bytes of `path` before the change; none when there was no such file. At most `max` bytes.
    ///
    /// # Errors
    /// When the bytes cannot be had or are more than `max`.
    fn read_base(&self, path: &RelPath, max: u64) -> std::io::Result<Option<Vec<u8>>>;

    /// A unified diff of `paths` with `context` lines of context. At most `max` bytes.
    ///
    /// # Errors
    /// When the diff cannot be had or is longer than `max`.
    fn unified_diff(&self, context: u32, paths: &[RelPath], max: u64) -> std::io::Result<String>;

    /// The commits that make up the change, oldest first, within the bounds of [`check_commits`]; none by default.
    ///
    /// [`check_commits`]: ringfence_core::change::check_commits
    fn commits(&self) -> &[Commit] {
        &[]
    }
}
