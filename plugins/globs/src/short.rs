//! Short names of NTFS: `GITHUB~1` is `.github` there.
//!
//! Owns which long names a short one may stand for. What number a name got, and whether it got one, nobody can tell from
//! here.
//!
//! **Invariant:** a short name stands for every name that it may have been made from.

/// Limit: of a short name, the letters before `~`, and those behind the dot.
const STEM_MAX: usize = 6;
const ENDING_MAX: usize = 3;
/// Of longer rows of names that begin alike, the first letters, and a checksum of four digits.
const STEM_HASHED: usize = 2;
const WILD: [char; 6] = ['*', '?', '[', ']', '{', '}'];

/// The path with long names for short ones, as far as the glob has some that they may stand for; none if there is no short
/// name. Both are folded. A name with wildcards stands for itself.
pub(crate) fn lengthened(path: &str, glob: &str) -> Option<String> {
    let names: Vec<&str> = path.split('/').collect();
    if names.iter().all(|name| parts(name).is_none()) {
        return None;
    }
    let wanted: Vec<&str> = glob.split('/').filter(|name| *name != "**").collect();
    let long = |(at, name): (usize, &&'_ str)| -> String {
        let Some(short) = parts(name) else {
            return (*name).to_owned();
        };
        // Where several are meant by it, the one in its own place is.
        let own = wanted.get(at).filter(|long| is_of(short, long));
        let long = own.or_else(|| wanted.iter().find(|long| is_of(short, long)));
        long.unwrap_or(name).to_string()
    };
    let long: Vec<String> = names.iter().enumerate().map(long).collect();
    Some(long.join("/"))
}

/// What stands before `~` and a number, and what behind a dot.
fn parts(name: &str) -> Option<(&str, &str)> {
    let (stem, rest) = name.split_once('~')?;
    let (number, ending) = rest.split_once('.').unwrap_or((rest, ""));
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let fits = !stem.is_empty() && stem.chars().count() <= STEM_MAX && !stem.contains('.');
    let ends = ending.chars().count() <= ENDING_MAX && !ending.contains('.');
    (is_number && fits && ends).then_some((stem, ending))
}

/// Whether the short name may have been made from a name that `long` matches.
fn is_of((stem, ending): (&str, &str), long: &str) -> bool {
    let is_wild = long.contains(WILD);
    let long = long.trim_start_matches('.');
    let (base, end) = long.rsplit_once('.').unwrap_or((long, ""));
    // A wildcard may stand for the ending, too.
    let is_whole = ending.chars().count() == end.chars().count().min(ENDING_MAX);
    let ends = match end {
        "" => is_wild || ending.is_empty(),
        end => (is_whole || end.contains(is_open)) && is_alike(ending, end, ENDING_MAX),
    };
    let base = base.replace(['.', ' '], "");
    ends && (is_alike(stem, &base, STEM_MAX) || is_hashed(stem, &base))
}

/// Whether letters are the first of a text, up to a wildcard.
fn is_alike(letters: &str, text: &str, max: usize) -> bool {
    let mut text = text.chars().take(max);
    for letter in letters.chars() {
        match text.next() {
            Some('*' | '[' | '{') => return true,
            Some(c) if c == letter || is_open(c) => {}
            _ => return false,
        }
    }
    // There may be more in the text: a long number leaves less room.
    true
}

fn is_hashed(stem: &str, text: &str) -> bool {
    let (first, sum): (String, String) = (
        stem.chars().take(STEM_HASHED).collect(),
        stem.chars().skip(STEM_HASHED).collect(),
    );
    let is_sum =
        sum.len() == STEM_MAX - STEM_HASHED && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_sum && is_alike(&first, text, STEM_HASHED)
}

/// What stands for another character: in a short name, or as a wildcard.
fn is_open(c: char) -> bool {
    WILD.contains(&c) || !c.is_ascii() || "+,;=".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_stand_for_what_they_may_be_made_from() {
        for (path, glob, expect) in [
            ("github~1/x", ".github/**", Some(".github/x")),
            ("a/github~2", "**/.github/**", Some("a/.github")),
            (
                "github~1/workfl~1/x.yml",
                ".github/workflows/**",
                Some(".github/workflows/x.yml"),
            ),
            ("gi1a2b~1/x", ".github/**", Some(".github/x")),
            ("gith~1234/x", ".github/**", Some(".github/x")),
            ("secret~1.txt", "secrets.txt", Some("secrets.txt")),
            ("secret~1.yam", "**/secrets.yaml", Some("secrets.yaml")),
            ("state~1.tfs", "*.tfstate", Some("*.tfstate")),
            ("env~1.loc", ".env*", Some(".env*")),
            ("_nit~1/x", "ünit/**", Some("ünit/x")),
            ("github~1/x", "ünit/**", Some("github~1/x")),
            ("a_b~1", "a+bc", Some("a+bc")),
            // Of other names.
            ("gitlab~1/x", ".github/**", Some("gitlab~1/x")),
            ("secret~1.md", "secrets.txt", Some("secret~1.md")),
            ("secret~1", "*.key", Some("secret~1")),
            ("secrets~1", "secret", None),
            ("secret~1", "secre", Some("secret~1")),
            ("zz1a2b~1/x", ".github/**", Some("zz1a2b~1/x")),
            // No short names.
            ("github/x", ".github/**", None),
            ("github~/x", ".github/**", None),
            ("github~a/x", ".github/**", None),
            ("longname~1", ".github/**", None),
            ("x.c.~1~", ".github/**", None),
        ] {
            assert_eq!(lengthened(path, glob).as_deref(), expect, "{path} {glob}");
        }
    }
}
