//! Who runs this program.
//!
//! **Invariant:** the system is asked: the process has a user, and the user database its name. The environment is not, since
//! whoever starts the program writes that. It still proves nothing: it tells users of one machine apart.

use std::io::Read;
use std::path::Path;

use ringfence_core::text;

use crate::state_dir::open_followed;

const DATABASE: &str = "/etc/passwd";
// Limit: a university's users, some hundred bytes each.
const DATABASE_BYTES_MAX: u64 = 16 << 20;
// Limit: the longest name that a system takes is half as long.
const NAME_CHARS_MAX: usize = 64;

/// The user's name on one line, by the local user database; `uid N` where that does not have them.
#[must_use]
pub fn name() -> String {
    let uid = rustix::process::geteuid().as_raw();
    let known = database(Path::new(DATABASE));
    name_of(&known, uid).unwrap_or_else(|| format!("uid {uid}"))
}

/// The text of the user database; of one that cannot be read, none.
fn database(path: &Path) -> String {
    let mut bytes = Vec::new();
    let read =
        open_followed(path).and_then(|file| file.take(DATABASE_BYTES_MAX).read_to_end(&mut bytes));
    if let Err(error) = read {
        tracing::debug!(%error, "the user database cannot be read");
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The first name that `database` has for a user: lines of `name:password:uid:…`.
fn name_of(database: &str, uid: u32) -> Option<String> {
    let named = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let number: u32 = fields.nth(1)?.parse().ok()?;
        (number == uid).then(|| text::plain(name, NAME_CHARS_MAX))
    };
    database
        .lines()
        .filter_map(named)
        .find(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_users() {
        let users = "# users\nroot:x:0:0:root:/root:/bin/sh\n+::0:::\nshort\n:x:7::::\nann:x:1000:100::/:\n\
             anna:x:1000:100::/:\nb\u{1b}[31m\u{202e}c:x:8:::\nd:x:1e3:::\n";
        for (uid, expect) in [
            (0, Some("root")),
            (1000, Some("ann")),
            (7, None),
            (8, Some("b [31mc")),
            (100, None),
        ] {
            assert_eq!(name_of(users, uid).as_deref(), expect, "{uid}");
        }
    }

    #[test]
    fn without_a_database_there_are_no_names() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(database(&dir.path().join("passwd")), "");
        assert_eq!(database(dir.path()), "");
    }
}
