//! What hides in a document, and what markup needs.

use super::*;

fn seen(found: Vec<Unseen>) -> Vec<String> {
    found
        .into_iter()
        .map(|piece| {
            let what = match piece.what {
                What::Comment => "comment".to_owned(),
                What::Element(why) => format!("element ({why})"),
                What::Words => "words".to_owned(),
            };
            format!(
                "{}-{}:{} {what}: {}",
                piece.line, piece.last_line, piece.column, piece.text
            )
        })
        .collect()
}

fn check(text: &str, expect: &[&str]) {
    let found = in_markdown(text.as_bytes(), false).unwrap();
    assert_eq!(seen(found), expect, "{text}");
}

#[test]
fn comments() {
    check("a <!-- b  c --> d\n", &["1-1:3 comment: b c"]);
    check("<!-- b\n\nc\n-->\n", &["1-4:1 comment: b c"]);
    check(
        "<!-- never closed\n\nb\n",
        &["1-3:1 comment: never closed b"],
    );
    check("\\` <!-- b --> \\`\n", &["1-1:4 comment: b"]);
    check("`` ` <!-- b -->\n", &["1-1:6 comment: b"]);
    check(
        "a <? b ?> <!B c>\n",
        &["1-1:3 comment: b ?", "1-1:11 comment: B c"],
    );
    check("- > <!-- b -->\n", &["1-1:5 comment: b"]);
    check("text with <!-- b\n\nc\n", &["1-3:11 comment: b c"]);
    // A tag that begins before a comment does not swallow it.
    check("<a <!-- b -->\n", &["1-1:4 comment: b"]);
}

#[test]
fn what_is_shown_as_it_is_written() {
    for text in [
        "`<!-- b -->`\n",
        "```\n<!-- b -->\n<p hidden>x</p>\n```\n",
        "    <!-- b -->\n",
        "\\<!-- b -->\n",
        "# A heading with some more words than five\n\nSee [the page](https://example.org \"with a title\") and ![a](b.png).\n",
        "| a | b |\n| --- | --- |\n| one two three | four five six |\n",
        "1. one\n2. two\n   > three [^1]\n\n[^1]: A note of some more words than five.\n",
        "[see][A Label With Words]\n\n[a label with words]: https://example.org \"and a title\"\n",
        "```rust,no_run title=\"x\"\nlet a = 1;\n```\n",
        "---\ntitle: Some more words than five stand here\n---\n# a\n",
        "<p align=\"center\"><img src=\"a.png\" alt=\"some more words than five are here\" width=\"10\"></p>\n",
        "<div style=\"text-align: center; margin: -2px; width: 50%\">seen</div>\n",
        "<details><summary>a</summary>\n\nb\n\n</details>\n",
        "<!DOCTYPE html>\n<b>a</b>\n",
        "a\\\nb  \nc &amp; d\n***\n- [ ] e\n",
    ] {
        check(text, &[]);
    }
}

#[test]
fn definitions_that_lead_nowhere() {
    for line in [
        "[//]: # (do it)",
        "[a]: <> (do it)",
        "[run-it]: # \"do it\"",
        "[x]: #do (do it)",
    ] {
        let text = format!("a\n\n{line}\n");
        assert!(
            seen(in_markdown(text.as_bytes(), false).unwrap())[0].starts_with("3-3:1 comment: "),
            "{line}"
        );
        // Some readers of Markdown take it for one here, too.
        let text = format!("a\n{line}\n");
        assert!(
            seen(in_markdown(text.as_bytes(), false).unwrap())[0].starts_with("2-2:1 comment: "),
            "{line}"
        );
    }
    check("[do it]: #\n", &["1-1:1 comment: do it"]);
    check("[top]: #\n\n[top]\n", &[]);
    check("[a]: https://a.example\n\n[a]\n\n[a]: # (do it)\n", &[]);
}

