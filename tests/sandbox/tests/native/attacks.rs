//! Ways out: other files, other processes, the network, the kernel.

use std::io::Write;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};

use ringfence_testkit::core::spec::Sandboxing;
use ringfence_testkit::sandbox::native::{self, NativeError};
use ringfence_tests_sandbox::native::script;

use crate::rig::{code, confined, helper, is_confined, run, text, tree, unconfined};

/// `attack` exits with 0 when it gets through: it does so unconfined, and must not confined.
#[track_caller]
fn stays_in(attack: &str) {
    let free = unconfined(attack);
    assert_eq!(
        free.ended,
        code(0),
        "it fails anyhow: {attack}\n{}",
        text(&free.stderr)
    );
    let held = confined(attack);
    assert_ne!(
        held.ended,
        code(0),
        "it gets through: {attack}\n{}",
        text(&held.stdout)
    );
}

/// As `stays_in`, where trying it unconfined would do harm, or is only for root.
#[track_caller]
fn fails(attack: &str) {
    let held = confined(&format!("echo began; {attack}"));
    assert_ne!(
        held.ended,
        code(0),
        "it gets through: {attack}\n{}",
        text(&held.stdout)
    );
    assert!(text(&held.stdout).starts_with("began"), "{attack}");
}

#[test]
fn files_of_the_machine() {
    if !is_confined() {
        return;
    }
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("id_ed25519");
    std::fs::write(&secret, "secret").unwrap();
    let secret = secret.display();
    stays_in(&format!("cat {secret}"));
    stays_in(&format!("ls {}", outside.path().display()));
    stays_in(&format!(
        "cat {}/Cargo.toml",
        ringfence_tests_sandbox::root().display()
    ));
    stays_in(&format!(
        "cat /tree/../..{secret} || cat /proc/self/root{secret}"
    ));
    stays_in(&format!("ln -s {secret} link && cat link"));
    stays_in("test -d /home -o -d /root -o -d /var");
    stays_in("test -e /sys/kernel -o -e /boot -o -e /run");
    fails("cat /etc/shadow");
    fails("cat /etc/ssl/private/*");
    // The first process has the old root behind it.
    for way in [
        "root/etc/passwd",
        "cwd/../etc/shadow",
        "environ",
        "mem",
        "fd/0",
        "fd/3",
    ] {
        fails(&format!("cat /proc/1/{way}"));
    }
    // What is in there is made up.
    assert_eq!(
        text(&confined("cat /etc/passwd").stdout),
        "user:x:1000:1000:user:/tmp/home:/bin/sh\n"
    );
}

/// Who becomes the program was in the machine before, and a script's first line is looked up while it still is who it was.
#[test]
fn files_of_the_process_before() {
    if !is_confined() {
        return;
    }
    let outside = tempfile::tempdir().unwrap();
    // Any user may get here.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(outside.path(), mode).unwrap();
    let shell = outside.path().join("sh");
    std::fs::copy("/bin/sh", &shell).unwrap();
    let shell = shell.display();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_native-run"));
    let beside = tempfile::tempdir_in(program.parent().unwrap()).unwrap();
    let tree = tree();
    let run = |how: &str, interpreter: &str| {
        let supervisor = beside.path().join("run");
        if !supervisor.exists() {
            std::fs::hard_link(program, &supervisor).unwrap();
        }
        let script = tree.path().join("script");
        let lines = format!("#!{interpreter}\necho through\n");
        std::fs::write(&script, lines).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&script, executable).unwrap();
        let mut command = std::process::Command::new(&supervisor);
        command.arg(how).arg(tree.path()).arg("./script");
        let said = text(&command.output().unwrap().stdout);
        said.trim().to_owned()
    };
    let ways = [
        "exe".to_owned(),
        format!("root/../..{shell}"),
        format!("cwd/../..{shell}"),
    ];
    let open = (0..14).map(|fd| format!("fd/{fd}/../..{shell}"));
    let ways = ways.into_iter().chain(open).chain(["fd/3".to_owned()]);
    for way in ways {
        let said = run("bare", &format!("/proc/self/{way}"));
        assert_eq!(said, "NotStarted", "{way}");
    }
    for how in ["bare", "replaced"] {
        let said = run(how, "/bin/sh");
        assert_eq!(said, "Exited { code: 0 } through", "{how}");
        let said = run(how, "/proc/self/fd/4");
        assert_eq!(said, "NotStarted", "{how}");
    }
    // What runs then is in memory, and says that it is no interpreter.
    assert!(!run("replaced", "/proc/self/exe").contains("through"));
}

