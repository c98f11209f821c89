//! The thread that calls run on: a confined one, begun with the first call.
//!
//! Owns that thread and its timer. A call's mounts are the thread's roots; a call with other mounts gets another thread,
//! since what was given up cannot be had back. What a call asks of its host (bytes of a change, for which git is run; a
//! report of a native program) is answered by the thread that waits for the call, which is not confined.
//!
//! **Invariant:** no guest code runs before the thread is confined, and nothing of a guest runs anywhere else. When
//! [`Guests`] is dropped, its thread has ended.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use rustix::fs::Stat;
use tokio::runtime::Runtime;

use crate::asked::{Asked, Question};
use crate::call::{Call, CallError, Called};
use crate::confine::{self, Confinement};

/// Runs calls, one after the other, where they can do the least.
#[derive(Debug, Default)]
pub struct Guests(Option<Worker>);

#[derive(Debug)]
struct Worker {
    roots: Vec<Root>,
    confinement: Confinement,
    /// Taken when the thread is to end.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

type Job = Box<dyn FnOnce(&Runtime) + Send>;

/// A directory by its name and by what it is: another one under that name is another root.
#[derive(Debug, PartialEq, Eq)]
struct Root {
    path: PathBuf,
    identity: (u64, u64),
}

/// What the waiting thread is told.
enum Heard<T> {
    Question(Question),
    Ended(Result<Called<T>, CallError>),
}

impl Guests {
    /// No thread yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the thread of the last call has given up; none before the first.
    #[must_use]
    pub fn confinement(&self) -> Option<&Confinement> {
        self.0.as_ref().map(|worker| &worker.confinement)
    }

    /// Makes one call; `ask` says of which plugin and in which role.
    ///
    /// # Errors
    /// [`CallError`] when the call could not be set up, or its thread ended.
    pub fn run<T: Send + 'static>(
        &mut self,
        mut call: Call,
        ask: impl AsyncFnOnce(Call) -> Result<Called<T>, CallError> + Send + 'static,
    ) -> Result<Called<T>, CallError> {
        let worker = self.worker(&call)?;
        let (tell, hear) = channel();
        call.change = call
            .change
            .map(|source| Arc::new(Asked::new(source, asking(&tell))) as _);
        call.evidence = call
            .evidence
            .map(|source| Arc::new(Asked::new(source, asking(&tell))) as _);
        let job: Job = Box::new(move |runtime| {
            let ended = runtime.block_on(ask(call));
            // Nobody listens any more when the waiting thread has panicked.
            tell.send(Heard::Ended(ended)).unwrap_or_default();
        });
        let begun = worker.jobs.as_ref().map(|jobs| jobs.send(job));
        match begun {
            Some(Ok(())) => {}
            Some(Err(_)) | None => return Err(self.gone()),
        }
        wait(&hear).unwrap_or_else(|| Err(self.gone()))
    }

    /// The thread for a call with these mounts.
    fn worker(&mut self, call: &Call) -> Result<&Worker, CallError> {
        let roots: Vec<Root> = call
            .mounts
            .iter()
            .map(|mount| Root::of(&mount.host_path))
            .collect::<Result<_, _>>()?;
        let reusable = self.0.take().filter(|worker| worker.roots == roots);
        let worker = match reusable {
            Some(worker) => worker,
            None => Worker::begin(roots)?,
        };
        Ok(self.0.insert(worker))
    }

    /// The next call gets a new thread.
    fn gone(&mut self) -> CallError {
        self.0 = None;
        CallError::Store("the thread of the call ended".to_owned())
    }
}

/// Hands questions to the thread that waits.
fn asking<T: Send + 'static>(
    tell: &Sender<Heard<T>>,
) -> impl Fn(Question) -> bool + Send + Sync + use<T> {
    let ask = tell.clone();
    move |question| ask.send(Heard::Question(question)).is_ok()
}

/// Answers questions until the call has ended; none when it never will.
fn wait<T>(hear: &Receiver<Heard<T>>) -> Option<Result<Called<T>, CallError>> {
    loop {
        match hear.recv().ok()? {
            Heard::Question(question) => question(),
            Heard::Ended(ended) => return Some(ended),
        }
    }
}

impl Worker {
    fn begin(roots: Vec<Root>) -> Result<Self, CallError> {
        let failed =
            |error: io::Error| CallError::Store(format!("no thread for the call: {error}"));
        let paths: Vec<PathBuf> = roots.iter().map(|root| root.path.clone()).collect();
        let (jobs, work) = channel();
        let (ready, readied) = channel();
        let thread = Builder::new()
            .name("guests".to_owned())
            .spawn(move || {
                let (confinement, runtime) = match set_up(&paths) {
                    Ok((confinement, runtime)) => (Ok(confinement), Some(runtime)),
                    Err(error) => (Err(error), None),
                };
                // Whoever began this thread waits for it.
                ready.send(confinement).unwrap_or_default();
                if let Some(runtime) = runtime {
                    carry_out(&runtime, &work);
                }
            })
            .map_err(failed)?;
        let confinement = match readied.recv() {
            Ok(confinement) => confinement.map_err(failed)?,
            Err(_) => return Err(failed(io::Error::other("it ended at once"))),
        };
        Ok(Self {
            roots,
            confinement,
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic on it was told to whoever waited for the call.
            thread.join().unwrap_or_default();
        }
    }
}

fn set_up(roots: &[PathBuf]) -> io::Result<(Confinement, Runtime)> {
    let confinement = confine::thread(roots)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    Ok((confinement, runtime))
}

fn carry_out(runtime: &Runtime, work: &Receiver<Job>) {
    while let Ok(job) = work.recv() {
        job(runtime);
    }
}

impl Root {
    fn of(path: &Path) -> Result<Self, CallError> {
        match rustix::fs::stat(path) {
            Ok(Stat { st_dev, st_ino, .. }) => Ok(Self {
                path: path.to_owned(),
                #[cfg_attr(
                    target_os = "linux",
                    expect(clippy::useless_conversion, reason = "narrower elsewhere")
                )]
                identity: (u64::try_from(st_dev).unwrap_or(u64::MAX), st_ino.into()),
            }),
            Err(errno) => Err(CallError::Mount {
                path: path.to_owned(),
                source: errno.into(),
            }),
        }
    }
}
