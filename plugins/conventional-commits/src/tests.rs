//! The examples of the specification, messages as public histories have them, and those that are nearly right.

use serde_json::{Value, json};

use super::*;

fn judged(config: Value, commits: Vec<Commit>) -> Verdict {
    judge(
        &Context::test(config),
        &Change::test(vec![]).in_commits(commits),
    )
    .unwrap()
}

fn rules(config: Value, message: &str) -> Vec<String> {
    let verdict = judged(config, vec![Commit::test(message)]);
    verdict
        .findings
        .into_iter()
        .map(|finding| finding.rule)
        .collect()
}

fn check(config: Value, cases: &[(&str, &[&str])]) {
    for (message, expect) in cases {
        assert_eq!(rules(config.clone(), message), *expect, "{message:?}");
    }
}

#[test]
fn the_examples_of_the_specification_pass() {
    let examples = [
        "feat: allow provided config object to extend other configs\n\nBREAKING CHANGE: `extends` key in config file is now used for extending other config files",
        "feat!: send an email to the customer when a product is shipped",
        "feat(api)!: send an email to the customer when a product is shipped",
        "chore!: drop support for Node 6\n\nBREAKING CHANGE: use JavaScript features not available in Node 6.",
        "docs: correct spelling of CHANGELOG",
        "feat(lang): add Polish language",
        "fix: prevent racing of requests\n\nIntroduce a request id and a reference to latest request. Dismiss\nincoming responses other than from latest request.\n\nRemove timeouts which were used to mitigate the racing issue but are\nobsolete now.\n\nReviewed-by: Z\nRefs: #123",
        "revert: let us never again speak of the noodle incident\n\nRefs: 676104e, a215868",
    ];
    for (message, breaking) in examples.iter().zip([1, 1, 1, 1, 0, 0, 0, 0]) {
        let verdict = judged(json!({}), vec![Commit::test(*message)]);
        assert_eq!(
            verdict.ruling,
            Ruling::Pass,
            "{message}: {:?}",
            verdict.findings
        );
        let expect = format!("no findings in 1 commit; 0 skipped, {breaking} breaking");
        assert_eq!(verdict.summary, expect, "{message}");
    }
}

#[test]
fn a_subject_says_something_to_those_who_look() {
    check(
        json!({}),
        &[
            ("fix: \u{200b}", &["not-conventional"]),
            ("fix: \u{200d}\u{fe0f}", &["not-conventional"]),
            ("fix: \u{2800}", &["not-conventional"]),
            ("fix: a\u{202e}b", &["not-conventional"]),
            ("fix: a\u{200b}b", &["not-conventional"]),
            ("fix(a\u{2066}): b", &["not-conventional"]),
            ("fix: \u{e0041}a", &["not-conventional"]),
            ("feat: ✨\u{fe0f} 👩\u{200d}💻", &[]),
            ("fix: می\u{200c}خواهم", &[]),
            ("fix: 직", &[]),
        ],
    );
}

#[test]
fn messages_of_real_histories() {
    check(
        json!({}),
        &[
            ("chore(deps): bump serde from 1.0.219 to 1.0.228", &[]),
            (
                "build(deps-dev): Bump @types/node from 20.1.0 to 20.1.1 in /web",
                &[],
            ),
            (
                "fix(compiler-cli): allow more characters in square-bracketed attribute names\n",
                &[],
            ),
            ("FEAT: shout\r\n\r\nBody\r\n", &[]),
            ("refactor(core/sub, x)!: split", &[]),
            (
                "Auto merge of #140001 - user:branch, r=other",
                &["not-conventional"],
            ),
            ("Bump version to 1.2.3", &["not-conventional"]),
            ("WIP", &["not-conventional"]),
            ("", &["not-conventional"]),
            ("feature: x", &["unknown-type"]),
            ("rust: use `Pin`", &["unknown-type"]),
            ("net/mlx5e: Fix use-after-free", &["not-conventional"]),
            ("x86/mm: Fix it", &["not-conventional"]),
        ],
    );
}

