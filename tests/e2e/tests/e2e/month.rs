//! A month of a loop whose decider and executor misbehave, each day in another way: the real driver, real components, real
//! git; only the clock is ours, and it skips from beat to beat.
//!
//! Besides the beats there is an operator who resumes the loop now and then. What was allowed is worked out once more from the
//! journal, entry by entry, and every refusal has to stand in what `ringfence journal show` prints.
//!
//! `RINGFENCE_MONTH_MINUTES` is the time from two beats to the next two: 120 minutes unless set; 15 takes some minutes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ringfence::std_plugins::StdPlugins;
use ringfence_core::decision::{Checked, CostRule};
use ringfence_core::failure::FailureClass;
use ringfence_core::guard::{Bite, BudgetLimits, Situated, holds};
use ringfence_core::journal::{
    Act, BeatReceipt, Body, DaySpend, Entry, LoopState, OperatorAct, Outcome, Settle, decode,
};
use ringfence_core::spec::parse;
use ringfence_runner::clock::{Clock, FakeClock};
use ringfence_runner::driver::{self, BeatError, BeatOptions, Seams, Surroundings};
use ringfence_runner::git::GitProgram;
use ringfence_runner::open_loop::{LockMode, OpenLoop};
use ringfence_runner::state_dir::StateDir;
use ringfence_runner::steps::NoSteps;
use ringfence_sandbox::{Sandbox, Settings};
use serde_json::{Value, json};

use crate::rig::Rig;

const DAYS: i64 = 31;
/// A midnight of the loop's time zone, before the day that has 23 hours.
const BEGIN: &str = "2026-03-09T23:00:00Z";
const SOON: SignedDuration = SignedDuration::from_secs(30);
const OPTIONS: BeatOptions = BeatOptions {
    dry_run: false,
    memo: true,
};

/// What a decider answers, with what it cost.
fn moves(item: Option<&str>, mut input: Value, money: f64) -> Value {
    input["$usage"] = json!({ "tokens": 100, "cost": money });
    let mut decision =
        json!({ "executor": "make", "action": "act", "input": input, "reason": "it is there" });
    if let Some(item) = item {
        decision["item"] = item.into();
    }
    json!({ "decision": decision })
}

