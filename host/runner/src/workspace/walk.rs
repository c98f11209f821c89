//! Looks at every entry of a workspace before git does, and refuses what must never be published.
//!
//! **Invariant:** nothing is opened or followed; a name counts as `.git` if any common system would take it for that.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use ringfence_core::relpath::{PathError, RelPath};

use crate::git::display_name;

// Limit: ten times the files of the largest repositories; a guest's quota ends far below.
const ENTRIES_MAX: usize = 1_000_000;
// Limit: what is listed of one refused change; nobody reads more.
const REFUSALS_MAX: usize = 100;
// Limit: deeper than any source tree, and shallow enough for every tool that will read it.
const DEPTH_MAX: usize = 256;

/// One thing in a workspace that must not be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct Refusal {
    /// Where, with odd bytes escaped.
    pub path: String,
    /// Why.
    pub reason: RefusalReason,
}

/// Why something in a workspace must not be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusalReason {
    /// A FIFO, socket or device.
    #[error("a {0}, which is neither file nor directory nor link")]
    SpecialFile(&'static str),
    /// A name that some system reads as `.git`.
    #[error("a name that can stand for .git")]
    GitName,
    /// A directory that git would take for a repository.
    #[error("a repository inside the workspace")]
    NestedRepository,
    /// A name no rule can be written for.
    #[error("{}", name_reason(*.0))]
    Name(NameProblem),
    /// Something in the place of a submodule, or below it.
    #[error("a change at or below a submodule")]
    BelowSubmodule,
    /// A submodule where a file was, or a file where a submodule was.
    #[error("a submodule in the place of a file, or a file in that of a submodule")]
    FileForSubmodule,
    /// A file that runs with somebody else's rights.
    #[error("a set-user-id, set-group-id or sticky bit")]
    SpecialBits,
    /// A directory that cannot be listed.
    #[error("a directory that cannot be read")]
    Unreadable,
    /// More than 256 directories deep.
    #[error("more than {DEPTH_MAX} directories deep")]
    TooDeep,
    /// Where submodules come from, which decides what other people's git will fetch.
    #[error("a change of where submodules come from")]
    Submodules,
    /// A link in the place of a file that git reads itself, which git does not accept.
    #[error("a link in the place of a file that git reads")]
    LinkedGitFile,
    /// A `.gitattributes` that git would not read.
    #[error("an attributes file with a line of more than 2048 bytes")]
    LongAttributes,
}

/// What is wrong with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameProblem {
    /// The bytes are no UTF-8.
    NotUtf8,
    /// A backslash.
    Backslash,
    /// Begins like a drive.
    Absolute,
    /// Longer than paths may be.
    TooLong,
    /// Anything else a path must not be.
    Other,
}

/// What a walk found.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// Every file and link, as bytes, in no order.
    pub(crate) files: HashSet<Vec<u8>>,
    /// What must not be published, whatever the base holds.
    pub(crate) refused: Vec<Refusal>,
    /// What must not be published unless the base holds it too: the path, and why.
    pub(crate) refused_if_new: Vec<(Vec<u8>, Refusal)>,
}

/// Walks the workspace at `root`; `submodules` are the paths where the base has one.
///
/// # Errors
/// When an entry cannot be looked at, or there are more than a million.
pub(crate) fn walk(root: &Path, submodules: &HashSet<&[u8]>) -> io::Result<Walked> {
    let mut walked = Walked::default();
    let mut entries = 0;
    let mut dirs = vec![(Vec::new(), 0)];
    while let Some((dir, depth)) = dirs.pop() {
        let Ok(names) = list(&root.join(OsStr::from_bytes(&dir))) else {
            walked.refuse(&dir, RefusalReason::Unreadable);
            continue;
        };
        entries += names.len();
        if entries > ENTRIES_MAX {
            return Err(io::Error::other(format!(
                "the workspace has more than {ENTRIES_MAX} entries"
            )));
        }
        if submodules.contains(dir.as_slice()) && !names.is_empty() {
            walked.refuse(&dir, RefusalReason::BelowSubmodule);
            continue;
        }
        if ["HEAD", "objects", "refs"]
            .iter()
            .all(|part| names.iter().any(|name| name == part.as_bytes()))
        {
            let head = join(&dir, b"HEAD");
            walked.refuse_if_new(head, &dir, RefusalReason::NestedRepository);
        }
        for name in names {
            if let Some(sub) = walked.entry(root, join(&dir, &name), &name, submodules)? {
                if depth < DEPTH_MAX {
                    dirs.push((sub, depth + 1));
                } else {
                    walked.refuse(&sub, RefusalReason::TooDeep);
                }
            }
        }
        if walked.refused.len() >= REFUSALS_MAX {
            break;
        }
    }
    Ok(walked)
}

impl Walked {
    fn refuse(&mut self, path: &[u8], reason: RefusalReason) {
        self.refused.push(Refusal {
            path: display_name(path),
            reason,
        });
    }

    fn refuse_if_new(&mut self, key: Vec<u8>, path: &[u8], reason: RefusalReason) {
        self.refused_if_new.push((
            key,
            Refusal {
                path: display_name(path),
                reason,
            },
        ));
    }

