//! Files that want to cost much, or to be read as something else.

use super::*;

/// What `text` is refused for as `path`; none when it is read.
fn refusal(path: &str, text: &str) -> Option<String> {
    let rule = json!({ "files": [path], "schema": "s.json" });
    let case = Case::new(
        json!({ "rules": [rule] }),
        &[("s.json", "true"), (path, text)],
    );
    let verdict = case.judged(&[path]);
    verdict.findings.first().map(|finding| {
        assert_eq!(finding.rule, "unreadable", "{text}");
        let place = &finding.locations[0];
        format!("{}:{} {}", place.line, place.column, finding.message)
    })
}

fn check(path: &str, text: &str, expect: &str) {
    let found = refusal(path, text).unwrap_or_default();
    assert!(
        found.contains(expect) && (expect.is_empty() == found.is_empty()),
        "{path} {text:.60}: {found}"
    );
}

#[test]
fn keys_stand_once() {
    check(
        "a.json",
        "{\"a\": 1,\n \"b\": {\"c\": 1, \"\\u0063\": 2}}",
        "2:16 `c` stands twice",
    );
    check("a.yaml", "a: 1\nb: 2\na: 3\n", "`a` stands twice");
    check("a.yaml", "{a: 1, \"a\": 2}", "`a` stands twice");
    check("a.toml", "a = 1\na = 2\n", "2:1 duplicate key");
    check("a.json", r#"{"a": {"b": 1}, "c": {"b": 1}}"#, "");
}

#[test]
fn syntax_is_held() {
    check("a.json", "{\"a\": 1,\n}", "2:1 trailing comma");
    check("a.json", "// no\n{}", "1:1 expected value");
    check("a.json", "", "1:1 EOF while parsing a value");
    check("a.json", "{} {}", "1:4 trailing characters");
    check("a.json", "\u{feff}{}", "1:1 expected value");
    check("a.json", "[1, nan]", "1:6 expected");
    check("a.yaml", "a: [1\nb: 2", "2:");
    check("a.yaml", "a:\n\t- 1\n", "2:");
    check("a.toml", "a = \n", "1:5");
    check("a.toml", "a = 1979-05-27T07:32:00Z\nb = 0xff\n", "");
}

#[test]
fn depth_is_bounded() {
    let nested = |open: &str, close: &str, depth: usize| open.repeat(depth) + &close.repeat(depth);
    check("a.json", &nested("[", "]", 100), "");
    check("a.json", &nested("[", "]", 110), "deeper than 100 levels");
    check(
        "a.json",
        &nested("[", "]", 200_000),
        "recursion limit exceeded",
    );
    check("a.yaml", &nested("[", "]", 99), "");
    check("a.yaml", &nested("[", "]", 110), "deeper than 100 levels");
    check(
        "a.yaml",
        &nested("[", "]", 200_000),
        "recursion limit exceeded",
    );
    check(
        "a.toml",
        &format!("a = {}", nested("[", "]", 200_000)),
        "max recursion depth",
    );
}

#[test]
fn aliases_do_not_grow() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let before = level - 1;
        let row = vec![format!("*a{before}"); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{row}]\n"));
    }
    check(
        "a.yaml",
        &bomb,
        "more than 200000 values, aliases written out",
    );
    check("a.yaml", "a: &a [1]\nb: [*a, *a]\n", "");
    check("a.yaml", "a: &a [*a]\n", "alias");
    check("a.yaml", "a: *b\n", "unknown anchor");
}

#[test]
fn what_json_does_not_have_is_refused() {
    check(
        "a.yaml",
        "a: .inf\n",
        "`.inf` is a number that JSON does not have",
    );
    check("a.yaml", "a: .NaN\n", "JSON does not have");
    check("a.yaml", "? [a, b]\n: 1\n", "a key is a list or a map");
    check(
        "a.yaml",
        "a: !Ref x\n",
        "what the tag `!Ref` means is not known here",
    );
    check("a.yaml", "a: !!int x\n", "`x` is no int, as its tag says");
    check("a.yaml", "a: !!binary eA==\n", "is not known here");
    check("a.toml", "a = inf\n", "no JSON value is like it");
    check(
        "a.json",
        r#"{"$serde_json::private::Number": "1"}"#,
        "a key begins with",
    );
}

#[test]
fn tags_that_are_named_count_for_nothing() {
    let read = |text: &str| {
        let tags = BTreeSet::from(["!reference".to_owned()]);
        document::read(text, Format::Yaml, &tags).map(|documents| documents[0].value.to_string())
    };
    assert_eq!(
        read("[!reference [a, 1], !reference 2]").unwrap(),
        r#"[["a",1],2]"#
    );
    assert!(read("[!reference [a], !other b]").is_err());
}

#[test]
fn files_are_bounded() {
    let long = format!("\"{}\"", "x".repeat(4 << 20));
    check(
        "a.json",
        &long,
        "has 4194306 bytes, more than the 4194304 that are read",
    );
    let many = format!("[{}1]", "1,".repeat(300_000));
    check("a.json", &many, "more than 200000 values");
}