#[test]
fn a_subject_has_one_form() {
    check(
        json!({ "types": [] }),
        &[
            ("any-thing_else: x", &[]),
            ("größe: x", &[]),
            ("fix:x", &["not-conventional"]),
            ("fix:  x", &["not-conventional"]),
            ("fix: ", &["not-conventional"]),
            ("fix:\tx", &["not-conventional"]),
            ("fix :x", &["not-conventional"]),
            ("fix : x", &["not-conventional"]),
            (": x", &["not-conventional"]),
            ("!: x", &["not-conventional"]),
            (" fix: x", &["not-conventional"]),
            ("fix(): x", &["not-conventional"]),
            ("fix( a): x", &["not-conventional"]),
            ("fix(a: x", &["not-conventional"]),
            ("fix(a)b: x", &["not-conventional"]),
            ("fix(a)(b): x", &["not-conventional"]),
            ("fix((a)): x", &["not-conventional"]),
            ("fix(a) !: x", &["not-conventional"]),
            ("fix!!: x", &["not-conventional"]),
            ("fix!(a): x", &["not-conventional"]),
            ("fix\u{202e}: x", &["not-conventional"]),
            ("fix(\u{7}): x", &["not-conventional"]),
            ("https://example.org: x", &["not-conventional"]),
        ],
    );
    let subject = Subject::parse("feat(a b)!: it: so").unwrap();
    let expect = Subject {
        kind: "feat",
        scope: Some("a b"),
        breaking: true,
        description: "it: so",
    };
    assert_eq!(subject, expect);
}

#[test]
fn words_are_those_that_the_operator_lists() {
    let config = json!({ "types": ["feat", "fix"], "scopes": ["core", "cli"] });
    check(
        config,
        &[
            ("fix(core): x", &[]),
            ("Fix(CLI): x", &[]),
            ("fix: x", &[]),
            ("docs(core): x", &["unknown-type"]),
            ("docs(site): x", &["unknown-type", "unknown-scope"]),
            ("fix(core,cli): x", &["unknown-scope"]),
        ],
    );
    check(
        json!({ "require_scope": true }),
        &[("fix: x", &["no-scope"]), ("fix(a): x", &[])],
    );
}

#[test]
fn the_first_line_has_a_length_in_characters() {
    let config = || json!({ "subject_chars_max": 20 });
    check(
        config(),
        &[
            ("fix: 456789012345678", &[]),
            ("fix: 45678901234567890", &["long-subject"]),
            ("fix: ééééééééééééééé", &[]),
        ],
    );
    let long = format!("fix: {}", "x".repeat(96));
    assert_eq!(rules(json!({}), &long), ["long-subject"]);
    assert_eq!(rules(json!({}), &long[..100]), Vec::<String>::new());
}

#[test]
fn a_body_begins_after_a_blank_line() {
    check(
        json!({}),
        &[
            ("fix: x\n", &[]),
            ("fix: x\n\n", &[]),
            ("fix: x\n \nbody", &[]),
            ("fix: x\nbody", &["no-blank-line"]),
            ("fix: x\nRefs: #1", &["no-blank-line"]),
        ],
    );
}

#[test]
fn what_breaks_is_said_so_that_tools_read_it() {
    let unread: &[&str] = &["unread-breaking-change"];
    check(
        json!({}),
        &[
            ("fix: x\n\nBREAKING CHANGE: y", &[]),
            ("fix: x\n\nBREAKING-CHANGE: y", &[]),
            (
                "fix: x\n\nRefs: #1\nBREAKING CHANGE: y\n  and more\nSigned-off-by: Z <z@example.org>",
                &[],
            ),
            ("fix: x\n\nThis is no breaking change: y is as it was.", &[]),
            (
                "fix: x\n\nBreaking changes of other crates are listed in\nthe changelog.",
                &[],
            ),
            ("fix: x\n\nBreaking change: y", unread),
            ("fix: x\n\nBREAKING CHANGES: y", unread),
            ("fix: x\n\nBREAKING CHANGE:y", unread),
            ("fix: x\n\nBREAKING CHANGE:\n\n- y", unread),
            ("fix: x\n\nBREAKING CHANGE: ", unread),
            ("fix: x\n\n  BREAKING CHANGE: y", unread),
            ("fix: x\n\nSome words\nBREAKING CHANGE: y", unread),
        ],
    );
    for (message, breaking) in [
        ("fix: x\n\nRefs: #1\nBREAKING CHANGE: y", true),
        ("fix: x\n\nRefs #1\nmore of it\nBREAKING-CHANGE: y", true),
        ("fix: x\n\nSome words\nBREAKING CHANGE: y", false),
        ("fix: x\n\nbreaking change: y", false),
        ("fix: x\n\nRefs: #1\n", false),
    ] {
        assert_eq!(Body::of(message).breaking, breaking, "{message:?}");
    }
}

