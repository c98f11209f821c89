//! Commands, as written and as refused.

use super::*;
use crate::diagnostic::Diagnostic;

static FILE: Table = Table {
    title: "the file",
    later: &[],
    keys: &[COMMANDS],
};

fn read(text: &str) -> Result<Vec<CommandSpec>, Vec<Diagnostic>> {
    let mut found = Diagnostics::default();
    let root = crate::toml_doc::read(text, &FILE, 0..0, &mut found);
    let specs = root.map(|root| commands(&root, &mut found));
    match specs {
        Some(specs) if !found.has_errors() => Ok(specs),
        _ => Err(found.into_sorted()),
    }
}

fn one(lines: &str) -> CommandSpec {
    let text = format!("[command.test]\nargv = [\"cargo\", \"test\"]\n{lines}\n");
    read(&text).unwrap().remove(0)
}

#[test]
fn unless_written() {
    let spec = one("");
    assert_eq!(spec.name.as_str(), "test");
    assert_eq!(spec.argv, ["cargo", "test"]);
    assert_eq!((spec.on, spec.sandbox), (RunsOn::After, Sandboxing::Full));
    assert!(!spec.network && spec.env.is_empty() && spec.system.is_empty());
    assert_eq!(spec.limits, CommandLimits::default());
    assert_eq!(spec.sides(), [Side::After]);
    assert_eq!(read("").unwrap(), []);
}

const EVERY: &str = r#"
on = "both"
env = { CI = "true", LANG = "" }
network = true
sandbox = "none"
system = ["/opt/node", "/opt/rust"]
reports = { junit = "./target/junit.xml" }
limits = { time = "1h", memory = "1GiB", output = 4096, processes = 8, disk = "1MiB" }
"#;

#[test]
fn as_written() {
    let spec = one(EVERY);
    assert_eq!(spec.sides(), [Side::Before, Side::After]);
    assert_eq!(spec.env.get("CI").map(String::as_str), Some("true"));
    assert!(spec.network && spec.sandbox == Sandboxing::None);
    assert_eq!(spec.system, ["/opt/node", "/opt/rust"]);
    assert_eq!(
        spec.reports.get("junit").map(RelPath::as_str),
        Some("target/junit.xml")
    );
    let limits = CommandLimits {
        time: Millis(3_600_000),
        memory: Bytes(1 << 30),
        output: Bytes(4096),
        processes: 8,
        disk: Bytes(1 << 20),
    };
    assert_eq!(spec.limits, limits);
}

#[test]
fn whatever_is_declared_is_in_the_digest() {
    let whole = one("").digest();
    assert_eq!(one("").digest(), whole);
    let mut seen = vec![whole];
    for line in EVERY.trim().lines() {
        seen.push(one(line).digest());
    }
    for limit in [
        "time = \"1s\"",
        "memory = 1",
        "output = 1",
        "processes = 1",
        "disk = 1",
    ] {
        seen.push(one(&format!("limits.{limit}")).digest());
    }
    let argv = |argv: &str| read(&format!("[command.test]\nargv = {argv}")).unwrap()[0].digest();
    seen.extend([argv("[\"cargo\"]"), argv("[\"car\", \"gotest\"]")]);
    seen.push(read("[command.other]\nargv = [\"cargo\", \"test\"]").unwrap()[0].digest());
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

#[test]
fn what_does_not_fit() {
    let with = |line: &str| format!("[command.test]\nargv = [\"x\"]\n{line}\n");
    for (text, expect) in [
        (
            "command = 1",
            "`command` is tables, each with a name, not an integer",
        ),
        (
            "[command]\nargv = [\"x\"]",
            "`command` is tables, each with a name, and this is a list",
        ),
        ("[command.Test]\nargv = [\"x\"]", "\"Test\" is not a name"),
        ("[command.test]", "[command.NAME] has no `argv`"),
        ("[command.test]\nargv = []", "`argv` names no program"),
        ("[command.test]\nargv = [\"\"]", "`argv` names no program"),
        (
            "[command.test]\nargv = \"cargo test\"",
            "`argv` is a list of strings, not a string",
        ),
        (
            "[command.test]\nargv = [\"a\\u0000\"]",
            "\"a\\0\" has a NUL byte",
        ),
        (&with("shell = true"), "[command.NAME] has no key \"shell\""),
        (&with("on = \"before\""), "`on` is \"after\" or \"both\""),
        (
            &with("network = \"yes\""),
            "`network` is true or false, not a string",
        ),
        (
            &with("sandbox = false"),
            "`sandbox` is a string, not a boolean",
        ),
        (
            &with("sandbox = \"off\""),
            "`sandbox` is \"full\" or \"none\"",
        ),
        (
            &with("env = { \"A B\" = \"x\" }"),
            "\"A B\" is not the name of a variable",
        ),
        (
            &with("env = { A = 1 }"),
            "`env` is a table of strings, and this is an integer",
        ),
        (
            &with("system = [\"opt\"]"),
            "\"opt\" is no plain absolute path",
        ),
        (
            &with("system = [\"/opt/../etc\"]"),
            "\"/opt/../etc\" is no plain absolute path",
        ),
        (
            &with("system = [\"/opt/\"]"),
            "\"/opt/\" is no plain absolute path",
        ),
        (&with("system = [\"/\"]"), "\"/\" shows a command too much"),
        (
            &with("system = [\"/etc\"]"),
            "\"/etc\" shows a command too much",
        ),
        (
            &with("system = [\"/run/docker.sock\"]"),
            "\"/run/docker.sock\" is never shown",
        ),
        (&with("system = [\"/proc\"]"), "\"/proc\" is never shown"),
        (
            &with("reports = { junit = \"../x\" }"),
            "\"../x\" is a path that leaves",
        ),
        (
            &with("reports = { junit = \"/x\" }"),
            "\"/x\" is an absolute path",
        ),
        (
            &with("reports = { junit = \".\" }"),
            "\".\" is the tree itself",
        ),
        (
            &with("reports = { stdout = \"x\" }"),
            "every command has a report \"stdout\"",
        ),
        (
            &with("reports = { \"a/b\" = \"x\" }"),
            "\"a/b\" is not a name",
        ),
        (
            &with("limits = { time = \"13h\" }"),
            "`time` is 13h, and the most is 12h",
        ),
        (&with("limits = { processes = 0 }"), "0 is not above zero"),
        (&with("limits = { fuel = 1 }"), "`fuel` is not supported"),
    ] {
        let problems = read(text).unwrap_err();
        let said = &problems[0].message;
        assert!(said.starts_with(expect), "{text}: {said}");
    }
}

#[test]
fn no_more_names_than_fit() {
    let lines: String = (0..300)
        .map(|n| format!("[command.c{n}]\nargv = [\"x\"]\n"))
        .collect();
    let problems = read(&lines).unwrap_err();
    assert_eq!(
        problems[0].message,
        "`command` has 300 entries, at most 256 fit"
    );
    assert_eq!(problems.len(), 1);
}