#[test]
fn scalars_are_those_of_the_core_schema() {
    let read = |text: &str| {
        document::read(text, Format::Yaml, &BTreeSet::new()).unwrap()[0]
            .value
            .to_string()
    };
    for (text, expect) in [
        ("[yes, on, No, y]", r#"["yes","on","No","y"]"#),
        ("[true, True, FALSE, 'true']", r#"[true,true,false,"true"]"#),
        ("[null, ~, '', NULL, nul]", r#"[null,null,"",null,"nul"]"#),
        (
            "[1, -1, +1, 007, 0o17, 0xfF, 1_000]",
            r#"[1,-1,1,7,15,255,"1_000"]"#,
        ),
        (
            "[1.5, .5, 1., -0.0, 1e3, 1.e+3, '1.5']",
            r#"[1.5,0.5,1.0,-0.0,1e+3,1.0e+3,"1.5"]"#,
        ),
        (
            "[., +, 1e, .e3, 12:30, 1.2.3, 0x, e3]",
            r#"[".","+","1e",".e3","12:30","1.2.3","0x","e3"]"#,
        ),
        (
            "[!!str 1, !!float 1, ! 1, !!null '']",
            r#"["1",1,"1",null]"#,
        ),
        (
            "{1: a, true: b, null: c}",
            r#"{"1":"a","null":"c","true":"b"}"#,
        ),
        (
            "x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}",
            r#"{"x":{"a":1,"b":2},"y":{"a":1,"b":3}}"#,
        ),
        ("<<: [{a: 1}, {a: 2, b: 2}]", r#"{"a":1,"b":2}"#),
        ("'<<': 1", r#"{"<<":1}"#),
        ("# nothing", "null"),
    ] {
        assert_eq!(read(text), expect, "{text}");
    }
    assert_eq!(
        document::read("a: 1\n---\nb: 1\n", Format::Yaml, &BTreeSet::new())
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn a_costly_expression_ends() {
    let schema = r#"{"pattern": "^(a|a)*(?!b)\\1$"}"#;
    let text = format!("\"{}b\"", "a".repeat(60));
    let config = json!({ "rules": [{ "files": ["a.json"], "schema": "s.json" }] });
    let case = Case::new(config, &[("s.json", schema), ("a.json", &text)]);
    assert_eq!(case.judged(&["a.json"]).ruling, Ruling::Fail);
}

#[test]
fn findings_are_counted_and_cut() {
    let items: Vec<usize> = (0..500).collect();
    let config = json!({ "rules": [{ "files": ["*.yaml"], "schema": "s.json" }] });
    let text = serde_json::to_string(&items).unwrap();
    let names: Vec<String> = (0..10).map(|n| format!("{n}.yaml")).collect();
    let mut files = vec![("s.json", r#"{"items": {"type": "string"}}"#)];
    files.extend(names.iter().map(|name| (name.as_str(), text.as_str())));
    let differ: Vec<&str> = names.iter().map(String::as_str).collect();
    let verdict = Case::new(config, &files).judged(&differ);
    assert_eq!(verdict.findings.len(), 10 * (OF_FILE_MAX + 1));
    assert_eq!(verdict.summary, "10 files judged; 510 findings");
    let more: Vec<&Finding> = verdict
        .findings
        .iter()
        .filter(|finding| finding.rule == "too-many-findings")
        .collect();
    assert_eq!(
        more[0].message,
        "0.yaml: 450 more values do not fit, beside the 50 that are shown"
    );
    // What has no place is excused by nothing.
    assert!(more.len() == 10 && more.iter().all(|finding| finding.locations.is_empty()));
}

/// What leads elsewhere is not read: neither where a schema differs, nor where it takes the place of a file, nor on the way.
#[test]
fn links_are_not_followed() {
    let rule = |schema: &str| json!({ "rules": [{ "files": ["d/**/*.json"], "schema": schema, "format": "json" }] });
    let linked = |schema: &str| {
        let files = [("s.json", "true"), ("d/a.json", "1"), ("x/s.json", "true")];
        let case = Case::new(rule(schema), &files);
        let link = |to: &str, from: &str| {
            std::os::unix::fs::symlink(to, case.folder.path().join(from)).unwrap();
        };
        link("/etc", "d/etc");
        link("a.json", "d/b.json");
        link("x", "y");
        case
    };
    let found = |verdict: &Verdict| -> Vec<String> {
        let said = |f: &Finding| format!("{} {} {}", f.rule, f.locations[0].path, f.message);
        verdict.findings.iter().map(said).collect()
    };
    let is_link = "unreadable d/b.json is a link, and what it leads to is not judged";
    let whole = linked("s.json").judged(&["s.json"]);
    assert!(whole.summary.starts_with("2 files judged"), "{whole:?}");
    assert_eq!(found(&whole), [is_link]);
    let became = FileChange {
        path: "d/b.json".to_owned(),
        kind: ChangeKind::Modified,
        renamed_from: None,
        old_mode: 0o100_644,
        new_mode: 0o120_000,
        size: 6,
        lines_added: 1,
        lines_removed: 1,
        binary: false,
    };
    let judge = |schema: &str, file: &FileChange| {
        let case = linked(schema);
        case.gate().judge(std::slice::from_ref(file)).unwrap()
    };
    assert_eq!(found(&judge("s.json", &became)), [is_link]);
    let gone = FileChange {
        kind: ChangeKind::Deleted,
        new_mode: 0,
        ..became.clone()
    };
    assert_eq!(judge("s.json", &gone).ruling, Ruling::Abstain);
    let by_link = judge("y/s.json", &became);
    assert_eq!(by_link.findings[0].rule, "schema-unusable");
    assert!(
        by_link.findings[0].message.contains("the link y"),
        "{by_link:?}"
    );
}
