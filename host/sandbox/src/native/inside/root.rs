//! The root of a confined program: what it can see, and where it can write.
//!
//! A file system in memory becomes the root, the machine's own moves below `/old` for as long as this takes, and what the
//! program gets is shown at `/new`, which is the root in the end. The program never sees the other two.
//!
//! **Invariant:** nothing is shown that is not listed here or in the order, and nothing that the order covers. Everything shown is read-only; what can be written
//! (the layer above the tree, `/tmp`, `/dev/shm`) is one file system in memory of the size that the order gives.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::super::TREE;
use super::super::talk::Order;
use super::kernel::{self, Flags, detach, mount};
use super::rights::tasks_max;
use super::{Trouble, USER, below, mounts};

const OLD: &str = "/old";
const NEW: &str = "/new";
/// Every system has this directory.
const BASE: &str = "/tmp";
/// Programs and libraries. On most systems all but one are links into it.
pub(in super::super) const SYSTEM: &[&str] = &[
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
];
/// What libraries and interpreters look up; nothing that names a person or a secret.
const ETC: &[&str] = &[
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "crypto-policies",
    "debian_version",
    "fonts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "mime.types",
    "os-release",
    "perl",
    "pki/ca-trust",
    "pki/tls/certs",
    "ssl/certs",
    "ssl/openssl.cnf",
];
/// The same, with a version in the name.
const ETC_BEGINNING: &[&str] = &["java-", "python3"];
const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom"];
const STREAMS: &[(&str, &str)] = &[
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];
// Limit: an empty file for each thing that is shown, and one for each that is hidden.
const SKELETON: &str = "size=64m,nr_inodes=262144,mode=755";
// Limit: each file costs a kibibyte of the kernel's memory besides its bytes; half a million fit where four gibibytes do.
const BYTES_FOR_EACH_FILE: u64 = 8 << 10;
/// The kernel gives so many of the lowest numbers once only.
const NUMBERS_KEPT: u64 = 301;
/// Directories of the sandbox's own, and a small program's scratch files.
const FILES_AT_LEAST: u64 = 256;

/// What programs look up in `/proc` besides processes; the rest of it tells of the machine, and is covered.
const PROC: &[&str] = &[
    "cgroups",
    "cpuinfo",
    "filesystems",
    "loadavg",
    "meminfo",
    "stat",
    "swaps",
    "sys",
    "uptime",
    "version",
    "vmstat",
];
/// An empty file and an empty directory, for covering.
const EMPTY_FILE: &str = "/empty-file";
const EMPTY_DIR: &str = "/empty-dir";

/// What is left of the building when it is done.
pub(super) struct Root {
    /// What the program writes in the tree.
    pub(super) written: OwnedFd,
    /// This process's directory in a `/proc` that can be written.
    pub(super) this: OwnedFd,
}

/// Makes the root and moves into it.
pub(super) fn build(order: &Order, hidden: &[PathBuf]) -> Result<Root, Trouble> {
    let part = |what: &'static str| move |error: io::Error| Trouble::missing(what, error);
    kernel::name_host("sandbox").map_err(part("UTS namespaces"))?;
    let this = move_out().map_err(part("a new root"))?;
    scratch(order).map_err(part("scratch space in memory"))?;
    system(order)?;
    etc(order).map_err(part("a new root"))?;
    devices().map_err(part("devices"))?;
    tree(order, hidden)?;
    processes(order).map_err(part("/proc"))?;
    let written = mounts::open_dir(Path::new("/scratch/upper")).map_err(part("a new root"))?;
    move_in().map_err(part("a new root"))?;
    Ok(Root { written, this })
}

/// Puts an empty root in the place of the machine's own.
fn move_out() -> io::Result<OwnedFd> {
    let everything = Path::new("/");
    let private = Flags::PRIVATE.and(Flags::ALL_BELOW);
    mount(Path::new(""), everything, "", private, "")?;
    mounts::memory(Path::new(BASE), SKELETON)?;
    fs::create_dir(Path::new(BASE).join("old"))?;
    std::env::set_current_dir(BASE)?;
    rustix::process::pivot_root(".", "old")?;
    std::env::set_current_dir("/")?;
    mounts::memory(Path::new(NEW), SKELETON)?;
    mounts::open_path(&below(OLD, Path::new("/proc/self")))
}

