//! What is told of a program that was run, below whatever it said itself.

use ringfence_core::policy::Denial;
use ringfence_sandbox::Ran;

use super::receipt::denial_verb;
use super::{Ink, Page, Safe, Text, amount, text};

// Limit: what a person reads; the JSON report has more.
const DENIALS_MAX: usize = 20;

/// How it ended, what it used, what it was denied.
pub(crate) fn report(ran: &Ran) -> Page {
    let mut page = Page::new();
    let usage = &ran.report.usage;
    let how = match &ran.ended {
        Ok(0) => text!["ended well"],
        Ok(code) => text!["ended with ", u64::from(*code)],
        Err(failure) => text!["was ended: ", Safe::line(&failure.to_string())].ink(Ink::Bad),
    };
    page.hanging(0, 2, text!["ringfence: the program ", how]);
    page.hanging(
        0,
        2,
        text![
            "ringfence: fuel ",
            amount::fuel(usage.fuel),
            ", memory ",
            usage.memory.used,
            " of ",
            usage.memory.limit,
            ", read ",
            usage.bytes_read,
            ", written ",
            usage.bytes_written
        ],
    );
    for denial in ran.report.denials.iter().take(DENIALS_MAX) {
        page.hanging(0, 2, denied(denial));
    }
    let rest = ran.report.denials.len().saturating_sub(DENIALS_MAX) as u64;
    let rest = rest.saturating_add(ran.report.denials_dropped);
    if rest > 0 {
        page.line(text!["ringfence: and ", rest, " more denials"]);
    }
    page
}

fn denied(denial: &Denial) -> Text {
    let times = if denial.count > 1 {
        text![" (", denial.count, " times)"]
    } else {
        Text::new()
    };
    text![
        "ringfence: ",
        text!["denied"].ink(Ink::Warn),
        ": it ",
        denial_verb(denial.access),
        " ",
        Safe::line(&denial.path),
        times,
        ": ",
        Safe::line(&denial.rule.to_string())
    ]
}
