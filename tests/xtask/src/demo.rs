//! A first beat on a real repository, in one command.
//!
//! Owns `target/demo`: a copy of `docs/example` as a git repository of its own, made afresh each time.
//!
//! **Invariant:** nothing outside `target/` is written.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::workspace::{self, Workspace};

/// Makes the repository, sets up a loop in it, and runs a beat.
///
/// # Errors
/// The host does not build, or a step fails.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    workspace::say("building the host (the first time takes some minutes)");
    let ringfence = build_host(workspace)?;
    let demo = workspace.path("target/demo");
    make_repository(workspace, &demo)?;
    let face = |verb: &str| {
        workspace::say(&format!("ringfence {verb}"));
        workspace::run(workspace.command(&ringfence).arg(verb).current_dir(&demo))
    };
    face("init")?;
    commit(workspace, &demo, "a loop")?;
    face("beat")?;
    face("status")?;
    let branch = proposal(workspace, &demo)?;
    workspace::say(&format!(
        "the proposal is branch {branch} of {0}; see it: git -C {0} show {branch}",
        demo.display()
    ));
    Ok(())
}

/// The branch that the beat made.
fn proposal(workspace: &Workspace, demo: &Path) -> Result<String> {
    let list = [
        "for-each-ref",
        "--format=%(refname:short)",
        "refs/heads/ringfence/",
    ];
    let branches = git(workspace, demo, &list)?;
    let Some(branch) = branches.lines().next_back() else {
        let demo = demo.display();
        bail!("the beat proposed nothing: see `ringfence journal show` in {demo}");
    };
    Ok(branch.to_owned())
}

fn build_host(workspace: &Workspace) -> Result<PathBuf> {
    let build = ["build", "--quiet", "--locked", "--package", "ringfence"];
    workspace::run(workspace.cargo().args(build))?;
    let mut cargo = workspace.cargo();
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: serde_json::Value = serde_json::from_str(&workspace::output(&mut cargo)?)?;
    let target = metadata
        .get("target_directory")
        .and_then(|folder| folder.as_str())
        .context("cargo metadata names no target folder")?;
    Ok(Path::new(target).join("debug/ringfence"))
}

fn make_repository(workspace: &Workspace, demo: &Path) -> Result<()> {
    if demo.exists() {
        std::fs::remove_dir_all(demo).with_context(|| format!("removing {}", demo.display()))?;
    }
    copy(&workspace.path("docs/example"), demo)?;
    git(
        workspace,
        demo,
        &["init", "--quiet", "--initial-branch=main"],
    )?;
    commit(workspace, demo, "documentation with broken links")
}

fn commit(workspace: &Workspace, demo: &Path, message: &str) -> Result<()> {
    git(workspace, demo, &["add", "--all"])?;
    let identity = ["-c", "user.name=Demo", "-c", "user.email=demo@example.org"];
    let commit = ["commit", "--quiet", "--no-gpg-sign", "--message", message];
    git(workspace, demo, &[&identity[..], &commit].concat())?;
    Ok(())
}

fn git(workspace: &Workspace, folder: &Path, arguments: &[&str]) -> Result<String> {
    workspace::output(
        workspace
            .command("git")
            .arg("-C")
            .arg(folder)
            .args(arguments),
    )
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("creating {}", to.display()))?;
    for entry in std::fs::read_dir(from).with_context(|| from.display().to_string())? {
        let path = entry?.path();
        let target = to.join(path.file_name().context("an entry without a name")?);
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            std::fs::copy(&path, &target).with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}