/// Programs and libraries, and what the order adds.
fn system(order: &Order) -> Result<(), Trouble> {
    for path in SYSTEM.iter().map(Path::new) {
        let shown = same(path);
        shown.map_err(|error| Trouble::missing(&path.display().to_string(), error))?;
    }
    let covered = || order.covered.iter().map(|path| below(NEW, path));
    let hide = |error| Trouble::failed("hiding what is private", error);
    for at in covered() {
        mounts::memory(&at, SKELETON).map_err(hide)?;
    }
    for shown in &order.shown {
        let at = below(NEW, &shown.at);
        mounts::show(&below(OLD, &shown.from), &at).map_err(|error| {
            let path = shown.at.display();
            Trouble::Refused(format!("{path} cannot be shown: {error}"))
        })?;
    }
    for at in covered() {
        mounts::read_only(&at, Flags::NO_PROGRAMS).map_err(hide)?;
    }
    Ok(())
}

/// Shows what stands at `path` under the same name, if there is anything; a link as a link.
fn same(path: &Path) -> io::Result<()> {
    let (from, at) = (below(OLD, path), below(NEW, path));
    let kind = match fs::symlink_metadata(&from) {
        Ok(found) => found.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if let Some(dir) = at.parent() {
        fs::create_dir_all(dir)?;
    }
    if kind.is_symlink() {
        symlink(fs::read_link(from)?, at)
    } else {
        mounts::show(&from, &at)
    }
}

/// True for what stands in, or is, a part of `/etc` that every program sees.
pub(in super::super) fn is_of_etc(path: &Path) -> bool {
    let Ok(name) = path.strip_prefix("/etc") else {
        return false;
    };
    let first = name.iter().next().and_then(|name| name.to_str());
    let begins = |first: &str| ETC_BEGINNING.iter().any(|start| first.starts_with(start));
    ETC.iter().any(|part| name.starts_with(part)) || first.is_some_and(begins)
}

fn etc(order: &Order) -> io::Result<()> {
    let etc = Path::new("/etc");
    let part = |name: &Path| {
        let path = etc.join(name);
        let is_shown = order.shown.iter().any(|one| path.starts_with(&one.at));
        if is_shown { Ok(()) } else { same(&path) }
    };
    let at = below(NEW, etc);
    fs::create_dir_all(&at)?;
    for name in ETC {
        part(Path::new(name))?;
    }
    for entry in fs::read_dir(below(OLD, etc))? {
        let name = entry?.file_name();
        let named = |start: &&str| name.to_str().is_some_and(|name| name.starts_with(*start));
        if ETC_BEGINNING.iter().any(named) {
            part(Path::new(&name))?;
        }
    }
    // Nobody else is known in there.
    let user = format!("user:x:{USER}:{USER}:user:/tmp/home:/bin/sh\n");
    for (name, text) in [
        ("passwd", user.as_str()),
        ("group", &format!("user:x:{USER}:\n")),
        (
            "nsswitch.conf",
            "passwd: files\ngroup: files\nhosts: files dns\n",
        ),
        ("hostname", "sandbox\n"),
    ] {
        fs::write(at.join(name), text)?;
    }
    let hosts = at.join("hosts");
    // With a network, the machine's own is shown.
    if fs::symlink_metadata(&hosts).is_err() {
        fs::write(
            hosts,
            "127.0.0.1 localhost sandbox\n::1 localhost sandbox\n",
        )?;
    }
    Ok(())
}

fn devices() -> io::Result<()> {
    let dev = below(NEW, Path::new("/dev"));
    fs::create_dir_all(&dev)?;
    for name in DEVICES {
        mounts::device(&below(OLD, Path::new("/dev")).join(name), &dev.join(name))?;
    }
    for (name, to) in STREAMS {
        symlink(to, dev.join(name))?;
    }
    Ok(())
}

/// The one place where anything can be written.
fn scratch(order: &Order) -> io::Result<()> {
    let size = order.limits.disk.0;
    let files = size / BYTES_FOR_EACH_FILE + FILES_AT_LEAST;
    let data = format!("size={size},nr_inodes={files},mode=700");
    mounts::memory(Path::new("/scratch"), &data)?;
    for (name, mode) in [
        ("upper", 0o755),
        ("work", 0o700),
        ("tmp", 0o1777),
        ("tmp/home", 0o700),
        ("shm", 0o1777),
    ] {
        let path = Path::new("/scratch").join(name);
        fs::create_dir(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
    }
    mounts::bind(Path::new("/scratch/tmp"), &below(NEW, Path::new("/tmp")))?;
    mounts::bind(
        Path::new("/scratch/shm"),
        &below(NEW, Path::new("/dev/shm")),
    )
}

/// The tree: what is written lies above it, what hides lies between.
fn tree(order: &Order, hidden: &[PathBuf]) -> Result<(), Trouble> {
    let lower = Path::new("/lower");
    mounts::bind(&below(OLD, &order.tree), lower).map_err(|error| {
        let path = order.tree.display();
        Trouble::Refused(format!(
            "the tree {path} cannot be shown, as when something is mounted in it: {error}"
        ))
    })?;
    let hide = |error| Trouble::failed("hiding what is denied", error);
    for path in hidden {
        white_out(lower, path).map_err(hide)?;
    }
    let layers = if hidden.is_empty() {
        "/lower"
    } else {
        "/hidden:/lower"
    };
    let at = below(NEW, Path::new(TREE));
    let data = format!("lowerdir={layers},upperdir=/scratch/upper,workdir=/scratch/work,userxattr");
    let flags = Flags::NO_SETUID.and(Flags::NO_DEVICES);
    fs::create_dir_all(&at)
        .and_then(|()| mount(Path::new("overlay"), &at, "overlay", flags, &data))
        .map_err(|error| Trouble::missing("overlay file systems", error))
}

/// Hides one path; the directories on the way to it look as they do in the tree.
fn white_out(lower: &Path, path: &Path) -> io::Result<()> {
    let top = Path::new("/hidden");
    let dirs: Vec<&Path> = path.ancestors().skip(1).collect();
    for dir in dirs.into_iter().rev() {
        let at = top.join(dir);
        if fs::symlink_metadata(&at).is_err() {
            fs::create_dir(&at)?;
            fs::set_permissions(&at, fs::metadata(lower.join(dir))?.permissions())?;
        }
    }
    mounts::white_out(&top.join(path))
}

/// The processes of this namespace. Nothing of it can be written, so nothing of the machine can be set.
fn processes(order: &Order) -> io::Result<()> {
    let at = below(NEW, Path::new("/proc"));
    fs::create_dir_all(&at)?;
    let flags = Flags::NO_SETUID
        .and(Flags::NO_DEVICES)
        .and(Flags::NO_PROGRAMS);
    mount(Path::new("proc"), &at, "proc", flags, "")?;
    // Kernels since 6.14 have as many numbers for the processes of a namespace as it says. Others have a limit for each user,
    // which does not hold for root, and the watch.
    let numbers = tasks_max(order).saturating_add(NUMBERS_KEPT);
    fs::write(at.join("sys/kernel/pid_max"), numbers.to_string()).unwrap_or_default();
    mounts::read_only(&at, Flags::NO_PROGRAMS)?;
    fs::write(EMPTY_FILE, "")?;
    fs::create_dir(EMPTY_DIR)?;
    for entry in fs::read_dir(&at)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_kept = name.to_str().is_some_and(|name| {
            PROC.contains(&name) || name.bytes().all(|byte| byte.is_ascii_digit())
        });
        let kind = entry.file_type()?;
        // Links lead to processes.
        if is_kept || kind.is_symlink() {
            continue;
        }
        let empty = if kind.is_dir() { EMPTY_DIR } else { EMPTY_FILE };
        mounts::cover(Path::new(empty), &entry.path())?;
    }
    Ok(())
}

/// Leaves what is left of the building behind.
fn move_in() -> io::Result<()> {
    mounts::read_only(Path::new(NEW), Flags::NONE)?;
    std::env::set_current_dir(NEW)?;
    rustix::process::pivot_root(".", ".")?;
    // What was the root lies above the new one at the same place.
    detach(Path::new("."))?;
    std::env::set_current_dir("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_listed_is_a_secret() {
        for name in [
            "shadow",
            "gshadow",
            "sudoers",
            "ssh",
            "ssl",
            "ssl/private",
            "passwd",
            "krb5.keytab",
        ] {
            assert!(!ETC.contains(&name), "{name}");
            assert!(
                !ETC_BEGINNING.iter().any(|start| name.starts_with(start)),
                "{name}"
            );
        }
    }
}
