//! Buckets against each glob on its own, and globs that are too much.

use std::borrow::Cow;
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::fold::fold_text;
use super::super::fold_name;
use super::super::pattern::wild;
use super::*;

fn globs(texts: &[String]) -> Vec<(Glob, u32)> {
    let globs = texts.iter().filter_map(|text| wild(text).ok());
    globs.zip(0..).collect()
}

fn expect_like_alone(texts: &[String], names: &[Cow<'_, str>]) {
    let globs = globs(texts);
    let wilds = Wilds::new(&globs).unwrap();
    let alone: Vec<_> = globs
        .iter()
        .map(|(glob, target)| (glob.compile_matcher(), *target))
        .collect();
    // No name, but what folding may leave of one. Globset finds no ending in it, so sets of globs may miss it.
    for name in names.iter().filter(|name| *name != "..") {
        let mut found = Vec::new();
        wilds.matching(name, &mut |target| found.push(target));
        found.sort_unstable();
        let alone = alone.iter().filter(|(glob, _)| glob.is_match(&**name));
        let expect: Vec<_> = alone.map(|(_, target)| *target).collect();
        assert_eq!(found, expect, "{name:?} in {texts:?}");
    }
}

/// Few letters, so that heads and tails are often shared, contained in one another, and found in names.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[abA.é\0]{0,3}\\*[abA.é\0]{0,3}",
        "[abA.é\0]{0,2}(\\*|\\?|\\[!a\\]|\\[]*]|\\{a,bé\\}|\\{,b*\\}|\\])[abA.é\0]{0,2}(\\*|\\?|\\[b-c\\]|\\]|)[abA.é\0]{0,2}",
    ]
}

proptest! {
    #[test]
    fn a_bucket_leaves_out_only_what_cannot_match(
        texts in prop::collection::btree_set(text(), 0..40),
        names in prop::collection::vec("[abA.é\\]*ß／\0]{1,6}", 1..20),
    ) {
        let exact: Vec<_> = texts.into_iter().collect();
        let folded: BTreeSet<_> = exact.iter().map(|text| fold_text(text)).collect();
        let folded: Vec<_> = folded.into_iter().collect();
        let names: Vec<_> = names.iter().map(Cow::from).collect();
        expect_like_alone(&exact, &names);
        let names: Vec<_> = names.iter().map(|name| fold_name(name)).collect();
        expect_like_alone(&folded, &names);
    }
}

#[test]
fn ends_of_globs() {
    for (text, head, tail) in [
        ("*", "", ""),
        ("*.pem", "", ".pem"),
        ("key-*-1.pem", "key-", "-1.pem"),
        ("a?b[]*]c{d,e}f", "a", "f"),
        ("a]b", "a]b", "b"),
        ("é*ö", "é", "ö"),
    ] {
        assert_eq!(ends(&wild(text).unwrap()), (head, tail), "{text}");
    }
}

#[test]
fn buckets_stay_small_where_ends_are_shared() {
    for make in [
        |n: u32| format!("file-*-{n}.txt"),
        |n: u32| format!("denied-{n}*.txt"),
        |n: u32| format!("key-{}-*-{}.pem", n % 32, n / 32),
        |n: u32| format!("a?{n}"),
    ] {
        let texts: Vec<_> = (0..1_000).map(make).collect();
        let wilds = Wilds::new(&globs(&texts)).unwrap();
        let buckets = wilds
            .by_head
            .by_key
            .values()
            .chain(wilds.by_tail.by_key.values());
        let sizes = buckets.map(|bucket| bucket.simple.len() + bucket.other_targets.len());
        assert!(sizes.max() <= Some(32), "{}", make(7));
    }
}

#[test]
fn globs_that_are_too_much_together_are_refused() {
    let texts: Vec<_> = (0..1_300)
        .map(|n| format!("*{n}{}", "?".repeat(240)))
        .collect();
    let error = Wilds::new(&globs(&texts)).map(drop).unwrap_err();
    assert!(matches!(error.why, PatternProblem::TooMuch(_)), "{error}");
}
