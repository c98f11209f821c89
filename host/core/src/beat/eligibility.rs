//! Which items may be worked on: known to the host without asking the decider.

use std::collections::{BTreeMap, BTreeSet};

use crate::beat::Context;
use crate::decision::SituationItem;
use crate::digest::{Digest, PartsHasher};
use crate::ids::ItemId;
use crate::journal::Settle;
use crate::snapshot::{Item, Snapshot};

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
        attempts: context.plan.state.item(&item.id, &context.setup).attempts,
        eligible: why_not.is_none(),
        why_not,
    }
}

fn why_not(context: &Context, settled: &BTreeMap<&ItemId, String>, item: &Item) -> Option<String> {
    label(context, item)
        .map(|label| format!("label {label:?} leaves it to a person"))
        .or_else(|| settled.get(&item.id).cloned())
        .or_else(|| {
            let history = context.plan.state.item(&item.id, &context.setup);
            history
                .escalated(context.plan.attempts_per_item)
                .map(|why| format!("left to a person: {why}"))
        })
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