#[test]
fn words_that_nothing_accounts_for() {
    check(
        "[agents have to run this now]: https://a.example\n",
        &["1-1:1 words: [agents have to run this now]: https://a.example"],
    );
    check(
        "| a |\n| --- |\n| b | agents have to run this now |\n",
        &["3-3:5 words: | agents have to run this now |"],
    );
    check(
        "```sh agents have to run this now\nls\n```\n",
        &["1-1:1 words: ```sh agents have to run this now"],
    );
    check(
        "a\n\n[^n]: agents run this\n",
        &["3-3:1 words: [^n]: agents run this"],
    );
    check(
        "<b data-x=\"agents have to run this now\">a</b>\n",
        &["1-1:1 words: agents have to run this now"],
    );
    check(
        "[a](b \"agents have to run this now and then do that as well\")\n",
        &["1-1:3 words: ](b \"agents have to run this now and then do that as well\")"],
    );
}

#[test]
fn elements_that_are_hidden() {
    for (tag, why) in [
        ("<p hidden>", "hidden"),
        ("<p\nstyle=\"display:none\">", "display:none"),
        ("<p STYLE='Font-Size : 0'>", "font-size : 0"),
        ("<p style=display&#58;none>", "display:none"),
        ("<p style='opacity:.05'>", "opacity:.05"),
        (
            "<p style='d\\69splay:none'>",
            "style with a comment or an escape",
        ),
        ("<p style='position:absolute;left:-9999px'>", "left:-9999px"),
        ("<p style='color: #FFF'>", "color: #fff"),
        ("<p style='clip-path: circle(0)'>", "clip-path: circle(0)"),
        ("<p style='max-height:0;overflow:hidden'>", "max-height:0"),
        ("<font color=white>", "color=white"),
        ("<template>", "<template>"),
        ("<script>", "<script>"),
    ] {
        let text = format!("a {tag}do it\n");
        let found = in_markdown(text.as_bytes(), false).unwrap();
        assert_eq!(found[0].what, What::Element(why.to_owned()), "{tag}");
        assert_eq!((found.len(), found[0].column), (1, 3), "{tag}");
    }
    check(
        "<p hidden>a</p> b\n",
        &["1-1:1 element (hidden): <p hidden>a</p>"],
    );
    check(
        "<div hidden>\n\n<div>a</div>\n\nb\n\n</div>\n\nc\n",
        &["1-7:1 element (hidden): <div hidden> <div>a</div> b </div>"],
    );
    check(
        "<input type=hidden value='do it'>\n\nb\n",
        &["1-1:1 element (type=hidden): hidden do it"],
    );
}

#[test]
fn other_documents() {
    let found = in_markdown(b"a {/* do it */} b\n", true).unwrap();
    assert_eq!(seen(found), ["1-1:3 comment: do it"]);
    check("a {/* shown */} b\n", &[]);
    let page = "<!DOCTYPE html><title>t</title><script>x</script><!-- do --><p hidden>it</p>";
    let found = in_html(page.as_bytes()).unwrap();
    assert_eq!(
        seen(found),
        [
            "1-1:50 comment: do",
            "1-1:61 element (hidden): <p hidden>it</p>"
        ]
    );
}

#[test]
fn odd_documents_end() {
    for text in [
        "<",
        "<!--",
        "<p hidden",
        "[",
        "[a]:",
        "[^",
        "</p>",
        "|\n-",
        "```",
        "\u{feff}",
        "<p style=",
        "[\\]:",
    ] {
        assert!(in_markdown(text.as_bytes(), true).is_ok(), "{text}");
        assert!(in_html(text.as_bytes()).is_ok(), "{text}");
    }
    assert!(in_markdown(b"a\xff", false).is_err());
}

#[test]
fn what_is_drawn_and_not_seen() {
    let long = "agents have to run this now please";
    check(
        &format!("```mermaid\ngraph TD\n  %% {long}\n  A --> B\n```\n"),
        &[&format!("3-3:3 comment: {long}")],
    );
    check(
        &format!("```math\na = b % {long}\n```\n"),
        &[&format!("2-2:7 comment: {long}")],
    );
    check(
        &format!("Of $a \\phantom{{\\text{{{long}}}}} b$.\n"),
        &[&format!("1-1:7 words: \\text{{{long}}}")],
    );
    check(
        &format!("Of $\\color{{white}}\\text{{{long}}}$.\n"),
        &[&format!("1-1:5 words: }}\\text{{{long}}}")],
    );
    for text in [
        "```mermaid\n%%{init: {'theme': 'dark'}}%%\ngraph TD\n  A[a % b] --> B\n```\n",
        "```text\n%% agents have to run this now please\n```\n",
        "```math\na = \\phantom{x + y} 5\\% b\n```\n",
        "Of $a \\phantom{=} b$ and $\\color{red}\\text{some words that everybody can see well}$.\n",
        "The command \\phantom{takes an argument which is not shown} without a formula.\n",
        "It costs $5, as `\\phantom{some words that everybody can see well}` does.\n",
    ] {
        check(text, &[]);
    }
}

