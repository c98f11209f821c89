//! Values as JSON for machines.
//!
//! **Invariant:** what comes out is valid JSON and nothing else, and harmless in a terminal all the same: characters that
//! JSON would let through and that a terminal would act upon are written as `\uXXXX`, and so is the second `#` of two,
//! behind which the log of a CI would look for a command.

use std::fmt::Write;

use serde::Serialize;

use super::safe::is_treacherous;

/// The value as indented JSON with a line end.
///
/// # Errors
/// A value that JSON cannot express, which none of ours is.
pub(crate) fn print(value: &impl Serialize) -> Result<String, serde_json::Error> {
    harmless(&serde_json::to_string_pretty(value)?)
}

/// The value as JSON in one line with a line end.
///
/// # Errors
/// See [`print`].
pub(crate) fn line(value: &impl Serialize) -> Result<String, serde_json::Error> {
    harmless(&serde_json::to_string(value)?)
}

fn harmless(text: &str) -> Result<String, serde_json::Error> {
    let mut out = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        // Between its strings JSON has none of these but line ends.
        if c != '\n' && is_treacherous(c) || c == '#' && out.ends_with('#') {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                write!(out, "\\u{unit:04x}").map_err(serde::ser::Error::custom)?;
            }
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_escaped_and_reads_back() {
        let text = "a\u{1b}[31m\n\u{9b}\u{202e}\u{7f}\u{e0041}é🙂##[x";
        let printed = print(&[text]).unwrap();
        assert_eq!(
            printed,
            "[\n  \"a\\u001b[31m\\n\\u009b\\u202e\\u007f\\udb40\\udc41é🙂#\\u0023[x\"\n]\n"
        );
        assert_eq!(
            serde_json::from_str::<Vec<String>>(&printed).unwrap(),
            [text]
        );
    }
}
