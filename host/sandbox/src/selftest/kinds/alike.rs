//! Names that some file system takes for another, and paths as other systems spell them.
//!
//! **Invariant:** each spelling is tried on a folder and on a name, of every zone.

use super::super::ground::Ground;
use super::super::rules::Judge;
use super::super::spot::{Place, Spot, What};
use super::super::words::{Kind, Thing, Zone};
use super::Cell;

/// The spots of a place spelled as `kind` says.
pub(super) fn spots(kind: Kind, place: Place, ground: &Ground) -> Vec<Spot> {
    let (folder, name) = (place.folder(), place.name());
    let top = format!("{}/{name}", spelled(kind, folder));
    let last = format!("{folder}/{}", spelled(kind, name));
    // A denial holds for every spelling; what is allowed, only as it is spelled.
    let of_top = match place.zone {
        Zone::Own | Zone::ReadOnly | Zone::WriteOnly => Zone::Hidden,
        zone => zone,
    };
    // A file system that takes one spelling for the other has what is elsewhere missing.
    let there = |path: &str| {
        let what = if ground.has(path) {
            place.what()
        } else {
            What::Missing
        };
        (path.to_owned(), what)
    };
    let spot = |(path, what): (String, What), zone| Spot::new(kind, &path, Judge::Of(zone), what);
    let mut spots = vec![
        spot(there(&top), of_top),
        spot(there(&last), place.zone).ending_at(&last),
    ];
    let key = match (place.zone, place.thing) {
        (Zone::Denied, Thing::File) => Some("x"),
        (Zone::Denied, Thing::Missing) => Some("new"),
        _ => None,
    };
    if let Some(stem) = key {
        let path = format!("docs/{stem}.{}", spelled(kind, "key"));
        spots.push(spot(there(&path), Zone::Denied));
    }
    spots
}

/// Another spelling of the last name of `path`.
fn spelled(kind: Kind, path: &str) -> String {
    let (before, name) = match path.rsplit_once('/') {
        Some((before, name)) => (format!("{before}/"), name),
        None => (String::new(), path),
    };
    let after_first = |with: &str| {
        let mut letters = name.chars();
        let first: String = letters.by_ref().take(1).collect();
        format!("{before}{first}{with}{}", letters.as_str())
    };
    match kind {
        Kind::Case => format!("{before}{}", name.to_uppercase()),
        Kind::Nfkc => format!(
            "{before}{}",
            name.chars().map(fullwidth).collect::<String>()
        ),
        Kind::Ignorable => after_first("\u{200c}"),
        Kind::TrailingDot => format!("{path}."),
        Kind::TrailingSpace => format!("{path} "),
        Kind::Stream => format!("{path}:stream"),
        _ => path.to_owned(),
    }
}

/// The letter as it is printed among Chinese ones.
fn fullwidth(letter: char) -> char {
    match letter {
        'a'..='z' => char::from_u32(u32::from(letter) + 0xFEE0).unwrap_or(letter),
        other => other,
    }
}

const NO_PLACE_INSIDE: &str = "such a path leads to no place inside, whatever it says";

/// From the root of the host.
pub(super) fn absolute(place: Place) -> Cell {
    if (place.zone, place.thing) != (Zone::Outside, Thing::File) {
        return Err(NO_PLACE_INSIDE);
    }
    let spot = |path: &str| Spot::new(Kind::Absolute, path, Judge::Absolute, What::File);
    Ok(vec![
        spot("/docs/file.md"),
        spot("/etc/passwd"),
        // In the middle of a path it is a name like others.
        spot("C:/docs/file.md").reads(Zone::Hidden),
        Spot::link(Kind::Absolute, "docs/absolute", Judge::Absolute, What::File),
    ])
}

/// As another system separates names.
pub(super) fn backslash(place: Place) -> Cell {
    if (place.zone, place.thing) != (Zone::Outside, Thing::File) {
        return Err(NO_PLACE_INSIDE);
    }
    let spot = |path: &str| Spot::new(Kind::Backslash, path, Judge::Backslash, What::File);
    Ok(vec![
        spot("docs\\file.md"),
        spot("..\\outside\\file.md"),
        spot("docs/..\\..\\file.md"),
    ])
}
