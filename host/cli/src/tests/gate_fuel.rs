//! `gate fuel`, receipts and `gate replay`: what a run cost, what decided it, and the same run again.

use std::path::Path;
use std::process::Command;

use ringfence_runner::gating::{Which, append_receipt, read_receipt};
use serde_json::Value;

use super::rig::{Ran, Rig};
use crate::exit::Exit;

const GATES: &str = "[[gate]]\nplugin = \"std:md-links\"\n\n[[gate]]\nplugin = \"std:diff-size\"\n";
// The project and the file to write its report to, for a process that runs gates for a test.
const PROJECT: &str = "RINGFENCE_TEST_FUEL_PROJECT";
const OUT: &str = "RINGFENCE_TEST_FUEL_OUT";
const JSON: [&str; 2] = ["--format", "json"];
const BRANCH: [&str; 4] = ["--base", "main", "--head", "topic"];

/// A repository with a branch `topic` that changes two files, and pinned gates on `main`.
fn rig() -> Rig {
    let rig = Rig::folder();
    rig.write("README.md", "# Hello\n\nSee the [guide](docs/guide.md).\n");
    rig.write(
        "docs/guide.md",
        &"A [link](../README.md#hello).\n".repeat(200),
    );
    rig.write("ringfence-gates.toml", GATES);
    rig.git(&["init", "-q", "-b", "main"]);
    rig.commit();
    assert_eq!(rig.run(&["gate", "check", "--write-lock"]).exit, Exit::Done);
    rig.commit();
    rig.git(&["switch", "-q", "-c", "topic"]);
    rig.write("docs/more.md", &"Another [link](guide.md).\n".repeat(50));
    rig.write(
        "README.md",
        "# Hello\n\nSee the [guide](docs/guide.md) again.\n",
    );
    rig.commit();
    rig.git(&["switch", "-q", "main"]);
    rig
}

fn gate(rig: &Rig, verb: &[&str], args: &[&str]) -> Ran {
    rig.run(&[&["gate"][..], verb, &BRANCH[..], args].concat())
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err))
}

/// The fuel of each gate, by a report or a comparison.
fn fuel(value: &Value) -> Vec<u64> {
    let gates = value["gates"].as_array().unwrap().iter();
    let used = |gate: &Value| match &gate["used"] {
        Value::Null => gate["receipt"]["usage"]["fuel"]["used"].as_u64().unwrap(),
        used => used.as_u64().unwrap(),
    };
    gates.map(used).collect()
}

fn rules(report: &Value) -> Vec<String> {
    let gates = report["gates"].as_array().unwrap().iter();
    let remarks = gates.flat_map(|gate| gate["remarks"].as_array().unwrap());
    let of = |remark: &Value| {
        let (rule, severity) = (remark["rule"].as_str(), remark["severity"].as_str());
        format!("{} {}", rule.unwrap(), severity.unwrap())
    };
    remarks.map(of).collect()
}

/// Halves each recorded figure, as if gates had been cheaper when they were recorded.
fn halve(rig: &Rig) {
    let text = rig.read("ringfence.fuel");
    let halved = text.lines().map(|line| match line.strip_prefix("fuel = ") {
        Some(fuel) => format!("fuel = {}\n", fuel.parse::<u64>().unwrap() / 2),
        None => format!("{line}\n"),
    });
    rig.write("ringfence.fuel", &halved.collect::<String>());
}

/// What a process does that was started by the test below; in the tests themselves nothing.
#[test]
fn role() {
    let (Some(project), Some(out)) = (std::env::var_os(PROJECT), std::env::var_os(OUT)) else {
        return;
    };
    let args = [&["gate", "--format", "json", "--no-memo"], &BRANCH[..]].concat();
    let ran = Rig::folder().run_in(Path::new(&project), &args);
    std::fs::write(out, ran.out).unwrap();
}

/// The processors that this process may use, by number.
fn processors() -> Vec<String> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mut lines = status.lines();
    let list = lines.find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let numbers = list.unwrap().trim().split([',', '-']);
    numbers.map(str::to_owned).collect()
}

