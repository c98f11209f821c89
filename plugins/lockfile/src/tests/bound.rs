//! Findings point to all that they are about: one that is known does not cover what changes later.

use super::*;

fn check(verdict: &Verdict, rule: &str, expect: &[u32]) {
    let finding = verdict.findings.iter().find(|finding| finding.rule == rule);
    let Some(finding) = finding else {
        panic!("no {rule}: {verdict:?}");
    };
    let lines: Vec<u32> = finding.locations.iter().map(|place| place.line).collect();
    assert_eq!(lines, expect, "{finding:?}");
}

#[test]
fn findings_of_a_cargo_lock_point_to_version_source_and_checksum() {
    let index = "registry+https://github.com/rust-lang/crates.io-index";
    let manifest = "[package]\nname = 'a'\nversion = '1.0.0'\n[dependencies]\nb = '1'\n";
    let lock = |version: &str, sum: &str| {
        format!(
            "[[package]]\nname = 'a'\nversion = '1.0.0'\ndependencies = ['b']\n\n[[package]]\nname = 'b'\nversion = '{version}'\nsource = '{index}'\nchecksum = {sum}\n"
        )
    };
    let judged = |version: &str, sum: &str| {
        Case::new()
            .config(json!({ "allow": "patch" }))
            .same("Cargo.toml", manifest)
            .modified("Cargo.lock", &lock("1.0.0", "'c'"), &lock(version, sum))
            .judged()
    };
    check(&judged("1.0.0", "'d'"), "checksum-changed", &[7, 8, 9, 10]);
    check(&judged("1.1.0", "'d'"), "step-too-large", &[7, 8, 9, 10]);
    check(&judged("2.0.0", "'d'"), "out-of-range", &[7, 8, 9, 10]);
    // A text may go over several lines.
    check(
        &judged("1.0.0", "'''\nd'''"),
        "checksum-changed",
        &[7, 8, 9, 10, 11],
    );
    let fresh = "c = { path = 'c' }\n";
    let more =
        format!("[[package]]\nname = 'd'\nversion = '1.0.0'\nsource = '{index}'\nchecksum = 'e'\n");
    let more = format!("{more}{}", more.replace("1.0.0", "2.0.0"));
    let after = format!("{}{more}", lock("1.0.0", "'c'"));
    let verdict = Case::new()
        .config(json!({ "allow_new": false }))
        .same("Cargo.toml", &format!("{manifest}{fresh}"))
        .modified("Cargo.lock", &lock("1.0.0", "'c'"), &after)
        .judged();
    check(
        &verdict,
        "new-dependency",
        &[12, 13, 14, 15, 17, 18, 19, 20],
    );
}

#[test]
fn findings_of_an_npm_lock_point_to_version_address_and_checksum() {
    let manifest = r#"{ "dependencies": { "b": "^1" } }"#;
    let lock = |version: &str, sum: &str| {
        format!(
            r#"{{ "lockfileVersion": 3, "packages": {{
  "": {{ "dependencies": {{ "b": "^1" }} }},
  "node_modules/b": {{
    "version": "{version}",
    "resolved": "https://registry.npmjs.org/b/-/b-{version}.tgz",
    "integrity": "{sum}",
    "license": "MIT"
}} }} }}"#
        )
    };
    let judged = |version: &str, sum: &str| {
        Case::new()
            .config(json!({ "allow": "patch" }))
            .same("package.json", manifest)
            .modified(
                "package-lock.json",
                &lock("1.0.0", "sha512-c"),
                &lock(version, sum),
            )
            .judged()
    };
    check(
        &judged("1.0.0", "sha512-d"),
        "checksum-changed",
        &[3, 4, 5, 6],
    );
    check(
        &judged("1.1.0", "sha512-d"),
        "step-too-large",
        &[3, 4, 5, 6],
    );
    check(&judged("2.0.0", "sha512-d"), "out-of-range", &[3, 4, 5, 6]);
}
