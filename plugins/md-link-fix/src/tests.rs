//! Golden fixtures: `fixtures/<case>/before`, `input.json`, and either `after` or the refusal in `refused.txt`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// Every file below `folder` by its path in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(at) = pending.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else {
                found.insert(
                    path.strip_prefix(folder).unwrap().to_owned(),
                    fs::read(&path).unwrap(),
                );
            }
        }
    }
    found
}

/// Runs one case and returns what is wrong with it.
fn run(case: &Path) -> Option<String> {
    let input = fs::read_to_string(case.join("input.json")).unwrap();
    let wanted: Wanted = serde_json::from_str(&input).unwrap();
    let refusal = fs::read_to_string(case.join("refused.txt")).ok();
    let mut now = files(&case.join("before"));
    match (fix(&case.join("before"), &wanted), refusal) {
        (Ok(done), None) => {
            now.insert(PathBuf::from(&wanted.path), done.bytes);
            let expected = files(&case.join("after"));
            (now != expected).then(|| format!("{case:?}: not what `after` holds:\n{}", texts(&now)))
        }
        (Err(error), Some(refusal)) => (error.to_string() != refusal.trim_end())
            .then(|| format!("{case:?} is refused with:\n{error}")),
        (Ok(_), Some(_)) => Some(format!("{case:?} is not refused")),
        (Err(error), None) => Some(format!("{case:?} is refused: {error}")),
    }
}

fn texts(files: &BTreeMap<PathBuf, Vec<u8>>) -> String {
    files
        .iter()
        .map(|(path, bytes)| format!("--- {}\n{}", path.display(), String::from_utf8_lossy(bytes)))
        .collect()
}

#[test]
fn fixtures() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() >= 10, "{cases:?}");
    let wrong: Vec<String> = cases.iter().filter_map(|case| run(case)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn hostile_input_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.md"), "[x](gone.md) \n").unwrap();
    fs::write(folder.path().join("latin1.md"), b"[x](gone.md) \xe9").unwrap();
    fs::write(folder.path().join("x.rs"), "//! [x](gone.md)").unwrap();
    for path in [
        "../a.md",
        "/a.md",
        "./a.md",
        "a.md/",
        "b.md",
        "latin1.md",
        "x.rs",
        "",
        "a\\b.md",
        ".",
    ] {
        let wanted = Wanted {
            path: path.to_owned(),
            target: "gone.md".to_owned(),
            suggestion: None,
        };
        assert!(
            matches!(fix(folder.path(), &wanted), Err(Error::Unavailable(_))),
            "{path}"
        );
    }
    for target in ["", "other.md", "gone.md)", "https://example.org"] {
        let wanted = Wanted {
            path: "a.md".to_owned(),
            target: target.to_owned(),
            suggestion: None,
        };
        assert!(
            matches!(fix(folder.path(), &wanted), Err(Error::Unavailable(_))),
            "{target}"
        );
    }
}

#[test]
fn the_action_and_its_input_are_checked() {
    let cx = Context::test(json!({}));
    assert!(matches!(
        act(&cx, "erase", json!({})),
        Err(Error::Internal(_))
    ));
    assert!(matches!(
        act(&cx, "fix", json!({ "path": 1 })),
        Err(Error::Internal(_))
    ));
}
