//! `ringfence import`: a loop file out of what other loop tools left.
//!
//! **Invariant:** one file is written at most, none is replaced without `--force`, and none through a link; what is written
//! has been read back as a loop file.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use ringfence_core::ids::LoopId;
use ringfence_core::import::{Import, ImportError, Note, NoteKind, Source, import};
use ringfence_core::spec::{self, Diagnostic};
use ringfence_runner::import::{Found, read};
use ringfence_runner::open_loop::{LOOP_FILE, LockMode};
use ringfence_runner::state_dir::{write_atomic_for_all, write_new};
use serde::Serialize;

use super::{Context, Stop};
use crate::args;
use crate::exit::Exit;
use crate::render::{self, Safe, text};
use crate::std_plugins::StdPlugins;

/// The report for programs.
#[derive(Serialize)]
struct JsonImport<'a> {
    version: u32,
    written: Option<String>,
    /// What `ringfence check` would say against it; empty when it takes the file.
    check: Vec<String>,
    #[serde(flatten)]
    import: &'a Import,
}

/// Reads, writes, and tells what came of it.
pub(super) fn run(args: &args::Import, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let wanted = args.name.as_deref().map(LoopId::new).transpose();
    let wanted = wanted.map_err(|error| Stop::error(Exit::Usage, &error))?;
    let here = [PathBuf::from(".")];
    let from = if args.from.is_empty() {
        &here[..]
    } else {
        &args.from
    };
    let found = read(&context.dir, from).map_err(|(path, error)| {
        let what = text![Safe::path(&path), " cannot be read: ", Safe::error(&error)];
        Stop::new(Exit::Usage, what)
    })?;
    let mut imported = convert(&found, wanted.as_ref())?;
    let unread = found.iter().filter_map(unread);
    imported.notes.splice(0..0, unread);
    let mut written = None;
    let mut problems = Vec::new();
    if !args.stdout {
        let target = target(args, from, &imported.loop_id, context);
        write(&target, &imported.text, args)?;
        problems = check(&target.file, context);
        written = Some(target.file);
    }
    tell(args, context, &imported, written.as_deref(), problems)?;
    Ok(Exit::Done)
}

fn convert(found: &[Found], wanted: Option<&LoopId>) -> Result<Import, Stop> {
    let texts = found
        .iter()
        .filter_map(|one| Some((one, one.text.as_ref().ok()?)));
    let sources: Vec<Source> = texts
        .map(|(one, text)| Source {
            name: &one.name,
            text,
        })
        .collect();
    let imported = import(&sources, wanted).map_err(|error| {
        let stop = Stop::error(Exit::Usage, &error);
        match (&error, found.iter().find_map(unread)) {
            (ImportError::NoSuchLoop { .. }, _) => stop,
            (ImportError::Nothing, Some(note)) => {
                stop.help(text![Safe::line(&note.file), ": ", Safe::line(&note.says)])
            }
            (ImportError::Nothing, None) => stop.help(
                "it reads LOOP.md, LOOP_SPEC.md, loop-constraints.md, docs/safety.md, gate.yaml, loop-budget.md, loop-run-log.md and loop-ledger.json; `ringfence init` begins without them",
            ),
        }
    })?;
    match spec::parse(&imported.text, LOOP_FILE) {
        Ok(_) => Ok(imported),
        Err(problems) => {
            let first = problems
                .first()
                .map_or("", |one: &Diagnostic| one.message.as_str());
            Err(Stop::new(
                Exit::Host,
                text![
                    "the loop file that came out has problems: ",
                    Safe::line(first)
                ],
            ))
        }
    }
}

fn unread(found: &Found) -> Option<Note> {
    let error = found.text.as_ref().err()?;
    Some(Note {
        kind: NoteKind::Left,
        file: found.name.clone(),
        line: None,
        what: "the file".to_owned(),
        says: error.to_string(),
    })
}

/// Where to write.
struct Target {
    file: PathBuf,
    /// Folders of the repository that it is in and that need not be there, the outer one first.
    folders: Vec<PathBuf>,
}

/// As it was said, or at the top, or beside the `LOOP.md` that is there.
fn target(args: &args::Import, from: &[PathBuf], id: &LoopId, context: &Context<'_, '_>) -> Target {
    let plain = |file| Target {
        file,
        folders: Vec::new(),
    };
    if let Some(output) = &args.output {
        return plain(context.dir.join(output));
    }
    let dir = match from {
        // Without the `.` that stands for this folder.
        [one] if context.dir.join(one).is_dir() => context.dir.join(one).components().collect(),
        _ => context.dir.clone(),
    };
    let top = dir.join(LOOP_FILE);
    if args.force || fs::symlink_metadata(&top).is_err() {
        return plain(top);
    }
    let loops = dir.join("loops");
    let own = loops.join(id.as_str());
    Target {
        file: own.join(LOOP_FILE),
        folders: vec![loops, own],
    }
}

fn write(target: &Target, text: &str, args: &args::Import) -> Result<(), Stop> {
    let file = &target.file;
    let written = make(&target.folders).and_then(|()| {
        if args.force {
            write_atomic_for_all(file, text.as_bytes())
        } else {
            write_new(file, text.as_bytes())
        }
    });
    written.map_err(|error| {
        let stop = Stop::unwritable(file, &error);
        match error.kind() {
            ErrorKind::AlreadyExists => stop.help(
                "--stdout shows the new one, --output names another file, --force replaces this one",
            ),
            _ => stop,
        }
    })
}

/// Makes the folders that are not there; a link in the place of one may lead out of the repository.
fn make(folders: &[PathBuf]) -> io::Result<()> {
    for dir in folders {
        match fs::symlink_metadata(dir) {
            Ok(meta) if meta.is_symlink() => {
                let what = format!("{} is a link", dir.display());
                return Err(io::Error::other(what));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => fs::create_dir(dir)?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What `ringfence check` would say against the file.
fn check(file: &Path, context: &Context<'_, '_>) -> Vec<String> {
    let opened = context.open_quietly(Some(file));
    match opened.and_then(|open| open.lock(&StdPlugins, LockMode::Check)) {
        Ok(_) => Vec::new(),
        Err(error) => vec![Safe::error(&error).as_str().to_owned()],
    }
}

fn tell(
    args: &args::Import,
    context: &mut Context<'_, '_>,
    imported: &Import,
    written: Option<&Path>,
    problems: Vec<String>,
) -> Result<(), Stop> {
    if args.format.is_json() {
        return context.print_json(&JsonImport {
            version: 1,
            written: written.map(|file| file.display().to_string()),
            check: problems,
            import: imported,
        });
    }
    let mut page = render::import::report(imported);
    let Some(file) = written else {
        context.console.print_text(&imported.text);
        context.console.say(&page);
        return Ok(());
    };
    let shown = file.strip_prefix(&context.dir).unwrap_or(file);
    page.append(render::import::next(shown, &problems));
    context.console.print(&page);
    Ok(())
}
