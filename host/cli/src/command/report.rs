//! `ringfence report`: a loop's history as a page for a browser.
//!
//! **Invariant:** the page is whole or not there: a file is replaced at once.

use ringfence_runner::state_dir::write_atomic;

use super::standing::{read, standing};
use super::{Context, Stop};
use crate::args::Report;
use crate::exit::Exit;
use crate::render::report::{Shown, page};
use crate::render::{Page, Safe, text};

/// Writes the page.
pub(super) fn run(args: &Report, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    debug_assert!(args.html, "there is no other format");
    if args.output.is_none() && context.console.is_terminal() {
        return Err(
            Stop::new(Exit::Usage, "a page of HTML is not for a terminal")
                .help("name a file with --output, or send it on with |"),
        );
    }
    let open = context.open(args.file.file.as_deref())?;
    let followed = read(&open)?;
    let html = page(&Shown {
        standing: &standing(&open, &followed, &context.viewpoint())?,
        state: followed.state(),
        history: followed.history(),
        timezone: &open.timezone,
    });
    let Some(path) = &args.output else {
        context.console.print_text(&html);
        return Ok(Exit::Done);
    };
    let path = context.dir.join(path);
    write_atomic(&path, html.as_bytes()).map_err(|error| Stop::unwritable(&path, &error))?;
    let mut said = Page::new();
    said.line(text!["wrote ", Safe::path(&path)]);
    context.console.say(&said);
    Ok(Exit::Done)
}