#[test]
fn fuel_is_the_same_however_often_and_wherever_gates_run() {
    let rig = rig();
    let args = ["--format", "json", "--no-memo"];
    let first = json(&gate(&rig, &[], &args));
    let expect = fuel(&first);
    assert!(expect.iter().all(|fuel| *fuel > 1_000), "{expect:?}");
    for jobs in ["1", "2", "8"] {
        let again = gate(&rig, &[], &[&args[..], &["--jobs", jobs]].concat());
        assert_eq!(fuel(&json(&again)), expect, "{jobs} at once");
    }
    let out = rig.config_dir().join("report");
    let processors = processors();
    for processor in [processors.first(), processors.last()]
        .into_iter()
        .flatten()
    {
        let ended = Command::new("taskset")
            .args(["--cpu-list", processor])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "tests::gate_fuel::role"])
            .env(PROJECT, rig.top())
            .env(OUT, &out)
            .output()
            .unwrap();
        assert!(ended.status.success(), "{ended:?}");
        let report = std::fs::read_to_string(&out).unwrap();
        let report = serde_json::from_str(&report).unwrap();
        assert_eq!(fuel(&report), expect, "on processor {processor}");
    }
    // What is remembered cost what it cost.
    let remembered = json(&gate(&rig, &[], &["--format", "json"]));
    assert_eq!(remembered["gates"][0]["receipt"]["memo"], true);
    assert_eq!(fuel(&remembered), expect);
}

#[test]
fn what_is_recorded_is_compared_and_holds() {
    let rig = rig();
    let ran = gate(&rig, &[], &["--fuel-regression", "5%"]);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.err.contains("gate fuel --record"), "{}", ran.err);
    let ran = gate(&rig, &["fuel"], &["--record"]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
    let text = rig.read("ringfence.fuel");
    assert_eq!(text.matches("[[record]]").count(), 2, "{text}");
    // The same again writes the same.
    assert_eq!(
        gate(&rig, &["fuel"], &["--record", "--jobs", "1"]).exit,
        Exit::Done
    );
    assert_eq!(rig.read("ringfence.fuel"), text);

    let table = json(&gate(&rig, &["fuel"], &["--format", "json"]));
    assert_eq!(table["gates"][0]["compared"], "same");
    let held = [
        "--format",
        "json",
        "--fuel-regression",
        "0%",
        "--require-fuel-baseline",
    ];
    let ran = gate(&rig, &[], &held);
    assert_eq!((ran.exit, rules(&json(&ran))), (Exit::Done, vec![]));

    halve(&rig);
    let ran = gate(&rig, &[], &held);
    let report = json(&ran);
    assert_eq!(ran.exit, Exit::Refused);
    assert_eq!(
        rules(&report),
        ["fuel-regression error", "fuel-regression error"]
    );
    assert_eq!(report["gates"][0]["standing"], "failed");
    let shown = gate(&rig, &[], &["--fuel-regression", "5%"]).out;
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        shown.contains("error[fuel-regression]") && !shown.contains("error[refused]"),
        "{shown}"
    );
    assert!(shown.contains("; fails by fuel-regression"), "{shown}");
    let message = &report["gates"][0]["remarks"][0]["message"];
    let message = message.as_str().unwrap();
    assert!(
        message.contains("+100.0") && message.contains("grew most: "),
        "{message}"
    );
    let ran = gate(
        &rig,
        &[],
        &["--format", "json", "--fuel-regression", "101%"],
    );
    assert_eq!((ran.exit, rules(&json(&ran))), (Exit::Done, vec![]));
    // The gates file can say so, and from a revision, too.
    rig.edit(
        "ringfence-gates.toml",
        GATES,
        &format!("[fuel]\nregression = \"5%\"\n\n{GATES}"),
    );
    let from_main = [&JSON[..], &["--rules-from", "main"]].concat();
    assert_eq!(gate(&rig, &[], &JSON).exit, Exit::Refused);
    assert_eq!(gate(&rig, &[], &from_main).exit, Exit::Done);
    rig.commit();
    rig.write("ringfence.fuel", &text);
    assert_eq!(gate(&rig, &[], &JSON).exit, Exit::Done);
    assert_eq!(gate(&rig, &[], &from_main).exit, Exit::Refused);
}

