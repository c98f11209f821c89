//! A repository with a loop of five sensors, none of which finds anything.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;

const SENSORS: [&str; 5] = ["a", "b", "c", "d", "e"];
const PAGES: usize = 40;
const FILES_IN_A_FOLDER: usize = 100;

/// A repository in a temporary folder, with a cache of compiled components beside it.
pub(crate) struct Ground {
    root: tempfile::TempDir,
}

impl Ground {
    pub(crate) fn new(files: usize) -> Outcome<Self> {
        let ground = Self {
            root: tempfile::tempdir()?,
        };
        let top = ground.top();
        for sensor in SENSORS {
            let folder = top.join("docs").join(sensor);
            fs::create_dir_all(&folder)?;
            for page in 0..PAGES {
                let next = (page + 1) % PAGES;
                fs::write(
                    folder.join(format!("page-{page}.md")),
                    format!("# Page\n\n[next](page-{next}.md)\n"),
                )?;
            }
        }
        for file in 0..files.saturating_sub(SENSORS.len() * PAGES) {
            let folder = top.join("src").join((file / FILES_IN_A_FOLDER).to_string());
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(format!("{file}.txt")), format!("file {file}\n"))?;
        }
        fs::write(top.join("LOOP.md"), loop_file())?;
        git(&top, &["init", "-q", "-b", "main"])?;
        git(&top, &["add", "-A"])?;
        git(&top, &["commit", "-q", "-m", "first"])?;
        Ok(ground)
    }

    pub(crate) fn top(&self) -> PathBuf {
        self.root.path().join("project")
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.root.path().join("cache")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.top().join(".ringfence/idle")
    }
}

fn loop_file() -> String {
    let sensors = SENSORS.map(|id| {
        format!("[[sensor]]\nid = \"links-{id}\"\nplugin = \"std:md-links\"\npaths = {{ read = [\"docs/{id}/**\"] }}\n\n")
    });
    format!(
        "+++\nloop = \"idle\"\nlevel = \"L2\"\n[paths]\nread = [\"**\"]\nwrite = [\"**/*.md\"]\ndeny = [\"**/.env*\"]\n\n{}\
         [decider]\nplugin = \"std:first-fixable\"\n[[executor]]\nplugin = \"std:md-link-fix\"\n[[gate]]\nplugin = \"std:md-links\"\n\
         [budget]\nfuel_per_beat = \"50G\"\nfuel_per_day = \"2T\"\nbeats_per_day = 200\n+++\nNothing to do.\n",
        sensors.concat()
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
