//! Which repair is proposed, and when none is.

use std::collections::BTreeMap;
use std::io;

use super::*;
use crate::breaks::breaks;
use crate::library::Files;
use crate::rewrite::retarget;
use crate::tree::Tree;

struct Memory(BTreeMap<&'static str, &'static str>);

impl Files for Memory {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.0
            .get(path)
            .map(|text| text.as_bytes().to_vec())
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn link(&self, path: &str) -> std::io::Result<String> {
        let bytes = self.read(path)?;
        String::from_utf8(bytes).map_err(|_| std::io::ErrorKind::InvalidData.into())
    }

    fn is_hidden(&self, path: &str) -> bool {
        path.starts_with("hidden/")
    }
}

/// Puts `text` at `path` among `others`, and returns for each broken link `rule target → repair`.
fn shown(
    path: &'static str,
    text: &'static str,
    others: &[(&'static str, &'static str)],
) -> Vec<String> {
    let files = Memory(others.iter().copied().chain([(path, text)]).collect());
    let tree = Tree::of(files.0.keys().map(|path| ((*path).to_owned(), Kind::File)));
    let library = Library::new(&tree, &files);
    let broken = breaks(&library, path, Settings::default()).unwrap();
    let show = |broken: &Break| {
        let repair = match repair(&library, broken, Settings::default()) {
            Repair::Unique(new) => {
                mends(&files, path, broken, &new);
                new
            }
            Repair::Ambiguous(candidates) => candidates.join(" | "),
            Repair::Nothing => "nothing".to_owned(),
        };
        format!("{} {} → {repair}", broken.rule.id(), broken.link.target)
    };
    broken.iter().map(show).collect()
}

/// Holds that after the repair the link is no longer broken.
fn mends(files: &Memory, path: &'static str, broken: &Break, new: &str) {
    let (edited, _) = retarget(files.0[path].as_bytes(), &broken.link.target, new).unwrap();
    let edited: &'static str = String::from_utf8(edited).unwrap().leak();
    let mut after = files.0.clone();
    after.insert(path, edited);
    let after = Memory(after);
    let tree = Tree::of(after.0.keys().map(|path| ((*path).to_owned(), Kind::File)));
    let left = breaks(&Library::new(&tree, &after), path, Settings::default()).unwrap();
    assert!(
        left.iter()
            .all(|left| left.link.target != broken.link.target && left.link.target != new),
        "{new}"
    );
}

fn check(
    path: &'static str,
    text: &'static str,
    others: &[(&'static str, &'static str)],
    expect: &[&str],
) {
    assert_eq!(shown(path, text, others), expect, "{path}: {text}");
}

#[test]
fn the_only_file_of_that_name() {
    let moved = [("docs/guide/setup.md", "# One\n"), ("src/x.rs", "")];
    check(
        "README.md",
        "[a](docs/setup.md)",
        &moved,
        &["missing-file docs/setup.md → docs/guide/setup.md"],
    );
    check(
        "docs/a.md",
        "[a](./setup.md)",
        &moved,
        &["missing-file ./setup.md → ./guide/setup.md"],
    );
    check(
        "a/b/c.md",
        "[a](/setup.md?raw=1)",
        &moved,
        &["missing-file /setup.md?raw=1 → /docs/guide/setup.md?raw=1"],
    );
    check(
        "a/b/c.md",
        "[a](../../../up/setup.md)",
        &moved,
        &["outside-root ../../../up/setup.md → ../../docs/guide/setup.md"],
    );
    check(
        "README.md",
        "[a](nothing.md)",
        &moved,
        &["missing-file nothing.md → nothing"],
    );
    check(
        "README.md",
        "[a](lib/docs/guide/)",
        &moved,
        &["missing-file lib/docs/guide/ → docs/guide/"],
    );
    check(
        "README.md",
        "[a](docs\\guide\\setup.md)",
        &moved,
        &["missing-file docs\\guide\\setup.md → docs/guide/setup.md"],
    );
}

