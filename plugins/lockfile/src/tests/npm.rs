//! npm's locks.

use super::*;

const ROOT: &str = r#"{
  "name": "sample", "version": "1.0.0", "private": true, "workspaces": ["packages/*"],
  "dependencies": { "debug": "^4.3.0", "semver": "^7.3.0" },
  "devDependencies": { "rimraf": "^3.0.0" }
}"#;
const MEMBER: &str = r#"{ "name": "@sample/a", "version": "1.0.0",
  "dependencies": { "strip-ansi": "^6.0.0", "sample-left": "npm:left-pad@^1.3.0" } }"#;

fn real(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real");
    std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap()
}

fn manifests() -> Case {
    Case::new()
        .same("package.json", ROOT)
        .same("packages/a/package.json", MEMBER)
}

fn update() -> Case {
    manifests().modified("package-lock.json", &real("npm-1"), &real("npm-2"))
}

#[test]
fn a_real_update_passes() {
    update().check(&[]);
    assert_eq!(update().judged().ruling, Ruling::Pass);
    update().config(json!({ "allow": "patch" })).check(&[
        "step-too-large debug 4.4.3 from 4.3.1 is a minor step, and patch is what is allowed",
        "step-too-large semver 7.8.6 from 7.3.5 is a minor step, and patch is what is allowed",
    ]);
    update().config(json!({ "allow": "none", "overrides": { "debug": "minor", "ms": "patch", "rimraf": "patch" } })).check(&[
        "step-too-large semver 7.8.6 from 7.3.5 is a minor step, and none is what is allowed",
    ]);
    let back = manifests().modified("package-lock.json", &real("npm-2"), &real("npm-1"));
    assert_eq!(
        back.judged()
            .findings
            .iter()
            .filter(|f| f.rule == "downgrade")
            .count(),
        4
    );
    let back = back.config(json!({ "allow_downgrade": true, "allow_new": false }));
    back.check(&[
        "new-dependency lru-cache 6.0.0 is new",
        "new-dependency yallist 4.0.0 is new",
    ]);
}

#[test]
fn a_manifest_without_its_lock_is_stale() {
    let check = |after: &str, expect: &[&str]| {
        let case = Case::new()
            .same("packages/a/package.json", MEMBER)
            .same("package-lock.json", &real("npm-2"));
        case.modified("package.json", ROOT, after).check(expect);
    };
    check(
        &ROOT.replace("^4.3.0", "^5.0.0"),
        &["stale-lock debug is asked for as `^5.0.0`, and package-lock.json was made for `^4.3.0`"],
    );
    check(
        &ROOT.replace("\"debug\"", "\"debugg\""),
        &[
            "stale-lock debug is not asked for in `dependencies`, and package-lock.json was made as if",
            "stale-lock debugg `^4.3.0` is asked for, and package-lock.json does not know",
        ],
    );
    check(
        &ROOT.replace("packages/*", "libs/*"),
        &["stale-lock `workspaces` are others than those that package-lock.json was made for"],
    );
    check(
        "{",
        &["unreadable EOF while parsing an object at line 1 column 1"],
    );
    let case = Case::new()
        .same("package.json", ROOT)
        .same("package-lock.json", &real("npm-2"));
    case.modified("packages/a/package.json", MEMBER, &MEMBER.replace("^6.0.0", "^7.0.0"))
        .check(&["stale-lock strip-ansi is asked for as `^7.0.0`, and package-lock.json was made for `^6.0.0`"]);
}

