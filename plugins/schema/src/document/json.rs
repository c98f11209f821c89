//! JSON, with places.
//!
//! `serde_json` says what a text means and whether it is one; what follows here walks a text that is known to be
//! JSON, and finds where each value stands.
//!
//! **Invariant:** a key that stands twice is an error: readers differ in which one they take.

use std::collections::BTreeSet;

use super::{DEPTH_MAX, Document, Format, NODES_MAX, Parts, Place, Refused};

/// Names of this beginning are how `serde_json` tells itself that an object is a number.
const RESERVED: &str = "$serde_json::private::";

/// The one document of a text.
pub(super) fn read(text: &str) -> Result<Document, Refused> {
    let value = serde_json::from_str(text).map_err(|error| {
        let before = text.split_inclusive('\n').take(error.line().max(1) - 1);
        let at = before.map(str::len).sum::<usize>() + error.column().max(1) - 1;
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or(&what);
        Refused::new(text, Format::Json, at, what)
    })?;
    let mut scan = Scan {
        text,
        at: 0,
        nodes: 0,
    };
    let place = scan.value(0)?;
    Ok(Document { value, place })
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    nodes: usize,
}

impl Scan<'_> {
    fn value(&mut self, depth: usize) -> Result<Place, Refused> {
        self.space();
        let at = self.at;
        self.nodes += 1;
        if depth > DEPTH_MAX || self.nodes > NODES_MAX {
            let what = format!("deeper than {DEPTH_MAX} levels, or more than {NODES_MAX} values");
            return Err(self.refused(at, what));
        }
        let parts = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => {
                self.string();
                Parts::None
            }
            _ => {
                while !matches!(
                    self.peek(),
                    None | Some(b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n')
                ) {
                    self.at += 1;
                }
                Parts::None
            }
        };
        Ok(Place { at, parts })
    }

    fn object(&mut self, depth: usize) -> Result<Parts, Refused> {
        let (mut parts, mut keys) = (Vec::new(), BTreeSet::new());
        self.at += 1;
        while self.goes_on(b'}') {
            let at = self.at;
            let key = self.string();
            let key: String = serde_json::from_str(key).unwrap_or_else(|_| key.to_owned());
            if key.starts_with(RESERVED) {
                return Err(self.refused(at, format!("a key begins with `{RESERVED}`")));
            }
            if !keys.insert(key.clone()) {
                return Err(self.refused(at, format!("`{key}` stands twice")));
            }
            self.space();
            // The colon.
            self.at += 1;
            let place = self.value(depth + 1)?;
            parts.push((key, at, place));
        }
        Ok(Parts::Map(parts))
    }

    fn array(&mut self, depth: usize) -> Result<Parts, Refused> {
        let mut parts = Vec::new();
        self.at += 1;
        while self.goes_on(b']') {
            parts.push(self.value(depth + 1)?);
        }
        Ok(Parts::List(parts))
    }

    /// Passes commas and white space; false past the `end`.
    fn goes_on(&mut self, end: u8) -> bool {
        self.space();
        if self.peek() == Some(b',') {
            self.at += 1;
            self.space();
        }
        let more = self.peek().is_some_and(|byte| byte != end);
        if !more {
            self.at += 1;
        }
        more
    }

    /// Passes a string, and returns it with its quotes.
    fn string(&mut self) -> &str {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn refused(&self, at: usize, what: impl Into<String>) -> Refused {
        Refused::new(self.text, Format::Json, at, what)
    }
}
