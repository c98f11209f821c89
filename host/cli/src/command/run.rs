//! `ringfence run`: loops that beat by themselves.
//!
//! **Invariant:** one line for each beat, for people on stderr or for programs on stdout, as soon as it has ended.

mod signals;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ringfence_core::cadence::Next;
use ringfence_core::ids::{BeatNo, LoopId};
use ringfence_core::journal::Outcome;
use ringfence_core::quantity::Fuel;
use ringfence_runner::scheduler::{
    self, Crew, FindError, Line, News, Place, Search, Trouble, Wish,
};
use serde::Serialize;

use super::{Context, Stop, beat, ways_out};
use crate::args::{Format, Run};
use crate::console::Console;
use crate::exit::Exit;
use crate::render::{Page, Safe, json, run as told};
use crate::std_plugins::StdPlugins;

/// What happened, for programs: one of these a line.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    at: Timestamp,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    #[serde(rename = "loop", skip_serializing_if = "Option::is_none")]
    loop_id: Option<&'a LoopId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    beat: Option<BeatNo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fuel: Option<Fuel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Next>,
}

/// Tells of beats, and remembers how they went.
struct Teller<'t, 'w> {
    console: &'t mut Console<'w>,
    json: bool,
    /// Whether loops of several projects can have one name.
    many: bool,
    once: bool,
    /// What paths are told without.
    base: PathBuf,
    worst: Exit,
}

/// Runs loops until it is stopped.
pub(super) fn run(args: &Run, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let mut starts = vec![context.dir.clone()];
    starts.extend(args.loops.all.as_ref().map(|dir| context.dir.join(dir)));
    let files = args.loops.files.iter();
    starts.extend(files.filter_map(|file| Some(context.dir.join(file).parent()?.to_owned())));
    let starts: Vec<&Path> = starts.iter().map(PathBuf::as_path).collect();
    let program = context
        .git(&starts)
        .map_err(|error| Stop::error(Exit::Host, &error).help_if(ways_out::of_git(&error)))?;
    let sandbox = beat::sandbox(context)?;
    let wish = Wish {
        search: context.search(&args.loops),
        jobs: args.jobs.map_or_else(scheduler::jobs_default, usize::from),
        once: args.once,
    };
    let line = Line::new();
    let signals = if context.may_be_confined {
        let listening = signals::listen(line.caller());
        Some(listening.map_err(|error| Stop::error(Exit::Host, &error))?)
    } else {
        None
    };
    let clock = context.clock;
    let config_dir = context.config_dir.clone();
    let crew = Crew {
        program: &program,
        plugins: &StdPlugins,
        sandbox: &sandbox,
        clock,
        config_dir: config_dir.as_deref(),
    };
    let mut teller = Teller {
        console: context.console,
        json: matches!(args.format, Format::Json),
        many: matches!(wish.search, Search::Below(_)),
        once: args.once,
        base: base(&wish.search, &context.dir),
        worst: Exit::Done,
    };
    scheduler::run(crew, &wish, &line, &mut |news| {
        teller.tell(clock.now(), news);
    })?;
    let interrupted = signals.is_some_and(|signals| signals.interrupted());
    Ok(match (interrupted, args.once) {
        (true, _) => Exit::Interrupted,
        (false, true) => teller.worst,
        (false, false) => Exit::Done,
    })
}

impl Teller<'_, '_> {
    fn tell(&mut self, now: Timestamp, news: News) {
        self.worst = self.worst.max(exit(&news));
        if !self.json {
            let page = self.page(now, news);
            self.console.say(&page);
            return;
        }
        match json::line(&line(now, &news)) {
            Ok(line) => self.console.print_text(&line),
            Err(error) => tracing::warn!(%error, "news that cannot be written as JSON"),
        }
    }

