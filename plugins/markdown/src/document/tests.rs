//! What counts as a link and an anchor, and that hostile files end soon.

use proptest::prelude::*;

use super::*;

/// Shows links as `line:column target` with `= source` when the bytes in the file are spelled differently, and
/// `= ?` when they could not be located.
fn shown(source: &str) -> Vec<String> {
    let document = Document::parse(source.as_bytes()).unwrap();
    let show = |link: &Link| {
        let place = format!("{}:{} {}", link.line, link.column, link.target);
        match &link.span {
            Some(span) if source[span.clone()] == link.target => place,
            Some(span) => format!("{place} = {}", &source[span.clone()]),
            None => format!("{place} = ?"),
        }
    };
    document.links().iter().map(show).collect()
}

fn check(source: &str, expect: &[&str]) {
    assert_eq!(shown(source), expect, "{source}");
}

#[test]
fn inline_links_and_images() {
    check("[a](b.md)", &["1:5 b.md"]);
    check("x\n\n![i](p/q.png \"t\")", &["3:6 p/q.png"]);
    check("[](b.md) ![](c.png)", &["1:4 b.md", "1:14 c.png"]);
    check("[![i](a.png)](b.md)", &["1:7 a.png", "1:15 b.md"]);
    check("[a *b* `c](d)`](e.md)", &["1:17 e.md"]);
    check("[a](<b c.md>)", &["1:6 b c.md"]);
    check(
        "[a](b(c).md) [a](b\\(c.md)",
        &["1:5 b(c).md", "1:18 b(c.md = b\\(c.md"],
    );
    check("[a](b&amp;c.md)", &["1:5 b&c.md = b&amp;c.md"]);
    check("[a](\n  b.md\n  \"t\")", &["2:3 b.md"]);
    check("[a\\]](b.md) [b.md](x.md)", &["1:7 b.md", "1:20 x.md"]);
    check("> [a](b.md)\n> - [c](d.md)", &["1:7 b.md", "2:9 d.md"]);
    check("| a |\n|---|\n| [x](y.md) |", &["3:7 y.md"]);
    check("ü→ [a](b.md)\r\n[c](d.md)", &["1:8 b.md", "2:5 d.md"]);
}

#[test]
fn reference_definitions() {
    check("[a][r] [r]\n\n[r]: b.md 'title'", &["3:6 b.md"]);
    check("[r]: <b c.md>\n", &["1:7 b c.md"]);
    check("[r]:\n  b.md\n", &["2:3 b.md"]);
    check("[a\\]b]: c.md\n", &["1:9 c.md"]);
    check("[//]: # (a comment)\n", &["1:7 #"]);
    check("[^1]: note.md\n\n[^1]", &[]);
    check("> [r]: b.md\n", &["1:8 b.md"]);
}

#[test]
fn html() {
    check("<a href=\"b.md\">x</a>", &["1:10 b.md"]);
    check("text <img src='i.png' alt=x> text", &["1:16 i.png"]);
    check(
        "<div>\n<img src=\" a&amp;b.png \">\n</div>",
        &["2:12 a&b.png = a&amp;b.png"],
    );
    check(
        "<picture><source srcset=\"a.png 1x, b.png 2x\"><source srcset=\"data:x,y 1x,c.png\"></picture>",
        &["1:26 a.png", "1:36 b.png", "1:74 c.png"],
    );
    check("<Card href=\"/x\" /> <img src={x} />", &[]);
    check("<!-- [a](b.md) <a href=c.md> -->", &[]);
    check("<p>\n\n[a](b.md)\n\n</p>", &["3:5 b.md"]);
    check(
        "<!-- ALL-CONTRIBUTORS-LIST:START -->\n<a href='#code-me'>x</a>\n<!-- ALL-CONTRIBUTORS-LIST:END -->\n[a](b.md)",
        &["4:5 b.md"],
    );
}

