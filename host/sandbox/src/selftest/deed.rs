//! How each verb is tried, with all its flags, and what it needs of the place it is tried at.
//!
//! **Invariant:** [`deeds`] is one match over all verbs.

use ringfence_core::policy::Access::{Read, Stat, Write};
use serde_json::{Value, json};

use super::plan::op;
use super::rules::{Of, Open, Want};
use super::spot::Spot;
use super::words::Verb;

mod times;

/// What a deed may do to the ground when nobody refuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing: may be tried together with others like it.
    None,
    /// Changes bytes or times of what stays where it is: may be tried together with others like it.
    Content,
    /// Makes, moves or removes a name: needs ground of its own.
    Names,
}

/// One way to try a verb.
pub(super) struct Deed {
    pub(super) verb: Verb,
    pub(super) variant: String,
    pub(super) want: Want,
    pub(super) effect: Effect,
    /// How it must end wherever nobody refuses it and it gets that far.
    pub(super) must: Option<&'static str>,
    /// The operation itself, without the place.
    keys: Value,
    shape: Shape,
}

/// How a deed becomes a plan.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// The verb at the path.
    AtPath,
    /// The verb on a handle that is opened with these flags.
    Opened(Open),
    /// The same, and then an operation on what came of it.
    Stream(Open, &'static str),
    /// From the path to `docs/second`.
    From,
    /// A link at the path that says `spare.md`.
    LinkHere,
    /// A link at `docs/second` that says the path.
    LinkTo,
}

impl Deed {
    fn new(verb: Verb, variant: impl Into<String>, want: Want, shape: Shape) -> Self {
        let effect = match (shape, &want) {
            (Shape::Opened(_) | Shape::Stream(..), _) | (_, Want::Ill) => Effect::None,
            _ if want.accesses().contains(&Write) => Effect::Names,
            _ => Effect::None,
        };
        let (variant, keys) = (variant.into(), json!({}));
        Self {
            verb,
            variant,
            want,
            effect,
            must: None,
            keys,
            shape,
        }
    }

    fn with(mut self, keys: Value) -> Self {
        self.keys = keys;
        self
    }

    fn changes_content(mut self) -> Self {
        self.effect = Effect::Content;
        self
    }

    fn must(mut self, end: Option<&'static str>) -> Self {
        self.must = end;
        self
    }

    pub(super) fn name(&self) -> String {
        format!("{} {}", self.verb.name(), self.variant)
            .trim_end()
            .to_owned()
    }

    /// The handles that it may leave open; streams before the file that they are of.
    pub(super) fn closes(&self) -> &'static [&'static str] {
        match self.shape {
            Shape::Opened(_) => &["h"],
            Shape::Stream(..) => &["s", "h"],
            Shape::AtPath | Shape::From | Shape::LinkHere | Shape::LinkTo => &[],
        }
    }

    /// Why the deed cannot be spelled at `spot`.
    pub(super) fn misfit(&self, spot: &Spot) -> Option<&'static str> {
        let no_text = matches!(self.shape, Shape::LinkTo) && spot.on != "root";
        no_text.then_some("a link's text does not begin at a handle")
    }

    pub(super) fn plan(&self, spot: &Spot) -> Vec<Value> {
        let verb = self.verb.name();
        let place = json!({ "on": spot.on, "path": spot.path });
        match self.shape {
            Shape::AtPath => vec![op(verb, joined(place, &self.keys))],
            Shape::Opened(open) => vec![
                op("open", joined(place, &open_keys(open))),
                op(verb, joined(json!({ "on": "h" }), &self.keys)),
            ],
            Shape::Stream(open, then) => vec![
                op("open", joined(place, &open_keys(open))),
                op(verb, joined(json!({ "on": "h", "as": "s" }), &self.keys)),
                op(then, json!({ "on": "s", "length": 99, "text": "!" })),
            ],
            Shape::From => {
                let to = json!({ "to": "root", "new_path": "docs/second" });
                vec![op(verb, joined(joined(place, &to), &self.keys))]
            }
            Shape::LinkHere => vec![op(
                verb,
                json!({ "on": spot.on, "path": "spare.md", "new_path": spot.path }),
            )],
            Shape::LinkTo => {
                let up = if spot.path.starts_with('/') {
                    ""
                } else {
                    "../"
                };
                let path = format!("{up}{}", spot.path);
                vec![op(verb, json!({ "path": path, "new_path": "docs/second" }))]
            }
        }
    }
}

fn joined(mut keys: Value, more: &Value) -> Value {
    if let (Some(keys), Some(more)) = (keys.as_object_mut(), more.as_object()) {
        keys.extend(more.clone());
    }
    keys
}

fn open_keys(open: Open) -> Value {
    let flags = [(open.read, "read"), (open.write, "write")];
    let named: Vec<&str> = flags
        .iter()
        .filter(|(on, _)| *on)
        .map(|(_, name)| *name)
        .collect();
    json!({ "follow": open.follow, "descriptor": named })
}

