//! The policy against its rules, the copied denylist vectors, and a plain model.

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

fn spec(read: &[&str], write: &[&str], deny: &[&str]) -> PolicySpec {
    let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    PolicySpec {
        layers: vec![Layer {
            name: "loop".into(),
            read: own(read),
            write: own(write),
        }],
        deny: deny
            .iter()
            .map(|pattern| DenyPattern {
                pattern: (*pattern).to_owned(),
                source: DenySource::Operator,
            })
            .collect(),
    }
}

fn allows(policy: &PolicySpec, path: &str, access: Access) -> bool {
    let policy = PathPolicy::new(policy).unwrap();
    RelPath::lexical(path).is_ok_and(|path| policy.decide(&path, access).is_allowed())
}

#[test]
fn a_check_says_what_compiling_says() {
    let good = ["**", "docs/**", "a[bc]?d", ".env{,.local}"];
    let bad = [
        "",
        "/docs",
        "!docs",
        "a//b",
        "[[:alpha:]]",
        "[ä]",
        "{a/b,c}",
    ];
    // Folded, this one has lost what it insists on.
    let texts = [&good[..], &bad[..], &["x. ", "[.]. "]].concat();
    for text in texts {
        for spec in [
            spec(&[text], &[], &[]),
            spec(&["**"], &[text], &[]),
            spec(&["**"], &[], &[text]),
            spec(&[text], &[text], &["x", text]),
        ] {
            let sorted = |errors: Vec<PatternError>| {
                let texts = errors.into_iter().map(|error| error.to_string());
                texts.collect::<std::collections::BTreeSet<_>>()
            };
            assert_eq!(
                PathPolicy::check(&spec).map_err(sorted),
                PathPolicy::new(&spec).map(drop).map_err(sorted),
                "{text:?}"
            );
        }
    }
}

#[test]
fn one_pattern() {
    for (pattern, path, expect) in [
        ("**", ".", true),
        ("**", "a/b/c", true),
        ("docs/**", "docs", true),
        ("docs/**", "docs/a/b", true),
        ("docs/**", "docsx", false),
        ("docs/**", ".", false),
        ("docs/", "docs/a", true),
        ("docs", "docs", true),
        ("docs", "docs/a", false),
        ("*.md", "a.md", true),
        ("*.md", "docs/a.md", false),
        ("**/*.md", "a.md", true),
        ("**/*.md", "docs/x/a.md", true),
        ("a/**/b", "a/b", true),
        ("a/**/b", "a/x/y/b", true),
        ("a/**/b", "a/x/y/c", false),
        ("a/**/**/b", "a/b", true),
        ("a/*/b", "a/b", false),
        ("a/*/b", "a/x/b", true),
        ("{docs,src}/**", "src/x", true),
        ("*", ".hidden", true),
    ] {
        assert_eq!(
            allows(&spec(&[pattern], &[], &[]), path, Access::Read),
            expect,
            "{pattern} on {path}"
        );
    }
}

#[test]
fn a_wildcard_stands_for_one_letter_of_any_alphabet() {
    for (pattern, path, allowed, denied) in [
        ("x?", "xa", true, true),
        ("x?", "xé", true, true),
        ("x?", "x", false, false),
        ("x?", "xéé", false, false),
        ("x[!a]y", "xßy", true, true),
        ("x[!a]y", "xay", false, false),
        ("x[a-c]", "xé", false, false),
        ("{é,ö}.md", "ö.md", true, true),
        // One letter beyond ASCII counts for another where that takes rights away, and for none where it gives any.
        ("é?", "é1", true, true),
        ("é?", "éö", false, true),
        (".env{,.local}", ".env", true, true),
        (".env{,.local}", ".env.local", true, true),
        (".env{,.local}", ".env.", false, true),
    ] {
        assert_eq!(
            allows(&spec(&[pattern], &[], &[]), path, Access::Read),
            allowed,
            "{pattern} allows {path}"
        );
        assert_eq!(
            !allows(&spec(&["**"], &[], &[pattern]), path, Access::Read),
            denied,
            "{pattern} denies {path}"
        );
    }
}

