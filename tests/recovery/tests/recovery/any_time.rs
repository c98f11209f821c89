//! A beat is killed at any time, alone or with the git that it waits for, several times in a row.
//!
//! Owns the dice: the seed is fixed, though no two machines come equally far in the same time.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::ground::{Ground, Kind};
use crate::history::{History, published};
use crate::users::Users;

const ROUNDS: u64 = 10;
const KILLS: u64 = 3;

/// SplitMix64: enough to spread out thirty moments.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}

/// Ends a program, and with it all that it has started, before one of them can notice.
pub(crate) fn kill_with_children(pid: u32) {
    let process = |pid: i32| Pid::from_raw(pid).unwrap();
    let own = pid.cast_signed();
    if kill_process(process(own), Signal::STOP).is_err() {
        return;
    }
    let mut all = vec![own];
    let threads = fs::read_dir(format!("/proc/{pid}/task"));
    for thread in threads.into_iter().flatten().flatten() {
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        all.extend(
            children
                .split_whitespace()
                .map(|pid| pid.parse::<i32>().unwrap()),
        );
    }
    for pid in all {
        // It may have ended by itself; it is not waited for yet, so the number is still its own.
        kill_process(process(pid), Signal::KILL).unwrap_or_default();
    }
}

fn check(kind: Kind, seed: u64) {
    let ground = Ground::new(kind);
    let mut dice = Dice(seed);
    let began = Instant::now();
    ground.fresh().beat().run().assert_settled();
    let micros = u64::try_from(began.elapsed().as_micros()).unwrap();
    for round in 0..ROUNDS {
        let project = ground.fresh();
        let users = Users::of(&project);
        for _ in 0..KILLS {
            let mut running = project.beat().start();
            // Time is what this test is about: nothing is waited for.
            std::thread::sleep(Duration::from_micros(dice.roll(micros)));
            if dice.roll(2) == 0 {
                kill_with_children(running.child.id());
            } else {
                running.child.kill().unwrap();
            }
            let ended = running.end();
            let when = format!("{kind:?}, round {round}, after {:?}", ended.steps);
            project.until_quiet();
            users.assert_unharmed(&project, &when);
        }
        let settled = published(&project).len();
        let ended = project.beat().run();
        let when = format!("{kind:?}, round {round}, {:?}", ended.recovered());
        ended.assert_settled();
        History::assert_settled(&project, &ground.items[..=settled], &when);
        users.assert_unharmed(&project, &when);
    }
}

#[test]
fn a_beat_that_is_killed_at_any_time_leaves_all_or_nothing() {
    check(Kind::Propose, 1);
}

#[test]
fn a_beat_without_git_that_is_killed_at_any_time_leaves_all_or_nothing() {
    check(Kind::Folder, 2);
}
