//! `promote`, `demote` and `health`: what a loop has to show, and what the operator may say all the same.

use std::fs;
use std::process::Command;

use super::rig::Rig;
use crate::exit::Exit;

/// A repository with eight links to repair, and a loop that may go as far as L3.
fn eight() -> Rig {
    let rig = Rig::folder();
    for n in 1..=8 {
        rig.write(
            &format!("docs/from-{n}.md"),
            &format!("# From\n\n[to](to-{n}.md)\n"),
        );
        rig.write(&format!("docs/old/to-{n}.md"), "# To\n");
    }
    rig.git(&["init", "-q", "-b", "main"]);
    assert_eq!(rig.run(&["init"]).exit, Exit::Done);
    rig.edit("LOOP.md", "\"L2\"", "\"L3\"");
    rig.commit();
    rig
}

#[track_caller]
fn beats(rig: &Rig, number: usize, outcome: &str) {
    for _ in 0..number {
        let ran = rig.run(&["beat"]);
        assert!(ran.out.contains(outcome), "{}{}", ran.out, ran.err);
    }
}

#[track_caller]
fn ends(rig: &Rig, args: &[&str], exit: Exit, says: &str) {
    let ran = rig.run(args);
    assert_eq!(ran.exit, exit, "{args:?}: {}{}", ran.out, ran.err);
    let all = ran.out + &ran.err;
    let words: Vec<_> = all.split_whitespace().collect();
    assert!(words.join(" ").contains(says), "{args:?}: {all}");
}