#[test]
fn what_compares_with_nothing_is_said() {
    let rig = rig();
    assert_eq!(gate(&rig, &["fuel"], &["--record"]).exit, Exit::Done);
    let held = ["--format", "json", "--fuel-regression", "5%"];
    let required = [&held[..], &["--require-fuel-baseline"]].concat();
    let text = rig.read("ringfence.fuel");
    rig.write("ringfence.fuel", &text.replace("prices ", "prices 1"));
    let ran = gate(&rig, &[], &[&held[..], &["--fail-on", "note"]].concat());
    let report = json(&ran);
    assert_eq!(
        (ran.exit, rules(&report)),
        (Exit::Done, vec!["fuel-unknown note".to_owned(); 2])
    );
    assert_eq!(gate(&rig, &[], &required).exit, Exit::Refused);
    // Another change is another input.
    rig.write("ringfence.fuel", &text);
    rig.git(&["switch", "-q", "topic"]);
    rig.write("more.md", "More.\n");
    rig.commit();
    assert_eq!(gate(&rig, &[], &required).exit, Exit::Refused);
    let table = gate(&rig, &["fuel"], &[]).out;
    assert!(table.contains("nothing is recorded"), "{table}");
    // A record of one gate leaves those of others.
    assert_eq!(
        gate(&rig, &["fuel"], &["--record", "--only", "diff-size"]).exit,
        Exit::Done
    );
    assert_eq!(rig.read("ringfence.fuel").matches("[[record]]").count(), 3);
}

#[test]
fn a_hostile_fuel_file_is_an_error() {
    let rig = rig();
    let deep = format!("version = 1\nx = {}", "[".repeat(100_000));
    for text in [
        "",
        "version = 2\n",
        &deep,
        "\0",
        "version = 1\n[[record]]\nbase = 5\n",
    ] {
        rig.write("ringfence.fuel", text);
        for words in [
            &["--fuel-regression", "5%"][..],
            &["fuel"],
            &["fuel", "--record"],
        ] {
            let ran = match words {
                ["fuel", args @ ..] => gate(&rig, &["fuel"], args),
                args => gate(&rig, &[], args),
            };
            assert_eq!(
                (ran.exit, ran.out.as_str()),
                (Exit::Usage, ""),
                "{}",
                ran.err
            );
        }
        assert_eq!(rig.read("ringfence.fuel"), text, "nothing is overwritten");
    }
    std::fs::remove_file(rig.top().join("ringfence.fuel")).unwrap();
    rig.edit(
        "ringfence-gates.toml",
        GATES,
        &format!("[fuel]\nfile = \"../x\"\n\n{GATES}"),
    );
    assert_eq!(gate(&rig, &["fuel"], &[]).exit, Exit::Usage);
}

#[test]
fn a_profile_shows_where_fuel_goes() {
    let rig = rig();
    let args = ["--profile", "md-links", "--format", "json"];
    let ran = gate(&rig, &["fuel"], &args);
    let found = json(&ran);
    let profile = &found["profile"];
    assert!(profile["points"].as_u64().unwrap() >= 32, "{profile}");
    let functions = profile["functions"].as_array().unwrap();
    let own: u64 = functions
        .iter()
        .map(|one| one["own"].as_u64().unwrap())
        .sum();
    assert_eq!(own, profile["points"].as_u64().unwrap());
    let at_all = |on_host: bool| {
        let (host, guest): (Vec<_>, Vec<_>) = functions.iter().partition(|one| {
            let name = one["name"].as_str().unwrap();
            name.starts_with("(host) ")
        });
        let some = if on_host { host } else { guest };
        some.iter().any(|one| one["own"].as_u64() > Some(0))
    };
    assert!(at_all(true) && at_all(false), "{profile}");
    let again = gate(&rig, &["fuel"], &[&args[..], &["--jobs", "1"]].concat());
    assert_eq!(json(&again), found);
    let few = gate(&rig, &["fuel"], &[&args[..], &["--points", "3"]].concat());
    assert_eq!(json(&few)["profile"]["points"], 3);
    let text = gate(&rig, &["fuel"], &["--profile", "md-links"]).out;
    assert!(
        text.contains("points") && text.contains("function"),
        "{text}"
    );
    let ran = gate(&rig, &["fuel"], &["--profile", "gone"]);
    assert_eq!(ran.exit, Exit::Usage);
}

fn replay(rig: &Rig, args: &[&str]) -> (u8, String) {
    let ran = rig.run(&[&["gate", "replay", "receipts.jsonl"], args].concat());
    let said = format!("{}{}", ran.out, ran.err);
    let words: Vec<&str> = said.split_whitespace().collect();
    (ran.exit.code(), words.join(" "))
}

