//! `status`, `journal show`, `metrics` and `report` of real loops.

use serde_json::json;

use super::rig::Rig;
use crate::exit::Exit;
use crate::render::metrics::checker::check;

#[test]
fn one_beat_whole() {
    let rig = Rig::with_loop();
    assert_eq!(rig.run(&["beat"]).exit, Exit::Done);
    let shown = rig.run(&["journal", "show", "--beat", "1"]).shown();
    let parts: Vec<&str> = shown
        .split("\n\n")
        .filter(|part| !part.starts_with("steps") && !part.starts_with("entry"))
        .collect();
    insta::assert_snapshot!(parts.join("\n\n"), @"
    docs-links beat 1: proposed
      branch    ringfence/docs-links/1
      look      git diff HEAD...ringfence/docs-links/1
      accept    git merge ringfence/docs-links/1

    decided: md-link-fix does fix for broken-link-[hex]
      first eligible item labelled fixable: `setup.md` in docs/guide.md leads to no
        file

    changed: 1 file
      modified  +1 -1  docs/guide.md

    judged
      pass  md-links   0 newly broken, 1 broken before, in 1 document
               note[missing-file] `gone.md` leads to no file, as it did before this
                 change
                 at docs/guide.md:3:41
      pass  diff-size  1 file, +1 −1 lines, largest file 59 bytes
      pass  paths      1 file differs, none where it may not be

    the executor said
      docs/guide.md: link to `setup.md` now to `old/setup.md`

    progress      yes
    saw           1 sensor answer

    entries besides
    entry  at                    beat  fuel   what
    1  2026-01-02T03:04:05Z  1  began: may cost [n] fuel
    2      2026-01-02T03:04:05Z  1            about to propose
                                              ringfence/docs-links/1
    3      2026-01-02T03:04:05Z  1            done
    --- exit 0
    ");
    insta::assert_snapshot!(rig.run(&["journal", "show", "--beat", "7"]).shown(), @r"
    no entry is like that; the last beat is 1; beats ended as proposed
    --- exit 0
    ");
}

#[test]
fn entries_that_are_asked_for() {
    let rig = Rig::with_loop();
    for _ in 0..2 {
        assert_eq!(rig.run(&["beat"]).exit, Exit::Done);
        rig.clock.advance(jiff::SignedDuration::from_hours(1));
    }
    let kinds = |args: &[&str]| -> Vec<String> {
        let args = [&["journal", "show", "--format", "json"], args].concat();
        let found = rig.run(&args).json();
        let kinds = found
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["kind"].as_str().unwrap().to_owned());
        kinds.collect()
    };
    assert_eq!(
        kinds(&[]),
        ["reserve", "intent", "done", "beat", "reserve", "beat"]
    );
    assert_eq!(kinds(&["--outcome", "proposed"]), ["beat"]);
    assert_eq!(
        kinds(&["--beat", "1"]),
        ["reserve", "intent", "done", "beat"]
    );
    assert_eq!(kinds(&["--since", "90m"]), ["reserve", "beat"]);
    assert_eq!(kinds(&["--since", "2026-01-02"]).len(), 6);
    assert_eq!(kinds(&["--since", "2026-01-02T04:00:00Z"]).len(), 2);
    assert_eq!(kinds(&["--since", "2026-01-03"]), [""; 0]);
    let first = rig
        .run(&["journal", "show", "--format", "json", "-n", "5"])
        .json();
    let item = first[0]["body"]["item"].as_str().unwrap().to_owned();
    assert_eq!(kinds(&["--item", &item]), ["intent", "beat"]);
    insta::assert_snapshot!(rig.run(&["journal", "show", "--outcome", "broken"]).shown(), @r"
    no entry is like that; the last beat is 2; beats ended as nothing-to-do,
      proposed
    --- exit 0
    ");
    insta::assert_snapshot!(rig.run(&["journal", "show", "--since", "soon"]).shown(), @r"
    --- stderr
    error: soon is no time
    help: write a day (2026-11-21), a moment (2026-11-21T09:30:00Z), or how long ago
          it was (90m, 2h, 7d)
    --- exit 2
    ");
    insta::assert_snapshot!(rig.run(&["journal", "show", "--item", "a/b"]).shown(), @r#"
    --- stderr
    error: not an item id (1 to 128 bytes, no slash, backslash, leading dot or
      control character): "a/b"
    --- exit 2
    "#);
    let verdict = rig.run(&["journal", "verify", "--format", "json"]).json();
    assert_eq!(
        verdict["kinds"],
        json!({"beat": 2, "done": 1, "intent": 1, "reserve": 2})
    );
    assert!(verdict["head"].as_str().unwrap().starts_with("blake3:"));
}

#[test]
fn many_loops_in_a_folder() {
    let rig = Rig::with_loop();
    assert_eq!(rig.run(&["beat"]).exit, Exit::Done);
    rig.write("loops/other/LOOP.md", "+++\nloop = 1\n+++\n");
    insta::assert_snapshot!(rig.run(&["status", "--all", "."]).shown(), @r"
    loop        level  mode  next       last beat  spent  waits  where
    docs-links  L2     run   in 15 min  proposed   0 %    0      .

    error: loops/other/LOOP.md: loops/other/LOOP.md has 5 problems
    --- exit 0
    ");
    let json = rig
        .run(&["status", "--all", ".", "--format", "json"])
        .json();
    assert_eq!(json["version"], 1);
    assert_eq!(json["loops"][0]["loop"], "docs-links");
    assert_eq!(
        json["loops"][0]["budgets"][1],
        json!({"budget": "beats_per_day", "used": 1, "limit": 200})
    );
    assert!(
        json["loops"][1]["error"]
            .as_str()
            .unwrap()
            .contains("problem")
    );
    for args in [
        &["status", "--watch", "--format", "json"][..],
        &["status", "--all", "nowhere"],
        &["status", "LOOP.md", "--all", "."],
    ] {
        assert_eq!(rig.run(args).exit, Exit::Usage, "{args:?}");
    }
}

#[test]
fn figures_for_a_collector() {
    let rig = Rig::with_loop();
    assert_eq!(rig.run(&["beat"]).exit, Exit::Done);
    let text = rig.run(&["metrics"]).out;
    let found = check(&text).unwrap();
    let value = |name: &str, label: &str| {
        let of = |(series, labels): &&(String, String)| series == name && labels.contains(label);
        found.keys().find(of).map(|key| found[key])
    };
    assert_eq!(
        value("ringfence_beats_total", "outcome=\"proposed\""),
        Some(1.0)
    );
    assert_eq!(
        value("ringfence_open_proposals", "loop=\"docs-links\""),
        Some(1.0)
    );
    assert_eq!(value("ringfence_loop_readable", "LOOP.md"), Some(1.0));
    assert_eq!(
        value("ringfence_last_beat_timestamp_seconds", ""),
        Some(1_767_323_045.0)
    );
    assert_eq!(
        rig.run(&["metrics", "--all", ".", "--output", "loops.prom"])
            .exit,
        Exit::Done
    );
    assert_eq!(rig.read("loops.prom"), text);
    let mode = std::fs::metadata(rig.top().join("loops.prom")).unwrap();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777,
        0o644
    );
    // One that cannot be read is a figure, not an end.
    rig.write(".git/ringfence-state/docs-links/journal.jsonl", "x\ny\n");
    let text = rig.run(&["metrics", "--all", "."]).out;
    assert!(
        check(&text).is_ok() && text.contains("LOOP.md\"} 0"),
        "{text}"
    );
    assert_eq!(rig.run(&["metrics"]).exit, Exit::Host);
    for address in ["0.0.0.0:0", "localhost:1", "127.0.0.1", "x"] {
        let ran = rig.run(&["metrics", "--listen", address]);
        assert_eq!(ran.exit, Exit::Usage, "{address}");
    }
}

#[test]
fn a_page_for_a_browser() {
    let rig = Rig::with_loop();
    assert_eq!(rig.run(&["beat"]).exit, Exit::Done);
    insta::assert_snapshot!(rig.run(&["report", "--html", "--output", "report.html"]).shown(), @r"
    --- stderr
    wrote [project]/report.html
    --- exit 0
    ");
    let html = rig.read("report.html");
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>\n"));
    assert_eq!(rig.run(&["report", "--html"]).out, html);
    assert_eq!(rig.run(&["report"]).exit, Exit::Usage);
    assert_eq!(
        rig.run(&["report", "--html", "--output", "no/where.html"])
            .exit,
        Exit::Usage
    );
}
