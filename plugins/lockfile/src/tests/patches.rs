//! What takes packages of Cargo from elsewhere.

use super::*;

const INDEX: &str = "registry+https://github.com/rust-lang/crates.io-index";
const MANIFEST: &str = "[package]\nname = 'a'\nversion = '1.0.0'\n[dependencies]\nb = '1'\n";

/// A lock with `b` from each of the sources, and more.
fn lock(b: &[(&str, &str)], more: &str) -> String {
    let mut lock = "[[package]]\nname = 'a'\nversion = '1.0.0'\ndependencies = ['b']\n".to_owned();
    for (version, source) in b {
        lock.push_str(&package(version, source));
    }
    lock + more
}

fn package(version: &str, source: &str) -> String {
    let source = match source {
        "" => String::new(),
        source if source.starts_with("git+") => format!("source = '{source}'\n"),
        source => format!("source = '{source}'\nchecksum = 'c'\n"),
    };
    format!("[[package]]\nname = 'b'\nversion = '{version}'\n{source}")
}

fn unused(version: &str, source: &str) -> String {
    package(version, source).replace("[[package]]", "[[patch.unused]]")
}

/// A manifest that gets `more`, beside a lock that stays.
fn case(more: &str, lock: &str) -> Case {
    Case::new()
        .config(json!({ "allow": "patch", "allow_new": false }))
        .same("Cargo.lock", lock)
        .same("p/Cargo.toml", "[package]\nname = 'b'\nversion = '1.1.0'\n")
        .modified("Cargo.toml", MANIFEST, &format!("{MANIFEST}{more}\n"))
}

const STALE: &str = "stale-lock b is patched, and Cargo.lock does not have it from there";

#[test]
fn a_patch_that_the_lock_does_not_have_is_stale() {
    let registry = lock(&[("1.1.0", INDEX)], "");
    for from in [
        "path = 'p'",
        "path = '../elsewhere'",
        "git = 'https://evil.test/b'",
        "version = '1', registry = 'evil'",
    ] {
        for patch in [
            format!("[patch.crates-io]\nb = {{ {from} }}\n"),
            format!("[patch.crates-io]\nc = {{ package = 'b', {from} }}\n"),
            format!("[patch.'https://x.test/b']\nb = {{ {from} }}\n"),
        ] {
            case(&patch, &registry).check(&[STALE]);
        }
        case(&format!("[replace]\n'b:1.1.0' = {{ {from} }}\n"), &registry)
            .check(&["stale-lock b is replaced, and Cargo.lock does not have it from there"]);
    }
    case("[patch.crates-io]\nb = 1\n", &registry).check(&["unreadable `b` is no dependency"]);
    // Another package of the tree that is called alike.
    let patch = "[patch.crates-io]\nb = { path = 'p' }\n";
    case(patch, &lock(&[("1.0.0", "")], "")).check(&[
        STALE,
        "stale-lock b comes from elsewhere than Cargo.toml says",
    ]);
}

#[test]
fn a_patch_that_the_lock_has_passes() {
    let patch = "[patch.crates-io]\nb = { path = 'p' }\n";
    let in_tree = lock(&[("1.1.0", "")], "");
    case("", &in_tree).check(&["stale-lock b comes from elsewhere than Cargo.toml says"]);
    case(patch, &in_tree).check(&[]);
    let git = lock(&[("1.1.0", "git+https://x.test/b?branch=next#1")], "");
    case(
        "[patch.crates-io]\nb = { git = 'https://x.test/b', branch = 'next' }\n",
        &git,
    )
    .check(&[]);
    let replaced = format!("{}replace = 'b 1.1.0'\n", package("1.1.0", INDEX));
    let replaced = lock(&[("1.1.0", "")], &replaced);
    let replaced = replaced.replace("['b']", &format!("['b 1.1.0 ({INDEX})']"));
    case("[replace]\n'b:1.1.0' = { path = 'p' }\n", &replaced).check(&[]);
}

#[test]
fn a_patch_that_nothing_needs_is_in_the_lock_as_such() {
    let patch = "[patch.crates-io]\nb = { path = 'p' }\n";
    let other = lock(&[("1.0.0", INDEX)], &unused("1.1.0", ""));
    case(patch, &other).check(&[]);
    // Cargo takes a patch of the same version.
    case(patch, &lock(&[("1.1.0", INDEX)], &unused("1.1.0", ""))).check(&[STALE]);
    case(patch, &lock(&[("1.0.0", INDEX)], &unused("2.0.0", ""))).check(&[STALE]);
    case(
        "[replace]\n'b:3.0.0' = { path = 'p' }\n",
        &lock(&[("1.0.0", INDEX)], ""),
    )
    .check(&[]);
    // A repository that is only asked for a patch is one.
    let git = "git+https://evil.test/b";
    let patch = "[patch.crates-io]\nb = { git = 'https://evil.test/b' }\n";
    let after = lock(&[("1.0.0", INDEX)], &unused("2.0.0", &format!("{git}#1")));
    case(patch, &lock(&[("1.0.0", INDEX)], ""))
        .modified("Cargo.lock", &lock(&[("1.0.0", INDEX)], ""), &after)
        .check(&[
            "new-source b 2.0.0 comes from git+https://evil.test/b, as nothing did before",
            &format!("source-changed b 2.0.0 comes from {git}, and came from {INDEX}"),
        ]);
}

#[test]
fn a_dependency_comes_from_just_where_the_manifest_says() {
    let check = |asked: &str, source: &str, is_there: bool| {
        let manifest = MANIFEST.replace("'1'\n", &format!("{{ version = '1', {asked} }}\n"));
        let expect: &[&str] = match is_there {
            true => &[],
            false => &["stale-lock b comes from elsewhere than Cargo.toml says"],
        };
        Case::new()
            .same("Cargo.lock", &lock(&[("1.1.0", source)], ""))
            .same(
                ".cargo/config.toml",
                "registries.corp.index = 'https://corp.test/index'\n",
            )
            .modified("Cargo.toml", MANIFEST, &manifest)
            .check(expect);
    };
    let git = "git = 'https://x.test/b/'";
    for (more, at, is_there) in [
        ("", "", true),
        ("", "?branch=next", false),
        (", branch = 'next'", "?branch=next", true),
        (", branch = 'a/b'", "?branch=a%2Fb", true),
        (", branch = 'a/b'", "?branch=a/b", true),
        (", branch = 'next'", "", false),
        (", branch = 'next'", "?tag=next", false),
        (", branch = 'master'", "", true),
        (", rev = 'abc'", "?rev=abc", true),
        (", rev = 'abd'", "?rev=abc", false),
        (", tag = 'v1'", "?tag=v%zz", false),
        ("", "?%zz", false),
        ("", "/evil", false),
    ] {
        let source = format!("git+https://x.test/b{at}#abc");
        check(&format!("{git}{more}"), &source, is_there);
    }
    for (asked, source, is_there) in [
        ("", INDEX, true),
        ("", "registry+https://evil.test/index", false),
        ("registry = 'other'", "sparse+https://other.test/", true),
        ("registry = 'other'", INDEX, false),
        (
            "registry = 'corp'",
            "registry+https://corp.test/index",
            true,
        ),
        (
            "registry = 'corp'",
            "registry+https://evil.test/index",
            false,
        ),
        (
            "registry-index = 'sparse+https://x.test/'",
            "sparse+https://x.test/",
            true,
        ),
        (
            "registry-index = 'sparse+https://y.test/'",
            "sparse+https://x.test/",
            false,
        ),
    ] {
        check(asked, source, is_there);
    }
}