#[test]
fn nothing_is_said_of_what_has_not_been() {
    let rig = eight();
    ends(
        &rig,
        &["check"],
        Exit::Done,
        "committed to the target branch, once `ringfence promote` lets it; at L2, as a branch, until then",
    );
    insta::assert_snapshot!(rig.run(&["health"]).shown(), @r"
    loop docs-links, at L2 since 2026-01-02T03:04:05Z
      cycles      0 of 0 went well; 0 moves, 0 of them done before; people helped 0
                  times
      authority   hold: exit-criteria(14), window 0/7
      cadence     unknown: no beat has ended yet
      saturation  hold: unknown, since no cycle has ended yet

    this is advice: `ringfence promote` and `demote` decide
    --- exit 0
    ");
}

#[test]
fn from_what_it_showed_to_l3_and_back() {
    let rig = eight();
    beats(&rig, 6, "proposed");
    for beat in 1..=5 {
        rig.git(&[
            "merge",
            "-q",
            "--no-edit",
            &format!("ringfence/docs-links/{beat}"),
        ]);
    }
    insta::assert_snapshot!(rig.run(&["promote", "--dry-run"]).shown(), @r"
    loop docs-links: from L2 to L3
      ceiling           ok: the loop file says L3
      one-level         ok: it is at L2
      own-history       ok: its journal was written here
      deny              ok: 2 patterns in `deny`
      budgets           ok: written out
      drills            no: none were run
                        needed: all passed, with this setup, in the last month
      size-guard        no: no drill showed a gate that holds a change to a size
                        needed: such a gate, drilled
      accepted          ok: people took 5 proposals since it came to L2
      none-turned-down  ok: people turned 0 down in 30 days
      no-escalations    ok: 0 items and 0 held changes wait for a person
      clean-moves       ok: all gates let 3 in a row through, with this setup, since
                        it came to L2
      no-denials        ok: steps of 0 beats since then were denied something
      no-rescues        ok: nobody had to help since then
      regulator         ok: hold: exit-criteria(14), window 6/7

    not promoted: drills, size-guard
    --- exit 1
    ");
    ends(
        &rig,
        &["promote"],
        Exit::Refused,
        "not promoted: drills, size-guard",
    );
    assert_eq!(rig.run(&["drill"]).exit, Exit::Done);
    ends(
        &rig,
        &["promote", "--dry-run"],
        Exit::Done,
        "it could be promoted to L3",
    );
    let json = rig
        .run(&["promote", "--reason", "it earned it", "--format", "json"])
        .json();
    assert_eq!(
        (&json["promoted"], &json["to"]),
        (&true.into(), &"L3".into())
    );
    ends(&rig, &["promote"], Exit::Usage, "the loop is at L3 already");
    ends(
        &rig,
        &["journal", "show", "-n", "1"],
        Exit::Done,
        "promoted to L3 by ann: it earned it",
    );
    let at_l3 = "docs-links, at L3, and the loop file allows L3";
    ends(&rig, &["doctor"], Exit::Done, at_l3);
    for hour in 4..6 {
        rig.set_clock(&format!("2026-01-02T0{hour}:00:00Z"));
        ends(&rig, &["doctor"], Exit::Done, at_l3);
        beats(&rig, 1, "committed");
    }
    ends(&rig, &["doctor"], Exit::Done, at_l3);

    rig.set_clock("2026-02-02T00:00:00Z");
    ends(
        &rig,
        &["doctor"],
        Exit::Refused,
        "at L2, and the loop file allows L3; ordered to L3, but its drills",
    );
    rig.set_clock("2026-01-03T00:00:00Z");
    rig.edit("LOOP.md", "**/secrets/**", "**/secret/**");
    ends(
        &rig,
        &["doctor"],
        Exit::Refused,
        "plugins, policy or place are not those that were tried",
    );
    ends(
        &rig,
        &["promote"],
        Exit::Refused,
        "not promoted: drills, size-guard",
    );
    ends(
        &rig,
        &["demote", "--reason", "holidays"],
        Exit::Done,
        "goes to L2 at most, it was at L3",
    );
    ends(
        &rig,
        &["demote"],
        Exit::Done,
        "goes to L1 at most, it was at L2",
    );
    ends(&rig, &["demote"], Exit::Usage, "the loop is at L1 already");
}

#[test]
fn three_clean_shadows_lead_back_to_l2() {
    let rig = eight();
    beats(&rig, 1, "proposed");
    // What it did before does not count again.
    rig.set_clock("2026-01-02T04:00:00Z");
    ends(&rig, &["demote"], Exit::Done, "goes to L1");
    beats(&rig, 2, "shadowed");
    ends(
        &rig,
        &["promote"],
        Exit::Refused,
        "not promoted: clean-moves",
    );
    beats(&rig, 1, "shadowed");
    ends(&rig, &["promote"], Exit::Done, "promoted to L2");
    beats(&rig, 1, "proposed");
    insta::assert_snapshot!(rig.run(&["health"]).shown(), @r"
    loop docs-links, at L2 since 2026-01-02T04:00:00Z
      cycles      4 of 4 went well; 4 moves, 0 of them done before; people helped 0
                  times
      authority   hold: exit-criteria(14), window 4/7
      cadence     unknown: of the last 5 beats 0 found nothing new; of 5 that say
                  so, 5 got on and 0 did not
      saturation  hold: of the last 5 cycles 100 % went well, 100 % of the moves
                  passed, 5 got on, 4 were about something new

    this is advice: `ringfence promote` and `demote` decide
    --- exit 0
    ");
    let json = rig.run(&["health", "--format", "json"]).json();
    assert_eq!(
        (&json["advice"]["action"], &json["saturation"]),
        (&"hold".into(), &"hold".into())
    );
}

#[test]
fn rules_are_passed_over_by_name_and_on_record() {
    let rig = eight();
    beats(&rig, 3, "proposed");
    for (args, exit, says) in [
        (vec!["--override"], Exit::Usage, "--reason"),
        (
            vec!["--reason", "x", "--override", "drill"],
            Exit::Usage,
            "there is no rule drill",
        ),
        (
            vec!["--reason", "x", "--override", "ceiling"],
            Exit::Usage,
            "the rule ceiling cannot be passed over",
        ),
        (
            vec!["--reason", "x", "--override", "drills", "size-guard"],
            Exit::Refused,
            "not promoted: accepted",
        ),
        (vec!["--to", "L2"], Exit::Usage, "the loop is at L2 already"),
    ] {
        let args: Vec<_> = std::iter::once("promote").chain(args).collect();
        ends(&rig, &args, exit, says);
    }
    let args = [
        "promote",
        "--reason",
        "a demo",
        "--override",
        "drills",
        "size-guard",
        "accepted",
    ];
    ends(&rig, &args, Exit::Done, "promoted to L3");
    let against = "promoted to L3 against: drills: none were run; size-guard:";
    ends(&rig, &["journal", "show", "-n", "1"], Exit::Done, against);
    // Without drills, since they were passed over.
    ends(
        &rig,
        &["doctor"],
        Exit::Refused,
        "docs-links, at L3, and the loop file allows L3",
    );

    ends(&rig, &["demote", "--to", "L1"], Exit::Done, "goes to L1");
    let args = ["promote", "--to", "L3", "--reason", "x", "--override"];
    ends(&rig, &args, Exit::Refused, "not promoted: one-level");
    rig.edit("LOOP.md", "\"L3\"", "\"L1\"");
    let args = ["promote", "--reason", "x", "--override"];
    ends(&rig, &args, Exit::Refused, "not promoted: ceiling");
}

/// Puts a copy of the loop's folder in its place.
fn copy_here(rig: &Rig) {
    let (state, moved) = (
        rig.top().join(".git/ringfence-state"),
        rig.top().join("moved"),
    );
    fs::rename(&state, &moved).unwrap();
    let copied = Command::new("cp")
        .arg("-r")
        .arg(&moved)
        .arg(&state)
        .status();
    assert!(copied.unwrap().success());
    fs::remove_dir_all(&moved).unwrap();
}

#[test]
fn a_history_that_was_copied_here_promotes_nothing() {
    let rig = eight();
    beats(&rig, 3, "proposed");
    let args = ["promote", "--reason", "x", "--override"];
    ends(&rig, &args, Exit::Done, "promoted to L3");
    copy_here(&rig);
    ends(
        &rig,
        &["doctor"],
        Exit::Refused,
        "entries, which were copied or shipped here",
    );
    ends(&rig, &["demote"], Exit::Done, "goes to L2 at most");
    assert_eq!(unmet(&rig), "drills, size-guard, accepted");
    ends(&rig, &["demote"], Exit::Done, "goes to L1");
}

/// The rules that keep the loop from L3.
fn unmet(rig: &Rig) -> String {
    let ran = rig.run(&["promote", "--dry-run"]);
    assert_eq!(ran.exit, Exit::Refused, "{}", ran.out);
    let words = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    words.split("not promoted: ").last().unwrap().to_owned()
}

#[test]
fn a_record_that_was_copied_here_is_none_for_good() {
    let rig = eight();
    beats(&rig, 6, "proposed");
    for beat in 1..=5 {
        let branch = format!("ringfence/docs-links/{beat}");
        rig.git(&["merge", "-q", "--no-edit", &branch]);
    }
    assert_eq!(unmet(&rig), "drills, size-guard");
    for (hour, first) in [(5, "beat"), (6, "pause")] {
        copy_here(&rig);
        assert!(unmet(&rig).starts_with("own-history, "));
        rig.set_clock(&format!("2026-01-02T0{hour}:00:00Z"));
        assert_eq!(rig.run(&[first]).exit, Exit::Done);
        assert_eq!(unmet(&rig), "drills, size-guard, accepted, clean-moves");
    }
}

#[test]
fn a_level_that_was_copied_here_is_taken_back() {
    let rig = eight();
    beats(&rig, 1, "proposed");
    let args = ["promote", "--reason", "x", "--override"];
    ends(&rig, &args, Exit::Done, "promoted to L3");
    let folder = rig.top().join(".git/ringfence-state/docs-links");
    let journal = fs::read(folder.join("journal.jsonl")).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("journal.jsonl"), journal).unwrap();
    beats(&rig, 1, "proposed");
    let shown = rig.run(&["journal", "show"]).out;
    let words: Vec<_> = shown.split_whitespace().collect();
    let said = "demoted to L2 by ringfence: this journal was written elsewhere";
    assert!(words.join(" ").contains(said), "{shown}");
}

#[test]
fn demoting_works_whatever_is_broken() {
    let rig = eight();
    rig.write("ringfence.lock", "nonsense");
    assert_ne!(rig.run(&["promote"]).exit, Exit::Done);
    ends(&rig, &["demote"], Exit::Done, "goes to L1");
}
