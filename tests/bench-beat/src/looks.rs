//! What it costs to look at a loop with a long past: `status` and the others, as processes.
//!
//! **Invariant:** the journal is as long as it is asked for, and each of its entries is a real beat's but for number and
//! time.

use std::fs;

use jiff::SignedDuration;
use ringfence_core::ids::BeatNo;
use ringfence_core::journal::{Body, Entry, Head, decode, encode};

use crate::Outcome;
use crate::ground::Ground;
use crate::program::Program;

/// Every look, as it is typed.
pub(crate) const LOOKS: &[&[&str]] = &[
    &["status"],
    &["journal", "show"],
    &["journal", "show", "--beat", "7"],
    &["journal", "verify"],
    &["metrics"],
    &["report", "--html"],
];

/// Makes the journal of `ground` so many entries long, a minute from one to the next; its length in bytes.
pub(crate) fn lengthen(ground: &Ground, entries: u64) -> Outcome<u64> {
    let path = ground.state().join("journal.jsonl");
    let journal = decode(&fs::read(&path)?)?;
    let Some(Entry {
        at,
        body: Body::Beat(receipt),
        ..
    }) = journal.entries.last()
    else {
        return Err("the journal does not end with a beat".into());
    };
    let mut text = String::new();
    let mut head = Head::default();
    for number in 1..=entries {
        let ago = i64::try_from(entries - number)?;
        let at = at.checked_sub(SignedDuration::from_mins(ago))?;
        let mut receipt = receipt.clone();
        receipt.beat = BeatNo(number);
        receipt.started = at;
        let (line, next) = encode(&head, at, &Body::Beat(receipt))?;
        text += &line;
        head = next;
    }
    fs::write(&path, &text)?;
    Ok(text.len() as u64)
}

/// Times every look.
pub(crate) fn time(program: &Program<'_>, rounds: usize) -> Outcome<()> {
    for look in LOOKS {
        crate::row(&look.join(" "), program.time(rounds, look)?);
    }
    Ok(())
}