    fn page(&self, now: Timestamp, news: News) -> Page {
        let name = |file: &Path| {
            let short = file.strip_prefix(&self.base).unwrap_or(file);
            Safe::path(short).as_str().to_owned()
        };
        let told_next = |next| Some(next).filter(|_| !self.once);
        match news {
            News::Ended {
                place,
                report,
                next,
                ..
            } => {
                let (name, mut page) = (self.name(&place), Page::new());
                for note in &report.recovered {
                    page.append(told::note(now, &name, note));
                }
                page.append(told::beat(now, &name, &report.outcome, told_next(next)));
                page
            }
            News::Trouble {
                file,
                trouble,
                next,
            } => {
                let why = Stop::from(trouble).page;
                told::trouble(now, &name(&file), why, told_next(next))
            }
            News::NotDue { file, next } => told::later(now, &name(&file), next),
            News::Gone { file } => told::note(now, &name(&file), "is not there any more"),
            News::Note(note) => told::note(now, "note", &note),
        }
    }

    /// The loop's name; where there are many projects, with the folder of its own.
    fn name(&self, place: &Place) -> String {
        let folder = place.top.file_name().filter(|_| self.many);
        match folder {
            Some(folder) => format!("{}/{}", folder.to_string_lossy(), place.loop_id),
            None => place.loop_id.to_string(),
        }
    }
}

fn line(at: Timestamp, news: &News) -> Json<'_> {
    let empty = Json {
        version: 1,
        at,
        event: "note",
        project: None,
        loop_id: None,
        file: None,
        beat: None,
        outcome: None,
        fuel: None,
        exit_code: None,
        message: None,
        next: None,
    };
    match news {
        News::Ended {
            file,
            place,
            report,
            next,
        } => Json {
            event: "beat",
            project: Some(place.top.display().to_string()),
            loop_id: Some(&place.loop_id),
            file: Some(file.display().to_string()),
            beat: Some(report.receipt.beat),
            outcome: Some(&report.outcome),
            fuel: Some(report.receipt.fuel),
            exit_code: Some(exit(news).code()),
            message: Some(report.recovered.join("; ")).filter(|notes| !notes.is_empty()),
            next: Some(*next),
            ..empty
        },
        News::Trouble {
            file,
            trouble,
            next,
        } => Json {
            event: "trouble",
            file: Some(file.display().to_string()),
            exit_code: Some(exit(news).code()),
            message: Some(Safe::error(trouble).as_str().to_owned()),
            next: Some(*next),
            ..empty
        },
        News::NotDue { file, next } => Json {
            event: "not-due",
            file: Some(file.display().to_string()),
            next: Some(*next),
            ..empty
        },
        News::Gone { file } => Json {
            event: "gone",
            file: Some(file.display().to_string()),
            ..empty
        },
        News::Note(note) => Json {
            message: Some(note.clone()),
            ..empty
        },
    }
}

fn exit(news: &News) -> Exit {
    match news {
        News::Ended { report, .. } => Exit::of_outcome(&report.outcome, false),
        News::Trouble { trouble, .. } => match trouble {
            Trouble::Open(error) => Exit::of_open(error),
            Trouble::Begin(error) => Exit::of_beat(error),
            Trouble::Twice(_) => Exit::Usage,
            Trouble::Panicked => Exit::Host,
        },
        News::NotDue { .. } | News::Gone { .. } | News::Note(_) => Exit::Done,
    }
}

/// The folder that loop files are told from.
fn base(search: &Search, dir: &Path) -> PathBuf {
    let base = match search {
        Search::Below(dir) => dir,
        Search::Files(_) | Search::Project(_) => dir,
    };
    std::fs::canonicalize(base).unwrap_or_else(|_| base.to_owned())
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Open(error) => error.into(),
            Trouble::Begin(error) => error.into(),
            Trouble::Twice(_) => Self::error(Exit::Usage, &trouble)
                .help("give one of them another name: `loop = \"…\"`"),
            Trouble::Panicked => Self::error(Exit::Host, &trouble),
        }
    }
}

impl From<FindError> for Stop {
    fn from(error: FindError) -> Self {
        match &error {
            FindError::NoLoop(_) | FindError::NoLoopBelow(_) | FindError::NoFile(_) => {
                Self::error(Exit::Usage, &error).help("write a loop file with `ringfence init`")
            }
            FindError::Discover(project) => Self::error(Exit::of_discover(project), &error)
                .help_if(ways_out::of_discover(project)),
            FindError::Io { .. } => Self::error(Exit::Usage, &error),
        }
    }
}
