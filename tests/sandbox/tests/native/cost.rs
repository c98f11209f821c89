//! What the sandbox costs: the time to run a program that does nothing, plain, unconfined and confined.
//!
//! Measured where `RINGFENCE_COST` says how many rounds, and printed; no time is a reason to fail.

use std::process::Command;
use std::time::{Duration, Instant};

use ringfence_testkit::core::spec::Sandboxing;
use ringfence_tests_sandbox::native::script;

use crate::rig::{is_confined, run, tree};

#[test]
fn a_program_that_does_nothing() {
    let rounds: u32 = std::env::var("RINGFENCE_COST")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(1);
    let tree = tree();
    let mut command = script(tree.path(), "");
    command.argv = vec!["true".to_owned()];
    let median = |mut one: Box<dyn FnMut() + '_>| {
        let mut times: Vec<Duration> = (0..rounds)
            .map(|_| {
                let begun = Instant::now();
                one();
                begun.elapsed()
            })
            .collect();
        times.sort();
        times[times.len() / 2]
    };
    let plain = median(Box::new(|| {
        assert!(Command::new("true").status().unwrap().success());
    }));
    command.sandbox = Sandboxing::None;
    let unconfined = median(Box::new(|| assert!(run(&command).ended.well())));
    command.sandbox = Sandboxing::Full;
    let confined = is_confined().then(|| median(Box::new(|| assert!(run(&command).ended.well()))));
    println!("rounds {rounds}: plain {plain:?}, unconfined {unconfined:?}, confined {confined:?}");
}
