//! How each verb is tried, and what it needs of the place it is tried at.

use ringfence_testkit::core::policy::Access::{self, Read, Stat, Write};
use ringfence_tests_sandbox::probe::op;
use serde_json::{Value, json};

use crate::spot::{Kind, Node, Spot, Zone};

macro_rules! verbs {
    ($($verb:ident = $name:literal),* $(,)?) => {
        /// Every function of the WIT resource `descriptor`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Verb { $($verb),* }

        impl Verb {
            pub(crate) const ALL: [Self; [$($name),*].len()] = [$(Self::$verb),*];

            /// As the WIT file spells it.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$verb => $name),* }
            }
        }
    };
}

verbs! {
    ReadViaStream = "read-via-stream",
    WriteViaStream = "write-via-stream",
    AppendViaStream = "append-via-stream",
    Advise = "advise",
    SyncData = "sync-data",
    GetFlags = "get-flags",
    GetType = "get-type",
    SetSize = "set-size",
    SetTimes = "set-times",
    Read = "read",
    Write = "write",
    ReadDirectory = "read-directory",
    Sync = "sync",
    CreateDirectoryAt = "create-directory-at",
    Stat = "stat",
    StatAt = "stat-at",
    SetTimesAt = "set-times-at",
    LinkAt = "link-at",
    OpenAt = "open-at",
    ReadlinkAt = "readlink-at",
    RemoveDirectoryAt = "remove-directory-at",
    RenameAt = "rename-at",
    SymlinkAt = "symlink-at",
    UnlinkFileAt = "unlink-file-at",
    IsSameObject = "is-same-object",
    MetadataHash = "metadata-hash",
    MetadataHashAt = "metadata-hash-at",
}

/// What of a place is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// The name in its directory; what is under it does not matter.
    Name,
    /// The name, or what it leads to if the path ends in a slash.
    NameOrEnd,
    /// What is under the name, which may be a link, under whatever other names it has.
    Moved,
    /// The same for what is only looked at.
    Node { follow: bool },
    /// The same, unless it is neither file, directory nor link.
    Plain { follow: bool },
    /// What can be opened. Missing things and directories are only looked at.
    Open { follow: bool },
    /// The same, but what is missing is made.
    Made { follow: bool },
    /// The path text, as it would be read in `docs`.
    Target,
}

/// One way to try a verb.
#[derive(Clone)]
pub(crate) struct Deed {
    verb: Verb,
    variant: &'static str,
    needs: Vec<(Access, Of)>,
    plan: Plan,
}

type Plan = fn(Verb, &Spot) -> Vec<Value>;

const FOLLOW: Of = Of::Open { follow: true };

impl Deed {
    fn new(verb: Verb, variant: &'static str, needs: &[(Access, Of)], plan: Plan) -> Self {
        Self {
            verb,
            variant,
            needs: needs.to_vec(),
            plan,
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.verb.name(), self.variant)
    }

    pub(crate) fn plan(&self, spot: &Spot) -> Vec<Value> {
        (self.plan)(self.verb, spot)
    }

    /// False where the deed cannot be spelled.
    pub(crate) fn fits(&self, spot: &Spot) -> bool {
        spot.on == "root" || !self.needs.iter().any(|(_, of)| *of == Of::Target)
    }

    /// What it wants.
    pub(crate) fn wants(&self) -> Vec<Access> {
        self.needs.iter().map(|(access, _)| *access).collect()
    }

    /// Whose rule refuses the deed; none when nobody does.
    pub(crate) fn refused_at(&self, spot: &Spot) -> Option<Zone> {
        let refusing = |(access, of): &(Access, Of)| refusing(*access, *of, spot);
        let (first, rest) = self.needs.split_first()?;
        // What comes after needs the handle that comes first.
        let opens = !matches!(spot.end.kind, Kind::Missing | Kind::Nowhere | Kind::Loop)
            && !spot.slash_after_file();
        refusing(first).or_else(|| rest.iter().filter(|_| opens).find_map(refusing))
    }
}