#[test]
fn accesses() {
    let policy = spec(&["docs/*.md"], &["out/**"], &[]);
    for (path, traverse, stat, read, write) in [
        (".", true, false, false, false),
        ("docs", true, false, false, false),
        ("docs/a.md", true, true, true, false),
        ("docs/a.txt", false, false, false, false),
        ("out", true, true, false, true),
        ("out/x", true, true, false, true),
        ("src", false, false, false, false),
    ] {
        let got = Access::ALL.map(|access| allows(&policy, path, access));
        assert_eq!(got, [traverse, stat, read, write], "{path}");
    }
}

#[test]
fn every_layer_must_allow() {
    let mut policy = spec(&["**"], &["**"], &[]);
    policy.layers.push(Layer {
        name: "plugin".into(),
        read: vec!["docs/**".into()],
        write: vec![],
    });
    assert!(allows(&policy, "docs/a", Access::Read));
    assert!(!allows(&policy, "src/a", Access::Read));
    assert!(!allows(&policy, "docs/a", Access::Write));
    let decision = PathPolicy::new(&policy)
        .unwrap()
        .decide(&RelPath::lexical("src").unwrap(), Access::Read);
    assert_eq!(
        decision,
        Decision::Denied {
            rule: Rule::NotAllowed {
                layer: "plugin".into()
            }
        }
    );
    assert!(
        !allows(&PolicySpec::default(), "a", Access::Read),
        "no layer allows nothing"
    );
}

#[test]
fn deny_wins_over_everything_below() {
    let policy = spec(&["**"], &["**"], &["secrets/**", "a/[!b]", "**/*_Key*"]);
    for (path, expect) in [
        ("secrets", false),
        ("secrets/x/y", false),
        ("SECRETS/x", false),
        ("secrets./x", false),
        ("a/B", false),
        ("a/b", true),
        ("a/c/deep", false),
        ("x/id_KEY/y", false),
        // Folding makes slashes of some letters, and wildcards stand for these too.
        ("x／/A_KEY", false),
        ("x/A／_KEY／B", false),
        ("x/A／_KE／B", true),
        ("secretsX", true),
    ] {
        for access in Access::ALL {
            assert_eq!(allows(&policy, path, access), expect, "{access} {path}");
        }
    }
}

#[test]
fn built_in_denials_hold() {
    let mut policy = spec(&["**"], &["**"], &[]);
    policy.deny = builtin_denials();
    for path in [
        ".git",
        ".git/config",
        "sub/.GIT/hooks/x",
        ".git.",
        "GIT~1/config",
        ".ringfence/x",
        "Ringfence.lock",
        "LOOP.md",
        "loops/a/LOOP.md",
        ".vscode/tasks.json",
        "x/.mcp.json",
    ] {
        assert!(!allows(&policy, path, Access::Read), "{path}");
    }
    for path in [
        "docs/LOOP.markdown",
        ".github/workflows/ci.yml",
        ".gitignore",
        "gitx",
    ] {
        assert!(allows(&policy, path, Access::Write), "{path}");
    }
}

#[test]
fn widely_copied_denylist() {
    #[derive(Deserialize)]
    struct Vectors {
        deny: Vec<String>,
        denied: Vec<String>,
        allowed: Vec<String>,
    }
    let vectors: Vectors =
        serde_json::from_str(include_str!("../../tests/vectors/paths.json")).unwrap();
    let mut policy = spec(
        &["**"],
        &["**"],
        &vectors.deny.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    policy.deny.extend(builtin_denials());
    for path in vectors.denied {
        assert!(
            !allows(&policy, &path, Access::Write),
            "{path} must be denied"
        );
    }
    for path in vectors.allowed {
        assert!(
            allows(&policy, &path, Access::Write),
            "{path} must be allowed"
        );
    }
}

#[test]
fn refuses_bad_patterns_all_at_once() {
    let errors = PathPolicy::new(&spec(&["/a"], &["b\\"], &["[[:x:]]"])).unwrap_err();
    assert_eq!(errors.len(), 3, "{errors:?}");
}

fn segment() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "A", "*", "**", "a*", "?", "[!a]", "{a,b}"])
}

