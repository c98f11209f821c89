//! XML 1.0 in which foreign text is text.
//!
//! Owns a writer for data that has no mixed content: elements hold elements, or text and nothing else.
//!
//! **Invariant:** names of elements and attributes are literals, and what stands between and in them is a [`Text`], which
//! holds no character that XML forbids. `>` is escaped everywhere, so that `]]>` never stands where it ends something.

use super::html::{Attribute, escape};
use super::text::Text;

/// A document that is being written.
#[derive(Debug)]
pub(crate) struct Xml {
    out: String,
    open: Vec<&'static str>,
}

impl Xml {
    /// A document with nothing but its declaration.
    pub(crate) fn new() -> Self {
        Self {
            out: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(),
            open: Vec::new(),
        }
    }

    /// Opens an element that holds elements.
    pub(crate) fn open(&mut self, name: &'static str, attributes: &[Attribute]) -> &mut Self {
        self.tag(name, attributes);
        self.out += ">\n";
        self.open.push(name);
        self
    }

    /// Closes the element that was opened last.
    pub(crate) fn close(&mut self) -> &mut Self {
        if let Some(name) = self.open.pop() {
            self.indent();
            self.end(name);
        }
        self
    }

    /// An element with nothing in it.
    pub(crate) fn empty(&mut self, name: &'static str, attributes: &[Attribute]) -> &mut Self {
        self.tag(name, attributes);
        self.out += "/>\n";
        self
    }

    /// An element with lines of text in it.
    pub(crate) fn leaf(
        &mut self,
        name: &'static str,
        attributes: &[Attribute],
        lines: impl IntoIterator<Item = Text>,
    ) -> &mut Self {
        self.tag(name, attributes);
        self.out.push('>');
        for (index, line) in lines.into_iter().enumerate() {
            if index > 0 {
                self.out.push('\n');
            }
            self.text(&line);
        }
        self.end(name);
        self
    }

    /// The document, every element closed.
    pub(crate) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.out
    }

    fn tag(&mut self, name: &'static str, attributes: &[Attribute]) {
        self.indent();
        self.out.push('<');
        self.out += name;
        for (name, value) in attributes {
            self.out.push(' ');
            self.out += name;
            self.out += "=\"";
            self.text(value);
            self.out.push('"');
        }
    }

    fn end(&mut self, name: &'static str) {
        self.out += "</";
        self.out += name;
        self.out += ">\n";
    }

    fn indent(&mut self) {
        for _ in &self.open {
            self.out += "  ";
        }
    }

    fn text(&mut self, text: &Text) {
        for (_, part) in text.spans() {
            escape(&mut self.out, part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Safe, text};

    #[test]
    fn foreign_text_is_text() {
        let evil = || Text::from(Safe::line("]]></a><b c='d'>\"&amp;\0\u{fffe}\n##[x"));
        let mut xml = Xml::new();
        xml.open("a", &[("b", evil())]).empty("c", &[]);
        xml.leaf("d", &[], [evil(), text!["second"]]);
        insta::assert_snapshot!(xml.finish(), @r##"
        <?xml version="1.0" encoding="UTF-8"?>
        <a b="]]&gt;&lt;/a&gt;&lt;b c=&#39;d&#39;&gt;&quot;&amp;amp;\u{0}\u{fffe}\n#\u{23}[x">
          <c/>
          <d>]]&gt;&lt;/a&gt;&lt;b c=&#39;d&#39;&gt;&quot;&amp;amp;\u{0}\u{fffe}\n#\u{23}[x
        second</d>
        </a>
        "##);
    }
}
