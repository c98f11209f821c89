//! Characters that nobody sees.
//!
//! Owns the list, after Unicode's `Default_Ignorable_Code_Point`, bidirectional and control characters.
//!
//! **Invariant:** a joiner or a variation selector is let be only where its neighbours are of the kind that needs it.

/// One that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hidden {
    /// 1-based, in code points.
    pub(crate) column: u32,
    pub(crate) character: char,
    pub(crate) turns_text: bool,
}

/// All of them, from left to right.
pub(crate) fn find(text: &str) -> Vec<Hidden> {
    // Nothing below is printable ASCII, and most text is nothing else.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut before = None;
    let mut rest = text.chars().peekable();
    let mut column = 0;
    while let Some(character) = rest.next() {
        column += 1;
        let after = rest.peek().copied();
        let turns_text = turns_text(character);
        let line_end = character == '\r' && after.is_none();
        if !line_end && (turns_text || hides(before, character, after)) {
            found.push(Hidden {
                column,
                character,
                turns_text,
            });
        }
        before = Some(character);
    }
    found
}

fn turns_text(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn hides(before: Option<char>, character: char, after: Option<char>) -> bool {
    match character {
        '\t' => false,
        '\u{200c}' => !before.is_some_and(joins) || !after.is_some_and(joins),
        '\u{200d}' => {
            let in_word = before.is_some_and(joins);
            let in_emoji = before.is_some_and(is_pictured) && after.is_some_and(is_pictured);
            !in_word && !in_emoji
        }
        '\u{fe00}'..='\u{fe0f}' => !before.is_some_and(takes_variant),
        '\u{180b}'..='\u{180d}' | '\u{180f}' => {
            !before.is_some_and(|c| matches!(c, '\u{1820}'..='\u{18aa}'))
        }
        // Flags of regions are spelled with tags behind a black flag; anything else spelled so is hidden.
        '\u{e0020}'..='\u{e007f}' => !before.is_some_and(
            |c| matches!(c, '\u{1f3f4}' | '\u{e0061}'..='\u{e007a}' | '\u{e0030}'..='\u{e0039}'),
        ),
        other => is_ignorable(other),
    }
}

fn is_ignorable(character: char) -> bool {
    matches!(character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180e}' | '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{2800}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10fffd}')
}

/// Letters of scripts in which a joiner changes how a word is written.
fn joins(character: char) -> bool {
    matches!(character,
        '\u{620}'..='\u{6ff}' | '\u{700}'..='\u{74f}' | '\u{750}'..='\u{77f}' | '\u{8a0}'..='\u{8ff}' | '\u{900}'..='\u{dff}'
        | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17b3}' | '\u{17b6}'..='\u{17ff}' | '\u{1820}'..='\u{18aa}'
        | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
}

/// Parts of an emoji sequence.
fn is_pictured(character: char) -> bool {
    matches!(character, '\u{200d}' | '\u{fe0f}' | '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{27ff}' | '\u{2900}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
        && character != '\u{200d}'
}

/// What a variation selector may follow: symbols, ideographs, key caps.
fn takes_variant(character: char) -> bool {
    is_pictured(character) && character != '\u{fe0f}'
        || matches!(character, '#' | '*' | '0'..='9' | '©' | '®' | '\u{203c}' | '\u{2049}' | '\u{2100}'..='\u{218f}'
            | '\u{2200}'..='\u{22ff}' | '\u{3000}'..='\u{303f}' | '\u{3200}'..='\u{32ff}' | '\u{3400}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}
