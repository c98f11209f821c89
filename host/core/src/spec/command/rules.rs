//! What the values of a command's keys look like.
//!
//! **Invariant:** what is refused here could not be run, or would show a command what it is to be kept from: whole
//! directories in which secrets, sockets or devices lie.

use std::ops::Range;

use super::{STDERR, STDOUT};
use crate::diagnostic::{Diagnostic, Diagnostics, quote};
use crate::ids::StepId;
use crate::quantity::{Bytes, Millis, QuantityError};
use crate::relpath::RelPath;
use crate::toml_doc::{Amount, Choice, Text};

// Limit: a path or a short script; the kernel takes far more.
const ARGUMENT_BYTES_MAX: usize = 4 << 10;
// Limit: what is longer is a file.
const ENV_BYTES_MAX: usize = 4 << 10;
// Limit: a test run of a night.
const TIME_MAX: Millis = Millis(12 * 3_600_000);
// Limit: the largest machines that build anything.
const MEMORY_MAX: Bytes = Bytes(1 << 40);
// Limit: it is held in memory, of every command and both trees.
const OUTPUT_MAX: Bytes = Bytes(64 << 20);
// Limit: beyond it the kernel runs out of numbers.
const PROCESSES_MAX: u64 = 16_384;
// Limit: it is held in memory.
const DISK_MAX: Bytes = Bytes(1 << 40);

const NAME_PATTERN: Option<&str> = Some("^[a-z0-9][a-z0-9-]{0,63}$");

/// Too much lies in these: name what is needed of it.
const TOO_BROAD: &[&str] = &[
    "/", "/etc", "/home", "/mnt", "/media", "/root", "/srv", "/usr", "/var", "/var/lib",
];
/// Devices, sockets, processes, other people's files: nothing of it is ever shown, and some of it has a stand-in.
const NEVER: &[&str] = &[
    "/boot",
    "/dev",
    "/lost+found",
    "/proc",
    "/run",
    "/sys",
    "/tmp",
    "/tree",
    "/var/run",
    "/var/tmp",
];

