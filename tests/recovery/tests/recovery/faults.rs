//! The disk is full, cannot be written, or gives back something else than was written.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ringfence_runner::steps;

use crate::ground::{Ground, Kind, Project};
use crate::history::{History, published};
use crate::users::Users;

/// Fills the disk at every step; the day after there is room again.
fn fill_up(kind: Kind) {
    let ground = Ground::new(kind);
    let prepared = ground.number_of(steps::CHECKOUT_DONE, 1);
    for (number, step) in (1..).zip(&ground.steps) {
        let when = format!("{kind:?}, full at {number} ({step})");
        let project = ground.fresh();
        let users = Users::of(&project);
        let ended = project.beat().told(format!("full:{number}:0")).run();
        if number < prepared {
            assert_ne!(ended.refusal(), "", "{when}");
        } else {
            // The last line of the journal is written and flushed when nothing more can go wrong.
            let is_over = number + 1 >= ground.steps.len();
            assert_eq!(ended.outcome() == "failed", !is_over, "{when}");
        }
        users.assert_unharmed(&project, &when);
        let settled = usize::from(ground.is_published(number));
        assert_eq!(published(&project).len(), settled, "{when}");
        project.beat().days_later(1).run().assert_settled();
        History::assert_settled(&project, &ground.items[..=settled], &when);
        users.assert_unharmed(&project, &when);
        assert_eq!(project.leftovers(), [""; 0], "{when}");
    }
}

#[test]
fn a_disk_that_fills_up_anywhere_costs_one_beat() {
    fill_up(Kind::Propose);
}

#[test]
fn a_disk_that_fills_up_while_a_patch_is_written_costs_one_beat() {
    fill_up(Kind::Folder);
}

#[test]
fn a_line_that_was_written_in_part_is_cut_off_and_kept() {
    let ground = Ground::new(Kind::Propose);
    let number = ground.number_of(steps::CHECKOUT_DONE, 2);
    let whole = ground.fresh();
    whole.beat().run().assert_settled();
    let reserved = journal(&whole).1[1];
    for bytes in [1, 60, 300] {
        let project = ground.fresh();
        let users = Users::of(&project);
        let full = format!("full:{number}:{}", reserved + bytes);
        let ended = project.beat().told(full).run();
        assert_eq!(ended.outcome(), "failed");
        let torn = fs::read(project.journal()).unwrap().split_off(reserved);
        assert_eq!(torn.len(), bytes);
        assert_mended(&project, &torn, 1);
        History::assert_settled(&project, &ground.items[..1], "torn intent");
        users.assert_unharmed(&project, "torn intent");
    }
}

/// The next beat says that the end was torn, kept it, and went on.
#[track_caller]
fn assert_mended(project: &Project, torn: &[u8], file: u32) {
    let next = project.beat().days_later(1).run();
    next.assert_settled();
    let kept = project.state().join(format!("journal.torn-{file}"));
    assert_eq!(fs::read(&kept).unwrap(), torn);
    let said = next.recovered();
    let expected = format!("it was cut off and kept in {}", kept.display());
    let is_said = |line: &String| {
        line.starts_with("the journal's last line was torn") && line.ends_with(&expected)
    };
    assert!(said.iter().any(is_said), "{said:?}");
}

/// The journal of a beat that settled, and where its lines (reserve, intent, done, beat) begin.
fn journal(project: &Project) -> (Vec<u8>, Vec<usize>) {
    let bytes = fs::read(project.journal()).unwrap();
    let newlines = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let starts = [0]
        .into_iter()
        .chain(newlines.map(|(at, _)| at + 1))
        .collect();
    (bytes, starts)
}

/// Leaves this of the journal, as a power cut does with lines that had not been flushed: the bookmark cannot know of them.
fn lose_end(project: &Project, left: &[u8]) {
    fs::write(project.journal(), left).unwrap();
    fs::remove_file(project.state().join("bookmark")).unwrap();
}

