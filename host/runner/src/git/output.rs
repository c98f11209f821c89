//! Reads what git prints: NUL-separated records and raw commits, as bytes.
//!
//! **Invariant:** a record that is not exactly of the expected form is an error; nothing is guessed or skipped.

use jiff::Timestamp;

use super::discover::ObjectFormat;
use super::{GitError, unreadable};

/// Git mode of a regular file.
pub const MODE_FILE: u32 = 0o100_644;
/// Git mode of an executable file.
pub const MODE_EXECUTABLE: u32 = 0o100_755;
/// Git mode of a symbolic link.
pub const MODE_LINK: u32 = 0o120_000;
/// Git mode of a tree.
pub const MODE_TREE: u32 = 0o040_000;
/// Git mode of a submodule.
pub const MODE_SUBMODULE: u32 = 0o160_000;

/// One entry of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracked {
    /// Git mode.
    pub mode: u32,
    /// Path in bytes.
    pub path: Vec<u8>,
}

/// One record of `diff-tree --raw`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawChange {
    /// Mode before; 0 when there was nothing.
    pub old_mode: u32,
    /// Mode after; 0 when there is nothing.
    pub new_mode: u32,
    /// Object before; zeros when there was nothing.
    pub old_id: String,
    /// Object after; zeros when there is nothing.
    pub new_id: String,
    /// `A`, `D`, `M`, `R` or `T`.
    pub status: u8,
    /// The path; of a rename, the old one.
    pub path: Vec<u8>,
    /// The new path of a rename.
    pub new_path: Option<Vec<u8>>,
}

/// One entry of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeEntry<'a> {
    /// Git mode.
    pub mode: u32,
    /// Its name in bytes, not empty.
    pub name: &'a [u8],
}

/// Lines added and removed in one file; none when it is binary.
pub type LineCounts = Option<(u32, u32)>;

/// What a commit says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its tree.
    pub tree: String,
    /// Its parents, in order.
    pub parents: Vec<String>,
    /// When it was committed; none when the commit does not say so in a way that is a date.
    pub time: Option<Timestamp>,
}

/// Splits NUL-terminated records.
///
/// # Errors
/// [`GitError::Unreadable`] when the last one is not terminated.
pub fn records<'a>(command: &'static str, bytes: &'a [u8]) -> Result<Vec<&'a [u8]>, GitError> {
    match bytes.strip_suffix(b"\0") {
        Some(body) => Ok(body.split(|byte| *byte == 0).collect()),
        None if bytes.is_empty() => Ok(Vec::new()),
        None => Err(unreadable(command, bytes)),
    }
}

/// Reads `ls-files -z --stage`: an index without conflicts.
///
/// # Errors
/// [`GitError::Unreadable`].
pub fn tracked(bytes: &[u8]) -> Result<Vec<Tracked>, GitError> {
    records("ls-files", bytes)?
        .into_iter()
        .map(tracked_entry)
        .collect()
}

/// Reads one `<mode> <id> 0<TAB><path>`.
///
/// # Errors
/// [`GitError::Unreadable`].
pub fn tracked_entry(record: &[u8]) -> Result<Tracked, GitError> {
    let parse = || {
        let tab = record.iter().position(|byte| *byte == b'\t')?;
        let (head, path) = record.split_at_checked(tab)?;
        let mut words = std::str::from_utf8(head).ok()?.split(' ');
        let mode = mode(words.next()?)?;
        is_id(words.next()?).then_some(())?;
        (words.next()? == "0").then_some(())?;
        let path = path.get(1..).filter(|path| !path.is_empty())?.to_vec();
        Some(Tracked { mode, path })
    };
    parse().ok_or_else(|| unreadable("ls-files", record))
}

/// Reads `diff-tree -r -z --raw --numstat --no-abbrev`.
///
/// The counts stand in the order of the changes.
///
/// # Errors
/// [`GitError::Unreadable`].
pub fn changes(bytes: &[u8]) -> Result<Vec<(RawChange, LineCounts)>, GitError> {
    let records = records("diff-tree", bytes)?;
    let mut rest = records.into_iter().peekable();
    let mut changes = Vec::new();
    while let Some(head) = rest.next_if(|record| record.starts_with(b":")) {
        changes.push(raw_change(head, &mut rest).ok_or_else(|| unreadable("diff-tree", head))?);
    }
    let mut counted = Vec::new();
    for change in changes {
        let counts =
            line_counts(&change, &mut rest).ok_or_else(|| unreadable("diff-tree", &change.path))?;
        counted.push((change, counts));
    }
    match rest.next() {
        None => Ok(counted),
        Some(record) => Err(unreadable("diff-tree", record)),
    }
}