pub(crate) static COMMAND_NAME: Text = Text {
    code: "bad-id",
    what: "a name",
    check: |text| name(text),
    pattern: NAME_PATTERN,
    example: "test",
};
pub(super) static ARGUMENT: Text = Text {
    code: "bad-argument",
    what: "an argument",
    check: |text| {
        if text.contains('\0') {
            Err(format!("{} has a NUL byte in it", quote(text)))
        } else if text.len() > ARGUMENT_BYTES_MAX {
            Err(format!(
                "{} has {} bytes, at most {ARGUMENT_BYTES_MAX} fit",
                quote(text),
                text.len()
            ))
        } else {
            Ok(())
        }
    },
    pattern: None,
    example: "true",
};
pub(super) static ON: Choice = Choice {
    values: &["after", "both"],
    later: &[],
};
pub(super) static SANDBOX: Choice = Choice {
    values: &["full", "none"],
    later: &[],
};
pub(super) static ENV_NAME: Text = Text {
    code: "bad-variable",
    what: "the name of a variable",
    check: |text| {
        let fits = !text.is_empty()
            && text.len() <= ENV_BYTES_MAX
            && !text.starts_with(|c: char| c.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if fits {
            Ok(())
        } else {
            Err(format!(
                "{} is not the name of a variable: letters, digits and underscores",
                quote(text)
            ))
        }
    },
    pattern: Some("^[A-Za-z_][A-Za-z0-9_]*$"),
    example: "CI",
};
pub(super) static ENV_VALUE: Text = Text {
    code: "bad-variable",
    what: "the value of a variable",
    check: |text| {
        if text.len() <= ENV_BYTES_MAX && !text.contains('\0') {
            Ok(())
        } else {
            Err(format!(
                "{} is no value of at most {ENV_BYTES_MAX} bytes without a NUL",
                quote(text)
            ))
        }
    },
    pattern: None,
    example: "true",
};
pub(super) static SYSTEM: Text = Text {
    code: "bad-directory",
    what: "a directory of the system",
    check: check_system_directory,
    pattern: Some("^/"),
    example: "/opt/node",
};
pub(super) static REPORT_NAME: Text = Text {
    code: "bad-id",
    what: "a name",
    check: |text| {
        name(text)?;
        if [STDOUT, STDERR].contains(&text) {
            Err(format!("every command has a report {text:?} by itself"))
        } else {
            Ok(())
        }
    },
    pattern: NAME_PATTERN,
    example: "junit",
};
pub(super) static REPORT_PATH: Text = Text {
    code: "bad-path",
    what: "a path in the tree",
    check: |text| match RelPath::lexical(text) {
        Ok(path) if !path.is_root() => Ok(()),
        Ok(_) => Err(format!("{} is the tree itself, not a file", quote(text))),
        Err(error) => Err(format!("{} is {error}", quote(text))),
    },
    pattern: None,
    example: "target/junit.xml",
};

pub(super) static TIME: Amount = Amount {
    what: "a duration",
    read: Some(|text| quantity(text.parse::<Millis>(), |time| time.0)),
    integers: false,
    max: TIME_MAX.0,
    show: |amount| Millis(amount).to_string(),
    pattern: Some("^[0-9_]+(d|h|m|s|ms)$"),
    example: "\"10m\"",
};
pub(super) static MEMORY: Amount = bytes(MEMORY_MAX, "\"4GiB\"");
pub(super) static OUTPUT: Amount = bytes(OUTPUT_MAX, "\"8MiB\"");
pub(super) static DISK: Amount = bytes(DISK_MAX, "\"4GiB\"");
pub(super) static PROCESSES: Amount = Amount {
    what: "a number above zero",
    read: None,
    integers: true,
    max: PROCESSES_MAX,
    show: |amount| amount.to_string(),
    pattern: None,
    example: "512",
};

const fn bytes(max: Bytes, example: &'static str) -> Amount {
    Amount {
        what: "a number of bytes",
        read: Some(|text| quantity(text.parse::<Bytes>(), |bytes| bytes.0)),
        integers: true,
        max: max.0,
        show: |amount| Bytes(amount).to_string(),
        pattern: Some("^[0-9_]+(GiB|MiB|KiB|B)?$"),
        example,
    }
}

fn quantity<T>(read: Result<T, QuantityError>, number: fn(T) -> u64) -> Result<u64, String> {
    read.map(number).map_err(|error| error.to_string())
}

fn name(text: &str) -> Result<(), String> {
    StepId::new(text).map(drop).map_err(|_| {
        format!(
            "{} is not a name of 1 to 64 lower-case letters, digits and dashes",
            quote(text)
        )
    })
}

/// Says whether the absolute path `text` is one that `system` may name, and is no link to elsewhere as far as one sees.
///
/// # Errors
/// Why not, for the one who wrote it.
pub fn check_system_directory(text: &str) -> Result<(), String> {
    let plain = text.starts_with('/')
        && !text.chars().any(char::is_control)
        && (text == "/"
            || text
                .split('/')
                .skip(1)
                .all(|name| !matches!(name, "" | "." | "..")));
    let below = |top: &str| {
        text.strip_prefix(top)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if !plain {
        Err(format!(
            "{} is no plain absolute path: no `.`, no `..`, no slash at its end",
            quote(text)
        ))
    } else if TOO_BROAD.contains(&text) {
        Err(format!(
            "{} shows a command too much: name the directory in it that is needed",
            quote(text)
        ))
    } else if NEVER.iter().any(|top| below(top)) {
        Err(format!("{} is never shown to a command", quote(text)))
    } else {
        Ok(())
    }
}

/// Reports a command without a program; none then.
pub(super) fn check_program(
    argv: &[String],
    span: Range<usize>,
    found: &mut Diagnostics,
) -> Option<()> {
    if argv.first().is_some_and(|program| !program.is_empty()) {
        return Some(());
    }
    let problem = Diagnostic::error("bad-argument", span, "`argv` names no program", "empty");
    found.push(problem.with_help("write `argv = [\"cargo\", \"test\"]`"));
    None
}
