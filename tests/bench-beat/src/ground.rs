//! A repository with loops of some sensors each, none of which finds anything.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;

const PAGES: usize = 40;
const FILES_IN_A_FOLDER: usize = 100;

/// A repository in a temporary folder, with a cache of compiled components beside it.
pub(crate) struct Ground {
    root: tempfile::TempDir,
    commits: Cell<usize>,
}

impl Ground {
    /// One loop of five sensors in so many files.
    pub(crate) fn new(files: usize) -> Outcome<Self> {
        Self::with(files, 5)
    }

    /// One loop of so many sensors.
    pub(crate) fn with(files: usize, sensors: usize) -> Outcome<Self> {
        let ground = Self::empty(files, sensors)?;
        fs::write(
            ground.top().join("LOOP.md"),
            loop_file("idle", "15m", sensors),
        )?;
        ground.commit()?;
        Ok(ground)
    }

    /// So many loops of one sensor each in a small repository, each of which is due every so often.
    pub(crate) fn loops(count: usize, every: &str) -> Outcome<Self> {
        let ground = Self::empty(20, 1)?;
        for number in 0..count {
            let name = format!("idle-{number}");
            let folder = ground.top().join("loops").join(&name);
            fs::create_dir_all(&folder)?;
            fs::write(folder.join("LOOP.md"), loop_file(&name, every, 1))?;
        }
        ground.commit()?;
        Ok(ground)
    }

    /// Commits what there is; from the second time on with a link that leads nowhere and cannot be mended, each time another
    /// one, so that every sensor has news and every decider nothing to do.
    pub(crate) fn commit(&self) -> Outcome<()> {
        let top = self.top();
        let number = self.commits.get();
        self.commits.set(number + 1);
        if number > 0 {
            let news = format!("# News\n\n[gone](gone-{number}.md)\n");
            fs::write(top.join("docs/0/news.md"), news)?;
        }
        git(&top, &["add", "-A"])?;
        git(&top, &["commit", "-q", "-m", "a commit"])
    }

    fn empty(files: usize, sensors: usize) -> Outcome<Self> {
        let ground = Self {
            root: tempfile::tempdir()?,
            commits: Cell::new(0),
        };
        let top = ground.top();
        for sensor in 0..sensors {
            let folder = top.join("docs").join(sensor.to_string());
            fs::create_dir_all(&folder)?;
            for page in 0..PAGES {
                let next = (page + 1) % PAGES;
                fs::write(
                    folder.join(format!("page-{page}.md")),
                    format!("# Page\n\n[next](page-{next}.md)\n"),
                )?;
            }
        }
        for file in 0..files.saturating_sub(sensors * PAGES) {
            let folder = top.join("src").join((file / FILES_IN_A_FOLDER).to_string());
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(format!("{file}.txt")), format!("file {file}\n"))?;
        }
        git(&top, &["init", "-q", "-b", "main"])?;
        Ok(ground)
    }

    pub(crate) fn top(&self) -> PathBuf {
        self.root.path().join("project")
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.root.path().join("cache")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.top().join(".git/ringfence-state/idle")
    }
}

fn loop_file(name: &str, every: &str, sensors: usize) -> String {
    let sensors = (0..sensors).map(|id| {
        format!("[[sensor]]\nid = \"links-{id}\"\nplugin = \"std:md-links\"\npaths = {{ read = [\"docs/{id}/**\"] }}\n\n")
    });
    format!(
        "+++\nloop = \"{name}\"\nlevel = \"L2\"\n[cadence]\nevery = \"{every}\"\n[paths]\nread = [\"**\"]\nwrite = [\"**/*.md\"]\ndeny = [\"**/.env*\"]\n\n{}\
         [decider]\nplugin = \"std:first-fixable\"\n[[executor]]\nplugin = \"std:md-link-fix\"\n[[gate]]\nplugin = \"std:md-links\"\n\
         [budget]\nfuel_per_beat = \"50G\"\nfuel_per_day = \"2T\"\nbeats_per_day = 86400\n+++\nNothing to do.\n",
        sensors.collect::<String>()
    )
}

fn git(top: &Path, arguments: &[&str]) -> Outcome<()> {
    let mut command = Command::new("git");
    command.args([
        "-c",
        "user.name=User",
        "-c",
        "user.email=user@example.com",
        "-c",
        "gc.auto=0",
    ]);
    let status = command.args(arguments).current_dir(top).status()?;
    status
        .success()
        .then_some(())
        .ok_or_else(|| format!("git {arguments:?}: {status}").into())
}
