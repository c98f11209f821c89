//! What docs/exec.md shows is what happens.

use crate::rig::{PROGRAM, Ran, Rig, cache, guest};

/// The blocks of the page that a shell could run: a command and what it prints.
fn shown(page: &str) -> Vec<(&str, Vec<&str>)> {
    let blocks = page.split("```console\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let mut shown: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in blocks.flat_map(str::lines) {
        match (line.strip_prefix("$ "), shown.last_mut()) {
            (Some(command), _) => shown.push((command, Vec::new())),
            (None, Some((_, printed))) => printed.push(line),
            (None, None) => panic!("{line}: before any command"),
        }
    }
    shown
}

/// True when `line` is as `pattern` says, in which `…` stands for anything.
fn fits(pattern: &str, line: &str) -> bool {
    match pattern.split_once('…') {
        None => pattern == line,
        Some((before, after)) => line.starts_with(before) && line.ends_with(after),
    }
}

#[test]
fn the_page_shows_what_happens() {
    let rig = Rig::with(&[
        ("docs/a.md", "# A"),
        ("docs/draft.key", "a secret"),
        ("out/old.html", "old"),
        (".git/config", "[core]"),
    ]);
    std::fs::copy(guest(), rig.path("tool.wasm")).unwrap();
    let page = include_str!("../../../../docs/exec.md");
    let shown = shown(page);
    assert!(shown.len() > 3, "{} commands", shown.len());
    for (command, expect) in shown {
        let command = command.replacen("ringfence", PROGRAM, 1);
        let output = std::process::Command::new("sh")
            .current_dir(rig.path("."))
            .env("XDG_CACHE_HOME", cache())
            .args(["-c", &command])
            .output();
        let ran = Ran::from(output.unwrap());
        let printed: Vec<&str> = ran.out.lines().chain(ran.err.lines()).collect();
        let alike = printed.len() == expect.len()
            && expect
                .iter()
                .zip(&printed)
                .all(|(pattern, line)| fits(pattern, line));
        assert!(alike, "{command}\nprints {printed:#?}\nnot {expect:#?}");
    }
}