#[test]
fn what_is_no_link_of_ours() {
    check("`[a](b.md)`\n\n```\n[a](b.md)\n```\n\n    [a](b.md)\n", &[]);
    check("---\nx: \"[a](b.md)\"\n---\n[c](d.md)", &["4:5 d.md"]);
    check(
        "<https://x.org> [a](https://x.org) [m](mailto:x@y) [e]() [t]({{ x }}) \\[a](b.md)",
        &[],
    );
    check("[!NOTE](x.md)\n\n> [!NOTE]\n> text", &["1:9 x.md"]);
}

fn anchors(source: &str) -> Vec<String> {
    let document = Document::parse(source.as_bytes()).unwrap();
    document
        .anchors()
        .iter()
        .map(|(_, anchor)| anchor.to_owned())
        .collect()
}

#[test]
fn headings_and_ids() {
    for (source, expect) in [
        (
            "# A b\n## A b\n\nSet ext\n===",
            vec!["a-b", "a-b-1", "set-ext"],
        ),
        (
            "# `code` *em* [link](x.md) ![alt](i.png)",
            vec!["code-em-link"],
        ),
        ("# <b>Bold</b> &amp; x", vec!["bold--x"]),
        (
            "<h1 align=\"center\">My <i>Title</i></h1>",
            vec!["my-title"],
        ),
        ("<h2>\n\nMarkdown inside\n\n</h2>", vec!["markdown-inside"]),
        (
            "<a name=\"X\"></a>\n\ntext <span id='y'></span>",
            vec!["X", "y"],
        ),
        ("# Title {#own}", vec!["own", "title", "title-own"]),
        (
            "text\n{: #kramdown }\n\n(label)=\n# H",
            vec!["h", "kramdown", "label"],
        ),
        ("```\n# no\n```", vec![]),
        ("---\n# no\n---\n# yes", vec!["yes"]),
        ("#no", vec![]),
    ] {
        assert_eq!(anchors(source), expect, "{source}");
    }
}

#[test]
fn refuses_what_is_no_text_or_too_much() {
    assert!(matches!(
        Document::parse(b"ab\xffc"),
        Err(ReadError::NotUtf8 { offset: 2 })
    ));
    assert!(matches!(
        Document::parse(&vec![b'a'; FILE_BYTES_MAX + 1]),
        Err(ReadError::TooLarge)
    ));
    let many = "[a](b)".repeat(LINKS_MAX + 1);
    assert!(matches!(
        Document::parse(many.as_bytes()),
        Err(ReadError::TooManyLinks)
    ));
    let headings = "# a\n".repeat(LINKS_MAX + 1);
    assert!(matches!(
        Document::parse(headings.as_bytes()),
        Err(ReadError::TooManyLinks)
    ));
    let dense = "*".repeat(MARKS_MAX + 1);
    assert!(matches!(
        Document::parse(dense.as_bytes()),
        Err(ReadError::TooDense)
    ));
    assert_eq!(Document::parse(b"").unwrap(), Document::default());
}

#[test]
fn hostile_nesting_ends_soon() {
    // Each of these takes minutes when some step is quadratic.
    for piece in [
        "[", "![", "](", "[a](", "> ", "- ", "<a ", "<!--", "&", "*a_", "# a\n", "{#", "(",
        "[a]: b\n", "|", "\\",
    ] {
        let text = piece.repeat(150_000 / piece.len());
        assert!(Document::parse(text.as_bytes()).is_ok(), "{piece}");
    }
    let images = format!("{}{}", "![".repeat(20_000), "](x)".repeat(20_000));
    assert!(Document::parse(images.as_bytes()).is_ok());
}

proptest! {
    #[test]
    fn spans_cut_what_they_say(source in "[\\[\\]()<>!a-c \\\\\"'#:/&;\n|`*-]{0,80}") {
        let document = Document::parse(source.as_bytes()).unwrap();
        for link in document.links() {
            if let Some(span) = &link.span {
                let cut = &source[span.clone()];
                prop_assert!(cut == link.target || cut.contains(['\\', '&']), "{:?} {:?}", link, cut);
            }
        }
    }
}
