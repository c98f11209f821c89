//! Names that some file system takes for the same file fold to the same text.
//!
//! Owns what the host's policy does for its own denials: case (APFS, NTFS, ext4 with casefold), compatibility forms and
//! composition (NFKC), characters that some file systems pass over (HFS+), dots and spaces at the end and a stream (NTFS).
//!
//! **Invariant:** only denials are matched on folded names, since folding lets more names match, not fewer.

use unicode_normalization::UnicodeNormalization;

/// The folded form of a path or a glob, without regard to what stands at the end of its names.
pub(crate) fn text(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkd()
        .filter(|c| !is_ignorable(*c))
        // Down first: a capital such as «ẞ» has no other capital form, and its small one has.
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfkc()
        .collect()
}

/// A folded path whose names have no stream, and no dots or spaces at their ends.
pub(crate) fn trimmed(path: &str) -> String {
    let names = path.split('/').map(|name| {
        let name = name.split(':').next().unwrap_or(name);
        name.trim_end_matches(['.', ' '])
    });
    names.collect::<Vec<&str>>().join("/")
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
        for (written, expect) in [
            (".GIT", ".git"),
            ("．git", ".git"),
            (".ＧＩＴ", ".git"),
            (".g\u{200c}it", ".git"),
            ("STRASSE", "strasse"),
            ("straße", "strasse"),
            ("STRAẞE", "strasse"),
            ("\u{212a}ey", "key"),
            ("e\u{301}", "é"),
            ("ΣΑΣ", "σασ"),
            ("σας", "σασ"),
            ("a\u{3164}b\u{e0100}", "ab"),
        ] {
            assert_eq!(text(written), expect, "{written:?}");
            assert_eq!(text(expect), expect, "{written:?}");
        }
        assert_eq!(trimmed("a. ./b:c/..."), "a/b/");
    }
}
