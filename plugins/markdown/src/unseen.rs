//! What stands in a document and is not on its page.
//!
//! Owns the walk over a document: what the parser hands over as text is shown, and so is what HTML lets through; what lies
//! between is markup, or is hidden. `style` knows which styles hide, `definition` what leads nowhere, `drawn`
//! what diagrams and formulas leave out.
//!
//! **Invariant:** words are shown because the parser says so; words that nothing accounts for are found.

mod definition;
mod drawn;
mod style;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Parser, Tag, TagEnd};

use crate::document::ReadError;
use crate::document::events::options;
use crate::document::text_of;
use crate::html::{self, ATTRIBUTES_MAX, Attribute, Token};
use crate::text::{Cursor, body_start};
use drawn::Drawn;

/// Limit: words in a row that markup may have: the name of a language and its options, a label with a name. No sentence
/// is that short and tells somebody what to do.
const WORDS_MAX: usize = 5;
/// Limit: words of a title, which a page shows under the pointer.
const TITLE_WORDS_MAX: usize = 10;
/// Limit: characters of a title, since a word may be long, too.
const TITLE_CHARS_MAX: usize = 80;
/// Limit: bytes of a comment that the parser shows as text, so that many of them that never end cost no more than that each.
const OPEN_BYTES_MAX: usize = 4096;

/// One piece that no page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// Why nobody sees it.
    pub what: What,
    /// What stands there; of a comment without its signs.
    pub text: String,
    /// Where it begins, from 1.
    pub line: u32,
    /// In code points, from 1.
    pub column: u32,
    /// Where it ends.
    pub last_line: u32,
}

/// Why nobody sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It is a comment, or a declaration, or the definition of a link that leads nowhere.
    Comment,
    /// It is an element that this keeps from being shown.
    Element(String),
    /// It is more words than markup has: a label that nothing refers to, a cell beyond the last column.
    Words,
}

/// What a page of this Markdown does not show, from top to bottom. `mdx` has comments of its own.
///
/// # Errors
/// [`ReadError::TooLarge`], [`ReadError::TooDense`] and [`ReadError::NotUtf8`].
pub fn in_markdown(bytes: &[u8], mdx: bool) -> Result<Vec<Unseen>, ReadError> {
    let text = text_of(bytes)?;
    let base = body_start(text);
    let body = text.get(base..).unwrap_or_default();
    let mut walk = Walk::new(body);
    walk.comment_signs = if mdx {
        &[("<!--", "-->"), ("{/*", "*/}")]
    } else {
        &[("<!--", "-->")]
    };
    for (event, range) in Parser::new_ext(body, options()).into_offset_iter() {
        walk.event(event, range);
    }
    walk.finish();
    Ok(place(text, base, walk.found))
}

/// What a page of HTML does not show, from top to bottom; its head is let be.
///
/// # Errors
/// [`ReadError::TooLarge`], [`ReadError::TooDense`] and [`ReadError::NotUtf8`].
pub fn in_html(bytes: &[u8]) -> Result<Vec<Unseen>, ReadError> {
    let text = text_of(bytes)?;
    let mut walk = Walk::new(text);
    walk.is_page = true;
    walk.html(0..text.len());
    walk.close_all();
    Ok(place(text, 0, walk.found))
}

/// A piece before lines are counted.
struct Piece {
    span: Range<usize>,
    what: What,
    text: String,
}

struct Walk<'a> {
    source: &'a str,
    comment_signs: &'static [(&'static str, &'static str)],
    /// A whole page, which may have scripts and a head.
    is_page: bool,
    /// Up to where everything was accounted for.
    seen_to: usize,
    /// What nothing accounts for so far.
    gaps: Vec<Range<usize>>,
    code: usize,
    /// What the code block is drawn as, if it is one that pages draw.
    drawn: Option<Drawn>,
    /// For each open link whether its end is to be taken as seen.
    links: Vec<bool>,
    labels: BTreeSet<String>,
    footnotes: Vec<(String, Range<usize>)>,
    referred: BTreeSet<String>,
    hidden: Option<Hidden>,
    /// Elements with content for other readers that have not been closed, and where they begin.
    fallbacks: Vec<(String, usize)>,
    found: Vec<Piece>,
}

/// An element that is not shown, and has not been closed.
struct Hidden {
    start: usize,
    name: String,
    /// Elements of the same name within.
    depth: usize,
    why: String,
}

