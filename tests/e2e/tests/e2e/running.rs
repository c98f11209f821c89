//! `ringfence run` as a process: stopped, killed, edited and bereft of its repository.
//!
//! `RINGFENCE_RUN_SECONDS` says how long the loop runs that is killed again and again; 20 seconds unless it is set.
//!
//! **Invariant:** what a test waits for is said by the program or found on the disk; a time is only ever a bound.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::loop_files::Troupe;
use crate::rig::{PROGRAM, Rig};

// Limit: a machine that is busy with everything else is slow, not stuck.
const PATIENCE: Duration = Duration::from_secs(120);

/// A scheduler under way.
struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    fn begin(rig: &Rig, args: &[&str]) -> Self {
        let mut command = rig.hermetic(PROGRAM);
        command.args(["run", "--format", "json"]).args(args);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next line that it writes; none when it has ended.
    fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line).unwrap();
        (read > 0).then(|| serde_json::from_str(&line).unwrap())
    }

    /// Reads on until something happens.
    fn until(&mut self, happens: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let line = self.line().unwrap();
            if happens(&line) {
                return line;
            }
            assert!(began.elapsed() < PATIENCE, "only others happened: {line}");
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Its exit code, and what it still had to say.
    fn end(mut self) -> (i32, Vec<Value>) {
        let last = std::iter::from_fn(|| self.line()).collect();
        (self.child.wait().unwrap().code().unwrap(), last)
    }

    /// Waits until a beat has begun and is not over.
    fn is_beating(rig: &Rig, name: &str) {
        let lock = rig.path(&format!(".git/ringfence-state/{name}/lock"));
        let began = Instant::now();
        while fs::metadata(&lock).map_or(0, |meta| meta.len()) == 0 {
            assert!(began.elapsed() < PATIENCE, "no beat begins");
            std::thread::yield_now();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.kill().is_ok() {
            self.child.wait().unwrap();
        }
    }
}

fn is(event: &'static str) -> impl Fn(&Value) -> bool {
    move |line| line["event"] == event
}

fn outcome(line: &Value) -> &str {
    line["outcome"]["kind"].as_str().unwrap()
}

fn each_second(rig: &Rig) {
    rig.edit("LOOP.md", "every = \"15m\"", "every = \"1s\"");
    rig.commit("faster");
}

#[test]
fn it_beats_until_it_is_stopped() {
    for (signal, code) in [(Signal::TERM, 0), (Signal::HUP, 0), (Signal::INT, 130)] {
        let rig = Rig::small_with_loop();
        each_second(&rig);
        let mut running = Running::begin(&rig, &[]);
        let first = running.until(is("beat"));
        assert_eq!(
            (outcome(&first), &first["loop"]),
            ("proposed", &"docs-links".into())
        );
        assert_eq!(outcome(&running.until(is("beat"))), "skipped");
        running.signal(signal);
        assert_eq!(running.end().0, code);
        assert_eq!(rig.run(&["journal", "verify"]).code, 0);
    }
}

/// A loop with a gate that takes seconds.
fn slow() -> Rig {
    let troupe = Troupe::default();
    let gate = "[[gate]]\nid = \"slow\"\nplugin = \"./hog.wasm\"\nconfig = { mode = \"spin\" }\n\
                limits = { fuel = \"900T\", deadline = \"5s\" }\n";
    let budget = "[budget]\nfuel_per_beat = \"1000T\"\nfuel_per_day = \"1000T\"\n+++\n";
    let text = troupe
        .loop_file()
        .replacen("[[gate]]", &format!("{gate}[[gate]]"), 1);
    let text = text.trim_end().trim_end_matches("+++");
    Rig::with_guests(&format!("{text}{budget}"), &["puppet", "hog"])
}

#[test]
fn a_beat_ends_before_its_next_step() {
    let rig = slow();
    let before = rig.git(&["for-each-ref"]);
    let running = Running::begin(&rig, &[]);
    Running::is_beating(&rig, "acts");
    running.signal(Signal::TERM);
    let (code, last) = running.end();
    assert_eq!((code, last.len()), (0, 1), "{last:?}");
    let class = &last[0]["outcome"]["class"];
    assert_eq!(
        (outcome(&last[0]), class),
        ("failed", &"interrupted".into())
    );
    assert_eq!(rig.git(&["for-each-ref"]), before);
    // It is as due as it was, and no failure that is waited for.
    let status = rig.run(&["status", "--format", "json"]).json();
    assert_eq!(status["next"]["next"], "free", "{status}");
    let told = rig.run(&["beat", "--if-due", "--dry-run"]);
    assert!(told.out.contains("slow"), "{}", told.out);
}

#[test]
fn the_second_signal_ends_it_at_once() {
    let rig = slow();
    let running = Running::begin(&rig, &[]);
    Running::is_beating(&rig, "acts");
    // The first one has to be taken in before the second.
    let began = Instant::now();
    let mut running = running;
    let code = loop {
        running.signal(Signal::INT);
        if let Some(status) = running.child.try_wait().unwrap() {
            break status.code();
        }
        assert!(began.elapsed() < PATIENCE);
        std::thread::yield_now();
    };
    assert_eq!(code, Some(130));
    let verified = rig.run(&["journal", "verify"]);
    assert_eq!(verified.code, 0, "{}", verified.out);
}

#[test]
fn edits_count_and_what_is_gone_is_told() {
    let rig = Rig::small_with_loop();
    each_second(&rig);
    let mut running = Running::begin(&rig, &[]);
    running.until(is("beat"));
    rig.edit("LOOP.md", "every =", "evrey =");
    let told = running.until(is("trouble"));
    assert_eq!(told["exit_code"], 2, "{told}");
    rig.edit("LOOP.md", "evrey =", "every =");
    running.until(is("beat"));
    fs::remove_dir_all(rig.top()).unwrap();
    let told = running.until(is("trouble"));
    assert!(
        told["message"].as_str().unwrap().contains("cannot be read"),
        "{told}"
    );
    assert!(!rig.top().exists(), "nothing is made anew");
    running.signal(Signal::TERM);
    assert_eq!(running.end().0, 0);
}

/// SplitMix64: enough to spread out some moments.
fn roll(seed: &mut u64, below: u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % below
}

#[test]
fn killed_again_and_again_it_ends_consistent() {
    let seconds = std::env::var("RINGFENCE_RUN_SECONDS").ok();
    let seconds: u64 = seconds.map_or(20, |text| text.parse().unwrap());
    let rig = Rig::small_with_loop();
    // Each beat that is killed has spent what it reserved, and a day of the usual budget is soon over.
    rig.edit("LOOP.md", "= \"2T\"", "= \"2000T\"");
    rig.edit(
        "LOOP.md",
        "beats_per_day     = 200",
        "beats_per_day = 80_000",
    );
    each_second(&rig);
    let (began, mut seed, mut rounds) = (Instant::now(), 7, 0_u64);
    while began.elapsed() < Duration::from_secs(seconds) || rounds < 3 {
        let mut running = Running::begin(&rig, &[]);
        // The world changes: one more link that leads nowhere, and can be mended.
        rig.write(&format!("notes/{rounds}.md"), "see the [guide](guide.md)\n");
        rig.commit("another page");
        // Sometimes right at the beginning, sometimes within or after a beat.
        let beats = roll(&mut seed, 3);
        for _ in 0..beats {
            running.until(is("beat"));
        }
        std::thread::sleep(Duration::from_millis(roll(&mut seed, 400)));
        running.signal(Signal::KILL);
        running.child.wait().unwrap();
        rounds += 1;
    }
    // A git that the last one had started may hold the lock a little longer, and then there is nothing to recover.
    let ended = loop {
        let ran = rig.run(&["run", "--once", "--format", "json"]);
        if ran.code != 4 {
            break ran;
        }
        assert!(began.elapsed() < PATIENCE + Duration::from_secs(seconds));
    };
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    let verified = rig.run(&["journal", "verify"]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    assert_eq!(rig.git(&["fsck", "--strict", "--no-dangling"]), "");
    assert_eq!(rig.git(&["status", "--porcelain"]), "");
    consistent(&rig);
}

/// Every branch is one that the journal tells of, once, and nothing lies about that was begun.
fn consistent(rig: &Rig) {
    let shown = rig.run(&["journal", "show", "-n", "100000", "--format", "json"]);
    let entries: Vec<Value> = serde_json::from_str(&shown.out).unwrap();
    let told = |kind: &str| {
        let of_kind = entries.iter().filter(|entry| entry["kind"] == kind);
        of_kind
            .map(|entry| entry["body"].clone())
            .collect::<Vec<_>>()
    };
    let ends = told("done").len() + told("recovered").len();
    assert_eq!(told("intent").len(), ends, "every intent has its end");
    let settled = told("done")
        .into_iter()
        .filter_map(|body| body["settled"].as_str().map(str::to_owned));
    let recovered = told("recovered")
        .into_iter()
        .filter_map(|body| body["found"]["settled"].as_str().map(str::to_owned));
    let mut commits: Vec<String> = settled.chain(recovered).collect();
    let refs = rig.git(&[
        "for-each-ref",
        "--format=%(objectname)",
        "refs/heads/ringfence/",
    ]);
    let mut found: Vec<String> = refs.lines().map(str::to_owned).collect();
    commits.sort();
    found.sort();
    assert_eq!(found, commits);
    assert!(!found.is_empty(), "it had something to do");
    let left: Vec<String> = fs::read_dir(rig.path(".git/ringfence-state/docs-links"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".tmp-") || name == "trash")
        .collect();
    assert_eq!(left, [""; 0]);
}
