//! Text in UTF-16, which git takes for no text.
//!
//! **Invariant:** bytes are such a text if they say so or look so throughout, and hardly anything in them is no character.

/// The text, without its byte order mark.
pub(crate) fn text(bytes: &[u8]) -> Option<String> {
    let (is_big, bytes) = match bytes {
        [0xff, 0xfe, rest @ ..] => (false, rest),
        [0xfe, 0xff, rest @ ..] => (true, rest),
        bytes => (is_big(bytes)?, bytes),
    };
    let units = bytes.chunks_exact(2).filter_map(|pair| {
        let pair = pair.try_into().ok()?;
        Some(if is_big {
            u16::from_be_bytes(pair)
        } else {
            u16::from_le_bytes(pair)
        })
    });
    let read = char::decode_utf16(units);
    let text: String = read
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    let is_odd = |c: &char| {
        *c == char::REPLACEMENT_CHARACTER || c.is_ascii_control() && !c.is_ascii_whitespace()
    };
    let odd = text.chars().filter(is_odd).count();
    (odd * 10 < text.chars().count()).then_some(text)
}

/// Which half of each pair is the empty one, where nine in ten are: the first one if the order is that of the network.
fn is_big(bytes: &[u8]) -> Option<bool> {
    let empty = |first: usize| {
        let half = bytes.iter().skip(first).step_by(2);
        half.filter(|byte| **byte == 0).count()
    };
    let (first, second, pairs) = (empty(0), empty(1), bytes.len() / 2);
    let is_most = |count: usize| count * 10 >= pairs * 9;
    let is_few = |count: usize| count * 10 < pairs;
    match () {
        () if is_most(first) && is_few(second) => Some(true),
        () if is_most(second) && is_few(first) => Some(false),
        () => None,
    }
}
