//! Looks at a journal without its lock, and goes on where it stopped when something was appended.
//!
//! Owns what was read so far and where that ended. It reads piece by piece, so that a long history needs no more memory than
//! what it adds up to.
//!
//! What a newer version of this program wrote is passed over and said; beats refuse it.
//!
//! **Invariant:** the first look reads and checks everything. Later ones trust that what was read was not altered in place:
//! whoever needs to know begins anew. Nothing is written.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use jiff::tz::TimeZone;
use ringfence_core::ids::LoopId;
use ringfence_core::journal::{
    Entry, Head, History, JournalError, JournalProblem, LINE_BYTES_MAX, LoopState, Newer, TornTail,
    decode_on,
};

use crate::bookmark::{Mark, Reach};
use crate::journal_file::{JOURNAL_BYTES_MAX, JournalFileError, open_journal};
use crate::state_dir::LoopDir;

// Limit: many lines at once, and few enough bytes that a hundred journals can be looked at by turns.
const PIECE_BYTES: usize = 4 << 20;

/// Why a journal cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] JournalFileError),
    /// What it says cannot be trusted.
    #[error("{path}: {source}")]
    Journal {
        /// The journal.
        path: String,
        /// Where and why.
        source: JournalError,
    },
}

/// What a look has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Nothing was written since the last one.
    Same,
    /// Entries were added.
    More,
    /// It is another journal, or the first look: everything was read.
    Anew,
}

/// A journal that is looked at.
#[derive(Debug)]
pub struct Followed {
    timezone: TimeZone,
    begin: Head,
    mark: Option<Mark>,
    whole: u64,
    head: Head,
    state: LoopState,
    history: History,
    torn_tail: Option<TornTail>,
    newer: Option<JournalError>,
}

impl Followed {
    /// The journal of a loop, not looked at yet; days are those of `timezone`.
    #[must_use]
    pub fn new(loop_id: &LoopId, timezone: TimeZone) -> Self {
        Self::begin(Head::of(loop_id), timezone)
    }

    fn begin(head: Head, timezone: TimeZone) -> Self {
        Self {
            timezone,
            begin: head,
            mark: None,
            whole: 0,
            head,
            state: LoopState::default(),
            history: History::default(),
            torn_tail: None,
            newer: None,
        }
    }

    fn forget(&mut self) {
        *self = Self::begin(self.begin, self.timezone.clone());
    }

    /// Looks at the journal in a loop's folder, as [`Followed::look`] does; one that has lost entries is refused.
    ///
    /// # Errors
    /// [`FollowError`]; the next look begins anew.
    pub fn look_in(
        &mut self,
        dir: &LoopDir,
        each: &mut dyn FnMut(Entry),
    ) -> Result<Look, FollowError> {
        let reach = if self.mark.is_none() {
            Reach::of(dir)
        } else {
            Reach::default()
        };
        let look = self.look(&dir.journal(), each)?;
        if let Err(error) = reach.check(dir, &self.head) {
            self.forget();
            return Err(error.into());
        }
        Ok(look)
    }

    /// Looks at the journal at `path`; each entry that is new is given to `each`. A journal that is not there is empty.
    ///
    /// # Errors
    /// [`FollowError`]; the next look begins anew.
    pub fn look(&mut self, path: &Path, each: &mut dyn FnMut(Entry)) -> Result<Look, FollowError> {
        let looked = self.try_look(path, each);
        if looked.is_err() {
            self.forget();
        }
        looked
    }

    /// What guards see.
    #[must_use]
    pub fn state(&self) -> &LoopState {
        &self.state
    }

    /// What people see.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// What the next line refers to.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// A last line that is not whole, or not yet.
    #[must_use]
    pub fn torn_tail(&self) -> Option<&TornTail> {
        self.torn_tail.as_ref()
    }

    /// The first entry that a newer version of this program wrote; it and others like it are passed over.
    #[must_use]
    pub fn newer(&self) -> Option<&JournalError> {
        self.newer.as_ref()
    }