/// As an inline table of TOML.
fn inline(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(key, value)| format!("{key:?} = {}", inline(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Array(values) => {
            let values = values.iter().map(inline);
            format!("[{}]", values.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn noop(next_in: u32, usage: &str) -> Value {
    json!({ "decision": { "executor": "none", "reason": "quiet", "next_in": next_in }, "raw_input": usage })
}

const USAGE: &str = "{\"$usage\":{\"tokens\":100,\"cost\":0.05}}";

/// The loop file of a day: a misbehaviour each, in turn.
fn loop_file(day: i64) -> String {
    let new = json!({ "writes": [[format!("docs/day-{day}.md"), format!("# Day {day}\n")]] });
    let (item, other) = (format!("job-{day}"), format!("other-{day}"));
    let mut gate = json!({ "verdict": { "ruling": "pass", "summary": "looks well" } });
    let decider = match day % 11 {
        0 => moves(Some(&item), new, 0.05),
        // Says nothing of what it cost.
        1 => noop(5, "{}"),
        // Writes where it may not, and goes on as if nothing were.
        2 => moves(
            None,
            json!({ "writes": [["src/main.rs", "evil"], ["docs/secret/key", "evil"], ["docs/ok.md", "ok"]], "lenient": true }),
            0.05,
        ),
        3 => json!({ "panic": "at the disco" }),
        // Works for nothing until it is stopped.
        4 => moves(Some(&item), json!({ "burn": 1_000_000_000_u64 }), 0.05),
        // A gate says no, always for the same reason.
        5 => {
            gate = json!({ "verdict": { "ruling": "fail", "summary": "no", "findings": [{ "severity": "error", "rule": "bad", "message": format!("bad on day {day}") }] } });
            moves(Some(&item), new, 0.05)
        }
        // Asks to be woken all the time, and later never.
        6 => noop(if day < 11 { 5 } else { 0 }, USAGE),
        // Spends more than it may.
        7 => moves(Some(&item), new, 3.0),
        // The same change, again and again, for no item.
        8 => moves(
            None,
            json!({ "writes": [["docs/same.md", "same\n"]] }),
            0.05,
        ),
        // Calls somebody who is not there, for somebody who is not there.
        9 => {
            json!({ "decision": { "item": "nobody", "executor": "nobody", "action": "act", "input": {}, "reason": "r" } })
        }
        // Takes what is dearest, as often as it may, for one item and no other.
        _ => moves(Some(&other), new, 0.5),
    };
    let sensor = json!({ "observation": { "signal": day % 3, "items": [
        { "id": item, "title": "A job" }, { "id": other, "title": "Another" } ] } });
    format!(
        r#"+++
loop = "month"
level = "L2"
[paths]
write = ["docs/**"]
deny = ["docs/secret/**"]
[[sensor]]
id = "look"
plugin = "./puppet.wasm"
config = {}
[decider]
id = "pick"
plugin = "./puppet.wasm"
config = {}
cost = {{ tokens = "/usage/tokens", money = "/usage/cost" }}
limits = {{ fuel = "100M" }}
[[executor]]
id = "make"
plugin = "./puppet.wasm"
limits = {{ fuel = "500M" }}
[[gate]]
id = "watch"
plugin = "./puppet.wasm"
config = {}
limits = {{ fuel = "100M" }}
[budget]
fuel_per_beat = "1G"
fuel_per_day = "3G"
beats_per_day = 8
proposals_per_day = 7
tokens_per_beat = 100
tokens_per_day = 700
money_per_beat = "0.50"
money_per_day = "2.00"
attempts_per_item = 3
timezone = "Europe/Berlin"
+++
"#,
        inline(&sensor),
        inline(&decider),
        inline(&gate)
    )
}

struct Month {
    rig: Rig,
    program: GitProgram,
    sandbox: Sandbox,
    clock: FakeClock,
}

impl Month {
    fn new() -> Self {
        let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("e2e-cache/ringfence");
        let settings = Settings {
            cache: Some(cache),
            ..Settings::default()
        };
        Self {
            rig: Rig::with_guests(&loop_file(0), &["puppet"]),
            program: GitProgram::find(&std::env::var_os("PATH").unwrap(), &[]).unwrap(),
            sandbox: Sandbox::new(settings).unwrap(),
            clock: FakeClock::at(BEGIN.parse().unwrap()),
        }
    }

    fn open(&self) -> OpenLoop {
        OpenLoop::open(&self.program, &self.rig.top(), None).unwrap()
    }

    /// A day of beats under its own loop file.
    fn day(&self, day: i64, step: SignedDuration) {
        self.rig.write("LOOP.md", &loop_file(day));
        let open = self.open();
        let locked = open.lock(&StdPlugins, LockMode::Write).unwrap();
        let around = Surroundings {
            sandbox: &self.sandbox,
            clock: &self.clock,
            steps: &NoSteps,
            config_dir: None,
        };
        let end = BEGIN.parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * (day + 1));
        while self.clock.now() < end {
            // Beats come in twos: the second one soon, when most of them have to wait.
            for pause in [SOON, step - SOON] {
                driver::beat(&open, &locked, OPTIONS, around, &mut |_| {}).unwrap();
                self.clock.advance(pause);
            }
        }
    }

    /// Somebody has a look and lets the loop go on.
    fn resume(&self) {
        let open = self.open();
        let dir = StateDir::open(&open.project).unwrap();
        let dir = dir.open_loop(&open.spec.loop_id).unwrap();
        let seams = Seams {
            clock: &self.clock,
            steps: &NoSteps,
        };
        let body = Body::Operator(OperatorAct {
            by: "ann".to_owned(),
            reason: "had a look".to_owned(),
            act: Act::Resume,
        });
        driver::note(&dir, &open.timezone, seams, Duration::ZERO, |_| {
            Ok::<_, BeatError>(vec![body])
        })
        .unwrap();
    }

    fn entries(&self) -> Vec<Entry> {
        let journal = self.rig.path(".git/ringfence-state/month/journal.jsonl");
        decode(&fs::read(journal).unwrap()).unwrap().entries
    }
}

/// What a month may contain, worked out from its journal alone.
struct Auditor {
    limits: BudgetLimits,
    zone: TimeZone,
    state: LoopState,
    /// The state in which the beat under way began.
    before: Option<LoopState>,
    seen: BTreeSet<String>,
    over: BTreeMap<Date, DaySpend>,
}

impl Auditor {
    fn new() -> Self {
        let (spec, _) = parse(&loop_file(0), "LOOP.md").unwrap();
        Self {
            limits: spec.budget.limits(),
            zone: TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap(),
            state: LoopState::default(),
            before: None,
            seen: BTreeSet::new(),
            over: BTreeMap::new(),
        }
    }

    fn add(&mut self, entry: &Entry) {
        match &entry.body {
            Body::Beat(receipt) => self.judge(receipt, entry.at),
            Body::Intent(intent) => assert!(self.may_propose(intent.settle, entry.at)),
            Body::Recovered(_) | Body::Drill(_) | Body::Notice(_) => panic!("{entry:?}"),
            Body::Reserve(_) => self.before = Some(self.state.clone()),
            Body::Done(_) | Body::Operator(_) => {}
        }
        self.state.add(entry, &self.zone);
        for (day, spent) in &self.state.days {
            // What a liar says it has spent more than it may is spent; no more than that.
            let spent_by_liars = self.over.get(day).copied().unwrap_or_default();
            let limits = &self.limits;
            assert!(spent.fuel <= limits.fuel_per_day, "{day}: {spent:?}");
            assert!(spent.beats <= limits.beats_per_day, "{day}: {spent:?}");
            assert!(spent.proposals <= limits.proposals_per_day.unwrap());
            assert!(spent.tokens <= limits.tokens.unwrap().per_day);
            let money = spent.money.minus(spent_by_liars.money);
            assert!(money.0 <= limits.money.unwrap().per_day, "{day}: {spent:?}");
        }
    }

    /// What holds the loop back, by what stands in the journal so far.
    fn holds(&self, receipt: Option<&BeatReceipt>, at: Timestamp) -> Vec<Bite> {
        let now = at.to_zoned(self.zone.clone());
        let meter = receipt
            .and_then(|receipt| receipt.cost.as_ref())
            .map_or_else(
                || CostRule::Free.meter(&ringfence_core::digest::Digest::of(b"")),
                |cost| cost.meter,
            );
        let setup = receipt.map_or(meter, |receipt| receipt.setup);
        let situated = Situated {
            state: self.before.as_ref().unwrap_or(&self.state),
            limits: &self.limits,
            pace: &ringfence_core::guard::Pace::default(),
            settle: Settle::Propose,
            setup: &setup,
            meter: &meter,
            freeze: None,
            now: &now,
        };
        holds(&situated).into_iter().map(|hold| hold.bite).collect()
    }

    fn may_propose(&self, settle: Settle, at: Timestamp) -> bool {
        settle == Settle::Shadow || !self.holds(None, at).contains(&Bite::ShadowOnly)
    }

    fn judge(&mut self, receipt: &BeatReceipt, at: Timestamp) {
        let holds = self.holds(Some(receipt), receipt.started);
        let waits = holds.iter().any(|bite| matches!(bite, Bite::Wait(_)));
        if receipt.attempted {
            assert!(!waits, "beat {} decided all the same", receipt.beat);
        }
        let settled = matches!(
            receipt.outcome,
            Outcome::Proposed { .. } | Outcome::Shadowed { .. }
        );
        if let Some(Checked::Move(mv)) = &receipt.decision {
            let given_up = |item| self.state.item(item, &receipt.setup).escalated(3);
            assert_eq!(mv.item.as_ref().and_then(given_up), None);
            let files = receipt.change.iter().flat_map(|change| &change.files);
            for file in files.filter(|_| settled) {
                let path = file.path.as_str();
                assert!(
                    path.starts_with("docs/") && !path.starts_with("docs/secret"),
                    "{path}"
                );
            }
        }
        assert!(!settled || receipt.failure.is_none());
        let says_too_much = |failure: &ringfence_core::failure::Failure| {
            failure.class == FailureClass::Budget && failure.message.contains("the decider used")
        };
        if receipt.failure.as_ref().is_some_and(says_too_much) {
            let day = self
                .over
                .entry(at.to_zoned(self.zone.clone()).date())
                .or_default();
            day.money = day.money.plus(receipt.cost.as_ref().unwrap().money);
        }
        self.seen.insert(match &receipt.outcome {
            Outcome::Waiting { cause, .. } => format!("waiting {cause:?}"),
            Outcome::Failed { class, .. } => format!("failed {class}"),
            other => other.kind().to_owned(),
        });
        self.before = None;
    }
}

fn step() -> SignedDuration {
    let minutes = std::env::var("RINGFENCE_MONTH_MINUTES").ok();
    let minutes = minutes.map_or(120, |minutes| minutes.parse().unwrap());
    SignedDuration::from_mins(minutes)
}

#[test]
fn a_month_of_misbehaviour_stays_within_its_bounds_and_is_explained() {
    let month = Month::new();
    let head = month.rig.git(&["rev-parse", "HEAD"]);
    for day in 0..DAYS {
        if day % 3 == 0 {
            month.resume();
        }
        month.day(day, step());
    }
    let entries = month.entries();
    let mut auditor = Auditor::new();
    for entry in &entries {
        auditor.add(entry);
    }
    for expect in [
        "skipped",
        "nothing-to-do",
        "proposed",
        "shadowed",
        "discarded",
        "escalated",
        "waiting Backoff",
        "waiting Budget",
        "waiting Paused",
        "waiting Unmetered",
        "failed trap",
        "failed decision",
        "failed denied",
        "failed out-of-fuel",
        "failed budget",
    ] {
        assert!(
            auditor.seen.contains(expect),
            "{expect} is not among {:?}",
            auditor.seen
        );
    }
    assert_eq!(month.rig.git(&["rev-parse", "HEAD"]), head);
    let branches = month
        .rig
        .git(&["branch", "--list", "ringfence/*", "--format", "%(refname)"]);
    let proposed = |entry: &&Entry| matches!(&entry.body, Body::Beat(receipt) if matches!(receipt.outcome, Outcome::Proposed { .. }));
    assert_eq!(
        branches.lines().count(),
        entries.iter().filter(proposed).count()
    );
    explained(&month.rig, &entries);
}

/// Everything that was refused stands in the page, rule, figures and end of it.
fn explained(rig: &Rig, entries: &[Entry]) {
    let number = entries.len().to_string();
    let ran = rig.run(&["journal", "show", "-n", &number]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = words(&ran.out);
    for entry in entries {
        let Body::Beat(receipt) = &entry.body else {
            continue;
        };
        let why = match &receipt.outcome {
            Outcome::Waiting { why, .. } => {
                let ends = ["free again at", "between", "until"];
                assert!(ends.iter().any(|end| why.contains(end)), "{why}");
                assert!(why.contains(char::is_numeric), "{why}");
                vec![why.clone()]
            }
            Outcome::Discarded { reasons } | Outcome::Escalated { why: reasons, .. } => {
                reasons.clone()
            }
            Outcome::Failed { class, message } => vec![class.to_string(), message.clone()],
            Outcome::Shadowed { .. } => {
                assert!(
                    !receipt.notes.is_empty(),
                    "nothing says why it went no further"
                );
                receipt.notes.clone()
            }
            Outcome::Committed { .. } => panic!("a loop of level L2 committed"),
            Outcome::Skipped | Outcome::NothingToDo { .. } | Outcome::Proposed { .. } => continue,
        };
        for line in why {
            // The page breaks lines within words that are longer than it; the beginning tells.
            let begin: String = words(&line).chars().take(40).collect();
            assert!(page.contains(&begin), "{line}");
        }
    }
}
