//! A report that has everything: each standing, each status, places of all kinds, denials, logs and native programs.

use ringfence_core::call::{LogLine, Spent, Usage};
use ringfence_core::digest::Digest;
use ringfence_core::evidence::{self, CommandReceipt, Confinement, Ended, Side};
use ringfence_core::failure::{Failure, FailureClass};
use ringfence_core::gating::{
    ChangeFacts, Excerpt, Fingerprints, Judged, Outcome, Output, Remark, Report, Standing, Status,
    TreeName,
};
use ringfence_core::ids::StepId;
use ringfence_core::journal::StepReceipt;
use ringfence_core::manifest::Role;
use ringfence_core::policy::{Access, Denial, Rule};
use ringfence_core::quantity::{Bytes, Fuel};
use ringfence_core::spec::VerdictRules;
use ringfence_core::verdict::{Finding, Location, Ruling, Severity};

/// As gates would say it.
pub(in super::super) fn sample() -> Report {
    report(&Say(None))
}

/// The same, but everything that a component or a repository says is `said`, as far as it may be at that place.
pub(in super::super) fn made(said: &str) -> Report {
    report(&Say(Some(said)))
}

/// The sample with `path` for the first place of every finding.
pub(in super::super) fn with_paths(path: &str) -> Report {
    let mut report = sample();
    let gates = report.gates.iter_mut().flat_map(|gate| &mut gate.remarks);
    for remark in gates.chain(&mut report.host) {
        for location in remark.finding.locations.iter_mut().take(1) {
            path.clone_into(&mut location.path);
        }
    }
    report
}

struct Say<'a>(Option<&'a str>);

impl Say<'_> {
    fn text(&self, usual: &str) -> String {
        self.0.unwrap_or(usual).to_owned()
    }

    /// A name in a folder: what a file may be called.
    fn path(&self, usual: &str) -> String {
        let name = |said: &str| {
            let name = said.replace(['/', '\\', '\0'], "_");
            format!("docs/x{}", name.chars().take(50).collect::<String>())
        };
        self.0.map_or_else(|| usual.to_owned(), name)
    }

    fn remark(&self, severity: Severity, rule: &str, message: &str, status: Status) -> Remark {
        let finding = Finding {
            severity,
            rule: rule.to_owned(),
            message: self.text(message),
            locations: Vec::new(),
            help: String::new(),
        };
        let gate = StepId::new("sample").unwrap();
        Remark {
            fingerprint: Fingerprints::default().next(&gate, &finding, &[]),
            knowable: false,
            finding,
            status,
            excerpt: None,
        }
    }

    fn at(&self, mut remark: Remark, path: &str, line: u32, column: u32) -> Remark {
        remark.finding.locations.push(Location {
            path: self.path(path),
            line,
            column,
        });
        remark
    }

    fn gate(&self, id: &str, standing: Standing, summary: &str) -> Judged {
        let digest = Digest::of(id.as_bytes());
        let id = StepId::new(id).unwrap();
        let mut receipt = StepReceipt::new(id.clone(), Role::Gate, digest, digest, digest);
        receipt.usage = Some(Usage {
            fuel: Spent {
                used: Fuel(1_234_567),
                limit: Fuel(500_000_000),
            },
            memory: Spent {
                used: Bytes(1 << 20),
                limit: Bytes(64 << 20),
            },
            bytes_read: Bytes(1_000),
            bytes_written: Bytes(0),
        });
        Judged {
            plugin: format!("std:{id}"),
            name: self.text(id.as_str()),
            version: self.text("0.1.0"),
            gate: id,
            standing,
            ruling: match standing {
                Standing::Passed => Some(Ruling::Pass),
                Standing::Abstained => Some(Ruling::Abstain),
                Standing::Excused | Standing::Failed => Some(Ruling::Fail),
                Standing::Broken => None,
            },
            failure: None,
            summary: self.text(summary),
            remarks: Vec::new(),
            receipt,
            log: Vec::new(),
            ms: 3,
        }
    }
}

fn report(say: &Say) -> Report {
    let tree = |name: &str, commit: Option<&str>| TreeName {
        name: say.text(name),
        commit: commit.map(str::to_owned),
        tree: "4b825dc642cb6eb9a060e54bf8d69288fbee4904".to_owned(),
    };
    let outside = say.remark(
        Severity::Error,
        "case-clash",
        "`README.md` and `readme.md` are one file on some systems",
        Status::New,
    );
    Report {
        outcome: Outcome::Broken,
        base: tree("main", Some("1f3870be274f6c49b3e31a0c6728957f1f3870be")),
        head: tree("worktree", None),
        change: ChangeFacts {
            digest: Digest::of(b"change"),
            files: 17,
            lines_added: 340,
            lines_removed: 21,
            commits: 0,
        },
        file: "ringfence-gates.toml".to_owned(),
        file_digest: Digest::of(b"file"),
        rules_from: Some("main".to_owned()),
        rules: VerdictRules {
            fail_on: Severity::Error,
            require_some: false,
            submodules_accepted: false,
        },
        host: vec![say.at(outside, "readme.md", 0, 0)],
        gates: gates(say),
        not_asked: Vec::new(),
        commands: commands(say),
        outputs: vec![Output {
            command: StepId::new("test").unwrap(),
            side: Side::After,
            stream: say.text("stderr"),
            // Of as many lines, whatever is said.
            tail: ["test reads_links: FAILED", "left: 1"]
                .map(|line| format!("> {}\n\n", say.text(line).replace('\n', " ")))
                .concat(),
            left_out: 310,
        }],
    }
}

