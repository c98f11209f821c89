//! Every guest under `tests/guests` is run by some test: a misbehaving component that nobody loads proves nothing.

use crate::Finding;
use crate::source::Source;
use crate::text::has_word;

/// Where guests live.
pub const GUESTS: &str = "tests/guests/";

/// Refuses guests whose name stands in no test. `guests` are their package names with the folder of each; `sources` all
/// Rust files as `(path, text)`.
///
/// A test is a file outside `tests/guests` that is below some `tests/` folder or holds `#[test]`; the name counts in
/// string literals only, with dashes or with the underscores that the built file has.
#[must_use]
pub fn all_are_used(guests: &[(String, String)], sources: &[(String, String)]) -> Vec<Finding> {
    let literals: Vec<String> = sources
        .iter()
        .filter(|(path, text)| is_test(path, text))
        .map(|(_, text)| Source::new(text).literals)
        .collect();
    let is_used = |name: &str| {
        let built = name.replace('-', "_");
        literals
            .iter()
            .any(|text| has_word_with_dashes(text, name) || has_word(text, &built))
    };
    let unused = guests.iter().filter(|(name, _)| !is_used(name));
    unused
        .map(|(name, folder)| {
            Finding::file(
                folder,
                format!("no test names the guest `{name}`: run it, or remove it"),
            )
        })
        .collect()
}

fn is_test(path: &str, text: &str) -> bool {
    let in_tests =
        path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("tests.rs");
    !path.starts_with(GUESTS)
        && !path.starts_with("tests/tidy/")
        && !path.starts_with("tests/xtask/")
        && (in_tests || text.contains("#[test]"))
}

fn has_word_with_dashes(text: &str, word: &str) -> bool {
    let part = |c: char| c == '-' || c == '_' || c.is_alphanumeric();
    text.split(|c| !part(c)).any(|found| found == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_that_no_test_names_is_found() {
        let guest = |name: &str| vec![(name.to_owned(), format!("{GUESTS}{name}"))];
        for (path, text, used) in [
            ("tests/sandbox/tests/fuel.rs", "guest(\"eats-fuel\")", true),
            (
                "tests/sandbox/tests/fuel.rs",
                "guest(\"eats_fuel.wasm\")",
                true,
            ),
            (
                "host/sandbox/src/call.rs",
                "#[test] fn f() { guest(\"eats-fuel\") }",
                true,
            ),
            ("tests/sandbox/tests/fuel.rs", "// eats-fuel", false),
            (
                "tests/sandbox/tests/fuel.rs",
                "guest(\"eats-fuel-twice\")",
                false,
            ),
            (
                "tests/sandbox/tests/fuel.rs",
                "guest(\"never_eats_fuel\")",
                false,
            ),
            ("tests/guests/other/src/lib.rs", "\"eats-fuel\"", false),
            ("tests/xtask/src/guests.rs", "\"eats-fuel\"", false),
            ("host/sandbox/src/call.rs", "load(\"eats-fuel\")", false),
        ] {
            let sources = [(path.to_owned(), text.to_owned())];
            assert_eq!(
                all_are_used(&guest("eats-fuel"), &sources).is_empty(),
                used,
                "{path}: {text}"
            );
        }
    }
}
