//! Why a file call ends without an answer: a denial, or what a file system says.

use ringfence_core::policy::{Access, Rule};
use ringfence_core::relpath::PathError;
use rustix::io::Errno;

use crate::bindings::wasi::filesystem::types::ErrorCode;

/// The end of a file call.
#[derive(Debug)]
pub(super) enum Stop {
    /// The policy refuses; reported to the operator.
    Denied(Refusal),
    /// The file system refuses, as POSIX says.
    Code(ErrorCode),
    /// Somebody changed the tree under our hands and it could not be put right: the guest may not go on.
    Broken(std::io::Error),
}

/// A refusal before it is counted.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) path: String,
    pub(super) access: Access,
    pub(super) rule: Rule,
}

pub(super) type Answer<T> = Result<T, Stop>;

// Limit: nobody changes the same name four times in a row by chance.
const TRIES_MAX: usize = 4;

/// Does `deed` again as long as somebody else changes the name that it is about; none is such a try.
///
/// # Errors
/// Those of `deed`; `busy` when it never settles.
pub(super) fn settled<T>(mut deed: impl FnMut() -> Answer<Option<T>>) -> Answer<T> {
    for _ in 0..TRIES_MAX {
        if let Some(done) = deed()? {
            return Ok(done);
        }
    }
    Err(ErrorCode::Busy.into())
}

/// Refuses `access` at `path`.
pub(super) fn denied<T>(path: impl ToString, access: Access, rule: Rule) -> Answer<T> {
    let path = path.to_string();
    Err(Stop::Denied(Refusal { path, access, rule }))
}

/// Refuses a text that is no path of the workspace.
pub(super) fn misshapen<T>(path: &str, access: Access, error: PathError) -> Answer<T> {
    match error {
        PathError::Empty => Err(Stop::Code(ErrorCode::NoEntry)),
        PathError::TooLong => Err(Stop::Code(ErrorCode::NameTooLong)),
        PathError::Nul => Err(Stop::Code(ErrorCode::Invalid)),
        error => denied(path, access, Rule::Shape { error }),
    }
}

impl From<ErrorCode> for Stop {
    fn from(code: ErrorCode) -> Self {
        Self::Code(code)
    }
}

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Self {
        Self::Code(code(errno))
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Code(
            error
                .raw_os_error()
                .map_or(ErrorCode::Io, |raw| code(Errno::from_raw_os_error(raw))),
        )
    }
}

/// The WASI code of a kernel error.
pub(super) fn code(errno: Errno) -> ErrorCode {
    match errno {
        Errno::ACCESS => ErrorCode::Access,
        Errno::AGAIN => ErrorCode::WouldBlock,
        Errno::BADF => ErrorCode::BadDescriptor,
        Errno::BUSY => ErrorCode::Busy,
        Errno::DQUOT => ErrorCode::Quota,
        Errno::EXIST => ErrorCode::Exist,
        Errno::FBIG => ErrorCode::FileTooLarge,
        Errno::ILSEQ => ErrorCode::IllegalByteSequence,
        Errno::INTR => ErrorCode::Interrupted,
        Errno::INVAL => ErrorCode::Invalid,
        Errno::ISDIR => ErrorCode::IsDirectory,
        Errno::LOOP => ErrorCode::Loop,
        Errno::MLINK => ErrorCode::TooManyLinks,
        Errno::NAMETOOLONG => ErrorCode::NameTooLong,
        Errno::NOENT => ErrorCode::NoEntry,
        Errno::NOMEM | Errno::MFILE | Errno::NFILE => ErrorCode::InsufficientMemory,
        Errno::NOSPC => ErrorCode::InsufficientSpace,
        Errno::NOTDIR => ErrorCode::NotDirectory,
        Errno::NOTEMPTY => ErrorCode::NotEmpty,
        Errno::NOTSUP => ErrorCode::Unsupported,
        Errno::NXIO => ErrorCode::NoSuchDevice,
        Errno::OVERFLOW => ErrorCode::Overflow,
        Errno::PERM => ErrorCode::NotPermitted,
        Errno::PIPE => ErrorCode::Pipe,
        Errno::ROFS => ErrorCode::ReadOnly,
        Errno::SPIPE => ErrorCode::InvalidSeek,
        Errno::TXTBSY => ErrorCode::TextFileBusy,
        Errno::XDEV => ErrorCode::CrossDevice,
        _ => ErrorCode::Io,
    }
}
