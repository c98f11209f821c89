//! A small scanner for the HTML that Markdown lets through: tags, their attributes, and the text between.
//!
//! Owns where attribute values lie in the source. It reads once, from left to right, and never steps back.
//!
//! **Invariant:** whatever the input, the work is linear in its length and every range lies inside it. Which tags
//! and attributes mean a link is [`crate::document`]'s business.

use std::ops::Range;

/// One piece of HTML.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// `<name attributes>`
    Open {
        at: usize,
        name: &'a str,
        attributes: Vec<Attribute<'a>>,
    },
    /// `</name>`, and where it ends.
    Close { end: usize, name: &'a str },
    /// Anything between tags.
    Text(&'a str),
    /// What no page shows: a comment, a declaration, an instruction, the content of a script; all of it, with its signs.
    Unseen(Range<usize>),
}

/// One attribute.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Attribute<'a> {
    pub(crate) name: &'a str,
    /// Without the quotes; none for one that stands alone.
    pub(crate) value: Option<Range<usize>>,
}

/// Elements whose content is no HTML.
const RAW: [&str; 4] = ["script", "style", "textarea", "xmp"];
/// Those of them whose content is shown.
const SHOWN: [&str; 2] = ["textarea", "xmp"];

/// Limit: attributes of one tag beyond this many are skipped; real tags have a handful.
pub(crate) const ATTRIBUTES_MAX: usize = 64;

/// Calls `each` for every token of `source`, in order.
pub(crate) fn scan<'a>(source: &'a str, mut each: impl FnMut(Token<'a>)) {
    let mut scanner = Scanner { source, at: 0 };
    while scanner.at < source.len() {
        scanner.token(&mut each);
    }
}

struct Scanner<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// Steps over everything up to and including `end`, or over all that is left.
    fn skip_past(&mut self, end: &str) {
        self.at = self
            .rest()
            .find(end)
            .map_or(self.source.len(), |found| self.at + found + end.len());
    }

    /// Takes the longest run of characters that `is` accepts.
    fn take(&mut self, is: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = rest
            .get(..rest.find(|char| !is(char)).unwrap_or(rest.len()))
            .unwrap_or_default();
        self.at += taken.len();
        taken
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let found = self.rest().starts_with(prefix);
        if found {
            self.at += prefix.len();
        }
        found
    }

    fn token(&mut self, each: &mut impl FnMut(Token<'a>)) {
        let at = self.at;
        if self.rest().starts_with("<!--") {
            self.comment();
            each(Token::Unseen(at..self.at));
        } else if let Some(end) = unseen_end(self.rest()) {
            self.skip_past(end);
            each(Token::Unseen(at..self.at));
        } else if self.eat("</") {
            let name = self.take(is_name);
            self.skip_past(">");
            each(Token::Close { end: self.at, name });
        } else if self.eat("<") {
            self.open(at, each);
        } else {
            let text = self.take(|char| char != '<');
            each(Token::Text(text));
        }
    }

    /// `<!-->` and `<!--->` are whole comments to a browser.
    fn comment(&mut self) {
        if !self.eat("<!-->") && !self.eat("<!--->") {
            self.at += "<!--".len();
            self.skip_past("-->");
        }
    }

    fn open(&mut self, at: usize, each: &mut impl FnMut(Token<'a>)) {
        let name = self.take(is_name);
        if name.is_empty() {
            each(Token::Text("<"));
            return;
        }
        let attributes = self.attributes();
        each(Token::Open {
            at,
            name,
            attributes,
        });
        let is = |list: &[&str]| list.iter().any(|raw| name.eq_ignore_ascii_case(raw));
        if is(&RAW) {
            let start = self.at;
            self.skip_raw(name);
            if !is(&SHOWN) {
                each(Token::Unseen(start..self.at));
            }
        }
    }

    /// Steps to the tag that closes `name`.
    fn skip_raw(&mut self, name: &str) {
        while !self.rest().is_empty() {
            self.skip_past("</");
            if self
                .rest()
                .get(..name.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(name))
            {
                self.at -= "</".len();
                return;
            }
        }
    }

    fn attributes(&mut self) -> Vec<Attribute<'a>> {
        let mut attributes = Vec::new();
        loop {
            self.take(|char| char.is_whitespace() || char == '/');
            if self.eat(">") || self.rest().is_empty() {
                return attributes;
            }
            let before = self.at;
            let name = self.take(|char| !char.is_whitespace() && !matches!(char, '=' | '>' | '/'));
            let value = self.value();
            if attributes.len() < ATTRIBUTES_MAX && !(name.is_empty() && value.is_none()) {
                attributes.push(Attribute { name, value });
            }
            if self.at == before {
                self.take_one();
            }
        }
    }

    fn take_one(&mut self) {
        self.at += self.rest().chars().next().map_or(1, char::len_utf8);
    }

    fn value(&mut self) -> Option<Range<usize>> {
        self.take(char::is_whitespace);
        if !self.eat("=") {
            return None;
        }
        self.take(char::is_whitespace);
        for quote in ["\"", "'"] {
            if self.eat(quote) {
                let start = self.at;
                let length = self.rest().find(quote).unwrap_or(self.rest().len());
                self.skip_past(quote);
                return Some(start..start + length);
            }
        }
        let start = self.at;
        self.take(|char| !char.is_whitespace() && char != '>');
        Some(start..self.at)
    }
}