impl<'a> Walk<'a> {
    fn new(source: &'a str) -> Self {
        Self {
            source,
            comment_signs: &[],
            is_page: false,
            seen_to: 0,
            gaps: Vec::new(),
            code: 0,
            drawn: None,
            links: Vec::new(),
            labels: BTreeSet::new(),
            footnotes: Vec::new(),
            referred: BTreeSet::new(),
            hidden: None,
            fallbacks: Vec::new(),
            found: Vec::new(),
        }
    }

    fn get(&self, range: Range<usize>) -> &'a str {
        self.source.get(range).unwrap_or_default()
    }

    /// Everything up to the end of `range` is accounted for, but what lies before it.
    fn see(&mut self, range: Range<usize>) {
        if range.start > self.seen_to {
            self.gaps.push(self.seen_to..range.start);
        }
        self.seen_to = self.seen_to.max(range.end);
    }

    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::InlineHtml(_) => {
                self.see(range.clone());
                self.html(range);
            }
            Event::FootnoteReference(name) => {
                self.referred.insert(name.to_string());
                self.see(range);
            }
            Event::Text(_) => {
                if self.code == 0 {
                    self.text(range.clone());
                    self.formulas(range.clone());
                }
                match self.drawn {
                    Some(Drawn::Diagram) => self.diagram(range.clone()),
                    Some(Drawn::Formula) => self.formula(range.clone()),
                    None => {}
                }
                self.see(range);
            }
            Event::SoftBreak | Event::HardBreak => {}
            _ => self.see(range),
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::HtmlBlock => {
                self.see(range.clone());
                self.html(range);
            }
            Tag::CodeBlock(kind) => {
                self.code += 1;
                self.drawn = Drawn::of(&kind);
            }
            Tag::FootnoteDefinition(name) => self.footnotes.push((name.to_string(), range)),
            Tag::Link {
                link_type,
                title,
                id,
                ..
            }
            | Tag::Image {
                link_type,
                title,
                id,
                ..
            } => {
                if matches!(
                    link_type,
                    LinkType::Reference | LinkType::Collapsed | LinkType::Shortcut
                ) {
                    self.labels.insert(definition::folded(&id));
                }
                let shown = link_type == LinkType::Inline && !is_long_title(&title);
                self.links.push(shown);
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::CodeBlock => {
                self.code = self.code.saturating_sub(1);
                self.drawn = None;
            }
            TagEnd::Link | TagEnd::Image => {
                let is_shown = self.links.pop() == Some(true);
                if is_shown {
                    self.seen_to = self.seen_to.max(range.end);
                }
            }
            _ => {}
        }
    }

    /// Text that is shown, unless another reader of Markdown takes it for a comment.
    fn text(&mut self, range: Range<usize>) {
        let source = self.source;
        let escaped = self.get(0..range.start).ends_with('\\');
        // The parser may end a text within the sign that begins a comment.
        let behind = source.get(range.start..).unwrap_or_default();
        for (start, end) in self.comment_signs {
            // No further than a sign that begins in this text goes, or a page would be read once for each of its texts.
            let reach = behind.floor_char_boundary(range.len() + start.len());
            let near = behind.get(..reach).unwrap_or_default();
            let Some(at) = near.find(start).filter(|at| *at < range.len()) else {
                continue;
            };
            if at == 0 && escaped {
                continue;
            }
            let inner = behind.get(at + start.len()..).unwrap_or_default();
            let inner = inner
                .get(..inner.floor_char_boundary(OPEN_BYTES_MAX))
                .and_then(|inner| inner.split(end).next())
                .unwrap_or_default();
            let from = range.start + at;
            let to = from + start.len() + inner.len();
            self.push(from..to, What::Comment, inner);
        }
        let before = self.get(0..range.start);
        if behind.starts_with('[') && !escaped && before.trim_end_matches(' ').ends_with('\n') {
            let line = behind.lines().next().unwrap_or_default();
            if let Some(definition) = definition::parse(line).filter(|found| found.leads_nowhere())
            {
                let text = definition.text();
                self.push(range.start..range.start + line.len(), What::Comment, &text);
            }
        }
    }

    fn push(&mut self, span: Range<usize>, what: What, text: &str) {
        self.found.push(Piece {
            span,
            what,
            text: text.split_whitespace().collect::<Vec<_>>().join(" "),
        });
    }

    fn html(&mut self, range: Range<usize>) {
        let source = self.get(range.clone());
        html::scan(source, |token| match token {
            Token::Open {
                at,
                name,
                attributes,
            } => self.open(source, range.start + at, name, &attributes),
            Token::Close { end, name } => {
                self.in_close_tag(source, range.start, end, name);
                self.close(range.start + end, name);
            }
            Token::Unseen(span) => {
                let whole = source.get(span.clone()).unwrap_or_default();
                // What is no comment is the inside of an element that was seen to begin.
                if let Some(text) = comment(whole) {
                    let span = range.start + span.start..range.start + span.end;
                    self.push(span, What::Comment, text);
                }
            }
            Token::Text(_) => {}
        });
    }

    fn open(&mut self, source: &str, at: usize, name: &str, attributes: &[Attribute<'_>]) {
        let name = name.to_ascii_lowercase();
        if let Some(hidden) = &mut self.hidden {
            hidden.depth += usize::from(hidden.name == name);
            return;
        }
        let value = |attribute: &Attribute<'_>| {
            let range = attribute.value.clone().unwrap_or(0..0);
            html::decode(source.get(range).unwrap_or_default())
        };
        let by_attribute = attributes
            .iter()
            .find_map(|attribute| style::hides(&name, attribute.name, &value(attribute)));
        let by_name = (!self.is_page && style::NEVER_SHOWN.contains(&name.as_str()))
            .then(|| format!("<{name}>"));
        let too_many =
            (attributes.len() >= ATTRIBUTES_MAX).then(|| format!("{ATTRIBUTES_MAX} attributes"));
        let Some(why) = by_name.or(by_attribute).or(too_many) else {
            let is_fallback = style::FALLBACKS.contains(&name.as_str())
                || self.is_page && style::OF_PAGES.contains(&name.as_str());
            if is_fallback {
                self.fallbacks.push((name, at));
            }
            let alone = attributes
                .iter()
                .filter(|attribute| attribute.value.is_none());
            let alone: Vec<&str> = alone.map(|attribute| attribute.name).collect();
            let alone = alone.join(" ");
            if words(&alone) > WORDS_MAX {
                self.push(at..at + 1, What::Words, &alone);
            }
            for attribute in attributes {
                let text = value(attribute);
                let is_long = match style::length(attribute.name) {
                    style::Length::Any => false,
                    style::Length::Title => is_long_title(&text),
                    style::Length::Few => words(&text) > WORDS_MAX,
                    style::Length::Names => plain_words(&text) > TITLE_WORDS_MAX,
                };
                if is_long {
                    self.push(at..at + 1, What::Words, &text);
                }
            }
            return;
        };
        if style::VOID.contains(&name.as_str()) {
            let text: Vec<String> = attributes.iter().map(value).collect();
            self.push(at..at + 1, What::Element(why), &text.join(" "));
            return;
        }
        self.hidden = Some(Hidden {
            start: at,
            name,
            depth: 0,
            why,
        });
    }

    /// A tag that closes has a name, and nothing else that a page would show.
    fn in_close_tag(&mut self, source: &str, base: usize, end: usize, name: &str) {
        let before = source.get(..end).unwrap_or_default();
        let start = before.rfind("</").unwrap_or(end);
        let more = before.get(start + 2 + name.len()..).unwrap_or_default();
        if words(more) > WORDS_MAX {
            self.push(base + start..base + end, What::Words, more);
        }
    }

    /// The element that was begun last by this name ends, and what it has said is no part of the page.
    fn close_fallback(&mut self, end: usize, name: &str) {
        let mut open = self.fallbacks.iter();
        let Some(at) = open.rposition(|(open, _)| open.eq_ignore_ascii_case(name)) else {
            return;
        };
        let (_, start) = self.fallbacks.remove(at);
        let text = untagged(self.get(start..end));
        if words(&text) > TITLE_WORDS_MAX {
            self.push(start..end, What::Words, &text);
        }
    }

    fn close(&mut self, end: usize, name: &str) {
        self.close_fallback(end, name);
        let Some(hidden) = &mut self.hidden else {
            return;
        };
        if !hidden.name.eq_ignore_ascii_case(name) {
            return;
        }
        match hidden.depth.checked_sub(1) {
            Some(depth) => hidden.depth = depth,
            None => self.close_hidden(end),
        }
    }

    fn close_hidden(&mut self, end: usize) {
        if let Some(hidden) = self.hidden.take() {
            let text = self.get(hidden.start..end);
            self.push(hidden.start..end, What::Element(hidden.why), text);
        }
    }

    fn close_all(&mut self) {
        while let Some((name, at)) = self.fallbacks.last().cloned() {
            let tag = self.get(at..self.source.len()).split('>').next();
            if tag.is_some_and(|tag| tag.ends_with('/')) {
                self.fallbacks.pop();
            } else {
                self.close_fallback(self.source.len(), &name);
            }
        }
        self.close_hidden(self.source.len());
    }

    fn finish(&mut self) {
        self.close_all();
        let end = self.source.len();
        self.see(end..end);
        for gap in std::mem::take(&mut self.gaps) {
            self.gap(gap);
        }
        let mut shown = BTreeSet::new();
        for (name, span) in std::mem::take(&mut self.footnotes) {
            let text = self.get(span.clone());
            // Of two by one name, a page shows the first.
            let is_shown = self.referred.contains(&name) && shown.insert(name);
            if !is_shown && words(text) > 1 {
                self.push(span, What::Words, text);
            }
        }
    }

    /// What lies between two things that are shown.
    fn gap(&mut self, gap: Range<usize>) {
        let mut at = gap.start;
        for line in self.get(gap).split_inclusive('\n') {
            let bare = line.trim_start_matches([' ', '\t', '>']);
            let start = at + line.len() - bare.len();
            let bare = bare.trim_end();
            at += line.len();
            let Some(found) = definition::parse(bare) else {
                if words(bare) > WORDS_MAX {
                    self.push(start..start + bare.len(), What::Words, bare);
                }
                continue;
            };
            let is_used = self.labels.contains(&definition::folded(found.label));
            let span = start..start + bare.len();
            if !is_used && found.leads_nowhere() {
                self.push(span, What::Comment, &found.text());
            } else if words(found.rest) > TITLE_WORDS_MAX || !is_used && words(bare) > WORDS_MAX {
                self.push(span, What::Words, bare);
            }
        }
    }
}