#[test]
fn what_can_be_done_to_a_lock_is_seen() {
    let named = real("npm-2").replace(
        "\"node_modules/debug\": {\n      \"version\": \"4.4.3\",",
        "\"node_modules/debug\": {\n      \"version\": \"4.4.3\",\n      \"resolved\": \"https://registry.npmjs.org/debug/-/debug-4.4.3.tgz\",",
    );
    let check = |from: &str, to: &str, expect: &[&str]| {
        let after = named.replace(from, to);
        assert_ne!(after, named, "{from}");
        manifests()
            .modified("package-lock.json", &named, &after)
            .check(expect);
    };
    let digest = "sha512-RGwwWnwQvkVfavKVt22FGLw+xYSdzARwm0ru6DhTVA3umU5hZc28V3kO4stgYryrTlLpuvgI9GiijltAjNbcqA==";
    let integrity = &format!("\"integrity\": \"{digest}\",");
    check(
        "registry.npmjs.org/debug",
        "evil.test/debug",
        &[
            "new-source debug 4.4.3 comes from https://evil.test, as nothing did before",
            "source-changed debug 4.4.3 comes from https://evil.test, and came from https://registry.npmjs.org",
        ],
    );
    check(
        "https://registry",
        "http://registry",
        &[
            "new-source debug 4.4.3 comes from http://registry.npmjs.org, as nothing did before",
            "source-changed debug 4.4.3 comes from http://registry.npmjs.org, and came from https://registry.npmjs.org",
        ],
    );
    check(
        "debug/-/debug",
        "debugg/-/debug",
        &[
            "wrong-package debug 4.4.3 is fetched from https://registry.npmjs.org/debugg/-/debug-4.4.3.tgz",
        ],
    );
    check(
        "debug-4.4.3",
        "debug-4.4.2",
        &[
            "wrong-package debug 4.4.3 is fetched from https://registry.npmjs.org/debug/-/debug-4.4.2.tgz",
        ],
    );
    check(
        integrity,
        "\"integrity\": \"sha512-AA\",",
        &[&format!(
            "checksum-changed debug 4.4.3 is another file than before: sha512-AA, and was {digest}"
        )],
    );
    check(
        integrity,
        "",
        &[
            "checksum-missing debug 4.4.3 has no checksum",
            &format!(
                "checksum-changed debug 4.4.3 is another file than before: none, and was {digest}"
            ),
        ],
    );
    check(
        "\"version\": \"2.1.3\"",
        "\"version\": \"2.1.2\"",
        &[
            "out-of-range ms is 2.1.2, and node_modules/debug asks for `^2.1.3`",
            "downgrade ms 2.1.2 was 2.1.3 before",
        ],
    );
    check(
        "\"node_modules/ms\"",
        "\"node_modules/mss\"",
        &["stale-lock node_modules/debug asks for ms `^2.1.3`, which is not there"],
    );
    check(
        "\"name\": \"left-pad\"",
        "\"name\": \"evil\"",
        &["wrong-package packages/a asks for left-pad, and it is evil"],
    );
    check(
        "\"node_modules/debug\": {",
        "\"node_modules/debug\": {\n      \"name\": \"evil\",",
        &[
            "wrong-package the manifest asks for debug, and it is evil",
            "wrong-package evil 4.4.3 is fetched from https://registry.npmjs.org/debug/-/debug-4.4.3.tgz",
        ],
    );
}

#[test]
fn a_script_that_comes_with_an_update_is_told() {
    let after = real("npm-2").replace(
        "\"version\": \"4.4.3\",",
        "\"version\": \"4.4.3\",\n      \"hasInstallScript\": true,",
    );
    let case = manifests().modified("package-lock.json", &real("npm-1"), &after);
    case.check(&[
        "install-script debug 4.4.3 runs a script when it is installed, and 4.3.1 did not",
    ]);
    assert_eq!(case.judged().ruling, Ruling::Pass);
}

#[test]
fn no_manifest_is_passed_over() {
    let lock = real("npm-2");
    let case = |lock: &str| manifests().modified("package-lock.json", &real("npm-1"), lock);
    case(&lock)
        .same("packages/b/package.json", "{}")
        .check(&["stale-lock is a workspace that package-lock.json does not know"]);
    case(&lock.replace("\"\": {", "\"x\": {")).check(&[
        "stale-lock does not say for which manifest it was made",
        "stale-lock package-lock.json has a package here, and there is none",
    ]);
}

