//! What hides in a page: comments, and elements that are styled away.
//!
//! **Invariant:** looks at one line. A comment of several lines is found where it begins.

/// One comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Comment<'a> {
    /// 1-based, in code points.
    pub(crate) column: u32,
    /// What stands in it on this line, without white space around.
    pub(crate) text: &'a str,
}

/// Where comments begin, also those that Markdown tools know as `[//]: # (…)`.
pub(crate) fn comments(line: &str) -> Vec<Comment<'_>> {
    let mut found: Vec<_> = line
        .match_indices("<!--")
        .filter(|(at, _)| !in_code(line, *at))
        .map(|(at, start)| {
            let rest = line.get(at + start.len()..).unwrap_or_default();
            let text = rest.split_once("-->").map_or(rest, |(text, _)| text);
            Comment {
                column: column(line, at),
                text: text.trim(),
            }
        })
        .collect();
    let trimmed = line.trim_start();
    if let Some((label, rest)) = trimmed
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]:"))
    {
        let target = rest.trim_start();
        if matches!(label, "//" | "comment" | "_")
            && (target.starts_with('#') || target.starts_with("<>"))
        {
            let text = target.trim_start_matches(['#', '<', '>', ' ', '(', '"', '\'']);
            let column = column(line, line.len() - trimmed.len());
            found.push(Comment { column, text });
        }
    }
    found
}

/// The first piece of markup that keeps an element from being seen: where it is, and what it says.
pub(crate) fn styled_away(line: &str) -> Option<(u32, &'static str)> {
    const STYLES: [&str; 6] = [
        "display:none",
        "visibility:hidden",
        "font-size:0",
        "opacity:0;",
        "opacity:0\"",
        "color:transparent",
    ];
    let tag = line
        .match_indices('<')
        .find(|(at, _)| !in_code(line, *at))?
        .0;
    let markup: String = line
        .get(tag..)?
        .chars()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect();
    if !markup.contains("style=") {
        return None;
    }
    let style = STYLES.into_iter().find(|style| markup.contains(style))?;
    Some((column(line, tag), style.trim_end_matches(['"', ';'])))
}

/// True within `` `code` `` on the same line, where markup is shown as it is written.
fn in_code(line: &str, at: usize) -> bool {
    let ticks = |text: Option<&str>| text.unwrap_or_default().matches('`').count();
    ticks(line.get(..at)) % 2 == 1 && ticks(line.get(at..)) > 0
}

fn column(line: &str, at: usize) -> u32 {
    let before = line.get(..at).unwrap_or_default().chars().count();
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}
