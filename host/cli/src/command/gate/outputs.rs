//! Where the report of gates goes: `--format FORMAT[=FILE]`, as often as wanted.
//!
//! Owns the reading of that option and the writing of the files; `place` says where one may be.
//!
//! **Invariant:** at most one format goes to stdout, and no file is named twice. What stood at a place is gone before anything
//! runs, and a file that is there afterwards is the whole report of this run.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;
use ringfence_core::gating::Report;
use ringfence_runner::state_dir::write_atomic_for_all;

use super::place::Place;
use crate::command::{Context, Stop};
use crate::exit::Exit;
use crate::render::gate::{self, Format};
use crate::render::{Safe, text};

/// One format and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    /// How it is written.
    pub(crate) format: Format,
    /// Where; none means stdout.
    pub(crate) file: Option<PathBuf>,
}

/// A value of `--format` that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OutputError {
    /// No format has that name.
    #[error("no such format:\n  {}", names())]
    Format,
    /// There is an `=` and no file behind it.
    #[error("it names no file")]
    NoFile,
    /// There is another format behind a comma.
    #[error("\n  it names two formats; give each its own --format")]
    Two,
}

impl FromStr for Output {
    type Err = OutputError;

    fn from_str(text: &str) -> Result<Self, OutputError> {
        let is_format = |text: &str| {
            let name = text.split_once('=').map_or(text, |(name, _)| name);
            Format::from_str(name, false).is_ok()
        };
        if text.split(',').skip(1).any(is_format) {
            return Err(OutputError::Two);
        }
        let (name, file) = match text.split_once('=') {
            Some((_, "" | "-")) => return Err(OutputError::NoFile),
            Some((name, file)) => (name, Some(PathBuf::from(file))),
            None => (text, None),
        };
        let format = Format::from_str(name, false).map_err(|_| OutputError::Format)?;
        Ok(Self { format, file })
    }
}

fn names() -> String {
    let formats = Format::value_variants().iter();
    let names: Vec<String> = formats
        .filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned()))
        .collect();
    names.join(", ")
}

/// Every file that a run writes, and the format that goes to stdout.
#[derive(Debug)]
pub(crate) struct Outputs {
    stdout: Format,
    files: Vec<(Format, Place)>,
    receipts: Option<Place>,
}

impl Outputs {
    /// What `--format` and `--receipt` say; the text goes to stdout where nothing else does.
    ///
    /// Looks at all places, and takes away what stands where a report goes.
    pub(crate) fn new(
        asked: &[Output],
        receipts: Option<&Path>,
        context: &Context<'_, '_>,
    ) -> Result<Self, Stop> {
        let mut to_stdout = asked.iter().filter(|output| output.file.is_none());
        let stdout = to_stdout
            .next()
            .map_or(Format::Text, |output| output.format);
        if to_stdout.next().is_some() {
            let stop = Stop::new(Exit::Usage, "at most one format goes to stdout");
            return Err(stop.help("give the others a file: `--format sarif=gates.sarif`"));
        }
        let mut files: Vec<(Format, Place)> = Vec::new();
        for output in asked {
            if let Some(file) = &output.file {
                let place = Place::new(file, &context.dir)?;
                if files.iter().any(|(_, other)| *other == place) {
                    let what = text!["two formats cannot both be ", Safe::path(file)];
                    return Err(Stop::new(Exit::Usage, what));
                }
                files.push((output.format, place));
            }
        }
        let receipts = match receipts {
            None => None,
            Some(file) => {
                let place = Place::new(file, &context.dir)?;
                if files.iter().any(|(_, other)| *other == place) {
                    let what = text![Safe::path(file), " cannot be a report and have receipts"];
                    return Err(Stop::new(Exit::Usage, what));
                }
                Some(place)
            }
        };
        for (_, place) in &files {
            place.clear()?;
        }
        Ok(Self {
            stdout,
            files,
            receipts,
        })
    }

    /// The file that a receipt is appended to.
    pub(crate) fn receipts(&self) -> Option<&Path> {
        self.receipts.as_ref().map(Place::path)
    }

    /// Writes the report of a run that ends with `exit`: the files first, then what goes to stdout.
    ///
    /// Makes all texts before it writes the first.
    pub(crate) fn write(
        &self,
        report: &Report,
        exit: Exit,
        context: &mut Context<'_, '_>,
    ) -> Result<(), Stop> {
        let mut texts = Vec::new();
        for (format, place) in &self.files {
            texts.push((place.path(), gate::write(report, exit.code(), *format)?));
        }
        for (path, text) in texts {
            write_atomic_for_all(path, text.as_bytes())
                .map_err(|error| Stop::unwritable(path, &error))?;
        }
        match self.stdout {
            Format::Text => context.console.print(&gate::page(report)),
            format => {
                let text = gate::write(report, exit.code(), format)?;
                context.console.print_text(&text);
            }
        }
        Ok(())
    }
}
