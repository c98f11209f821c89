//! A loop file in its project, and what it takes to run it: plugins read, grants written out, digests compared.
//!
//! Owns what a loop needs from the disk before anything runs. **Invariant:** nothing here runs a component, and only
//! [`LockMode::Write`] writes, and then only `ringfence.lock`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ringfence_core::cadence::Next;
use ringfence_core::digest::Digest;
use ringfence_core::journal::LoopState;
use ringfence_core::policy::{Access, DenyPattern, DenySource, Layer, PathPolicy, PolicySpec};
use ringfence_core::relpath::RelPath;
use ringfence_core::spec::{
    self, CalendarRef, Diagnostic, LOOP_FILE_BYTES_MAX, LockFileError, LockedSpec, Spec,
};
use ringfence_core::text::count;
use ringfence_sandbox::InspectError;

use crate::git::discover::{DiscoverError, Project};
use crate::git::{GitError, GitProgram};
use crate::plugins::{Files, compare, read_plugins, read_text};

/// The name of a loop file.
pub const LOOP_FILE: &str = "LOOP.md";
/// The file that pins plugins, at the top of the project.
pub const LOCK_FILE: &str = "ringfence.lock";

/// A loop file that was read, in the project it belongs to.
#[derive(Debug)]
pub struct OpenLoop {
    /// The git to be used.
    pub program: GitProgram,
    /// The repository or folder.
    pub project: Project,
    /// The loop file from the top of the project.
    pub path: RelPath,
    /// Its text.
    pub text: String,
    /// What it says.
    pub spec: Spec,
    /// What could be better about it.
    pub warnings: Vec<Diagnostic>,
    /// The time zone whose days count.
    pub timezone: TimeZone,
    /// The time zone of its cadence.
    pub cadence_zone: TimeZone,
}

/// Why a loop cannot be opened or locked.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no usable git.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The project cannot be used.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// No loop file was named, and there is none.
    #[error("no {LOOP_FILE} in {} or a folder above it", .0.display())]
    NoLoopFile(PathBuf),
    /// The loop file is not in the project.
    #[error("the loop file {} is not in the project {}", file.display(), top.display())]
    Outside {
        /// The loop file.
        file: PathBuf,
        /// The project's top folder.
        top: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{} cannot be {doing}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A link in the place of a file that says what runs, or of a folder it is in.
    #[error("{} is a link; what decides has to be a plain file, in folders that are no links", .0.display())]
    Link(PathBuf),
    /// The loop file has errors, or does not fit its plugins.
    #[error("{name} has {}", count(diagnostics.len(), "problem", "problems"))]
    Diagnostics {
        /// The loop file, as it was named.
        name: String,
        /// Its text.
        text: String,
        /// At least one error.
        diagnostics: Vec<Diagnostic>,
    },
    /// There is no time zone of that name on this machine.
    #[error("the time zone {0:?} is not known on this machine")]
    Timezone(String),
    /// A plugin file is no plugin.
    #[error("plugin {reference} cannot be used")]
    Plugin {
        /// As the loop file spells it.
        reference: String,
        /// Why.
        source: InspectError,
    },
    /// The lock file cannot be used, or a plugin is not the one it pins.
    #[error(transparent)]
    LockFile(#[from] LockFileError),
    /// Plugins are not pinned yet.
    #[error("not pinned in {LOCK_FILE}: {}", .0.join(", "))]
    Unpinned(Vec<String>),
}

/// Where the standard plugins come from.
pub trait PluginSource {
    /// The component of a standard plugin, a part of this program; none when there is none of that name.
    fn std(&self, name: &str) -> Option<&'static [u8]>;
    /// The names of all standard plugins.
    fn names(&self) -> Vec<&str>;
}

/// What to do with plugins that are not pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockMode {
    /// Say so in [`Pins::unpinned`].
    Check,
    /// Pin them.
    Write,
    /// Refuse.
    Require,
}

/// How the plugins of a file stand to `ringfence.lock`: references, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pins {
    /// Pinned nowhere; empty after [`LockMode::Write`].
    pub unpinned: Vec<String>,
    /// Pinned just now.
    pub written: Vec<String>,
    /// Accepted as used no more, and pinned no longer.
    pub dropped: Vec<String>,
    /// Pinned, and not used by this file: another one's, or nobody's.
    pub unused: Vec<String>,
}

/// Components by digest.
pub type Components = BTreeMap<Digest, Cow<'static, [u8]>>;

