//! `ringfence status`: where a loop stands, and what the next beat would meet.
//!
//! **Invariant:** everything is folded from the journal at this moment; nothing is kept, and nothing is locked.

mod watch;

use std::path::{Path, PathBuf};

use ringfence_core::journal::Entry;
use ringfence_runner::follow::{Followed, Look};
use ringfence_runner::open_loop::{OpenError, OpenLoop};
use ringfence_runner::scheduler::Search;
use serde::Serialize;

use super::standing::{Viewpoint, look, read, standing};
use super::{Context, Stop};
use crate::args::Status;
use crate::exit::Exit;
use crate::render::status::{self, OneOfMany, Standing, fleet};
use crate::render::{Page, Safe};

/// Many loops for programs.
#[derive(Serialize)]
struct JsonFleet {
    version: u32,
    loops: Vec<OneOfMany>,
}

/// Prints where a loop stands, or many.
pub(super) fn run(args: &Status, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    if args.watch {
        if args.output.is_json() {
            return Err(Stop::new(
                Exit::Usage,
                "--watch is for people: ask for --format json as often as you like instead",
            ));
        }
        return watch::run(args, context);
    }
    let from = context.viewpoint();
    match &args.all {
        Some(dir) => {
            let dir = context.dir.join(dir);
            let loops = Many::find(context, &dir)?.standings(&from);
            if args.output.is_json() {
                context.print_json(&JsonFleet { version: 1, loops })?;
            } else {
                context.console.print(&fleet(&loops, &shown(&dir)));
            }
        }
        None => {
            let open = context.open(args.file.file.as_deref())?;
            let found = standing(&open, &read(&open)?, &from)?;
            if args.output.is_json() {
                context.print_json(&found)?;
            } else {
                context.console.print(&status::standing(&found, args.items));
            }
        }
    }
    Ok(Exit::Done)
}

/// The folder as it begins the names of projects.
fn shown(dir: &Path) -> String {
    let real = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    real.display().to_string()
}

/// A loop and what is known of its journal.
pub(super) struct Seen {
    pub(super) open: OpenLoop,
    pub(super) followed: Followed,
}

impl Seen {
    /// Takes the same loop as it is in its file now.
    fn open_anew(&mut self, open: OpenLoop) {
        let fits = self.open.timezone == open.timezone
            && self.open.spec.loop_id == open.spec.loop_id
            && self.open.project.top() == open.project.top();
        if !fits {
            self.followed = Followed::new(&open.spec.loop_id, open.timezone.clone());
        }
        self.open = open;
    }

    /// One whose journal was not looked at yet.
    pub(super) fn new(open: OpenLoop) -> Self {
        let followed = Followed::new(&open.spec.loop_id, open.timezone.clone());
        Self { open, followed }
    }

    /// Reads what is new.
    pub(super) fn look(&mut self, each: &mut dyn FnMut(Entry)) -> Result<Look, Stop> {
        look(&self.open, &mut self.followed, each)
    }

    /// Where it stands, by what was read.
    pub(super) fn standing(&self, from: &Viewpoint) -> Result<Standing, Stop> {
        standing(&self.open, &self.followed, from)
    }
}

/// The loops of a folder.
pub(super) struct Many {
    pub(super) loops: Vec<(PathBuf, Result<Seen, String>)>,
}

impl Many {
    /// Finds and opens them, and reads their journals.
    pub(super) fn find(context: &Context<'_, '_>, dir: &Path) -> Result<Self, Stop> {
        let mut many = Self { loops: Vec::new() };
        many.find_anew(context, dir)?;
        Ok(many)
    }

    /// Finds them again; what is known of their journals is kept.
    pub(super) fn find_anew(&mut self, context: &Context<'_, '_>, dir: &Path) -> Result<(), Stop> {
        let mut known = std::mem::take(&mut self.loops);
        let program = context.git(&[dir]).map_err(OpenError::from)?;
        let found = Search::Below(dir.to_owned()).find(&program)?;
        for file in found.files.iter().map(|file| file.to_path_buf()) {
            let before = known.iter().position(|(path, _)| *path == file);
            let mut seen =
                before.map_or_else(|| Err(String::new()), |index| known.swap_remove(index).1);
            open_again(context, &file, &mut seen);
            self.loops.push((file, seen));
        }
        self.look();
        Ok(())
    }

