//! Names with `*` in them.

/// Whether `text` is what `wild` says, where `*` stands for anything, nothing included.
///
/// Takes at most the product of both lengths: only the last `*` is ever tried anew.
pub(crate) fn matches(wild: &str, text: &str) -> bool {
    let Some((first, rest)) = wild.split_once('*') else {
        return wild == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        match text.split_once(part) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (wild, text, expect) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("", "", true),
            ("*", "", true),
            ("*", "a::b", true),
            ("a*", "a", true),
            ("a*", "b", false),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*a", "a", false),
            ("*b*", "abc", true),
            ("*b*b*", "abc", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a**c", "abc", true),
        ] {
            assert_eq!(matches(wild, text), expect, "{wild} {text}");
        }
    }
}
