//! The rules of a run: the gates file, its plugins and its baseline, from the disk or from a revision.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ringfence_core::diagnostic::Diagnostic;
use ringfence_core::digest::Digest;
use ringfence_core::gating::{BASELINE_BYTES_MAX, Baseline, FUEL_FILE, RulesTree};
use ringfence_core::relpath::RelPath;
use ringfence_core::spec::{self, GATES_FILE_BYTES_MAX, Gates, LockedGates, PluginRef};

use super::place::in_project;
use super::{Around, BaselineProblem, GatingError, Options, Progress};
use crate::git::GitProgram;
use crate::git::discover::Project;
use crate::lock::{LockError, LoopLock};
use crate::open_loop::{Components, LOCK_FILE, LOOP_FILE, LockMode, OpenError, Pins, PluginSource};
use crate::plugins::{Files, compare, read_plugins};
use crate::state_dir::{LoopDir, StateDir};
use crate::workspace::Workspace;

/// The name of a gates file, at the top of the project.
pub const GATES_FILE: &str = "ringfence-gates.toml";

// Limit: a run that takes longer than this hangs, and whoever waits for it should know.
const WAIT_MAX: Duration = Duration::from_secs(600);
// How often a lock that somebody holds is tried.
const TRY_EVERY: Duration = Duration::from_millis(20);

/// The rules of a run, in the project they belong to. Holds the lock of the folder that gates work in.
pub struct Gating {
    pub(super) project: Project,
    pub(super) dir: LoopDir,
    pub(super) workspace: Workspace,
    pub(super) start: PathBuf,
    path: RelPath,
    text: String,
    gates: Gates,
    warnings: Vec<Diagnostic>,
    from: Option<RulesFrom>,
    _lock: LoopLock,
}

/// A revision that rules are read from.
struct RulesFrom {
    name: String,
    tree: String,
}

impl Gating {
    /// Reads the rules for the project that `start` is in: `file`, or `ringfence-gates.toml`, or `LOOP.md` at its top; as they
    /// are on the disk, or in the revision `from`. Waits for another run in the same project.
    ///
    /// # Errors
    /// [`GatingError`]; [`OpenError::Diagnostics`] with all problems of the file at once.
    pub fn open(
        program: &GitProgram,
        start: &Path,
        file: Option<&Path>,
        from: Option<&str>,
        around: Around<'_>,
    ) -> Result<Self, GatingError> {
        let project = Project::discover(program, start)?;
        let start = start.canonicalize().map_err(|source| OpenError::Io {
            path: start.to_owned(),
            doing: "read",
            source,
        })?;
        let Some(repo) = project.repository() else {
            return Err(GatingError::NoRepository(project.top().to_owned()));
        };
        let dir = StateDir::open(&project)?.open_gates()?;
        let lock = lock(&dir, around)?;
        let workspace = Workspace::open(program, &dir, &lock, &project)?;
        let from = match from {
            None => None,
            Some(name) => Some(RulesFrom {
                name: name.to_owned(),
                tree: super::sides::resolve(repo, name)?.tree,
            }),
        };
        let files = files(&project, &workspace, from.as_ref());
        let (path, text) = match file {
            Some(file) => named(&project, &files, &start, file)?,
            None => match usual(&files)? {
                Some(found) => found,
                None => {
                    let top = project.top().to_owned();
                    let from = from.map(|from| from.name);
                    return Err(GatingError::NoFile { top, from });
                }
            },
        };
        let name = path.to_string();
        let parsed = if path.file_name().is_some_and(is_loop_file) {
            spec::parse(&text, &name).map(|(spec, warnings)| (Gates::of_loop(&spec), warnings))
        } else {
            Gates::parse(&text, &name)
        };
        let (gates, warnings) = parsed.map_err(|diagnostics| OpenError::Diagnostics {
            name,
            text: text.clone(),
            diagnostics,
        })?;
        Ok(Self {
            project,
            dir,
            workspace,
            start,
            path,
            text,
            gates,
            warnings,
            from,
            _lock: lock,
        })
    }

