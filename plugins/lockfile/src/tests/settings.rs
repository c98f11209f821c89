//! Settings that stand in no lock.

use super::*;

const INDEX: &str = "registry+https://github.com/rust-lang/crates.io-index";
const DIFFER: &str = "source-settings settings differ that say where packages come from:";

fn of(path: &str, before: Option<&str>, after: Option<&str>) -> Case {
    Case::new().file(path, before, after)
}

#[test]
fn settings_of_cargo_that_take_packages_from_elsewhere_are_told() {
    for (key, text) in [
        ("patch", "[patch.crates-io]\nitoa = { path = 'p' }\n"),
        ("paths", "paths = ['p']\n"),
        ("source", "[source.crates-io]\nreplace-with = 'x'\n"),
        ("registries", "[registries.x]\nindex = 'https://x.test'\n"),
        ("registry", "registry.default = 'x'\n"),
        ("include", "include = ['../x.toml']\n"),
    ] {
        let expect = format!("{DIFFER} `{key}`");
        let build = "[build]\njobs = 2\n";
        for path in [
            ".cargo/config.toml",
            ".cargo/config",
            "crates/a/.cargo/config.toml",
            ".Cargo/Config.TOML",
            ".cargo/more.toml",
        ] {
            of(path, None, Some(text)).check(&[&expect]);
        }
        let path = ".cargo/config.toml";
        of(path, Some(text), None).check(&[&expect]);
        of(path, Some(build), Some(&format!("{text}{build}"))).check(&[&expect]);
        of(path, Some("["), Some(text)).check(&[&expect]);
        of(path, Some(text), Some(&format!("{text}{build}"))).check(&[]);
        of("cargo/config.toml", None, Some(text)).check(&[]);
        Case::new().renamed("x.toml", path, text).check(&[&expect]);
        Case::new().renamed(path, "x.toml", text).check(&[&expect]);
    }
    of(".cargo/config.toml", None, Some("[a")).check(&["unreadable unclosed table, expected `]`"]);
}

#[test]
fn patches_in_settings_are_held_to_the_lock() {
    let manifest = "[package]\nname = 'a'\nversion = '1.0.0'\n[dependencies]\nb = '1'\n";
    let lock = |source: &str| {
        format!(
            "[[package]]\nname = 'a'\nversion = '1.0.0'\ndependencies = ['b']\n[[package]]\nname = 'b'\nversion = '1.1.0'\n{source}"
        )
    };
    let case = |lock: &str, settings: &str| {
        Case::new()
            .same(settings, "[patch.crates-io]\nb = { path = 'p' }\n")
            .same("x/Cargo.toml", manifest)
            .modified("x/Cargo.lock", lock, &format!("{lock}\n"))
    };
    let registry = lock(&format!("source = '{INDEX}'\nchecksum = 'c'\n"));
    for settings in [".cargo/config.toml", "x/.cargo/config"] {
        case(&lock(""), settings).check(&[]);
        case(&registry, settings)
            .check(&["stale-lock b is patched, and x/Cargo.lock does not have it from there"]);
    }
    case(&registry, "y/.cargo/config").check(&[]);
}

#[test]
fn settings_of_npm_are_told_without_their_values() {
    let check = |before: &str, after: &str, expect: &str| {
        let expect: Vec<String> = Some(expect)
            .filter(|names| !names.is_empty())
            .map(|names| format!("source-settings settings of npm differ: {names}"))
            .into_iter()
            .collect();
        let expect: Vec<&str> = expect.iter().map(String::as_str).collect();
        for path in [".npmrc", "a/.npmrc"] {
            of(path, Some(before), Some(after)).check(&expect);
        }
    };
    check("", "registry=https://evil.test\n", "`registry`");
    check(
        "@a:registry = https://a.test",
        "@a:registry=https://evil.test",
        "`@a:registry`",
    );
    check(
        "",
        "//npm.test/:_authToken=geheim\npackage-lock=false",
        "`//npm.test/:_authToken`, `package-lock`",
    );
    check("a=1\nb=2", "b=2\na=1", "their order");
    check("a=1\n", "# a word\n\n a=1\n", "");
    let text = "registry=https://evil.test\n";
    let expect = "source-settings settings of npm differ: `registry`";
    of(".npmrc", None, Some(text)).check(&[expect]);
    of(".npmrc", Some(text), None).check(&[expect]);
    Case::new().renamed("x", ".npmrc", text).check(&[expect]);
    of("npmrc", None, Some(text)).check(&[]);
}

#[test]
fn settings_that_are_links_are_refused() {
    for name in [".cargo", ".npmrc"] {
        let case = Case::new().modified("a", "1", "2");
        std::os::unix::fs::symlink("b", case.folder.path().join(name)).unwrap();
        case.check(&["unreadable is a link, and what it leads to may differ unseen"]);
    }
}

#[test]
fn names_in_other_letters_are_refused() {
    for (path, meant) in [
        ("cargo.lock", "Cargo.lock"),
        ("a/CARGO.TOML", "Cargo.toml"),
        ("Package-Lock.json", "package-lock.json"),
    ] {
        let message =
            format!("unreadable is taken for `{meant}` where upper and lower case are the same");
        of(path, None, Some("x")).check(&[&message]);
        of(path, Some("x"), None).check(&[]);
    }
    let settings = "source-settings settings of npm differ: `a`";
    let spelled = "unreadable is taken for `.npmrc` where upper and lower case are the same";
    of("a/.NPMRC", None, Some("a=1\n")).check(&[spelled, settings]);
}
