//! Keeps loops beating: all that were asked for, each in its own time, until it is told to stop.
//!
//! Owns the threads that beats run on and the waiting between them. `find` says which loop files there are, `roster` which
//! one is next. **Invariant:** nothing that has to last is kept here: every beat begins with its loop file and its journal
//! as they are on the disk, so a process that is killed loses nothing, and another one may beat the same loops.

mod find;
mod roster;

use std::fs::{metadata, symlink_metadata};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, Scope, available_parallelism};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use ringfence_core::cadence::{Next, Why};
use ringfence_core::ids::LoopId;
use ringfence_sandbox::Sandbox;

pub use self::find::{FindError, Found, Search};
use self::roster::Roster;
use crate::bookmark::Mark;
use crate::calls::chain;
use crate::clock::Clock;
use crate::driver::{self, BeatError, BeatOptions, BeatReport, Seams, Surroundings};
use crate::git::GitProgram;
use crate::lock::LockError;
use crate::open_loop::{LOCK_FILE, LockMode, OpenError, OpenLoop, PluginSource};
use crate::people;
use crate::state_dir::{StateDir, place as state_of};
use crate::steps::{NoSteps, Steps};

/// The most beats at once: each has threads, a git and a checkout of its own.
// Limit: what a large machine gains by more is less than what its disk loses.
pub const JOBS_MAX: usize = 64;
// How often files are looked at for changes: three calls of the system for each loop.
const LOOK_EVERY: Duration = Duration::from_secs(15);
// Limit: as in core; a clock that steps back by less delays a beat by no more than this.
const BACK_MAX: SignedDuration = SignedDuration::from_hours(1);
// Limit: a message that cannot even be noted in the journal is no reason for a busy loop; as long as the first retry waits.
const TELL_AGAIN: SignedDuration = SignedDuration::from_secs(60);
// How often loops are looked for that were not there before.
const FIND_EVERY: Duration = Duration::from_secs(300);

/// What beats are run with; shared by all loops.
#[derive(Clone, Copy)]
pub struct Crew<'a> {
    /// The git to be used.
    pub program: &'a GitProgram,
    /// Where standard plugins come from.
    pub plugins: &'a (dyn PluginSource + Sync),
    /// The engine.
    pub sandbox: &'a Sandbox,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Where the operator's `config.toml` is; none where the user has no such folder.
    pub config_dir: Option<&'a Path>,
}

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Which loops.
    pub search: Search,
    /// How many beats at once at most; from 1 to [`JOBS_MAX`].
    pub jobs: usize,
    /// One beat of each loop that is due, and no more.
    pub once: bool,
}

/// Which loop a file is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The top folder of its project.
    pub top: PathBuf,
    /// Its state directory.
    pub state: PathBuf,
    /// Its name.
    pub loop_id: LoopId,
}

/// What happened, as it happens.
#[derive(Debug)]
pub enum News {
    /// A beat ended.
    Ended {
        /// The loop file.
        file: Arc<Path>,
        /// The loop.
        place: Place,
        /// How.
        report: Box<BeatReport>,
        /// When its next beat is due.
        next: Next,
    },
    /// A loop cannot be read, or its beat could not begin. It is tried again then, or when its files change.
    Trouble {
        /// The loop file.
        file: Arc<Path>,
        /// Why.
        trouble: Trouble,
        /// When.
        next: Next,
    },
    /// The loop is not due; only where each is to beat once.
    NotDue {
        /// The loop file.
        file: Arc<Path>,
        /// When it is.
        next: Next,
    },
    /// A loop that was found is not there any more.
    Gone {
        /// The loop file.
        file: Arc<Path>,
    },
    /// Not all could be looked for.
    Note(String),
}

/// Why a loop does not beat.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It cannot be opened or locked.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The beat could not begin.
    #[error(transparent)]
    Begin(#[from] BeatError),
    /// Another file has a loop of this name in the same project.
    #[error("the loop file {} has the same name", .0.display())]
    Twice(PathBuf),
    /// There is a mistake in this program.
    #[error("the beat came to a sudden end")]
    Panicked,
}

impl Trouble {
    /// True when another process is beating this loop.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self, Self::Begin(BeatError::Lock(LockError::Held { .. })))
    }
}

/// What the scheduler listens to.
pub struct Line {
    caller: Caller,
    from: Receiver<Message>,
}

