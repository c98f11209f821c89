//! Names that some file system takes for the same file fold to the same text.
//!
//! Deny patterns are matched on folded names, allow patterns on exact ones: folding can only take rights away. What is
//! folded: case (APFS, NTFS, ext4 with casefold), compatibility forms and composition (NFKC), code points that
//! some file systems ignore (HFS+), trailing dots and spaces and a stream suffix `:x` (NTFS).

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// The folded form of one name.
#[must_use]
pub fn fold_name(name: &str) -> Cow<'_, str> {
    let plain = name
        .bytes()
        .all(|b| b.is_ascii() && !b.is_ascii_uppercase() && b != b':');
    if plain && !name.ends_with(['.', ' ']) {
        return Cow::Borrowed(name);
    }
    let folded = if name.is_ascii() {
        name.to_ascii_lowercase()
    } else {
        fold_text(name)
    };
    Cow::Owned(trim(&folded).to_owned())
}

/// Folds letters only: what a pattern's segment needs.
pub(super) fn fold_text(text: &str) -> String {
    text.nfkd()
        .filter(|c| !is_ignorable(*c))
        // Down first: a capital such as «ẞ» has no other capital form, and its small one has.
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfkc()
        .collect()
}

/// Cuts a stream suffix, then trailing dots and spaces; a name made of nothing else stays as it is.
pub(super) fn trim(name: &str) -> &str {
    let stem = match name.find(':') {
        Some(colon) if colon > 0 => name.get(..colon).unwrap_or(name),
        _ => name,
    };
    let trimmed = stem.trim_end_matches(['.', ' ']);
    if trimmed.is_empty() { name } else { trimmed }
}

/// Unicode's `Default_Ignorable_Code_Point`.
fn is_ignorable(c: char) -> bool {
    matches!(u32::from(c),
        0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
        | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFF8
        | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_fold_together() {
        for (name, expect) in [
            (".git", ".git"),
            (".GIT", ".git"),
            (".Git.", ".git"),
            (".git ", ".git"),
            (".git. . ", ".git"),
            (".git::$INDEX_ALLOCATION", ".git"),
            (".g\u{200c}it", ".git"),
            ("．git", ".git"),
            (".ＧＩＴ", ".git"),
            ("STRASSE", "strasse"),
            ("straße", "strasse"),
            ("STRAẞE", "strasse"),
            ("\u{212a}ey", "key"),
            ("e\u{301}", "é"),
            ("...", "..."),
            (":x", ":x"),
            ("ΣΑΣ", "σασ"),
            ("σας", "σασ"),
        ] {
            assert_eq!(fold_name(name), expect, "{name:?}");
        }
    }

    #[test]
    fn every_letter_folds_at_once() {
        let cased = |c: &char| c.to_lowercase().ne([*c]) || c.to_uppercase().ne([*c]);
        let letters = (0..=0x10_FFFF).filter_map(char::from_u32).filter(cased);
        for c in letters {
            let once = fold_name(&format!("x{c}x")).into_owned();
            assert_eq!(fold_name(&once), once, "{c:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_short_way_for_ascii_is_no_other(name in "[ -~]{0,12}") {
            let long = fold_text(&name);
            proptest::prop_assert_eq!(fold_name(&name), trim(&long));
        }

        #[test]
        fn folding_twice_changes_nothing(name in "\\PC{0,12}") {
            let once = fold_name(&name).into_owned();
            proptest::prop_assert_eq!(fold_name(&once).into_owned(), once);
        }
    }
}
