//! What docs/ci.md shows, as far as it can be run without the services it is for: the action's script, and the hooks.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::rig::{PROGRAM, Rig, environment, root};

const TOKEN: &str = "ghp_0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1w2";

/// A repository with gates on `main`, and a folder of programs that has `ringfence`.
fn rig() -> (Rig, PathBuf) {
    let rig = Rig::folder();
    rig.git(&["init", "-q", "-b", "main"]);
    fs::write(rig.top().join("a.md"), "# A\n").unwrap();
    let ran = rig.run(&["gate", "init"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    commit(&rig, "a beginning");
    let programs = rig.home().join("programs");
    fs::create_dir(&programs).unwrap();
    symlink(PROGRAM, programs.join("ringfence")).unwrap();
    (rig, programs)
}

fn commit(rig: &Rig, message: &str) -> String {
    rig.git(&["add", "-A"]);
    rig.git(&["commit", "-q", "--no-verify", "-m", message]);
    rig.git(&["rev-parse", "HEAD"]).trim().to_owned()
}

fn run(rig: &Rig, programs: &Path, command: &mut Command) -> Output {
    run_in(rig, &rig.top(), programs, command)
}

fn run_in(rig: &Rig, dir: &Path, programs: &Path, command: &mut Command) -> Output {
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", programs.display());
    command
        .current_dir(dir)
        .env_clear()
        .envs(environment(&rig.home()))
        .env("PATH", path)
        .output()
        .unwrap()
}

/// The block of docs/ci.md that holds `what`.
fn block(what: &str) -> String {
    let text = fs::read_to_string(root().join("docs/ci.md")).unwrap();
    let found = text.split("```").find(|block| block.contains(what));
    let block = found.unwrap_or_else(|| panic!("no block with {what}"));
    block.split_once('\n').unwrap().1.to_owned()
}

fn hook(rig: &Rig, name: &str) {
    let path = rig.top().join(".git/hooks").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, block(&format!(".git/hooks/{name}"))).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_action_annotates_and_ends_as_the_gates_do() {
    let (rig, programs) = rig();
    let base = rig.git(&["rev-parse", "HEAD"]).trim().to_owned();
    rig.write("b.md", "# B, see [a](a.md)\n");
    let good = commit(&rig, "a good one");
    rig.write("b.md", &format!("# B\n\ntoken = \"{TOKEN}\"\n"));
    // What would let it pass stands in the change itself.
    rig.write(
        "ringfence-gates.toml",
        "[[gate]]\nplugin = \"std:md-links\"\n",
    );
    let bad = commit(&rig, "a bad one");
    let pushed = |base: &str, head: &str, args: &str, push: [&str; 2]| {
        let (summary, output) = (rig.home().join("summary"), rig.home().join("output"));
        let sarif = rig.top().join("gates.sarif");
        for file in [&summary, &output] {
            fs::write(file, "").unwrap();
        }
        fs::write(&sarif, "brought along").unwrap();
        let mut command = Command::new("bash");
        command.arg(root().join(".github/actions/gate/run.sh"));
        let path = std::env::var("PATH").unwrap();
        let ended = command
            .current_dir(rig.top())
            .env_clear()
            .envs(environment(&rig.home()))
            .env("PATH", path)
            .env("RINGFENCE", programs.join("ringfence"))
            .envs([("BASE", base), ("HEAD", head), ("ARGS", args)])
            .envs([
                ("DEFAULT_BRANCH", "main"),
                ("BEFORE", push[0]),
                ("REF", push[1]),
            ])
            .env("SARIF", &sarif)
            .env("GITHUB_STEP_SUMMARY", &summary)
            .env("GITHUB_OUTPUT", &output)
            .output()
            .unwrap();
        let read = |file: &Path| fs::read_to_string(file).unwrap_or_default();
        let out = String::from_utf8(ended.stdout).unwrap();
        let code = ended.status.code().unwrap();
        assert_eq!(read(&output), format!("exit-code={code}\n"));
        (code, out, read(&summary), read(&sarif))
    };
    let step = |base: &str, head: &str, args: &str| pushed(base, head, args, [""; 2]);
    let (code, _, summary, sarif) = step(&base, &good, "");
    assert_eq!(code, 0);
    assert!(summary.contains("md-links"), "{summary}");
    let sarif: serde_json::Value = serde_json::from_str(&sarif).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let (code, out, summary, sarif) = step(&base, &bad, "");
    assert_eq!(code, 1, "{out}");
    assert!(
        out.contains("::error ") && out.contains("file=b.md"),
        "{out}"
    );
    for text in [&out, &summary, &sarif] {
        assert!(!text.contains(TOKEN), "{text}");
    }
    assert_eq!(step(&base, &bad, "--only\nmd-links\n").0, 0);
    // What ends without a report says so where people look, and leaves none of somebody else's.
    let unjudged = |base: &str, push: [&str; 2], said: &str| {
        let (code, out, summary, sarif) = pushed(base, &bad, "", push);
        assert_eq!((code, sarif.as_str()), (2, ""), "{base}: {out}");
        assert!(
            out.contains("::error title=ringfence gate::") && summary.contains(said),
            "{base}: {out} {summary}"
        );
    };
    unjudged("", [""; 2], "`base:`");
    unjudged("nowhere", [""; 2], "\"nowhere\" is not known");
    // A push is judged from where its branch left the default branch, by the rules of that, be it the first or a later one.
    let (zeros, topic) = ("0".repeat(40), "refs/heads/topic");
    unjudged("", [&zeros, topic], "refs/remotes/origin/main");
    rig.git(&["update-ref", "refs/remotes/origin/main", &base]);
    for before in [&zeros, &good, &bad] {
        let (code, out, ..) = pushed("", &bad, "", [before, topic]);
        assert!(code == 1 && out.contains("file=b.md"), "{before}: {out}");
        assert_eq!(pushed("", &good, "", [before, topic]).0, 0, "{before}");
    }
    // What stood on the default branch went through its gates.
    let main = "refs/heads/main";
    assert_eq!(pushed("", &bad, "", [&base, main]).0, 1);
    assert_eq!(pushed("", &bad, "", [&good, main]).0, 1);
    assert_eq!(pushed("", &good, "", [&base, main]).0, 0);
    unjudged("", [&zeros, main], "`base:`");
    // A base that somebody names is the base.
    assert_eq!(pushed(&base, &good, "", [&bad, topic]).0, 0);
}

#[test]
fn the_action_chooses_no_place_to_begin_from() {
    let (rig, programs) = rig();
    // Each of two branches was merged into the other: both first commits are where they met.
    let main = |rig: &Rig| rig.git(&["rev-parse", "HEAD"]).trim().to_owned();
    rig.write("m.md", "# M\n");
    let one = commit(&rig, "one");
    rig.git(&["checkout", "-q", "-b", "topic", "HEAD^"]);
    rig.write("t.md", "# T\n");
    let two = commit(&rig, "two");
    rig.git(&["merge", "-q", "-m", "from main", &one]);
    let head = main(&rig);
    rig.git(&["checkout", "-q", "main"]);
    rig.git(&["merge", "-q", "--no-ff", "-m", "from topic", &two]);
    rig.git(&["update-ref", "refs/remotes/origin/main", &main(&rig)]);
    let (summary, output) = (rig.home().join("summary"), rig.home().join("output"));
    let mut command = Command::new("bash");
    command
        .arg(root().join(".github/actions/gate/run.sh"))
        .env_clear()
        .envs(environment(&rig.home()))
        .env("PATH", std::env::var("PATH").unwrap())
        .env("RINGFENCE", programs.join("ringfence"))
        .envs([("BEFORE", "0".repeat(40)), ("HEAD", head)])
        .envs([("REF", "refs/heads/topic"), ("DEFAULT_BRANCH", "main")])
        .env("GITHUB_STEP_SUMMARY", &summary)
        .env("GITHUB_OUTPUT", &output);
    let ended = command.current_dir(rig.top()).output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    let summary = fs::read_to_string(summary).unwrap();
    assert!(summary.contains("in more than one place"), "{summary}");
}

#[test]
fn the_action_keeps_a_program_by_what_it_is_made_of() {
    let rig = Rig::folder();
    let action = rig.top().join(".github/actions/gate");
    fs::create_dir_all(&action).unwrap();
    let digest = || {
        let output = rig.home().join("output");
        fs::write(&output, "").unwrap();
        let ended = Command::new("bash")
            .arg(root().join(".github/actions/gate/program.sh"))
            .env("GITHUB_ACTION_PATH", &action)
            .env("GITHUB_OUTPUT", &output)
            .output()
            .unwrap();
        assert!(ended.status.success());
        let text = fs::read_to_string(output).unwrap();
        let digest = text.trim().strip_prefix("digest=").unwrap().to_owned();
        assert_eq!(digest.len(), 64);
        digest
    };
    rig.write("Cargo.lock", "one");
    let one = digest();
    assert_eq!(digest(), one);
    rig.write("target/x", "built");
    assert_eq!(digest(), one);
    rig.write("src/a b.rs", "");
    assert_ne!(digest(), one);
}

#[test]
fn the_pre_commit_hook_lets_no_secret_in() {
    let (rig, programs) = rig();
    hook(&rig, "pre-commit");
    let commit = |message: &str| {
        let mut command = Command::new("git");
        run(
            &rig,
            &programs,
            command.args(["commit", "-q", "-m", message]),
        )
    };
    rig.write("b.md", "# B\n");
    rig.git(&["add", "-A"]);
    let ended = commit("fine");
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    rig.write("c.md", &format!("token = \"{TOKEN}\"\n"));
    rig.git(&["add", "-A"]);
    assert!(!commit("not fine").status.success());
    assert_eq!(rig.git(&["log", "-1", "--format=%s"]).trim(), "fine");
}

#[test]
fn the_pre_commit_hook_judges_what_is_committed_however_it_is_named() {
    let (rig, programs) = rig();
    hook(&rig, "pre-commit");
    rig.write("b.md", "# B\n");
    commit(&rig, "a file");
    let linked = rig.home().join("linked");
    let added = [
        "worktree",
        "add",
        "-q",
        "--detach",
        linked.to_str().unwrap(),
    ];
    rig.git(&added);
    let token = format!("token = \"{TOKEN}\"\n");
    for dir in [rig.top(), linked] {
        let run = |text: &str, args: &[&str], input: &str| {
            fs::write(dir.join("b.md"), text).unwrap();
            let mut git = Command::new("git");
            git.args(["commit", "-q", "-m", "x"]).args(args);
            let file = rig.home().join("input");
            fs::write(&file, input).unwrap();
            git.stdin(fs::File::open(file).unwrap());
            run_in(&rig, &dir, &programs, &mut git).status.success()
        };
        for (args, input) in [
            (&["-a"][..], ""),
            (&["b.md"], ""),
            (&["-i", "b.md"], ""),
            (&["--amend", "-a"], ""),
            (&["-p"], "y\n"),
        ] {
            let text = format!("# B\n\n{args:?}\n");
            assert!(run(&text, args, input), "{args:?}");
            assert!(!run(&(text + &token), args, input), "{args:?}");
            rig.git(&["-C", dir.to_str().unwrap(), "reset", "-q"]);
        }
        // What stays behind is not judged.
        let mut add = Command::new("git");
        fs::write(dir.join("c.md"), &token).unwrap();
        assert!(
            run_in(&rig, &dir, &programs, add.args(["add", "c.md"]))
                .status
                .success()
        );
        assert!(run("# B, alone\n", &["b.md"], ""));
        assert!(!run("# B, with it\n", &["-a"], ""));
    }
}

#[test]
fn the_pre_push_hook_lets_no_secret_out() {
    let (rig, programs) = rig();
    let remote = rig.home().join("remote.git");
    let remote = remote.to_str().unwrap();
    rig.git(&["init", "-q", "--bare", "-b", "main", remote]);
    rig.git(&["remote", "add", "origin", remote]);
    rig.git(&["push", "-q", "origin", "main"]);
    hook(&rig, "pre-push");
    let push = |what: &str| {
        let mut command = Command::new("git");
        let command = command
            .args(["push", "-q", "origin", what])
            .stdin(Stdio::null());
        run(&rig, &programs, command)
    };
    rig.git(&["checkout", "-q", "-b", "topic"]);
    rig.write("b.md", "# B\n");
    commit(&rig, "fine");
    let ended = push("topic");
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    rig.write("c.md", &format!("token = \"{TOKEN}\"\n"));
    commit(&rig, "not fine");
    assert!(!push("topic").status.success());
    assert!(!push("topic:other").status.success());
    // Taking a branch away judges nothing.
    assert!(push(":topic").status.success());
}

#[test]
fn the_pre_push_hook_finds_what_a_branch_is_compared_with() {
    let (rig, programs) = rig();
    hook(&rig, "pre-push");
    let remote = |name: &str, branch: &str| {
        let path = rig.home().join(format!("{name}.git"));
        let path = path.to_str().unwrap();
        rig.git(&["init", "-q", "--bare", "-b", branch, path]);
        rig.git(&["remote", "add", name, path]);
    };
    let push = |remote: &str, what: &str| {
        let mut command = Command::new("git");
        let command = command.args(["push", "-q", remote, what]);
        let ended = run(&rig, &programs, command.stdin(Stdio::null()));
        let said = String::from_utf8(ended.stderr).unwrap();
        (ended.status.success(), said)
    };
    // Nothing is there to compare with: everything counts.
    remote("empty", "main");
    rig.git(&["checkout", "-q", "-b", "topic"]);
    rig.write("c.md", &format!("token = \"{TOKEN}\"\n"));
    commit(&rig, "not fine");
    let (done, said) = push("empty", "topic");
    assert!(!done && said.contains("every file is judged"), "{said}");
    let (done, said) = push("empty", "main");
    assert!(done, "{said}");
    assert!(!push("empty", "topic").0);
    // A remote whose branch is called otherwise.
    remote("other", "trunk");
    let (done, said) = push("other", "main:trunk");
    assert!(done, "{said}");
    let (done, said) = push("other", "topic");
    assert!(!done && said.contains("set-head other"), "{said}");
    rig.git(&["remote", "set-head", "other", "trunk"]);
    let (done, said) = push("other", "topic");
    assert!(!done && !said.contains("set-head"), "{said}");
    rig.git(&["checkout", "-q", "-b", "fine", "main"]);
    rig.write("b.md", "# B\n");
    commit(&rig, "fine");
    let (done, said) = push("other", "fine");
    assert!(done, "{said}");
}

#[test]
fn native_programs_run_before_the_gates_and_confined() {
    let (rig, _) = rig();
    let gates = |more: &str| {
        let command = format!(
            "[command.check]\nargv = [\"sh\", \"-c\", \"test -f b.md && ! test -e $HOME/.ssh\"]\n{more}"
        );
        format!(
            "{command}[[gate]]\nplugin = \"std:commands\"\nconfig = {{ commands = [\"check\"] }}\n"
        )
    };
    rig.write("ringfence-gates.toml", &gates(""));
    assert_eq!(rig.run(&["gate", "check", "--write-lock"]).code, 0);
    commit(&rig, "a command");
    rig.write("c.md", "# C\n");
    let ran = rig.run(&["gate", "--format", "json"]);
    assert_eq!(ran.code, 1, "{} {}", ran.out, ran.err);
    rig.write("b.md", "# B\n");
    let ran = rig.run(&["gate", "--format", "json"]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["commands"][0]["confinement"], "full");
    assert_eq!(report["commands"][0]["side"], "after");
    // What is to be shown and is not there is a mistake of the file, and nothing runs.
    rig.write("ringfence-gates.toml", &gates("system = [\"/opt/none\"]\n"));
    let ran = rig.run(&["gate"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    let why = "command check: the directory /opt/none is not there";
    assert!(
        ran.err.contains(why) && ran.err.contains("help:"),
        "{}",
        ran.err
    );
    // A repository cannot have a program run with the rights of whoever judges it.
    rig.write("ringfence-gates.toml", &gates("sandbox = \"none\"\n"));
    let ran = rig.run(&["gate"]);
    assert!(
        ran.code == 2 && ran.err.contains("--allow-unconfined"),
        "{}",
        ran.err
    );
    assert_eq!(rig.run(&["gate", "--allow-unconfined"]).code, 1);
}

#[test]
fn answers_that_were_brought_along_are_not_believed() {
    let (rig, _) = rig();
    rig.write("a.md", "# A, again\n");
    let known = |rig: &Rig| {
        let ran = rig.run(&["gate", "--format", "json"]);
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        let gates = report["gates"].as_array().unwrap().clone();
        let known: Vec<_> = gates
            .iter()
            .map(|gate| gate["receipt"]["memo"].clone())
            .collect();
        (ran.code, known)
    };
    assert_eq!(known(&rig), (0, vec![json!(false); 5]));
    assert_eq!(known(&rig), (0, vec![json!(true); 5]));
    let copy = Rig::folder();
    let from = rig.top().join(".");
    let mut copied = copy.hermetic("cp");
    copied.arg("-a").arg(from).arg(".");
    assert!(copied.status().unwrap().success());
    assert!(copy.path(".git/ringfence-state/gates.d/memo").is_dir());
    assert_eq!(known(&copy), (0, vec![json!(false); 5]));
}

/// The workflows are read by nobody here; that they have the words that matter is all that can be said.
#[test]
fn what_a_gate_cannot_see_has_no_part_in_its_answer() {
    let (rig, _) = rig();
    let gates = rig.read("ringfence-gates.toml");
    let noise = "[command.noise]\nargv = [\"date\", \"+%N\"]\n";
    let gates = format!(
        "{gates}\n[[gate]]\nplugin = \"std:commands\"\nconfig = {{ commands = [\"noise\"] }}\n{noise}"
    );
    rig.write("ringfence-gates.toml", &gates);
    assert_eq!(rig.run(&["gate", "check", "--write-lock"]).code, 0);
    commit(&rig, "a program that never says the same twice");
    rig.write("a.md", "# A, again\n");
    let known = || {
        let ran = rig.run(&["gate", "--format", "json"]);
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(ran.code, 0, "{report:#}");
        let gates = report["gates"].as_array().unwrap().clone();
        let known = gates.iter().filter(|gate| gate["receipt"]["memo"] == true);
        let known = known.map(|gate| gate["gate"].as_str().unwrap().to_owned());
        (known.collect::<Vec<_>>(), gates.len())
    };
    assert_eq!(known(), (vec![], 6));
    let (again, all) = known();
    assert_eq!(again.len(), all - 1, "{again:?}");
    assert!(!again.contains(&"commands".to_owned()));
}

#[test]
fn more_files_start_no_more_programs() {
    let (rig, programs) = rig();
    let which = Command::new("sh").args(["-c", "command -v git"]).output();
    let git = String::from_utf8(which.unwrap().stdout).unwrap();
    let calls = programs.join("calls");
    let script = format!(
        "#!/bin/sh\necho >>{}\nexec {} \"$@\"\n",
        calls.display(),
        git.trim()
    );
    fs::write(programs.join("git"), script).unwrap();
    fs::set_permissions(programs.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    let started = |files: u32| {
        for number in 0..files {
            rig.write(
                &format!("tests/{number}.rs"),
                "#[test]\nfn it() { assert!(true); }\n",
            );
        }
        commit(&rig, "before");
        for number in 0..files {
            let test = format!("#[test]\nfn it() {{ assert!({files} > 0); }}\n");
            rig.write(&format!("tests/{number}.rs"), &test);
        }
        commit(&rig, "after");
        let mut gate = Command::new(programs.join("ringfence"));
        gate.args(["gate", "--base", "HEAD~1", "--head", "HEAD"]);
        let ran = run(&rig, &programs, &mut gate);
        assert!(
            ran.status.success(),
            "{}",
            String::from_utf8_lossy(&ran.stdout)
        );
        let count = fs::read_to_string(&calls).unwrap().lines().count();
        fs::remove_file(&calls).unwrap();
        count
    };
    started(1);
    assert_eq!(started(2), started(50));
}

#[test]
fn the_workflows_name_what_there_is() {
    let action = fs::read_to_string(root().join(".github/actions/gate/action.yml")).unwrap();
    let workflow = block(".github/workflows/gates.yml");
    assert!(workflow.contains("/.github/actions/gate@") && workflow.contains("fetch-depth: 0"));
    assert!(action.contains("run.sh") && action.contains("host/cli"));
    assert!(action.contains("program.sh") && !action.contains("github.action_ref"));
    assert!(action.contains("github.event.merge_group.base_sha"));
    for input in [
        "BASE:",
        "HEAD:",
        "ARGS:",
        "SARIF:",
        "RINGFENCE:",
        "DEFAULT_BRANCH:",
    ] {
        assert!(action.contains(input), "{input}");
    }
    let gitlab = block(".gitlab-ci.yml");
    assert!(gitlab.contains("--rules-from") && gitlab.contains("GIT_DEPTH: 0"));
    // Nothing that a merge request can bring along is run.
    assert!(gitlab.contains("PROGRAM: /opt/") && !gitlab.contains("cache:"));
    let pre_commit = block(".pre-commit-config.yaml");
    assert!(pre_commit.contains("pass_filenames: false"));
}