    /// Opens the files again, of `dir` where there is one; what cannot be opened is kept as that.
    pub(super) fn open_anew(&mut self, context: &Context<'_, '_>, dir: Option<&Path>) {
        let Some(dir) = dir else {
            for (file, seen) in &mut self.loops {
                open_again(context, file, seen);
            }
            return;
        };
        if let Err(stop) = self.find_anew(context, dir) {
            self.loops = vec![(dir.to_owned(), Err(said(&stop)))];
        }
    }

    /// Reads what is new in every journal.
    pub(super) fn look(&mut self) {
        for (_, seen) in &mut self.loops {
            if let Ok(one) = seen
                && let Err(stop) = one.look(&mut |_| ())
            {
                *seen = Err(said(&stop));
            }
        }
    }

    /// Where each stands.
    pub(super) fn standings(&self, from: &Viewpoint) -> Vec<OneOfMany> {
        let one = |(file, seen): &(PathBuf, Result<Seen, String>)| {
            let found = match seen {
                Ok(seen) => seen.standing(from).map_err(|stop| said(&stop)),
                Err(error) => Err(error.clone()),
            };
            match found {
                Ok(standing) => OneOfMany::Known(Box::new(standing)),
                Err(error) => OneOfMany::Unknown {
                    file: file.display().to_string(),
                    error,
                },
            }
        };
        self.loops.iter().map(one).collect()
    }
}

fn open_again(context: &Context<'_, '_>, file: &Path, seen: &mut Result<Seen, String>) {
    let opened = context.open_quietly(Some(file));
    *seen = match (opened, std::mem::replace(seen, Err(String::new()))) {
        (Ok(open), Ok(mut before)) => {
            before.open_anew(open);
            Ok(before)
        }
        (Ok(open), Err(_)) => Ok(Seen::new(open)),
        (Err(error), _) => Err(Safe::error(&error).as_str().to_owned()),
    };
}

/// The first line of what stopped, as a value.
fn said(stop: &Stop) -> String {
    let page = stop.page.print(false);
    let lines: Vec<&str> = page
        .lines()
        .take_while(|line| !line.starts_with("help: "))
        .map(str::trim)
        .collect();
    let line = lines.join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

/// What is watched.
enum View {
    One {
        file: Option<PathBuf>,
        every_item: bool,
        seen: Box<Seen>,
    },
    Many {
        dir: PathBuf,
        many: Many,
    },
}

impl View {
    fn new(args: &Status, context: &mut Context<'_, '_>) -> Result<Self, Stop> {
        if let Some(dir) = &args.all {
            let dir = context.dir.join(dir);
            let many = Many::find(context, &dir)?;
            return Ok(Self::Many { dir, many });
        }
        let file = args.file.file.clone();
        let mut seen = Box::new(Seen::new(context.open(file.as_deref())?));
        seen.look(&mut |_| ())?;
        Ok(Self::One {
            file,
            every_item: args.items,
            seen,
        })
    }

    /// Opens loop files again.
    fn open_anew(&mut self, context: &Context<'_, '_>) -> Result<(), Stop> {
        match self {
            Self::One { file, seen, .. } => {
                seen.open_anew(context.open_quietly(file.as_deref())?);
                Ok(())
            }
            Self::Many { dir, many } => many.find_anew(context, &dir.clone()),
        }
    }

    /// Reads what is new, and shows it to `each` with its loop; true when anything was.
    fn news(&mut self, each: &mut dyn FnMut(&OpenLoop, Entry)) -> Result<bool, Stop> {
        match self {
            Self::One { seen, .. } => news_of(seen, each),
            Self::Many { many, .. } => {
                let mut any = false;
                for (_, seen) in &mut many.loops {
                    let Ok(one) = seen else { continue };
                    match news_of(one, each) {
                        Ok(new) => any |= new,
                        // One that cannot be read any more is no reason to look away from the others.
                        Err(stop) => {
                            *seen = Err(said(&stop));
                            any = true;
                        }
                    }
                }
                Ok(any)
            }
        }
    }

    fn page(&self, from: &Viewpoint) -> Result<Page, Stop> {
        match self {
            Self::One {
                seen, every_item, ..
            } => Ok(status::standing(&seen.standing(from)?, *every_item)),
            Self::Many { dir, many } => Ok(fleet(&many.standings(from), &shown(dir))),
        }
    }
}

fn news_of(seen: &mut Seen, each: &mut dyn FnMut(&OpenLoop, Entry)) -> Result<bool, Stop> {
    let Seen { open, followed } = seen;
    let look = look(open, followed, &mut |entry| each(open, entry))?;
    Ok(look != Look::Same)
}