#[test]
fn elements_of_no_size_and_titles_that_are_sentences() {
    let long = "agents have to run this now and then they have to forget it";
    check(
        "a <svg width=0 height=\"0\"><text>agents: run x</text></svg>\n",
        &["1-1:3 element (width=0): <svg width=0 height=\"0\"><text>agents: run x</text></svg>"],
    );
    check(
        "a <svg><text opacity=\"0\">x</text><text fill=\"none\">y</text></svg>\n",
        &[
            "1-1:8 element (opacity=0): <text opacity=\"0\">x</text>",
            "1-1:34 element (fill=none): <text fill=\"none\">y</text>",
        ],
    );
    check(
        "a <select><option>agents: run x</option></select>\n",
        &["1-1:3 element (<select>): <select><option>agents: run x</option></select>"],
    );
    for name in ["title", "aria-label"] {
        check(
            &format!("a <b {name}=\"{long}\">b</b>\n"),
            &[&format!("1-1:3 words: {long}")],
        );
        let word = "x".repeat(95);
        check(
            &format!("a <b {name}=\"{word}\">b</b>\n"),
            &[&format!("1-1:3 words: {word}")],
        );
    }
    for text in [
        "a <b title=\"what it means in some ten words\" aria-label=\"close\">b</b>\n",
        "a <svg width=\"10\" height=\"10\" fill=\"none\"><rect width=\"1\"/></svg>\n",
        "a <td width=\"0\">b</td>\n",
        "a <img src=\"a.png\" height=\"20\">\n",
    ] {
        check(text, &[]);
    }
}

#[test]
fn words_beside_what_a_page_shows() {
    let long = "agents have to run this now and then they have to forget it";
    for name in ["video", "audio", "iframe", "rp", "annotation"] {
        let found =
            in_markdown(format!("a <{name}>{long}</{name}> b\n").as_bytes(), false).unwrap();
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(found[0].what, What::Words, "{name}");
    }
    for name in ["template", "noscript", "object", "datalist", "canvas"] {
        let found = in_html(format!("a <{name}><b>{long}</b></{name}> b\n").as_bytes()).unwrap();
        assert_eq!(found.len(), 1, "{name}");
    }
    check(
        &format!("a <b {long}>b</b>\n"),
        &["1-1:3 words: agents have to run this now and then they have to forget it"],
    );
    // In the middle of a text, a reader of Markdown shows such a tag.
    check(
        &format!("<p>b</p {long}>\n"),
        &[&format!("1-1:5 words: {long}>")],
    );
    check(&format!("a <b>b</b {long}>\n"), &[]);
    check(
        &format!("a <b class=\"{long}\">b</b>\n"),
        &[&format!("1-1:3 words: {long}")],
    );
    check(
        &format!("a <img srcset=\"{long}\">\n"),
        &[&format!("1-1:3 words: {long}")],
    );
    check(
        "a[^n]\n\n[^n]: A note.\n\n[^n]: agents run this\n",
        &["5-5:1 words: [^n]: agents run this"],
    );
    for text in [
        "<video src=\"a.mp4\" controls autoplay loop muted playsinline>Your browser does not support the video tag.</video>\n",
        "<video src=\"a.mp4\" />\n\nSome more words that stand behind it are shown, of course, to all who come here.\n",
        "<p class=\"flex items-center justify-between px-4 md:grid hidden-sm text-lg font-bold underline\">a</p>\n",
        "<img src=\"a.png\" srcset=\"a-1.png 1x, a-2.png 2x, a-3.png 3x\">\n",
        "<ruby>a<rp>(</rp><rt>b</rt><rp>)</rp></ruby>\n",
    ] {
        check(text, &[]);
    }
    let page = "<p>a</p><noscript>You need to enable JavaScript to run this app.</noscript>";
    assert_eq!(seen(in_html(page.as_bytes()).unwrap()), [""; 0]);
}
