//! Clocks, chance, and what a program is told of its surroundings.

use wasip2::cli::{environment, terminal_stdin, terminal_stdout};
use wasip2::clocks::{monotonic_clock, wall_clock};
use wasip2::io::poll::poll;
use wasip2::random::{insecure, insecure_seed, random};

use super::{Check, check};
use crate::asked::{holds, same};

/// A millisecond.
const MS: u64 = 1_000_000;

pub(super) const CHECKS: &[Check] = &[
    check("clock-monotonic", "WASI: never goes back", |_| {
        let times: Vec<u64> = (0..100).map(|_| monotonic_clock::now()).collect();
        holds("goes back", times.is_sorted())?;
        holds("resolution", monotonic_clock::resolution() > 0)
    }),
    check("clock-wall", "WASI: seconds since 1970", |_| {
        let now = wall_clock::now();
        holds("before 2020", now.seconds > 1_577_836_800)?;
        holds("nanoseconds", now.nanoseconds < 1_000_000_000)?;
        let least = wall_clock::resolution();
        holds("resolution", least.seconds > 0 || least.nanoseconds > 0)
    }),
    check("clock-sleep", "WASI: no timer goes off too early", |_| {
        for wait in [0, 1, MS, 20 * MS] {
            let before = monotonic_clock::now();
            monotonic_clock::subscribe_duration(wait).block();
            holds("too early", monotonic_clock::now() - before >= wait)?;
        }
        let when = monotonic_clock::now() + 5 * MS;
        monotonic_clock::subscribe_instant(when).block();
        holds("too early", monotonic_clock::now() >= when)?;
        monotonic_clock::subscribe_instant(0).block();
        std::thread::sleep(std::time::Duration::from_millis(2));
        Ok(())
    }),
    check("clock-poll", "WASI poll: says which are ready", |_| {
        let far = monotonic_clock::subscribe_duration(3_600_000 * MS);
        let near = monotonic_clock::subscribe_duration(5 * MS);
        holds("not yet", !far.ready())?;
        same("ready", poll(&[&far, &near]), vec![1])?;
        holds("ready", near.ready())?;
        same("again", poll(&[&near, &far]), vec![0])
    }),
    check(
        "random",
        "WASI: as many bytes as asked for, others each time",
        |_| {
            for len in [0, 1, 1_024, 100_000] {
                let bytes = random::get_random_bytes(len);
                same("length", bytes.len() as u64, len)?;
            }
            let bytes = random::get_random_bytes(1_024);
            holds("alike", bytes != random::get_random_bytes(1_024))?;
            holds("zeros", bytes.iter().any(|byte| *byte != 0))?;
            holds(
                "alike",
                random::get_random_u64() != random::get_random_u64(),
            )?;
            same("insecure", insecure::get_insecure_random_bytes(9).len(), 9)?;
            holds(
                "alike",
                insecure::get_insecure_random_u64() != insecure::get_insecure_random_u64(),
            )?;
            holds("seed", insecure_seed::insecure_seed() != (0, 0))
        },
    ),
    check("surroundings", "WASI cli: no more than was given", |_| {
        same("environment", environment::get_environment(), vec![])?;
        same(
            "arguments",
            environment::get_arguments().get(1).map(String::as_str),
            Some("checks"),
        )?;
        holds("a terminal", terminal_stdin::get_terminal_stdin().is_none())?;
        holds(
            "a terminal",
            terminal_stdout::get_terminal_stdout().is_none(),
        )
    }),
];