/// Calls a scheduler from elsewhere.
#[derive(Debug, Clone)]
pub struct Caller {
    to: Sender<Message>,
    stopped: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Message {
    /// Somebody has stopped it, and it may be asleep.
    Wake,
    Ended {
        file: Arc<Path>,
        began: Timestamp,
        result: Result<Turn, Trouble>,
    },
}

/// What came of a loop's turn.
#[derive(Debug)]
enum Turn {
    /// A beat, and when people are to be told of something.
    Beaten(Place, Box<BeatReport>, Option<Timestamp>),
    /// No beat was due: another process has beaten it, it was edited, or people were to be told of something.
    Later(Place, Due),
}

/// When there is something to do for a loop.
#[derive(Debug, Clone, Copy)]
struct Due {
    /// Its next beat.
    beat: Next,
    /// People are to be told of something, whether it beats or not.
    word: Option<Timestamp>,
}

/// The marks of a loop file, of the lock file and of the journal; of a file that is not there, none.
type Marks = [Option<Mark>; 3];

impl Line {
    /// A new one.
    #[must_use]
    pub fn new() -> Self {
        let (to, from) = channel();
        let stopped = Arc::default();
        Self {
            caller: Caller { to, stopped },
            from,
        }
    }

    /// Somebody who can call.
    #[must_use]
    pub fn caller(&self) -> Caller {
        self.caller.clone()
    }
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

impl Caller {
    /// Lets no beat begin any more, and those that run end before their next step; nor is another journal looked at.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.send(Message::Wake);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn send(&self, message: Message) {
        if self.to.send(message).is_err() {
            tracing::debug!("the scheduler has ended");
        }
    }
}

/// As many beats at once as there are cores.
#[must_use]
pub fn jobs_default() -> usize {
    available_parallelism().map_or(1, |cores| cores.get().min(JOBS_MAX))
}

/// Lets loops beat until it is stopped, or until each has done so once; `tell` is told of everything.
///
/// # Errors
/// [`FindError`] when there is nothing to run at the beginning.
pub fn run(
    crew: Crew<'_>,
    wish: &Wish,
    line: &Line,
    tell: &mut dyn FnMut(News),
) -> Result<(), FindError> {
    let caller = line.caller();
    let found = wish.search.find(crew.program)?;
    if let Search::Files(files) = &wish.search
        && let Some(first) = files.first()
        && !files.iter().any(|file| file.exists())
    {
        return Err(FindError::NoFile(first.clone()));
    }
    std::thread::scope(|scope| {
        let mut shift = Shift {
            crew,
            wish,
            caller: &caller,
            roster: Roster::new(wish.jobs.clamp(1, JOBS_MAX), wish.once),
            latest: crew.clock.now(),
            tell,
        };
        shift.take_in(found);
        shift.work(scope, &line.from);
    });
    Ok(())
}

/// The scheduler at work.
struct Shift<'s> {
    crew: Crew<'s>,
    wish: &'s Wish,
    caller: &'s Caller,
    roster: Roster<Marks>,
    /// The latest time that the clock has shown.
    latest: Timestamp,
    tell: &'s mut dyn FnMut(News),
}

