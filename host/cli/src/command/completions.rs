//! `ringfence completions`: a script that completes commands in a shell.

use super::{Context, Stop};
use crate::args::{self, Completions};
use crate::exit::Exit;

/// Prints the script.
pub(super) fn run(args: &Completions, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "ringfence", &mut script);
    context
        .console
        .print_text(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}
