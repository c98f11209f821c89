//! Straining what the host bounds: handles, files, bytes, streams, the log and the cost of host calls.
//!
//! Owns all modes that call the host.
//!
//! **Invariant:** a refusal by the host is told in the summary; the guest goes on as a hostile one would.

use std::{
    fs,
    io::{Read as _, Write as _},
    mem::forget,
    time::Duration,
};

use ringfence_sdk::prelude::*;
use wasip2::{
    clocks::{monotonic_clock, wall_clock},
    filesystem::{
        preopens,
        types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags},
    },
    io::poll,
};

use crate::Config;

type Deed = std::result::Result<(), String>;

/// Runs the mode if it is one of these.
pub(crate) fn run(config: &Config, cx: &Context, change: Option<&Change>) -> Option<Verdict> {
    handles(config)
        .or_else(|| files(config))
        .or_else(|| paths(config))
        .or_else(|| streams(config))
        .or_else(|| talk(config, cx))
        .or_else(|| ask(config))
        .or_else(|| question_change(config, change?))
}

/// Things that stay open.
fn handles(config: &Config) -> Option<Verdict> {
    let path = &config.path;
    Some(match config.mode.as_str() {
        "handles" => config.repeat(|_| keep(Ok::<_, String>(wasip2::cli::stdout::get_stdout()))),
        "open-files" => config.repeat(|_| keep(fs::File::open(path))),
        "open-descriptors" => config.repeat(|_| keep(open(path, OpenFlags::empty()))),
        "dir-streams" => {
            let folder = match open(path, OpenFlags::DIRECTORY) {
                Ok(folder) => folder,
                Err(error) => return Some(Verdict::pass(format!("dir-streams: {error}"))),
            };
            config.repeat(|_| keep(folder.read_directory()))
        }
        "file-streams" => {
            let file = match open(path, OpenFlags::empty()) {
                Ok(file) => file,
                Err(error) => return Some(Verdict::pass(format!("file-streams: {error}"))),
            };
            config.repeat(|_| keep(file.read_via_stream(0)))
        }
        "preopens" => config.repeat(|_| keep(Ok::<_, String>(preopens::get_directories()))),
        "pollables" => {
            config.repeat(|_| keep(Ok::<_, String>(monotonic_clock::subscribe_duration(1))))
        }
        "poll-list" => poll_list(config),
        "poll-same" => poll_same(config),
        "poll-none" => Verdict::pass(format!("poll-none: {:?}", poll::poll(&[]))),
        _ => return None,
    })
}

/// Bytes and names on disk.
fn files(config: &Config) -> Option<Verdict> {
    let path = &config.path;
    Some(match config.mode.as_str() {
        "write-bytes" => write_bytes(config),
        "read-bytes" => config.repeat(|_| read_all(path)),
        "set-size" => config.repeat(|round| {
            let file = fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
                .map_err(text)?;
            file.set_len(config.bytes.saturating_mul(round + 1))
                .map_err(text)
        }),
        "many-files" => config.repeat(|round| {
            fs::write(format!("{path}/hog-{round}"), vec![b'x'; config.len()]).map_err(text)
        }),
        "deep-dirs" => {
            let mut folder = path.clone();
            config.repeat(|_| {
                folder.push_str("/d");
                fs::create_dir(&folder).map_err(text)
            })
        }
        "stat" => config.repeat(|_| fs::metadata(path).map(|_| ()).map_err(text)),
        "list" => config.repeat(|_| {
            let entries = fs::read_dir(path).map_err(text)?;
            std::hint::black_box(entries.count());
            Ok(())
        }),
        _ => return None,
    })
}

/// Texts of paths that are `bytes` long: many names, one name, one that is denied each time, the target of a link.
fn paths(config: &Config) -> Option<Verdict> {
    // Asked of the host only for a mode of these, since unit tests have none.
    let own = ["long-path", "long-name", "denials", "long-link"];
    if !own.contains(&config.mode.as_str()) {
        return None;
    }
    let (root, _) = preopens::get_directories().into_iter().next()?;
    let mut last = "";
    // Refusals are what the host is to be flooded with.
    let mut stat = |path: &str| {
        let found = root.stat_at(PathFlags::empty(), path);
        last = found.map_or_else(|code| code.name(), |_| "ok");
        Ok(())
    };
    let name = || "x".repeat(config.len());
    let done = match config.mode.as_str() {
        "long-path" => {
            let path = "x/".repeat(config.len() / 2);
            config.repeat(|_| stat(&path))
        }
        "long-name" => {
            let path = name();
            config.repeat(|_| stat(&path))
        }
        "denials" => config.repeat(|round| stat(&format!("../{round}{}", name()))),
        "long-link" => {
            let target = name();
            return Some(config.repeat(|_| {
                let made = root.symlink_at(&target, "link");
                made.map_err(|code| code.name().to_owned())
            }));
        }
        _ => return None,
    };
    Some(Verdict::pass(format!("{}, then {last}", done.summary)))
}