#[test]
fn a_break_can_be_explained_or_forbidden() {
    let explained = "feat!: x\n\nBREAKING CHANGE: y";
    check(
        json!({ "explain_breaking": true }),
        &[
            ("feat!: x", &["unexplained-breaking-change"]),
            (explained, &[]),
            ("feat: x\n\nBREAKING CHANGE: y", &[]),
        ],
    );
    check(
        json!({ "allow_breaking": false }),
        &[
            ("feat!: x", &["breaking-change"]),
            ("feat: x\n\nBREAKING CHANGE: y", &["breaking-change"]),
            ("feat: x", &[]),
        ],
    );
}

#[test]
fn commits_of_a_kind_go_their_way() {
    let merge = || Commit {
        parents: 2,
        ..Commit::test("Merge pull request #12 from user/branch\n\nTitle")
    };
    let revert = || Commit::test("Revert \"feat(core): x\"\n\nThis reverts commit 0123456.");
    let fixup = || Commit::test("fixup! fix: x");
    let fix = || Commit::test("fix: x");
    let rules = |config: Value, commit: Commit| -> Vec<String> {
        let verdict = judged(config, vec![commit, fix()]);
        verdict
            .findings
            .into_iter()
            .map(|finding| finding.rule)
            .collect()
    };
    let none = Vec::<String>::new();
    assert_eq!(rules(json!({}), merge()), none);
    assert_eq!(rules(json!({}), revert()), none);
    assert_eq!(rules(json!({}), fixup()), ["fixup-commit"]);
    assert_eq!(
        rules(json!({ "merges": "forbid" }), merge()),
        ["merge-commit"]
    );
    assert_eq!(
        rules(json!({ "merges": "check" }), merge()),
        ["not-conventional"]
    );
    assert_eq!(
        rules(json!({ "reverts": "forbid" }), revert()),
        ["revert-commit"]
    );
    assert_eq!(
        rules(json!({ "reverts": "check" }), revert()),
        ["not-conventional"]
    );
    assert_eq!(rules(json!({ "fixups": "skip" }), fixup()), none);
    // The words alone make no merge.
    let plain = Commit::test("Merge branch 'main'");
    assert_eq!(rules(json!({}), plain), ["not-conventional"]);
}

#[test]
fn nothing_judged_is_no_pass() {
    assert_eq!(judged(json!({}), vec![]).ruling, Ruling::Abstain);
    let merge = Commit {
        parents: 2,
        ..Commit::test("Merge branch 'main'")
    };
    assert_eq!(
        judged(json!({}), vec![merge.clone()]).ruling,
        Ruling::Abstain
    );
    let verdict = judged(json!({}), vec![merge, Commit::test("fix: x")]);
    assert_eq!(verdict.ruling, Ruling::Pass);
    assert_eq!(
        verdict.summary,
        "no findings in 2 commits; 1 skipped, 0 breaking"
    );
}

#[test]
fn findings_name_the_commit_and_none_is_left_out() {
    let verdict = judged(
        json!({}),
        vec![Commit::test(format!("{}\n\nBody", "y".repeat(90)))],
    );
    let expect = format!("commit 0123456789ab «{}…»: it does not", "y".repeat(80));
    assert!(
        verdict.findings[0].message.starts_with(&expect),
        "{:?}",
        verdict.findings
    );
    let verdict = judged(json!({}), vec![Commit::test("x"); 300]);
    assert_eq!(verdict.findings.len(), 300);
    assert!(
        verdict.summary.starts_with("300 errors in 300 commits"),
        "{}",
        verdict.summary
    );
}
