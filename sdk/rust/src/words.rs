//! How numbers and failures are told to people, the same in every plugin.
//!
//! Owns the wording. **Invariant:** no number of the operating system is in it: those of a component are not those of the
//! machine that people look at.

use std::fmt::Display;
use std::io::{self, ErrorKind};

/// A number with its noun: `no files`, `1 file`, `2 files`.
pub fn count<N: Display + PartialEq + From<u8>>(number: N, one: &str, many: &str) -> String {
    if number == N::from(0) {
        format!("no {many}")
    } else if number == N::from(1) {
        format!("1 {one}")
    } else {
        format!("{number} {many}")
    }
}

/// Why something could not be read, written or listed, to follow what it was.
pub fn why(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => "this plugin may not".to_owned(),
        ErrorKind::NotFound => "it is not there".to_owned(),
        kind if error.raw_os_error().is_some() => kind.to_string(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many_and_none_is_said() {
        for (number, expect) in [(0_usize, "no files"), (1, "1 file"), (2, "2 files")] {
            assert_eq!(count(number, "file", "files"), expect);
        }
        assert_eq!(count(1_u64, "match", "matches"), "1 match");
    }

    #[test]
    fn people_are_shown_no_numbers_of_a_system() {
        let denied = io::Error::from(ErrorKind::PermissionDenied);
        assert_eq!(why(&denied), "this plugin may not");
        // 21 is a folder where a file was wanted, for Linux.
        let folder = why(&io::Error::from_raw_os_error(21));
        assert!(!folder.contains("os error"), "{folder}");
        assert_eq!(why(&io::Error::other("no more of it")), "no more of it");
    }
}
