//! `ringfence install-service`: units for systemd.
//!
//! **Invariant:** nothing is written or started; what is printed runs what the command line names, quoted so that systemd
//! changes nothing of it.

use std::path::{Path, PathBuf};

use ringfence_runner::scheduler::Search;

use super::{Context, Stop};
use crate::args::InstallService;
use crate::exit::Exit;
use crate::render::{Safe, text};

/// Where the program is taken to be when it is not in `PATH`.
const USUAL_PLACE: &str = "/usr/local/bin/ringfence";

/// Kept out of the program as a whole. Each step has the sandbox's fence besides, which these leave room for.
const FENCE: &str = "\
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
UMask=0077
Nice=10
TasksMax=1024
";

/// What only the system's own systemd can give.
const SYSTEM_FENCE: &str = "\
ProtectSystem=strict
PrivateTmp=yes
ProtectControlGroups=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectClock=yes
ProtectHostname=yes
RestrictNamespaces=yes
CapabilityBoundingSet=
CacheDirectory=ringfence
Environment=XDG_CACHE_HOME=%C
";

/// Prints the units.
pub(super) fn run(args: &InstallService, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let units = Units::new(args, context)?;
    let text = if args.timer {
        format!("{}\n{}", units.service(), units.timer())
    } else {
        units.service()
    };
    context.console.print_text(&text);
    Ok(Exit::Done)
}

struct Units {
    user: bool,
    timer: bool,
    /// A name for the files.
    name: String,
    /// Quoted.
    command: String,
    /// The folder that everything is in, as systemd spells it.
    dir: String,
    /// Whom it belongs to.
    owner: u32,
}

impl Units {
    fn new(args: &InstallService, context: &Context<'_, '_>) -> Result<Self, Stop> {
        let mut words = vec![program(context), "run".into()];
        if args.timer {
            words.push("--once".into());
        }
        let dir = match context.search(&args.loops) {
            Search::Below(dir) => {
                let dir = real(&dir)?;
                words.extend(["--all".into(), dir.clone()]);
                dir
            }
            Search::Project(dir) => real(&dir)?,
            Search::Files(files) => {
                let files: Vec<PathBuf> = files
                    .iter()
                    .map(|file| real(file))
                    .collect::<Result<_, _>>()?;
                words.extend(files);
                real(&context.dir)?
            }
        };
        let command: Vec<String> = words
            .iter()
            .map(|word| Ok(format!("\"{}\"", escaped(word, true)?)))
            .collect::<Result<_, Stop>>()?;
        Ok(Self {
            user: args.user,
            timer: args.timer,
            name: name(&dir),
            command: command.join(" "),
            owner: owner(&dir)?,
            dir: escaped(&dir, false)?,
        })
    }

    fn place(&self, kind: &str) -> String {
        let folder = if self.user {
            "~/.config/systemd/user"
        } else {
            "/etc/systemd/system"
        };
        format!("{folder}/{}.{kind}", self.name)
    }

    fn control(&self) -> &'static str {
        if self.user {
            "systemctl --user"
        } else {
            "systemctl"
        }
    }

    fn service(&self) -> String {
        let Self { command, dir, .. } = self;
        let mut out = format!("# {}\n", self.place("service"));
        if !self.timer {
            out += &self.how_to_start("service");
        }
        out += &format!("[Unit]\nDescription=Ringfence: loops in {dir}\n\n[Service]\n");
        out += if self.timer {
            // A change that was refused, or a person who is waited for, is no failure of the service.
            "Type=oneshot\nSuccessExitStatus=1 3 4 5\n"
        } else {
            "Type=exec\nRestart=on-failure\nRestartSec=30s\n"
        };
        out += &format!("WorkingDirectory={dir}\nExecStart={command}\n");
        // Only the program itself is asked to end: it waits for the step that it is at.
        out += "KillMode=mixed\nTimeoutStopSec=5min\n";
        if !self.user {
            out += &format!(
                "User={}\nReadWritePaths=\"{dir}\"\n{SYSTEM_FENCE}",
                self.owner
            );
        }
        out += FENCE;
        if !self.timer {
            let target = if self.user {
                "default.target"
            } else {
                "multi-user.target"
            };
            out += &format!("\n[Install]\nWantedBy={target}\n");
        }
        out
    }

    fn timer(&self) -> String {
        format!(
            "# {}\n{}[Unit]\nDescription=Ringfence: looks for loops that are due\n\n[Timer]\nOnCalendar=*:0/5\n\
             RandomizedDelaySec=30s\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n",
            self.place("timer"),
            self.how_to_start("timer")
        )
    }

    fn how_to_start(&self, kind: &str) -> String {
        let (control, name) = (self.control(), &self.name);
        let mut out =
            format!("# {control} daemon-reload && {control} enable --now {name}.{kind}\n");
        if self.user {
            out += "# To run while you are not logged in: loginctl enable-linger\n";
        }
        out
    }
}

/// The program as it is found in `PATH`, else this very one.
fn program(context: &Context<'_, '_>) -> PathBuf {
    let folders = std::env::split_paths(&context.search_path);
    folders
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join("ringfence"))
        .find(|file| file.is_file())
        .or_else(|| {
            let own = std::env::current_exe().ok()?;
            (own.file_name()? == "ringfence").then_some(own)
        })
        .unwrap_or_else(|| PathBuf::from(USUAL_PLACE))
}

fn real(path: &Path) -> Result<PathBuf, Stop> {
    std::fs::canonicalize(path).map_err(|error| {
        let what = text![Safe::path(path), " cannot be read: ", Safe::error(&error)];
        Stop::new(Exit::Usage, what)
    })
}

fn owner(path: &Path) -> Result<u32, Stop> {
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::metadata(path).map_err(|error| Stop::error(Exit::Usage, &error))?;
    Ok(meta.uid())
}

/// `ringfence-` and the folder's name, as far as a unit can be called that.
fn name(dir: &Path) -> String {
    let folder = dir.file_name().unwrap_or_default().to_string_lossy();
    let kept: String = folder
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') {
                c
            } else {
                '-'
            }
        })
        .take(100)
        .collect();
    format!("ringfence-{kept}")
}

/// A path as systemd reads it back: as a word of a command, or as a whole value.
fn escaped(path: &Path, is_word: bool) -> Result<String, Stop> {
    let text = path
        .to_str()
        .filter(|text| !text.chars().any(char::is_control));
    let Some(text) = text else {
        let what = text![Safe::path(path), " cannot be written into a unit file"];
        return Err(Stop::new(Exit::Usage, what));
    };
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '%' => out.push_str("%%"),
            '$' if is_word => out.push_str("$$"),
            '"' | '\\' if is_word => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    Ok(out)
}
