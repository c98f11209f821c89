//! A sensor that lists the open tasks of the Markdown files at the top of the workspace.

use ringfence_sdk::prelude::*;

ringfence_sdk::plugin!("../plugin.toml");

/// Names an item for each open task. Files are read with `std::fs`, by paths from the workspace's root.
///
/// # Errors
/// A file cannot be read.
#[sensor]
fn observe(_: &Context) -> Result<Observation> {
    let mut items = Vec::new();
    for path in markdown_files()? {
        let text = std::fs::read(&path).map_err(|error| Error::unread(&path, &error))?;
        items.extend(tasks(&path, &String::from_utf8_lossy(&text)));
    }
    let ids: Vec<&str> = items.iter().map(|item| item.id.as_str()).collect();
    // The signal wakes the loop when it changes.
    Ok(Observation {
        signal: json!(ids),
        detail: Value::Null,
        items,
    })
}

fn markdown_files() -> Result<Vec<String>> {
    let unread = |error| Error::unread("the top folder", &error);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(".").map_err(unread)? {
        let entry = entry.map_err(unread)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") && entry.file_type().map_err(unread)?.is_file() {
            paths.push(name);
        }
    }
    paths.sort();
    Ok(paths)
}

fn tasks(path: &str, text: &str) -> Vec<Item> {
    let open = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("- [ ] "));
    open.map(|task| Item {
        id: item_id("task", &[path, task]),
        title: format!("{path}: {task}"),
        labels: vec!["task".to_owned()],
        detail: json!({ "path": path, "task": task }),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_tasks_are_items_and_done_ones_are_not() {
        let items = tasks("a.md", "# Tasks\n\n- [x] one\n- [ ] two\n  - [ ] three\n");
        let titles: Vec<&str> = items.iter().map(|item| item.title.as_str()).collect();
        assert_eq!(titles, ["a.md: two", "a.md: three"]);
    }

    #[test]
    fn an_item_is_known_again() {
        let id = |text: &str| tasks("a.md", text)[0].id.clone();
        assert_eq!(id("- [ ] two\n"), id("New.\n\n- [ ] two\n"));
    }
}
