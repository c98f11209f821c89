//! Facts out of Markdown: `LOOP.md`, `LOOP_SPEC.md`, `loop-budget.md`, rules and safety pages.
//!
//! **Invariant:** what looks like a setting and is not understood is said; running text is passed over.

use super::draft::path_words;
use super::fact::{Findings, Setting, normalised, setting_of, slug};
use super::markdown::{self, Piece, What, key_value, plain};

/// Reads one file.
pub(super) fn read(text: &str, out: &mut Findings) {
    let (pieces, dropped) = markdown::read(text);
    for (index, piece) in pieces.iter().enumerate() {
        match &piece.what {
            What::Heading => heading(piece, pieces.get(index + 1..).unwrap_or_default(), out),
            What::Row(cells) => row(piece, cells, out),
            What::Bullet(text) => bullet(piece, text, out),
            What::Paragraph(text) => paragraph(piece, text, out),
        }
    }
    if dropped > 0 {
        out.left(
            0,
            "the rest of the file",
            format!("{dropped} lines and rows are too many"),
        );
    }
}

/// The title of a file names its loop; a heading below «Active loops» names one of several, if anything is said of it.
fn heading(piece: &Piece, rest: &[Piece], out: &mut Findings) {
    let Some(title) = piece.under.last() else {
        return;
    };
    if let Some(of) = loop_of(piece) {
        let mut below = rest
            .iter()
            .take_while(|one| one.under.starts_with(&piece.under));
        if level_in(title) {
            out.fact(Setting::Level, title, piece.line, Some(&of));
        } else if !below.any(says_something) {
            return;
        }
        out.fact(Setting::Name, title, piece.line, Some(&of));
    } else if piece.under.len() == 1
        && let Some(name) = title_name(title)
    {
        out.fact(Setting::Name, name, piece.line, None);
    }
}

/// `# Loop: X`, `# Loop Configuration — X`.
fn title_name(title: &str) -> Option<&str> {
    let lower = title.to_lowercase();
    let (_, name) = title
        .split_once(": ")
        .or_else(|| title.split_once(" — "))
        .or_else(|| title.split_once(" - "))?;
    (lower.starts_with("loop")
        && !lower.starts_with("loop budget")
        && !lower.starts_with("loop run"))
    .then_some(name)
}

fn loop_of(piece: &Piece) -> Option<String> {
    let (last, above) = piece.under.split_last()?;
    let parent = normalised(above.last()?);
    let of = slug(last);
    let is_below_loops = ["active loops", "loops", "scheduled loops"].contains(&parent.as_str());
    // «Loops» may be the title of the file, and what is below it a section about all of them.
    (is_below_loops && !is_section(last) && !of.is_empty()).then_some(of)
}

/// True for a heading that says what stands below it, and not of which loop.
fn is_section(title: &str) -> bool {
    setting_of(title).is_some() || SETTINGS.contains(&normalised(title).as_str())
}

/// True for a piece that holds a setting.
fn says_something(piece: &Piece) -> bool {
    match &piece.what {
        What::Bullet(text) => {
            key_value(text).is_some_and(|(key, _)| setting_of(&key).is_some())
                || bound(text).is_some()
        }
        What::Row(cells) => cells
            .first()
            .is_some_and(|(_, cell)| setting_of(cell).is_some()),
        What::Heading | What::Paragraph(_) => false,
    }
}

pub(super) fn level_in(text: &str) -> bool {
    ["L1", "L2", "L3"].iter().any(|level| text.contains(level))
}

fn row(piece: &Piece, cells: &[(String, String)], out: &mut Findings) {
    let Some(((first_column, first), others)) = cells.split_first() else {
        return;
    };
    let column = normalised(first_column);
    let section = section(piece);
    let is_path =
        ["path", "paths", "glob", "globs", "pattern", "file", "files"].contains(&column.as_str());
    if let (true, Some(setting @ (Setting::Allow | Setting::Deny | Setting::MergeAlone))) =
        (is_path, section)
    {
        out.fact(setting, first, piece.line, None);
        return;
    }
    let rule = others.iter().find(|(column, _)| {
        ["access", "rule", "policy", "mode", "permission"].contains(&normalised(column).as_str())
    });
    if let (true, Some((_, cell))) = (is_path, rule) {
        match access(cell) {
            Some(setting) => out.fact(setting, first, piece.line, None),
            None => out.left(piece.line, first, "neither allowed nor denied"),
        }
        return;
    }
    if ["loop", "pattern", "name", "stage", "loop name"].contains(&column.as_str()) {
        loop_row(piece, first, others, out);
        return;
    }
    let Some((_, value)) = others.first() else {
        return;
    };
    match setting_of(first) {
        Some(setting) => put(piece, setting, value, loop_of(piece).as_deref(), out),
        // A table with another purpose says nothing that is missed.
        None if is_settings(&column) => out.left(
            piece.line,
            &plain(first),
            "no key of the loop file says this",
        ),
        None => {}
    }
}

fn is_settings(column: &str) -> bool {
    [
        "bound",
        "setting",
        "key",
        "field",
        "limit",
        "parameter",
        "property",
        "option",
    ]
    .contains(&column)
}

