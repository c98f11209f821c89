//! Calls that are cut off anywhere: out of fuel, past their deadline, or dropped by whoever waited for them.
//!
//! **Invariant:** which calls, and where, comes from a fixed seed; only where the wall clock cuts is left to chance.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use ringfence_testkit::core::manifest::Role;
use ringfence_testkit::core::quantity::{Fuel, Millis};
use ringfence_testkit::sandbox::{Call, Called};
use ringfence_testkit::{Case, Component};
use ringfence_tests_sandbox::census::{census, rss};
use ringfence_tests_sandbox::probe::{Grant, writing_call};
use ringfence_tests_sandbox::{guest, wait};
use serde_json::json;

use crate::strain::MIB;

const CALLS: usize = 1_000;
/// What an allocator keeps for itself, however many calls there were.
const BYTES_LEFT_MAX: u64 = 48 * MIB;

/// Modes of the guest `hog` with `count`, `bytes` and `path`: computing, memory, open files, waiting, writing, talking.
const WORK: &[(&str, u64, u64, &str)] = &[
    ("burn", 3_000_000, 0, "."),
    ("memory", 20, MIB, "."),
    ("open-descriptors", 150, 0, "a.md"),
    ("dir-streams", 150, 0, "."),
    ("file-streams", 150, 0, "a.md"),
    ("pollables", 400, 0, "."),
    ("poll-list", 300, 0, "."),
    ("write-bytes", 20, 65_536, "big"),
    ("many-files", 20, 100, "."),
    ("list", 50, 0, "."),
    ("stdout", 50, 1_000, "."),
    ("huge-string", 1, 4 * MIB, "."),
    ("read-base", 50, 0, "a.md"),
];

/// Cuts calls off; what is wrong afterwards, a line each.
pub(crate) fn calls_leave_nothing_behind(hog: &Component) -> Vec<String> {
    let puppet = guest("puppet");
    let whole = witness(&puppet);
    let again = witness(&puppet);
    let (counted, held) = (census(), rss());
    let mut wrong = Vec::new();
    if whole != again {
        wrong.push(format!("cut: a whole call is {again:?} after {whole:?}"));
    }
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut unfinished = 0_usize;
    for n in 0..CALLS {
        unfinished += usize::from(!cut_one(hog, &mut dice));
        if census() != counted {
            wrong.push(format!(
                "cut: call {n} leaves {:?} of {counted:?}",
                census()
            ));
            break;
        }
    }
    let after = witness(&puppet);
    if after != whole {
        wrong.push(format!("cut: a whole call is {after:?} after {whole:?}"));
    }
    let left = rss().saturating_sub(held);
    if left > BYTES_LEFT_MAX {
        wrong.push(format!("cut: {} MiB are left of {CALLS} calls", left / MIB));
    }
    // Cuts that come when everything is done prove nothing.
    if unfinished < CALLS / 2 {
        wrong.push(format!(
            "cut: only {unfinished} of {CALLS} calls were cut off"
        ));
    }
    wrong
}

/// Everything of a call of the guest that does a bit of all; the same as ever.
fn witness(puppet: &Component) -> Called<String> {
    let case = Case::new()
        .unchanged("a.md", "a")
        .unchanged("docs/b.md", "b");
    let mut call = puppet.call(&case, Role::Sensor);
    call.config = json!({
        "log": [["info", "one"]], "stdout": "two", "reads": ["a.md", ".git/config"],
        "lists": [".", "docs"], "clock": 3, "random": 3, "environment": true, "burn": 1000,
    })
    .to_string();
    wait(puppet.plugin().observe(call)).map(|seen| seen.detail)
}

/// Makes a call and cuts it off in one of three ways; true when it had ended by itself.
fn cut_one(hog: &Component, dice: &mut Dice) -> bool {
    let case = Case::new().modified("a.md", "before\n", "after\n");
    let which = usize::try_from(dice.below(WORK.len() as u64)).unwrap();
    let &(mode, count, bytes, path) = WORK.get(which).unwrap();
    let everything = Grant {
        read: &["**"],
        write: &["**"],
        deny: &[],
    };
    let mut call = writing_call(hog, &case, everything);
    call.config = json!({ "mode": mode, "count": count, "bytes": bytes, "path": path }).to_string();
    call.limits.fuel = Fuel(1 << 40);
    call.limits.deadline = Millis(60_000);
    match dice.below(3) {
        0 => {
            // As many small amounts as large ones.
            let magnitude = 10 + dice.below(17);
            call.limits.fuel = Fuel(dice.below(1 << magnitude));
            ended(&wait(hog.plugin().judge(call)).answer)
        }
        1 => {
            call.limits.deadline = Millis(dice.below(4));
            ended(&wait(hog.plugin().judge(call)).answer)
        }
        _ => drop_after(hog, call, dice.below(8)),
    }
}

fn ended<T, E>(answer: &Result<T, E>) -> bool {
    answer.is_ok()
}

/// Lets a call have its turn `turns` times and drops it; true when it had ended by then.
fn drop_after(hog: &Component, call: Call, turns: u64) -> bool {
    wait(async {
        let mut call = pin!(hog.plugin().judge(call));
        let mut left = turns;
        poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(Ok::<_, String>(false));
            }
            left -= 1;
            let polled = call.as_mut().poll(context);
            context.waker().wake_by_ref();
            polled.map(|_| Ok(true))
        })
        .await
    })
}

/// Chance from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
