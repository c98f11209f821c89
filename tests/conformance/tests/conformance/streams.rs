//! What passes through: stdin, stdout, stderr, as bytes.

use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::thread;

use crate::rig::Rig;

/// Every byte there is, in turn.
fn all_bytes(count: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(count).collect()
}

fn piped(rig: &Rig, args: &[&str]) -> Child {
    rig.exec(&["--report", "report.json"], args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs the guest with `bytes` on stdin; what it printed, and how it ended.
fn fed(args: &[&str], bytes: Vec<u8>) -> (Vec<u8>, Option<i32>) {
    let rig = Rig::new();
    let mut child = piped(&rig, args);
    let mut stdin = child.stdin.take().unwrap();
    // Nobody has to read it all.
    let feeding = thread::spawn(move || drop(stdin.write_all(&bytes)));
    let output = child.wait_with_output().unwrap();
    feeding.join().unwrap();
    (output.stdout, output.status.code())
}

#[test]
fn bytes_pass_through_as_they_are() {
    for bytes in [
        vec![],
        vec![0],
        b"no end of line".to_vec(),
        all_bytes(1 << 20),
    ] {
        assert!(fed(&["cat"], bytes.clone()) == (bytes, Some(0)));
    }
}

#[test]
fn a_lot_of_input_arrives() {
    let ended = fed(&["count"], all_bytes(8 << 20));
    assert_eq!(ended, (b"8388608\n".to_vec(), Some(0)));
}

#[test]
fn input_that_nobody_reads_holds_nothing_up() {
    assert_eq!(fed(&["exit", "3"], all_bytes(8 << 20)), (vec![], Some(3)));
}

#[test]
fn no_input_is_an_end() {
    let ran = Rig::new().run(&[], &["count"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "0\n"));
}

/// A program that waits for input meets its deadline.
#[test]
fn input_that_does_not_come_is_waited_for_no_longer_than_the_deadline() {
    let rig = Rig::new();
    let mut child = rig
        .exec(&["--deadline", "300ms"], &["count"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let stdin = child.stdin.take();
    assert_eq!(child.wait().unwrap().code(), Some(5));
    drop(stdin);
}

#[test]
fn a_lot_of_output_arrives() {
    let ended = fed(&["pour", "5000000"], vec![]);
    assert!(
        ended
            == (
                all_bytes(64 << 10).repeat(77)[..5_000_000].to_vec(),
                Some(0)
            )
    );
}

/// `ringfence exec … | head -c 10`
#[test]
fn a_reader_that_leaves_ends_the_program_well() {
    let rig = Rig::new();
    let mut child = piped(&rig, &["pour", "100000000"]);
    let mut some = [1; 10];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(some, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(
        output.status.code(),
        Some(1),
        "what the guest ends with whose write fails"
    );
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn the_two_outputs_are_two() {
    let (ran, _) = Rig::new().reported(&[], &["words"]);
    assert_eq!(ran.out, "out one,out two");
    assert_eq!(ran.err, "err one,err two");
}

/// What there is to tell comes after the program's own words, in lines of its own.
#[test]
fn the_report_does_not_mix_with_the_programs_words() {
    let ran = Rig::new().run(&[], &["words"]);
    let (own, report) = ran.err.split_once("ringfence: ").unwrap();
    assert_eq!(
        (ran.out.as_str(), own.trim_end()),
        ("out one,out two", "err one,err two")
    );
    assert!(report.contains("fuel"), "{report}");
}

#[test]
fn output_goes_into_a_file() {
    let rig = Rig::new();
    let file = std::fs::File::create(rig.path("out")).unwrap();
    let status = rig.exec(&[], &["pour", "70000"]).stdout(file).status();
    assert_eq!(status.unwrap().code(), Some(0));
    assert!(std::fs::read(rig.path("out")).unwrap() == all_bytes(64 << 10).repeat(2)[..70_000]);
}
