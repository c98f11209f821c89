//! Walks the parser's events and collects links and anchors.
//!
//! Owns the walk; nothing of it survives it. Code needs no care here: the parser hands it over as text that is
//! never a link.
//!
//! **Invariant:** one pass over the events, one scan of each HTML block.

use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use super::{Found, LINKS_MAX, destination};
use crate::html::{self, Attribute, Token};
use crate::slug::{Anchors, Slugger, slugify};
use crate::target::is_relative;
use crate::text::body_start;

/// Limit: bytes of one heading that go into its anchor.
const HEADING_BYTES_MAX: usize = 4096;

pub(super) struct Collected {
    pub(super) links: Vec<Found>,
    pub(super) anchors: Anchors,
}

pub(super) fn collect(text: &str) -> Collected {
    let base = body_start(text);
    let body = text.get(base..).unwrap_or_default();
    let parser = Parser::new_ext(body, options());
    let mut walk = Walk::new(text, base);
    for (_, definition) in parser.reference_definitions().iter() {
        let span = walk.shifted(&definition.span);
        let found = destination::definition(text, span.clone(), &definition.dest);
        walk.keep(&definition.dest, found, span.start);
    }
    for (event, range) in parser.into_offset_iter() {
        let range = walk.shifted(&range);
        walk.event(event, range);
    }
    if let Some(generated) = generated(text) {
        let is_placeholder =
            |link: &Found| link.target.starts_with('#') && generated.contains(&link.offset());
        walk.links.retain(|link| !is_placeholder(link));
    }
    Collected {
        links: walk.links,
        anchors: walk.anchors,
    }
}

/// The lists that the all-contributors bot writes: their `href="#code-name"` are placeholders which lead nowhere on
/// purpose. There is one in a file, so one is what we look for.
fn generated(text: &str) -> Option<Range<usize>> {
    let start = text.find("<!-- ALL-CONTRIBUTORS-LIST:START")?;
    let length = text.get(start..)?.find("<!-- ALL-CONTRIBUTORS-LIST:END")?;
    Some(start..start + length)
}

pub(crate) fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM
}

/// A link or image whose end has not come yet.
struct Open {
    /// The destination, for inline links; the others have theirs in a definition or are absolute.
    destination: Option<String>,
    /// Behind the last child seen so far.
    children_end: usize,
}

struct Walk<'a> {
    text: &'a str,
    base: usize,
    links: Vec<Found>,
    anchors: Anchors,
    slugger: Slugger,
    open: Vec<Open>,
    images: usize,
    heading: Option<String>,
}

impl<'a> Walk<'a> {
    fn new(text: &'a str, base: usize) -> Self {
        Self {
            text,
            base,
            links: Vec::new(),
            anchors: Anchors::default(),
            slugger: Slugger::default(),
            open: Vec::new(),
            images: 0,
            heading: None,
        }
    }

    fn shifted(&self, range: &Range<usize>) -> Range<usize> {
        range.start + self.base..range.end + self.base
    }

    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        let end = range.end;
        match event {
            Event::Start(tag) => return self.start(tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(text) | Event::Code(text) => self.heading_text(&text),
            Event::InlineHtml(_) => self.html(range),
            _ => {}
        }
        if let Some(open) = self.open.last_mut() {
            open.children_end = open.children_end.max(end);
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Link {
                link_type,
                dest_url,
                ..
            } => self.open_link(link_type, &dest_url, range.start + 1),
            Tag::Image {
                link_type,
                dest_url,
                ..
            } => {
                self.images += 1;
                self.open_link(link_type, &dest_url, range.start + 2);
            }
            Tag::Heading { .. } => {
                self.marks(&range);
                self.heading = Some(String::new());
            }
            Tag::Paragraph => self.marks(&range),
            Tag::HtmlBlock => self.html(range),
            _ => {}
        }
    }

