//! The heading that a missing anchor may have meant.
//!
//! Owns what «near» means: the same letters and digits, or a few edits that touch no digit (so `v1-2-3` never becomes
//! `v1-2-4`).
//!
//! **Invariant:** of two equally near headings none is chosen; both are returned.

use strsim::levenshtein;

use super::{CANDIDATES_MAX, Goal};
use crate::library::Library;
use crate::path::name;
use crate::slug::{key, slugify};

/// Limit: anchors of one document that are compared letter by letter, and the length of what is compared.
const COMPARED_MAX: usize = 2_000;
const LETTERS_MAX: usize = 100;

/// Where the anchor `fragment`, missing in `path`, may be: nearby in the same file, or as it is in one other.
pub(super) fn goals(library: &Library<'_>, path: &str, fragment: &str) -> Vec<Goal> {
    let same = respelled(library, path, fragment);
    if !same.is_empty() {
        return same;
    }
    let mut goals = misspelled(library, path, fragment);
    goals.extend(elsewhere(library, path, fragment));
    goals
}

/// The other documents that have the anchor. A single word («usage») says too little to look for it there, and a
/// translation of the document has it without being where it moved to.
fn elsewhere(library: &Library<'_>, path: &str, fragment: &str) -> Vec<Goal> {
    if !fragment.contains('-') {
        return Vec::new();
    }
    let homes = library
        .homes_of(&key(fragment))
        .iter()
        .filter(|home| !is_translation(home, path));
    homes
        .take(CANDIDATES_MAX + 1)
        .map(|home| Goal {
            path: home.clone(),
            fragment: None,
        })
        .collect()
}

/// Whether two documents have the same name, but for a folder or a short mark: `README_CN.md` and `README.md`.
fn is_translation(one: &str, other: &str) -> bool {
    const MARK_BYTES_MAX: usize = 6;
    let stem = |path| {
        name(path)
            .rsplit_once('.')
            .map_or(name(path), |(stem, _)| stem)
    };
    let (one, other) = (stem(one), stem(other));
    let (long, short) = if one.len() < other.len() {
        (other, one)
    } else {
        (one, other)
    };
    long.strip_prefix(short).is_some_and(|mark| {
        mark.is_empty() || mark.len() <= MARK_BYTES_MAX && mark.starts_with(['.', '-', '_'])
    })
}

/// The anchor in `path` that is nearest to `fragment`.
pub(super) fn within(library: &Library<'_>, path: &str, fragment: &str) -> Vec<Goal> {
    let same = respelled(library, path, fragment);
    if same.is_empty() {
        misspelled(library, path, fragment)
    } else {
        same
    }
}

/// Anchors with the same letters and digits in the same order.
fn respelled(library: &Library<'_>, path: &str, fragment: &str) -> Vec<Goal> {
    let wanted = bare(&slugify(fragment));
    if wanted.is_empty() {
        return Vec::new();
    }
    chosen(library, path, |anchor| {
        (bare(anchor) == wanted).then_some(0)
    })
}

/// Anchors a few edits away.
fn misspelled(library: &Library<'_>, path: &str, fragment: &str) -> Vec<Goal> {
    let wanted = slugify(fragment);
    let limit = match wanted.chars().count() {
        0..6 => 0,
        6..10 => 1,
        10..16 => 2,
        16..=LETTERS_MAX => 3,
        _ => 0,
    };
    if limit == 0 {
        return Vec::new();
    }
    let digits = digits(&wanted);
    chosen(library, path, |anchor| {
        let close =
            anchor.len().abs_diff(wanted.len()) <= 4 * limit && anchor.len() <= 4 * LETTERS_MAX;
        let distance =
            (close && self::digits(anchor) == digits).then(|| levenshtein(anchor, &wanted))?;
        (distance <= limit).then_some(distance)
    })
}

/// The anchors of `path` with the lowest score.
fn chosen(library: &Library<'_>, path: &str, score: impl Fn(&str) -> Option<usize>) -> Vec<Goal> {
    let document = library.document(path);
    let Ok(document) = document.as_ref() else {
        return Vec::new();
    };
    let anchors = document.anchors().iter().take(COMPARED_MAX);
    let scored: Vec<(usize, &str)> = anchors
        .filter_map(|(key, anchor)| score(key).map(|score| (score, anchor)))
        .collect();
    let Some(best) = scored.iter().map(|(score, _)| *score).min() else {
        return Vec::new();
    };
    let nearest = scored.into_iter().filter(|(score, _)| *score == best);
    nearest
        .map(|(_, anchor)| Goal {
            path: path.to_owned(),
            fragment: Some(anchor.to_owned()),
        })
        .collect()
}

fn bare(anchor: &str) -> String {
    anchor
        .chars()
        .filter(|char| char.is_alphanumeric())
        .collect()
}

fn digits(anchor: &str) -> String {
    anchor.chars().filter(|char| char.is_numeric()).collect()
}
