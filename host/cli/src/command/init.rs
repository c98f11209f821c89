//! `ringfence init`: a loop file to begin with.
//!
//! **Invariant:** nothing that exists is overwritten, followed or changed, except that plugins are added to
//! `ringfence.lock`.

use std::io::ErrorKind;

use ringfence_core::ids::LoopId;
use ringfence_core::spec;
use ringfence_runner::open_loop::{LOCK_FILE, LOOP_FILE, LockMode};
use ringfence_runner::state_dir::write_new;

use super::{Context, Stop};
use crate::args::Init;
use crate::exit::Exit;
use crate::render::{Ink, Page, text};

/// Writes the loop file, pins its plugins, and says what to do next.
pub(super) fn run(args: &Init, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let name = LoopId::new(&args.name).map_err(|error| Stop::error(Exit::Usage, &error))?;
    let dir = args
        .dir
        .as_ref()
        .map_or_else(|| context.dir.clone(), |dir| context.dir.join(dir));
    let file = dir.join(LOOP_FILE);
    write_new(&file, spec::template(name.as_str()).as_bytes()).map_err(|error| {
        let stop = Stop::unwritable(&file, &error);
        match error.kind() {
            ErrorKind::AlreadyExists => {
                stop.help("look at it with `ringfence check`, or name another folder")
            }
            _ => stop,
        }
    })?;
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
    let beat = if open.project.repository().is_some() {
        "run one beat; a repair becomes a branch, HEAD stays"
    } else {
        "run one beat; a repair becomes a patch, no file changes"
    };
    for (command, what) in [
        ("ringfence check", "see what each step may do; nothing runs"),
        ("ringfence beat --dry-run", "try one beat; nothing is kept"),
        ("ringfence beat", beat),
    ] {
        page.field(2, 28, command, what);
    }
    context.console.print(&page);
    Ok(Exit::Done)
}
