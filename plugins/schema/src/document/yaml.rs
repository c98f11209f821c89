//! YAML 1.2 with its core schema, with places.
//!
//! An alias is replaced by what it stands for, and a merge (`<<`) by the keys that it brings, as long as the whole stays
//! small. A key is a text: of a number or a truth value as it is written. Tags other than the core schema's have a
//! meaning that only their program knows, so they are refused.
//!
//! **Invariant:** what has no JSON value is an error: keys that are lists or maps, `.inf`, `.nan`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value};

use super::{DEPTH_MAX, Document, Format, NODES_MAX, Parts, Place, Refused};

const CORE: &str = "tag:yaml.org,2002:";

/// The documents of a text; of an empty one, nothing at all, which is `null`.
pub(super) fn read(text: &str, tags: &BTreeSet<String>) -> Result<Vec<Document>, Refused> {
    let mut builder = Builder {
        tags: tags.clone(),
        ..Builder::default()
    };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            Refused::new(text, Format::Yaml, error.marker().index(), error.info())
        })?;
        let at = span.start.index();
        builder
            .take(event, at)
            .map_err(|what| Refused::new(text, Format::Yaml, at, what))?;
    }
    if builder.documents.is_empty() {
        builder.documents.push(Document {
            value: Value::Null,
            place: Place::default(),
        });
    }
    Ok(builder.documents)
}

#[derive(Debug, Clone)]
struct Node {
    value: Value,
    place: Place,
    /// As it is written, when it is no list and no map; whether plain.
    text: Option<(String, bool)>,
}

/// A list or map that has not ended.
#[derive(Debug)]
struct Open {
    at: usize,
    anchor: usize,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    List(Vec<Node>),
    Map {
        entries: Vec<(String, usize, Node)>,
        keys: BTreeSet<String>,
        /// What `<<` brings, first things first.
        merged: Vec<Node>,
        key: Option<Key>,
    },
}

#[derive(Debug)]
enum Key {
    Named(String, usize),
    Merge,
}

#[derive(Debug, Default)]
struct Builder {
    documents: Vec<Document>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    /// That count for nothing.
    tags: BTreeSet<String>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, at: usize) -> Result<(), String> {
        match event {
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1)?;
                let plain = style == ScalarStyle::Plain;
                let tag = self.counted(tag);
                let node = Node {
                    value: scalar(&text, plain, tag.as_ref())?,
                    place: Place {
                        at,
                        parts: Parts::None,
                    },
                    text: Some((text.into_owned(), plain && tag.is_none())),
                };
                self.add(node, anchor)
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err("an alias of something that has not ended".to_owned());
                };
                self.count(node.place.count())?;
                self.add(node, 0)
            }
            Event::SequenceStart(anchor, tag) => {
                only_core(self.counted(tag).as_ref(), "seq")?;
                self.begin(at, anchor, Kind::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                only_core(self.counted(tag).as_ref(), "map")?;
                let kind = Kind::Map {
                    entries: Vec::new(),
                    keys: BTreeSet::new(),
                    merged: Vec::new(),
                    key: None,
                };
                self.begin(at, anchor, kind)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => {
                    let (anchor, node) = (open.anchor, ended(open));
                    self.add(node, anchor)
                }
                None => Ok(()),
            },
        }
    }

    /// The tag, unless it counts for nothing.
    fn counted(&self, tag: Option<Cow<'_, Tag>>) -> Option<Tag> {
        tag.map(Cow::into_owned)
            .filter(|tag| !self.tags.contains(&full(tag)))
    }

    fn count(&mut self, nodes: usize) -> Result<(), String> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > NODES_MAX {
            return Err(format!("more than {NODES_MAX} values, aliases written out"));
        }
        Ok(())
    }

    fn begin(&mut self, at: usize, anchor: usize, kind: Kind) -> Result<(), String> {
        self.count(1)?;
        if self.open.len() >= DEPTH_MAX {
            return Err(format!("nested deeper than {DEPTH_MAX} levels"));
        }
        self.open.push(Open { at, anchor, kind });
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        // Keeping what an anchor names costs as much as writing it once more.
        if anchor > 0 {
            self.count(node.place.count())?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            let Node { value, place, .. } = node;
            self.documents.push(Document { value, place });
            return Ok(());
        };
        match &mut open.kind {
            Kind::List(items) => items.push(node),
            Kind::Map {
                entries,
                keys,
                merged,
                key,
            } => match key.take() {
                None => *key = Some(as_key(node, keys)?),
                Some(Key::Named(name, at)) => entries.push((name, at, node)),
                Some(Key::Merge) => merged.extend(sources(node)?),
            },
        }
        Ok(())
    }
}

fn as_key(node: Node, keys: &mut BTreeSet<String>) -> Result<Key, String> {
    match node.text {
        Some((text, true)) if text == "<<" => Ok(Key::Merge),
        Some((text, _)) => {
            if !keys.insert(text.clone()) {
                return Err(format!("`{text}` stands twice"));
            }
            Ok(Key::Named(text, node.place.at))
        }
        None => Err("a key is a list or a map".to_owned()),
    }
}

