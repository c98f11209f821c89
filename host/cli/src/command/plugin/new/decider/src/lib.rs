//! A decider that takes the first eligible item.

use ringfence_sdk::prelude::*;

ringfence_sdk::plugin!("../plugin.toml");

/// Decides on one item and one action, or on nothing.
///
/// # Errors
/// None: with nothing to do it says so.
#[decider]
fn decide(_: &Context, situation: &Situation) -> Result<Decision> {
    let Some(item) = situation.items.iter().find(|item| item.eligible) else {
        return Ok(Decision::noop("no item is eligible"));
    };
    let mut executors = situation.executors.iter();
    let Some((executor, action)) = executors.find_map(|one| Some((&one.id, one.actions.first()?)))
    else {
        return Ok(Decision::noop("there is no executor"));
    };
    let reason = format!("the first eligible item: {}", item.title);
    // The host holds the input to the action's schema.
    let decision = Decision::run(executor, &action.name, item.detail.clone(), reason);
    Ok(decision.item(&item.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn situation(eligible: bool) -> Situation {
        Situation {
            items: vec![SituationItem {
                id: "task-1".to_owned(),
                eligible,
                ..SituationItem::default()
            }],
            executors: vec![ExecutorInfo {
                id: "own".to_owned(),
                actions: vec![ActionInfo {
                    name: "fix".to_owned(),
                    ..ActionInfo::default()
                }],
                ..ExecutorInfo::default()
            }],
            ..Situation::default()
        }
    }

    #[test]
    fn the_first_eligible_item_is_taken() {
        let decision = decide(&Context::test(json!({})), &situation(true)).unwrap();
        assert_eq!(
            (decision.executor.as_str(), decision.action.as_str()),
            ("own", "fix")
        );
        assert_eq!(decision.item.as_deref(), Some("task-1"));
    }

    #[test]
    fn without_one_nothing_is_done() {
        let decision = decide(&Context::test(json!({})), &situation(false)).unwrap();
        assert_eq!(decision, Decision::noop("no item is eligible"));
    }
}