/// What is open in the shell that begins the supervisor is open in the supervisor, too.
#[test]
fn files_that_are_open_outside() {
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    for how in ["full", "none"] {
        if how == "full" && !is_confined() {
            continue;
        }
        let tree = tree();
        let mut shell = std::process::Command::new("sh");
        shell.arg("-c").arg("exec 7<\"$1\"; cat <&7; exec 7<\"$1\"; \"$2\" \"$3\" \"$4\" 'cat <&7; ls /proc/self/fd | wc -l'");
        shell.args(["sh".as_ref(), secret.as_os_str()]);
        shell
            .args([env!("CARGO_BIN_EXE_native-run"), how])
            .arg(tree.path());
        let said = text(&shell.output().unwrap().stdout);
        assert!(said.starts_with("secretExited"), "{said}");
        assert_eq!(said.matches("secret").count(), 1, "{said}");
        assert!(
            said.trim_end().ends_with(" 4"),
            "the streams, and the listing itself: {said}"
        );
    }
}

/// What is private is shown nowhere, also where it lies in a directory that every program sees.
#[test]
fn the_project_under_its_own_name() {
    const USR: &str = "/usr";
    if !is_confined() {
        return;
    }
    let Ok(project) = tempfile::tempdir_in("/usr/local") else {
        eprintln!(
            "an ordinary user makes no project below {USR}: where it would be shown is tested in host/sandbox"
        );
        return;
    };
    for dir in [".git", ".git/state/tree", "tools"] {
        std::fs::create_dir_all(project.path().join(dir)).unwrap();
    }
    for file in [".env", ".git/config", ".git/state/tree/a", "tools/t"] {
        std::fs::write(project.path().join(file), "found").unwrap();
    }
    let top = project.path().to_owned();
    let look = format!(
        "cd {}/; cat .env .git/config .git/state/tree/a tools/t; ls -A; echo x > new; true",
        top.display()
    );
    let said = |private: &[&str], system: &[&str], tree: &str| {
        let mut command = script(&top.join(tree), &look);
        command.private = private.iter().map(|name| top.join(name)).collect();
        command.system = system.iter().map(|name| top.join(name)).collect();
        text(&run(&command).stdout)
    };
    let state = ".git/state/tree";
    assert_eq!(said(&["", ".git"], &[], state), "");
    assert_eq!(said(&["", ".git"], &["tools"], state), "foundtools\n");
    assert_eq!(
        said(&[".git", "none"], &[], state),
        "foundfound.env\n.git\ntools\n"
    );
    // The tree itself, without a word.
    assert_eq!(said(&[], &[], state), "foundfoundfound.env\n.git\ntools\n");
    assert_eq!(said(&[], &[], ""), "");
    let mut command = script(&top.join(state), "true");
    for private in [USR, "/"] {
        command.private = vec![private.into()];
        match native::run(helper(), &command) {
            Err(NativeError::Refused(why)) => assert!(why.contains("is of the system"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn nothing_outside_can_be_written() {
    if !is_confined() {
        return;
    }
    for place in [
        "/",
        "/usr",
        "/usr/bin",
        "/etc",
        "/dev",
        "/proc",
        "/proc/self",
    ] {
        fails(&format!("touch {place}/x"));
    }
    for path in [
        "/proc/sys/kernel/hostname",
        "/proc/sys/kernel/core_pattern",
        "/proc/self/oom_score_adj",
        "/proc/self/uid_map",
        "/etc/passwd",
        "/usr/bin/env",
        "/bin/sh",
    ] {
        fails(&format!("test -e {path} || exit 0; echo 1 > {path}"));
    }
    // Where another stands in for a file, it is an empty one of the sandbox's own.
    let covered = confined("stat -c '%F %s' /proc/sysrq-trigger /proc/kmsg 2>&1");
    let said = text(&covered.stdout);
    assert!(
        said.lines()
            .all(|line| line == "regular empty file 0" || line.contains("No such file")),
        "{said}"
    );
    fails("rm -f /usr/bin/env");
    fails("chmod 777 /usr/bin/env");
    fails("mknod /tmp/disk b 8 0");
    fails("mknod /tmp/null c 1 3 && echo > /tmp/null");
    // The devices are the machine's, and so would their modes and times be: these are what they are already.
    let changed = confined(
        "cd /dev; for f in null zero full random urandom /proc/kmsg /proc/sysrq-trigger; do chmod 666 $f && echo $f; touch -d \"$(stat -c %y $f)\" $f && echo $f; done; echo x > /proc/cmdline && echo cmdline; true",
    );
    assert_eq!(
        (text(&changed.stdout).as_str(), changed.ended),
        ("", code(0))
    );
    let used = confined(
        "echo x > /dev/null && echo x >> /dev/null && head -c 3 /dev/zero | wc -c && head -c 3 /dev/urandom | wc -c && ! echo x > /dev/full",
    );
    assert_eq!(
        (text(&used.stdout).as_str(), used.ended),
        ("3\n3\n", code(0))
    );
    let devices = text(&confined("ls /dev | tr '\\n' ' '").stdout);
    assert_eq!(
        devices,
        "fd full null random shm stderr stdin stdout urandom zero "
    );
}

#[test]
fn other_processes() {
    if !is_confined() {
        return;
    }
    let own = std::process::id();
    stays_in(&format!("test -e /proc/{own}/stat && kill -0 {own}"));
    // Of the whole machine there are the first process, the shell, and what it begins.
    let seen = confined("cd /proc; ls -d [0-9]* | wc -l");
    let count: u32 = text(&seen.stdout).trim().parse().unwrap();
    assert!((2..=5).contains(&count), "{count}");
    // Neither of these ends the watch or stops it.
    let alive = confined("kill -9 1; kill -STOP 1; kill -9 $PPID; kill -INT 1; sleep 0.2; exit 7");
    assert_eq!(alive.ended, code(7));
    let all = confined("trap '' TERM; kill -TERM -1; kill -STOP -1; exit 8");
    assert_eq!(all.ended, code(8));
}

/// Besides processes there is in `/proc` what programs look up, and nothing that names parts of the machine.
#[test]
fn the_machine_as_proc_tells_of_it() {
    if !is_confined() {
        return;
    }
    let seen = confined(
        "cd /proc; for f in cmdline config.gz diskstats interrupts iomem key-users keys modules partitions; do cat $f; done; ls -A bus/ driver/ fs/ | grep -v -e : -e '^$'; true",
    );
    assert_eq!((text(&seen.stdout).as_str(), seen.ended), ("", code(0)));
    let kept = confined(
        "cd /proc; for f in cpuinfo meminfo stat uptime loadavg filesystems mounts net/dev sys/vm/overcommit_memory self/status; do test -s $f || grep -q . $f || echo $f; done",
    );
    assert_eq!((text(&kept.stdout).as_str(), kept.ended), ("", code(0)));
}

#[test]
fn the_network() {
    if !is_confined() {
        return;
    }
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in server.incoming() {
            stream.unwrap().write_all(b"hello").unwrap();
        }
    });
    let connect = format!(
        "perl -MSocket -e 'socket(S,PF_INET,SOCK_STREAM,0) or die $!; connect(S,sockaddr_in({port},inet_aton(\"127.0.0.1\"))) or die $!; print <S>'"
    );
    stays_in(&connect);
    let tree = tree();
    let mut allowed = script(tree.path(), &connect);
    allowed.network = true;
    assert_eq!(text(&run(&allowed).stdout), "hello", "where it is declared");
    let itself = "perl -MSocket -e 'socket(L,PF_INET,SOCK_STREAM,0); bind(L,sockaddr_in(0,INADDR_LOOPBACK)) or die $!; listen(L,1); socket(S,PF_INET,SOCK_STREAM,0); connect(S,getsockname(L)) or die $!; print 1'";
    assert_eq!(
        text(&confined(itself).stdout),
        "1",
        "a program can talk to itself"
    );
    let devices = confined("cat /proc/net/dev | tail -n +3 | cut -d: -f1");
    assert_eq!(text(&devices.stdout).trim(), "lo");
}

#[test]
fn sockets_of_services() {
    if !is_confined() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("docker.sock");
    let _named = UnixListener::bind(&path).unwrap();
    let name = format!("ringfence-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let _abstract = UnixListener::bind_addr(&address).unwrap();
    let connect = |to: &str| {
        format!(
            "perl -MSocket -e 'socket(S,PF_UNIX,SOCK_STREAM,0) or die $!; connect(S,pack(\"S a*\",1,{to})) or die $!'"
        )
    };
    let file = connect(&format!("\"{}\\0\"", path.display()));
    let abstract_name = connect(&format!("\"\\0{name}\""));
    for attack in [&file, &abstract_name] {
        stays_in(attack);
        // The network namespace is the machine's own now.
        let tree = tree();
        let mut with_network = script(tree.path(), attack);
        with_network.network = true;
        assert_ne!(run(&with_network).ended, code(0), "{attack}");
    }
}

/// Who has one end of a pair that sends single messages could send them anywhere, where Landlock does not hold that.
#[test]
fn sockets_of_services_without_landlock() {
    if !is_confined() {
        return;
    }
    let name = format!("ringfence-single-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let service = UnixDatagram::bind_addr(&address).unwrap();
    service.set_nonblocking(true).unwrap();
    let pair = |kind: &str| format!("socketpair(A,B,PF_UNIX,{kind},0) or exit 3;");
    let to_service = format!("send(A,\"x\",0,pack(\"S a*\",1,\"\\0{name}\")) or exit 4;");
    let single = format!("perl -MSocket -e '{} {to_service}'", pair("SOCK_DGRAM"));
    let raw = format!("perl -MSocket -e '{} {to_service}'", pair("SOCK_RAW"));
    assert_eq!(unconfined(&single).ended, code(0));
    service.recv(&mut [0; 9]).unwrap();
    let program = env!("CARGO_BIN_EXE_native-run");
    let run = |attack: &str| {
        let tree = tree();
        let mut command = std::process::Command::new(program);
        command.arg("bare-network").arg(tree.path()).arg(attack);
        text(&command.output().unwrap().stdout)
    };
    for attack in [&single, &raw] {
        assert_eq!(run(attack).trim(), "Exited { code: 3 }", "{attack}");
    }
    let came = service.recv(&mut [0; 9]).unwrap_err();
    assert_eq!(came.kind(), std::io::ErrorKind::WouldBlock);
    for kind in ["SOCK_STREAM", "SOCK_SEQPACKET", "SOCK_STREAM|SOCK_CLOEXEC"] {
        let talk = "syswrite(A, \"x\") == 1 or exit 5; sysread(B, $x, 9) == 1 or exit 6;";
        let said = run(&format!("perl -MSocket -e '{} {talk}'", pair(kind)));
        assert_eq!(said.trim(), "Exited { code: 0 }", "{kind}");
    }
}

#[test]
fn rights() {
    if !is_confined() {
        return;
    }
    let status = confined(
        "id -u; id -g; grep -E '^(Cap(Prm|Eff|Amb|Inh)|NoNewPrivs|Seccomp):' /proc/self/status",
    );
    let said = text(&status.stdout);
    let none = "0000000000000000";
    let expect = format!(
        "1000\n1000\nCapInh:\t{none}\nCapPrm:\t{none}\nCapEff:\t{none}\nCapAmb:\t{none}\nNoNewPrivs:\t1\nSeccomp:\t2\n"
    );
    assert_eq!(said, expect);
    // A file that gives its owner's rights to whoever runs it gives none.
    let setuid = confined("cp /usr/bin/id /tmp/id && chmod 4755 /tmp/id && /tmp/id -u");
    assert_eq!(text(&setuid.stdout), "1000\n");
    fails("chown 0 a.txt");
    fails("mount -t tmpfs x /tmp");
    fails("unshare -Ur true");
    fails("perl -e '$) = 0; $> = 0; exit($> == 0 ? 0 : 1)'");
    // No more of the machine than is good for everybody else on it.
    let most =
        "[ $(ulimit -H -n) -le 4096 ] && [ $(ulimit -H -l) -le 64 ] && [ $(ulimit -H -c) = 0 ]";
    assert_eq!(confined(most).ended, code(0));
    let limits = confined(
        "sed -En 's/^Max (pending signals|msgqueue size|nice priority|realtime priority) +[^ ]+ +([^ ]+).*/\\2/p' /proc/self/limits",
    );
    let limits = text(&limits.stdout);
    let (pending, rest) = limits.split_once('\n').unwrap();
    assert!(pending.parse::<u64>().unwrap() <= 4096, "{limits}");
    assert_eq!(rest, "0\n0\n0\n");
}

/// System calls by their numbers, which Perl can make.
#[cfg(target_arch = "x86_64")]
#[test]
fn the_kernel() {
    const ENOSYS: &str = "38";
    if !is_confined() {
        return;
    }
    let calls = [
        ("ptrace, attach", "101, 16, 1, 0, 0"),
        ("ptrace, trace me", "101, 0, 0, 0, 0"),
        ("mount", "165, 0, 0, 0, 0, 0"),
        ("umount2", "166, 0, 2"),
        ("pivot_root", "155, 0, 0"),
        ("chroot", "161, 0"),
        ("unshare, users", "272, 0x10000000"),
        ("unshare, mounts", "272, 0x00020000"),
        ("setns", "308, 0, 0"),
        ("clone, users", "56, 0x10000011, 0, 0, 0, 0"),
        ("clone3", "435, 0, 0"),
        ("add_key", "248, 0, 0, 0, 0, 0"),
        ("request_key", "249, 0, 0, 0, 0"),
        ("keyctl", "250, 0, 0, 0, 0, 0"),
        ("bpf", "321, 0, 0, 0"),
        ("perf_event_open", "298, 0, 0, 0, 0, 0"),
        ("io_uring_setup", "425, 1, 0"),
        ("userfaultfd", "323, 1"),
        ("process_vm_readv", "310, 1, 0, 0, 0, 0, 0"),
        ("pidfd_getfd", "438, 0, 0, 0"),
        ("open_by_handle_at", "304, 0, 0, 0"),
        ("fsopen", "430, 0, 0"),
        ("open_tree", "428, 0, 0, 0"),
        ("mount_setattr", "442, 0, 0, 0, 0, 0"),
        ("init_module", "175, 0, 0, 0"),
        ("kexec_load", "246, 0, 0, 0, 0"),
        ("syslog", "103, 3, 0, 0"),
        ("a netlink socket", "41, 16, 3, 0"),
        ("a packet socket", "41, 17, 3, 0"),
        ("a socket to the host of a virtual machine", "41, 40, 1, 0"),
        ("TIOCSTI", "16, 0, 0x5412, 0"),
        (
            "TIOCSTI, with more in the register",
            "16, 0, 0x100005412, 0",
        ),
        ("TIOCLINUX", "16, 0, 0x541C, 0"),
        ("personality, to be read everywhere", "135, 0x0400000"),
        ("memory that is a file", "319, 0, 0"),
        ("a message queue", "240, 0, 0, 0, 0"),
        ("an old message queue", "68, 0, 0x3b6"),
        ("semaphores", "64, 0, 1, 0x3b6"),
        ("much shared memory", "29, 0, 0x100000, 0x3b6"),
        (
            "shared memory, with more in the register",
            "29, 0, 0x100000001, 0x3b6",
        ),
        ("large shared pages", "29, 0, 1, 0xbb6"),
        ("vmsplice", "278, 1, 0, 0, 0"),
        ("the limits of the watch", "302, 1, 0, 0, 0"),
        ("the processors of the watch", "203, 1, 8, 0"),
        ("how the watch takes turns", "144, 1, 5, 0"),
        ("the priority of the watch", "141, 0, 1, 19"),
        ("the priority of a group", "141, 1, 1, 19"),
        ("the priority of a user", "141, 2, 0, 19"),
        ("a lease of a file", "72, 0, 1024, 0"),
        ("a watch of a file, without a limit", "72, 0, 1026, 0"),
        (
            "a lease, with more in the register",
            "72, 0, 0x100000400, 0",
        ),
        ("Landlock, rules", "444, 0, 0, 1"),
        ("Landlock, a rule", "445, 0, 0, 0, 0"),
        ("Landlock, restricted", "446, 0, 0"),
        ("asynchronous reading", "206, 1, 0"),
        ("first at the disk", "251, 1, 0, 0"),
        ("every disk written to", "162"),
        ("a disk written to", "306, 0"),
        ("mount, by its x32 number", "0x400000a5, 0, 0, 0, 0, 0"),
        ("ptrace, by its x32 number", "0x40000209, 0, 0, 0, 0"),
    ];
    let lines = calls.map(|(_, call)| {
        format!("$! = 0; $r = syscall({call}); print $r == -1 ? $! + 0 : \"through\", \"\\n\";")
    });
    let ran = confined(&format!("perl -e '{}'", lines.concat()));
    let said = text(&ran.stdout);
    for ((what, _), answer) in calls.iter().zip(said.lines()) {
        assert_eq!(answer, ENOSYS, "{what}");
    }
    assert_eq!(
        said.lines().count(),
        calls.len(),
        "{:?} {}",
        ran.ended,
        text(&ran.stderr)
    );
    // What is like them, and harmless.
    let own = confined(
        "ulimit -n 100 && nice -n 5 true && perl -e 'exit(defined shmget(0, 4096, 0600) ? 0 : 1)'",
    );
    assert_eq!(own.ended, code(0), "{}", text(&own.stderr));
    // The same calls exist for whoever is not confined.
    let free = unconfined(
        "perl -e 'syscall(425, 0, 0); print $!+0, \" \"; syscall(165, 0, 0, 0, 0, 0); print $!+0'",
    );
    assert!(
        !text(&free.stdout).contains(ENOSYS),
        "{}",
        text(&free.stdout)
    );
}

#[test]
fn the_environment_is_the_declared_one() {
    if !is_confined() {
        return;
    }
    let tree = tree();
    let mut command = script(
        tree.path(),
        "env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD= | sort; pwd; echo $0; cat; hostname; test -t 0 && echo terminal",
    );
    command.env.insert("CI".to_owned(), "true".to_owned());
    command
        .env
        .insert("TZ".to_owned(), "Europe/Berlin".to_owned());
    for sandbox in [Sandboxing::Full, Sandboxing::None] {
        command.sandbox = sandbox;
        let said = text(&run(&command).stdout);
        let mut lines = said.lines();
        assert_eq!(lines.next(), Some("CI=true"));
        assert!(lines.next().unwrap().starts_with("HOME=/tmp/"));
        let rest: Vec<&str> = lines.collect();
        assert_eq!(
            rest[..2],
            [
                "LANG=C.UTF-8",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
            ]
        );
        assert_eq!(rest[2], "TZ=Europe/Berlin");
        if sandbox == Sandboxing::Full {
            assert_eq!(rest[3..], ["/tree", "sh", "sandbox"]);
        }
    }
}
