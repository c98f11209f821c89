//! What a program does with its streams, arguments and end: one deed a run.
//!
//! **Invariant:** what is printed is what the deed is about, and nothing else.

use std::io::{self, Read, Write};

use wasip2::cli::{environment, exit};
use wasip2::filesystem::preopens;

/// Does it; an unknown deed and one that fails end with 1.
pub(crate) fn run(deed: &str, args: &[String]) -> Result<(), ()> {
    let number = || args.first().and_then(|text| text.parse().ok()).unwrap_or(0);
    match deed {
        "arguments" => print(environment::get_arguments()),
        "variables" => print(
            environment::get_environment()
                .into_iter()
                .map(|(name, value)| format!("{name}={value}")),
        ),
        "preopens" => print(
            preopens::get_directories()
                .into_iter()
                .map(|(_, path)| path),
        ),
        "cat" => cat(),
        "count" => count(),
        "pour" => pour(number()),
        "words" => words(),
        "exit" => {
            exit::exit_with_code(u8::try_from(number()).unwrap_or(u8::MAX));
            Ok(())
        }
        "fail" => Err(()),
        "panic" => panic_with(args),
        "spin" => loop {
            std::hint::black_box(());
        },
        "sleep" => {
            std::thread::sleep(std::time::Duration::from_millis(number()));
            Ok(())
        }
        "read" => files(args, |path| std::fs::read_to_string(path)),
        "write" => files(args, |path| {
            std::fs::write(path, "written").map(|()| "written".to_owned())
        }),
        "list" => files(args, names),
        _ => Err(()),
    }
}

fn print(lines: impl IntoIterator<Item = String>) -> Result<(), ()> {
    let mut out = io::stdout();
    lines
        .into_iter()
        .try_for_each(|line| writeln!(out, "{line}"))
        .and_then(|()| out.flush())
        .map_err(drop)
}

fn cat() -> Result<(), ()> {
    let mut out = io::stdout().lock();
    io::copy(&mut io::stdin(), &mut out)
        .and_then(|_| out.flush())
        .map_err(drop)
}

/// How many bytes there are on stdin.
fn count() -> Result<(), ()> {
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes).map_err(drop)?;
    print([bytes.len().to_string()])
}

/// As many bytes on stdout, every value in turn; ends well when nobody reads any more.
fn pour(count: u64) -> Result<(), ()> {
    let all: Vec<u8> = (0..=u8::MAX).cycle().take(64 << 10).collect();
    let (mut out, mut left) = (io::stdout().lock(), count);
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(all.len());
        let part = all.get(..most).unwrap_or_default();
        out.write_all(part).map_err(drop)?;
        left -= part.len() as u64;
    }
    out.flush().map_err(drop)
}

/// Both streams in turn, no line ended.
fn words() -> Result<(), ()> {
    let write =
        |to: &mut dyn Write, text: &str| to.write_all(text.as_bytes()).and_then(|()| to.flush());
    write(&mut io::stdout(), "out one,")
        .and_then(|()| write(&mut io::stderr(), "err one,"))
        .and_then(|()| write(&mut io::stdout(), "out two"))
        .and_then(|()| write(&mut io::stderr(), "err two"))
        .map_err(drop)
}

#[expect(clippy::panic, reason = "what it is asked for")]
fn panic_with(args: &[String]) -> ! {
    panic!("{}", args.join(" "))
}

/// A line for each path: what was seen, or the kind of the error.
fn files(paths: &[String], deed: impl Fn(&str) -> io::Result<String>) -> Result<(), ()> {
    print(paths.iter().map(|path| match deed(path) {
        Ok(text) => format!("{path}: {text}"),
        Err(error) => format!("{path}: {:?}", error.kind()),
    }))
}

fn names(path: &str) -> io::Result<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names.join(" "))
}
