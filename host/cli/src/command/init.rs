//! `ringfence init`: a loop file to begin with.
//!
//! **Invariant:** nothing that exists is overwritten, followed or changed, except that plugins are added to
//! `ringfence.lock`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use ringfence_core::ids::LoopId;
use ringfence_core::spec;
use ringfence_runner::open_loop::{LOCK_FILE, LOOP_FILE, LockMode};

use super::{Context, Stop};
use crate::args::Init;
use crate::exit::Exit;
use crate::render::{Ink, Page, Safe, text};

/// Writes the loop file, pins its plugins, and says what to do next.
pub(super) fn run(args: &Init, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let name = LoopId::new(&args.name).map_err(|error| Stop::error(Exit::Usage, &error))?;
    let dir = args
        .dir
        .as_ref()
        .map_or_else(|| context.dir.clone(), |dir| context.dir.join(dir));
    let file = dir.join(LOOP_FILE);
    write_new(&file, &spec::template(name.as_str()))?;
    let open = context.open(Some(&file))?;
    context.lock(&open, LockMode::Write)?;
    let mut page = Page::new();
    page.line(text![
        "wrote ",
        text![&open.path].ink(Ink::Strong),
        ": a loop that repairs links between Markdown files"
    ]);
    page.line(text![
        "wrote ",
        text![LOCK_FILE].ink(Ink::Strong),
        ": the plugins it runs, by digest"
    ]);
    page.gap().line("Next:");
    for (command, what) in [
        ("ringfence check", "see what each step may do; nothing runs"),
        ("ringfence beat --dry-run", "try one beat; nothing is kept"),
        (
            "ringfence beat",
            "run one beat; a repair becomes a branch, HEAD stays",
        ),
    ] {
        page.field(2, 28, command, what);
    }
    context.console.print(&page);
    Ok(Exit::Done)
}

fn write_new(file: &Path, text: &str) -> Result<(), Stop> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .and_then(|mut to| to.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Stop::new(
            Exit::Usage,
            text![Safe::path(file), " exists; nothing was written"],
        )
        .help(text![
            "look at it with `ringfence check`, or name another folder"
        ]),
        ErrorKind::NotFound | ErrorKind::NotADirectory => Stop::new(
            Exit::Usage,
            text![
                Safe::path(file),
                " cannot be written: there is no such folder"
            ],
        ),
        _ => Stop::new(
            Exit::Host,
            text![
                Safe::path(file),
                " cannot be written: ",
                Safe::error(&error)
            ],
        ),
    })
}
