//! The prices as the meter has them, read from its source, and their table with the name of the rules in `docs/fuel.md`.
//!
//! **Invariant:** every constant of the meter that is a number of fuel is in the table, with its own words.

use std::fmt::Write;
use std::fs;

use ringfence_testkit::sandbox::FUEL_RULES;
use ringfence_tests_sandbox::root;

const BEGIN: &str = "<!-- prices: from host/sandbox/src/meter.rs -->\n";
const END: &str = "<!-- end of prices -->\n";

/// Name, fuel, and what for.
fn prices() -> Vec<(String, u64, String)> {
    let source = fs::read_to_string(root().join("host/sandbox/src/meter.rs")).unwrap();
    let mut prices = Vec::new();
    let mut words: Vec<&str> = Vec::new();
    for line in source.lines() {
        if let Some(word) = line.strip_prefix("///") {
            words.push(word.trim());
            continue;
        }
        let constant = line
            .strip_prefix("pub(crate) const ")
            .and_then(|line| line.split_once(": u64 = "));
        if let Some((name, value)) = constant {
            let value = value.trim_end_matches(';').replace('_', "");
            prices.push((name.to_owned(), value.parse().unwrap(), words.join(" ")));
        }
        words.clear();
    }
    assert!(prices.len() > 6, "{prices:?}");
    prices
}

/// The price of that name.
pub(super) fn of(name: &str) -> u64 {
    let prices = prices();
    let found = prices.iter().find(|(known, ..)| known == name);
    found.unwrap_or_else(|| panic!("no price {name}")).1
}

/// The document with the table as it has to be.
pub(super) fn replaced(document: &str) -> String {
    let mut table = format!("\nThe rules are `{FUEL_RULES}`.\n\n");
    table.push_str("| price | fuel | for |\n| --- | ---: | --- |\n");
    for (name, fuel, words) in prices() {
        let words = words.trim_end_matches('.');
        writeln!(table, "| `{name}` | {} | {words} |", grouped(fuel)).unwrap();
    }
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    format!("{before}{BEGIN}{table}\n{END}{after}")
}

/// With a comma after each three digits.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