#[test]
fn overrides_and_bundles_are_seen() {
    let lock = |version: &str| {
        format!(
            r#"{{ "lockfileVersion": 3, "packages": {{
        "": {{ "name": "a", "dependencies": {{ "b": "^1" }} }},
        "node_modules/b": {{ "version": "1.0.0", "resolved": "https://registry.npmjs.org/b/-/b-1.0.0.tgz", "integrity": "sha512-x", "dependencies": {{ "c": "^1", "d": "1" }}, "bundleDependencies": ["d"] }},
        "node_modules/b/node_modules/d": {{ "version": "1.0.0", "inBundle": true }},
        "node_modules/c": {{ "version": "{version}", "resolved": "https://registry.npmjs.org/c/-/c-{version}.tgz", "integrity": "sha512-y" }} }} }}"#
        )
    };
    let case = |manifest: &str| {
        Case::new().same("package.json", manifest).file(
            "package-lock.json",
            None,
            Some(&lock("2.0.0")),
        )
    };
    case(r#"{ "dependencies": { "b": "^1" } }"#)
        .check(&["out-of-range c is 2.0.0, and node_modules/b asks for `^1`"]);
    case(r#"{ "dependencies": { "b": "^1" }, "overrides": { "b": { "c@1": "2.0.0" } } }"#)
        .check(&[]);
}

#[test]
fn overrides_hold_the_lock_to_something() {
    let lock = |version: &str| {
        format!(
            r#"{{ "lockfileVersion": 3, "packages": {{
        "": {{ "name": "a", "dependencies": {{ "b": "^1" }} }},
        "node_modules/b": {{ "version": "1.0.0", "resolved": "https://registry.npmjs.org/b/-/b-1.0.0.tgz", "integrity": "sha512-x", "dependencies": {{ "c": "^1" }} }},
        "node_modules/c": {{ "version": "{version}", "resolved": "https://registry.npmjs.org/c/-/c-{version}.tgz", "integrity": "sha512-y" }} }} }}"#
        )
    };
    let manifest = |overrides: &str| {
        format!(r#"{{ "dependencies": {{ "b": "^1" }}, "overrides": {overrides} }}"#)
    };
    // The lock stays, and an override comes.
    let check = |version: &str, overrides: &str, expect: &[&str]| {
        Case::new()
            .same("package-lock.json", &lock(version))
            .modified("package.json", &manifest("{}"), &manifest(overrides))
            .check(expect);
    };
    for passes in [
        r#"{ "c": "^1.1.0" }"#,
        r#"{ "c": { ".": "1.1.0" } }"#,
        r#"{ "b": { "c": "1" } }"#,
        r#"{ "b": "$b" }"#,
        r#"{ "nobody": "npm:evil@1" }"#,
    ] {
        check("1.1.0", passes, &[]);
    }
    for spec in [
        "2",
        "npm:evil@1",
        "file:./p",
        "github:evil/c",
        "https://evil.test/c.tgz",
        "$x",
    ] {
        let stale = format!(
            "stale-lock `overrides` put `{spec}` for c, and package-lock.json does not have it"
        );
        let range =
            format!("out-of-range c is 1.1.0 for node_modules/b, and `overrides` say `{spec}`");
        check(
            "1.1.0",
            &format!(r#"{{ "c": "{spec}" }}"#),
            &[&range, &stale],
        );
        check(
            "1.1.0",
            &format!(r#"{{ "b": {{ "c": "{spec}" }} }}"#),
            &[&stale],
        );
        check("1.1.0", &format!(r#"{{ "c@1": "{spec}" }}"#), &[&stale]);
    }
    // What neither asks for.
    check("3.0.0", r#"{ "c@1": "3.0.0" }"#, &[]);
    Case::new()
        .modified(
            "package-lock.json",
            &lock("3.0.0"),
            &format!("{} ", lock("3.0.0")),
        )
        .same("package.json", &manifest(r#"{ "c@1": "2" }"#))
        .check(&["out-of-range c is 3.0.0, and node_modules/b asks for `^1`"]);
}

/// A manifest that asks for `left-pad` and, in an archive of its own, `b` with what comes along in it.
fn padded(left_pad: &str, more: &str) -> String {
    format!(
        r#"{{ "lockfileVersion": 3, "packages": {{
    "": {{ "name": "a", "dependencies": {{ "left-pad": "^1.3.0", "b": "^1" }} }},
    "node_modules/b": {{ "version": "1.0.0", "resolved": "https://registry.npmjs.org/b/-/b-1.0.0.tgz", "integrity": "sha512-x",
        "dependencies": {{ "d": "1" }}, "bundleDependencies": ["d"] }},
    "node_modules/b/node_modules/d": {{ "version": "1.0.0", "inBundle": true, "dependencies": {{ "e": "1" }} }},
    "node_modules/b/node_modules/e": {{ "version": "1.0.0", "inBundle": true }},
    {more}
    "node_modules/left-pad": {{ {left_pad} }} }} }}"#
    )
}

const PAD: &str = r#""version": "1.3.1", "resolved": "https://registry.npmjs.org/left-pad/-/left-pad-1.3.1.tgz", "integrity": "sha512-p""#;
const PAD_MANIFEST: &str =
    r#"{ "name": "a", "dependencies": { "left-pad": "^1.3.0", "b": "^1" } }"#;

fn padded_case(left_pad: &str, more: &str) -> Case {
    Case::new()
        .config(json!({ "allow_new": false }))
        .same("package.json", PAD_MANIFEST)
        .modified(
            "package-lock.json",
            &padded(PAD, ""),
            &padded(left_pad, more),
        )
}

#[test]
fn no_entry_takes_itself_out_of_the_comparison() {
    let check = |after: &str, expect: &[&str]| padded_case(after, "").check(expect);
    check(&PAD.replace("1.3.1\",", "1.3.1\" ,"), &[]);
    let evil = PAD.replace("npmjs.org/left", "npmjs.org/@evil/left");
    let is_evil = "wrong-package left-pad 1.3.1 is fetched from https://registry.npmjs.org/@evil/left-pad/-/left-pad-1.3.1.tgz";
    check(&evil, &[is_evil]);
    // What says that it came in an archive is fetched all the same.
    let bundled = format!(r#"{evil}, "inBundle": true"#);
    check(&bundled, &[is_evil]);
    check(
        r#""version": "1.3.1", "inBundle": true"#,
        &[
            "new-source left-pad 1.3.1 comes from the registry that npm is set up with, as nothing did before",
            "checksum-missing left-pad 1.3.1 has no checksum",
            "source-changed left-pad 1.3.1 comes from the registry that npm is set up with, and came from https://registry.npmjs.org",
        ],
    );
    check(
        r#""link": true, "resolved": "https://evil.test/left-pad.tgz""#,
        &[
            "stale-lock the manifest asks for left-pad `^1.3.0`, which is not there",
            "wrong-package left-pad is a link to `https://evil.test/left-pad.tgz`, which is no package of the lock",
            "source-changed left-pad comes from https://evil.test/left-pad.tgz, and came from https://registry.npmjs.org",
        ],
    );
}

#[test]
fn only_what_an_installed_package_brings_along_is_in_a_bundle() {
    let check = |more: &str, expect: &[&str]| padded_case(PAD, more).check(expect);
    let f = r#""node_modules/b/node_modules/f": { "version": "1.0.0", "inBundle": true },"#;
    check(
        f,
        &[
            "new-source f 1.0.0 comes from the registry that npm is set up with, as nothing did before",
            "checksum-missing f 1.0.0 has no checksum",
            "new-dependency f 1.0.0 is new",
        ],
    );
}

#[test]
fn an_address_that_a_manifest_asks_for_is_a_source_of_its_own() {
    let manifest = |url: &str| format!(r#"{{ "dependencies": {{ "c": "{url}" }} }}"#);
    let lock = |url: &str| {
        format!(
            r#"{{ "lockfileVersion": 3, "packages": {{ "": {{ "dependencies": {{ "c": "{url}" }} }},
    "node_modules/c": {{ "version": "1.0.0", "resolved": "{url}", "integrity": "sha512-c" }} }} }}"#
        )
    };
    let (one, two) = ("https://c.test/one.tgz", "https://c.test/two.tgz");
    let case = |before: &str, after: &str| {
        Case::new().same("package.json", &manifest(after)).modified(
            "package-lock.json",
            &lock(before),
            &format!("{} ", lock(after)),
        )
    };
    case(one, one).check(&[]);
    let changed = "source-changed c 1.0.0 comes from https://c.test/two.tgz, and came from https://c.test/one.tgz";
    case(one, two).check(&[
        "new-source c 1.0.0 comes from https://c.test/two.tgz, as nothing did before",
        changed,
    ]);
    case(one, two)
        .config(json!({ "sources": ["https://c.test"] }))
        .check(&[changed]);
}

#[test]
fn a_link_comes_from_where_it_leads() {
    let manifest =
        r#"{ "name": "a", "workspaces": ["packages/*"], "dependencies": { "m": "^1" } }"#;
    let lock = |target: &str| {
        format!(
            r#"{{ "lockfileVersion": 3, "packages": {{
    "": {{ "name": "a", "workspaces": ["packages/*"], "dependencies": {{ "m": "^1" }} }},
    "{target}": {{ "name": "m", "version": "1.0.0" }},
    "node_modules/m": {{ "resolved": "{target}", "link": true }} }} }}"#
        )
    };
    let case = |before: &str, after: &str| {
        Case::new()
            .same("package.json", manifest)
            .same(
                "packages/m/package.json",
                r#"{ "name": "m", "version": "1.0.0" }"#,
            )
            .modified("package-lock.json", before, after)
    };
    let here = lock("packages/m");
    case(&here.replace("1.0.0", "1.2.0"), &here).check(&[]);
    case(&lock("packages/n"), &here)
        .check(&["source-changed m 1.0.0 comes from packages/m, and came from packages/n"]);
    case(&here, &lock("../m")).check(&[
        "stale-lock is a workspace that package-lock.json does not know",
        "stale-lock `../m` is outside of the repository",
        "source-changed m 1.0.0 comes from ../m, and came from packages/m",
    ]);
    case(
        &here,
        &here.replace("node_modules/m", "x/../node_modules/m"),
    )
    .check(&[
        "stale-lock the manifest asks for m `^1`, which is not there",
        "unreadable `x/../node_modules/m` is no folder",
    ]);
}

