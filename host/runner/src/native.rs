//! Runs the operator's commands on a tree, one after the other, and keeps what they said for the gates.
//!
//! Owns [`Evidence`]: the receipts, and the bytes of the reports. How a program is confined is the sandbox's business; that it is
//! confined, or that the operator wrote otherwise, is asked for here.
//!
//! **Invariant:** every run has one receipt, whatever came of it, and a report that is kept is the one whose digest stands in it.
//! A command that cannot be confined as it was declared is not run.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use ringfence_core::digest::Digest;
use ringfence_core::evidence::{CommandReceipt, Confinement, Ended, Report, Side};
use ringfence_core::ids::StepId;
use ringfence_core::policy::{PathPolicy, PolicySpec};
use ringfence_core::quantity::Bytes;
use ringfence_core::relpath::RelPath;
use ringfence_core::spec::{CommandSpec, STDERR, STDOUT};
use ringfence_sandbox::native::{self, Command, NativeError, Ran};
use ringfence_sandbox::{EvidenceSource, Sandbox};

use crate::calls::chain;
use crate::git::discover::{DiscoverError, Project};
use crate::steps::Steps;
use crate::workspace::{Base, Workspace};

// Limit: all of it is in memory until the gates are through.
const REPORT_BYTES_MAX: u64 = 512 << 20;

/// One tree, checked out.
#[derive(Debug, Clone, Copy)]
pub struct Tree<'a> {
    /// Which of the two.
    pub side: Side,
    /// Where it is; nobody changes it meanwhile.
    pub dir: &'a Path,
    /// Its git id.
    pub id: &'a str,
    /// What of it a command may see.
    pub policy: &'a PathPolicy,
    /// What it sees nothing of, wherever that lies.
    pub private: &'a [PathBuf],
}

/// What commands said.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    receipts: Vec<CommandReceipt>,
    reports: BTreeMap<(StepId, Side), BTreeMap<String, Vec<u8>>>,
    bytes: u64,
}

/// Why a command was not run, or nothing is known of its run.
#[derive(Debug, thiserror::Error)]
#[error("command {command}")]
pub struct CommandError {
    /// Which.
    pub command: StepId,
    /// Why.
    pub source: NativeError,
}

impl Evidence {
    /// Runs those of `commands` that run on this side; `helper` is this program.
    ///
    /// # Errors
    /// [`CommandError`] with the first command that could not be run as it is declared. That a program was not found, or
    /// ended badly, is no error: its receipt says so.
    pub fn run(
        &mut self,
        helper: &Path,
        commands: &[CommandSpec],
        tree: Tree<'_>,
    ) -> Result<(), CommandError> {
        let here = commands
            .iter()
            .filter(|spec| spec.sides().contains(&tree.side));
        for spec in here {
            let failed = |source| CommandError {
                command: spec.name.clone(),
                source,
            };
            let ran = native::run(helper, &command(spec, tree)).map_err(failed)?;
            self.take(spec, tree, ran).map_err(failed)?;
        }
        Ok(())
    }

    /// Takes a report that was made elsewhere for what `command` said of the tree `id`.
    ///
    /// # Errors
    /// Where that command ran here, its report of that name was handed in already, or all reports have too many bytes.
    pub(crate) fn hand_in(
        &mut self,
        (command, side, report): (&StepId, Side, &str),
        id: &str,
        bytes: Vec<u8>,
    ) -> Result<(), String> {
        self.holds(bytes.len() as u64)?;
        let mut own = self.receipts.iter_mut();
        let own = own.find(|one| one.command == *command && one.side == side);
        let listed = Report {
            name: report.to_owned(),
            size: bytes.len() as u64,
            digest: Digest::of(&bytes),
        };
        match own {
            Some(receipt) if receipt.confinement != Confinement::Elsewhere => {
                return Err(format!("command {command} ran here"));
            }
            Some(receipt) if receipt.reports.iter().any(|one| one.name == report) => {
                return Err(format!("{command}/{report} was given twice"));
            }
            Some(receipt) => receipt.reports.push(listed),
            None => self.receipts.push(CommandReceipt {
                command: command.clone(),
                side,
                declared: Digest::of(b"elsewhere"),
                tree: id.to_owned(),
                confinement: Confinement::Elsewhere,
                network: false,
                ended: Ended::Unseen,
                ms: 0,
                reports: vec![listed],
                notes: Vec::new(),
            }),
        }
        let reports = self.reports.entry((command.clone(), side)).or_default();
        reports.insert(report.to_owned(), bytes);
        Ok(())
    }