    fn try_look(&mut self, path: &Path, each: &mut dyn FnMut(Entry)) -> Result<Look, FollowError> {
        let is_first = self.mark.is_none();
        let found = path.symlink_metadata().ok().map(|meta| Mark::of(&meta));
        if found.is_some() && found == self.mark {
            return Ok(Look::Same);
        }
        let Some(mut file) = open_journal(path)? else {
            self.forget();
            return Ok(if is_first { Look::Same } else { Look::Anew });
        };
        let meta = file.metadata().map_err(|source| io(path, source))?;
        if meta.len() > JOURNAL_BYTES_MAX {
            return Err(JournalFileError::TooLong {
                path: path.to_owned(),
                bytes: meta.len(),
            }
            .into());
        }
        let mark = Mark::of(&meta);
        let goes_on = self
            .mark
            .is_some_and(|before| before.is_the_file_of(&mark) && meta.len() >= self.whole);
        if !goes_on {
            self.forget();
        }
        file.seek(SeekFrom::Start(self.whole))
            .map_err(|source| io(path, source))?;
        self.read_on(path, file.take(JOURNAL_BYTES_MAX), each)?;
        self.mark = Some(mark);
        Ok(if goes_on { Look::More } else { Look::Anew })
    }

    fn read_on(
        &mut self,
        path: &Path,
        mut file: std::io::Take<File>,
        each: &mut dyn FnMut(Entry),
    ) -> Result<(), FollowError> {
        let mut piece = Vec::new();
        loop {
            let before = piece.len();
            Read::by_ref(&mut file)
                .take(PIECE_BYTES as u64)
                .read_to_end(&mut piece)
                .map_err(|source| io(path, source))?;
            let is_last = piece.len() - before < PIECE_BYTES;
            let new = piece.get(before..).unwrap_or_default();
            let lines = match new.iter().rposition(|byte| *byte == b'\n') {
                Some(at) if !is_last => before + at + 1,
                // A line that is longer than a piece is read on, until it is too long for any reader.
                None if !is_last && piece.len() <= LINE_BYTES_MAX => continue,
                _ => piece.len(),
            };
            let rest = piece.split_off(lines);
            let entries = self
                .take_in(&piece, is_last)
                .map_err(|source| FollowError::Journal {
                    path: path.display().to_string(),
                    source,
                })?;
            entries.into_iter().for_each(&mut *each);
            if is_last {
                return Ok(());
            }
            piece = rest;
        }
    }

    /// Adds lines; all of them are whole, unless they are the last.
    fn take_in(&mut self, lines: &[u8], are_last: bool) -> Result<Vec<Entry>, JournalError> {
        let base = usize::try_from(self.whole).unwrap_or(usize::MAX);
        let mut entries = Vec::new();
        let end = decode_on(&self.head, lines, Newer::PassOver, |entry| {
            entries.push(entry);
        });
        let end = end.map_err(|error| JournalError {
            offset: error.offset.saturating_add(base),
            ..error
        })?;
        let torn_tail = end.torn_tail.map(|torn| TornTail {
            bytes: torn.bytes.start + base..torn.bytes.end + base,
            why: torn.why,
        });
        if let Some(torn) = torn_tail.as_ref().filter(|_| !are_last) {
            return Err(JournalError {
                offset: torn.bytes.start,
                entry: end.head.seq() + 1,
                problem: JournalProblem::Sum,
            });
        }
        for entry in &entries {
            self.state.add(entry, &self.timezone);
            self.history.add(entry, &self.timezone);
        }
        let torn_bytes = torn_tail.as_ref().map_or(0, |torn| torn.bytes.len());
        self.whole += (lines.len() - torn_bytes) as u64;
        self.head = end.head;
        if let Some(newer) = end.newer {
            self.newer.get_or_insert(JournalError {
                offset: newer.offset.saturating_add(base),
                ..newer
            });
        }
        self.torn_tail = torn_tail;
        Ok(entries)
    }
}

