//! An executor that takes blanks off the ends of lines.

use ringfence_sdk::prelude::*;

ringfence_sdk::plugin!("../plugin.toml");

/// Does `action`. Files are read and written with `std::fs`, by paths from the workspace's root; what was really changed the
/// host measures.
///
/// # Errors
/// The file cannot be read or written.
#[executor]
fn act(_: &Context, action: &str, input: Value) -> Result<Outcome> {
    let path = input.get("path").and_then(Value::as_str);
    let (Some(path), "trim") = (path, action) else {
        return Err(Error::internal(format!("nothing to do for `{action}`")));
    };
    let text = std::fs::read_to_string(path).map_err(|error| Error::unread(path, &error))?;
    std::fs::write(path, trimmed(&text)).map_err(|error| {
        Error::unavailable(format!("{path} cannot be written: {}", why(&error)))
    })?;
    Ok(Outcome::new(format!("trimmed {path}")))
}

fn trimmed(text: &str) -> String {
    let lines = text
        .split('\n')
        .map(|line| line.trim_end_matches([' ', '\t']));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_go_and_line_ends_stay() {
        assert_eq!(trimmed("a \n\tb\t\n\nc"), "a\n\tb\n\nc");
    }

    #[test]
    fn another_action_is_refused() {
        let refused = act(
            &Context::test(json!({})),
            "erase",
            json!({ "path": "a.md" }),
        );
        assert_eq!(refused, Err(Error::internal("nothing to do for `erase`")));
    }
}
