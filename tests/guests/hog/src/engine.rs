//! Straining what the engine bounds: fuel, time, memory, stack, and the size of an answer.
//!
//! Owns the modes `spin`, `burn`, `memory`, `reserve`, `recurse`, `bulk-fill`, `bulk-copy`, `trap`, `abort`, `exit`, `overflow`,
//! `huge-string`, `huge-list` and `huge-locations`.
//!
//! **Invariant:** none of them calls the host before it answers (`exit` is the call itself).

use std::hint::black_box;

use ringfence_sdk::prelude::*;

use crate::Config;

/// Runs the mode if it is one of these.
pub(crate) fn run(config: &Config) -> Option<Verdict> {
    Some(match config.mode.as_str() {
        "spin" => spin(),
        "burn" => config.repeat(|round| {
            black_box(round);
            Ok(())
        }),
        "memory" => memory(config),
        "reserve" => reserve(config),
        "recurse" => Verdict::pass(format!("recurse: {}", recurse(config.count))),
        "bulk-fill" => bulk_fill(config),
        "bulk-copy" => bulk_copy(config),
        "trap" => trap(),
        "abort" => std::process::abort(),
        "exit" => exit(config),
        "overflow" => overflow(config),
        "huge-string" => Verdict::pass("x".repeat(config.len())),
        "huge-list" => Verdict::from(many(config, |n| {
            Finding::note("hog", format!("finding {n}")).help("x".repeat(config.len()))
        })),
        "huge-locations" => {
            let places = many(config, |n| Location {
                path: "a.md".to_owned(),
                line: u32::try_from(n).unwrap_or(u32::MAX),
                column: 0,
            });
            let mut finding = Finding::note("hog", "many places");
            finding.locations = places;
            Verdict::from(vec![finding])
        }
        _ => return None,
    })
}

fn many<T>(config: &Config, make: impl Fn(u64) -> T) -> Vec<T> {
    (0..config.count).map(make).collect()
}

fn spin() -> ! {
    let mut round = 0_u64;
    loop {
        round = black_box(round.wrapping_add(1));
    }
}

/// `count` blocks of `bytes`, each written to; a refusal ends the guest.
fn memory(config: &Config) -> Verdict {
    let mut blocks = Vec::new();
    config.repeat(|_| {
        blocks.push(black_box(vec![1_u8; config.len()]));
        Ok(())
    })
}

/// The same, but a refusal is told.
fn reserve(config: &Config) -> Verdict {
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    config.repeat(|_| {
        let mut block = Vec::new();
        block
            .try_reserve_exact(config.len())
            .map_err(|error| error.to_string())?;
        block.resize(config.len(), 1);
        blocks.push(black_box(block));
        Ok(())
    })
}

/// `count` calls deep.
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    if depth == 0 {
        return 0;
    }
    let below = recurse(depth - 1);
    black_box(&frame);
    below + 1
}

/// Fills `bytes` of memory `count` times.
fn bulk_fill(config: &Config) -> Verdict {
    let mut block = vec![0_u8; config.len()];
    config.repeat(|round| {
        block.fill(round.to_le_bytes()[0]);
        black_box(&mut block);
        Ok(())
    })
}

/// Copies `bytes` of memory `count` times.
fn bulk_copy(config: &Config) -> Verdict {
    let from = vec![1_u8; config.len()];
    let mut to = vec![0_u8; config.len()];
    config.repeat(|_| {
        to.copy_from_slice(black_box(&from));
        black_box(&mut to);
        Ok(())
    })
}

#[cfg(target_family = "wasm")]
fn trap() -> ! {
    core::arch::wasm32::unreachable()
}

#[cfg(not(target_family = "wasm"))]
fn trap() -> ! {
    std::process::abort()
}

#[expect(clippy::exit, reason = "that is what the test orders")]
fn exit(config: &Config) -> ! {
    std::process::exit(i32::try_from(config.count).unwrap_or(i32::MAX))
}

/// Divides by zero, which is a trap of its own kind.
#[expect(clippy::panic, reason = "without it a native build would not end")]
fn overflow(config: &Config) -> Verdict {
    let zero = black_box(config.bytes.wrapping_sub(config.bytes));
    let Some(quotient) = config.count.checked_div(zero) else {
        panic!("division by zero");
    };
    Verdict::pass(quotient.to_string())
}
