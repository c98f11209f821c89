//! Random policies over the names of `steps.rs`.
//!
//! **Invariant:** every glob is one that the model's plain matching knows: whole names, `*`, `?` and `**`.

use proptest::prelude::*;

/// Globs of one layer and of what is denied.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) read: Vec<&'static str>,
    pub(crate) write: Vec<&'static str>,
    pub(crate) deny: Vec<&'static str>,
}

fn glob() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "**", "a/**", "b/**", "a/b/**", "*/b/**", "**/c", "a/*", "?/?", "k/**", "c", "b/a/c",
    ])
}

pub(crate) fn denial() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "**/k", "**/K/**", "a/b/**", "b/?", "c/**", "a/*/c", "b/a/c", "a/a",
    ])
}

pub(crate) fn rules() -> impl Strategy<Value = Rules> {
    let some = || prop::collection::vec(glob(), 0..4);
    let list = || prop_oneof![2 => Just(vec!["**"]), 1 => some()];
    (list(), list(), prop::collection::vec(denial(), 0..3)).prop_map(|(read, write, deny)| Rules {
        read,
        write,
        deny,
    })
}