fn io(path: &Path, source: std::io::Error) -> FollowError {
    FollowError::File(JournalFileError::Io {
        path: path.to_owned(),
        doing: "read",
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use jiff::Timestamp;
    use ringfence_core::journal::{Act, Body, OperatorAct, decode, encode};

    use super::*;

    fn docs() -> LoopId {
        LoopId::new("docs").unwrap()
    }

    /// Lines that follow each other, of some `bytes` each.
    fn lines(number: usize, bytes: usize) -> Vec<String> {
        let mut head = Head::default();
        let line = |index: usize| {
            let body = Body::Operator(OperatorAct {
                by: index.to_string(),
                reason: "x".repeat(bytes),
                act: Act::Resume,
            });
            let (line, next) = encode(&head, Timestamp::UNIX_EPOCH, &body).unwrap();
            head = next;
            line
        };
        (0..number).map(line).collect()
    }

    fn look(followed: &mut Followed, path: &Path) -> (Look, usize) {
        let mut seen = 0;
        let look = followed.look(path, &mut |_| seen += 1).unwrap();
        (look, seen)
    }

    fn append(path: &Path, text: &str) {
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(path)
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn it_goes_on_where_it_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let lines = lines(4, 10);
        let mut followed = Followed::new(&docs(), TimeZone::UTC);
        assert_eq!(look(&mut followed, &path), (Look::Same, 0));
        append(&path, &lines[0]);
        assert_eq!(look(&mut followed, &path), (Look::Anew, 1));
        assert_eq!(look(&mut followed, &path), (Look::Same, 0));
        let (half, rest) = lines[2].split_at(20);
        append(&path, &(lines[1].clone() + half));
        assert_eq!(look(&mut followed, &path), (Look::More, 1));
        assert!(followed.torn_tail().is_some());
        append(&path, &(rest.to_owned() + &lines[3]));
        assert_eq!(look(&mut followed, &path), (Look::More, 2));
        assert_eq!(followed.torn_tail(), None);
        let read = decode(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(followed.head(), &read.head);
        assert_eq!(
            followed.state(),
            &LoopState::fold(&read.entries, &TimeZone::UTC)
        );
        assert_eq!(followed.history().entries["operator"], 4);
    }

    #[test]
    fn another_journal_in_its_place_is_read_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let lines = lines(3, 10);
        let mut followed = Followed::new(&docs(), TimeZone::UTC);
        append(&path, &lines.concat());
        assert_eq!(look(&mut followed, &path), (Look::Anew, 3));
        fs::write(&path, &lines[0]).unwrap();
        assert_eq!(look(&mut followed, &path), (Look::Anew, 1));
        fs::remove_file(&path).unwrap();
        assert_eq!(look(&mut followed, &path), (Look::Anew, 0));
        assert_eq!(followed.head().seq(), 0);
    }

    #[test]
    fn many_pieces_are_one_journal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        // Lines that end inside a piece, and some that are longer than one.
        for (number, bytes) in [(14, 1_000_000), (2, PIECE_BYTES + 5)] {
            let all = lines(number, bytes).concat();
            fs::write(&path, &all).unwrap();
            let mut followed = Followed::new(&docs(), TimeZone::UTC);
            assert_eq!(look(&mut followed, &path), (Look::Anew, number));
            assert_eq!(*followed.head(), decode(all.as_bytes()).unwrap().head);
        }
    }

    #[test]
    fn damage_is_where_a_reader_of_everything_finds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let whole = lines(14, 1_000_000).concat().into_bytes();
        // In the first piece, in its last whole line, in the line that is cut by its end, and in the last line.
        for at in [500, 3_500_000, 4_100_000, whole.len() - 300] {
            let mut all = whole.clone();
            all[at] ^= 1;
            fs::write(&path, &all).unwrap();
            let mut followed = Followed::new(&docs(), TimeZone::UTC);
            let found = followed.look(&path, &mut |_| ());
            match (found, decode(&all)) {
                (Err(FollowError::Journal { source, .. }), Err(expect)) => {
                    assert_eq!(source, expect);
                }
                (Ok(_), Ok(expect)) => {
                    assert!(expect.torn_tail.is_some());
                    assert_eq!(followed.torn_tail(), expect.torn_tail.as_ref());
                }
                (found, expect) => panic!("{at}: {found:?}, {:?}", expect.map(|read| read.head)),
            }
        }
    }

    #[test]
    fn a_line_that_never_ends_is_refused_and_not_read_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let before = lines(2, 10).concat();
        let refused = || {
            let found = Followed::new(&docs(), TimeZone::UTC).look(&path, &mut |_| ());
            match found {
                Err(FollowError::Journal { source, .. }) => source,
                found => panic!("{found:?}"),
            }
        };
        for end in ["", "\n", "\n\n"] {
            let all = before.clone() + &"x".repeat(4 * PIECE_BYTES) + end;
            fs::write(&path, &all).unwrap();
            let found = refused();
            assert_eq!(found.problem, JournalProblem::TooLong);
            assert_eq!(found, decode(all.as_bytes()).unwrap_err());
        }
        // Half a gigabyte that takes no room on the disk: reading it again with each piece would take minutes.
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(before.len() as u64).unwrap();
        file.set_len(JOURNAL_BYTES_MAX).unwrap();
        assert_eq!(refused().offset, before.len());
    }
}
