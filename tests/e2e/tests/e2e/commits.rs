//! Level L3 as a user meets it: repairs that are committed to the branch they are working on.

use std::fs;

use crate::loop_files::at_level;
use crate::rig::Rig;

/// The example with its loop, at level L3.
fn committing() -> Rig {
    let rig = Rig::example();
    rig.init();
    rig.set_loop(&at_level(&rig.read("LOOP.md"), "L3"));
    rig.promote();
    rig
}

#[test]
fn each_repair_is_committed_and_the_working_tree_is_clean() {
    let rig = committing();
    let begun = rig.git(&["rev-parse", "HEAD"]);
    for number in 1..=7 {
        let report = rig.beat(0);
        assert_eq!(report["outcome"]["kind"], "committed", "{report:#}");
        assert_eq!(report["outcome"]["reference"], "refs/heads/main");
        assert_eq!(report["outcome"]["commit"], rig.git(&["rev-parse", "main"]));
        assert_eq!(
            report["outcome"]["previous"],
            rig.git(&["rev-parse", "main~1"])
        );
        assert_eq!(rig.git(&["status", "--porcelain"]), "", "{number}");
        assert_eq!(
            rig.git(&["rev-list", "--count", &format!("{begun}..main")]),
            number.to_string()
        );
    }
    assert_eq!(rig.beat(0)["outcome"]["kind"], "nothing-to-do");
    assert_eq!(rig.beat(0)["outcome"]["kind"], "skipped");
    assert_eq!(rig.git(&["fsck", "--strict", "--no-dangling"]), "");
    assert_eq!(rig.git(&["branch", "--format=%(refname:short)"]), "main");
    assert_eq!(rig.git(&["log", "--merges", "--format=%H"]), "");
    let verified = rig.run(&["journal", "verify", "--format", "json"]).json();
    assert_eq!(verified["ok"], true);
    // Who takes one back does not get it again.
    rig.git(&["reset", "-q", "--hard", "HEAD~1"]);
    assert_eq!(rig.beat(0)["outcome"]["kind"], "nothing-to-do");
}

#[test]
fn what_it_says() {
    let rig = committing();
    let check = rig.run(&["check"]);
    insta::assert_snapshot!(check.parts(&["loop "]), @r"
    loop docs-links
      level      L3: an accepted change is committed to the target branch, once
                 `ringfence promote` lets it; at L2, as a branch, until then
      commits to the branch that is checked out
      works on   the tree of the current commit
      beats      every 15m
      budget     fuel 50G a beat and 2T a day; 200 beats a day (UTC); 2 attempts an
                 item
      a person's changes of: **/LICENSE*, **/SECURITY.md

    --- exit 0
    ");
    let ran = rig.run(&["beat"]);
    insta::assert_snapshot!(ran.parts(&["docs-links beat"]), @r"
    docs-links beat 1: committed
      branch    main
      commit  [hex] (was at [hex])
      look  git show [hex]
      take back git revert [hex]

    --- exit 0
    ");
    let shown = rig.run(&["journal", "show", "-n", "3"]);
    insta::assert_snapshot!(shown.shown(), @"
    entry  at                    beat  fuel   what
    3  [time]  1  about to commit to main
    4  [time]  1  done
    5  [time]  1  [n]  committed: main at [hex]
    … 2 before these: -n 5 shows all
    --- exit 0
    ");
    rig.git(&["switch", "-q", "--detach"]);
    fs::remove_dir_all(rig.path("docs/images")).unwrap();
    rig.commit("another tree");
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r#"
    --- stderr
    error: HEAD is detached, so there is no branch to commit to
    help: switch to a branch, or name one: `target = "main"`
    --- exit 2
    "#);
}

#[test]
fn work_in_the_way_is_named_and_kept() {
    let rig = Rig::small();
    rig.init();
    rig.set_loop(&at_level(&rig.read("LOOP.md"), "L3"));
    rig.promote();
    rig.write("README.md", "# Hello\n\nSee the [guide](guide.md), soon.\n");
    insta::assert_snapshot!(rig.run(&["beat"]).parts(&["docs-links beat"]), @r"
    docs-links beat 1: failed
      conflict: the working tree is in the way: README.md (edited); commit, stash or
        move it

    --- exit 4
    ");
    assert_eq!(
        rig.read("README.md"),
        "# Hello\n\nSee the [guide](guide.md), soon.\n"
    );
    assert_eq!(rig.git(&["status", "--porcelain"]), " M README.md");
}

#[test]
fn a_target_below_level_three_does_nothing() {
    let rig = Rig::small();
    rig.init();
    let loop_file = rig.read("LOOP.md");
    rig.set_loop(&loop_file.replace("level = \"L2\"", "target = \"main\"\nlevel = \"L2\""));
    // It says so each time.
    let beat = || {
        let ran = rig.run(&["beat", "--format", "json"]);
        assert!(ran.err.starts_with("warning[unused-target]"), "{}", ran.err);
        ran.json()["outcome"]["kind"].as_str().unwrap().to_owned()
    };
    assert_eq!([beat(), beat(), beat()], ["proposed", "skipped", "skipped"]);
    // What is checked out is what counts, not where the target stands.
    rig.git(&["switch", "-q", "-c", "mine"]);
    rig.write("docs/more.md", "# More\n\n[guide](elsewhere/guide.md)\n");
    rig.commit("another broken link");
    assert_eq!(beat(), "proposed");
}

#[test]
fn a_target_that_is_not_checked_out_moves_alone() {
    let rig = Rig::small();
    rig.init();
    rig.set_loop(
        &at_level(&rig.read("LOOP.md"), "L3")
            .replace("level = \"L3\"", "target = \"main\"\nlevel = \"L3\""),
    );
    rig.promote();
    rig.git(&["switch", "-q", "-c", "mine"]);
    rig.write("README.md", "# Mine\n");
    assert_eq!(rig.beat(0)["outcome"]["kind"], "committed");
    assert_eq!(rig.read("README.md"), "# Mine\n");
    assert_eq!(
        rig.git(&["show", "main:README.md"]),
        "# Hello\n\nSee the [guide](docs/guide.md)."
    );
    assert_eq!(rig.git(&["rev-list", "--count", "mine..main"]), "1");
    assert_eq!(rig.beat(0)["outcome"]["kind"], "nothing-to-do");
    assert_eq!(rig.beat(0)["outcome"]["kind"], "skipped");
}