/// What a comment says, a declaration or an instruction; that a page is HTML is no secret.
fn comment(whole: &str) -> Option<&str> {
    let text = match whole.strip_prefix("<!--") {
        Some(rest) => rest.strip_suffix("-->").unwrap_or(rest),
        None => whole
            .strip_prefix("<!")
            .or_else(|| whole.strip_prefix("<?"))?
            .trim_end_matches('>'),
    };
    let text = text.trim();
    (!text.is_empty() && !text.eq_ignore_ascii_case("doctype html")).then_some(text)
}

fn is_long_title(title: &str) -> bool {
    words(title) > TITLE_WORDS_MAX || title.chars().nth(TITLE_CHARS_MAX).is_some()
}

/// How many words there are; where a script has none, two of its characters count as one.
fn words(text: &str) -> usize {
    let spaced = text
        .split_whitespace()
        .filter(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 1)
        .count();
    let unspaced = text
        .chars()
        .filter(|c| matches!(c, '\u{2e80}'..='\u{d7ff}' | '\u{20000}'..='\u{3ffff}'));
    spaced + unspaced.count() / 2
}

/// How many words there are that are made of letters alone, as no address is, and few names of styles.
fn plain_words(text: &str) -> usize {
    let plain = text.split_whitespace().filter(|word| {
        let word = word.trim_end_matches([',', '.', ';', ':', '!', '?']);
        word.chars().all(char::is_alphabetic)
    });
    words(&plain.collect::<Vec<_>>().join(" "))
}

/// A text without its tags.
fn untagged(html: &str) -> String {
    let mut in_tag = false;
    let shown = html.chars().filter(|c| {
        let was_in_tag = in_tag;
        in_tag = *c == '<' || in_tag && *c != '>';
        !was_in_tag && !in_tag
    });
    shown.collect()
}

fn place(text: &str, base: usize, mut found: Vec<Piece>) -> Vec<Unseen> {
    found.sort_by_key(|piece| piece.span.start);
    found.dedup_by_key(|piece| piece.span.start);
    let (mut starts, mut ends) = (Cursor::new(text), Cursor::new(text));
    let placed = found.into_iter().map(|piece| {
        let (line, column) = starts.seek(base + piece.span.start);
        let end = text.floor_char_boundary(base + piece.span.end.saturating_sub(1));
        Unseen {
            what: piece.what,
            text: piece.text,
            line,
            column,
            last_line: ends.seek(end).0.max(line),
        }
    });
    placed.collect()
}
