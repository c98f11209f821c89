//! A strict reader of the text format: what Prometheus takes, and promtool has nothing to say against.

use std::collections::{BTreeMap, BTreeSet};

/// A series: its name, and its labels as they are written.
pub(crate) type Series = (String, String);

/// Every series with its value, or what is wrong with the text.
pub(crate) fn check(text: &str) -> Result<BTreeMap<Series, f64>, String> {
    let mut found = BTreeMap::new();
    let mut families = BTreeSet::new();
    let mut current: Option<(String, String)> = None;
    let mut help: Option<String> = None;
    if !text.is_empty() && !text.ends_with('\n') {
        return Err("no newline at the end".to_owned());
    }
    for line in text.split_terminator('\n') {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, said) = rest.split_once(' ').ok_or(format!("no help: {line}"))?;
            if said.trim() != said || said.is_empty() || said.contains('\\') {
                return Err(format!("odd help: {line}"));
            }
            if !families.insert(name.to_owned()) {
                return Err(format!("a family twice: {line}"));
            }
            help = Some(name.to_owned());
            current = None;
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or(format!("no type: {line}"))?;
            if help.take().as_deref() != Some(name) {
                return Err(format!("a type without help before it: {line}"));
            }
            check_family(name, kind)?;
            current = Some((name.to_owned(), kind.to_owned()));
        } else {
            let (series, value) = sample(line)?;
            let (family, kind) = current.as_ref().ok_or(format!("no family: {line}"))?;
            if *family != series.0 {
                return Err(format!("not of family {family}: {line}"));
            }
            if kind == "counter" && !(value >= 0.0 && value.is_finite()) {
                return Err(format!("no count: {line}"));
            }
            if found.insert(series, value).is_some() {
                return Err(format!("a series twice: {line}"));
            }
        }
    }
    Ok(found)
}

fn check_family(name: &str, kind: &str) -> Result<(), String> {
    let is_counter = match kind {
        "counter" => true,
        "gauge" => false,
        _ => return Err(format!("{name}: no kind {kind}")),
    };
    if !is_name(name, true) || name.to_lowercase() != name {
        return Err(format!("no name: {name}"));
    }
    if is_counter != name.ends_with("_total") {
        return Err(format!(
            "{name}: counters end in _total, and nothing else does"
        ));
    }
    let units = [
        "_ms", "_millis", "_minutes", "_hours", "_percent", "_kb", "_mb",
    ];
    let reserved = ["_count", "_sum", "_bucket"];
    if let Some(bad) = units
        .iter()
        .chain(&reserved)
        .find(|bad| name.ends_with(*bad))
    {
        return Err(format!("{name}: {bad}"));
    }
    Ok(())
}

fn is_name(name: &str, colons: bool) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_' || (colons && c == ':');
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

fn sample(line: &str) -> Result<(Series, f64), String> {
    let end = line.find(['{', ' ']).ok_or(format!("no sample: {line}"))?;
    let (name, rest) = line.split_at(end);
    if !is_name(name, true) {
        return Err(format!("no name: {line}"));
    }
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest).map_err(|why| format!("{why}: {line}"))?,
        None => (String::new(), rest),
    };
    let value = value.strip_prefix(' ').ok_or(format!("no value: {line}"))?;
    let plain = value
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | '-'));
    let value: f64 = value.parse().map_err(|_| format!("no number: {line}"))?;
    if !plain {
        return Err(format!("odd number: {line}"));
    }
    Ok(((name.to_owned(), labels), value))
}

/// The labels up to the closing brace, and what follows it.
fn labels(text: &str) -> Result<(String, &str), &'static str> {
    let mut names = BTreeSet::new();
    let mut rest = text;
    loop {
        let (name, value) = rest.split_once("=\"").ok_or("no label")?;
        if !is_name(name, false) || name.starts_with("__") || !names.insert(name) {
            return Err("a label's name");
        }
        let end = end_of(value)?;
        if value[..end].chars().any(|c| c.is_control()) {
            return Err("a control character");
        }
        rest = &value[end + 1..];
        if let Some(after) = rest.strip_prefix('}') {
            let read = text.len() - after.len() - 1;
            return Ok((text[..read].to_owned(), after));
        }
        rest = rest.strip_prefix(',').ok_or("no comma")?;
    }
}

/// Where a label's value ends: at the quote that no backslash stands before.
fn end_of(value: &str) -> Result<usize, &'static str> {
    let mut chars = value.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok(at),
            '\n' => return Err("a line end in a label"),
            '\\' => match chars.next() {
                Some((_, '\\' | '"' | 'n')) => {}
                _ => return Err("an unknown escape"),
            },
            _ => {}
        }
    }
    Err("a label without an end")
}

#[test]
fn what_is_wrong_is_noticed() {
    let good = "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"\\\\\\\"\\n\"} 1\n";
    assert_eq!(check(good).unwrap().len(), 1);
    for (from, to) in [
        ("1\n", "1"),
        ("# HELP a_total A.\n", ""),
        ("counter", "gauge"),
        ("counter", "summary"),
        ("a_total{", "b_total{"),
        ("a_total{", "1_total{"),
        ("x=", "x-y="),
        ("x=", "__x="),
        ("\\n", "\\t"),
        ("\\n", "\n"),
        ("\"}", "}"),
        ("} 1", "} one"),
        ("} 1", "} -1"),
        ("} 1", "} 1e3"),
        ("} 1", "}"),
        ("} 1\n", "} 1\na_total{x=\"\\\\\\\"\\n\"} 2\n"),
        ("} 1\n", "} 1\n\n"),
        ("A.", ""),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        assert!(check(&bad).is_err(), "{bad}");
    }
}
