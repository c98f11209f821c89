//! Native threads swap directories, links and files under a running guest.
//!
//! `races/swaps.rs` says what is swapped, `races/plan.rs` what the guest does meanwhile, `races/ground.rs` where, and
//! what must hold at any interleaving: no secret in any answer, and no secret place changed. A control that checks a path and then
//! opens it is driven by the same swaps and fails the same check, so the swaps are fast enough to matter.
//!
//! How long: `RINGFENCE_RACE_ROUNDS` calls of the guest in each race, eight unless told.
//!
//! **Invariant:** each race runs with the kernel resolving and name by name.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may end at once, and says how often it tried"
)]

#[path = "races/carry.rs"]
mod carry;
#[path = "races/ground.rs"]
mod ground;
#[path = "races/plan.rs"]
mod plan;
#[path = "races/swaps.rs"]
mod swaps;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use carry::{carry_away, carry_file, keep_coming, keep_exchanging};
use ground::{Ground, SECRET, TELLTALES};
use plan::{KEPT, VERBS, at_any_size, at_second_name, plan, verb};
use ringfence_testkit::Component;
use ringfence_testkit::sandbox::CallError;
use ringfence_tests_sandbox::census::census;
use ringfence_tests_sandbox::{guest, without_openat2};
use serde_json::{Value, json};
use swaps::{Kind, TURNS, clear, keep_naming, keep_resizing, keep_swapping, put};

static PROBE: LazyLock<Component> = LazyLock::new(|| guest("probe"));

/// One race at a time: two would slow each other down, and open files are counted.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Guest calls in each race.
fn rounds() -> u64 {
    let set = std::env::var("RINGFENCE_RACE_ROUNDS").ok();
    set.map_or(8, |text| text.parse().unwrap())
}

/// How often something was tried, and how it ended.
#[derive(Default)]
struct Tally {
    /// By verb: done and refused.
    verbs: BTreeMap<String, (u64, u64)>,
    /// Calls that the host ended, whose answers nobody has.
    ended: u64,
}

impl Tally {
    fn add(&mut self, plan: &[Value], results: &[Result<Value, Value>]) {
        for (op, result) in plan.iter().zip(results) {
            let entry = self.verbs.entry(verb(op).to_owned()).or_default();
            match result {
                Ok(_) => entry.0 += 1,
                Err(_) => entry.1 += 1,
            }
        }
    }

    fn tries(&self) -> u64 {
        self.verbs
            .values()
            .map(|(fine, refused)| fine + refused)
            .sum()
    }

    /// True when the verb was seen to end both ways.
    fn met_both(&self, verb: &str) -> bool {
        self.verbs
            .get(verb)
            .is_some_and(|(fine, refused)| *fine > 0 && *refused > 0)
    }
}

/// The telltale of a secret in `answer`.
fn leak(answer: &str) -> Option<&'static str> {
    TELLTALES.into_iter().find(|sign| answer.contains(sign))
}

/// Runs `body` while another thread swaps; returns how often it did, and what it says of that.
fn while_swapping<T: Send>(
    swap: impl FnOnce(&AtomicBool, &AtomicU64) -> T + Send,
    body: impl FnOnce(),
) -> (u64, T) {
    let (over, swaps) = (AtomicBool::new(false), AtomicU64::new(0));
    let said = std::thread::scope(|scope| {
        let thread = scope.spawn(|| swap(&over, &swaps));
        // Also when the body fails: the other thread has to end for that to show.
        let ends = EndsWith(&over);
        body();
        drop(ends);
        thread.join().unwrap()
    });
    (swaps.into_inner(), said)
}

struct EndsWith<'a>(&'a AtomicBool);

impl Drop for EndsWith<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Carries out `plan`: the answer to each operation, none of which is asked for once the host has ended the call because the
/// workspace was changed under its hands.
fn carry_out(ground: &Ground, plan: &[Value]) -> Option<Vec<Result<Value, Value>>> {
    let mut call = ground.call(&PROBE);
    call.config = json!({ "plan": plan }).to_string();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let called = match runtime.unwrap().block_on(PROBE.plugin().judge(call)) {
        Ok(called) => called,
        Err(CallError::Store(why)) if why.contains("while it was being moved") => return None,
        Err(error) => panic!("{error}"),
    };
    let verdict = called.answer.unwrap().unwrap();
    let answers = verdict.findings.iter().map(|finding| {
        let told: Value = serde_json::from_str(&finding.message).unwrap();
        told.get("err")
            .map_or_else(|| Ok(told["ok"].clone()), |code| Err(code.clone()))
    });
    Some(answers.collect())
}