    /// The gates file from the top of the project.
    #[must_use]
    pub fn path(&self) -> &RelPath {
        &self.path
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it says.
    #[must_use]
    pub fn gates(&self) -> &Gates {
        &self.gates
    }

    /// What could be better about it.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The revision that the rules are of; none for the disk.
    #[must_use]
    pub fn rules_from(&self) -> Option<&str> {
        self.from.as_ref().map(|from| from.name.as_str())
    }

    /// The same with the tree it was read from.
    pub(super) fn rules_tree(&self) -> Option<RulesTree> {
        self.from.as_ref().map(|from| RulesTree {
            name: from.name.clone(),
            tree: from.tree.clone(),
        })
    }

    /// The project's top folder.
    #[must_use]
    pub fn top(&self) -> &Path {
        self.project.top()
    }

    /// Reads the plugins without running them, and writes out what each gate may do.
    ///
    /// # Errors
    /// [`GatingError::Open`]: a plugin that is missing or broken, does not fit, or is not the pinned one.
    pub fn lock(
        &self,
        source: &dyn PluginSource,
        mode: LockMode,
    ) -> Result<(LockedGates, Components), GatingError> {
        let (locked, components, _) = self.lock_accepting(source, mode, &[])?;
        Ok((locked, components))
    }

    /// The same with how the plugins stand to the lock file; with [`LockMode::Write`], pinned ones of `accepted` are taken as
    /// they are now.
    ///
    /// # Errors
    /// As [`lock`](Self::lock), and for one that is not pinned.
    pub fn lock_accepting(
        &self,
        source: &dyn PluginSource,
        mode: LockMode,
        accepted: &[String],
    ) -> Result<(LockedGates, Components, Pins), GatingError> {
        let files = self.files();
        let (facts, components) = read_plugins(&files, self.gates.plugins(), source)?;
        let digest = Digest::of(self.text.as_bytes());
        let locked = self.gates.lock(digest, &facts).map_err(|diagnostics| {
            let (name, text) = (self.path.to_string(), self.text.clone());
            OpenError::Diagnostics {
                name,
                text,
                diagnostics,
            }
        })?;
        let pins = compare(&files, &facts, mode, accepted)?;
        Ok((locked, components, pins))
    }

    /// The findings that are known already, and the digest of their file.
    pub(super) fn baseline(
        &self,
        locked: &LockedGates,
        options: &Options,
    ) -> Result<(Baseline, Option<Digest>), GatingError> {
        if options.no_baseline {
            return Ok((Baseline::default(), None));
        }
        let given = options.baseline.as_deref();
        let Some((path, text)) =
            self.side_file(given, locked.baseline.as_ref(), BASELINE_BYTES_MAX)?
        else {
            return Ok((Baseline::default(), None));
        };
        let found = text.ok_or(BaselineProblem::Missing).and_then(|text| {
            let digest = Digest::of(text.as_bytes());
            Ok((Baseline::parse(&text)?, Some(digest)))
        });
        found.map_err(|why| GatingError::Baseline { path, why })
    }

    /// A file beside the gates file: the one that was `given` on the command line, else the one that is `written` in the
    /// rules. Where it is, and its text if it is there; none where neither is named. What is in the project is read where the
    /// rules are read, whoever named it; what is outside is the operator's, on the disk.
    pub(super) fn side_file(
        &self,
        given: Option<&Path>,
        written: Option<&RelPath>,
        bytes_max: usize,
    ) -> Result<Option<(PathBuf, Option<String>)>, GatingError> {
        let path = match (given, written) {
            (Some(file), _) => match in_project(self.top(), &self.start, file)? {
                Some(path) => path,
                None => return outside(self.start.join(file), bytes_max).map(Some),
            },
            (None, Some(path)) => path.clone(),
            (None, None) => return Ok(None),
        };
        let files = self.files();
        Ok(Some((files.place(&path), files.text(&path, bytes_max)?)))
    }

    /// The files that decide, where they are read from the disk: a change of them is worth a remark. Both names that a gates
    /// file is looked for by are among them: where one is deleted, the other decides.
    pub(super) fn deciding_files(&self, options: &Options) -> Vec<RelPath> {
        if self.from.is_some() {
            return Vec::new();
        }
        let plugins = self.gates.plugins().into_iter();
        let plugins = plugins.filter_map(|plugin| match plugin {
            PluginRef::File(path) => Some(path),
            PluginRef::Std(_) => None,
        });
        let usual = [GATES_FILE, LOOP_FILE, LOCK_FILE, FUEL_FILE];
        let usual = usual.into_iter().flat_map(RelPath::lexical);
        let given = [&options.baseline, &options.fuel.file]
            .into_iter()
            .flatten();
        let given = given.filter_map(|file| in_project(self.top(), &self.start, file).ok()?);
        [self.path.clone()]
            .into_iter()
            .chain(usual)
            .chain(given)
            .chain(self.gates.fuel.file.clone())
            .chain(self.gates.baseline.clone())
            .chain(plugins)
            .collect()
    }

    fn files(&self) -> Files<'_> {
        files(&self.project, &self.workspace, self.from.as_ref())
    }
}

