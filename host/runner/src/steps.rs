//! Named places between one durable effect and the next, so that a test can end the process at each of them.
//!
//! **Invariant:** the production hook does nothing, and a hook is always handed in: there is no global and no
//! environment variable that could stop a real beat.

/// Is told each time the program stands between two effects.
pub trait Steps {
    /// Called at `step`, one of [`NAMES`].
    fn at(&self, step: &'static str);

    /// True when the beat is to end before it asks its next component.
    fn stopped(&self) -> bool {
        false
    }
}

/// Lets every step pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSteps;

impl Steps for NoSteps {
    fn at(&self, _step: &'static str) {}
}

/// Every name that [`Steps::at`] is called with, roughly in the order of a beat.
pub const NAMES: [&str; 18] = [
    LEFTOVERS_REMOVED,
    JOURNAL_OPENED,
    JOURNAL_WRITTEN,
    JOURNAL_SYNCED,
    JOURNAL_TORN_KEPT,
    JOURNAL_CUT,
    CHECKOUT_BEGINS,
    CHECKOUT_CLEANED,
    CHECKOUT_DONE,
    CHANGE_STAGED,
    CHANGE_MEASURED,
    PATCH_BEGINS,
    PATCH_WRITTEN,
    STREAM_WRITTEN,
    OBJECTS_IMPORTED,
    COMMIT_VERIFIED,
    REF_CREATED,
    REF_SYNCED,
];

/// Every name besides that a commit to a branch of the user's comes to, roughly in order.
pub const COMMIT_NAMES: [&str; 14] = [
    COMMIT_STAGED,
    OBJECTS_IMPORTED,
    INDEX_LOCKED,
    INDEX_PREPARED,
    COMMIT_LOGGED,
    TREE_FILE_PUT,
    TREE_PUT,
    TARGET_MOVED,
    TARGET_SYNCED,
    INDEX_REPLACED,
    COMMIT_LOG_REMOVED,
    INDEX_UNLOCKED,
    TREE_FILE_BACK,
    TREE_BACK,
];

/// The journal file exists and is open; nothing is written yet.
pub const JOURNAL_OPENED: &str = "journal-opened";
/// A line is written but not flushed.
pub const JOURNAL_WRITTEN: &str = "journal-written";
/// A line is on disk.
pub const JOURNAL_SYNCED: &str = "journal-synced";
/// The torn bytes have a file of their own; the journal still ends with them.
pub const JOURNAL_TORN_KEPT: &str = "journal-torn-kept";
/// The torn bytes are cut off.
pub const JOURNAL_CUT: &str = "journal-cut";
/// The checkout is about to be moved.
pub const CHECKOUT_BEGINS: &str = "checkout-begins";
/// What does not belong in the checkout is gone; tracked files may still differ.
pub const CHECKOUT_CLEANED: &str = "checkout-cleaned";
/// The checkout equals its tree.
pub const CHECKOUT_DONE: &str = "checkout-done";
/// The candidate's blobs and tree are in the store.
pub const CHANGE_STAGED: &str = "change-staged";
/// The change set is complete.
pub const CHANGE_MEASURED: &str = "change-measured";
/// A patch file is about to be written.
pub const PATCH_BEGINS: &str = "patch-begins";
/// A patch file is on disk under its name.
pub const PATCH_WRITTEN: &str = "patch-written";
/// The import stream is in a file; the user's repository is untouched.
pub const STREAM_WRITTEN: &str = "stream-written";
/// The commit's objects are in the user's repository, and no ref names them.
pub const OBJECTS_IMPORTED: &str = "objects-imported";
/// The commit is what was judged, and its objects' directories are on disk.
pub const COMMIT_VERIFIED: &str = "commit-verified";
/// The branch exists.
pub const REF_CREATED: &str = "ref-created";
/// The branch is on disk.
pub const REF_SYNCED: &str = "ref-synced";
/// Recovery has removed what an earlier beat left lying about.
pub const LEFTOVERS_REMOVED: &str = "leftovers-removed";
/// The new files are on disk in the loop's folder; nobody has seen anything.
pub const COMMIT_STAGED: &str = "commit-staged";
/// The user's index is locked.
pub const INDEX_LOCKED: &str = "index-locked";
/// What the index is to be lies beside it.
pub const INDEX_PREPARED: &str = "index-prepared";
/// The log is on disk; the working tree is untouched.
pub const COMMIT_LOGGED: &str = "commit-logged";
/// One file of the working tree is the new one, or gone.
pub const TREE_FILE_PUT: &str = "tree-file-put";
/// All of them are, and on disk.
pub const TREE_PUT: &str = "tree-put";
/// The target branch is at the new commit.
pub const TARGET_MOVED: &str = "target-moved";
/// That is on disk.
pub const TARGET_SYNCED: &str = "target-synced";
/// The index is the new one, and on disk.
pub const INDEX_REPLACED: &str = "index-replaced";
/// There is nothing left to finish or to undo but the lock.
pub const COMMIT_LOG_REMOVED: &str = "commit-log-removed";
/// The user's git may write again.
pub const INDEX_UNLOCKED: &str = "index-unlocked";
/// One file of the working tree is the old one again.
pub const TREE_FILE_BACK: &str = "tree-file-back";
/// All of them are, and on disk.
pub const TREE_BACK: &str = "tree-back";
