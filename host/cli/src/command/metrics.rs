//! `ringfence metrics`: figures for Prometheus, once or over HTTP.
//!
//! **Invariant:** nothing is counted here: every figure is folded from a journal at the moment of asking, so that no restart
//! and no second server makes another one.

mod listen;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ringfence_runner::state_dir::write_atomic_for_all;

use super::status::{Many, Seen};
use super::{Context, Stop};
use crate::args::Metrics;
use crate::exit::Exit;
use crate::render::metrics::{Exposition, figures, readable};
use crate::render::{Page, Safe, text};

// How old the list of loops and their files may be while figures are served; journals are looked at each time.
const FILES_EVERY: Duration = Duration::from_secs(30);

/// Prints, writes or serves the figures of a loop, or of many.
pub(super) fn run(args: &Metrics, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    if let Some(address) = &args.listen {
        return serve(args, address, context);
    }
    let text = Figures::new(args, context)?.print(context);
    match &args.output {
        Some(path) => {
            let path = context.dir.join(path);
            write_atomic_for_all(&path, text.as_bytes())
                .map_err(|error| Stop::unwritable(&path, &error))?;
        }
        None => context.console.print_text(&text),
    }
    Ok(Exit::Done)
}

fn serve(args: &Metrics, address: &str, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let stop = |what: &'static str| Stop::new(Exit::Usage, text![Safe::line(address), what]);
    let address: SocketAddr = address.parse().map_err(|_| {
        stop(" is no address and port").help("write both in figures: 127.0.0.1:9477, [::1]:9477")
    })?;
    if !address.ip().is_loopback() && !args.allow_remote {
        return Err(stop(
            " can be reached from other machines, and nothing here asks who they are",
        )
        .help("listen on 127.0.0.1, or add --allow-remote"));
    }
    let mut figures = Figures::new(args, context)?;
    let listener = TcpListener::bind(address).map_err(|error| {
        let what = text![
            Safe::line(&address.to_string()),
            " cannot be listened on: ",
            Safe::error(&error)
        ];
        Stop::new(Exit::Host, what)
    })?;
    let bound = listener.local_addr().unwrap_or(address);
    let mut page = Page::new();
    page.line(text![
        "serving http://",
        Safe::line(&bound.to_string()),
        "/metrics until you stop it"
    ]);
    context.console.say(&page);
    listen::serve(listener, || figures.print(context))
        .map_err(|error| Stop::error(Exit::Host, &error))?;
    Ok(Exit::Done)
}

/// The loops whose figures are asked for.
struct Figures {
    dir: Option<PathBuf>,
    many: Many,
    found: Instant,
}

impl Figures {
    fn new(args: &Metrics, context: &mut Context<'_, '_>) -> Result<Self, Stop> {
        let dir = args.all.as_ref().map(|dir| context.dir.join(dir));
        let many = match &dir {
            Some(dir) => Many::find(context, dir)?,
            None => {
                let mut seen = Seen::new(context.open(args.file.file.as_deref())?);
                seen.look(&mut |_| ())?;
                let file = seen.open.project.top().join(seen.open.path.as_str());
                Many {
                    loops: vec![(file, Ok(seen))],
                }
            }
        };
        Ok(Self {
            dir,
            many,
            found: Instant::now(),
        })
    }

    fn print(&mut self, context: &Context<'_, '_>) -> String {
        self.look(context);
        let from = context.viewpoint();
        let mut all = Exposition::new(env!("CARGO_PKG_VERSION"));
        for (file, seen) in &self.many.loops {
            let file = file.display().to_string();
            let standing = seen.as_ref().ok().and_then(|seen| {
                let standing = seen.standing(&from).ok()?;
                Some((standing, seen.followed.history()))
            });
            readable(&mut all, &file, standing.is_some());
            if let Some((standing, history)) = &standing {
                figures(&mut all, standing, history);
            }
        }
        all.print()
    }

    /// What cannot be read is a figure, too.
    fn look(&mut self, context: &Context<'_, '_>) {
        if self.found.elapsed() >= FILES_EVERY {
            self.many.open_anew(context, self.dir.as_deref());
            self.found = Instant::now();
        }
        self.many.look();
    }
}