/// The flags of a handle that matter for what can be done with it.
fn handles() -> [(&'static str, Open); 4] {
    let open = |read, write| Open {
        follow: true,
        read,
        write,
        ..Open::default()
    };
    [
        ("(handle for nothing)", open(false, false)),
        ("(reader)", open(true, false)),
        ("(writer)", open(false, true)),
        ("(reader and writer)", open(true, true)),
    ]
}

/// How `verb` is tried at one path. All flags of `open-at` are tried by [`Attempt::each`], verbs on two paths by
/// [`Attempt::pair`].
///
/// [`Attempt::each`]: super::attempt::Attempt::each
/// [`Attempt::pair`]: super::attempt::Attempt::pair
pub(super) fn deeds(verb: Verb) -> Vec<Deed> {
    match verb {
        Verb::ReadViaStream => streams(verb, "stream-read", false),
        Verb::WriteViaStream | Verb::AppendViaStream => streams(verb, "stream-write", true),
        Verb::ReadDirectory => streams(verb, "next", false),
        Verb::Advise => advices(),
        Verb::SyncData
        | Verb::Sync
        | Verb::GetFlags
        | Verb::GetType
        | Verb::Stat
        | Verb::MetadataHash
        | Verb::IsSameObject => on_handles(verb, &json!({})),
        Verb::Read => on_handles(verb, &json!({ "length": 99 })),
        Verb::Write => changing(on_handles(verb, &json!({ "text": "!" }))),
        Verb::SetSize => ["cut", "extended"]
            .into_iter()
            .zip([1, 99])
            .flat_map(|(word, length)| {
                let deeds = changing(on_handles(verb, &json!({ "length": length })));
                deeds.into_iter().map(move |deed| Deed {
                    variant: format!("{word} {}", deed.variant),
                    ..deed
                })
            })
            .collect(),
        Verb::SetTimes => times::by_handle(verb),
        Verb::SetTimesAt => times::by_path(verb),
        Verb::CreateDirectoryAt | Verb::RemoveDirectoryAt | Verb::UnlinkFileAt => {
            vec![Deed::new(
                verb,
                "",
                Want::Each(vec![(Write, Of::Name)]),
                Shape::AtPath,
            )]
        }
        Verb::StatAt | Verb::MetadataHashAt => [false, true]
            .map(|follow| {
                let want = Want::Each(vec![(Stat, Of::Node { follow })]);
                Deed::new(verb, following(follow), want, Shape::AtPath)
                    .with(json!({ "follow": follow }))
            })
            .into(),
        Verb::ReadlinkAt => {
            vec![Deed::new(
                verb,
                "",
                Want::Each(vec![(Read, Of::NameOrEnd)]),
                Shape::AtPath,
            )]
        }
        Verb::OpenAt | Verb::RenameAt => Vec::new(),
        Verb::SymlinkAt => vec![
            Deed::new(
                verb,
                "here",
                Want::Each(vec![(Write, Of::Name)]),
                Shape::LinkHere,
            ),
            Deed::new(
                verb,
                "to here",
                Want::Each(vec![(Write, Of::Target)]),
                Shape::LinkTo,
            ),
        ],
        Verb::LinkAt => {
            let deed = Deed::new(verb, "(following)", Want::Ill, Shape::From);
            vec![deed.with(json!({ "follow": true })).must(Some("invalid"))]
        }
    }
}

fn following(follow: bool) -> &'static str {
    if follow { "(following)" } else { "" }
}

fn on_handles(verb: Verb, keys: &Value) -> Vec<Deed> {
    handles()
        .map(|(name, open)| {
            let want = Want::Open(open, Vec::new());
            Deed::new(verb, name, want, Shape::Opened(open)).with(keys.clone())
        })
        .into()
}

fn streams(verb: Verb, then: &'static str, writes: bool) -> Vec<Deed> {
    let deeds = handles().map(|(name, open)| {
        Deed::new(
            verb,
            name,
            Want::Open(open, Vec::new()),
            Shape::Stream(open, then),
        )
    });
    if writes {
        changing(deeds.into())
    } else {
        deeds.into()
    }
}

/// Those that write by a handle that can be written to.
fn changing(deeds: Vec<Deed>) -> Vec<Deed> {
    deeds
        .into_iter()
        .map(|deed| match deed.shape {
            Shape::Opened(open) | Shape::Stream(open, _) if open.write => deed.changes_content(),
            _ => deed,
        })
        .collect()
}

fn advices() -> Vec<Deed> {
    [
        "normal",
        "sequential",
        "random",
        "will-need",
        "dont-need",
        "no-reuse",
    ]
    .into_iter()
    .flat_map(|advice| {
        let deeds = on_handles(Verb::Advise, &json!({ "advice": advice }));
        deeds.into_iter().map(move |deed| Deed {
            variant: format!("{advice} {}", deed.variant),
            ..deed
        })
    })
    .collect()
}
