//! A gate that lets no change add a to-do comment.

use ringfence_sdk::prelude::*;
use serde::Deserialize;

ringfence_sdk::plugin!("../plugin.toml");

/// What `plugin.toml` describes under `[config]`.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    marks: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        let marks = ["// TODO", "# TODO"].map(str::to_owned).to_vec();
        Self { marks }
    }
}

/// Judges the lines that the change adds; it fails when one finding is an error.
///
/// # Errors
/// The configuration or the change cannot be read.
#[gate]
fn judge(cx: &Context, change: &Change) -> Result<Vec<Finding>> {
    let config: Config = cx.config()?;
    let is_todo = |text: &str| {
        let text = text.trim_start();
        config.marks.iter().any(|mark| text.starts_with(mark))
    };
    let mut findings = Vec::new();
    for line in change.added_lines()? {
        if is_todo(&line.text) {
            let finding = Finding::error("todo-added", "a to-do comment is added");
            findings.push(
                finding
                    .at_line(line.path, line.line)
                    .help("do it now, or write it down elsewhere"),
            );
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(config: Value, text: &str) -> Vec<Finding> {
        let change = Change::test(vec![TestFile::modified("src/a.rs", "fn a() {}\n", text)]);
        judge(&Context::test(config), &change).unwrap()
    }

    #[test]
    fn a_todo_is_found_where_it_is_added() {
        let found = judged(json!({}), "fn a() {}\n    // TODO: b\n");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].locations[0].line, 2);
    }

    #[test]
    fn other_lines_pass() {
        assert_eq!(judged(json!({}), "fn a() {}\nlet s = \"// TODO\";\n"), []);
    }

    #[test]
    fn marks_are_the_operators_to_choose() {
        let config = json!({ "marks": ["-- later"] });
        assert_eq!(judged(config, "-- later\n// TODO: b\n").len(), 1);
    }

    #[test]
    fn it_may_be_committed_where_it_judges() {
        for own in [include_str!("lib.rs"), include_str!("../plugin.toml")] {
            assert_eq!(judged(json!({}), own), []);
        }
    }
}
