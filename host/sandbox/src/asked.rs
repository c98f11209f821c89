//! A source whose bytes are fetched by another thread than the guest's.
//!
//! **Invariant:** the thread that asks does nothing but wait: what a source does for an answer (it may run git, or open a
//! file) is no right of a guest's thread.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use ringfence_core::change::{Commit, FileChange};
use ringfence_core::evidence::{CommandReceipt, Side};
use ringfence_core::ids::StepId;
use ringfence_core::relpath::RelPath;

use crate::change_source::ChangeSource;
use crate::evidence_source::EvidenceSource;

/// Something that the other thread does and answers by itself.
pub(crate) type Question = Box<dyn FnOnce() + Send>;

/// A source that is asked elsewhere.
pub(crate) struct Asked<S: ?Sized, A> {
    source: Arc<S>,
    /// Hands a question over; false when nobody is there to answer.
    ask: A,
}

impl<S, A> Asked<S, A>
where
    S: ?Sized + Send + Sync + 'static,
    A: Fn(Question) -> bool + Send + Sync,
{
    pub(crate) fn new(source: Arc<S>, ask: A) -> Self {
        Self { source, ask }
    }

    fn answer<T: Send + 'static>(
        &self,
        look: impl FnOnce(&S) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let (tell, hear) = sync_channel(1);
        let source = Arc::clone(&self.source);
        let asked = (self.ask)(Box::new(move || {
            // The one who asked waits for it.
            tell.send(look(&*source)).unwrap_or_default();
        }));
        let nobody = || io::Error::other("nobody is there to answer");
        if !asked {
            return Err(nobody());
        }
        hear.recv().unwrap_or_else(|_| Err(nobody()))
    }
}

impl<A: Fn(Question) -> bool + Send + Sync> ChangeSource for Asked<dyn ChangeSource, A> {
    fn files(&self) -> &[FileChange] {
        self.source.files()
    }

    fn read_base(&self, path: &RelPath, max: u64) -> io::Result<Option<Vec<u8>>> {
        let path = path.clone();
        self.answer(move |source| source.read_base(&path, max))
    }

    fn unified_diff(&self, context: u32, paths: &[RelPath], max: u64) -> io::Result<String> {
        let paths = paths.to_vec();
        self.answer(move |source| source.unified_diff(context, &paths, max))
    }

    fn commits(&self) -> &[Commit] {
        self.source.commits()
    }
}

impl<A: Fn(Question) -> bool + Send + Sync> EvidenceSource for Asked<dyn EvidenceSource, A> {
    fn receipts(&self) -> &[CommandReceipt] {
        self.source.receipts()
    }

    fn read(&self, command: &StepId, side: Side, report: &str, max: u64) -> io::Result<Vec<u8>> {
        let (command, report) = (command.clone(), report.to_owned());
        self.answer(move |source| source.read(&command, side, &report, max))
    }
}