/// Runs `plan` again and again while `swap` does its work. Returns what it says, and every answer.
fn race<T: Send>(
    ground: &Ground,
    plan: &[Value],
    prepare: impl Fn(),
    enough: impl Fn(&Tally) -> bool,
    swap: impl FnOnce(&AtomicBool, &AtomicU64) -> T + Send,
) -> (String, T) {
    // Once in peace: what the engine keeps for a component is not the guest's.
    assert!(carry_out(ground, plan).is_some());
    let held = census().open_files;
    let mut tally = Tally::default();
    let mut told = String::new();
    let (swaps, said) = while_swapping(swap, || {
        // Longer than asked for only until both sides of a swap were met.
        for round in 0..rounds() * 8 {
            if round >= rounds() && enough(&tally) {
                break;
            }
            prepare();
            let Some(results) = carry_out(ground, plan) else {
                tally.ended += 1;
                continue;
            };
            tally.add(plan, &results);
            for (op, result) in plan.iter().zip(&results) {
                let answer = result.clone().unwrap_or_default().to_string();
                if leak(&answer).is_some() {
                    told += &format!("{op} answers {answer}\n");
                }
            }
        }
    });
    let kernel = ground.kernel_resolves;
    println!(
        "openat2 {kernel}: {} tries during {swaps} swaps, {} calls ended {:?}",
        tally.tries(),
        tally.ended,
        tally.verbs
    );
    assert_eq!(census().open_files, held, "files left open");
    assert!(
        swaps > 0 && enough(&tally),
        "nothing was raced: {swaps} swaps, {:?}",
        tally.verbs
    );
    (told, said)
}

fn met_both(verb: &str) -> impl Fn(&Tally) -> bool {
    move |tally| tally.met_both(verb)
}

/// Runs `body` with the kernel resolving paths, then without.
fn both_ways(body: impl Fn(Ground) + Sync) {
    let _alone = alone();
    LazyLock::force(&PROBE);
    body(Ground::new(true));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            without_openat2();
            body(Ground::new(false));
        });
    });
}

#[test]
fn no_verb_loses_a_race() {
    both_ways(|ground| {
        fs::write(ground.at("docs/other"), "plain words").unwrap();
        for name in ["docs/x", "docs/up"] {
            put(&ground, name, Kind::Dir);
        }
        let before = ground.kept();
        let enough = |tally: &Tally| VERBS.iter().all(|verb| tally.met_both(verb));
        let clean = || {
            for spare in ["docs/spare", "out/spare", "docs/up/spare"] {
                clear(&ground.at(spare));
            }
        };
        let (told, ()) = race(&ground, &plan(), clean, enough, |over, swaps| {
            keep_swapping(&ground, &TURNS, over, swaps);
        });
        assert_eq!(told, "");
        assert_eq!(ground.kept(), before, "a secret place was changed");
    });
}

/// A second name that is gone when the host looks leaves a file with one name, which is denied.
#[test]
fn a_second_name_that_comes_and_goes_opens_nothing() {
    both_ways(|ground| {
        let before = ground.kept();
        let plan = vec![at_second_name(); 200].concat();
        let (told, ()) = race(
            &ground,
            &plan,
            || (),
            |_| true,
            |over, swaps| {
                keep_naming(&ground, over, swaps);
            },
        );
        assert_eq!(told, "");
        for kept in KEPT {
            assert!(!ground.at(kept).exists(), "{kept} is the secret");
        }
        assert_eq!(ground.kept(), before, "a secret place was changed");
    });
}

/// What comes into a directory after it was judged and before it is moved is not carried to where it may be read.
#[test]
fn what_comes_late_is_not_carried_away() {
    both_ways(|ground| {
        let plan = vec![carry_away(); 50].concat();
        let anew = || {
            let _back = fs::rename(ground.at("docs/free"), ground.at("docs/a")).is_ok();
            clear(&ground.at("docs/a/hush.txt"));
        };
        fs::create_dir(ground.at("docs/a")).unwrap();
        let (told, arrived) = race(
            &ground,
            &plan,
            anew,
            met_both("rename-at"),
            |over, swaps| keep_coming(&ground, over, swaps),
        );
        let seen = told.split(SECRET).skip(1);
        let numbers = seen.filter_map(|rest| rest[1..].split(';').next()?.parse::<u64>().ok());
        let carried: Vec<u64> = numbers.filter(|number| arrived.contains(number)).collect();
        assert!(carried.is_empty(), "of {}: {carried:?}", arrived.len());
    });
}