#[test]
fn an_end_that_was_lost_after_the_change_was_published_is_found_again() {
    let ground = Ground::new(Kind::Propose);
    for (line, settled_before) in [(2, false), (3, true)] {
        for part in 0..4 {
            let project = ground.fresh();
            let users = Users::of(&project);
            project.beat().run().assert_settled();
            let (bytes, starts) = journal(&project);
            assert_eq!(starts.len(), 5, "reserve, intent, done and beat");
            let (from, to) = (starts[line], starts[line + 1]);
            // Nothing of the line, one byte, half of it, all but its newline.
            let cut = [from, from + 1, (from + to) / 2, to - 1][part];
            lose_end(&project, &bytes[..cut]);
            let when = format!("line {line} cut at {cut} of {from}..{to}");
            if part == 0 {
                project.beat().run().assert_settled();
            } else {
                // Killed once at each step of the repair, on the way.
                for kill in 1..=4 {
                    let killed = project.beat().told(format!("kill:{kill}")).run();
                    assert_eq!(killed.signal, Some(9), "{when}");
                }
                let ended = project.beat().run();
                ended.assert_settled();
                let kept = fs::read(project.state().join("journal.torn-1")).unwrap();
                assert_eq!(kept, bytes[from..cut], "{when}");
            }
            let history = fs::read_to_string(project.journal()).unwrap();
            assert_eq!(
                history.contains("\"kind\":\"recovered\""),
                !settled_before,
                "{when}"
            );
            History::assert_settled(&project, &ground.items[..2], &when);
            users.assert_unharmed(&project, &when);
        }
    }
}

#[test]
fn every_step_has_been_killed_at() {
    let ground = Ground::new(Kind::Propose);
    let patches = Ground::new(Kind::Folder);
    let project = ground.fresh();
    project.beat().run().assert_settled();
    let (bytes, starts) = journal(&project);
    lose_end(&project, &bytes[..starts[2] + 9]);
    let mending = project.beat().run();
    mending.assert_settled();
    let repair: Vec<_> = mending.steps.iter().take(4).map(String::as_str).collect();
    assert_eq!(
        repair,
        [
            steps::LEFTOVERS_REMOVED,
            steps::JOURNAL_OPENED,
            steps::JOURNAL_TORN_KEPT,
            steps::JOURNAL_CUT
        ]
    );
    for name in steps::NAMES {
        let is_there = |steps: &[String]| steps.iter().any(|step| step == name);
        let all = [&ground.steps, &patches.steps, &mending.steps];
        assert!(all.into_iter().any(|steps| is_there(steps)), "{name}");
    }
}

#[test]
fn a_journal_that_is_damaged_stops_the_loop_and_nothing_changes() {
    let ground = Ground::new(Kind::Propose);
    let project = ground.fresh();
    project.beat().run().assert_settled();
    project.beat().run().assert_settled();
    let users = Users::of(&project);
    let branches = published(&project);
    let (bytes, starts) = journal(&project);
    let last_but_one = starts.len() - 2;
    for line in 0..last_but_one {
        let mut damaged = bytes.clone();
        let middle = (starts[line] + starts[line + 1]) / 2;
        damaged[middle] ^= 1;
        fs::write(project.journal(), &damaged).unwrap();
        let refused = project.beat().run();
        let expected = format!(
            "the journal {} cannot be trusted: journal entry {} at byte {}: the line does not match its sum",
            project.journal().display(),
            line + 1,
            starts[line]
        );
        assert_eq!(refused.refusal(), expected);
        assert_eq!(fs::read(project.journal()).unwrap(), damaged);
        assert_eq!(published(&project), branches);
        users.assert_unharmed(&project, &expected);
    }
    // A line that is gone, and two that changed places, break the chain.
    let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for order in [&[0, 2, 3, 4, 5][..], &[0, 2, 1, 3, 4, 5]] {
        let damaged = order
            .iter()
            .map(|line| lines[*line])
            .collect::<Vec<_>>()
            .concat();
        fs::write(project.journal(), &damaged).unwrap();
        let refused = project.beat().run();
        let error = refused.refusal();
        assert!(
            error.ends_with("seq does not follow from the line before"),
            "{error}"
        );
        assert_eq!(fs::read(project.journal()).unwrap(), damaged);
    }
    fs::write(project.journal(), bytes).unwrap();
    project.beat().run().assert_settled();
    History::assert_settled(&project, &ground.items[..3], "mended by hand");
}

#[test]
fn a_state_directory_that_cannot_be_written_is_left_alone() {
    let ground = Ground::new(Kind::Propose);
    let project = ground.fresh();
    project.beat().run().assert_settled();
    let users = Users::of(&project);
    for place in [
        ".git/ringfence-state",
        ".git/ringfence-state/docs",
        ".git/ringfence-state/docs/proposals",
    ] {
        let dir = project.top().join(place);
        let mode = |mode| fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).unwrap();
        mode(0o500);
        let journal = fs::read(project.journal()).unwrap();
        let refused = project.beat().run();
        let expected = format!("the state directory {} cannot be written", dir.display());
        assert_eq!(refused.refusal(), expected);
        assert_eq!(fs::read(project.journal()).unwrap(), journal);
        mode(0o700);
        users.assert_unharmed(&project, place);
    }
    project.beat().run().assert_settled();
    History::assert_settled(&project, &ground.items[..2], "writable again");
}
