//! Repositories whose names and contents are made to fool whoever reads the report.

use super::rig::Rig;
use crate::exit::Exit;

const ESC: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}";

/// The rig checks every output of every command for what a terminal would act upon.
#[test]
fn nothing_of_a_repository_reaches_the_terminal_as_it_is() {
    let rig = Rig::folder();
    rig.write(
        &format!("{ESC}\u{202e}a.md"),
        &format!("# x\n\n[{ESC}](b\u{1b}[31m.md) [ok](setup.md)\n"),
    );
    rig.write("old/setup.md", &format!("{ESC}\n"));
    assert_eq!(rig.run(&["init"]).exit, Exit::Done);
    for args in [
        &["check"][..],
        &["beat", "--dry-run"],
        &["beat", "--dry-run", "--format", "json"],
        &["beat"],
        &["status"],
        &["status", "--format", "json"],
        &["status", "--items"],
        &["status", "--all", "."],
        &["status", "--all", ESC],
        &["metrics"],
        &["report", "--html"],
        &["journal", "verify"],
        &["journal", "show", "--beat", "1"],
        &["journal", "show", "--outcome", ESC],
        &["journal", "show", "--since", ESC],
        &["journal", "show", "--item", ESC],
        &["metrics", "--listen", ESC],
        &["report", "--html", "--output", ESC],
        &["journal", "show"],
        &["journal", "show", "--format", "json"],
        &["explain", ESC, "--step", "md-link-fix"],
        &["explain", "a", "--step", ESC],
        &["plugin", "inspect", ESC],
        &["check", ESC],
        &["init", "--loop", ESC],
    ] {
        assert_ne!(rig.run(args).out + &rig.run(args).err, "", "{args:?}");
    }
}

#[test]
fn a_hostile_loop_file_is_quoted_harmlessly() {
    let rig = Rig::folder();
    for text in [
        format!("+++\nloop = \"{ESC}\u{202e}\"\n+++\n"),
        format!("+++\n{ESC}\n+++\n"),
        "+++\nloop = \"x\"\n[paths]\nread = [\"\u{202e}[[:alpha:]]\", '\u{9b}31m']\n+++\n"
            .to_owned(),
        format!("+++\n{} = 1\n+++\n", "x".repeat(10_000)),
        format!("+++\n\"{}\" = 1\n+++\n", "日本".repeat(1_000)),
    ] {
        rig.write("LOOP.md", &text);
        let ran = rig.run(&["check"]);
        assert_eq!(ran.exit, Exit::Usage, "{text:?}");
        assert!(ran.err.contains("LOOP.md"), "{}", ran.err);
    }
}