#[test]
fn the_longest_common_ending_decides() {
    let two = [("a/en/setup.md", ""), ("a/de/setup.md", "")];
    check(
        "README.md",
        "[a](old/de/setup.md)",
        &two,
        &["missing-file old/de/setup.md → a/de/setup.md"],
    );
    check(
        "README.md",
        "[a](setup.md)",
        &two,
        &["missing-file setup.md → a/de/setup.md | a/en/setup.md"],
    );
}

#[test]
fn names_that_are_everywhere_need_their_folder() {
    let tree = [("pkg/core/README.md", ""), ("x/y.md", "")];
    check(
        "x/y.md",
        "[a](core/README.md)",
        &tree,
        &["missing-file core/README.md → ../pkg/core/README.md"],
    );
    check(
        "x/y.md",
        "[a](none/README.md)",
        &tree,
        &["missing-file none/README.md → nothing"],
    );
    check(
        "README.md",
        "[a](old/README.md)",
        &[],
        &["missing-file old/README.md → nothing"],
    );
    // Both documents lie in a folder of the same name, which is no evidence.
    check(
        "a/src/y.md",
        "[a](index.md)",
        &[("b/src/index.md", "")],
        &["missing-file index.md → nothing"],
    );
}

#[test]
fn a_page_without_its_ending_may_have_moved_too() {
    let tree = [
        ("site/commands/config.md", ""),
        ("vendor/config/x.js", ""),
        ("bin/npm.js", ""),
    ];
    for (target, expect) in [
        ("/commands/config", "/site/commands/config.md"),
        ("config", "nothing"),
        ("/commands/npm", "nothing"),
        ("examples/npm.js", "nothing"),
        ("lib/bin/npm.js", "bin/npm.js"),
    ] {
        let source: &'static str = format!("[a]({target})").leak();
        check(
            "README.md",
            source,
            &tree,
            &[&format!("missing-file {target} → {expect}")],
        );
    }
}

#[test]
fn case_and_endings() {
    let tree = [
        ("docs/Setup.md", "# One\n"),
        ("docs/api.md", ""),
        ("docs/tools/x.rs", ""),
    ];
    check(
        "README.md",
        "[a](docs/setup.md#one)",
        &tree,
        &["wrong-case docs/setup.md#one → docs/Setup.md#one"],
    );
    check(
        "README.md",
        "[a](docs/api)",
        &tree,
        &["missing-file docs/api → docs/api.md"],
    );
    check(
        "README.md",
        "[a](docs/api.html)",
        &tree,
        &["missing-file docs/api.html → docs/api.md"],
    );
    check(
        "README.md",
        "[a](docs/tools.md)",
        &tree,
        &["missing-file docs/tools.md → docs/tools"],
    );
    let both = [("docs/A.md", ""), ("docs/a.MD", "")];
    check(
        "README.md",
        "[a](docs/a.md)",
        &both,
        &["wrong-case docs/a.md → docs/A.md | docs/a.MD"],
    );
}

#[test]
fn nearest_heading() {
    let text = "# Getting Started\n# Installation\n# Release 1.2.3\n";
    let tree = [("g.md", text)];
    for (target, expect) in [
        ("g.md#geting-started", "g.md#getting-started"),
        ("g.md#getting_started", "g.md#getting-started"),
        ("g.md#gettingStarted", "g.md#getting-started"),
        ("g.md#instalation", "g.md#installation"),
        ("g.md#release-124", "nothing"),
        ("g.md#uninstall-it", "nothing"),
        ("g.md?x#Getting%20Started", "g.md?x#getting-started"),
    ] {
        let source: &'static str = format!("[a]({target})").leak();
        check(
            "README.md",
            source,
            &tree,
            &[&format!("missing-anchor {target} → {expect}")],
        );
    }
    check(
        "g2.md",
        "# Some heading\n[a](#some-headin)",
        &[],
        &["missing-anchor #some-headin → #some-heading"],
    );
}

#[test]
fn rivals_are_named() {
    let tree = [("g.md", "# Setup a\n# Setup b\n")];
    check(
        "README.md",
        "[a](g.md#setup-c)",
        &tree,
        &["missing-anchor g.md#setup-c → g.md#setup-a | g.md#setup-b"],
    );
}

