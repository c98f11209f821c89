//! The lines of a lock on which an entry stands.
//!
//! Owns where keys and values are, in a text that was read as JSON before.
//!
//! **Invariant:** a line belongs to the entry that counts, however the text is broken and whatever else is called like it.

use std::collections::BTreeMap;

/// By the key of an entry: where it begins, then where what it says of its package stands.
pub(super) type Places = BTreeMap<String, Vec<u32>>;

/// What an entry says of its package.
const FACTS: [&str; 6] = [
    "name",
    "version",
    "resolved",
    "integrity",
    "link",
    "hasInstallScript",
];

/// Finds the lines of all entries in `packages`.
pub(super) fn of(text: &str) -> Places {
    let mut scan = Scan {
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
    };
    let mut places = Places::new();
    // Keys on the way to where the scan is; of what lies deeper, nothing is wanted.
    let (mut depth, mut path) = (0_usize, [const { String::new() }; 2]);
    while let Some(byte) = scan.next() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let key = scan.string();
                if depth > 3 || !scan.goes_on_with(b':') {
                    continue;
                }
                let key: String =
                    serde_json::from_str(text.get(key).unwrap_or_default()).unwrap_or_default();
                let line = scan.line;
                let [list, entry] = &mut path;
                match depth {
                    1 => *list = key,
                    // Of two entries with one key, the later one counts.
                    2 if list == "packages" => {
                        places.insert(key.clone(), vec![line]);
                        *entry = key;
                    }
                    3 if list == "packages" && FACTS.contains(&key.as_str()) => {
                        scan.space();
                        places.entry(entry.clone()).or_default().push(scan.line);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    places
}

/// A place in a text.
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u32,
}

impl Scan<'_> {
    fn next(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        self.line = self.line.saturating_add(u32::from(byte == b'\n'));
        Some(byte)
    }

    /// Passes over the rest of a string, and says where all of it stands.
    fn string(&mut self) -> std::ops::Range<usize> {
        let start = self.at - 1;
        while let Some(byte) = self.next() {
            match byte {
                b'\\' => self.at += 1,
                b'"' => break,
                _ => {}
            }
        }
        start..self.at
    }

    fn space(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.next();
        }
    }

    /// Passes over white space, and over `byte` if it follows.
    fn goes_on_with(&mut self, byte: u8) -> bool {
        self.space();
        let follows = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(follows);
        follows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_entry_that_counts() {
        let text = r#"{
  "x": { "node_modules/a": { "version": "0" } },
  "y\"": "\"packages\": {", "z": [[{ "version": 1 }]],
  "packages": {
    "node_modules/a": { "version": "1" },
    "node_modules/b": {
      "version": "1", "funding": { "version": "f" },
      "resolved":

        "r", "integrity": "i"
    },
    "node_modules\/a": {
      "link": true
    }
  },
  "dependencies": { "node_modules/b": { "version": "2" } }
}"#;
        let expect = [
            ("node_modules/a", vec![12, 13]),
            ("node_modules/b", vec![6, 7, 10, 10]),
        ];
        assert_eq!(
            of(text),
            expect.map(|(key, lines)| (key.to_owned(), lines)).into()
        );
        assert_eq!(of("{"), Places::new());
    }
}