/// The zone that refuses `access`, if it does.
fn refusing(access: Access, of: Of, spot: &Spot) -> Option<Zone> {
    let end_if = |follow: bool| if follow { spot.end } else { spot.here };
    let Node { zone, kind } = match of {
        Of::Name | Of::Moved => spot.here,
        Of::Target => spot.text,
        Of::NameOrEnd => end_if(spot.slash),
        Of::Node { follow } | Of::Plain { follow } | Of::Open { follow } | Of::Made { follow } => {
            end_if(follow || spot.slash)
        }
    };
    let only_looked_at = match (of, kind) {
        (_, Kind::Nowhere) | (Of::Target, _) => true,
        (Of::Name, _) => false,
        (_, Kind::Loop) => true,
        (Of::Open { .. }, kind) => !matches!(kind, Kind::File | Kind::Special),
        (Of::Made { .. }, kind) => !matches!(kind, Kind::File | Kind::Special | Kind::Missing),
        (Of::NameOrEnd, Kind::Walked) => true,
        _ => false,
    };
    let zone = match of {
        Of::Name | Of::NameOrEnd | Of::Target => zone.of_name(),
        Of::Node { .. } | Of::Moved if zone == Zone::Special => Zone::Own,
        _ => zone,
    };
    let listed_only = of == Of::NameOrEnd && zone == Zone::Way && kind != Kind::Walked;
    let needed = if only_looked_at { Stat } else { access };
    (zone.refuses(needed) || listed_only).then_some(zone)
}

fn at(verb: &str, spot: &Spot, keys: Value) -> Value {
    let mut op = op(verb, json!({ "on": spot.on, "path": spot.path }));
    if let (Some(op), Value::Object(keys)) = (op.as_object_mut(), keys) {
        op.extend(keys);
    }
    op
}

/// Opens the spot with `keys` and does the verb on the handle.
fn opened(verb: Verb, spot: &Spot, open: Value, keys: Value) -> Vec<Value> {
    let mut open = at("open", spot, open);
    open["follow"] = json!(true);
    let mut deed = op(verb.name(), keys);
    deed["on"] = json!("h");
    vec![open, deed]
}

fn on_reader(verb: Verb, spot: &Spot) -> Vec<Value> {
    opened(
        verb,
        spot,
        json!({ "descriptor": ["read"] }),
        json!({ "length": 99 }),
    )
}

fn on_writer(verb: Verb, spot: &Spot) -> Vec<Value> {
    opened(
        verb,
        spot,
        json!({ "descriptor": ["write"] }),
        json!({ "length": 1, "text": "!" }),
    )
}

fn at_path(verb: Verb, spot: &Spot) -> Vec<Value> {
    vec![at(verb.name(), spot, json!({ "mtime": "1.5" }))]
}

fn at_path_following(verb: Verb, spot: &Spot) -> Vec<Value> {
    vec![at(
        verb.name(),
        spot,
        json!({ "mtime": "1.5", "follow": true }),
    )]
}

fn open_with(spot: &Spot, follow: bool, flags: Value, descriptor: Value) -> Vec<Value> {
    let keys = json!({ "follow": follow, "flags": flags, "descriptor": descriptor });
    vec![at("open", spot, keys)]
}

/// How `verb` is tried.
pub(crate) fn deeds(verb: Verb) -> Vec<Deed> {
    let new = |variant, needs: &[(Access, Of)], plan| Deed::new(verb, variant, needs, plan);
    let reader = || vec![new("(of a reader)", &[(Read, FOLLOW)], on_reader)];
    match verb {
        Verb::ReadViaStream => vec![new("", &[(Read, FOLLOW)], |verb, spot| {
            let mut plan = opened(
                verb,
                spot,
                json!({ "descriptor": ["read"] }),
                json!({ "as": "s" }),
            );
            plan.push(op("stream-read", json!({ "on": "s", "length": 99 })));
            plan
        })],
        Verb::WriteViaStream | Verb::AppendViaStream => {
            vec![new("", &[(Write, FOLLOW)], |verb, spot| {
                let mut plan = opened(
                    verb,
                    spot,
                    json!({ "descriptor": ["write"] }),
                    json!({ "as": "s" }),
                );
                plan.push(op("stream-write", json!({ "on": "s", "text": "!" })));
                plan
            })]
        }
        Verb::Advise
        | Verb::SyncData
        | Verb::Sync
        | Verb::GetFlags
        | Verb::GetType
        | Verb::Stat
        | Verb::MetadataHash
        | Verb::IsSameObject => reader(),
        Verb::Read => reader(),
        Verb::SetSize | Verb::Write => vec![
            new("(of a writer)", &[(Write, FOLLOW)], on_writer),
            new("(of a reader)", &[(Read, FOLLOW)], on_reader),
        ],
        Verb::SetTimes => vec![new(
            "(of a reader)",
            &[(Read, FOLLOW), (Write, Of::Plain { follow: true })],
            |verb, spot| {
                opened(
                    verb,
                    spot,
                    json!({ "descriptor": ["read"] }),
                    json!({ "mtime": "1.5" }),
                )
            },
        )],
        Verb::ReadDirectory => vec![new("", &[(Read, FOLLOW)], |verb, spot| {
            let mut plan = opened(
                verb,
                spot,
                json!({ "descriptor": ["read"] }),
                json!({ "as": "l" }),
            );
            plan.push(op("next", json!({ "on": "l" })));
            plan
        })],
        Verb::CreateDirectoryAt | Verb::RemoveDirectoryAt | Verb::UnlinkFileAt => {
            vec![new("", &[(Write, Of::Name)], at_path)]
        }
        Verb::StatAt | Verb::MetadataHashAt => vec![
            new("", &[(Stat, Of::Node { follow: false })], at_path),
            new(
                "(following)",
                &[(Stat, Of::Node { follow: true })],
                at_path_following,
            ),
        ],
        Verb::SetTimesAt => vec![
            new("", &[(Write, Of::Plain { follow: false })], at_path),
            new(
                "(following)",
                &[(Write, Of::Plain { follow: true })],
                at_path_following,
            ),
        ],
        Verb::ReadlinkAt => vec![new("", &[(Read, Of::NameOrEnd)], at_path)],
        Verb::OpenAt => opens(verb),
        Verb::LinkAt | Verb::RenameAt | Verb::SymlinkAt => two_paths(verb),
    }
}

