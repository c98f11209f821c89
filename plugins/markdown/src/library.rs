//! The documents of a workspace, each read once.
//!
//! Owns the cache and where bytes come from: [`Files`] is the seam, [`Disk`] the ordinary answer; a gate puts another
//! one before it to see the workspace as it was. `links.rs` follows links in the file system.
//!
//! **Invariant:** a document is parsed at most once for each library.

mod links;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;
use std::rc::Rc;

use crate::document::{Document, FILE_BYTES_MAX, ReadError};
use crate::path::is_markdown;
use crate::tree::{Kind, Tree};

pub use links::End;

/// Where the bytes of a workspace come from.
pub trait Files {
    /// Returns the bytes of a file, at most [`FILE_BYTES_MAX`] and one more.
    ///
    /// # Errors
    /// What reading a file raises.
    fn read(&self, path: &str) -> std::io::Result<Vec<u8>>;

    /// Returns what the link in the file system at `path` says.
    ///
    /// # Errors
    /// What reading it raises; one of its own for what is no text.
    fn link(&self, path: &str) -> std::io::Result<String>;

    /// Whether `path` is missing from the listing only because we may not see it.
    fn is_hidden(&self, path: &str) -> bool;
}

/// The files below a folder.
#[derive(Clone, Debug)]
pub struct Disk {
    root: PathBuf,
}

impl Disk {
    /// Files below `root`, which is `.` for a plugin.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }
}

impl Files for Disk {
    fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(FILE_BYTES_MAX)
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        File::open(self.root.join(path))?
            .take(limit)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn link(&self, path: &str) -> std::io::Result<String> {
        let target = std::fs::read_link(self.root.join(path))?;
        let target = target.into_os_string().into_string();
        target.map_err(|_| ErrorKind::InvalidData.into())
    }

    fn is_hidden(&self, path: &str) -> bool {
        let seen = self.root.join(path).symlink_metadata();
        seen.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
    }
}

/// One read document, or why there is none.
pub type Shelved = Rc<Result<Document, ReadError>>;

/// A workspace as its documentation sees it.
pub struct Library<'a> {
    tree: &'a Tree,
    files: &'a dyn Files,
    documents: RefCell<BTreeMap<String, Shelved>>,
    homes: OnceCell<BTreeMap<String, Vec<String>>>,
}

impl<'a> Library<'a> {
    /// A library over `tree`, whose bytes come from `files`.
    pub fn new(tree: &'a Tree, files: &'a dyn Files) -> Self {
        Self {
            tree,
            files,
            documents: RefCell::default(),
            homes: OnceCell::new(),
        }
    }

    /// The listing.
    pub fn tree(&self) -> &'a Tree {
        self.tree
    }

    /// Reads the Markdown file `path`, or remembers it.
    pub fn document(&self, path: &str) -> Shelved {
        if let Some(known) = self.documents.borrow().get(path) {
            return Rc::clone(known);
        }
        let read = self
            .files
            .read(path)
            .map_err(ReadError::from)
            .and_then(|bytes| Document::parse(&bytes));
        let read = Rc::new(read);
        self.documents
            .borrow_mut()
            .insert(path.to_owned(), Rc::clone(&read));
        read
    }

    /// Whether `path` exists, or may exist where we cannot look.
    pub fn may_hold(&self, path: &str) -> bool {
        self.end(path) != End::Nowhere
    }

    /// Whether we may not look whether `path` exists.
    pub fn is_hidden(&self, path: &str) -> bool {
        self.end(path) == End::Hidden
    }

    /// Whether the Markdown file to which `path` leads exists, and its bytes cannot be had.
    pub fn is_withheld(&self, path: &str) -> bool {
        let End::At(path, Kind::File) = self.end(path) else {
            return false;
        };
        is_markdown(&path) && matches!(&*self.document(&path), Err(ReadError::Io(_)))
    }

    /// The document that somebody sees who follows `path`; `None` for what is not there or is no Markdown.
    pub fn page(&self, path: &str) -> Option<Shelved> {
        match self.end(path) {
            End::At(path, Kind::File) if is_markdown(&path) => Some(self.document(&path)),
            _ => None,
        }
    }

    /// The Markdown files that have an anchor with this key (see [`crate::slug::key`]), sorted. The first call reads
    /// every document of the workspace.
    pub fn homes_of(&self, key: &str) -> &[String] {
        let homes = self.homes.get_or_init(|| {
            let mut homes: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for path in self.tree.files().filter(|path| is_markdown(path)) {
                if let Ok(document) = &*self.document(path) {
                    for (key, _) in document.anchors().iter() {
                        homes
                            .entry(key.to_owned())
                            .or_default()
                            .push(path.to_owned());
                    }
                }
            }
            homes
        });
        homes.get(key).map_or(&[], Vec::as_slice)
    }

    /// Whether `path` is a Markdown file that exists.
    pub fn has_document(&self, path: &str) -> bool {
        is_markdown(path) && self.tree.kind(path) == Some(Kind::File)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Counts how often a file is read.
    struct Counted(Cell<u32>);

    impl Files for Counted {
        fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
            self.0.set(self.0.get() + 1);
            Ok(format!("# Heading of {path}\n").into_bytes())
        }

        fn link(&self, _: &str) -> std::io::Result<String> {
            Err(ErrorKind::NotFound.into())
        }

        fn is_hidden(&self, path: &str) -> bool {
            path == "hidden.md"
        }
    }

    #[test]
    fn each_document_is_read_once() {
        let tree = Tree::of(["a.md", "b.md", "c.rs"].map(|path| (path.to_owned(), Kind::File)));
        let files = Counted(Cell::new(0));
        let library = Library::new(&tree, &files);
        assert_eq!(library.homes_of("heading-of-amd"), ["a.md"]);
        assert!(library.document("a.md").is_ok());
        assert!(library.homes_of("heading-of-crs").is_empty(), "no Markdown");
        assert_eq!(files.0.get(), 2);
        assert!(
            library.may_hold("hidden.md") && library.may_hold("b.md") && !library.may_hold("x.md")
        );
    }

    #[test]
    fn reading_from_disk_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("large.md"),
            vec![b'a'; FILE_BYTES_MAX + 100],
        )
        .unwrap();
        let disk = Disk::at(folder.path());
        assert_eq!(disk.read("large.md").unwrap().len(), FILE_BYTES_MAX + 1);
        assert!(disk.read("none.md").is_err());
        assert!(!disk.is_hidden("none.md"));
    }
}
