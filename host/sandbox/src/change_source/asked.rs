//! A change whose bytes are fetched by another thread than the guest's.
//!
//! **Invariant:** the thread that asks does nothing but wait: what a source does for an answer (it may run git) is no
//! right of a guest's thread.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use ringfence_core::change::FileChange;
use ringfence_core::relpath::RelPath;

use super::ChangeSource;

/// Something that the other thread does and answers by itself.
pub(crate) type Question = Box<dyn FnOnce() + Send>;

/// A source that is asked elsewhere.
pub(crate) struct Asked<A> {
    source: Arc<dyn ChangeSource>,
    /// Hands a question over; false when nobody is there to answer.
    ask: A,
}

impl<A: Fn(Question) -> bool + Send + Sync> Asked<A> {
    pub(crate) fn new(source: Arc<dyn ChangeSource>, ask: A) -> Self {
        Self { source, ask }
    }

    fn answer<T: Send + 'static>(
        &self,
        look: impl FnOnce(&dyn ChangeSource) -> io::Result<T> + Send + 'static,
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

impl<A: Fn(Question) -> bool + Send + Sync> ChangeSource for Asked<A> {
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
}