/// What a cell like `never`, `read only` or `write` says of a path.
fn access(cell: &str) -> Option<Setting> {
    let cell = normalised(cell);
    let first = cell.split(' ').next().unwrap_or_default();
    match first {
        "deny" | "denied" | "never" | "forbidden" | "no" | "none" | "blocked" => {
            Some(Setting::Deny)
        }
        "allow" | "allowed" | "write" | "rw" | "edit" | "yes" => Some(Setting::Allow),
        _ => None,
    }
}

fn loop_row(piece: &Piece, name: &str, others: &[(String, String)], out: &mut Findings) {
    let of = slug(name);
    if of.is_empty() {
        return;
    }
    let mut known = false;
    let mut unknown = Vec::new();
    for (column, cell) in others {
        match setting_of(column) {
            Some(Setting::Level) if !level_in(cell) => {}
            Some(setting) => {
                known = true;
                put(piece, setting, cell, Some(&of), out);
            }
            None => unknown.push(column),
        }
    }
    if known {
        out.fact(Setting::Name, name, piece.line, Some(&of));
        for column in unknown {
            out.left_of(
                Some(&of),
                piece.line,
                &plain(column),
                "no key of the loop file says this",
            );
        }
    }
}

fn bullet(piece: &Piece, text: &str, out: &mut Findings) {
    let of = loop_of(piece);
    if let Some(paths) = forbidding(text) {
        out.fact(Setting::Deny, paths, piece.line, None);
        return;
    }
    let section = section(piece);
    if let Some((key, value)) = key_value(text) {
        match (setting_of(&key), section) {
            (Some(setting), _) => return put(piece, setting, value, of.as_deref(), out),
            (None, Some(Setting::People)) => {}
            (None, Some(setting @ (Setting::Allow | Setting::Deny))) => {
                return out.fact(setting, text, piece.line, None);
            }
            (None, _) if is_settings_section(piece) => {
                return out.left_of(
                    of.as_deref(),
                    piece.line,
                    &key,
                    "no key of the loop file says this",
                );
            }
            (None, _) => return,
        }
    }
    if let Some(setting) = bound(text) {
        return out.fact(setting, text, piece.line, of.as_deref());
    }
    match section {
        Some(Setting::People) => people(piece, text, out),
        Some(
            setting @ (Setting::Allow
            | Setting::Deny
            | Setting::MergeAlone
            | Setting::Goal
            | Setting::PersonLabels
            | Setting::PersonPaths),
        ) => {
            out.fact(setting, text, piece.line, None);
        }
        _ => {}
    }
}

fn paragraph(piece: &Piece, text: &str, out: &mut Findings) {
    match section(piece) {
        Some(Setting::Goal) => out.fact(Setting::Goal, text, piece.line, None),
        Some(Setting::People) => people(piece, text, out),
        Some(setting @ (Setting::Allow | Setting::Deny)) if text.contains('`') => {
            out.fact(setting, text, piece.line, None);
        }
        _ => {}
    }
}

fn people(piece: &Piece, text: &str, out: &mut Findings) {
    out.fact(Setting::People, text, piece.line, None);
    if text.contains("files") && text.chars().any(|c| c.is_ascii_digit()) && text.contains('>') {
        out.fact(Setting::MaxFiles, text, piece.line, None);
    }
    // A word alone may be a file, such as LICENSE, or what people do, such as merging.
    let is_a_word = |c: char| c.is_alphabetic() && !c.is_uppercase();
    let is_path = !text.chars().all(char::is_alphabetic) || !text.chars().any(is_a_word);
    if is_path && !path_words(text).is_empty() {
        out.fact(Setting::PersonPaths, text, piece.line, None);
    }
}

fn put(piece: &Piece, setting: Setting, value: &str, of: Option<&str>, out: &mut Findings) {
    match setting {
        Setting::People => people(piece, value, out),
        Setting::Level if !level_in(value) => {}
        _ => out.fact(setting, value, piece.line, of),
    }
}

/// The setting that the nearest heading is about.
fn section(piece: &Piece) -> Option<Setting> {
    piece.under.last().and_then(|title| setting_of(title))
}

/// Headings above settings of several kinds.
const SETTINGS: &[&str] = &[
    "limits",
    "budget",
    "budgets",
    "scope",
    "termination",
    "caps",
    "daily limits",
    "limits and budget",
];

fn is_settings_section(piece: &Piece) -> bool {
    let title = piece
        .under
        .last()
        .map(|title| normalised(title))
        .unwrap_or_default();
    SETTINGS.contains(&title.as_str()) || loop_of(piece).is_some()
}

/// What a sentence like `Max 3 attempts per item` bounds.
fn bound(text: &str) -> Option<Setting> {
    let short = text.chars().count() <= 80 && text.to_lowercase().starts_with("max");
    setting_of(text).filter(|setting| short && *setting >= Setting::MaxFiles)
}

/// The rest of a sentence that forbids: `Never edit .env, auth/`.
fn forbidding(text: &str) -> Option<&str> {
    const BEGINNINGS: &[&str] = &[
        "never edit ",
        "never touch ",
        "never modify ",
        "never write ",
        "do not edit ",
        "do not touch ",
        "don't edit ",
        "don't touch ",
    ];
    BEGINNINGS.iter().find_map(|beginning| {
        let head = text.get(..beginning.len())?;
        head.eq_ignore_ascii_case(beginning)
            .then(|| text.get(beginning.len()..))
            .flatten()
    })
}