/// A loop ready to run.
#[derive(Debug)]
pub struct Locked {
    /// The loop with nothing left to look up.
    pub spec: LockedSpec,
    /// Components by digest.
    pub components: Components,
    /// How its plugins stand to the lock file.
    pub pins: Pins,
}

impl OpenLoop {
    /// Finds and reads a loop file: `file`, or the nearest `LOOP.md` from `start` upwards within the project.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::Diagnostics`] with all problems of the loop file at once.
    pub fn open(
        program: &GitProgram,
        start: &Path,
        file: Option<&Path>,
    ) -> Result<Self, OpenError> {
        let (project, path) = match file {
            Some(file) => named(program, &start.join(file))?,
            None => nearest(program, start)?,
        };
        let on_disk = project.top().join(path.as_str());
        let text = read_text(&on_disk, LOOP_FILE_BYTES_MAX)?;
        let name = path.to_string();
        let (spec, warnings) = match spec::parse(&text, &name) {
            Ok(parsed) => parsed,
            Err(diagnostics) => {
                return Err(OpenError::Diagnostics {
                    name,
                    text,
                    diagnostics,
                });
            }
        };
        let cadence_zone = timezone(&spec.cadence.timezone)?;
        let timezone = timezone(&spec.budget.timezone)?;
        Ok(Self {
            program: program.clone(),
            project,
            path,
            text,
            spec,
            warnings,
            timezone,
            cadence_zone,
        })
    }

    /// When the next beat of a loop with this history is due; `since` is from when on it is watched, if it never ran.
    #[must_use]
    pub fn next(&self, state: &LoopState, since: Timestamp, now: Timestamp) -> Next {
        let Spec {
            loop_id, cadence, ..
        } = &self.spec;
        let file = Digest::of(self.text.as_bytes());
        cadence.next(loop_id, &self.cadence_zone, state, &file, since, now)
    }

    /// Reads the plugins without running them, and writes out what each step may do.
    ///
    /// # Errors
    /// [`OpenError`]: a plugin that is missing or broken, does not fit the loop file, or is not the pinned one.
    pub fn lock(&self, source: &dyn PluginSource, mode: LockMode) -> Result<Locked, OpenError> {
        self.lock_accepting(source, mode, &[])
    }

    /// The same; with [`LockMode::Write`], pinned plugins of `accepted` are taken as they are now.
    ///
    /// # Errors
    /// As [`lock`](Self::lock), and for one that is not pinned.
    pub fn lock_accepting(
        &self,
        source: &dyn PluginSource,
        mode: LockMode,
        accepted: &[String],
    ) -> Result<Locked, OpenError> {
        let files = Files::Disk(self.project.top());
        let (facts, components) = read_plugins(&files, self.spec.plugins(), source)?;
        let mut spec = self
            .spec
            .lock(Digest::of(self.text.as_bytes()), &facts)
            .map_err(|diagnostics| {
                let (name, text) = (self.path.to_string(), self.text.clone());
                OpenError::Diagnostics {
                    name,
                    text,
                    diagnostics,
                }
            })?;
        self.protect_loop_file(&mut spec);
        let pins = compare(&files, &facts, mode, accepted)?;
        Ok(Locked {
            spec,
            components,
            pins,
        })
    }

    /// A loop file that stands where the built-in denials do not look for one is denied, too, and so is the calendar: no
    /// step lifts a freeze.
    fn protect_loop_file(&self, spec: &mut LockedSpec) {
        let steps = spec
            .sensors
            .iter_mut()
            .chain([&mut spec.decider])
            .chain(&mut spec.executors)
            .chain(&mut spec.gates);
        let calendar = match &self.spec.calendar {
            Some(CalendarRef::Project(path)) => Some(path),
            Some(CalendarRef::Config(_)) | None => None,
        };
        let own = (!self.is_usual_place()).then_some(&self.path);
        let denied: Vec<DenyPattern> = own
            .into_iter()
            .chain(calendar)
            .map(|path| DenyPattern {
                pattern: literal_pattern(path),
                source: DenySource::Own,
            })
            .collect();
        steps.for_each(|step| step.policy.deny.extend(denied.iter().cloned()));
    }

    fn is_usual_place(&self) -> bool {
        let everything = vec!["**".to_owned()];
        let layers = vec![Layer {
            name: "loop".into(),
            read: everything.clone(),
            write: everything,
        }];
        let deny = ringfence_core::policy::builtin_denials();
        PathPolicy::new(&PolicySpec { layers, deny })
            .is_ok_and(|policy| !policy.decide(&self.path, Access::Read).is_allowed())
    }
}

