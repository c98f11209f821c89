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
    // A form feed on a line of its own parts a source into pages, as GNU's editors know them.
    if text.trim_end_matches('\r') == "\u{c}" {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut before = None;
    let mut rest = text.chars();
    let mut column = 0;
    let mut flag = 0;
    while let Some(character) = rest.next() {
        column += 1;
        let after = rest.clone().next();
        if character == '\u{1f3f4}' {
            flag = flag_tags(rest.as_str());
        } else if flag > 0 {
            // Within a flag: its tags are what it is.
            flag -= 1;
            before = Some(character);
            continue;
        }
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

/// How many tags follow a black flag to make it that of a region. There are three such flags, and anything else that is
/// spelled in tags is hidden.
fn flag_tags(rest: &str) -> usize {
    const FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];
    let spells = |flag: &&&str| {
        let mut tags = flag
            .chars()
            .map(|c| u32::from(c) + 0xe0000)
            .chain([0xe007f]);
        let mut have = rest.chars();
        tags.all(|tag| have.next().is_some_and(|c| u32::from(c) == tag))
    };
    FLAGS.iter().find(spells).map_or(0, |flag| flag.len() + 1)
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
        '\u{fe0e}' | '\u{fe0f}' => {
            !before.is_some_and(|c| c != '\u{fe0f}' && (is_pictured(c) || takes_picture(c)))
        }
        '\u{fe00}'..='\u{fe0d}' => !before.is_some_and(|c| takes_variant(c, character)),
        '\u{180b}'..='\u{180d}' | '\u{180f}' => {
            !before.is_some_and(|c| matches!(c, '\u{1820}'..='\u{18aa}'))
        }
        other => is_ignorable(other),
    }
}

fn is_ignorable(character: char) -> bool {
    matches!(character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180e}' | '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{2800}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fdd0}'..='\u{fdef}' | '\u{fff0}'..='\u{fffc}' | '\u{fffe}' | '\u{ffff}' | '\u{13430}'..='\u{1343f}' | '\u{16fe4}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{40000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
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
    matches!(character, '\u{fe0f}' | '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{27ff}' | '\u{2900}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// What is shown as a picture or as text, as the last two variation selectors say.
fn takes_picture(character: char) -> bool {
    matches!(character, '#' | '*' | '0'..='9' | '©' | '®' | '\u{203c}' | '\u{2049}' | '\u{2100}'..='\u{218f}' | '\u{3030}'
        | '\u{303d}' | '\u{3297}' | '\u{3299}')
}

/// What has the other variants: operators one, ideographs three, quotation marks and full-width signs two.
fn takes_variant(character: char, selector: char) -> bool {
    match character {
        '\u{2200}'..='\u{22ff}' | '\u{2a00}'..='\u{2aff}' => selector == '\u{fe00}',
        '\u{2018}'..='\u{201d}' | '\u{3000}'..='\u{303f}' | '\u{ff01}'..='\u{ff1f}' => {
            selector <= '\u{fe01}'
        }
        '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' => {
            selector <= '\u{fe02}'
        }
        _ => false,
    }
}