fn files<'a>(
    project: &'a Project,
    workspace: &'a Workspace,
    from: Option<&'a RulesFrom>,
) -> Files<'a> {
    match from {
        None => Files::Disk(project.top()),
        Some(RulesFrom { name, tree }) => Files::Tree {
            store: workspace.store(),
            tree,
            name,
        },
    }
}

fn is_loop_file(name: &str) -> bool {
    std::path::Path::new(name)
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("md"))
}

fn named(
    project: &Project,
    files: &Files<'_>,
    start: &Path,
    file: &Path,
) -> Result<(RelPath, String), GatingError> {
    let top = project.top();
    let outside = || GatingError::Outside {
        file: file.to_owned(),
        top: top.to_owned(),
    };
    let path = in_project(top, start, file)?.ok_or_else(outside)?;
    match files.text(&path, GATES_FILE_BYTES_MAX)? {
        Some(text) => Ok((path, text)),
        None => Err(OpenError::Io {
            path: files.place(&path),
            doing: "read",
            source: std::io::ErrorKind::NotFound.into(),
        }
        .into()),
    }
}

/// A file of the operator's that is not in the project, and its text if it is there.
fn outside(file: PathBuf, bytes_max: usize) -> Result<(PathBuf, Option<String>), GatingError> {
    match crate::plugins::read_text(&file, bytes_max) {
        Ok(text) => Ok((file, Some(text))),
        Err(OpenError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            Ok((file, None))
        }
        Err(error) => Err(error.into()),
    }
}

fn usual(files: &Files<'_>) -> Result<Option<(RelPath, String)>, GatingError> {
    for name in [GATES_FILE, LOOP_FILE] {
        let Ok(path) = RelPath::lexical(name) else {
            continue;
        };
        if let Some(text) = files.text(&path, GATES_FILE_BYTES_MAX)? {
            return Ok(Some((path, text)));
        }
    }
    Ok(None)
}

fn lock(dir: &LoopDir, around: Around<'_>) -> Result<LoopLock, LockError> {
    let begun = Instant::now();
    let mut told = false;
    loop {
        match LoopLock::acquire(dir, around.clock) {
            Err(LockError::Held { .. }) if begun.elapsed() < WAIT_MAX => {
                if !told {
                    (around.progress)(Progress::Waiting);
                    told = true;
                }
                std::thread::sleep(TRY_EVERY);
            }
            taken => return taken,
        }
    }
}
