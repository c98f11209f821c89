//! Links in the file system: where a path ends once they are followed.
//!
//! **Invariant:** a way stays inside the workspace and is walked by the listing alone, so it ends; what leads nowhere, out or in a
//! circle is nowhere.

use std::io::ErrorKind;

use super::Library;
use crate::tree::Kind;

/// Limit: links on one way, as Linux has it; more are a circle.
const LINKS_MAX: usize = 40;
/// Limit: bytes of what a link says, as Linux has it; a longer one leads nowhere.
const LINK_BYTES_MAX: usize = 4096;

/// Where a path ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// At this file or folder, which is no link.
    At(String, Kind),
    /// Somewhere that does not exist, or is outside of the workspace.
    Nowhere,
    /// At something that we may not look at.
    Hidden,
}

impl Library<'_> {
    /// Follows `path` through the links in the file system.
    pub fn end(&self, path: &str) -> End {
        let mut at = String::new();
        let mut steps: Vec<String> = reversed(path);
        let mut links = 0;
        while let Some(step) = steps.pop() {
            if step == ".." {
                let Some((folder, _)) =
                    at.rsplit_once('/').or((!at.is_empty()).then_some(("", "")))
                else {
                    return End::Nowhere;
                };
                at = folder.to_owned();
                continue;
            }
            let next = if at.is_empty() {
                step
            } else {
                format!("{at}/{step}")
            };
            match self.tree.kind(&next) {
                Some(Kind::Folder) => at = next,
                Some(Kind::File) if steps.is_empty() => return End::At(next, Kind::File),
                Some(Kind::File) => return End::Nowhere,
                Some(Kind::Link) => {
                    links += 1;
                    let target = match self.files.link(&next) {
                        Ok(target) => target,
                        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                            return End::Hidden;
                        }
                        Err(_) => return End::Nowhere,
                    };
                    let leads_out = target.is_empty() || target.starts_with('/');
                    if leads_out || links > LINKS_MAX || target.len() > LINK_BYTES_MAX {
                        return End::Nowhere;
                    }
                    steps.extend(reversed(&target));
                }
                None => {
                    let rest: Vec<&str> = steps.iter().rev().map(String::as_str).collect();
                    let whole = [&[next.as_str()], rest.as_slice()].concat().join("/");
                    return if self.files.is_hidden(&whole) {
                        End::Hidden
                    } else {
                        End::Nowhere
                    };
                }
            }
        }
        End::At(at, Kind::Folder)
    }

    /// Whether a link in the file system is on the way of `path`.
    pub fn passes_link(&self, path: &str) -> bool {
        let ends = path
            .match_indices('/')
            .map(|(at, _)| at)
            .chain([path.len()]);
        ends.filter_map(|end| path.get(..end))
            .any(|part| self.tree.kind(part) == Some(Kind::Link))
    }
}

/// The steps of a path, the last one first.
fn reversed(path: &str) -> Vec<String> {
    let steps = path.split('/').rev();
    steps
        .filter(|step| !matches!(*step, "" | "."))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io;

    use super::*;
    use crate::library::Files;
    use crate::tree::Tree;

    struct Links(BTreeMap<&'static str, &'static str>);

    impl Files for Links {
        fn read(&self, _: &str) -> io::Result<Vec<u8>> {
            Err(ErrorKind::NotFound.into())
        }

        fn link(&self, path: &str) -> io::Result<String> {
            match self.0.get(path) {
                Some(target) => Ok((*target).to_owned()),
                None => Err(ErrorKind::PermissionDenied.into()),
            }
        }

        fn is_hidden(&self, path: &str) -> bool {
            path.starts_with("secret")
        }
    }

    #[test]
    fn a_way_ends() {
        let links = [
            ("l", "a/b.md"),
            ("d", "./a"),
            ("a/up", "../c.md"),
            ("gone", "nowhere"),
            ("self", "self"),
            ("x", "y"),
            ("y", "x"),
            ("out", "../etc"),
            ("root", "/etc"),
            ("dd", "d/../d"),
            ("far", "secret/x"),
            ("empty", ""),
        ];
        let entries = links.iter().map(|(path, _)| (*path, Kind::Link));
        let entries = entries.chain([
            ("a/b.md", Kind::File),
            ("c.md", Kind::File),
            ("denied", Kind::Link),
        ]);
        let tree = Tree::of(entries.map(|(path, kind)| (path.to_owned(), kind)));
        let files = Links(links.into_iter().collect());
        let library = Library::new(&tree, &files);
        let file = |path: &str| End::At(path.to_owned(), Kind::File);
        for (path, expect) in [
            ("a/b.md", file("a/b.md")),
            ("l", file("a/b.md")),
            ("d/b.md", file("a/b.md")),
            ("d/up", file("c.md")),
            ("dd/b.md", file("a/b.md")),
            ("d", End::At("a".to_owned(), Kind::Folder)),
            ("", End::At(String::new(), Kind::Folder)),
            ("l/x", End::Nowhere),
            ("a/x", End::Nowhere),
            ("gone", End::Nowhere),
            ("gone/a", End::Nowhere),
            ("self", End::Nowhere),
            ("x/a", End::Nowhere),
            ("out", End::Nowhere),
            ("root/passwd", End::Nowhere),
            ("empty", End::Nowhere),
            ("far", End::Hidden),
            ("secret", End::Hidden),
            ("denied", End::Hidden),
        ] {
            assert_eq!(library.end(path), expect, "{path}");
        }
        assert!(library.passes_link("d/b.md") && library.passes_link("l"));
        assert!(!library.passes_link("a/b.md"));
    }
}
