//! What may stand before a header: comments, blank lines, and what has to be the first line of a file.
//!
//! **Invariant:** no line is passed over that may open a text: the header would stand in that, and say nothing.

/// Comments of several lines. A text in three quotes is one where nothing stands before it.
const BLOCKS: [(&str, &str); 9] = [
    ("/*", "*/"),
    ("<!--", "-->"),
    ("--[[", "]]"),
    ("{-", "-}"),
    ("(*", "*)"),
    ("<#", "#>"),
    ("=begin", "=end"),
    ("\"\"\"", "\"\"\""),
    ("'''", "'''"),
];
/// Comments to the end of the line in some languages, and code in others, which may open a text there.
const LINES: [&str; 6] = ["--", ";", "%", "!", "#[", "#!["];
/// What opens a text, or ends one.
const QUOTES: [char; 3] = ['"', '\'', '`'];
/// What has to stand first in some languages, and opens nothing.
const FIRST: [&str; 9] = [
    "<?php",
    "<?php declare(strict_types=1);",
    "@charset \"utf-8\";",
    "@echo off",
    "'use strict';",
    "\"use strict\";",
    "'use client';",
    "\"use client\";",
    "#pragma once",
];

/// How many lines there are before the first one that is code, or may be.
pub(crate) fn lines_before_code(text: &str) -> usize {
    let mut open = None;
    let is_prose = |line: &&str| is_prose(line, &mut open);
    text.lines().take_while(is_prose).count()
}

/// Whether all of a line is prose, where the block `open` has not ended before it.
fn is_prose(line: &str, open: &mut Option<&'static str>) -> bool {
    let mut rest = line.trim_start_matches('\u{feff}').trim();
    loop {
        if let Some(end) = *open {
            let Some((_, after)) = rest.split_once(end) else {
                return true;
            };
            rest = after.trim_start();
            *open = None;
        }
        let block = BLOCKS
            .iter()
            .find_map(|(start, end)| Some((rest.strip_prefix(start)?, *end)));
        let Some((after, end)) = block else {
            return is_prose_to_its_end(rest);
        };
        rest = after;
        *open = Some(end);
    }
}

fn is_prose_to_its_end(rest: &str) -> bool {
    if rest.is_empty() || FIRST.iter().any(|line| rest.eq_ignore_ascii_case(line)) {
        return true;
    }
    if LINES.iter().any(|start| rest.starts_with(start)) {
        return !rest.contains(QUOTES);
    }
    match rest.chars().next() {
        Some('/') => rest.starts_with("//"),
        // A comment, or an instruction of a preprocessor, where an apostrophe opens nothing.
        Some('#') => rest.starts_with("#!/") || !rest.contains(['"', '`']),
        Some('<') if rest.starts_with("<?") => rest.starts_with("<?xml") && rest.ends_with("?>"),
        Some('<') => rest.ends_with('>') && !rest.contains('`'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_begins_where_a_text_may() {
        for (text, expect) in [
            ("", 0),
            ("fn a() {}\n", 0),
            ("// a\n\n/* b\nc \" d\n*/\n# e's\ncode\n", 6),
            ("#!/bin/sh -c \"x\"\n# -*- coding: utf-8 -*-\nx\n", 2),
            ("\u{feff}<?xml version=\"1.0\"?>\n<!-- a\nb --> <a>\nx", 3),
            ("<?xml version=\"1.0\"?>\n<!-- a\nb -->\n<a b=\"c\">\nx", 4),
            ("\"\"\"\ndoc\n\"\"\"\nx = 1\n", 3),
            ("<?php\n'use strict';\n#pragma once\nx", 3),
            // Each of them opens a text, or may.
            ("const A: &str = \"\n// h\n", 0),
            ("`\n// h\n`;\n", 0),
            ("'\n# h\n'\n", 0),
            ("#![doc = \"\n// h\n\"]\n", 0),
            ("#![doc = r#\"\"\n// h\n\"#]\n", 0),
            ("/* a */ const A: &str = \"\n// h\n\";\n", 0),
            ("/* a\n*/ let a = `\n// h\n`;\n", 1),
            ("<?php $a = '\n// h\n';\n", 0),
            ("<?php $a = \"<b>\n// h\n\";\n", 0),
            ("<script>let a = `<b>\n// h\n`</script>\n", 0),
            ("\"\"\"a\"\"\"; b = \"\"\"\n# h\n\"\"\"\n", 0),
            (";x = `\n// h\n`;\n", 0),
            ("#[A('\n// h\n')]\n", 0),
            ("x = '''\n# h\n'''\n", 0),
        ] {
            assert_eq!(lines_before_code(text), expect, "{text:?}");
        }
    }
}