    /// Counts bytes that are to be kept.
    fn holds(&mut self, bytes: u64) -> Result<(), String> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > REPORT_BYTES_MAX {
            let most = Bytes(REPORT_BYTES_MAX);
            return Err(format!("the reports of all commands have more than {most}"));
        }
        Ok(())
    }

    /// The bytes of a report of this run; none of one that it did not write.
    pub(crate) fn bytes(&self, receipt: &CommandReceipt, report: &str) -> &[u8] {
        let place = (receipt.command.clone(), receipt.side);
        let report = self.reports.get(&place).and_then(|all| all.get(report));
        report.map(Vec::as_slice).unwrap_or_default()
    }

    fn take(&mut self, spec: &CommandSpec, tree: Tree<'_>, ran: Ran) -> Result<(), NativeError> {
        let mut reports: BTreeMap<String, Vec<u8>> = ran.reports.into_iter().collect();
        reports.insert(STDOUT.to_owned(), ran.stdout);
        reports.insert(STDERR.to_owned(), ran.stderr);
        let bytes: u64 = reports.values().map(|bytes| bytes.len() as u64).sum();
        self.holds(bytes).map_err(NativeError::Refused)?;
        let listed = reports.iter().map(|(name, bytes)| Report {
            name: name.clone(),
            size: bytes.len() as u64,
            digest: Digest::of(bytes),
        });
        self.receipts.push(CommandReceipt {
            command: spec.name.clone(),
            side: tree.side,
            declared: spec.digest(),
            tree: tree.id.to_owned(),
            confinement: ran.confinement,
            network: spec.network,
            ended: ran.ended,
            ms: u64::try_from(ran.took.as_millis()).unwrap_or(u64::MAX),
            reports: listed.collect(),
            notes: ran.notes,
        });
        self.reports.insert((spec.name.clone(), tree.side), reports);
        Ok(())
    }
}

/// Runs `commands` on the trees they are for, each checked out by itself: on that of `base`, and on `candidate`.
///
/// # Errors
/// One line that says what could not be done.
pub(crate) fn gather(
    workspace: &Workspace,
    (base, candidate): (&Base, &str),
    (commands, policy): (&[CommandSpec], &PolicySpec),
    (sandbox, steps): (&Sandbox, &dyn Steps),
    mut begins: impl FnMut(Side),
) -> Result<Evidence, String> {
    let mut evidence = Evidence::default();
    if commands.is_empty() {
        return Ok(evidence);
    }
    let helper = sandbox.helper();
    let helper = helper.ok_or("no program here can be the helper of a command")?;
    let policy = PathPolicy::new(policy)
        .map_err(|_| "the globs of [paths] do not compile together".to_owned())?;
    let private = private(workspace.project()).map_err(|error| chain(&error))?;
    for side in [Side::Before, Side::After] {
        if !commands
            .iter()
            .any(|command| command.sides().contains(&side))
        {
            continue;
        }
        begins(side);
        let base = match side {
            Side::Before => base.clone(),
            Side::After => Base {
                tree: candidate.to_owned(),
                ..base.clone()
            },
        };
        let moved = workspace
            .fits(&base.tree)
            .and_then(|()| workspace.checkout(&base, steps));
        moved.map_err(|error| chain(&error))?;
        let tree = Tree {
            side,
            dir: &base.dir,
            id: &base.tree,
            policy: &policy,
            private: &private,
        };
        let ran = evidence.run(helper, commands, tree);
        ran.map_err(|error| chain(&error))?;
    }
    Ok(evidence)
}

/// What no command sees but as its tree: the project, its repository, and where that borrows objects. The state of its loops
/// lies in these.
///
/// # Errors
/// [`DiscoverError`] when it cannot be found out.
pub(crate) fn private(project: &Project) -> Result<Vec<PathBuf>, DiscoverError> {
    let mut all = vec![project.top().to_owned()];
    if let Some(repo) = project.repository() {
        all.extend([repo.git_dir(), repo.common_dir()].map(Path::to_owned));
        all.extend(repo.object_dirs()?);
    }
    Ok(all)
}

impl EvidenceSource for Evidence {
    fn receipts(&self) -> &[CommandReceipt] {
        &self.receipts
    }

