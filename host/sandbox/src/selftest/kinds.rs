//! Every kind of path in every zone: the spots of the table.
//!
//! **Invariant:** [`cell`] is one match over all kinds, and each arm answers for every zone and thing, with spots or with the reason why
//! there can be none. So nothing is left out without a word.

use serde_json::json;

use super::ground::{Feature, Ground};
use super::plan::op;
use super::rules::Judge;
use super::spot::{Place, Spot, What, hard_link, hold, rename, symlink};
use super::words::{Kind, Thing, Zone};

mod alike;

/// The spots of one kind, zone and thing, or why there can be none.
pub(super) type Cell = Result<Vec<Spot>, &'static str>;

/// The spots of `kind` that lead to `place`.
pub(super) fn cell(kind: Kind, place: Place, ground: &Ground) -> Cell {
    match kind {
        Kind::Plain => Ok(plain(place)),
        Kind::Deep => one(inside(kind, place, &format!("{}/deep", place.folder()))),
        Kind::BelowMissing => nowhere(kind, place, &format!("{}/new/newer", place.folder())),
        Kind::ThroughFile => nowhere(kind, place, &format!("{}/file.md/x", place.folder())),
        Kind::Way => way(place),
        Kind::Dots => one(direct(
            kind,
            place,
            &format!("./docs/.././{}//./{}", place.folder(), place.name()),
        )),
        Kind::Back => one(direct(
            kind,
            place,
            &format!("{0}/deep/../{1}", place.folder(), place.name()),
        )),
        Kind::Through => through(place),
        Kind::Slash => one(direct(
            kind,
            place,
            &format!("{}/{}/", place.folder(), place.name()),
        )),
        Kind::Slashes => Ok(slashes(place)),
        Kind::Link => one(linked(kind, place, &format!("docs/to-{}", place.word()))),
        Kind::LinkSlash => one(linked(kind, place, &format!("docs/to-{}/", place.word()))),
        Kind::Chain => one(linked(kind, place, &format!("docs/chain-{}", place.word()))),
        Kind::LinkInside => one(link_inside(kind, place)),
        Kind::ChainInside => one(linked_inside(
            kind,
            place,
            &format!("docs/hop-{}", place.word()),
        )),
        Kind::Loop => looped(place),
        Kind::GuestLink => one(guest_link(place)),
        Kind::GuestLinkInside => one(guest_link_inside(place)),
        Kind::HardLink => hard_linked(place),
        Kind::GuestHardLink => guest_hard_linked(place),
        Kind::RenamedParent => renamed_parent(place),
        Kind::OldPath => old_path(place),
        Kind::Held => held(place),
        Kind::HeldRenamed => held_renamed(place),
        Kind::HeldMoved => Ok(held_moved(place)),
        Kind::Case
        | Kind::Nfkc
        | Kind::Ignorable
        | Kind::TrailingDot
        | Kind::TrailingSpace
        | Kind::Stream => Ok(alike::spots(kind, place, ground)),
        Kind::Absolute => alike::absolute(place),
        Kind::Backslash => alike::backslash(place),
        Kind::Fifo => special(kind, place, "fifo", Feature::Pipes),
        Kind::Socket => special(kind, place, "socket", Feature::Sockets),
        Kind::Device => special(kind, place, "device", Feature::Devices),
    }
}

fn one(spot: Spot) -> Cell {
    Ok(vec![spot])
}

/// A path whose text says what it is.
fn direct(kind: Kind, place: Place, path: &str) -> Spot {
    Spot::new(kind, path, place.judge(), place.what()).ending_at(format!(
        "{}/{}",
        place.folder(),
        place.name()
    ))
}

/// A path to what is in the folder `deep` of the place, which is now at `folder`.
fn inside(kind: Kind, place: Place, folder: &str) -> Spot {
    let path = format!("{folder}/{}", place.inner());
    Spot::new(kind, &path, place.judge(), place.what()).ending_at(path)
}

