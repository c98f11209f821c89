//! A beat that finds nothing to do: what it starts, flushes and reads, and that it never takes the short way by mistake.

use std::fs::{self, FileTimes};
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::git_calls::stand_in;
use crate::ground::{Kind, Project};
use crate::history::History;

/// The steps of a beat that took the short way.
const SHORT: [&str; 3] = ["journal-opened", "journal-written", "journal-synced"];

/// A project whose loop has nothing left to do, and has said so.
fn idle(kind: Kind) -> Project {
    let project = Project::example(kind);
    project.promote();
    fs::remove_dir_all(project.top().join("docs")).unwrap();
    for page in ["README.md", "CHANGELOG.md"] {
        project.write(page, "# A page\n");
    }
    if project.is_repository() {
        project.commit("nothing to do");
    }
    assert_eq!(project.beat().run().outcome(), "nothing-to-do");
    assert_skips(&project, project.is_repository(), "idle");
    project
}

/// Fails unless the next beat finds nothing to do, the short way or not.
#[track_caller]
fn assert_skips(project: &Project, short: bool, when: &str) {
    let ended = project.beat().run();
    assert_eq!(ended.outcome(), "skipped", "{when}");
    assert_eq!(ended.steps == SHORT, short, "{when}: {:?}", ended.steps);
}

/// What a receipt says but for the names of its beat.
fn said(mut report: Value) -> Value {
    for name in ["beat", "run", "started"] {
        report["receipt"][name] = json!(null);
    }
    report
}

#[test]
fn it_starts_one_program_and_flushes_nothing() {
    let project = idle(Kind::Propose);
    let dir = stand_in(&project, "0");
    let quiet = project.beat().with_path(&dir).told("quiet:3").run();
    assert_eq!(
        (quiet.signal, quiet.code),
        (None, Some(0)),
        "{}",
        quiet.error
    );
    assert_eq!(quiet.outcome(), "skipped");
    assert_eq!(quiet.steps, [SHORT; 3].concat());
    let calls = fs::read_to_string(dir.join("calls")).unwrap();
    let calls: Vec<_> = calls.lines().collect();
    // One is asked for its version before any beat.
    assert_eq!(calls.len(), 1 + 3, "{calls:?}");
    assert!(calls[1..].iter().all(|call| call.contains("\"show-ref\"")));

    // The filter bites: a beat that decides has to flush.
    project.write("new.md", "[gone](nowhere.md)\n");
    project.commit("something to do");
    let killed = project.beat().told("quiet:1").run();
    assert_eq!(killed.signal, Some(31), "{:?}", killed.report);
}

#[test]
fn what_it_reads_does_not_grow_with_the_journal() {
    let project = idle(Kind::Propose);
    let length = || fs::metadata(project.journal()).unwrap().len();
    let before = length();
    let quiet = project.beat().told("quiet:150").run();
    assert_eq!(quiet.code, Some(0), "{}", quiet.error);
    let grown = length() - before;
    let (first, last) = (quiet.read[0], quiet.read[149]);
    assert!(grown > 150_000 && last > 0, "{grown}");
    assert!(last.abs_diff(first) < 100, "{first} and {last} bytes");
    // Nor does that of another process.
    let cold = project.beat().told("quiet:1").run();
    assert!(
        cold.read[0].abs_diff(first) < 100,
        "{first} and {:?}",
        cold.read
    );
}

#[test]
fn both_ways_say_the_same() {
    for (kind, short) in [
        (Kind::Propose, true),
        (Kind::Shadow, true),
        (Kind::Folder, false),
    ] {
        let project = idle(kind);
        let one = project.beat().run();
        if short {
            fs::remove_file(project.state().join("bookmark")).unwrap();
        }
        let other = project.beat().run();
        assert_ne!(other.steps, SHORT);
        let number = |report: &Value| report["receipt"]["beat"].as_u64().unwrap();
        assert_eq!(number(other.report()), number(one.report()) + 1);
        assert_eq!(said(one.report().clone()), said(other.report().clone()));
        assert_skips(&project, short, "once more");
    }
}

