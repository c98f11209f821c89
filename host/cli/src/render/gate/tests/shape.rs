//! What a document is made of besides its texts, read as its readers read it.

use html5gum::{Token, Tokenizer};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::Value;
use uppsala::{Document, NodeKind, parse};

use super::super::Format;
use crate::render::safe::is_treacherous;

/// The shape of `text`, one part after the other.
///
/// # Errors
/// What a reader would stumble over.
pub(super) fn of(format: Format, text: &str) -> Result<Vec<String>, String> {
    log(format, text)?;
    match format {
        Format::Json => of_json(text),
        Format::Sarif => {
            // What SARIF's plain text takes for a link.
            let message = |line: &str| line.trim_start().starts_with("\"text\": ");
            let links = text
                .lines()
                .any(|line| message(line) && line.contains("]("));
            if links {
                Err("a link".to_owned())
            } else {
                of_json(text)
            }
        }
        Format::Rdjson => {
            comments(text)?;
            of_json(text)
        }
        Format::Junit | Format::Checkstyle => of_xml(text),
        Format::Github => of_commands(text),
        Format::Summary => of_markdown(text),
        // How it is wrapped follows from what is said.
        Format::Text => Ok(Vec::new()),
    }
}

/// Looks for what the log of a CI takes for a command, wherever a report is printed.
fn log(format: Format, text: &str) -> Result<(), String> {
    for line in text.split(['\n', '\r']) {
        let command = line.trim_start().starts_with("::");
        if command && (format != Format::Github || !line.starts_with("::")) {
            return Err(format!("a command: {line}"));
        }
        for mark in ["##[", "##vso[", "##teamcity["] {
            if line.contains(mark) {
                return Err(format!("{mark} in {line}"));
            }
        }
    }
    match text.chars().find(|c| *c != '\n' && is_treacherous(*c)) {
        Some(c) => Err(format!("{c:?}")),
        None => Ok(()),
    }
}

fn of_json(text: &str) -> Result<Vec<String>, String> {
    fn walk(value: &Value, path: &str, shape: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    walk(value, &format!("{path}/{key}"), shape);
                }
            }
            Value::Array(values) => {
                shape.push(format!("{path}: {} values", values.len()));
                for value in values {
                    walk(value, path, shape);
                }
            }
            Value::String(_) => shape.push(format!("{path}: text")),
            other => shape.push(format!("{path}: {other}")),
        }
    }
    let value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut shape = Vec::new();
    walk(&value, "", &mut shape);
    Ok(shape)
}

/// Messages as reviewdog's comments show them: code, and a few words of ours.
fn comments(text: &str) -> Result<(), String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let diagnostics = value["diagnostics"].as_array().cloned().unwrap_or_default();
    for message in diagnostics.iter().filter_map(|one| one["message"].as_str()) {
        for event in Parser::new_ext(message, Options::all()) {
            match event {
                Event::Code(_) | Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph) => {}
                Event::Text(words) if matches!(&*words, ", also at " | "; help: ") => {}
                other => return Err(format!("{other:?} in {message}")),
            }
        }
    }
    Ok(())
}

fn of_xml(text: &str) -> Result<Vec<String>, String> {
    let document: Document = parse(text).map_err(|error| error.to_string())?;
    let root = document.document_element().ok_or("no element")?;
    let mut shape = Vec::new();
    let mut left = vec![(root, 0)];
    while let Some((node, depth)) = left.pop() {
        match document.node_kind(node) {
            Some(NodeKind::Element(element)) => {
                let names: Vec<&str> = element
                    .attributes
                    .iter()
                    .map(|attribute| &*attribute.name.local_name)
                    .collect();
                shape.push(format!(
                    "{depth} {} {}",
                    element.name.local_name,
                    names.join(" ")
                ));
                left.extend(
                    document
                        .children(node)
                        .into_iter()
                        .map(|child| (child, depth + 1)),
                );
            }
            Some(NodeKind::Text(_)) => {}
            other => return Err(format!("{other:?}")),
        }
    }
    Ok(shape)
}

/// As GitHub's runner reads a line: a command, properties up to the next `::`, data.
fn of_commands(text: &str) -> Result<Vec<String>, String> {
    text.lines()
        .map(|line| {
            let Some(rest) = line.strip_prefix("::") else {
                return Ok("a line".to_owned());
            };
            let (head, _) = rest.split_once("::").ok_or(format!("no end: {line}"))?;
            let (command, properties) = head.split_once(' ').unwrap_or((head, ""));
            let names: Vec<&str> = properties
                .split(',')
                .map(|property| property.split_once('=').map_or(property, |(name, _)| name))
                .collect();
            Ok(format!("{command} {}", names.join(" ")))
        })
        .collect()
}

/// One block of HTML, with nothing in it but the elements that are listed.
fn of_markdown(text: &str) -> Result<Vec<String>, String> {
    const ELEMENTS: &[&str] = &[
        "h3", "p", "code", "table", "thead", "tbody", "tr", "th", "td", "details", "summary",
    ];
    let mut blocks = 0;
    for event in Parser::new_ext(text, Options::all()) {
        match event {
            Event::Start(Tag::HtmlBlock) => blocks += 1,
            Event::End(TagEnd::HtmlBlock) | Event::Html(_) => {}
            other => return Err(format!("{other:?}")),
        }
    }
    if blocks != 1 {
        return Err(format!("{blocks} blocks"));
    }
    let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (mut shape, mut open) = (Vec::new(), Vec::new());
    for Ok(token) in Tokenizer::new(text) {
        match token {
            Token::StartTag(tag) => {
                let element = name(&tag.name);
                if !ELEMENTS.contains(&element.as_str()) || !tag.attributes.is_empty() {
                    return Err(format!("<{element}> {:?}", tag.attributes));
                }
                shape.push(element.clone());
                open.push(element);
            }
            Token::EndTag(tag) => {
                if open.pop() != Some(name(&tag.name)) {
                    return Err(format!("</{}>", name(&tag.name)));
                }
            }
            Token::String(_) => {}
            other => return Err(format!("{other:?}")),
        }
    }
    if open.is_empty() {
        Ok(shape)
    } else {
        Err(format!("open: {open:?}"))
    }
}

/// What is looked for is found.
#[test]
fn shapes_differ() {
    for (format, good, bad) in [
        (Format::Sarif, r#"{"a": "x"}"#, r#"{"a": "x", "b": ""}"#),
        (Format::Junit, "<a b='x'>y</a>", "<a b='x' c=''>y</a>"),
        (Format::Checkstyle, "<a>y</a>", "<a>y<b/></a>"),
        (
            Format::Github,
            "::error file=a::x\n",
            "::error file=a,line=1::x\n",
        ),
        (
            Format::Summary,
            "<p><code>x</code></p>\n",
            "<p><code>x</code></p>\n<p>y</p>",
        ),
    ] {
        assert_ne!(of(format, good).unwrap(), of(format, bad).unwrap());
    }
    for (format, bad) in [
        (Format::Text, "  ::error::x"),
        (Format::Text, "a ##[group]"),
        (Format::Github, " ::error::x"),
        (Format::Junit, "<a>]]></a><b/>"),
        (Format::Summary, "<p>x</p>\n\n[a](b)"),
        (Format::Summary, "<p onclick='x'>x</p>"),
        (Format::Summary, "<p><img></p>"),
        (Format::Sarif, "{\n\"text\": \"[a](b)\"\n}"),
        (
            Format::Rdjson,
            r#"{"diagnostics": [{"message": "`a` @b"}]}"#,
        ),
    ] {
        assert!(of(format, bad).is_err(), "{format:?} {bad}");
    }
}