#[test]
fn a_run_is_made_again_from_its_receipt() {
    let rig = rig();
    let receipt = ["--format", "json", "--receipt", "receipts.jsonl"];
    assert_eq!(gate(&rig, &[], &receipt).exit, Exit::Done);
    let strict = [
        &receipt[..],
        &[
            "--only",
            "diff-size",
            "--signed-off-by",
            "Ann <ann@example.com>",
        ],
    ];
    assert_eq!(gate(&rig, &[], &strict.concat()).exit, Exit::Done);
    rig.write("docs/wrong.md", "[nowhere](gone.md)\n");
    let ran = rig.run(&[&["gate", "--worktree"], &receipt[..]].concat());
    assert_eq!(ran.exit, Exit::Refused);
    let lines = rig.read("receipts.jsonl");
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["gates"].as_array().unwrap().len(), 2);
    assert_eq!(lines[1]["gates"].as_array().unwrap().len(), 1);
    assert_eq!(lines[1]["gates_in_file"], 2);
    assert_eq!(
        (&lines[0]["who"], &lines[0]["signed_off_by"]),
        (&"ann".into(), &"ann".into())
    );
    assert_eq!(lines[1]["signed_off_by"], "Ann <ann@example.com>");
    assert_eq!(
        (&lines[2]["exit"], &lines[2]["outcome"]),
        (&1.into(), &"failed".into())
    );

    std::fs::remove_file(rig.top().join("docs/wrong.md")).unwrap();
    rig.set_clock("2027-01-02T03:04:05Z");
    for (line, gates) in [
        ("1", "2 of 2"),
        ("2", "1 of 2"),
        ("3", "2 of 2"),
        ("last", "2 of 2"),
    ] {
        let (exit, said) = replay(&rig, &["--line", line]);
        assert_eq!(exit, 0, "{line}: {said}");
        let (tree, gates) = (
            lines[0]["base"]["tree"].as_str(),
            format!("the same: {gates} gates"),
        );
        assert!(
            said.contains(tree.unwrap()) && said.contains(&gates),
            "{said}"
        );
    }
    let found = rig.run(&[
        "gate",
        "replay",
        "receipts.jsonl",
        "--line",
        "1",
        "--format",
        "json",
    ]);
    assert_eq!(json(&found)["same"], true);
    assert_eq!(replay(&rig, &["--line", "4"]).0, 2);
    assert_eq!(replay(&rig, &["--line", "0"]).0, 2);
}

/// A line with something else in it, and a sum that fits.
fn forged(line: &str, from: &str, to: &str) -> String {
    let (open, _) = line.rsplit_once(",\"sum\":\"").unwrap();
    assert!(open.contains(from), "{from}: {open}");
    let open = open.replacen(from, to, 1);
    let sum = ringfence_core::digest::Digest::of(open.as_bytes());
    format!("{open},\"sum\":\"{sum}\"}}\n")
}

#[test]
fn what_is_not_the_same_is_named() {
    let rig = rig();
    assert_eq!(gate(&rig, &["fuel"], &["--record"]).exit, Exit::Done);
    rig.commit();
    let args = [
        "--receipt",
        "receipts.jsonl",
        "--fuel-regression",
        "5%",
        "--format",
        "json",
    ];
    assert_eq!(gate(&rig, &[], &args).exit, Exit::Done);
    assert_eq!(replay(&rig, &[]).0, 0);
    let line = rig.read("receipts.jsonl");
    let value: Value = serde_json::from_str(&line).unwrap();
    let fuel = format!("\"fuel\":{}", value["gates"][1]["fuel"]);
    let component = value["gates"][0]["component"].as_str().unwrap();
    let tree = value["head"]["tree"].as_str().unwrap();
    let commit = value["head"]["commit"].as_str().unwrap();
    let foreign = "a".repeat(40);
    let other = format!("blake3:{}", "0".repeat(64));
    for (from, to, exit, expect) in [
        (
            "\"outcome\":\"passed\"",
            "\"outcome\":\"failed\"",
            1,
            "outcome was failed, is passed",
        ),
        (
            fuel.as_str(),
            "\"fuel\":17",
            1,
            "diff-size: fuel was 17, is",
        ),
        ("prices", "costs", 1, "engine"),
        (
            "\"ruling\":\"pass\"",
            "\"ruling\":\"fail\"",
            1,
            "md-links: ruling",
        ),
        (component, other.as_str(), 2, "md-links: component"),
        ("ringfence-gates.toml", "gates.toml", 2, "gates.toml"),
        (
            "\"gate\":\"md-links\"",
            "\"gate\":\"links\"",
            2,
            "links: gate was there, is nothing",
        ),
        (tree, foreign.as_str(), 2, "does not have the tree"),
        (commit, foreign.as_str(), 2, "is not in this repository"),
        ("\"clock\":", "\"clock\":9999", 2, "no second"),
        (
            "\"fail_on\":\"error\"",
            "\"fail_on\":\"note\"",
            0,
            "the same",
        ),
    ] {
        rig.write("receipts.jsonl", &forged(&line, from, to));
        let (code, said) = replay(&rig, &[]);
        assert!(
            code == exit && said.contains(expect),
            "{from}: {code} {said}"
        );
    }
    rig.write("receipts.jsonl", &line);
    halve(&rig);
    let (exit, said) = replay(&rig, &[]);
    assert!(exit == 2 && said.contains("fuel file"), "{said}");
    rig.git(&["checkout", "-q", "."]);
    rig.edit(
        "ringfence-gates.toml",
        "std:diff-size\"",
        "std:diff-size\"\nconfig = { max_lines = 9 }",
    );
    let (exit, said) = replay(&rig, &[]);
    assert!(
        exit == 2 && said.contains("gates file") && said.contains("config"),
        "{said}"
    );
}

