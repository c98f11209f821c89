//! Documents that are kept in the repository and must be what the program prints.

use super::rig::Rig;
use crate::exit::Exit;

fn check(document: &str, file: &str) {
    let ran = Rig::folder().run(&["schema", document]);
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""));
    let path = format!("{}/../../{file}", env!("CARGO_MANIFEST_DIR"));
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == ran.out,
        "{file} is out of date: run `ringfence schema {document} > {file}`"
    );
}

#[test]
fn schemas_are_current() {
    check("loop-file", "docs/loop-file.schema.json");
    check("situation", "wit/situation.schema.json");
    check("gates-file", "docs/gates-file.schema.json");
    check("gate-report", "docs/gate-report.schema.json");
    check("gate-receipt", "docs/gate-receipt.schema.json");
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = Rig::folder().run(&["completions", shell]);
        assert_eq!(ran.exit, Exit::Done);
        assert!(ran.out.contains("explain"), "{shell}");
    }
}

#[test]
fn help() {
    let rig = Rig::folder();
    insta::assert_snapshot!(rig.run(&["--help"]).shown(), @"
    Runs the repeating work of a repository in bounded steps that cannot reach past
    what you grant them

    Usage: ringfence [OPTIONS] <COMMAND>

    Commands:
      init             Write a commented LOOP.md that works as it is
      import           Write a LOOP.md to review from what other loop tools left
                       here
      check            Show what each step of a loop may do, running nothing
      beat             Run one beat: look, decide, act, judge, propose
      run              Keep loops beating, each in its own time
      gate             Judge any change by gates, without a loop
      explain          Say which rule decides whether a step may touch a path
      exec             Run a WASI program that is not trusted, within what it is
                       granted
      plugin           Look at plugins without running them
      journal          Look at a loop's history
      status           Show where a loop stands and what the next beat would meet
      inbox            Show what waits for a person, oldest first
      answer           Answer what waits: approve, reject, or note something
      pause            Let a loop do nothing for a time, or until it is resumed
      resume           Let a loop go on, whatever had stopped it
      retire           End a loop; only resume brings it back
      metrics          Give the figures of a loop to Prometheus
      report           Write a loop's history as a page for a browser
      health           Say how a loop does, and whether it deserves more authority
      promote          Let a loop go one level further, if its record allows that
      demote           Let a loop go less far
      drill            Prove each guard of a loop, by a fault and by a clean case
      doctor           Say what this machine offers, and what a loop has proven
      selftest         Try to escape from the boundary, on this machine
      estimate         Say what a day of a loop may cost, and what it did cost
      install-service  Print what lets the system run loops unattended
      schema           Print the JSON Schema of a document
      completions      Print a script that completes commands in a shell
      help             Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Options of every command:
      -C, --directory <DIR>  Start in DIR instead of the current directory
          --color <WHEN>     When to use colours: auto, always or never [default:
                             auto]
      -v, --verbose...       Say on stderr what is being done; twice for more

    Exit codes:
        0  committed, proposed, shadowed, nothing to do, or skipped
        1  no, says a gate, a rule of promote, a drill or doctor
        2  wrong command line, loop file, lock file or project
        3  a person is needed
        4  waiting: backoff, paused, slowed, another beat, your work in the way
        5  a budget or a step's limit is used up
        6  a step tried what it is denied, and that is fatal here
        7  a plugin is broken: trap, contract, digest
        8  the host failed: disk, git, journal, boundary
       10  skipped (only with --detailed-exit-code)
      130  interrupted
      exec ends with the code of its program
    --- exit 0
    ");
    for command in [
        "init",
        "import",
        "check",
        "beat",
        "gate",
        "explain",
        "plugin",
        "journal",
        "status",
        "health",
        "promote",
        "demote",
        "drill",
        "doctor",
        "selftest",
        "estimate",
        "schema",
        "completions",
    ] {
        assert_eq!(rig.run(&[command, "--help"]).exit, Exit::Done, "{command}");
    }
}

#[test]
fn a_wrong_command_line() {
    let rig = Rig::folder();
    insta::assert_snapshot!(rig.run(&["chekc"]).shown(), @r"
    --- stderr
    error: unrecognized subcommand 'chekc'

      tip: some similar subcommands exist: 'schema', 'check'

    Usage: ringfence [OPTIONS] <COMMAND>

    For more information, try '--help'.
    --- exit 2
    ");
    assert_eq!(rig.run(&[]).exit, Exit::Usage);
    assert_eq!(rig.run(&["beat", "--format", "yaml"]).exit, Exit::Usage);
}
