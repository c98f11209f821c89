//! The report as people see it, hostile text in every place, and the files that are left alone.

use std::fs;

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};

use super::*;

fn rendered(input: Value) -> String {
    render(&serde_json::from_value(input).unwrap())
}

#[test]
fn a_whole_report() {
    let report = rendered(json!({
        "title": "Broken links",
        "body": "Seen this morning.\n\nTwo of them.",
        "sections": [{ "heading": "What to do", "body": "Look at docs/a.md." }, { "heading": "Nothing here" }],
        "items": [
            { "id": "broken-link-1", "title": "`b.md` in a.md leads to no file", "labels": ["docs", "fixable"], "detail": {} },
            { "title": "second | [click](http://evil)" },
        ],
    }));
    insta::assert_snapshot!(report, @r"
    <!-- ringfence:report -->

    # Broken links

    Seen this morning.

    Two of them.

    ## What to do

    Look at docs/a.md.

    ## Nothing here

    ## Items (2)

    | Item | Labels | Id |
    | --- | --- | --- |
    | \`b.md\` in a.md leads to no file | docs, fixable | broken-link-1 |
    | second \| \[click\](http:&#8203;//evil) |  |  |
    ");
}

#[test]
fn the_smallest_report() {
    insta::assert_snapshot!(rendered(json!({})), @r"
    <!-- ringfence:report -->

    # Report
    ");
}

/// Counts what could carry a reader away or change the shape: headings, and everything else that is not text.
fn shape(report: &str) -> (usize, Vec<String>) {
    let mut headings = 0;
    let mut odd = Vec::new();
    for event in Parser::new_ext(report, Options::all() - Options::ENABLE_SMART_PUNCTUATION) {
        match event {
            Event::Start(Tag::Heading { .. }) => headings += 1,
            Event::Start(
                Tag::Paragraph | Tag::Table(_) | Tag::TableHead | Tag::TableRow | Tag::TableCell,
            ) => {}
            Event::Start(Tag::HtmlBlock) | Event::End(_) | Event::Text(_) | Event::SoftBreak => {}
            Event::Html(html) if html.trim() == render::MARKER => {}
            other => odd.push(format!("{other:?}")),
        }
    }
    (headings, odd)
}

fn with_everywhere(text: &str) -> Value {
    json!({
        "title": text,
        "body": format!("{text}\n{text}\n\n{text}"),
        "sections": [{ "heading": text, "body": text }],
        "items": [{ "title": text, "labels": [text, text], "id": text }],
    })
}

#[test]
fn hostile_text_is_only_text() {
    for text in [
        "[click](http://evil) ![x](y) <b>bold</b> <!-- gone",
        "</table><script>alert(1)</script>",
        "x\n# heading\n\n## another\n===\n---\n",
        "- a\n1. b\n> c\n    code\n```\ncode\n```\n~~~\n",
        "a | b |\n| --- |\n| c |",
        "[r]: http://evil\n[^1]: note",
        "<https://evil> `code` *em* __strong__ ~~gone~~ $x$ $$y$$",
        "\\[a](b) \\` &lt;b&gt; &#60;",
        "---\nfront: matter\n---",
        "[[wiki]] ^up^ ~down~ :::note\n: definition",
    ] {
        assert_eq!(
            shape(&rendered(with_everywhere(text))),
            (3, vec![]),
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_changes_the_shape(text in "[\\[\\]()<>!#|*_`~$^{}=:.@&\\\\ \n\ta-c1-2+\"'-]{1,40}") {
        prop_assert_eq!(shape(&rendered(with_everywhere(&text))), (3, vec![]));
    }
}

#[test]
fn long_tables_are_cut_and_say_so() {
    let items: Vec<Value> = (0..1_500)
        .map(|n| json!({ "title": format!("item {n}") }))
        .collect();
    let report = rendered(json!({ "items": items }));
    assert!(
        report.contains("## Items (1500)") && report.ends_with("\n500 more items are left out.\n")
    );
}

#[test]
fn only_reports_are_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("out")).unwrap();
    let write = |path: &str, title: &str| {
        act_in(
            folder.path(),
            "write",
            json!({ "path": path, "title": title }),
        )
    };
    write("out/REPORT.md", "one").unwrap();
    let outcome = write("out/REPORT.md", "two").unwrap();
    assert_eq!(
        outcome.summary,
        "wrote out/REPORT.md with 0 sections and 0 items"
    );
    let written = fs::read_to_string(folder.path().join("out/REPORT.md")).unwrap();
    assert!(written.contains("# two\n"));

    fs::write(folder.path().join("README.md"), "mine").unwrap();
    fs::create_dir(folder.path().join("folder.md")).unwrap();
    for path in [
        "README.md",
        "folder.md",
        "../x.md",
        "/x.md",
        "a//x.md",
        "x.txt",
        "a\\x.md",
        ".md/../y.md",
        "no/such/folder/x.md",
        "README.md/x.md",
    ] {
        let refused = write(path, "x").unwrap_err();
        assert!(
            matches!(refused, Error::Unavailable(_)),
            "{path}: {refused}"
        );
    }
    assert_eq!(
        fs::read_to_string(folder.path().join("README.md")).unwrap(),
        "mine"
    );
}

#[test]
fn wrong_input_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (action, input) in [
        ("erase", json!({})),
        ("write", json!({ "line": 3 })),
        ("write", json!({ "items": [{}] })),
    ] {
        assert!(matches!(
            act_in(folder.path(), action, input),
            Err(Error::Internal(_))
        ));
    }
}