fn plain(place: Place) -> Vec<Spot> {
    let direct = direct(
        Kind::Plain,
        place,
        &format!("{}/{}", place.folder(), place.name()),
    );
    let spot = |path: &str, what| Spot::new(Kind::Plain, path, place.judge(), what);
    let more = match (place.zone, place.thing) {
        (Zone::Own, Thing::Dir) => vec![spot("docs/mixed", What::MixedDir)],
        (Zone::Denied, Thing::File) => vec![spot("docs/x.key", What::File)],
        (Zone::Denied, Thing::Missing) => vec![spot("docs/new.key", What::Missing)],
        (Zone::Hidden, Thing::File) => vec![spot("wide/two.md", What::File)],
        _ => Vec::new(),
    };
    [vec![direct], more].concat()
}

fn nowhere(kind: Kind, place: Place, path: &str) -> Cell {
    match place.thing {
        Thing::Missing => one(Spot::new(kind, path, place.judge(), What::Nowhere)),
        Thing::File | Thing::Dir => Err("there can be nothing below what is no directory"),
    }
}

fn way(place: Place) -> Cell {
    let walked = |path: &str, judge| Spot::new(Kind::Way, path, judge, What::Walked);
    match (place.zone, place.thing) {
        (Zone::Hidden, Thing::Dir) => Ok(vec![
            walked(".", Judge::Way),
            walked("docs/..", Judge::Way),
            walked("wide/one/..", Judge::Way),
            Spot::new(Kind::Way, "wide", Judge::Way, What::Dir),
        ]),
        (Zone::Outside, Thing::Dir) => one(walked("..", place.judge())),
        _ => Err("only a directory that is in no list can be on the way to something in one"),
    }
}

fn through(place: Place) -> Cell {
    match place.zone {
        Zone::Hidden | Zone::Denied => {
            let path = format!("{}/../docs/{}", place.folder(), place.name());
            one(Spot::new(Kind::Through, &path, place.judge(), place.what()).reads(Zone::Own))
        }
        Zone::Outside => {
            let path = format!("../workspace/docs/{}", place.name());
            one(Spot::new(Kind::Through, &path, place.judge(), place.what()))
        }
        Zone::Own | Zone::ReadOnly | Zone::WriteOnly => {
            Err("a folder that is not forbidden is a way back, see «back»")
        }
    }
}

fn slashes(place: Place) -> Vec<Spot> {
    let path = |end: &str| format!("{}/{}{end}", place.folder(), place.name());
    ["///", "/.", "/./"]
        .map(|end| direct(Kind::Slashes, place, &path(end)))
        .into()
}

fn linked(kind: Kind, place: Place, path: &str) -> Spot {
    Spot::link(kind, path, place.judge(), place.what()).ending_at(format!(
        "{}/{}",
        place.folder(),
        place.name()
    ))
}

fn linked_inside(kind: Kind, place: Place, path: &str) -> Spot {
    Spot::link(kind, path, place.judge(), place.what()).ending_at(format!(
        "{}/deep/{}",
        place.folder(),
        place.inner()
    ))
}

/// What a path through a link is, nobody knows from its text.
fn link_inside(kind: Kind, place: Place) -> Spot {
    let path = format!(
        "docs/to-dir-{}/{}",
        super::ground::short(place.zone),
        place.inner()
    );
    Spot::new(kind, &path, place.judge(), place.what())
        .ending_at(format!("{}/deep/{}", place.folder(), place.inner()))
        .reads(Zone::Own)
        .needs(Feature::SymbolicLinks)
}

fn looped(place: Place) -> Cell {
    match (place.zone, place.thing) {
        (Zone::Own, Thing::Missing) => {
            let mut spot = Spot::link(Kind::Loop, "docs/loop-a", place.judge(), What::Loop);
            spot.canon = None;
            one(spot)
        }
        _ => Err("a link to itself leads to nothing, and is one's own"),
    }
}

/// The guest makes a link to `name` in the zone. To what it may not see it cannot, but a target that is harmless deep down is
/// not so any more further up.
fn make_link(place: Place, name: &str) -> (Vec<serde_json::Value>, &'static str) {
    let folder = place.folder();
    match place.zone {
        Zone::Own | Zone::ReadOnly | Zone::WriteOnly => (
            vec![symlink(&format!("../{folder}/{name}"), "docs/mine")],
            "docs/mine",
        ),
        Zone::Hidden | Zone::Denied => {
            let make = symlink(&format!("../../{folder}/{name}"), "docs/deep/er/mine");
            (
                vec![make, rename("docs/deep/er/mine", "docs/deep/mine")],
                "docs/deep/mine",
            )
        }
        Zone::Outside => {
            let make = symlink(&format!("../{folder}/{name}"), "docs/deep/er/mine");
            (
                vec![make, rename("docs/deep/er/mine", "docs/mine")],
                "docs/mine",
            )
        }
    }
}

