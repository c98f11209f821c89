//! The documentation's own links, and the list of what is broken in the example on purpose.
//!
//! **Invariant:** `docs/journal-format.md` names every field of an entry, and `docs/example.md` names exactly what
//! `md-links` finds in `docs/example`, so that the README's first command shows what it says.

use ringfence_markdown::path::is_markdown;
use ringfence_markdown::{Disk, Kind, Library, Repair, Settings, Tree, breaks, repair};
use ringfence_tidy::workspace;

const EXAMPLE: &str = "docs/example/";

/// Links that lead nowhere in every document but the example's and the fixtures'.
#[test]
fn no_link_of_the_documentation_is_broken() {
    let root = workspace::root();
    let texts = workspace::texts(&root).unwrap();
    let tree = Tree::of(texts.iter().map(|(path, _)| (path.clone(), Kind::File)));
    let disk = Disk::at(&root);
    let library = Library::new(&tree, &disk);
    let ours = |path: &&str| {
        is_markdown(path) && !path.starts_with(EXAMPLE) && !path.contains("/fixtures/")
    };
    let mut found = Vec::new();
    for path in tree.files().filter(ours) {
        let broken = breaks(&library, path, Settings::default()).unwrap();
        found.extend(broken.iter().map(|broken| {
            format!(
                "{path}:{}: {} {}",
                broken.link.line,
                broken.link.target,
                broken.rule.words()
            )
        }));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_example_is_broken_as_its_list_says() {
    let root = workspace::root().join(EXAMPLE);
    let tree = Tree::read(&root).unwrap();
    let disk = Disk::at(&root);
    let library = Library::new(&tree, &disk);
    let mut rows = Vec::new();
    for path in tree.files().filter(|path| is_markdown(path)) {
        for broken in breaks(&library, path, Settings::default()).unwrap() {
            let repair = match repair(&library, &broken, Settings::default()) {
                Repair::Unique(new) => format!("`{new}`"),
                Repair::Ambiguous(several) => {
                    format!("refused: `{}` fit equally", several.join("` and `"))
                }
                Repair::Nothing => "refused: nothing fits".to_owned(),
            };
            rows.push(format!(
                "| `{path}` | `{}` | {} | {repair} |",
                broken.link.target,
                broken.rule.id()
            ));
        }
    }
    let list = std::fs::read_to_string(workspace::root().join("docs/example.md")).unwrap();
    let listed: Vec<&str> = list
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    assert_eq!(
        listed,
        rows,
        "docs/example.md should say:\n{}",
        rows.join("\n")
    );
}

#[test]
fn the_journals_document_names_every_field() {
    let read = |path: &str| std::fs::read_to_string(workspace::root().join(path)).unwrap();
    let document = read("docs/journal-format.md");
    let receipt = read("host/core/src/journal/receipt.rs");
    let entry = read("host/core/src/journal/entry.rs");
    let structs = [
        (&receipt, "BeatReceipt"),
        (&entry, "Intent"),
        (&entry, "Done"),
        (&entry, "Recovered"),
    ];
    for (source, name) in structs {
        let fields = fields(source, name);
        assert!(!fields.is_empty(), "no struct {name}");
        for field in fields {
            let is_named = document.contains(&format!("`{field}`"));
            assert!(
                is_named,
                "docs/journal-format.md does not name {name}::{field}"
            );
        }
    }
}

/// The public fields of the struct `name`.
fn fields<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
    let lines = source
        .lines()
        .skip_while(|line| *line != format!("pub struct {name} {{"));
    let body = lines.take_while(|line| *line != "}");
    let field = |line: &'a str| line.trim_start().strip_prefix("pub ")?.split_once(':');
    body.filter_map(field).map(|(field, _)| field).collect()
}
