//! Where a gate's `change` interface takes its answers from.

mod asked;

use ringfence_core::change::FileChange;
use ringfence_core::relpath::RelPath;

pub(crate) use self::asked::{Asked, Question};

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
}
