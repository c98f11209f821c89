//! YAML of a stranger, read into a small tree.
//!
//! Tags mean nothing here and numbers stay texts: whoever asks knows what he wants. An alias is replaced by what it stands
//! for as long as the whole tree stays small.
//!
//! **Invariant:** the tree has at most [`NODES_MAX`] nodes and [`DEPTH_MAX`] levels, whatever the text says.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser};

// Limit: many times the longest list of patterns; a chain of aliases ends here.
const NODES_MAX: usize = 10_000;
// Limit: a policy has three levels.
const DEPTH_MAX: usize = 32;

/// A node with the line it begins on, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Anything that is no list and no map; `tag` where the text had one, such as `!docs/**`.
    Text {
        text: String,
        tag: Option<String>,
    },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// Why a text is not read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct YamlError {
    pub(super) line: usize,
    pub(super) what: String,
}

/// The documents of a text, usually one.
pub(super) fn read(text: &str) -> Result<Vec<Node>, YamlError> {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| YamlError {
            line: error.marker().line(),
            what: error.info().to_owned(),
        })?;
        let line = span.start.line();
        builder
            .take(event, line)
            .map_err(|what| YamlError { line, what })?;
    }
    Ok(builder.documents)
}

/// A list or map that has not ended.
#[derive(Debug)]
struct Open {
    node: Node,
    anchor: usize,
    key: Option<Node>,
}

#[derive(Debug, Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), String> {
        let node = |value| Node { line, value };
        match event {
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
            Event::Scalar(text, _, anchor, tag) => {
                self.count(1)?;
                let value = Value::Text {
                    text: text.into_owned(),
                    tag: tag.map(|tag| format!("{}{}", tag.handle, tag.suffix)),
                };
                self.add(node(value), anchor)
            }
            Event::Alias(anchor) => {
                let Some(known) = self.anchors.get(&anchor).cloned() else {
                    return Err("an alias of something that has not ended".to_owned());
                };
                self.count(known.size())?;
                self.add(Node { line, ..known }, 0)
            }
            Event::SequenceStart(anchor, _) => self.begin(node(Value::List(Vec::new())), anchor),
            Event::MappingStart(anchor, _) => self.begin(node(Value::Map(Vec::new())), anchor),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(ended) => self.add(ended.node, ended.anchor),
                None => Ok(()),
            },
        }
    }

    fn count(&mut self, nodes: usize) -> Result<(), String> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > NODES_MAX {
            return Err(format!("more than {NODES_MAX} values, aliases replaced"));
        }
        Ok(())
    }

    fn begin(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        self.count(1)?;
        if self.open.len() >= DEPTH_MAX {
            return Err(format!("nested deeper than {DEPTH_MAX} levels"));
        }
        self.open.push(Open {
            node,
            anchor,
            key: None,
        });
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        // Keeping what an anchor names costs as much as writing it once more.
        if anchor > 0 {
            self.count(node.size())?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        match &mut open.node.value {
            Value::List(items) => items.push(node),
            Value::Map(entries) => match open.key.take() {
                Some(key) => entries.push((key, node)),
                None => open.key = Some(node),
            },
            Value::Text { .. } => {}
        }
        Ok(())
    }
}

impl Node {
    fn size(&self) -> usize {
        1 + match &self.value {
            Value::Text { .. } => 0,
            Value::List(items) => items.iter().map(Self::size).sum(),
            Value::Map(entries) => entries
                .iter()
                .map(|(key, value)| key.size() + value.size())
                .sum(),
        }
    }

    /// The text of a node that is one.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text { text, .. } => Some(text),
            Value::List(_) | Value::Map(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(node: &Node) -> String {
        match &node.value {
            Value::Text { text, tag } => {
                format!(
                    "{}{text:?}",
                    tag.as_ref()
                        .map(|tag| format!("<{tag}>"))
                        .unwrap_or_default()
                )
            }
            Value::List(items) => {
                let items: Vec<_> = items.iter().map(shown).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Map(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| format!("{}: {}", shown(key), shown(value)))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    fn check(text: &str, expect: &str) {
        let read = match read(text) {
            Ok(documents) => documents
                .iter()
                .map(shown)
                .collect::<Vec<_>>()
                .join(" --- "),
            Err(error) => format!("line {}: {}", error.line, error.what),
        };
        assert_eq!(read, expect, "{text:?}");
    }

    #[test]
    fn reads() {
        check("", "");
        check("a: 1\nb:\n  - x\n  - 'y'", r#"{"a": "1", "b": ["x", "y"]}"#);
        check(
            "a: &x [1, 2]\nb: *x",
            r#"{"a": ["1", "2"], "b": ["1", "2"]}"#,
        );
        check("- !docs/**", r#"[<!docs/**>""]"#);
        check("a: 1\n---\nb: 2", r#"{"a": "1"} --- {"b": "2"}"#);
        check("deny:", r#"{"deny": ""}"#);
        check(
            "- *.env",
            "line 1: while parsing node, found unknown anchor",
        );
        check(
            "a: [1",
            "line 2: while parsing a flow sequence, expected ',' or ']'",
        );
        check(
            "&a [*a]",
            "line 1: an alias of something that has not ended",
        );
    }

    #[test]
    fn bombs_do_not_go_off() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let refs = vec![format!("*a{}", level - 1); 9].join(", ");
            bomb += &format!("a{level}: &a{level} [{refs}]\n");
        }
        let error = read(&bomb).unwrap_err();
        assert_eq!(error.what, "more than 10000 values, aliases replaced");
        // A single step is enough where it is taken often.
        let flat = format!(
            "a: &a [{}]\nb:\n{}",
            "x, ".repeat(1_000),
            "- *a\n".repeat(5_000)
        );
        assert_eq!(read(&flat).unwrap_err(), YamlError { line: 10, ..error });
        for (open, expect) in [("[", "nested deeper"), ("{a: ", "nested deeper")] {
            assert!(
                read(&open.repeat(200))
                    .unwrap_err()
                    .what
                    .starts_with(expect)
            );
        }
        assert!(read(&"- ".repeat(10_000)).is_err());
        assert!(read(&"[".repeat(100_000)).is_err());
        assert!(read(&"- x\n".repeat(20_000)).is_err());
        assert!(read(&"? ".repeat(50_000)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[-?:,\\[\\]{}#&*!|>'\"%@`~a1 \\n\\t\\\\<]{0,80}|\\PC{0,60}") {
            if let Ok(documents) = read(&text) {
                proptest::prop_assert!(documents.iter().map(Node::size).sum::<usize>() <= NODES_MAX);
            }
        }
    }
}