/// The maps that a merge names.
fn sources(node: Node) -> Result<Vec<Node>, String> {
    let refused = || "`<<` takes a map, or a list of maps".to_owned();
    match (node.value, node.place.parts) {
        (value @ Value::Object(_), parts) => Ok(vec![Node {
            value,
            place: Place {
                at: node.place.at,
                parts,
            },
            text: None,
        }]),
        (Value::Array(values), Parts::List(places)) => {
            let nodes = values.into_iter().zip(places).map(|(value, place)| {
                let text = None;
                value
                    .is_object()
                    .then_some(Node { value, place, text })
                    .ok_or_else(refused)
            });
            nodes.collect()
        }
        _ => Err(refused()),
    }
}

/// The value of a list or map that has ended.
fn ended(open: Open) -> Node {
    let (value, parts) = match open.kind {
        Kind::List(items) => {
            let pairs = items.into_iter().map(|node| (node.value, node.place));
            let (values, places): (Vec<Value>, Vec<Place>) = pairs.unzip();
            (Value::Array(values), Parts::List(places))
        }
        Kind::Map {
            entries, merged, ..
        } => {
            let (mut map, mut parts) = (Map::new(), Vec::new());
            for (key, at, node) in entries {
                map.insert(key.clone(), node.value);
                parts.push((key, at, node.place));
            }
            for node in merged {
                merge(node, &mut map, &mut parts);
            }
            (Value::Object(map), Parts::Map(parts))
        }
    };
    Node {
        value,
        place: Place { at: open.at, parts },
        text: None,
    }
}

/// Keys that are there already win.
fn merge(from: Node, map: &mut Map<String, Value>, parts: &mut Vec<(String, usize, Place)>) {
    let (Value::Object(mut values), Parts::Map(places)) = (from.value, from.place.parts) else {
        return;
    };
    for (key, at, place) in places {
        if let Some(value) = values.remove(&key)
            && !map.contains_key(&key)
        {
            map.insert(key.clone(), value);
            parts.push((key, at, place));
        }
    }
}

/// Refuses a tag other than the core schema's `name`.
fn only_core(tag: Option<&Tag>, name: &str) -> Result<(), String> {
    match tag.map(full) {
        Some(tag) if tag != format!("{CORE}{name}") => Err(unknown(&tag)),
        _ => Ok(()),
    }
}

fn full(tag: &Tag) -> String {
    format!("{}{}", tag.handle, tag.suffix)
}

fn unknown(tag: &str) -> String {
    format!("what the tag `{tag}` means is not known here")
}

/// What a scalar stands for.
fn scalar(text: &str, plain: bool, tag: Option<&Tag>) -> Result<Value, String> {
    let string = || Value::String(text.to_owned());
    let Some(tag) = tag.map(full) else {
        return if plain { resolved(text) } else { Ok(string()) };
    };
    let Some(name) = tag.strip_prefix(CORE) else {
        return if tag == "!" {
            Ok(string())
        } else {
            Err(unknown(&tag))
        };
    };
    let value = resolved(text)?;
    let fits = match name {
        "str" => return Ok(string()),
        "null" => value.is_null(),
        "bool" => value.is_boolean(),
        "int" => value.is_number() && !text.contains(['.', 'e', 'E']) || text.starts_with("0x"),
        "float" => value.is_number(),
        _ => return Err(unknown(&tag)),
    };
    if fits {
        Ok(value)
    } else {
        Err(format!("`{text}` is no {name}, as its tag says"))
    }
}

/// What a plain scalar stands for in the core schema.
fn resolved(text: &str) -> Result<Value, String> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => match number(text)? {
            Some(number) => Value::Number(number),
            None => Value::String(text.to_owned()),
        },
    })
}

/// A number of the core schema; none for any other text.
fn number(text: &str) -> Result<Option<Number>, String> {
    let odd = || format!("`{text}` is a number that JSON does not have");
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|c| c.is_digit(radix))
        {
            let number = u128::from_str_radix(digits, radix).ok();
            return number.and_then(Number::from_u128).ok_or_else(odd).map(Some);
        }
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    if matches!(digits, ".inf" | ".Inf" | ".INF")
        || sign.is_empty() && matches!(text, ".nan" | ".NaN" | ".NAN")
    {
        return Err(odd());
    }
    let Some(written) = as_json(digits) else {
        return Ok(None);
    };
    format!("{sign}{written}")
        .parse()
        .map(Some)
        .map_err(|_| odd())
}

/// `12`, `1.5`, `.5`, `1.`, `1e3` as JSON writes them; none for what is no such number.
fn as_json(digits: &str) -> Option<String> {
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, part) = match mantissa.split_once('.') {
        Some((whole, part)) => (whole, Some(part)),
        None => (mantissa, None),
    };
    if !all_digits(whole) || !part.is_none_or(all_digits) {
        return None;
    }
    if whole.is_empty() && part.is_none_or(str::is_empty) {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let mut written = whole.to_owned();
    if let Some(part) = part {
        written.push('.');
        written.push_str(if part.is_empty() { "0" } else { part });
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits.is_empty() || !all_digits(digits) {
            return None;
        }
        written.push('e');
        written.push_str(exponent);
    }
    Some(written)
}
