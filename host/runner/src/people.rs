//! Tells people what a loop wants them to know, through the command that the operator has named.
//!
//! **Invariant:** nothing here holds the loop's lock while a command runs, and nothing that a command does or fails to do
//! ends or fails a beat: it is journalled, and tried again. The command gets one JSON document on its standard input, a
//! bare environment and a bounded time, and everything in its process group ends with it. A message that was handed over
//! when this process was killed is handed over once more.

use std::fs::{OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use ringfence_core::authority::reach;
use ringfence_core::config::{CONFIG_BYTES_MAX, Config, ConfigError, NotifyCommand};
use ringfence_core::digest::Digest;
use ringfence_core::guard::{only_recorded, stopped_by_rule};
use ringfence_core::inbox::{Kind, Stopped, View, Waiting, news, waiting};
use ringfence_core::journal::{Body, Held, JournalError, LoopState, Notice, WaitCause, decode_of};
use ringfence_core::notify::{Message, due as due_of, due_at};
use ringfence_core::spec::Level;
use ringfence_core::text;

use crate::calendar;
use crate::driver::{self, BeatError, Seams};
use crate::git::process::{self, Input, Limits, RunError};
use crate::journal_file::{JournalFileError, read_journal};
use crate::open_loop::OpenLoop;
use crate::settle::patch_diff;
use crate::state_dir::{LoopDir, open_plain, read_plain};
use crate::workspace::read_held;

/// The operator's file, in their configuration directory.
pub const CONFIG_FILE: &str = "config.toml";

// Limit: nobody reads what the command prints.
const STDOUT_BYTES_MAX: usize = 64 << 10;
// Limit: one line of the journal.
const ERROR_CHARS_MAX: usize = 300;
// Limit: a beat that has begun meanwhile; if it takes longer, the message is sent once more.
const NOTE_WAIT: Duration = Duration::from_secs(60);
const SEARCH_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Why a message could not be handed over.
#[derive(Debug, thiserror::Error)]
pub enum TellError {
    /// There is no configuration directory, or no file in it.
    #[error("there is no {0}")]
    NoConfig(PathBuf),
    /// The operator's file is wrong.
    #[error("{path}: {source}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ConfigError,
    },
    /// The name in the loop file stands for nothing.
    #[error("{path} has no [notify.{to}]")]
    Unknown {
        /// The operator's file.
        path: PathBuf,
        /// The name.
        to: String,
    },
    /// The command did not come to its end.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The command said that it failed.
    #[error("the command ended with {status}: {said}")]
    Failed {
        /// `exit 1` or `signal 9`.
        status: String,
        /// The end of what it said.
        said: String,
    },
}

