//! `status --watch`: the same page again and again, whenever something was written.
//!
//! Where the terminal takes commands, the page is drawn over the one before. Elsewhere (a pipe, a dumb terminal, no colours
//! wanted) the page stands once, and each new entry follows as a line.
//!
//! **Invariant:** between two changes nothing is read but the length and times of each journal; each page is written at
//! once and ends its line, so that a signal at any moment leaves a usable terminal.

use std::time::Duration;

use super::View;
use crate::args::Status;
use crate::command::{Context, Stop};
use crate::exit::Exit;
use crate::render::journal::news;
use crate::render::{Ink, Page, text};

// How long a new entry may go unseen.
const LOOK_EVERY: Duration = Duration::from_secs(1);
// After so many looks the page is made anew, since it says how long ago things were, and loop files may have changed.
const LOOKS_A_PAGE: u32 = 60;

/// Shows where loops stand until nobody reads any more.
pub(super) fn run(args: &Status, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let mut view = View::new(args, context)?;
    let redraws = context.console.takes_commands();
    let mut shown = view.page(&context.viewpoint())?;
    context.console.draw(&shown);
    while context.console.is_read() {
        let found = wait(&mut view, context, redraws);
        let page = found
            .and_then(|()| view.page(&context.viewpoint()))
            // Somebody may be mending it just now: what is wrong is shown, and looked at again.
            .unwrap_or_else(|stop| stop.page);
        if redraws && page != shown {
            context.console.draw(&page);
            shown = page;
        }
    }
    Ok(Exit::Done)
}

/// Returns when something was written, or when it is time for a new page.
fn wait(view: &mut View, context: &mut Context<'_, '_>, redraws: bool) -> Result<(), Stop> {
    for _ in 0..LOOKS_A_PAGE {
        std::thread::sleep(LOOK_EVERY);
        let mut lines = Page::new();
        let any = view.news(&mut |open, entry| {
            lines.item(0, news(&open.spec.loop_id, &entry));
        });
        if !redraws {
            tell(context, &lines, any.as_ref().err());
        }
        if any? {
            return Ok(());
        }
    }
    view.open_anew(context)
}

fn tell(context: &mut Context<'_, '_>, lines: &Page, stop: Option<&Stop>) {
    context.console.print(lines);
    if let Some(stop) = stop {
        let mut page = stop.page.clone();
        page.item(2, text!["still watching"].ink(Ink::Faint));
        context.console.say(&page);
    }
}