#[test]
fn moved_anchor() {
    let tree = [
        ("a.md", "# Rest\n"),
        ("b.md", "# Advanced usage\n"),
        ("c.md", "# Twice here\n"),
        ("d.md", "# Twice here\n"),
    ];
    check(
        "README.md",
        "[a](a.md#advanced-usage)",
        &tree,
        &["missing-anchor a.md#advanced-usage → b.md#advanced-usage"],
    );
    check(
        "a.md",
        "# Rest\n[a](#advanced-usage)",
        &tree,
        &["missing-anchor #advanced-usage → b.md#advanced-usage"],
    );
    check(
        "README.md",
        "[a](a.md#twice-here)",
        &tree,
        &["missing-anchor a.md#twice-here → c.md#twice-here | d.md#twice-here"],
    );
}

#[test]
fn translations_are_no_new_home() {
    let tree = [("README.md", "# How to install\n")];
    check(
        "README_CN.md",
        "[a](#how-to-install)",
        &tree,
        &["missing-anchor #how-to-install → nothing"],
    );
    check(
        "de/README.md",
        "[a](#how-to-install)",
        &tree,
        &["missing-anchor #how-to-install → nothing"],
    );
    check(
        "READING.md",
        "[a](#how-to-install)",
        &tree,
        &["missing-anchor #how-to-install → README.md#how-to-install"],
    );
    check(
        "README-extended.md",
        "[a](#how-to-install)",
        &tree,
        &["missing-anchor #how-to-install → README.md#how-to-install"],
    );
}

#[test]
fn a_moved_file_must_have_the_anchor() {
    let tree = [
        ("x/setup.md", "# Other\n# First step\n"),
        ("y/setup.md", "# None\n"),
    ];
    check(
        "README.md",
        "[a](setup.md#other)",
        &tree,
        &["missing-file setup.md#other → x/setup.md#other"],
    );
    check(
        "README.md",
        "[a](x/y/z.md#other)",
        &tree,
        &["missing-file x/y/z.md#other → nothing"],
    );
    check(
        "README.md",
        "[a](old/x/setup.md#first-stp)",
        &tree,
        &["missing-file old/x/setup.md#first-stp → x/setup.md#first-step"],
    );
    check(
        "README.md",
        "[a](old/y/setup.md#gone)",
        &tree,
        &["missing-file old/y/setup.md#gone → nothing"],
    );
}

#[test]
fn odd_names_are_written_safely() {
    let tree = [("d/a b(1).md", "# H\n"), ("d/x'y\"z|.md", "")];
    check(
        "README.md",
        "[a](a%20b%281%29.md)",
        &tree,
        &["missing-file a%20b%281%29.md → d/a%20b%281%29.md"],
    );
    check(
        "README.md",
        "[a](<a b(1).md>)",
        &tree,
        &["missing-file a b(1).md → d/a%20b%281%29.md"],
    );
    check(
        "README.md",
        "<a href=\"x'y&quot;z|.md\">a</a>",
        &tree,
        &["missing-file x'y\"z|.md → d/x%27y%22z%7C.md"],
    );
    check(
        "README.md",
        "| a |\n|---|\n| [x](x'y%22z%7C.md) |",
        &tree,
        &["missing-file x'y%22z%7C.md → d/x%27y%22z%7C.md"],
    );
}

#[test]
fn fine_links_are_fine() {
    let tree = [("docs/a.md", "# A\n"), ("src/x.rs", ""), ("README.md", "")];
    check(
        "z.md",
        "# Z\n[1](docs/a.md#a)[2](docs)[3](docs/)[4](src/x.rs#L1-L2)[5](.)[6](#z)[7](/docs/a.md)[8](hidden/x.md)\
         [9](docs/a.md?plain=1#L1)[10](../../issues)[11](README.md#readme)[12](#top)[13](docs/a.md#user-content-a)",
        &tree,
        &[],
    );
}
