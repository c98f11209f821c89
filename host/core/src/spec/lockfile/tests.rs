//! Lock files: what is written, compared and refused.

use super::*;
use crate::manifest::Manifest;

fn facts(bytes: &[u8]) -> PluginFacts {
    let manifest = "name = \"x\"\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\nroles = [\"gate\"]\nsummary = \"x\"";
    PluginFacts {
        manifest: Manifest::parse(manifest).unwrap(),
        digest: Digest::of(bytes),
        size: bytes.len() as u64,
        sees: crate::spec::Sees::default(),
    }
}

fn plugins(list: &[(&str, &[u8])]) -> BTreeMap<String, PluginFacts> {
    list.iter()
        .map(|(reference, bytes)| ((*reference).to_owned(), facts(bytes)))
        .collect()
}

#[test]
fn renders_what_it_reads() {
    let lock =
        LockFile::default().with_new(&plugins(&[("std:md-links", b"a"), ("./b.wasm", b"bb")]));
    let text = lock.render();
    assert_eq!(LockFile::parse(&text), Ok(lock.clone()));
    assert_eq!(LockFile::parse(&text).unwrap().render(), text);
    insta::assert_snapshot!(text, @r#"
    # Written by ringfence: the exact components that loops and gates here run. Commit it.
    # A component that differs from its entry does not run. To accept a new one, run
    # `ringfence check --write-lock --accept PLUGIN`, or for a file of gates
    # `ringfence gate check --write-lock --accept PLUGIN`.
    version = 1

    [[plugin]]
    reference = "./b.wasm"
    name = "x"
    version = "1.0.0"
    contract = "0.1.0"
    digest = "blake3:58293e32b140c28c1debf42045417b312d36a6c2b6a649ec381ebe1350e12a87"
    size = 2

    [[plugin]]
    reference = "std:md-links"
    name = "x"
    version = "1.0.0"
    contract = "0.1.0"
    digest = "blake3:17762fddd969a453925d65717ac3eea21320b66b54342fde15128d6caf21215f"
    size = 1
    "#);
}

#[test]
fn compares() {
    let lock = LockFile::default().with_new(&plugins(&[
        ("std:a", b"a"),
        ("std:b", b"b"),
        ("std:old", b"o"),
    ]));
    let now = plugins(&[("std:a", b"a"), ("std:b", b"other"), ("std:new", b"n")]);
    let check = lock.compare(&now);
    assert_eq!(
        (check.same, check.new, check.vanished),
        (
            vec!["std:a".to_owned()],
            vec!["std:new".to_owned()],
            vec!["std:old".to_owned()]
        )
    );
    let error = check.changed.first().unwrap();
    for part in [
        "\"std:b\"",
        &Digest::of(b"b").to_string(),
        &Digest::of(b"other").to_string(),
    ] {
        assert!(error.to_string().contains(part), "{error}");
    }
    assert!(
        error
            .help("ringfence check")
            .contains("`ringfence check --write-lock --accept \"std:b\"`")
    );
    // A changed plugin keeps its pin until a person removes it.
    assert_eq!(
        lock.clone().with_new(&now).plugins.get("std:b"),
        lock.plugins.get("std:b")
    );
    let accepted = lock
        .clone()
        .without(&["std:b".to_owned(), "std:old".to_owned()]);
    let accepted = accepted.unwrap().with_new(&now);
    assert_eq!(accepted.compare(&now).changed, []);
    assert!(!accepted.plugins.contains_key("std:old"));
    let unknown = lock.without(&["std:nowhere".to_owned()]);
    assert_eq!(
        unknown,
        Err(LockFileError::NotPinned("std:nowhere".to_owned()))
    );
}

#[test]
fn refuses() {
    let good = LockFile::default()
        .with_new(&plugins(&[("std:a", b"a"), ("std:b", b"b")]))
        .render();
    let check = |from: &str, to: &str, expect: &str| {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good);
        assert_eq!(LockFile::parse(&text).unwrap_err().to_string(), expect);
    };
    check(
        "version = 1",
        "version = 2\nnewer = true",
        "ringfence.lock has format 2, and this version reads format 1",
    );
    check(
        "version = 1\n",
        "",
        "ringfence.lock line 1, the file: the lock file has no `version`",
    );
    check(
        "std:b",
        "std:a",
        "ringfence.lock line 15, entry 2 (\"std:a\"): \"std:a\" stands here twice",
    );
    check(
        "reference = \"std:b\"",
        "reference = \"std:b\"\nx = 1",
        "ringfence.lock line 17, entry 2 (\"std:b\"): [[plugin]] has no key \"x\"",
    );
    check(
        "size = 1",
        "size = -1",
        "ringfence.lock line 13, entry 1 (\"std:a\"): -1 is not above zero, and no number means «unlimited»",
    );
    check(
        "std:a",
        "./x/../a.wasm",
        "ringfence.lock line 8, entry 1: \"./x/../a.wasm\" is spelled \"./a.wasm\"",
    );
    check(
        "[[plugin]]",
        "[[plugin]",
        "ringfence.lock line 7, the file: invalid TOML: unclosed array table, expected `]`",
    );
    assert!(LockFile::parse(&"#".repeat(LOCK_FILE_BYTES_MAX + 1)).is_err());
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        drop(LockFile::parse(&text));
    }
}