fn gates(say: &Say) -> Vec<Judged> {
    let mut paths = say.gate(
        "paths",
        Standing::Passed,
        "all 17 files are where they may be",
    );
    paths.receipt.memo = true;
    paths.ms = 0;
    let mut weaker = say.gate(
        "no-test-weakening",
        Standing::Excused,
        "1 assertion is gone",
    );
    let known = say.remark(
        Severity::Error,
        "weaker-test",
        "an assertion is gone",
        Status::Known,
    );
    weaker.remarks = vec![say.at(known, "tests/a.rs", 12, 1)];
    let licence = say.gate(
        "licence-header",
        Standing::Abstained,
        "no source file was changed",
    );
    let size = say.gate(
        "diff-size",
        Standing::Failed,
        "17 files, more than the 10 that are allowed",
    );
    vec![
        paths,
        links(say),
        secrets(say),
        weaker,
        licence,
        size,
        schema(say),
    ]
}

fn links(say: &Say) -> Judged {
    let mut gate = say.gate("md-links", Standing::Failed, "2 of 14 links lead nowhere");
    let new = |severity, rule, message| say.remark(severity, rule, message, Status::New);
    let broken = new(Severity::Error, "broken-link", "`gone.md` leads to no file");
    let mut broken = say.at(
        say.at(broken, "docs/guide.md", 31, 5),
        "docs/other page.md",
        4,
        0,
    );
    broken.finding.help = say.text("write the file, or name another");
    broken.excerpt = Some(Excerpt {
        text: format!(
            "See {}",
            say.text("[what is gone](gone.md) before you begin.")
        ),
        left_out: 0,
    });
    let bare = new(Severity::Warning, "bare-link", "a link without words");
    let mut bare = say.at(bare, "docs/guide.md", 40, 0);
    bare.excerpt = Some(Excerpt {
        text: say.text("\t<https://example.org>"),
        left_out: 0,
    });
    let orphan = new(Severity::Note, "orphan", "no page leads to this one");
    let status = |rule, status| {
        let remark = say.remark(Severity::Error, rule, "`old.md` leads to no file", status);
        say.at(remark, "docs/history.md", 7, 3)
    };
    let reason = say.text("the page is kept as it was");
    gate.remarks = vec![
        broken,
        bare,
        say.at(orphan, "docs/lost.md", 0, 0),
        new(Severity::Note, "many-links", "14 links were looked at"),
        status("known-link", Status::Known),
        status("allowed-link", Status::Allowed { reason }),
        status("accepted-link", Status::Accepted),
    ];
    gate.receipt.denials = vec![Denial {
        path: say.path("private/notes.md"),
        access: Access::Read,
        rule: Rule::NotAllowed {
            layer: "step".to_owned(),
        },
        count: 2,
    }];
    gate.log = vec![
        LogLine {
            level: "info".to_owned(),
            text: say.text("looked at 14 links"),
        },
        LogLine {
            level: "warn".to_owned(),
            text: say.text("one page is no UTF-8"),
        },
    ];
    gate
}

fn secrets(say: &Say) -> Judged {
    let mut gate = say.gate("secrets", Standing::Failed, "1 secret in added lines");
    let key = say.remark(Severity::Error, "private-key", "a private key", Status::New);
    gate.remarks = vec![say.at(key, "deploy/key.pem", 1, 1)];
    gate
}

fn schema(say: &Say) -> Judged {
    let mut gate = say.gate("schema", Standing::Broken, "");
    gate.summary = String::new();
    let message = say.text("out of fuel: used 500000000 of 500000000");
    gate.failure = Some(Failure::new(FailureClass::OutOfFuel, &message));
    gate.receipt = gate
        .receipt
        .failed(Failure::new(FailureClass::OutOfFuel, &message));
    gate.log = vec![LogLine {
        level: "debug".to_owned(),
        text: say.text("file 3 of 9"),
    }];
    gate
}

fn commands(say: &Say) -> Vec<CommandReceipt> {
    let command = |id: &str, side, confinement, ended| CommandReceipt {
        command: StepId::new(id).unwrap(),
        side,
        declared: Digest::of(id.as_bytes()),
        tree: "4b825dc642cb6eb9a060e54bf8d69288fbee4904".to_owned(),
        confinement,
        network: false,
        ended,
        ms: 1_250,
        reports: vec![evidence::Report {
            name: say.text("junit"),
            size: 10,
            digest: Digest::of(b"junit"),
        }],
        notes: Vec::new(),
    };
    let mut lint = command("lint", Side::After, Confinement::None, Ended::TimedOut);
    lint.network = true;
    lint.notes = vec![say.text("its memory could not be bounded here")];
    let ended = Ended::Exited { code: 101 };
    vec![
        command("test", Side::Before, Confinement::Elsewhere, Ended::Unseen),
        command("test", Side::After, Confinement::Full, ended),
        lint,
    ]
}