fn guest_link(place: Place) -> Spot {
    let (prelude, path) = make_link(place, place.name());
    linked(Kind::GuestLink, place, path).after(&leads_to(place), prelude)
}

fn guest_link_inside(place: Place) -> Spot {
    let (prelude, path) = make_link(place, "deep");
    let path = format!("{path}/{}", place.inner());
    Spot::new(Kind::GuestLinkInside, &path, place.judge(), place.what())
        .ending_at(format!("{}/deep/{}", place.folder(), place.inner()))
        .reads(Zone::Own)
        .needs(Feature::SymbolicLinks)
        .after(&leads_to(place), prelude)
}

fn leads_to(place: Place) -> String {
    format!("to {}", place.folder())
}

fn hard_linked(place: Place) -> Cell {
    if place.thing != Thing::File {
        return Err("only a file has several names");
    }
    let judge = match place.zone {
        Zone::Own => Judge::Of(Zone::Own),
        zone => Judge::Twin(zone),
    };
    let short = super::ground::short(place.zone);
    let path = format!("docs/twice-{short}");
    let twin = Spot::new(Kind::HardLink, &path, judge, What::File).ending_at(&path);
    let link = Spot::link(
        Kind::HardLink,
        &format!("docs/to-twice-{short}"),
        judge,
        What::File,
    )
    .ending_at(&path);
    Ok(vec![
        twin.needs(Feature::HardLinks),
        link.needs(Feature::HardLinks),
    ])
}

fn guest_hard_linked(place: Place) -> Cell {
    if place.thing != Thing::File {
        return Err("only a file has several names");
    }
    match place.zone {
        Zone::Own | Zone::WriteOnly => {
            let folder = place.folder();
            let (old, new) = (format!("{folder}/file.md"), format!("{folder}/again.md"));
            one(
                Spot::new(Kind::GuestHardLink, &new, place.judge(), What::File)
                    .ending_at(&new)
                    .needs(Feature::HardLinks)
                    .after(&format!("of {old}"), vec![hard_link(&old, &new)]),
            )
        }
        Zone::ReadOnly | Zone::Hidden | Zone::Denied | Zone::Outside => {
            Err("the guest cannot make one of a file that it may not write: see link-at")
        }
    }
}

const NOT_RENAMED: &str = "the guest cannot rename a folder there: see rename-at";

fn renamed_parent(place: Place) -> Cell {
    let folder = place.folder();
    match (place.zone, place.thing) {
        (Zone::Own | Zone::WriteOnly, _) => {
            let moved = format!("{folder}/moved");
            let prelude = vec![rename(&format!("{folder}/deep"), &moved)];
            one(inside(Kind::RenamedParent, place, &moved).after("once deep", prelude))
        }
        // The new place denies a name that the old one did not.
        (Zone::Denied, Thing::Missing) => one(Spot::new(
            Kind::RenamedParent,
            "out/moved/new.lock",
            place.judge(),
            What::Missing,
        )
        .after("once docs/deep", vec![rename("docs/deep", "out/moved")])),
        (Zone::Denied, Thing::File | Thing::Dir) => {
            Err("a folder with something in it that the new place denies is not renamed")
        }
        (Zone::ReadOnly | Zone::Hidden | Zone::Outside, _) => Err(NOT_RENAMED),
    }
}

fn old_path(place: Place) -> Cell {
    let folder = place.folder();
    match (place.zone, place.thing) {
        (Zone::Own | Zone::WriteOnly, Thing::Missing) => {
            let prelude = vec![rename(
                &format!("{folder}/deep"),
                &format!("{folder}/moved"),
            )];
            let path = format!("{folder}/deep/in.md");
            one(
                Spot::new(Kind::OldPath, &path, place.judge(), What::Nowhere)
                    .after("renamed", prelude),
            )
        }
        (Zone::Own | Zone::WriteOnly, Thing::File | Thing::Dir) => {
            Err("nothing is at the old path")
        }
        (Zone::ReadOnly | Zone::Hidden | Zone::Denied | Zone::Outside, _) => Err(NOT_RENAMED),
    }
}

