//! What is tried in one call, and what must come of each row of it.
//!
//! **Invariant:** a row is one verb with one set of flags at one path, or at one pair of paths; nothing else is counted.

use ringfence_core::policy::Access;
use serde_json::{Value, json};

use super::deed::{Deed, Effect};
use super::ground::{PLAIN, text};
use super::plan::op;
use super::rules::{Judge, Open, Pair, Want, refused, refused_pair};
use super::spot::{Spot, What};
use super::words::{Family, Verb, Zone};

/// One row of the table.
pub(super) struct Row {
    pub(super) verb: Verb,
    pub(super) family: Family,
    pub(super) deed: String,
    pub(super) spot: String,
    /// Who must refuse it; none when nobody may.
    pub(super) refused: Option<Judge>,
    pub(super) wants: Vec<Access>,
    pub(super) must: Must,
}

/// How a row that nobody refuses must end.
pub(super) enum Must {
    /// As the file system says.
    Anyhow,
    /// With this code.
    With(&'static str),
    /// As the row of that index in the same attempt: flags that are about something else change nothing.
    Like(usize),
    /// When it succeeds, having changed the file or not.
    Mend(bool),
}

/// Some operations in a row, and the rows that they answer.
pub(super) struct Attempt {
    pub(super) plan: Vec<Value>,
    pub(super) rows: Vec<Row>,
    pub(super) effect: Effect,
    /// The last operation answers all rows at once.
    pub(super) is_list: bool,
    /// The handles that it may leave open.
    pub(super) closes: &'static [&'static str],
}

impl Attempt {
    /// One deed at one spot.
    pub(super) fn of(deed: &Deed, spot: &Spot) -> Self {
        let refused = refused(&deed.want, spot);
        let must = match deed.must {
            _ if spot.end.what == What::Gone => Must::With("no-entry"),
            Some(end) if deed.want.opens(spot) => Must::With(end),
            _ => Must::Anyhow,
        };
        let row = Row {
            verb: deed.verb,
            family: spot.kind.family(),
            deed: deed.name(),
            spot: spot.name.clone(),
            refused,
            wants: deed.want.accesses(),
            must,
        };
        Self {
            plan: deed.plan(spot),
            rows: vec![row],
            effect: if refused.is_some() {
                Effect::None
            } else {
                deed.effect
            },
            is_list: false,
            closes: deed.closes(),
        }
    }

    /// `open-at` with all its flags at one spot; with `sync`, also those that ask for syncing.
    pub(super) fn each(spot: &Spot, sync: bool) -> Self {
        let opens: Vec<Open> = combinations(sync);
        let rows: Vec<Row> = opens
            .iter()
            .enumerate()
            .map(|(index, open)| each_row(spot, *open, index))
            .collect();
        let writes = rows
            .iter()
            .any(|row| row.refused.is_none() && row.wants.contains(&Access::Write));
        let mut keys = json!({ "on": spot.on, "path": spot.path, "sync": sync });
        if let (Some(canon), Some(keys)) = (&spot.canon, keys.as_object_mut()) {
            keys.insert("new_path".to_owned(), json!(canon));
            keys.insert("absent".to_owned(), json!(spot.end.what == What::Missing));
            let text = if spot.end.judge == Judge::Of(Zone::WriteOnly) {
                text(Zone::WriteOnly)
            } else {
                PLAIN
            };
            keys.insert("text".to_owned(), json!(text));
        }
        Self {
            plan: vec![op("open-each", keys)],
            rows,
            effect: if writes { Effect::Names } else { Effect::None },
            is_list: true,
            closes: &[],
        }
    }

    /// A verb on two paths.
    pub(super) fn pair(pair: Pair, from: &Spot, to: &Spot) -> Self {
        let verb = match pair {
            Pair::Rename => Verb::RenameAt,
            Pair::Link => Verb::LinkAt,
        };
        let refused = refused_pair(pair, from, to);
        let gone = [from, to].iter().any(|spot| spot.end.what == What::Gone);
        let row = Row {
            verb,
            family: from.kind.family(),
            deed: format!("{} from {}", verb.name(), from.name),
            spot: to.name.clone(),
            refused,
            wants: vec![Access::Write, Access::Read],
            must: if gone {
                Must::With("no-entry")
            } else {
                Must::Anyhow
            },
        };
        let keys = json!({ "on": from.on, "path": from.path, "to": to.on, "new_path": to.path });
        Self {
            plan: vec![op(verb.name(), keys)],
            rows: vec![row],
            effect: if refused.is_some() {
                Effect::None
            } else {
                Effect::Names
            },
            is_list: false,
            closes: &[],
        }
    }
}

/// In the order of the probe's `open-each`.
fn combinations(sync: bool) -> Vec<Open> {
    let descriptors: u8 = if sync { 1 << 6 } else { 1 << 3 };
    let mut opens = Vec::new();
    for follow in [false, true] {
        for open in 0..1_u8 << 4 {
            for descriptor in 0..descriptors {
                let has = |bits: u8, index: u8| bits & (1 << index) != 0;
                opens.push(Open {
                    follow,
                    create: has(open, 0),
                    directory: has(open, 1),
                    exclusive: has(open, 2),
                    truncate: has(open, 3),
                    read: has(descriptor, 0),
                    write: has(descriptor, 1),
                    mutate: has(descriptor, 2),
                    sync: descriptor >> 3,
                });
            }
        }
    }
    opens
}

fn each_row(spot: &Spot, open: Open, index: usize) -> Row {
    let want = Want::Open(open, Vec::new());
    let must = if spot.end.what == What::Gone {
        Must::With("no-entry")
    } else if open.sync > 0 {
        // The flags of syncing are the highest bits of the lowest number.
        Must::Like(index - usize::from(open.sync << 3))
    } else if spot.canon.is_some() {
        let cuts = open.truncate && spot.end.what == What::File;
        Must::Mend(cuts || (open.create && spot.end.what == What::Missing))
    } else {
        Must::Anyhow
    };
    Row {
        verb: Verb::OpenAt,
        family: spot.kind.family(),
        deed: format!("{}{}", Verb::OpenAt.name(), named(open)),
        spot: spot.name.clone(),
        refused: refused(&want, spot),
        wants: want.accesses(),
        must,
    }
}

fn named(open: Open) -> String {
    let sync = |index: u8| open.sync & (1 << index) != 0;
    [
        (open.follow, "follow"),
        (open.create, "create"),
        (open.directory, "directory"),
        (open.exclusive, "exclusive"),
        (open.truncate, "truncate"),
        (open.read, "read"),
        (open.write, "write"),
        (open.mutate, "mutate"),
        (sync(0), "file-sync"),
        (sync(1), "data-sync"),
        (sync(2), "write-sync"),
    ]
    .into_iter()
    .filter(|(on, _)| *on)
    .map(|(_, name)| format!(" {name}"))
    .collect()
}
