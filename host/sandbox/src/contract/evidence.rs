//! The `evidence` interface: what a gate is told of the native programs that looked at the change, and their reports.
//!
//! **Invariant:** a gate is given the bytes that the receipt has the digest of, or none: an answer that is remembered by the
//! receipts' digest rests on nothing else. No time is told.

use std::sync::Arc;

use ringfence_core::digest::Digest;
use ringfence_core::evidence::{CommandReceipt, Ended, Report, Side};

use crate::bindings::ringfence::beat::evidence;
use crate::contract::change::BYTES_MAX;
use crate::evidence_source::EvidenceSource;
use crate::meter::{ENTRY, SYSCALL};
use crate::state::State;

impl evidence::Host for State {
    fn receipts(&mut self) -> wasmtime::Result<Vec<evidence::Receipt>> {
        let Some(source) = &self.evidence else {
            return Ok(Vec::new());
        };
        let receipts = source.receipts();
        for receipt in receipts {
            self.meter.charge(ENTRY);
            self.meter.charge_bytes(receipt.command.as_str().len());
            for report in &receipt.reports {
                self.meter.charge(ENTRY);
                self.meter.charge_bytes(report.name.len());
            }
        }
        Ok(receipts.iter().map(lower).collect())
    }

    fn read(
        &mut self,
        command: String,
        side: evidence::Side,
        report: String,
    ) -> wasmtime::Result<Result<Vec<u8>, String>> {
        self.meter.charge(SYSCALL);
        self.meter.charge_bytes(command.len());
        self.meter.charge_bytes(report.len());
        let read = bytes_of(self.evidence.as_ref(), &command, raise(side), &report);
        if let Ok(bytes) = &read {
            self.meter.read(bytes.len());
        }
        Ok(read)
    }
}

/// The bytes of a report, or why there are none, in words for the guest.
fn bytes_of(
    source: Option<&Arc<dyn EvidenceSource>>,
    command: &str,
    side: Side,
    report: &str,
) -> Result<Vec<u8>, String> {
    let what = format!("{report} of {command} {side} the change");
    let found = source.and_then(|source| {
        let receipt = find(source.receipts(), command, side)?;
        let known = receipt.reports.iter().find(|known| known.name == report)?;
        Some((source, receipt, known))
    });
    let (source, receipt, known) = found.ok_or_else(|| format!("{what}: no such report"))?;
    if known.size > BYTES_MAX {
        return Err(format!(
            "{what}: {} bytes, more than the {BYTES_MAX} that a gate is given",
            known.size
        ));
    }
    let bytes = source.read(&receipt.command, side, report, BYTES_MAX);
    match bytes {
        Ok(bytes) if is_of(known, &bytes) => Ok(bytes),
        Ok(_) => Err(format!("{what}: not the bytes that were received")),
        Err(error) => Err(format!("{what}: {error}")),
    }
}

fn find<'a>(
    receipts: &'a [CommandReceipt],
    command: &str,
    side: Side,
) -> Option<&'a CommandReceipt> {
    receipts
        .iter()
        .find(|receipt| receipt.command.as_str() == command && receipt.side == side)
}

fn is_of(report: &Report, bytes: &[u8]) -> bool {
    report.size == bytes.len() as u64 && report.digest == Digest::of(bytes)
}

fn raise(side: evidence::Side) -> Side {
    match side {
        evidence::Side::Before => Side::Before,
        evidence::Side::After => Side::After,
    }
}

fn lower(receipt: &CommandReceipt) -> evidence::Receipt {
    evidence::Receipt {
        command: receipt.command.as_str().to_owned(),
        side: match receipt.side {
            Side::Before => evidence::Side::Before,
            Side::After => evidence::Side::After,
        },
        ended: receipt.ended.as_str().to_owned(),
        exit_code: match receipt.ended {
            Ended::Exited { code } => i32::from(code),
            _ => -1,
        },
        confinement: receipt.confinement.as_str().to_owned(),
        network: receipt.network,
        reports: receipt
            .reports
            .iter()
            .map(|report| evidence::Report {
                name: report.name.clone(),
                size: report.size,
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use ringfence_core::evidence::Confinement;
    use ringfence_core::ids::StepId;

    use super::*;

    /// Has these bytes, whatever is asked for.
    struct Has(Vec<CommandReceipt>, &'static [u8]);

    impl EvidenceSource for Has {
        fn receipts(&self) -> &[CommandReceipt] {
            &self.0
        }

        fn read(&self, _: &StepId, _: Side, _: &str, max: u64) -> io::Result<Vec<u8>> {
            assert_eq!(max, BYTES_MAX);
            Ok(self.1.to_vec())
        }
    }

    fn receipt(size: u64, bytes: &[u8]) -> CommandReceipt {
        CommandReceipt {
            command: StepId::new("test").unwrap(),
            side: Side::After,
            declared: Digest::of(b"argv"),
            tree: "t".to_owned(),
            confinement: Confinement::Full,
            network: false,
            ended: Ended::Exited { code: 3 },
            ms: 5,
            reports: vec![Report {
                name: "junit".to_owned(),
                size,
                digest: Digest::of(bytes),
            }],
            notes: vec!["for the operator".to_owned()],
        }
    }

    #[test]
    fn bytes_are_those_of_the_receipt_or_none() {
        let read = |size, bytes: &[u8], command: &str, side, report: &str| {
            let source: Arc<dyn EvidenceSource> = Arc::new(Has(vec![receipt(size, bytes)], b"abc"));
            bytes_of(Some(&source), command, side, report)
        };
        assert_eq!(
            read(3, b"abc", "test", Side::After, "junit"),
            Ok(b"abc".to_vec())
        );
        for (size, bytes, command, side, report, expect) in [
            (3, b"abc", "test", Side::Before, "junit", "no such report"),
            (3, b"abc", "test", Side::After, "../junit", "no such report"),
            (3, b"abc", "tests", Side::After, "junit", "no such report"),
            (3, b"abd", "test", Side::After, "junit", "not the bytes"),
            (4, b"abc", "test", Side::After, "junit", "not the bytes"),
            (
                BYTES_MAX + 1,
                b"abc",
                "test",
                Side::After,
                "junit",
                "16777217 bytes, more than",
            ),
        ] {
            let error = read(size, bytes, command, side, report).unwrap_err();
            assert!(error.contains(expect), "{error}");
        }
        let none = bytes_of(None, "test", Side::After, "junit").unwrap_err();
        assert_eq!(none, "junit of test after the change: no such report");
    }

    #[test]
    fn a_code_is_told_only_of_an_exit() {
        let told = lower(&receipt(3, b"abc"));
        assert_eq!((told.ended.as_str(), told.exit_code), ("exited", 3));
        let mut killed = receipt(3, b"abc");
        killed.ended = Ended::Signalled { signal: 9 };
        let told = lower(&killed);
        assert_eq!((told.ended.as_str(), told.exit_code), ("signalled", -1));
        let told = format!("{told:?}");
        assert!(
            !told.contains("for the operator") && told.contains("\"full\""),
            "{told}"
        );
    }
}