    /// Takes in one entry; returns its path when it is a directory to go into.
    fn entry(
        &mut self,
        root: &Path,
        path: Vec<u8>,
        name: &[u8],
        submodules: &HashSet<&[u8]>,
    ) -> io::Result<Option<Vec<u8>>> {
        if stands_for_git(name) {
            self.refuse(&path, RefusalReason::GitName);
            return Ok(None);
        }
        let Ok(meta) = fs::symlink_metadata(root.join(OsStr::from_bytes(&path))) else {
            self.refuse(&path, RefusalReason::Name(NameProblem::TooLong));
            return Ok(None);
        };
        let kind = meta.file_type();
        if kind.is_dir() {
            return Ok(Some(path));
        }
        if let Some(special) = special(kind) {
            self.refuse(&path, RefusalReason::SpecialFile(special));
        } else if submodules.contains(path.as_slice()) {
            self.refuse(&path, RefusalReason::BelowSubmodule);
        } else if kind.is_file() && meta.mode() & 0o7000 != 0 {
            self.refuse(&path, RefusalReason::SpecialBits);
        } else if kind.is_symlink() && is_read_by_git(name) {
            self.refuse_if_new(path.clone(), &path, RefusalReason::LinkedGitFile);
        } else if let Err(problem) = relative_path(&path) {
            self.refuse_if_new(path.clone(), &path, RefusalReason::Name(problem));
        }
        self.files.insert(path);
        Ok(None)
    }
}

/// Reads bytes that name a file of a tree, in exactly that spelling.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn relative_path(path: &[u8]) -> Result<RelPath, NameProblem> {
    let text = std::str::from_utf8(path).map_err(|_| NameProblem::NotUtf8)?;
    match RelPath::lexical(text) {
        Ok(read) if read.as_str() == text => Ok(read),
        Ok(_) => Err(NameProblem::Other),
        Err(PathError::Backslash) => Err(NameProblem::Backslash),
        Err(PathError::Absolute) => Err(NameProblem::Absolute),
        Err(PathError::TooLong) => Err(NameProblem::TooLong),
        Err(PathError::NotUtf8) => Err(NameProblem::NotUtf8),
        Err(PathError::Escapes | PathError::Nul | PathError::Empty) => Err(NameProblem::Other),
    }
}

/// True for a name that git, Windows or macOS may take for `.git`: other case, trailing dots and spaces, a stream after
/// a colon, the short name `git~1`, code points that HFS+ does not see.
pub(crate) fn stands_for_git(name: &[u8]) -> bool {
    let text = String::from_utf8_lossy(name);
    let seen: String = text
        .chars()
        .filter(|c| !is_unseen(*c))
        .collect::<String>()
        .to_lowercase();
    let seen = seen
        .split(':')
        .next()
        .unwrap_or_default()
        .trim_end_matches(['.', ' ']);
    let short = seen
        .strip_prefix("git~")
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()));
    seen == ".git" || short
}

/// True for a file that git itself reads out of a working tree, in any case.
pub(crate) fn is_read_by_git(name: &[u8]) -> bool {
    [
        &b".gitmodules"[..],
        b".gitattributes",
        b".gitignore",
        b".mailmap",
    ]
    .iter()
    .any(|own| own.eq_ignore_ascii_case(name))
}

fn is_unseen(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

fn special(kind: fs::FileType) -> Option<&'static str> {
    if kind.is_fifo() {
        Some("named pipe")
    } else if kind.is_socket() {
        Some("socket")
    } else if kind.is_block_device() || kind.is_char_device() {
        Some("device")
    } else {
        None
    }
}

fn name_reason(problem: NameProblem) -> &'static str {
    match problem {
        NameProblem::NotUtf8 => "a name that is not UTF-8",
        NameProblem::Backslash => "a backslash in a name",
        NameProblem::Absolute => "a name that begins like a drive",
        NameProblem::TooLong => "a path or name that is too long",
        NameProblem::Other => "a name that is no plain path",
    }
}

fn list(dir: &Path) -> io::Result<Vec<Vec<u8>>> {
    fs::read_dir(dir)?
        .map(|entry| Ok(entry?.file_name().as_bytes().to_vec()))
        .collect()
}

fn join(dir: &[u8], name: &[u8]) -> Vec<u8> {
    if dir.is_empty() {
        name.to_vec()
    } else {
        [dir, b"/", name].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_stand_for_git() {
        for (name, expect) in [
            (".git", true),
            (".GIT", true),
            (".Git ", true),
            (".git. .", true),
            (".git::$INDEX_ALLOCATION", true),
            ("git~1", true),
            ("GIT~25", true),
            (".g\u{200c}it", true),
            ("\u{feff}.git", true),
            (".gitignore", false),
            ("git", false),
            ("git~", false),
            ("git~1x", false),
            ("x.git", false),
            ("...", false),
        ] {
            assert_eq!(stands_for_git(name.as_bytes()), expect, "{name:?}");
        }
    }

    #[test]
    fn only_plain_paths_are_paths() {
        for (path, expect) in [
            (&b"a/b"[..], None),
            (b"a\nb", None),
            (b"--help", None),
            (b"a\xff", Some(NameProblem::NotUtf8)),
            (b"a\\b", Some(NameProblem::Backslash)),
            (b"c:/b", Some(NameProblem::Absolute)),
            (b"a/../b", Some(NameProblem::Other)),
            (&[b'a'; 300], Some(NameProblem::TooLong)),
        ] {
            assert_eq!(relative_path(path).err(), expect, "{}", display_name(path));
        }
    }
}