fn pattern() -> impl Strategy<Value = String> {
    prop::collection::vec(segment(), 1..4).prop_map(|segments| segments.join("/"))
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "A", "ab", "c"]), 0..5)
        .prop_map(|names| format!("./{}", names.join("/")))
}

/// The meaning of a pattern, spelled out: does it match this whole list of names?
fn model(pattern: &[&str], names: &[&str]) -> bool {
    match (pattern.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), None) => model(rest, names),
        (Some((&"**", rest)), Some((_, below))) => model(rest, names) || model(pattern, below),
        (Some((segment, rest)), Some((name, below))) => {
            globset::Glob::new(segment)
                .unwrap()
                .compile_matcher()
                .is_match(name)
                && model(rest, below)
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn agrees_with_the_model(pattern in pattern(), path in path()) {
        let names: Vec<_> = path.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
        let expect = model(&pattern.split('/').collect::<Vec<_>>(), &names);
        prop_assert_eq!(allows(&spec(&[&pattern], &[], &[]), &path, Access::Read), expect);
        let denied = (0..=names.len()).any(|n| model(&pattern.split('/').collect::<Vec<_>>(), &names[..n]));
        if denied {
            prop_assert!(!allows(&spec(&["**"], &["**"], &[&pattern]), &path, Access::Traverse));
        }
    }

    #[test]
    fn another_denial_never_allows(allow in pattern(), deny in prop::collection::vec(pattern(), 0..4), extra in pattern(), path in path()) {
        let mut deny: Vec<_> = deny.iter().map(String::as_str).collect();
        let before = spec(&[&allow], &[&allow], &deny);
        deny.push(&extra);
        let after = spec(&[&allow], &[&allow], &deny);
        for access in Access::ALL {
            prop_assert!(allows(&before, &path, access) || !allows(&after, &path, access));
        }
    }

    #[test]
    fn one_grant_less_or_one_layer_more_never_allows(
        read in prop::collection::vec(pattern(), 1..4),
        write in prop::collection::vec(pattern(), 0..3),
        deny in prop::collection::vec(pattern(), 0..3),
        path in path(),
    ) {
        let texts = |list: &[String]| -> Vec<String> { list.to_vec() };
        let as_spec = |read: &[String], write: &[String]| {
            let mut policy = spec(&[], &[], &deny.iter().map(String::as_str).collect::<Vec<_>>());
            policy.layers[0].read = texts(read);
            policy.layers[0].write = texts(write);
            policy
        };
        let whole = as_spec(&read, &write);
        let less_read = as_spec(&read[1..], &write);
        let less_write = as_spec(&read, write.get(1..).unwrap_or_default());
        let mut layered = whole.clone();
        layered.layers.extend(less_read.layers.clone());
        for narrow in [less_read, less_write, layered] {
            for access in Access::ALL {
                prop_assert!(allows(&whole, &path, access) || !allows(&narrow, &path, access));
            }
        }
    }

    #[test]
    fn a_denial_reaches_every_case_and_folding_allows_nothing(deny in pattern(), path in path()) {
        let everything = spec(&["**"], &["**"], &[&deny]);
        let shout = path.to_uppercase();
        if !allows(&everything, &path.to_lowercase(), Access::Stat) && deny == deny.to_lowercase() && !deny.contains('!') {
            prop_assert!(!allows(&everything, &shout, Access::Stat), "{} under {}", shout, deny);
        }
        // What is allowed is allowed as it is spelled, whatever else it folds to.
        let exact = spec(&[&path[2..]], &[], &[]);
        if path.len() > 2 && path != shout && PathPolicy::new(&exact).is_ok() {
            prop_assert!(allows(&exact, &path, Access::Read));
            prop_assert_eq!(allows(&exact, &shout, Access::Read), path == shout);
        }
    }

    #[test]
    fn what_is_allowed_can_be_reached(allow in pattern(), path in path()) {
        let policy = spec(&[&allow], &[], &[]);
        if allows(&policy, &path, Access::Read) {
            let path = RelPath::lexical(&path).unwrap();
            let mut above = path.parent();
            while let Some(dir) = above {
                let reached = allows(&policy, dir.to_string().as_str(), Access::Traverse);
                prop_assert!(reached);
                above = dir.parent();
            }
        }
    }
}
