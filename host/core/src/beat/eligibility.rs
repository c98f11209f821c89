//! Which items may be worked on: known to the host without asking the decider.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::beat::Context;
use crate::decision::SituationItem;
use crate::digest::{Digest, PartsHasher};
use crate::ids::ItemId;
use crate::journal::{Labelled, Settle};
use crate::json;
use crate::snapshot::{Item, Snapshot};
use crate::text::count;

// Limit: a person's reading for a day; each stands in the receipt of every beat that looked.
const LABELLED_MAX: usize = 20;
// Limit: more than people answer in the three days after which the loop stops anyway.
const HELD_MAX: usize = 50;

/// All items of a snapshot, sensor by sensor, each with why it may not be worked on.
pub(super) fn items(context: &Context, snapshot: &Snapshot) -> Vec<SituationItem> {
    let settled = settled(context);
    let mut seen = BTreeSet::new();
    let mut items = Vec::new();
    for reading in &snapshot.sensors {
        for item in reading
            .result
            .iter()
            .flat_map(|observation| &observation.items)
        {
            // An item is named by its id alone, so the first sensor to use it owns it.
            let taken = (!seen.insert(&item.id))
                .then(|| "another sensor shows an item of this id".to_owned());
            let why_not = taken.or_else(|| why_not(context, &settled, item));
            items.push(situation_item(
                context,
                reading.sensor.as_str(),
                item,
                why_not,
            ));
        }
    }
    items
}

/// The digest of the ids of all items that may be worked on, in their order.
pub(super) fn digest(items: &[SituationItem]) -> Digest {
    let mut hasher = PartsHasher::new("ringfence eligible items 1");
    for item in items.iter().filter(|item| item.eligible) {
        hasher.part("item", item.id.as_bytes());
    }
    hasher.finish()
}

fn situation_item(
    context: &Context,
    sensor: &str,
    item: &Item,
    why_not: Option<String>,
) -> SituationItem {
    SituationItem {
        id: item.id.as_str().to_owned(),
        sensor: sensor.to_owned(),
        title: item.title.clone(),
        labels: item.labels.clone(),
        detail: item.detail.clone(),
        attempts: context
            .plan
            .state
            .item(&item.id, &context.keys.setup)
            .attempts,
        eligible: why_not.is_none(),
        why_not,
    }
}

fn why_not(context: &Context, settled: &BTreeMap<&ItemId, String>, item: &Item) -> Option<String> {
    left_to_person(context, item)
        .map(|label| format!("label {label:?} leaves it to a person"))
        .or_else(|| held(context, &item.id))
        .or_else(|| rejected(context, item))
        .or_else(|| settled.get(&item.id).cloned())
        .or_else(|| {
            let history = context.plan.state.item(&item.id, &context.keys.setup);
            history
                .escalated(context.plan.attempts_per_item)
                .map(|why| format!("left to a person: {why}"))
        })
}

/// The digest of what a sensor says of an item besides its id.
pub(super) fn content(item: &SituationItem) -> Digest {
    digest_of(&item.title, &item.labels, &item.detail)
}

fn content_of(item: &Item) -> Digest {
    digest_of(&item.title, &item.labels, &item.detail)
}

fn digest_of(title: &str, labels: &[String], detail: &Value) -> Digest {
    let mut hasher = PartsHasher::new("ringfence item 1");
    hasher.part("title", title.as_bytes());
    for label in labels {
        hasher.part("label", label.as_bytes());
    }
    hasher.part("detail", json::canonical(detail).as_bytes());
    hasher.finish()
}

/// The first items that a label leaves to a person; not those that they have rejected, which would leave no room for others.
pub(super) fn labelled(context: &Context, snapshot: &Snapshot) -> Vec<Labelled> {
    let readings = snapshot.sensors.iter();
    let items = readings
        .filter_map(|reading| reading.result.as_ref().ok())
        .flat_map(|observation| &observation.items);
    let open = items.filter(|item| rejected(context, item).is_none());
    let labelled = open.filter_map(|item| {
        Some(Labelled {
            item: item.id.clone(),
            title: item.title.clone(),
            label: left_to_person(context, item)?.clone(),
            content: Some(content_of(item)),
        })
    });
    labelled.take(LABELLED_MAX).collect()
}

fn held(context: &Context, item: &ItemId) -> Option<String> {
    let all = &context.plan.state.held;
    match all
        .iter()
        .find(|held| held.hold.mv.item.as_ref() == Some(item))
    {
        Some(held) => Some(format!("its change waits for a person as {}", held.id())),
        None if all.len() >= HELD_MAX => {
            let held = count(all.len(), "change waits", "changes wait");
            Some(format!("{held} for a person already"))
        }
        None => None,
    }
}

fn rejected(context: &Context, item: &Item) -> Option<String> {
    let state = &context.plan.state;
    let reason = state.rejection(&item.id, &context.keys.setup, &content_of(item))?;
    Some(match reason {
        "" => "a person does not want it".to_owned(),
        reason => format!("a person does not want it: {reason}"),
    })
}

/// The label that leaves an item to a person, unless they left it to the loop.
fn left_to_person<'c>(context: &'c Context, item: &Item) -> Option<&'c String> {
    let state = &context.plan.state;
    let is_cleared = || state.is_cleared(&item.id, &context.keys.setup, &content_of(item));
    label(context, item).filter(|_| !is_cleared())
}

/// Case and surrounding space do not count: a rule about people's attention should not hang on them.
fn label<'c>(context: &'c Context, item: &Item) -> Option<&'c String> {
    let same = |rule: &str, label: &str| rule.trim().to_lowercase() == label.trim().to_lowercase();
    context
        .plan
        .escalate_labels
        .iter()
        .find(|rule| item.labels.iter().any(|label| same(rule, label)))
}

/// Items that have a change already, with where it is.
///
/// A change is in the way while its branch exists, and on the very tree it was made for also afterwards: a person who
/// deleted the branch did not want the same one again. A commit is in the way on the tree it was made for, to which
/// somebody may have gone back, and on the tree it led to, where it has not helped. A patch is in the way only of another
/// patch.
fn settled(context: &Context) -> BTreeMap<&ItemId, String> {
    let plan = &context.plan;
    let mut settled = BTreeMap::new();
    for proposal in &plan.state.proposals {
        let Some(item) = &proposal.item else { continue };
        if plan.open_proposals.contains(&proposal.reference) {
            settled.insert(item, format!("proposed on {}", proposal.reference));
        } else if proposal.base_tree == plan.base.tree {
            settled
                .entry(item)
                .or_insert_with(|| format!("proposed by beat {} for the same tree", proposal.beat));
        }
    }
    for made in &plan.state.commits {
        let Some(item) = &made.item else { continue };
        let why = if made.tree == plan.base.tree {
            format!("committed by beat {}, and still there", made.beat)
        } else if made.base_tree == plan.base.tree {
            format!("committed by beat {} for the same tree", made.beat)
        } else {
            continue;
        };
        settled.entry(item).or_insert(why);
    }
    for shadow in plan
        .state
        .shadows
        .iter()
        .filter(|_| context.settle == Settle::Shadow)
    {
        if let Some(item) = shadow
            .item
            .as_ref()
            .filter(|_| shadow.base_tree == plan.base.tree)
        {
            settled
                .entry(item)
                .or_insert_with(|| format!("recorded as {} for the same tree", shadow.patch));
        }
    }
    settled
}