#[test]
fn a_journal_that_was_touched_is_read() {
    let project = idle(Kind::Propose);
    assert_skips(&project, true, "idle");
    assert_skips(&project, true, "idle");
    let whole = fs::read(project.journal()).unwrap();
    let kept = fs::metadata(project.journal()).unwrap();
    let times = FileTimes::new().set_modified(kept.modified().unwrap());
    for line in [0, 2] {
        let starts = whole.split_inclusive(|byte| *byte == b'\n').take(line);
        let start: usize = starts.map(<[u8]>::len).sum();
        let mut damaged = whole.clone();
        damaged[start + 200] ^= 1;
        // As long as it was, and as old by what anybody can set.
        fs::write(project.journal(), damaged).unwrap();
        let file = fs::File::options().write(true).open(project.journal());
        file.unwrap().set_times(times).unwrap();
        let refused = project.beat().run();
        let place = format!("journal entry {} at byte {start}: ", line + 1);
        assert!(refused.refusal().contains(&place), "{}", refused.refusal());
    }
    fs::write(project.journal(), &whole).unwrap();
    assert_skips(&project, false, "mended");
    assert_skips(&project, true, "mended and read");

    // The same bytes in another file are another journal.
    let copy = project.root().join("copy");
    fs::copy(project.journal(), &copy).unwrap();
    fs::rename(&copy, project.journal()).unwrap();
    assert_skips(&project, false, "copied");
    let longer = [fs::read(project.journal()).unwrap(), b"torn".to_vec()].concat();
    fs::write(project.journal(), longer).unwrap();
    let torn = project.beat().run();
    assert_eq!((torn.outcome(), torn.recovered().len()), ("skipped", 1));
}

#[test]
fn a_bookmark_that_is_not_whole_or_not_ours_is_none() {
    let project = idle(Kind::Propose);
    let path = project.state().join("bookmark");
    let old = fs::read(&path).unwrap();
    assert_skips(&project, true, "as it was left");
    fs::write(&path, old).unwrap();
    assert_skips(&project, false, "an older one");
    let whole = fs::read(&path).unwrap();
    for at in [0, 20, 72, whole.len() / 2, whole.len() - 2] {
        let mut damaged = fs::read(&path).unwrap();
        damaged[at] ^= 1;
        fs::write(&path, damaged).unwrap();
        assert_skips(&project, false, &format!("flipped at {at}"));
        assert_skips(&project, true, &format!("flipped at {at}, and left anew"));
    }
    for bytes in [0, 10, 80, whole.len() - 1] {
        fs::write(&path, &fs::read(&path).unwrap()[..bytes]).unwrap();
        assert_skips(&project, false, &format!("cut to {bytes}"));
    }
    let elsewhere = project.root().join("elsewhere");
    fs::copy(&path, &elsewhere).unwrap();
    fs::remove_file(&path).unwrap();
    symlink(&elsewhere, &path).unwrap();
    let before = fs::read(&elsewhere).unwrap();
    assert_skips(&project, false, "a link");
    assert_eq!(
        fs::read(&elsewhere).unwrap(),
        before,
        "nothing is written through a link"
    );
    fs::remove_file(&path).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    assert_skips(&project, false, "a pipe");
}

#[test]
fn whatever_is_new_is_seen() {
    let project = idle(Kind::Propose);
    // Another commit with the same tree is another moment for the steps; nothing else is new.
    project.git(&["commit", "-q", "--allow-empty", "-m", "nothing"]);
    assert_skips(&project, false, "another commit");
    assert_skips(&project, true, "the same commit");
    project.git(&["branch", "ringfence/docs/99"]);
    let numbered = project.beat().run();
    assert_eq!(numbered.report()["receipt"]["beat"], 100);
    assert_eq!(numbered.steps, SHORT);
    fs::write(project.top().join("LOOP.md"), {
        let text = fs::read_to_string(project.top().join("LOOP.md")).unwrap();
        text.replace("fuel_per_beat     = \"50G\"", "fuel_per_beat     = \"49G\"")
    })
    .unwrap();
    assert_eq!(
        project.beat().run().outcome(),
        "nothing-to-do",
        "another loop file"
    );
    assert_skips(&project, true, "the same loop file");
    project.write("unlike-any-other.md", "# Moved\n");
    project.write("new.md", "# New\n\n[moved](old/unlike-any-other.md)\n");
    project.commit("something to do");
    project.beat().run().assert_settled();
    assert_eq!(History::of(&project).items().len(), 1);
}

#[test]
fn a_kill_at_any_step_costs_nothing() {
    let project = idle(Kind::Propose);
    for (step, name) in (1..).zip(SHORT) {
        let killed = project.beat().told(format!("kill:{step}")).run();
        killed.assert_killed_at(name);
        let ended = project.beat().run();
        assert_eq!(
            (ended.outcome(), ended.recovered().len()),
            ("skipped", 1),
            "{name}"
        );
        assert_ne!(ended.steps, SHORT, "{name}");
        assert_skips(&project, true, name);
    }
}