/// Reads `diff-tree -r -z --raw --no-abbrev`.
///
/// # Errors
/// [`GitError::Unreadable`].
pub fn raw_changes(bytes: &[u8]) -> Result<Vec<RawChange>, GitError> {
    let mut rest = records("diff-tree", bytes)?.into_iter();
    let mut changes = Vec::new();
    while let Some(head) = rest.next() {
        changes.push(raw_change(head, &mut rest).ok_or_else(|| unreadable("diff-tree", head))?);
    }
    Ok(changes)
}

/// Reads a raw tree object: its entries in the order they stand.
///
/// # Errors
/// [`GitError::Unreadable`].
pub fn tree(bytes: &[u8], format: ObjectFormat) -> Result<Vec<TreeEntry<'_>>, GitError> {
    let mut rest = bytes;
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let entry = tree_entry(&mut rest, format.id_bytes());
        entries.push(entry.ok_or_else(|| unreadable("cat-file", bytes))?);
    }
    Ok(entries)
}

/// Takes `<mode> <name>\0<id>` off the beginning.
fn tree_entry<'a>(rest: &mut &'a [u8], id_bytes: usize) -> Option<TreeEntry<'a>> {
    let end = rest.iter().position(|byte| *byte == 0)?;
    let (head, after) = rest.split_at_checked(end)?;
    let space = head.iter().position(|byte| *byte == b' ')?;
    let (mode_text, name) = head.split_at_checked(space)?;
    let name = name.get(1..).filter(|name| !name.is_empty())?;
    *rest = after.get(1..)?.get(id_bytes..)?;
    let mode = mode(std::str::from_utf8(mode_text).ok()?)?;
    Some(TreeEntry { mode, name })
}

fn raw_change<'a>(head: &[u8], rest: &mut impl Iterator<Item = &'a [u8]>) -> Option<RawChange> {
    let text = std::str::from_utf8(head).ok()?.strip_prefix(':')?;
    let words: Vec<_> = text.split(' ').collect();
    let [old_mode, new_mode, old_id, new_id, status] = words.as_slice() else {
        return None;
    };
    (is_id(old_id) && is_id(new_id)).then_some(())?;
    let status = *status.as_bytes().first()?;
    b"ADMRT".contains(&status).then_some(())?;
    let mut name = || {
        rest.next()
            .filter(|name| !name.is_empty())
            .map(<[u8]>::to_vec)
    };
    Some(RawChange {
        old_mode: mode(old_mode)?,
        new_mode: mode(new_mode)?,
        old_id: (*old_id).to_owned(),
        new_id: (*new_id).to_owned(),
        status,
        path: name()?,
        new_path: if status == b'R' { Some(name()?) } else { None },
    })
}

fn line_counts<'a>(
    change: &RawChange,
    rest: &mut impl Iterator<Item = &'a [u8]>,
) -> Option<LineCounts> {
    let record = rest.next()?;
    let mut parts = record.splitn(3, |byte| *byte == b'\t');
    let (added, removed, path) = (parts.next()?, parts.next()?, parts.next()?);
    match &change.new_path {
        None => (path == change.path).then_some(())?,
        Some(new_path) => {
            let same = path.is_empty() && rest.next()? == change.path && rest.next()? == new_path;
            same.then_some(())?;
        }
    }
    let number = |word: &[u8]| std::str::from_utf8(word).ok()?.parse().ok();
    match (added, removed) {
        (b"-", b"-") => Some(None),
        _ => Some(Some((number(added)?, number(removed)?))),
    }
}

/// Reads a raw commit object.
///
/// # Errors
/// [`GitError::Unreadable`].
pub fn commit(bytes: &[u8]) -> Result<Commit, GitError> {
    let parse = || {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let tree = id_after(lines.next()?, "tree ")?;
        let mut parents = Vec::new();
        let mut time = None;
        for line in lines.take_while(|line| !line.is_empty()) {
            if line.starts_with(b"parent ") {
                parents.push(id_after(line, "parent ")?);
            } else if line.starts_with(b"committer ") {
                time = committer_time(line);
            }
        }
        Some(Commit {
            tree,
            parents,
            time,
        })
    };
    parse().ok_or_else(|| unreadable("cat-file", bytes))
}