/// A directory that takes the place of a file after it was judged is not moved as a file.
#[test]
fn a_directory_in_the_place_of_a_file_is_not_carried_away() {
    both_ways(|ground| {
        let plan = vec![carry_file(); 50].concat();
        let anew = || {
            for name in ["docs/f", "docs/g", "out/free"] {
                clear(&ground.at(name));
            }
            fs::create_dir(ground.at("docs/g")).unwrap();
            fs::write(ground.at("docs/g/hush.txt"), SECRET).unwrap();
            fs::write(ground.at("docs/f"), "plain words").unwrap();
        };
        anew();
        let (told, ()) = race(
            &ground,
            &plan,
            anew,
            // A call that meets the directory ends.
            |tally| tally.ended > 0 || tally.met_both("rename-at"),
            |over, swaps| {
                keep_exchanging(&ground, over, swaps);
            },
        );
        assert_eq!(told, "");
    });
}

/// Growing and shrinking between the look at a size and the read is survived.
#[test]
fn a_size_that_changes_harms_nobody() {
    both_ways(|ground| {
        fs::write(ground.at("docs/size"), "").unwrap();
        let plan = vec![at_any_size(); 20].concat();
        let (told, ()) = race(
            &ground,
            &plan,
            || (),
            |_| true,
            |over, swaps| {
                keep_resizing(&ground, over, swaps);
            },
        );
        assert_eq!(told, "");
    });
}

/// What a host does that checks a path and then opens it.
fn checked_then_opened(root: &Path, path: &str) -> Option<String> {
    let root = root.canonicalize().ok()?;
    let real = root.join(path).canonicalize().ok()?;
    let inside = real.starts_with(root.join("docs"));
    let plain = real.metadata().ok()?.is_file();
    (inside && plain).then(|| fs::read_to_string(root.join(path)).ok())?
}

// Limit: some minutes; a few thousand tries are enough.
const CONTROL_TRIES_MAX: u64 = 10_000_000;

/// The swaps are fast enough: the usual mistake loses.
#[test]
fn a_check_before_opening_loses() {
    let _alone = alone();
    let ground = Ground::new(true);
    // No second names and no pipes: the control knows nothing of the ones and would wait for the others.
    let kinds = [
        Kind::File,
        Kind::LinkToSecret,
        Kind::Dir,
        Kind::LinkToSecrets,
        Kind::Dir,
    ];
    let (mut tries, mut lost) = (0_u64, false);
    let swap = |over: &AtomicBool, swaps: &AtomicU64| keep_swapping(&ground, &kinds, over, swaps);
    let (swaps, ()) = while_swapping(swap, || {
        while !lost && tries < CONTROL_TRIES_MAX {
            tries += 1;
            let path = ["docs/x", "docs/up/s.txt"][usize::from(tries.is_multiple_of(2))];
            let told = checked_then_opened(&ground.at("."), path);
            lost = told.is_some_and(|told| leak(&told).is_some());
        }
    });
    println!("control: lost after {tries} tries during {swaps} swaps");
    assert!(lost, "{SECRET} did not come out in {tries} tries");
}

#[test]
fn the_wit_has_no_other_verb_with_a_path() {
    let wit = include_str!("../../../host/sandbox/wit/filesystem.wit");
    let resource = wit.split("resource descriptor {").nth(1).unwrap();
    let resource = resource.split("\n  }").next().unwrap();
    let mut with_path = BTreeSet::from(["read-directory"]);
    for function in resource.split(';') {
        let Some((name, rest)) = function.rsplit("\n\n").next().and_then(|text| {
            let code = text.trim_start();
            let code = code.rsplit("///").next().map_or(code, |last| {
                last.split_once('\n').map_or(last, |(_, code)| code)
            });
            code.trim().split_once(": func(")
        }) else {
            continue;
        };
        let name = name.rsplit('\n').next().unwrap().trim();
        if rest.contains("path") {
            with_path.insert(name);
        }
    }
    assert_eq!(with_path, BTreeSet::from(VERBS));
    let planned: BTreeSet<String> = plan().iter().map(|op| verb(op).to_owned()).collect();
    assert!(VERBS.iter().all(|verb| planned.contains(*verb)));
}