/// How something ends that is no element and begins `text`.
fn unseen_end(text: &str) -> Option<&'static str> {
    [("<![CDATA[", "]]>"), ("<!", ">"), ("<?", ">")]
        .into_iter()
        .find(|(start, _)| text.starts_with(start))
        .map(|(_, end)| end)
}

fn is_name(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '-' | ':' | '_' | '.')
}

/// Decodes the character references that URLs and ids contain in practice: numeric ones and the XML five.
pub(crate) fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        match reference(after) {
            Some((char, tail)) => {
                decoded.push(char);
                rest = tail;
            }
            None => {
                decoded.push('&');
                rest = after;
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

/// Reads one character reference after its `&`: the character and what follows its `;`.
fn reference(after: &str) -> Option<(char, &str)> {
    // Limit: the longest reference we know is `#1114111`, so no search goes further than that.
    let end = after.bytes().take(10).position(|byte| byte == b';')?;
    let (name, tail) = (after.get(..end)?, after.get(end + 1..)?);
    let char = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code).filter(|char| *char != '\0')?
        }
    };
    Some((char, tail))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Shows tokens as `name(attribute=value …)`, `/name` and `text`.
    fn check(source: &str, expect: &[&str]) {
        let mut seen = Vec::new();
        scan(source, |token| {
            seen.push(match token {
                Token::Open {
                    name, attributes, ..
                } => {
                    let shown: Vec<String> = attributes
                        .iter()
                        .map(|a| match &a.value {
                            Some(value) => format!("{}={}", a.name, &source[value.clone()]),
                            None => a.name.to_owned(),
                        })
                        .collect();
                    format!("{name}({})", shown.join(" "))
                }
                Token::Close { name, .. } => format!("/{name}"),
                Token::Text(text) => text.to_owned(),
                Token::Unseen(range) => format!("~{}", &source[range]),
            });
        });
        assert_eq!(seen, expect, "{source}");
    }

    #[test]
    fn reads_tags() {
        check("<a href=\"x\">t</a>", &["a(href=x)", "t", "/a"]);
        check("<img src='a b' alt>", &["img(src=a b alt)"]);
        check("<p hidden>t", &["p(hidden)", "t"]);
        check("<img src=a/b.png/>", &["img(src=a/b.png/)"]);
        check("<A\n HREF = \"x\" />", &["A(HREF=x)"]);
        check("a < b", &["a ", "<", " b"]);
        check("<a href=\"\" name=x>", &["a(href= name=x)"]);
    }

    #[test]
    fn what_no_page_shows_is_a_token_of_its_own() {
        check("<!-- <a href=x> --><b>", &["~<!-- <a href=x> -->", "b()"]);
        check("<!--><b>x-->", &["~<!-->", "b()", "x-->"]);
        check(
            "<!DOCTYPE html><?php x ?>y",
            &["~<!DOCTYPE html>", "~<?php x ?>", "y"],
        );
        check("<![CDATA[a>b]]>y", &["~<![CDATA[a>b]]>", "y"]);
        check(
            "<script>'<a href=x>'</SCRIPT>z",
            &["script()", "~'<a href=x>'", "/SCRIPT", "z"],
        );
        check(
            "<style>a</styl></style >z",
            &["style()", "~a</styl>", "/style", "z"],
        );
        check("<xmp><b></xmp>z", &["xmp()", "/xmp", "z"]);
    }

    #[test]
    fn ends_where_the_input_ends() {
        check("<a href=\"x", &["a(href=x)"]);
        check("<a href=", &["a(href=)"]);
        check("<!-- x", &["~<!-- x"]);
        check("<script>x", &["script()", "~x"]);
        check("</", &["/"]);
        check("<a =b>", &["a(=b)"]);
    }

    #[test]
    fn decodes_references() {
        for (text, expect) in [
            ("a&amp;b", "a&b"),
            ("&#65;&#x42;&lt;", "AB<"),
            ("a&b;&copy;&#0;&#xD800;&", "a&b;&copy;&#0;&#xD800;&"),
            ("&amp;amp;", "&amp;"),
        ] {
            assert_eq!(decode(text), expect, "{text}");
        }
    }

    proptest! {
        #[test]
        fn survives_anything(source in "[<>!/a=\"' \\-é?]{0,60}") {
            scan(&source, |token| if let Token::Open { attributes, .. } = token {
                for value in attributes.into_iter().filter_map(|attribute| attribute.value) {
                    assert!(source.get(value).is_some());
                }
            });
        }
    }
}