fn id_after(line: &[u8], prefix: &str) -> Option<String> {
    let id = std::str::from_utf8(line).ok()?.strip_prefix(prefix)?;
    is_id(id).then(|| id.to_owned())
}

fn committer_time(line: &[u8]) -> Option<Timestamp> {
    let close = line.iter().rposition(|byte| *byte == b'>')?;
    let rest = std::str::from_utf8(line.get(close + 1..)?).ok()?;
    let seconds = rest.split_ascii_whitespace().next()?.parse().ok()?;
    Timestamp::from_second(seconds).ok()
}

/// Reads one object id and nothing else.
///
/// # Errors
/// [`GitError::Unreadable`].
pub fn one_id(command: &'static str, bytes: &[u8]) -> Result<String, GitError> {
    std::str::from_utf8(bytes)
        .ok()
        .map(str::trim_end)
        .filter(|id| is_id(id))
        .map(str::to_owned)
        .ok_or_else(|| unreadable(command, bytes))
}

/// True for a full object id, SHA-1 or SHA-256, in lower-case hex.
#[must_use]
pub fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64)
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// True for the id that means «no object».
#[must_use]
pub fn is_zero(id: &str) -> bool {
    id.bytes().all(|byte| byte == b'0')
}

fn mode(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";

    #[test]
    fn reads_indexes() {
        let good = format!("100644 {ID} 0\ta\tb\0160000 {ID} 0\tsub\n\0");
        let read = tracked(good.as_bytes()).unwrap();
        assert_eq!(
            read[0],
            Tracked {
                mode: MODE_FILE,
                path: b"a\tb".to_vec()
            }
        );
        assert_eq!(
            read[1],
            Tracked {
                mode: MODE_SUBMODULE,
                path: b"sub\n".to_vec()
            }
        );
        assert_eq!(tracked(b"").unwrap(), []);
        for bad in [
            format!("100644 {ID} 0\ta"),
            format!("100644 {ID} 1\ta\0"),
            format!("100644 {ID} 0\t\0"),
            "100644 x 0\ta\0".to_owned(),
            "a\0".to_owned(),
        ] {
            assert!(tracked(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn reads_changes_with_their_counts() {
        let zero = "0".repeat(40);
        let good = format!(
            ":100644 000000 {ID} {zero} D\0:d\0:100644 100644 {ID} {ID} R087\0old\tname\0new\0\
             :000000 120000 {zero} {ID} A\0l\0000\t2\t:d\0001\t0\t\0old\tname\0new\0-\t-\tl\0"
        );
        let read = changes(good.as_bytes()).unwrap();
        assert_eq!(
            read.iter()
                .map(|(change, _)| change.status)
                .collect::<Vec<_>>(),
            b"DRA"
        );
        assert_eq!(read[1].0.new_path.as_deref(), Some(&b"new"[..]));
        assert_eq!(
            read.iter().map(|(_, counts)| *counts).collect::<Vec<_>>(),
            [Some((0, 2)), Some((1, 0)), None]
        );
        for bad in [
            format!(":100644 000000 {ID} {zero} D\0d\0"),
            format!(":100644 000000 {ID} {zero} D\0d\0001\t0\te\0"),
            format!(":100644 000000 {ID} {zero} X\0d\0001\t0\td\0"),
            format!(":100644 000000 {ID} {zero} D\0d\0001\t0\td\0surplus\0"),
            format!(":100644 000000 {ID} D\0d\0001\t0\td\0"),
        ] {
            assert!(changes(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn reads_commits() {
        let commit_of = |committer: &str| {
            commit(
                format!("tree {ID}\nparent {ID}\nauthor a <b> 1 +0000\n{committer}\n\nparent x\n")
                    .as_bytes(),
            )
        };
        let read = commit_of("committer a > b <c> 100 +0200").unwrap();
        assert_eq!((read.tree.as_str(), read.parents.len()), (ID, 1));
        assert_eq!(read.time, Timestamp::from_second(100).ok());
        for odd in [
            "committer a <b> 99999999999999999999 +0000",
            "committer",
            "committer a <b> x",
        ] {
            assert_eq!(commit_of(odd).unwrap().time, None, "{odd}");
        }
        for bad in ["", "tree x\n", "parent y\n"] {
            assert!(commit(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert!(commit(format!("tree {ID}\nparent x\n\n").as_bytes()).is_err());
    }
}