    fn open_link(&mut self, link_type: LinkType, destination: &str, children_end: usize) {
        let destination = (link_type == LinkType::Inline).then(|| destination.to_owned());
        self.open.push(Open {
            destination,
            children_end,
        });
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::Image => {
                self.images = self.images.saturating_sub(1);
                self.close_link(range);
            }
            TagEnd::Link => self.close_link(range),
            TagEnd::Heading(_) => self.close_heading(),
            _ => {}
        }
    }

    fn close_link(&mut self, range: Range<usize>) {
        let Some(Open {
            destination: Some(target),
            children_end,
        }) = self.open.pop()
        else {
            return;
        };
        if is_relative(&target) {
            let span = destination::inline(self.text, children_end, range.end, &target);
            self.keep(&target, span, range.start);
        }
    }

    fn keep(&mut self, target: &str, span: Option<Range<usize>>, start: usize) {
        // One more than allowed, so that the caller sees that there were too many.
        if self.links.len() <= LINKS_MAX && is_relative(target) {
            self.links.push(Found {
                target: target.trim().to_owned(),
                span,
                start,
            });
        }
    }

    fn heading_text(&mut self, text: &str) {
        if self.images > 0 {
            return;
        }
        if let Some(heading) = self
            .heading
            .as_mut()
            .filter(|heading| heading.len() < HEADING_BYTES_MAX)
        {
            heading.push_str(text);
        }
    }

    fn close_heading(&mut self) {
        let Some(heading) = self.heading.take() else {
            return;
        };
        // Enough to refuse the file; a slug is kept in two places.
        if self.anchors.len() > LINKS_MAX {
            return;
        }
        let heading = heading.trim();
        self.anchors.insert(self.slugger.slug(heading));
        // Other generators read `# Title {#id}` as a title with an id.
        if let Some((title, _)) = heading.split_once('{') {
            self.anchors.insert(slugify(title.trim()));
        }
    }

    /// Keeps the ids that generators other than GitHub read from a paragraph or heading: `{#id}`, `{: #id}` and, on a
    /// line of its own, `(id)=`.
    fn marks(&mut self, range: &Range<usize>) {
        let source = self.text.get(range.clone()).unwrap_or_default();
        for mark in source.split('{').skip(1) {
            let mark = mark.trim_start_matches([':', ' ']);
            let Some(id) = mark
                .strip_prefix('#')
                .and_then(|rest| rest.split(['}', ' ']).next())
            else {
                continue;
            };
            self.anchors.insert(id.to_owned());
        }
        let labels = source
            .lines()
            .filter_map(|line| line.trim().strip_prefix('(')?.strip_suffix(")="));
        for label in labels {
            self.anchors.insert(label.to_owned());
        }
    }

    fn html(&mut self, range: Range<usize>) {
        let Some(source) = self.text.get(range.clone()) else {
            return;
        };
        html::scan(source, |token| match token {
            Token::Open {
                name, attributes, ..
            } => {
                if is_heading(name) && self.heading.is_none() {
                    self.heading = Some(String::new());
                }
                for attribute in &attributes {
                    self.attribute(name, attribute, source, range.start);
                }
            }
            Token::Close { name, .. } if is_heading(name) => self.close_heading(),
            Token::Close { .. } | Token::Unseen(_) => {}
            Token::Text(text) => self.heading_text(&html::decode(text)),
        });
    }

    fn attribute(&mut self, element: &str, attribute: &Attribute<'_>, source: &str, base: usize) {
        let Some(range) = &attribute.value else {
            return;
        };
        let value = source.get(range.clone()).unwrap_or_default();
        let start = base + range.start;
        match meaning(element, attribute.name) {
            Meaning::Anchor => self.anchors.insert(html::decode(value)),
            Meaning::Url => self.url(value, start),
            Meaning::UrlSet => {
                for (at, url) in candidates(value) {
                    self.url(url, start + at);
                }
            }
            Meaning::Nothing => {}
        }
    }

    /// Keeps a link that stands in an attribute; `start` is where `value` begins in the file.
    fn url(&mut self, value: &str, start: usize) {
        let trimmed = value.trim();
        let start = start + (value.len() - value.trim_start().len());
        let target = html::decode(trimmed);
        self.keep(&target, Some(start..start + trimmed.len()), start);
    }
}

enum Meaning {
    Anchor,
    Url,
    UrlSet,
    Nothing,
}

/// What an attribute is for. Element names in mixed case are components of some framework, whose links we cannot
/// know.
fn meaning(element: &str, attribute: &str) -> Meaning {
    const LINKING: [&str; 10] = [
        "a", "area", "audio", "embed", "iframe", "img", "input", "source", "track", "video",
    ];
    let plain = element.to_ascii_lowercase();
    let component = element != plain && element != element.to_ascii_uppercase();
    let linking = !component && LINKING.contains(&plain.as_str());
    match attribute.to_ascii_lowercase().as_str() {
        "id" | "name" => Meaning::Anchor,
        "href" | "src" | "poster" if linking => Meaning::Url,
        "srcset" if linking => Meaning::UrlSet,
        _ => Meaning::Nothing,
    }
}

fn is_heading(element: &str) -> bool {
    matches!(element.as_bytes(), [b'h' | b'H', b'1'..=b'6'])
}

/// Returns the URLs of a `srcset` with their offsets: each ends at white space, and a comma at its end is none of it.
fn candidates(set: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = set.get(at..) {
        let blank = rest.len()
            - rest
                .trim_start_matches(|char: char| char.is_whitespace() || char == ',')
                .len();
        let rest = rest.get(blank..).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
        let word = rest.split(char::is_whitespace).next().unwrap_or_default();
        let url = word.trim_end_matches(',');
        found.push((at + blank, url));
        at += blank + word.len();
        if url.len() == word.len() {
            let descriptor = set.get(at..).unwrap_or_default();
            at += descriptor
                .find(',')
                .map_or(descriptor.len(), |comma| comma + 1);
        }
    }
    found
}
