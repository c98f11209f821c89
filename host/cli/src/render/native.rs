//! Native programs: what the operator lets them do, and what came of them.
//!
//! **Invariant:** a program that runs unconfined is never shown without that word.

use ringfence_core::evidence::{CommandReceipt, Confinement, Ended};
use ringfence_core::spec::{CommandSpec, Sandboxing};

use super::page::Page;
use super::safe::Safe;
use super::table::Table;
use super::text::{Ink, Text, text};

// Limit: what a person reads; `--format json` has all of it.
const NOTES_MAX: usize = 5;

/// What `command` may do.
pub(super) fn grant(page: &mut Page, command: &CommandSpec) {
    page.line(text![
        text!["command ", &command.name].ink(Ink::Strong),
        " on ",
        command.on.as_str()
    ]);
    let line: Vec<String> = command
        .argv
        .iter()
        .map(|word| format!("{word:?}"))
        .collect();
    page.hanging(2, 4, text!["runs ", Safe::line(&line.join(" "))]);
    let confined = match command.sandbox {
        Sandboxing::Full => text!["in the sandbox"],
        Sandboxing::None => text!["UNCONFINED, on a copy"].ink(Ink::Bad),
    };
    let network = match (command.network, command.sandbox) {
        (true, _) => text!["with the network"].ink(Ink::Warn),
        (false, Sandboxing::Full) => text!["no network"],
        (false, Sandboxing::None) => text!["network not kept from it"].ink(Ink::Bad),
    };
    page.hanging(2, 4, text![confined, ", ", network]);
    for directory in &command.system {
        page.hanging(2, 4, text!["reads ", Safe::line(directory)]);
    }
    for (name, path) in &command.reports {
        let report = text![
            "reports ",
            Safe::line(name),
            ": ",
            Safe::line(path.as_str())
        ];
        page.hanging(2, 4, report);
    }
    if !command.env.is_empty() {
        let names = Text::join(command.env.keys().map(|name| Safe::line(name)), ", ");
        page.hanging(2, 4, text!["sets ", names]);
    }
    let limits = &command.limits;
    let most = format!(
        "{}, {} of memory, {} of output, {} processes, {} of disk",
        limits.time, limits.memory, limits.output, limits.processes, limits.disk
    );
    page.hanging(2, 4, text!["at most ", Safe::line(&most)]);
}

/// What came of the commands of a beat.
pub(super) fn ran(page: &mut Page, receipts: &[CommandReceipt]) {
    if receipts.is_empty() {
        return;
    }
    page.gap().line(text!["commands"].ink(Ink::Strong));
    let mut table = Table::new(2, &[("", 20), ("", 8), ("", 60)]);
    for receipt in receipts {
        table.row([
            (&receipt.command).into(),
            receipt.side.as_str().into(),
            end(receipt),
        ]);
    }
    for (index, receipt) in receipts.iter().enumerate() {
        table.put_nth(index, page);
        for note in receipt.notes.iter().take(NOTES_MAX) {
            page.item(4, Safe::line(note));
        }
    }
}

fn end(receipt: &CommandReceipt) -> Text {
    let how = match receipt.ended {
        Ended::Exited { code } => format!("exited with {code}"),
        Ended::Signalled { signal } => format!("ended by signal {signal}"),
        Ended::TimedOut => "ended: it took too long".to_owned(),
        Ended::OutOfMemory => "ended: too much memory".to_owned(),
        Ended::TooMuchOutput => "ended: too much output".to_owned(),
        Ended::TooManyProcesses => "ended: too many processes".to_owned(),
        Ended::NotStarted => "not started".to_owned(),
        Ended::Unseen => "not seen".to_owned(),
    };
    let ink = if receipt.ended.well() {
        Ink::Good
    } else {
        Ink::Warn
    };
    let how = text![Safe::line(&how)].ink(ink);
    match receipt.confinement {
        Confinement::Full => how,
        Confinement::None => text![how, ", ", text!["UNCONFINED"].ink(Ink::Bad)],
        Confinement::Elsewhere => text![how, ", elsewhere"],
    }
}