fn held(place: Place) -> Cell {
    let folder = place.folder();
    let from = |dir: &str, path: &str, what| {
        Spot::new(Kind::Held, path, place.judge(), what)
            .after(&format!("from {dir}"), vec![hold(dir)])
            .on("d")
    };
    match (place.zone, place.thing) {
        (Zone::Own | Zone::ReadOnly | Zone::WriteOnly, _) => {
            let deep = format!("{folder}/deep");
            let spot = from(&deep, place.inner(), place.what());
            let spot = spot.ending_at(format!("{deep}/{}", place.inner()));
            let itself = (place.thing == Thing::Dir).then(|| from(&deep, ".", What::Walked));
            Ok([spot].into_iter().chain(itself).collect())
        }
        (Zone::Hidden, Thing::File) => one(from("wide", "two.md", What::File)),
        (Zone::Hidden, Thing::Dir) => one(from("wide", "closed", What::Dir)),
        (Zone::Hidden, Thing::Missing) => one(from("wide", "new", What::Missing)),
        (Zone::Denied, Thing::File) => one(from("docs", "x.key", What::File)),
        (Zone::Denied, Thing::Missing) => one(from("docs/deep", "new.key", What::Missing)),
        (Zone::Denied, Thing::Dir) => Err("no denied directory lies in one that can be held"),
        (Zone::Outside, _) => Ok(vec![
            from(
                "docs/deep",
                &format!("../../../outside/{}", place.name()),
                place.what(),
            ),
            from("docs/deep", &format!("../{}", place.name()), place.what()),
        ]),
    }
}

fn held_renamed(place: Place) -> Cell {
    let folder = place.folder();
    let moved = match place.zone {
        Zone::Own | Zone::WriteOnly => format!("{folder}/moved"),
        Zone::Denied | Zone::Outside => "out/moved".to_owned(),
        Zone::ReadOnly | Zone::Hidden => return Err(NOT_RENAMED),
    };
    let from = match place.zone {
        Zone::WriteOnly => "drop/deep",
        _ => "docs/deep",
    };
    let (path, what) = match (place.zone, place.thing) {
        (Zone::Denied, Thing::Missing) => ("new.lock".to_owned(), What::Missing),
        (Zone::Denied, Thing::File | Thing::Dir) => {
            return Err("a folder with something in it that the new place denies is not renamed");
        }
        (Zone::Outside, _) => (format!("../../../outside/{}", place.name()), place.what()),
        _ => (place.inner().to_owned(), place.what()),
    };
    let prelude = vec![hold(from), rename(from, &moved)];
    let canon = format!("{moved}/{path}");
    one(Spot::new(Kind::HeldRenamed, &path, place.judge(), what)
        .ending_at(canon)
        .after(&format!("from {from}, now {moved}"), prelude)
        .on("d"))
}

/// A handle is good where it was judged, and nowhere else; so wherever others take the directory, nothing is reached through it.
fn held_moved(place: Place) -> Vec<Spot> {
    let to = format!("{}/taken", place.folder());
    let spot = |path: &str| {
        let mut spot = Spot::new(Kind::HeldMoved, path, Judge::Of(Zone::Own), What::Gone);
        spot.name = format!("{} (taken to {})", spot.name, place.folder());
        spot.prelude = vec![
            hold("docs/deep"),
            op("read-base", json!({ "path": "docs/file.md" })),
        ];
        spot.others = Some(("docs/deep".to_owned(), to.clone()));
        spot.on("d")
    };
    let itself = (place.thing == Thing::Dir).then(|| spot("."));
    [spot(place.inner())].into_iter().chain(itself).collect()
}

fn special(kind: Kind, place: Place, name: &str, feature: Feature) -> Cell {
    match (place.zone, place.thing) {
        (Zone::Own, Thing::File) => {
            let path = format!("docs/{name}");
            let node = Spot::new(kind, &path, Judge::Special, What::Special).needs(feature);
            let link = format!("docs/to-{name}");
            let link = Spot::link(kind, &link, Judge::Special, What::Special).needs(feature);
            Ok(vec![node, link])
        }
        (Zone::Own, Thing::Dir | Thing::Missing) => {
            Err("a special file is there, and no directory")
        }
        _ => Err("in another zone its path is refused as that of any file"),
    }
}
