//! What goes on until it is stopped: `status --watch` and `metrics --listen`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::rig::{PROGRAM, Rig};

// Limit: a machine that is so slow fails other tests first.
const WAIT: Duration = Duration::from_secs(120);

/// A program that goes on, and the lines that it prints.
struct Going {
    child: Child,
    lines: Receiver<String>,
}

impl Going {
    fn begin(rig: &Rig, args: &[&str]) -> Self {
        let mut command = rig.hermetic(PROGRAM);
        let mut child = command
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (send, lines) = channel();
        let streams: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for stream in streams {
            let send = send.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines() {
                    if send.send(line.unwrap()).is_err() {
                        return;
                    }
                }
            });
        }
        Self { child, lines }
    }

    /// The next line with these words in it.
    fn line(&self, words: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(WAIT);
            let line = line.unwrap_or_else(|_| panic!("no line with {words:?}"));
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Ends it as a person does.
    fn interrupt(mut self) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::INT).unwrap();
        let status = self.child.wait().unwrap();
        let is_interrupted = status.signal() == Some(2) || status.code() == Some(130);
        assert!(is_interrupted || status.code() == Some(0), "{status}");
        let rest: Vec<String> = self.lines.iter().collect();
        assert!(
            rest.iter().all(|line| !line.contains("panicked")),
            "{rest:?}"
        );
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }
}

#[test]
fn a_watched_loop_says_what_happens() {
    let rig = Rig::small_with_loop();
    let one = Going::begin(&rig, &["status", "--watch"]);
    let many = Going::begin(&rig, &["status", "--watch", "--all", "."]);
    one.line("no beat has run yet");
    many.line("docs-links");
    rig.beat(0);
    for going in [&one, &many] {
        let line = going.line("proposed: ");
        assert!(
            line.contains("docs-links beat 1: proposed: ringfence/docs-links/1"),
            "{line}"
        );
        assert!(!line.contains('\u{1b}'), "{line:?}");
    }
    rig.beat(0);
    one.line("docs-links beat 2: ");
    one.interrupt();
    many.interrupt();
}

#[test]
fn a_collector_is_served_until_it_ends() {
    let rig = Rig::small_with_loop();
    let going = Going::begin(&rig, &["metrics", "--all", ".", "--listen", "127.0.0.1:0"]);
    let line = going.line("serving http://");
    let address = line
        .strip_prefix("serving http://")
        .and_then(|rest| rest.split_once("/metrics"))
        .unwrap()
        .0
        .to_owned();
    let ask = || {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(WAIT)).unwrap();
        let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        assert!(said.starts_with("HTTP/1.1 200 OK\r\n"), "{said}");
        said
    };
    assert!(!ask().contains("ringfence_beats_total{"));
    rig.beat(0);
    let said = ask();
    assert!(said.contains("outcome=\"proposed\"} 1\n"), "{said}");
    going.interrupt();
}