/// Streams asked for `bytes` at once.
fn streams(config: &Config) -> Option<Verdict> {
    let from = || {
        let file = open(&config.path, OpenFlags::empty())?;
        let stream = file.read_via_stream(0);
        stream.map_err(|code| code.name().to_owned())
    };
    let stdout = wasip2::cli::stdout::get_stdout;
    Some(match config.mode.as_str() {
        "read-at-once" => config.repeat(|_| {
            let bytes = from()?.blocking_read(config.bytes).map_err(text)?;
            std::hint::black_box(bytes);
            Ok(())
        }),
        "skip" => config.repeat(|_| from()?.blocking_skip(config.bytes).map(drop).map_err(text)),
        "splice" => {
            let out = stdout();
            config.repeat(|_| {
                let moved = out.blocking_splice(&from()?, config.bytes);
                moved.map(drop).map_err(text)
            })
        }
        "write-at-once" => {
            let (out, bytes) = (stdout(), vec![b'x'; config.len()]);
            config.repeat(|_| out.write(&bytes).map_err(text))
        }
        "zeroes" => {
            let out = stdout();
            config.repeat(|_| out.write_zeroes(config.bytes).map_err(text))
        }
        "zeroes-and-flush" => {
            let out = stdout();
            config.repeat(|_| {
                let written = out.blocking_write_zeroes_and_flush(config.bytes);
                written.map_err(text)
            })
        }
        _ => return None,
    })
}

/// Log and standard streams: `count` times `bytes`.
#[expect(clippy::print_stdout, reason = "that is what the test orders")]
fn talk(config: &Config, cx: &Context) -> Option<Verdict> {
    let line = || "x".repeat(config.len());
    Some(match config.mode.as_str() {
        "log" => {
            let line = line();
            config.repeat(|_| {
                cx.info(&line);
                Ok(())
            })
        }
        "stdout" => {
            let line = line();
            config.repeat(|_| {
                let mut out = std::io::stdout().lock();
                out.write_all(line.as_bytes())
                    .and_then(|()| out.flush())
                    .map_err(text)
            })
        }
        "print" => {
            print!("{}", line());
            Verdict::pass("print: 1 done")
        }
        "stderr" => {
            let line = line();
            config.repeat(|_| std::io::stderr().write_all(line.as_bytes()).map_err(text))
        }
        "stdin" => config.repeat(|_| {
            std::io::stdin()
                .read_to_end(&mut Vec::new())
                .map(|_| ())
                .map_err(text)
        }),
        _ => return None,
    })
}

/// Questions to the host, again and again.
fn ask(config: &Config) -> Option<Verdict> {
    Some(match config.mode.as_str() {
        // `count` milliseconds each, through the poll interface.
        "sleep" => {
            std::thread::sleep(Duration::from_millis(config.count));
            Verdict::pass(format!("sleep: {} ms", config.count))
        }
        "environment" => config.repeat(|_| {
            std::hint::black_box((
                wasip2::cli::environment::get_environment(),
                wasip2::cli::environment::get_arguments(),
            ));
            Ok(())
        }),
        "clock" => config.repeat(|_| {
            std::hint::black_box((wall_clock::now().seconds, monotonic_clock::now()));
            Ok(())
        }),
        "random" => config.repeat(|_| {
            std::hint::black_box(wasip2::random::random::get_random_bytes(config.bytes));
            Ok(())
        }),
        _ => return None,
    })
}

/// The same of the change and evidence interfaces.
fn question_change(config: &Config, change: &Change) -> Option<Verdict> {
    Some(match config.mode.as_str() {
        "read-base" => config.repeat(|_| change.read_base(&config.path).map(drop).map_err(text)),
        "diff" => {
            let context = u32::try_from(config.bytes).unwrap_or(u32::MAX);
            config.repeat(|_| change.unified_diff(context).map(drop).map_err(text))
        }
        "commits" => config.repeat(|_| {
            std::hint::black_box(change.commits());
            Ok(())
        }),
        // Of the command `test`, after the change.
        "read-report" => {
            let evidence = change.evidence();
            config.repeat(|_| {
                let read = evidence.read("test", Side::After, &config.path);
                read.map(drop).map_err(text)
            })
        }
        _ => return None,
    })
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn keep<T, E: std::fmt::Display>(opened: std::result::Result<T, E>) -> Deed {
    opened.map(forget).map_err(text)
}

fn open(path: &str, flags: OpenFlags) -> std::result::Result<Descriptor, String> {
    let (root, _) = preopens::get_directories()
        .into_iter()
        .next()
        .ok_or("there is no preopened folder")?;
    root.open_at(PathFlags::empty(), path, flags, DescriptorFlags::READ)
        .map_err(|code| code.name().to_owned())
}

/// One poll of `count` pollables.
fn poll_list(config: &Config) -> Verdict {
    let pollables: Vec<_> = (0..config.count)
        .map(|_| monotonic_clock::subscribe_duration(u64::MAX / 4))
        .chain([monotonic_clock::subscribe_duration(0)])
        .collect();
    let ready = poll::poll(&pollables.iter().collect::<Vec<_>>());
    Verdict::pass(format!("poll-list: {} ready", ready.len()))
}

/// One poll of one pollable, `count` times over.
fn poll_same(config: &Config) -> Verdict {
    let pollable = monotonic_clock::subscribe_duration(0);
    let many: Vec<_> = (0..config.count).map(|_| &pollable).collect();
    Verdict::pass(format!("poll-same: {} ready", poll::poll(&many).len()))
}

/// A file that grows by `bytes`, `count` times.
fn write_bytes(config: &Config) -> Verdict {
    let mut file = match fs::File::create(&config.path) {
        Ok(file) => file,
        Err(error) => return Verdict::pass(format!("write-bytes: {error}")),
    };
    let block = vec![b'x'; config.len()];
    config.repeat(|_| file.write_all(&block).map_err(text))
}

fn read_all(path: &str) -> Deed {
    let mut file = fs::File::open(path).map_err(text)?;
    let mut block = vec![0; 64 * 1024];
    while file.read(&mut block).map_err(text)? > 0 {}
    Ok(())
}