impl<'s> Shift<'s> {
    fn work<'scope>(&mut self, scope: &'scope Scope<'scope, '_>, messages: &Receiver<Message>)
    where
        's: 'scope,
    {
        let (mut looked, mut found) = (Instant::now(), Instant::now());
        loop {
            self.mind_the_clock();
            if self.caller.is_stopped() {
                self.roster.stop();
            }
            while let Some(file) = self.roster.begin(self.crew.clock.now()) {
                self.begin(scope, file);
            }
            if self.roster.is_over() {
                return;
            }
            match messages.recv_timeout(self.idle(looked)) {
                Ok(Message::Wake) => {}
                Ok(Message::Ended {
                    file,
                    began,
                    result,
                }) => self.ended(&file, began, result),
                Err(RecvTimeoutError::Timeout) if looked.elapsed() < LOOK_EVERY => {}
                Err(RecvTimeoutError::Timeout) => {
                    if found.elapsed() >= FIND_EVERY {
                        self.find_again();
                        found = Instant::now();
                    } else {
                        self.look();
                    }
                    looked = Instant::now();
                }
                // This very value holds a sender.
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// What was planned by a clock that was wrong may be years ahead: where it stepped back by much, all is planned anew.
    fn mind_the_clock(&mut self) {
        let now = self.crew.clock.now();
        if self.latest.duration_since(now) > BACK_MAX {
            self.latest = now;
            self.roster.forget_marks();
            self.look();
        }
        self.latest = self.latest.max(now);
    }

    /// How long there is nothing to do. The clock is asked again then, however it was set meanwhile.
    fn idle(&self, looked: Instant) -> Duration {
        let until_look = LOOK_EVERY.saturating_sub(looked.elapsed());
        let now = self.crew.clock.now();
        self.roster.next().map_or(until_look, |due| {
            let left = Duration::try_from(due.duration_since(now)).unwrap_or_default();
            left.min(until_look)
        })
    }

    fn begin<'scope>(&self, scope: &'scope Scope<'scope, '_>, file: Arc<Path>)
    where
        's: 'scope,
    {
        let (crew, caller) = (self.crew, self.caller);
        let once = self.wish.once;
        let began = crew.clock.now();
        let job = {
            let file = Arc::clone(&file);
            let marks = marks_of(&file, self.roster.place(&file));
            let looks_since = self.roster.looks_since(&file, &marks, began);
            move || {
                let turn = AssertUnwindSafe(|| turn(crew, &file, once, looks_since, caller));
                let result = catch_unwind(turn).unwrap_or(Err(Trouble::Panicked));
                caller.send(Message::Ended {
                    file,
                    began,
                    result,
                });
            }
        };
        if let Err(error) = Builder::new()
            .name("beat".to_owned())
            .spawn_scoped(scope, job)
        {
            let why = BeatError::Host(format!("no thread for the beat: {error}"));
            caller.send(Message::Ended {
                file,
                began,
                result: Err(why.into()),
            });
        }
    }

    fn ended(&mut self, file: &Arc<Path>, began: Timestamp, result: Result<Turn, Trouble>) {
        let now = self.crew.clock.now();
        let place = match &result {
            Ok(Turn::Beaten(place, ..) | Turn::Later(place, _)) => Some(place),
            Err(_) => self.roster.place(file),
        };
        let marks = marks_of(file, place);
        match result {
            Ok(Turn::Later(_, due)) => self.roster.put_off(file, marks, due),
            Ok(Turn::Beaten(place, report, word)) => {
                let due = Due {
                    beat: report.next,
                    word,
                };
                let next = self.roster.beaten(file, marks, due, began, now);
                (self.tell)(News::Ended {
                    file: Arc::clone(file),
                    place,
                    report,
                    next,
                });
            }
            Err(trouble) => self.trouble(file, marks, trouble, now),
        }
    }

    fn trouble(&mut self, file: &Arc<Path>, marks: Marks, trouble: Trouble, now: Timestamp) {
        if let Some(next) = self.roster.troubled(file, marks, &trouble, now) {
            (self.tell)(News::Trouble {
                file: Arc::clone(file),
                trouble,
                next,
            });
        }
    }

    fn find_again(&mut self) {
        match self.wish.search.find(self.crew.program) {
            Ok(found) => self.take_in(found),
            // What was found before stays; looking at it says what is wrong.
            Err(error) => (self.tell)(News::Note(error.to_string())),
        }
    }

    fn take_in(&mut self, found: Found) {
        for note in found.notes {
            (self.tell)(News::Note(note));
        }
        let now = self.crew.clock.now();
        for file in self.roster.take_in(found.files, now) {
            (self.tell)(News::Gone { file });
        }
        self.look();
    }

    /// Looks at what has changed.
    fn look(&mut self) {
        for (file, marks, since) in self.roster.changed(marks_of) {
            // What a repository holds decides how long reading it takes.
            if self.caller.is_stopped() {
                return;
            }
            let now = self.crew.clock.now();
            match look(self.crew, &file, self.wish.once, since, now) {
                Ok((open, due)) => {
                    // The journal's mark can be taken only now that its place is known.
                    let place = place(&open);
                    let marks = marks_of(&file, Some(&place));
                    let next = due.beat;
                    match self.roster.looked(&file, marks, place, due, now) {
                        Ok(true) => {}
                        Ok(false) => (self.tell)(News::NotDue { file, next }),
                        Err(other) => self.trouble(&file, marks, Trouble::Twice(other), now),
                    }
                }
                Err(trouble) => self.trouble(&file, marks, trouble, now),
            }
        }
    }
}

/// Reads loop file and history, and says when there is something to do.
fn look(
    crew: Crew<'_>,
    file: &Path,
    once: bool,
    since: Timestamp,
    now: Timestamp,
) -> Result<(OpenLoop, Due), Trouble> {
    let open = OpenLoop::open(crew.program, Path::new("/"), Some(file))?;
    let state = driver::look(&open)?;
    let next = if once && state.pace.began.is_none() {
        // Who looks once and ends does not watch, and would never see the first time of a cron.
        Next {
            at: now,
            why: Why::First,
        }
    } else {
        open.next(&state, since, now)
    };
    let word = people::next_word(&open, &state, crew.config_dir, now);
    let due = Due { beat: next, word };
    Ok((open, due))
}

/// A beat, if the loop is still due; where that is not sure, it is found out first.
fn turn(
    crew: Crew<'_>,
    file: &Path,
    once: bool,
    looks_since: Option<Timestamp>,
    caller: &Caller,
) -> Result<Turn, Trouble> {
    if let Some(since) = looks_since {
        let now = crew.clock.now();
        let (open, mut due) = look(crew, file, once, since, now)?;
        if due.beat.at > now {
            if due.word.is_some_and(|word| word <= now) {
                tell(&open, crew);
                due.word = word_after(&open, crew)?;
            }
            return Ok(Turn::Later(place(&open), due));
        }
    }
    let open = OpenLoop::open(crew.program, Path::new("/"), Some(file))?;
    let locked = open.lock(crew.plugins, LockMode::Require)?;
    let options = BeatOptions {
        dry_run: false,
        memo: true,
    };
    let around = Surroundings {
        sandbox: crew.sandbox,
        clock: crew.clock,
        steps: &UntilStopped(caller),
        config_dir: crew.config_dir,
    };
    let report = driver::beat(&open, &locked, options, around, &mut |_| {})?;
    if report.due.is_some() {
        tell(&open, crew);
    }
    let word = word_after(&open, crew)?;
    Ok(Turn::Beaten(place(&open), Box::new(report), word))
}

/// When people are to be told of something else, after what was to be told now.
fn word_after(open: &OpenLoop, crew: Crew<'_>) -> Result<Option<Timestamp>, Trouble> {
    if open.spec.notify.is_none() {
        return Ok(None);
    }
    let now = crew.clock.now();
    let word = people::next_word(open, &driver::look(open)?, crew.config_dir, now);
    let again = now.checked_add(TELL_AGAIN).unwrap_or(Timestamp::MAX);
    Ok(word.map(|word| word.max(again)))
}

/// Tells people what is due. That it failed stands in the journal, and it is tried again.
fn tell(open: &OpenLoop, crew: Crew<'_>) {
    let seams = Seams {
        clock: crew.clock,
        steps: &NoSteps,
    };
    let dir = StateDir::open(&open.project).and_then(|dir| dir.open_loop(&open.spec.loop_id));
    let told = match dir {
        Ok(dir) => people::tell(open, &dir, crew.config_dir, seams).map_err(|error| chain(&error)),
        Err(error) => Err(chain(&error)),
    };
    let problem = match told {
        Ok(None | Some(Ok(()))) => return,
        Ok(Some(Err(error))) => chain(&error),
        Err(problem) => problem,
    };
    tracing::warn!(loop_id = %open.spec.loop_id, problem, "people could not be told");
}

fn place(open: &OpenLoop) -> Place {
    Place {
        top: open.project.top().to_owned(),
        state: state_of(&open.project),
        loop_id: open.spec.loop_id.clone(),
    }
}

fn marks_of(file: &Path, place: Option<&Place>) -> Marks {
    let journal = |place: &Place| {
        let folder = place.state.join(place.loop_id.as_str());
        symlink_metadata(folder.join("journal.jsonl")).ok()
    };
    let lock = |place: &Place| metadata(place.top.join(LOCK_FILE)).ok();
    [
        metadata(file).ok(),
        place.and_then(lock),
        place.and_then(journal),
    ]
    .map(|found| found.as_ref().map(Mark::of))
}

/// Lets every step pass, and ends the beat between two of them when it is time to stop.
struct UntilStopped<'a>(&'a Caller);

impl Steps for UntilStopped<'_> {
    fn at(&self, _step: &'static str) {}

    fn stopped(&self) -> bool {
        self.0.is_stopped()
    }
}
