//! What became of proposals, in real repositories.

use ringfence_core::ids::BeatNo;

use super::*;
use crate::fixture::{Rig, gits};

/// A branch with one commit that adds a file, made from where the repository is.
fn propose(rig: &Rig, beat: u64) -> Proposal {
    let branch = format!("ringfence/docs/{beat}");
    rig.git(&["checkout", "-q", "-b", &branch]);
    rig.write(&format!("new-{beat}.md"), format!("{beat}\n"));
    let commit = rig.commit("a proposal");
    rig.git(&["checkout", "-q", "main"]);
    Proposal {
        beat: BeatNo(beat),
        item: None,
        reference: format!("refs/heads/{branch}"),
        commit,
        base_tree: String::new(),
    }
}

#[test]
fn what_people_did_is_seen() {
    for program in gits() {
        let rig = Rig::repository(&program);
        let proposals: Vec<_> = (1..=6).map(|beat| propose(&rig, beat)).collect();
        rig.git(&["merge", "-q", "--no-ff", "-m", "taken", "ringfence/docs/1"]);
        rig.git(&["cherry-pick", "ringfence/docs/2"]);
        rig.git(&["merge", "-q", "--squash", "ringfence/docs/3"]);
        rig.commit("squashed");
        for gone in ["1", "2", "3", "4"] {
            rig.git(&["branch", "-q", "-D", &format!("ringfence/docs/{gone}")]);
        }
        let mut state = LoopState {
            proposals,
            ..LoopState::default()
        };
        state.proposals[5].commit = "0".repeat(40);
        let fates = fates(&rig.project(), &rig.loop_dir(), &state, &Record::default()).unwrap();
        let fates: Vec<_> = fates.iter().map(|one| (one.beat.0, one.fate)).collect();
        assert_eq!(
            fates,
            [
                (1, Fate::Accepted),
                (2, Fate::Accepted),
                (3, Fate::Accepted),
                (4, Fate::TurnedDown),
                (5, Fate::Open),
                (6, Fate::Open),
            ]
        );
    }
}

#[test]
fn what_is_no_commit_was_not_taken() {
    for program in gits() {
        let rig = Rig::repository(&program);
        let mut proposal = propose(&rig, 1);
        rig.git(&["merge", "-q", "--no-ff", "-m", "taken", "ringfence/docs/1"]);
        let mut fate = |commit: &str| {
            proposal.commit = commit.to_owned();
            let state = LoopState {
                proposals: vec![proposal.clone()],
                ..LoopState::default()
            };
            let record = Record::default();
            fates(&rig.project(), &rig.loop_dir(), &state, &record).unwrap()[0].fate
        };
        assert_eq!(
            fate(&rig.git(&["rev-parse", "ringfence/docs/1"])),
            Fate::Accepted
        );
        for commit in [
            "",
            "HEAD",
            "main",
            "HEAD~0",
            "--fork-point",
            "ringfence/docs/1",
        ] {
            assert_eq!(fate(commit), Fate::Open, "{commit}");
        }
    }
}

#[test]
fn a_history_from_elsewhere_takes_nothing_to_l3() {
    let demoted = |state: &LoopState| match disown(state).act {
        Act::Demote { to } => to,
        other => panic!("{other:?}"),
    };
    let mut state = LoopState::default();
    assert_eq!(demoted(&state), Level::L2);
    for (to, expect) in [
        (Level::L1, Level::L1),
        (Level::L2, Level::L2),
        (Level::L3, Level::L2),
    ] {
        let act = Act::Promote {
            to,
            overrides: Vec::new(),
        };
        let told = OperatorAct {
            by: String::new(),
            reason: String::new(),
            act,
        };
        state.orders.add(&told, Timestamp::UNIX_EPOCH);
        assert_eq!(demoted(&state), expect);
    }
}
