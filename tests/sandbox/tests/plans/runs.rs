//! How many random cases a test tries.
//!
//! **Invariant:** a run that nobody has asked to be longer tries the same cases as every other.

use proptest::test_runner::{Config, TestRng, TestRunner};

/// A runner for as many cases as `variable` says, new ones on each run; without it, for `usual` cases that are always the
/// same.
pub(crate) fn runner(variable: &str, usual: u32) -> TestRunner {
    let set: Option<u32> = std::env::var(variable)
        .ok()
        .map(|text| text.parse().unwrap());
    let config = Config {
        cases: set.unwrap_or(usual),
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..Config::default()
    };
    match set {
        Some(_) => TestRunner::new(config),
        None => {
            let rng = TestRng::deterministic_rng(config.rng_algorithm);
            TestRunner::new_with_rng(config, rng)
        }
    }
}
