//! What a revision can mean, before git is asked what it means.
//!
//! Git takes the first of several refs that a name can stand for and says so on stderr: whoever may push a tag `origin/main` would
//! then choose base and rules. **Invariant:** a name that can stand for two refs stands for none, and a full name for no other.

use super::GatingError;
use crate::git::discover::UserRepo;
use crate::git::output::is_id;

// Limit: how short git abbreviates ids by itself.
const ABBREVIATED_MIN: usize = 7;

/// Refuses a `name` of which the part that names a ref can mean two things.
///
/// # Errors
/// [`GatingError::Ambiguous`] with what it can mean; [`GatingError::Git`].
pub(super) fn one_meaning(repo: &UserRepo, name: &str) -> Result<(), GatingError> {
    let part = ref_part(name);
    // Git takes `HEAD` and a full id for themselves, whatever else is called so.
    if matches!(part, "" | "@" | "HEAD") || (part.len() == 40 && is_id(part)) {
        return Ok(());
    }
    let is_full = part.starts_with("refs/");
    let wanted = candidates(part);
    let listed = repo
        .git()
        .call("for-each-ref")
        .arg("--format=%(refname)")
        .args(&wanted)
        .run()?;
    let listed = String::from_utf8_lossy(&listed);
    // What is listed may also lie below a name that was asked for.
    let mut refs: Vec<String> = listed
        .lines()
        .filter(|found| wanted.iter().any(|name| name == found))
        .map(str::to_owned)
        .collect();
    if is_full && (refs.is_empty() || refs.iter().any(|found| found == part)) {
        return Ok(());
    }
    if is_full || part.ends_with("_HEAD") {
        refs.extend((!refs.is_empty()).then(|| part.to_owned()));
    }
    let is_hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    if part.len() >= ABBREVIATED_MIN && is_hex(part) && !refs.is_empty() {
        refs.push(format!("the object {part}"));
    }
    if refs.len() < 2 {
        return Ok(());
    }
    Err(GatingError::Ambiguous {
        name: name.to_owned(),
        meanings: refs,
    })
}

/// What names a ref in `v1^{tree}`, `main~2`, `main@{1}`, `main:docs`.
fn ref_part(name: &str) -> &str {
    let end = ["~", "^", ":", "@{"]
        .iter()
        .filter_map(|mark| name.find(mark))
        .min();
    name.get(..end.unwrap_or(name.len())).unwrap_or_default()
}

/// The full names that git tries for `part`, besides files in its own directory.
fn candidates(part: &str) -> Vec<String> {
    let full = part.starts_with("refs/").then(|| part.to_owned());
    let tried = ["refs/", "refs/tags/", "refs/heads/", "refs/remotes/"];
    let tried = tried.iter().map(|prefix| format!("{prefix}{part}"));
    let head = format!("refs/remotes/{part}/HEAD");
    full.into_iter().chain(tried).chain([head]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_that_names_a_ref() {
        for (name, part) in [
            ("main", "main"),
            ("main~2", "main"),
            ("v1^{tree}", "v1"),
            ("main@{1}", "main"),
            ("@", "@"),
            ("@{u}", ""),
            ("a@b", "a@b"),
            (":/text", ""),
            ("main:docs", "main"),
            ("", ""),
        ] {
            assert_eq!(ref_part(name), part, "{name}");
        }
    }
}