#[test]
fn a_receipt_of_something_else_is_refused() {
    let rig = rig();
    let args = ["--receipt", "receipts.jsonl", "--format", "json"];
    assert_eq!(gate(&rig, &[], &args).exit, Exit::Done);
    let line = rig.read("receipts.jsonl");
    // The same rules in another repository.
    let other = Rig::folder();
    for file in ["ringfence-gates.toml", "ringfence.lock", "receipts.jsonl"] {
        other.write(file, &rig.read(file));
    }
    other.git(&["init", "-q", "-b", "main"]);
    other.commit();
    let (exit, said) = replay(&other, &[]);
    assert!(
        exit == 2 && said.contains("not in this repository"),
        "{said}"
    );

    let cut = line.get(..line.len() - 20).unwrap();
    for (text, expect) in [
        (String::new(), "no line 1"),
        ("\n".to_owned(), "sum"),
        (cut.to_owned(), "sum"),
        ("null\n".to_owned(), "sum"),
        (line.replace("\"exit\":0", "\"exit\":1"), "sum"),
        (format!("{}\n", "[".repeat(2 << 20)), "bytes"),
        (
            forged(&line, "ringfence-gates.toml", "/etc/passwd"),
            "no receipt",
        ),
        (
            forged(&line, "ringfence-gates.toml", "../gates.toml"),
            "no receipt",
        ),
        (forged(&line, "\"v\":1", "\"v\":7"), "version 7"),
        (forged(&line, "\"exit\":0", "\"exit\":\"0\""), "no receipt"),
    ] {
        rig.write("receipts.jsonl", &text);
        let (exit, said) = replay(&rig, &[]);
        assert!(exit == 2 && said.contains(expect), "{expect}: {said}");
    }
    // A torn line stays, and nothing is hidden behind it.
    rig.write("receipts.jsonl", cut);
    let ran = gate(&rig, &[], &args);
    assert_eq!(
        (ran.exit, rig.read("receipts.jsonl").as_str()),
        (Exit::Usage, cut)
    );
    std::fs::remove_file(rig.top().join("receipts.jsonl")).unwrap();
    std::os::unix::fs::symlink("ringfence-gates.toml", rig.top().join("receipts.jsonl")).unwrap();
    assert_ne!(gate(&rig, &[], &args).exit, Exit::Done);
    assert_eq!(rig.read("ringfence-gates.toml"), GATES);
}

#[test]
fn receipts_of_many_runs_at_once_are_whole() {
    let rig = rig();
    let args = ["--receipt", "one.jsonl", "--format", "json"];
    assert_eq!(gate(&rig, &[], &args).exit, Exit::Done);
    let (_, receipt) = read_receipt(&rig.top().join("one.jsonl"), Which::Last).unwrap();
    let path = rig.top().join("many.jsonl");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    append_receipt(&path, &receipt).unwrap();
                }
            });
        }
    });
    let text = rig.read("many.jsonl");
    assert_eq!(text.lines().count(), 80);
    let line = receipt.line().unwrap();
    assert!(text.lines().all(|found| found == line));
}