#[test]
fn locks_that_are_not_known_are_refused() {
    let check = |after: &str, expect: &str| {
        let verdict = manifests()
            .modified("package-lock.json", &real("npm-1"), after)
            .judged();
        assert!(verdict.findings[0].message.contains(expect), "{verdict:?}");
    };
    check(
        r#"{ "lockfileVersion": 1, "dependencies": {} }"#,
        "is of version 1: have `npm install",
    );
    check(r#"{ "packages": {} }"#, "missing field `lockfileVersion`");
    check("[]", "");
    manifests()
        .file("package-lock.json", Some(&real("npm-1")), None)
        .check(&["lock-removed is gone, and its manifest is not"]);
    manifests()
        .file("package-lock.json", Some(&real("npm-1")), None)
        .file("npm-shrinkwrap.json", None, Some(&real("npm-1")))
        .check(&[]);
}

#[test]
fn a_lock_that_takes_the_place_of_another_is_held_to_it() {
    let wrap = |case: Case| case.config(json!({ "allow": "patch", "allow_new": false }));
    let (old, new) = (real("npm-1"), real("npm-2"));
    let refused = [
        "step-too-large debug 4.4.3 from 4.3.1 is a minor step, and patch is what is allowed",
        "step-too-large semver 7.8.6 from 7.3.5 is a minor step, and patch is what is allowed",
    ];
    let beside = manifests().same("package-lock.json", &old);
    wrap(beside.file("npm-shrinkwrap.json", None, Some(&new))).check(&refused);
    let moved = manifests().file("package-lock.json", Some(&old), None);
    wrap(moved.file("npm-shrinkwrap.json", None, Some(&new))).check(&refused);
    // A file that nobody looked at is none to be held to.
    let renamed = manifests().same("package-lock.json", &old);
    wrap(renamed.renamed("x.json", "npm-shrinkwrap.json", &new)).check(&refused);
    let same = manifests().same("package-lock.json", &old);
    wrap(same.file("npm-shrinkwrap.json", None, Some(&old))).check(&[]);
}

/// `RINGFENCE_PACKAGES` names a folder with one folder for each release of a package that has an `npm-shrinkwrap.json`, in
/// the order of their names: the first is judged as new, each other against the one before it.
#[test]
fn releases_of_a_package() {
    let Ok(folder) = std::env::var("RINGFENCE_PACKAGES") else {
        return;
    };
    let mut releases: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    releases.sort();
    let one_line = |text: &str| serde_json::from_str::<Value>(text).unwrap().to_string();
    let mut before: Option<String> = None;
    for release in releases {
        let texts = ["package.json", "npm-shrinkwrap.json"]
            .map(|name| std::fs::read_to_string(release.join(name)).unwrap());
        let [manifest, lock] = &texts;
        let case = Case::new().same("package.json", manifest);
        // A test's line diff is quadratic.
        let case = match &before {
            None => case.file("npm-shrinkwrap.json", None, Some(&one_line(lock))),
            Some(before) => {
                case.modified("npm-shrinkwrap.json", &one_line(before), &one_line(lock))
            }
        };
        let verdict = case.judged();
        println!("{}: {}", release.display(), verdict.summary);
        for finding in verdict
            .findings
            .iter()
            .filter(|f| f.severity != Severity::Note)
        {
            println!("  {} {}", finding.rule, finding.message);
        }
        before = Some(lock.clone());
    }
    assert!(before.is_some());
}