fn timezone(name: &str) -> Result<TimeZone, OpenError> {
    // Looking for any other name walks through all that the machine has.
    if name == "UTC" {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(name).map_err(|_| OpenError::Timezone(name.to_owned()))
}

fn named(program: &GitProgram, file: &Path) -> Result<(Project, RelPath), OpenError> {
    let read_error = |source| OpenError::Io {
        path: file.to_owned(),
        doing: "read",
        source,
    };
    let file = fs::canonicalize(file).map_err(read_error)?;
    let project = Project::discover(program, file.parent().unwrap_or(&file))?;
    // A loop of a folder that is no repository lies at its top, or in loops/<name>/ below it.
    let project = match (&project, folder_of(&file)) {
        (Project::Folder(_), Some(top)) => Project::discover(program, top)?,
        _ => project,
    };
    let path = within(project.top(), &file)?;
    Ok((project, path))
}

fn folder_of(file: &Path) -> Option<&Path> {
    let loops = file.parent()?.parent()?;
    (loops.file_name()? == "loops")
        .then(|| loops.parent())
        .flatten()
}

fn nearest(program: &GitProgram, start: &Path) -> Result<(Project, RelPath), OpenError> {
    let project = Project::discover(program, start)?;
    let read_error = |source| OpenError::Io {
        path: start.to_owned(),
        doing: "read",
        source,
    };
    let start = fs::canonicalize(start).map_err(read_error)?;
    for dir in start
        .ancestors()
        .take_while(|dir| dir.starts_with(project.top()))
    {
        let file = dir.join(LOOP_FILE);
        if file.is_file() {
            // A link in its place leads to the file that is meant, and that has to be protected; or out of the project.
            let real = fs::canonicalize(&file).map_err(|source| OpenError::Io {
                path: file,
                doing: "read",
                source,
            })?;
            let path = within(project.top(), &real)?;
            return Ok((project, path));
        }
    }
    Err(OpenError::NoLoopFile(start))
}

fn within(top: &Path, file: &Path) -> Result<RelPath, OpenError> {
    let outside = || OpenError::Outside {
        file: file.to_owned(),
        top: top.to_owned(),
    };
    let relative = file
        .strip_prefix(top)
        .ok()
        .and_then(Path::to_str)
        .ok_or_else(outside)?;
    RelPath::lexical(relative).map_err(|_| outside())
}

/// A pattern that matches this path and no other.
fn literal_pattern(path: &RelPath) -> String {
    let mut pattern = String::new();
    for c in path.as_str().chars() {
        match c {
            '*' | '?' | '[' | ']' | '{' | '}' => pattern.extend(['[', c, ']']),
            c => pattern.push(c),
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_in_the_place_of_a_loop_file_is_what_it_leads_to() {
        let program = crate::fixture::gits().swap_remove(0);
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().join("project");
        fs::create_dir(&top).unwrap();
        fs::write(dir.path().join("secret"), "secret").unwrap();
        fs::write(top.join("real.md"), "text").unwrap();
        let link = top.join(LOOP_FILE);
        std::os::unix::fs::symlink("../secret", &link).unwrap();
        assert!(matches!(
            nearest(&program, &top),
            Err(OpenError::Outside { .. })
        ));
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink("real.md", &link).unwrap();
        assert_eq!(nearest(&program, &top).unwrap().1.as_str(), "real.md");
    }

    #[test]
    fn a_literal_pattern_matches_its_path_alone() {
        for (path, other) in [
            ("a[1]/LOOP.md", "a1/LOOP.md"),
            ("x*y/{a}.md", "xzy/a.md"),
            ("plain.md", "plain.mdx"),
        ] {
            let path = RelPath::lexical(path).unwrap();
            let layer = Layer {
                name: "loop".into(),
                read: vec![literal_pattern(&path)],
                write: vec![],
            };
            let policy = PathPolicy::new(&PolicySpec {
                layers: vec![layer],
                deny: vec![],
            })
            .unwrap();
            assert!(policy.decide(&path, Access::Read).is_allowed(), "{path}");
            assert!(
                !policy
                    .decide(&RelPath::lexical(other).unwrap(), Access::Read)
                    .is_allowed(),
                "{other}"
            );
        }
    }
}
