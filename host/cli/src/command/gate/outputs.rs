//! Where the report of gates goes: `--format FORMAT[=FILE]`, as often as wanted.
//!
//! Owns the reading of that option and the writing of the files.
//!
//! **Invariant:** at most one format goes to stdout, and no file is named twice; a file has the whole report or is as it
//! was. Nothing is written over what is no plain file: a device, a folder, a link that a repository may have put there.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;
use ringfence_core::gating::Report;
use ringfence_runner::state_dir::write_atomic_for_all;

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

/// Every format that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outputs(Vec<Output>);

/// A value of `--format` that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OutputError {
    /// No format has that name; what there is stands in the help.
    #[error("no such format")]
    Format,
    /// There is an `=` and no file behind it.
    #[error("it names no file")]
    NoFile,
}

impl FromStr for Output {
    type Err = OutputError;

    fn from_str(text: &str) -> Result<Self, OutputError> {
        let (name, file) = match text.split_once('=') {
            Some((_, "" | "-")) => return Err(OutputError::NoFile),
            Some((name, file)) => (name, Some(PathBuf::from(file))),
            None => (text, None),
        };
        let format = Format::from_str(name, false).map_err(|_| OutputError::Format)?;
        Ok(Self { format, file })
    }
}

impl Outputs {
    /// What `--format` says; the text goes to stdout where nothing else does.
    pub(crate) fn new(asked: &[Output]) -> Result<Self, Stop> {
        let mut outputs = asked.to_vec();
        let to_stdout = outputs
            .iter()
            .filter(|output| output.file.is_none())
            .count();
        if to_stdout > 1 {
            let stop = Stop::new(Exit::Usage, "at most one format goes to stdout");
            return Err(stop.help("give the others a file: `--format sarif=gates.sarif`"));
        }
        let mut files = BTreeSet::new();
        for file in outputs.iter().filter_map(|output| output.file.as_ref()) {
            // Behind a root, `./a` is `a`.
            if !files.insert(Path::new("/").join(file)) {
                let what = text!["two formats cannot both be ", Safe::path(file)];
                return Err(Stop::new(Exit::Usage, what));
            }
        }
        if to_stdout == 0 {
            outputs.push(Output {
                format: Format::Text,
                file: None,
            });
        }
        Ok(Self(outputs))
    }

    /// Writes the report of a run that ends with `exit`: the files first, then what goes to stdout.
    ///
    /// Looks at all places and makes all texts before it writes the first.
    pub(crate) fn write(
        &self,
        report: &Report,
        exit: Exit,
        context: &mut Context<'_, '_>,
    ) -> Result<(), Stop> {
        let mut files = Vec::new();
        for output in &self.0 {
            if let Some(file) = &output.file {
                let path = context.dir.join(file);
                check(file, &path)?;
                files.push((file, path, gate::write(report, exit.code(), output.format)?));
            }
        }
        for (file, path, text) in files {
            write_atomic_for_all(&path, text.as_bytes())
                .map_err(|error| Stop::unwritable(file, &error))?;
        }
        for output in self.0.iter().filter(|output| output.file.is_none()) {
            match output.format {
                Format::Text => context.console.print(&gate::page(report)),
                format => {
                    let text = gate::write(report, exit.code(), format)?;
                    context.console.print_text(&text);
                }
            }
        }
        Ok(())
    }
}

/// Refuses a place that is taken by anything but a plain file.
fn check(file: &Path, path: &Path) -> Result<(), Stop> {
    match path.symlink_metadata() {
        Ok(found) if found.is_file() => Ok(()),
        Ok(_) => Err(Stop::new(
            Exit::Usage,
            text![Safe::path(file), " is no plain file; nothing was written"],
        )),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Stop::unwritable(file, &error)),
    }
}
