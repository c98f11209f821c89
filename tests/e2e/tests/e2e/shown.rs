//! Makes what was printed comparable from run to run and from build to build.
//!
//! **Invariant:** words of the messages are never touched: only digests, measured amounts, times and progress.

/// Leaves out the lines that tell how long a beat has been going on, which depends on how fast the machine is.
pub(crate) fn without_progress(text: &str) -> String {
    let is_progress = |line: &str| {
        line.split_once(" s: ")
            .is_some_and(|(seconds, _)| seconds.parse::<u64>().is_ok())
    };
    text.split_inclusive('\n')
        .filter(|line| !is_progress(line))
        .collect()
}

/// Replaces digests and object ids by `[hex]`, measured amounts by `[n]`, moments by `[time]`; a line with one of them
/// has its columns two blanks apart, since they are as wide as what was there.
pub(crate) fn redact(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let redacted = redact_line(line);
        if redacted == line {
            redacted
        } else {
            squeezed(&redacted)
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn redact_line(line: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-');
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(is_word) {
        let (before, after) = rest.split_at(start);
        let end = after.find(|c| !is_word(c)).unwrap_or(after.len());
        let (word, next) = after.split_at(end);
        out += before;
        out += &redact_word(word);
        rest = next;
    }
    out + rest
}

fn redact_word(word: &str) -> String {
    let bare = word.trim_end_matches(['.', ':']);
    let tail = &word[bare.len()..];
    let (head, last) = bare
        .rsplit_once([':', '-'])
        .map_or(("", bare), |(head, last)| (&bare[..=head.len()], last));
    if is_time(bare) {
        format!("[time]{tail}")
    } else if is_hex(last) {
        format!("{head}[hex]{tail}")
    } else if is_amount(bare) {
        format!("[n]{tail}")
    } else {
        word.to_owned()
    }
}

fn is_time(word: &str) -> bool {
    word.len() >= 20 && word.ends_with('Z') && word.as_bytes().get(10) == Some(&b'T')
}

fn is_hex(word: &str) -> bool {
    let digit = |c: char| c.is_ascii_hexdigit() && !c.is_ascii_uppercase();
    word.len() >= 12 && word.chars().all(digit)
}

fn is_amount(word: &str) -> bool {
    let number = word.trim_end_matches(['k', 'M', 'G', 'T']);
    let digits = number.chars().all(|c| c.is_ascii_digit() || c == '.');
    let marked = number.len() < word.len() || number.contains('.');
    digits && marked && number.len() >= 3 && number.matches('.').count() < 2
}

fn squeezed(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    let words = line.split("  ").map(str::trim);
    let words: Vec<_> = words.filter(|words| !words.is_empty()).collect();
    " ".repeat(indent) + &words.join("  ")
}

#[test]
fn redacting_leaves_words_alone() {
    for (text, expect) in [
        ("fuel 1.81M of 10.0G, 698k", "fuel [n] of [n], [n]"),
        ("  a 0.1.0 f0a08a77a42c.", "  a 0.1.0 [hex]."),
        ("broken-link-f74ad268527cece8", "broken-link-[hex]"),
        (
            "10G, 64MiB, 120 lines, 2026-01-02",
            "10G, 64MiB, 120 lines, 2026-01-02",
        ),
        ("until 2026-01-02T03:05:05.123Z:  why", "until [time]:  why"),
        ("process 4711,   since", "process 4711,   since"),
    ] {
        assert_eq!(redact(text), expect);
    }
    assert_eq!(
        without_progress("1 s: deciding\nnote\n12 s: acting\n"),
        "note\n"
    );
}