fn opens(verb: Verb) -> Vec<Deed> {
    let new = |variant, access, of, plan| Deed::new(verb, variant, &[(access, of)], plan);
    let following = Of::Open { follow: true };
    vec![
        new("read", Read, Of::Open { follow: false }, |_, spot| {
            open_with(spot, false, json!([]), json!(["read"]))
        }),
        new("read (following)", Read, following, |_, spot| {
            open_with(spot, true, json!([]), json!(["read"]))
        }),
        new("nothing (following)", Stat, following, |_, spot| {
            open_with(spot, true, json!([]), json!([]))
        }),
        new("directory (following)", Read, following, |_, spot| {
            open_with(
                spot,
                true,
                json!(["directory"]),
                json!(["read", "mutate-directory"]),
            )
        }),
        new("write", Write, Of::Open { follow: false }, |_, spot| {
            open_with(spot, false, json!([]), json!(["write"]))
        }),
        new("write (following)", Write, following, |_, spot| {
            open_with(spot, true, json!([]), json!(["write"]))
        }),
        new(
            "truncate, to read (following)",
            Write,
            following,
            |_, spot| open_with(spot, true, json!(["truncate"]), json!(["read"])),
        ),
        new(
            "create (following)",
            Write,
            Of::Made { follow: true },
            |_, spot| open_with(spot, true, json!(["create"]), json!(["write"])),
        ),
        new(
            "create exclusive (following)",
            Write,
            Of::NameOrEnd,
            |_, spot| open_with(spot, true, json!(["create", "exclusive"]), json!(["write"])),
        ),
    ]
}

fn two_paths(verb: Verb) -> Vec<Deed> {
    let new = |variant, access, of, plan| Deed::new(verb, variant, &[(access, of)], plan);
    let from: Plan = |verb, spot| {
        let keys = json!({ "to": "root", "new_path": "docs/second" });
        vec![at(verb.name(), spot, keys)]
    };
    let to: Plan = |verb, spot| {
        let keys = json!({ "path": "docs/spare.md", "to": spot.on, "new_path": spot.path });
        vec![op(verb.name(), keys)]
    };
    let mut deeds = match verb {
        Verb::SymlinkAt => vec![
            new("here", Write, Of::Name, |verb, spot| {
                let keys = json!({ "on": spot.on, "path": "spare.md", "new_path": spot.path });
                vec![op(verb.name(), keys)]
            }),
            new("to here", Write, Of::Target, |verb, spot| {
                let up = if spot.path.starts_with('/') {
                    ""
                } else {
                    "../"
                };
                let target = format!("{up}{}", spot.path);
                vec![op(
                    verb.name(),
                    json!({ "path": target, "new_path": "docs/second" }),
                )]
            }),
        ],
        _ => vec![
            new("from here", Write, Of::Moved, from),
            new("to here", Write, Of::Name, to),
        ],
    };
    if verb == Verb::LinkAt {
        // Nobody may, so nothing is needed.
        deeds.push(Deed::new(
            verb,
            "from here (following)",
            &[],
            |verb, spot| {
                let keys = json!({ "to": "root", "new_path": "docs/second", "follow": true });
                vec![at(verb.name(), spot, keys)]
            },
        ));
    }
    deeds
}
