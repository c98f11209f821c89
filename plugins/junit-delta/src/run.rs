//! Whether a run of tests can be relied on, and what its reports say together.
//!
//! **Invariant:** a run that was ended, wrote no report, wrote one that is empty or cannot be read, or says itself that it went
//! wrong in a way that no test shows, gives no tests, but the reason.

use ringfence_sdk::{Evidence, Receipt, Side};

use crate::report::{self, Tests};
use crate::wild::matches;

/// Why a run proves nothing.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) rule: &'static str,
    pub(crate) what: String,
}

/// The tests of a run, of all its reports whose names match `wild`.
pub(crate) fn tests(
    evidence: &Evidence,
    command: &str,
    side: Side,
    wild: &str,
) -> Result<Tests, Wrong> {
    let wrong = |rule, what: &str| Wrong {
        rule,
        what: format!("`{command}` {what} {side} the change"),
    };
    let receipt = evidence
        .receipt(command, side)
        .ok_or_else(|| wrong("not-run", "did not run"))?;
    if !receipt.came_to_an_end() {
        return Err(wrong("broken-run", &receipt.end()));
    }
    let mut tests = Tests::default();
    let mut reports = receipt
        .reports
        .iter()
        .filter(|report| matches(wild, &report.name))
        .peekable();
    if reports.peek().is_none() {
        return Err(wrong("no-report", &format!("wrote no report `{wild}`")));
    }
    for report in reports {
        let read = evidence
            .read(command, side, &report.name)
            .map_err(|error| error.to_string());
        let read = read.and_then(|bytes| report::read(&bytes, &mut tests));
        read.map_err(|why| {
            let what = format!(
                "wrote a report `{}` that cannot be read ({why})",
                report.name
            );
            wrong("unreadable-report", &what)
        })?;
    }
    if tests.count() == 0 {
        return Err(wrong("empty-report", "said of no test how it went"));
    }
    if hides_something(receipt, &tests) {
        let what = format!("{}, and no test in its report failed,", receipt.end());
        return Err(wrong("broken-run", &what));
    }
    Ok(tests)
}

/// Whether a run went wrong and none of its tests did.
fn hides_something(receipt: &Receipt, tests: &Tests) -> bool {
    let well = receipt.ended_well() || receipt.ended == "unseen";
    !well && tests.failed() == 0
}