    fn read(&self, command: &StepId, side: Side, report: &str, max: u64) -> io::Result<Vec<u8>> {
        let reports = self.reports.get(&(command.clone(), side));
        let bytes = reports.and_then(|reports| reports.get(report));
        let bytes = bytes.ok_or(io::ErrorKind::NotFound)?;
        if bytes.len() as u64 > max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes.clone())
    }
}

fn command(spec: &CommandSpec, tree: Tree<'_>) -> Command {
    let reports = spec.reports.iter();
    Command {
        argv: spec.argv.clone(),
        env: spec.env.clone(),
        cwd: RelPath::ROOT,
        tree: tree.dir.to_owned(),
        policy: tree.policy.clone(),
        network: spec.network,
        sandbox: spec.sandbox,
        limits: spec.limits,
        reports: reports
            .map(|(name, path)| (name.clone(), path.clone()))
            .collect(),
        system: spec.system.iter().map(Into::into).collect(),
        private: tree.private.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ringfence_core::spec;

    use super::*;

    fn spec() -> CommandSpec {
        let steps = "[[sensor]]\nplugin = \"std:a\"\n[decider]\nplugin = \"std:b\"\n[[executor]]\nplugin = \"std:c\"\n[[gate]]\nplugin = \"std:d\"";
        let text = format!("+++\nloop = \"x\"\n[command.test]\nargv = [\"x\"]\n{steps}\n+++\n");
        spec::parse(&text, "LOOP.md").unwrap().0.commands.remove(0)
    }

    fn ran(stdout: &[u8]) -> Ran {
        Ran {
            ended: Ended::Exited { code: 0 },
            confinement: Confinement::Full,
            stdout: stdout.to_owned(),
            stderr: Vec::new(),
            reports: vec![("junit".to_owned(), b"<x/>".to_vec())],
            took: Duration::from_millis(7),
            notes: Vec::new(),
        }
    }

    fn taken(stdout: &[u8]) -> Result<Evidence, NativeError> {
        let policy = PathPolicy::new(&PolicySpec::default()).unwrap();
        let tree = Tree {
            side: Side::After,
            dir: Path::new("/"),
            id: "tree",
            policy: &policy,
            private: &[],
        };
        let mut evidence = Evidence::default();
        evidence.take(&spec(), tree, ran(stdout)).map(|()| evidence)
    }

    #[test]
    fn what_a_gate_reads_is_what_the_receipt_says() {
        let evidence = taken(b"out").unwrap();
        let [receipt] = evidence.receipts() else {
            panic!("one run")
        };
        let names: Vec<_> = receipt
            .reports
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        assert_eq!(names, ["junit", "stderr", "stdout"]);
        assert_eq!(receipt.declared, spec().digest());
        let test = StepId::new("test").unwrap();
        for report in &receipt.reports {
            let bytes = evidence.read(&test, Side::After, &report.name, 4).unwrap();
            assert_eq!(
                (Digest::of(&bytes), bytes.len() as u64),
                (report.digest, report.size)
            );
        }
        let kind = |side, name, max| evidence.read(&test, side, name, max).unwrap_err().kind();
        assert_eq!(kind(Side::After, "junit", 3), io::ErrorKind::FileTooLarge);
        assert_eq!(kind(Side::Before, "junit", 9), io::ErrorKind::NotFound);
        assert_eq!(kind(Side::After, "sarif", 9), io::ErrorKind::NotFound);
    }

    #[test]
    fn no_more_is_held_than_fits() {
        let mut evidence = taken(b"").unwrap();
        evidence.bytes = REPORT_BYTES_MAX;
        let policy = PathPolicy::new(&PolicySpec::default()).unwrap();
        let tree = Tree {
            side: Side::After,
            dir: Path::new("/"),
            id: "tree",
            policy: &policy,
            private: &[],
        };
        assert!(evidence.take(&spec(), tree, ran(b"x")).is_err());
        let mut evidence = taken(b"").unwrap();
        evidence.bytes = REPORT_BYTES_MAX - 3;
        let lint = StepId::new("lint").unwrap();
        let mut hand_in = |report, bytes: &[u8]| {
            evidence.hand_in((&lint, Side::After, report), "tree", bytes.to_owned())
        };
        assert_eq!(hand_in("sarif", b"xyz"), Ok(()));
        assert!(hand_in("junit", b"x").is_err());
    }
}