/// Why nobody was told, and nothing was written of it.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The journal cannot be read.
    #[error(transparent)]
    JournalFile(#[from] JournalFileError),
    /// The journal is damaged.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal cannot be written.
    #[error(transparent)]
    Note(#[from] BeatError),
    /// The lock of whoever tells people cannot be used.
    #[error("{path} cannot be used")]
    Lock {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The message is no JSON.
    #[error(transparent)]
    Message(#[from] serde_json::Error),
}

/// The first bytes of the diff of a change that waits, and whether there is more; none when its file is gone or is not what
/// was laid aside.
#[must_use]
pub fn diff(dir: &LoopDir, held: &Held, bytes_max: usize) -> Option<(String, bool)> {
    let bytes = read_held(&dir.path().join(&held.file))?;
    let diff = patch_diff(&bytes).filter(|diff| Digest::of(diff) == held.hold.patch)?;
    let shown = diff.get(..bytes_max).unwrap_or(diff);
    Some((
        String::from_utf8_lossy(shown).into_owned(),
        shown.len() < diff.len(),
    ))
}

/// What waits in a loop at `now`, oldest first.
#[must_use]
pub fn inbox(
    open: &OpenLoop,
    state: &LoopState,
    config_dir: Option<&Path>,
    now: Timestamp,
) -> Vec<Waiting> {
    viewed(open, state, config_dir, now, |view| waiting(state, view))
}

/// What people are to be told of at `now`; none where the loop tells nobody.
#[must_use]
pub fn due(
    open: &OpenLoop,
    state: &LoopState,
    config_dir: Option<&Path>,
    now: Timestamp,
) -> Option<Message> {
    let notify = open.spec.notify.as_ref()?;
    let news = viewed(open, state, config_dir, now, |view| news(state, view));
    due_of(&open.spec.loop_id, state, &news, notify.digest, now)
}

/// When people are to be told of something if nothing else happens, `now` at the earliest; none where nothing is left to be
/// told.
#[must_use]
pub fn next_word(
    open: &OpenLoop,
    state: &LoopState,
    config_dir: Option<&Path>,
    now: Timestamp,
) -> Option<Timestamp> {
    let notify = open.spec.notify.as_ref()?;
    let news = viewed(open, state, config_dir, now, |view| news(state, view));
    due_at(state, &news, notify.digest, now)
}

fn viewed<T>(
    open: &OpenLoop,
    state: &LoopState,
    config_dir: Option<&Path>,
    now: Timestamp,
    with: impl FnOnce(&View<'_>) -> T,
) -> T {
    let (zoned, limits) = (
        now.to_zoned(open.timezone.clone()),
        open.spec.budget.limits(),
    );
    // What drills are worth takes a loop from L3 to L2, and does not matter here.
    let records_anyway = reach(open.spec.level, state, None, now).level == Level::L1;
    let stopped = stopped_by_rule(state, now).map(|hold| Stopped {
        kind: match hold.cause() {
            Some(WaitCause::Retired) => Kind::Retired,
            Some(WaitCause::Unmetered) => Kind::Unmetered,
            Some(_) => Kind::Paused,
            None => Kind::ReportOnly,
        },
        since: hold.since.unwrap_or(now),
        why: hold.why,
    });
    let only_recorded = only_recorded(state, &limits, &zoned).filter(|_| !records_anyway);
    with(&View {
        now: &zoned,
        on: open.spec.escalate.on,
        limits: &limits,
        stopped: stopped.filter(|rule| rule.kind != Kind::ReportOnly || !records_anyway),
        only_recorded: only_recorded.map(|hold| hold.why),
        calendar: calendar::problem(open.spec.calendar.as_ref(), open.project.top(), config_dir),
    })
}

/// Tells people what is due, if anything is and nobody else is telling them already. Returns what became of the message.
///
/// # Errors
/// [`PeopleError`] when the journal cannot be read or written; the message may have been handed over then.
pub fn tell(
    open: &OpenLoop,
    dir: &LoopDir,
    config_dir: Option<&Path>,
    seams: Seams<'_>,
) -> Result<Option<Result<(), TellError>>, PeopleError> {
    let Some(notify) = &open.spec.notify else {
        return Ok(None);
    };
    let path = dir.telling();
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let lock = open_plain(&path, &mut options).map_err(|source| PeopleError::Lock {
        path: path.clone(),
        source,
    })?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(source)) => return Err(PeopleError::Lock { path, source }),
    }
    // Read after the lock was taken: what another process has told stands in there.
    let journal = decode_of(dir.loop_id(), &read_journal(&dir.journal())?)?;
    let state = LoopState::fold(&journal.entries, &open.timezone);
    let Some(message) = due(open, &state, config_dir, seams.clock.now()) else {
        return Ok(None);
    };
    let text = serde_json::to_vec(&message)?;
    let told = command(config_dir, &notify.to).and_then(|command| hand_over(&command, text));
    let error = told
        .as_ref()
        .err()
        .map(|error| text::one_line(&crate::calls::chain(error), ERROR_CHARS_MAX));
    driver::note(dir, &open.timezone, seams, NOTE_WAIT, |_| {
        let notices = message.events.iter().map(|event| {
            Body::Notice(Notice {
                about: event.about.clone(),
                error: error.clone(),
            })
        });
        Ok::<_, BeatError>(notices.collect())
    })?;
    Ok(Some(told))
}

/// What `to` stands for in the operator's file.
///
/// # Errors
/// [`TellError::NoConfig`], [`TellError::Config`] and [`TellError::Unknown`].
pub fn command(config_dir: Option<&Path>, to: &str) -> Result<NotifyCommand, TellError> {
    let dir = config_dir.unwrap_or(Path::new("~/.config/ringfence"));
    let path = dir.join(CONFIG_FILE);
    let Some(text) = read_plain(&path, CONFIG_BYTES_MAX).filter(|_| config_dir.is_some()) else {
        return Err(TellError::NoConfig(path));
    };
    let config = match Config::parse(&text) {
        Ok(config) => config,
        Err(source) => return Err(TellError::Config { path, source }),
    };
    let to = to.to_owned();
    config
        .notify(&to)
        .cloned()
        .ok_or(TellError::Unknown { path, to })
}

fn hand_over(command: &NotifyCommand, message: Vec<u8>) -> Result<(), TellError> {
    let mut argv = command.argv.iter();
    let mut program = Command::new(argv.next().map_or("", String::as_str));
    program
        .args(argv)
        .env_clear()
        .env("PATH", SEARCH_PATH)
        .env("LC_ALL", "C.UTF-8")
        .current_dir("/");
    let limits = Limits {
        stdout_bytes_max: STDOUT_BYTES_MAX,
        deadline: Duration::from_millis(command.deadline.0),
        // The operator's own program.
        memory_bytes_max: None,
    };
    let ended = process::run(program, Input::Bytes(message), limits)?;
    match (ended.code, ended.signal) {
        (Some(0), _) => Ok(()),
        (code, signal) => {
            let status = match (code, signal) {
                (Some(code), _) => format!("exit {code}"),
                (None, Some(signal)) => format!("signal {signal}"),
                (None, None) => "unknown status".to_owned(),
            };
            let said = ended.stderr;
            Err(TellError::Failed { status, said })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handed_over(script: &str) -> Result<(), String> {
        let command = NotifyCommand {
            argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            deadline: ringfence_core::quantity::Millis(300),
        };
        hand_over(&command, b"{\"version\":1}".to_vec()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_command_gets_the_message_and_little_else() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("seen");
        let script = format!(
            "{{ cat; echo; env | sort | grep -v '^_=\\|^SHLVL='; }} > {}",
            file.display()
        );
        handed_over(&script).unwrap();
        let seen = std::fs::read_to_string(file).unwrap();
        assert_eq!(
            seen,
            format!("{{\"version\":1}}\nLC_ALL=C.UTF-8\nPATH={SEARCH_PATH}\nPWD=/\n")
        );
    }

    #[test]
    fn a_command_that_misbehaves_ends_all_the_same() {
        for (script, expect) in [
            ("sleep 1000", "the program was stopped after"),
            ("sleep 1000 & sleep 1000", "the program was stopped after"),
            ("cat /dev/zero", "the program printed more than 65536 bytes"),
            ("echo no >&2; exit 3", "the command ended with exit 3: no"),
            ("kill -9 $$", "the command ended with signal 9"),
        ] {
            let said = handed_over(script).unwrap_err();
            assert!(said.starts_with(expect), "{script}: {said}");
        }
        // A message that nobody reads was handed over all the same.
        assert_eq!(handed_over("exit 0"), Ok(()));
    }

    #[test]
    fn what_a_command_leaves_behind_ends_with_it() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("pid");
        let script = format!("sleep 1000 > /dev/null 2>&1 & echo $! > {}", file.display());
        handed_over(&script).unwrap();
        let pid: i32 = std::fs::read_to_string(file)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        // Dead, if perhaps not yet collected by whoever inherited it; the signal needs a moment to arrive.
        let is_dead = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ") || stat.contains(") X ")
        };
        let mut looks = std::iter::repeat_with(|| std::thread::sleep(Duration::from_millis(10)));
        assert!(is_dead() || looks.by_ref().take(1_000).any(|()| is_dead()));
    }

    #[test]
    fn a_name_has_to_stand_for_something() {
        let temp = tempfile::tempdir().unwrap();
        let said = |dir| command(dir, "team").unwrap_err().to_string();
        assert!(said(None).starts_with("there is no ~/.config/ringfence/config.toml"));
        assert!(said(Some(temp.path())).starts_with("there is no "));
        std::fs::write(temp.path().join(CONFIG_FILE), "x = 1").unwrap();
        assert!(said(Some(temp.path())).contains("has no key \"x\""));
        std::fs::write(
            temp.path().join(CONFIG_FILE),
            "[notify.me]\nargv = [\"/x\"]",
        )
        .unwrap();
        assert!(said(Some(temp.path())).ends_with("has no [notify.team]"));
    }
}
