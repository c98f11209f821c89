//! HTML in which foreign text is text.
//!
//! **Invariant:** names of elements and attributes are literals, and what stands between and in them is a [`Text`] or a
//! number, escaped here once more for HTML. There is no other way in, so no text of a component can be markup; elements are
//! closed in the order in which they were opened.

use std::fmt::Write;

use super::text::{Ink, Text};

/// Elements that have no end.
const VOID: [&str; 5] = ["meta", "line", "rect", "br", "col"];

/// A document that is being written.
#[derive(Debug, Default)]
pub(crate) struct Html {
    out: String,
    open: Vec<&'static str>,
}

/// An attribute of an element.
pub(crate) type Attribute = (&'static str, Text);

impl Html {
    /// Opens an element.
    pub(crate) fn open(&mut self, name: &'static str, attributes: &[Attribute]) -> &mut Self {
        self.tag(name, attributes);
        self.open.push(name);
        self
    }

    /// Closes the element that was opened last.
    pub(crate) fn close(&mut self) -> &mut Self {
        if let Some(name) = self.open.pop() {
            self.out += "</";
            self.out += name;
            self.out += ">";
            // Lines, so that a text editor shows the file.
            if !matches!(name, "span" | "title" | "b") {
                self.out.push('\n');
            }
        }
        self
    }

    /// An element with nothing in it and no end.
    pub(crate) fn void(&mut self, name: &'static str, attributes: &[Attribute]) -> &mut Self {
        debug_assert!(VOID.contains(&name));
        self.tag(name, attributes);
        // Within SVG nothing ends by its name alone.
        if self.out.ends_with('>') {
            self.out.pop();
            self.out += "/>";
        }
        self
    }

    /// An element with text in it.
    pub(crate) fn leaf(
        &mut self,
        name: &'static str,
        attributes: &[Attribute],
        text: impl Into<Text>,
    ) -> &mut Self {
        self.open(name, attributes).text(text).close()
    }

    /// Text; what stands out is in an element of that class.
    pub(crate) fn text(&mut self, text: impl Into<Text>) -> &mut Self {
        for (ink, part) in text.into().spans() {
            match class(ink) {
                Some(class) => {
                    self.tag("span", &[("class", class.into())]);
                    escape(&mut self.out, part);
                    self.out += "</span>";
                }
                None => escape(&mut self.out, part),
            }
        }
        self
    }

    /// Text of this program that is no HTML: a style sheet.
    pub(crate) fn raw(&mut self, own: &'static str) -> &mut Self {
        self.out += own;
        self
    }

    /// Adds what another one holds.
    pub(crate) fn append(&mut self, mut other: Self) -> &mut Self {
        while !other.open.is_empty() {
            other.close();
        }
        self.out += &other.out;
        self
    }

    /// The document, every element closed.
    pub(crate) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.out
    }

    /// What was written so far.
    pub(crate) fn as_str(&self) -> &str {
        &self.out
    }

    fn tag(&mut self, name: &'static str, attributes: &[Attribute]) {
        self.out.push('<');
        self.out += name;
        for (name, value) in attributes {
            self.out.push(' ');
            self.out += name;
            self.out += "=\"";
            for (_, part) in value.spans() {
                escape(&mut self.out, part);
            }
            self.out.push('"');
        }
        self.out.push('>');
    }
}

fn class(ink: Ink) -> Option<&'static str> {
    match ink {
        Ink::Plain => None,
        Ink::Strong => Some("strong"),
        Ink::Faint => Some("faint"),
        Ink::Good => Some("good"),
        Ink::Warn => Some("warn"),
        Ink::Bad => Some("bad"),
    }
}

/// Escapes what HTML reads as its own, between tags and in quoted attributes. Control characters and the like never get
/// here: they are escaped where foreign text becomes [`Text`].
pub(super) fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => *out += "&amp;",
            '<' => *out += "&lt;",
            '>' => *out += "&gt;",
            '"' => *out += "&quot;",
            '\'' => *out += "&#39;",
            '`' => *out += "&#96;",
            // Two would begin a command in the log of a CI.
            '#' if out.ends_with('#') => *out += "&#35;",
            c => out.push(c),
        }
    }
}

/// A part of a whole in percent, two digits behind the point; all of it where the whole is nothing.
pub(crate) fn percent(part: u64, whole: u64) -> Text {
    let hundredths = (u128::from(part) * 10_000)
        .checked_div(u128::from(whole))
        .unwrap_or(10_000);
    let mut shown = String::new();
    let written = write!(shown, "{}.{:02}%", hundredths / 100, hundredths % 100);
    debug_assert!(written.is_ok());
    super::Safe::line(&shown).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Safe, text};

    #[test]
    fn foreign_text_is_text() {
        let mut html = Html::default();
        let evil = || Safe::line("</td><script>alert('1')</script>\" onload=\"x&amp;\0\u{202e}");
        html.open("td", &[("title", evil().into())])
            .text(text![evil(), text!["!"].ink(Ink::Bad)]);
        insta::assert_snapshot!(html.finish(), @r#"<td title="&lt;/td&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; onload=&quot;x&amp;amp;\u{0}\u{202e}">&lt;/td&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; onload=&quot;x&amp;amp;\u{0}\u{202e}<span class="bad">!</span></td>"#);
    }

    #[test]
    fn parts() {
        for (part, whole, expect) in [(1, 3, "33.33%"), (0, 5, "0.00%"), (7, 0, "100.00%")] {
            assert_eq!(percent(part, whole), Safe::line(expect).into());
        }
    }
}
