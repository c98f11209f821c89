//! `ringfence gate init`: a gates file to begin with.
//!
//! **Invariant:** nothing that exists is overwritten, followed or changed, except that plugins are added to
//! `ringfence.lock`; where nothing can be judged, nothing is written.

use std::io::ErrorKind;

use ringfence_core::spec::gates_template;
use ringfence_runner::gating::{GATES_FILE, GatingError};
use ringfence_runner::git::discover::Project;
use ringfence_runner::open_loop::LockMode;
use ringfence_runner::state_dir::write_new;

use super::{Context, Exit, Stop, beat, git, open, watched};
use crate::args::GateFile;
use crate::render::{Page, text};
use crate::std_plugins::StdPlugins;

/// Writes the gates file, pins its plugins, and says what to do next.
pub(super) fn run(context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let program = git(context)?;
    let project = Project::discover(&program, &context.dir).map_err(GatingError::from)?;
    if project.repository().is_none() {
        let error = GatingError::NoRepository(project.top().to_owned());
        let stop = Stop::error(Exit::Usage, &error);
        return Err(stop.help("begin one with `git init`; nothing was written"));
    }
    let file = project.top().join(GATES_FILE);
    write_new(&file, gates_template().as_bytes()).map_err(|error| {
        let stop = Stop::unwritable(&file, &error);
        match error.kind() {
            ErrorKind::AlreadyExists => stop.help("look at it with `ringfence gate check`"),
            _ => stop,
        }
    })?;
    let sandbox = beat::sandbox(context)?;
    let (start, clock) = (context.dir.clone(), context.clock);
    let file = GateFile {
        config: None,
        rules_from: None,
    };
    watched(context.console, &sandbox, clock, |around| {
        open(&program, &start, &file, around)?.lock(&StdPlugins, LockMode::Write)
    })?;
    let mut page = Page::new();
    page.line(text![
        "wrote ",
        GATES_FILE,
        " and pinned its gates in ringfence.lock"
    ]);
    page.line(text!["next:"]);
    for (command, what) in [
        ("ringfence gate", "judge what you have not committed yet"),
        (
            "ringfence gate --base REV",
            "judge what was added since REV",
        ),
        ("ringfence gate check", "see what each gate may read"),
    ] {
        page.field(2, 28, command, what);
    }
    page.copy(2, "git add ringfence-gates.toml ringfence.lock");
    context.console.print(&page);
    Ok(Exit::Done)
}
