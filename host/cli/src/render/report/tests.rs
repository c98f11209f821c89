//! The page, read back as a browser reads it.

use html5gum::{Token, Tokenizer};
use jiff::tz::TimeZone;
use ringfence_core::journal::{Act, Body, DrillRun, Drilled, Entry, OperatorAct, Outcome};
use ringfence_core::quantity::Fuel;

use super::*;
use crate::render::receipt::tests::{EVIL, full};
use crate::render::safe::is_treacherous;
use crate::render::status::tests::sample;

/// A page of a loop that has everything to show, and says `said` wherever it can.
fn made(said: &str) -> String {
    let text = || said.to_owned();
    let standing = sample(said);
    let mut history = History::default();
    let outcomes = [
        Outcome::Skipped,
        Outcome::Discarded {
            reasons: vec![text()],
        },
        Outcome::Shadowed { patch: text() },
    ];
    for (beat, outcome) in (1..).zip(outcomes) {
        let mut receipt = full(said, outcome).receipt;
        receipt.fuel = Fuel(beat * 1_000_000);
        add(&mut history, beat, Body::Beat(Box::new(receipt)));
    }
    let act = OperatorAct {
        by: text(),
        reason: text(),
        act: Act::Answer {
            id: text(),
            answer: ringfence_core::journal::Answer::Note,
        },
    };
    add(&mut history, 4, Body::Operator(act));
    let result = DrillResult {
        name: text(),
        fault: true,
        passed: false,
        seen: text(),
    };
    let state = LoopState {
        drilled: Some(Drilled {
            at: standing.now,
            run: DrillRun {
                setup: Digest::of(b"x"),
                results: vec![result; 3],
                unguarded: Vec::new(),
            },
        }),
        ..LoopState::default()
    };
    page(&Shown {
        standing: &standing,
        state: &state,
        history: &history,
        timezone: &TimeZone::UTC,
    })
}

fn add(history: &mut History, seq: u64, body: Body) {
    let at = format!("2026-11-{:02}T11:00:00Z", 10 + seq)
        .parse()
        .unwrap();
    history.add(&Entry { seq, at, body }, &TimeZone::UTC);
}

const ELEMENTS: &[&str] = &[
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "header",
    "main",
    "footer",
    "section",
    "h1",
    "h2",
    "p",
    "dl",
    "div",
    "dt",
    "dd",
    "span",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "figure",
    "figcaption",
    "svg",
    "g",
    "line",
    "rect",
    "ul",
    "li",
    "details",
    "summary",
    "code",
];
const ATTRIBUTES: &[&str] = &[
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "nonce",
    "class",
    "scope",
    "role",
    "aria-label",
    "aria-hidden",
    "tabindex",
    "x",
    "y",
    "x1",
    "x2",
    "y1",
    "y2",
    "width",
    "height",
];

/// What is wrong with a page, if anything; else its elements in order.
fn check(html: &str) -> Result<Vec<String>, String> {
    let mut open: Vec<String> = Vec::new();
    let mut elements = Vec::new();
    let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for Ok(token) in Tokenizer::new(html) {
        match token {
            Token::StartTag(tag) => {
                let tag_name = name(&tag.name);
                if !ELEMENTS.contains(&tag_name.as_str()) {
                    return Err(format!("element {tag_name}"));
                }
                for attribute in tag.attributes.keys().map(|key| name(key)) {
                    if !ATTRIBUTES.contains(&attribute.as_str()) {
                        return Err(format!("attribute {attribute} of {tag_name}"));
                    }
                }
                if !tag.self_closing {
                    open.push(tag_name.clone());
                }
                elements.push(tag_name);
            }
            Token::EndTag(tag) => {
                if open.pop() != Some(name(&tag.name)) {
                    return Err(format!("</{}>", name(&tag.name)));
                }
            }
            Token::String(text) => {
                let text = String::from_utf8_lossy(&text).into_owned();
                if text.chars().any(|c| c != '\n' && is_treacherous(c)) {
                    return Err(format!("text {text:?}"));
                }
            }
            Token::Doctype(_) => {}
            Token::Comment(_) => return Err("a comment".to_owned()),
            Token::Error(error) => return Err(format!("{error:?}")),
        }
    }
    if open.is_empty() {
        Ok(elements)
    } else {
        Err(format!("open: {open:?}"))
    }
}

#[test]
fn a_page_is_well_formed() {
    let elements = check(&made("said")).unwrap();
    let number = |name: &str| elements.iter().filter(|element| *element == name).count();
    assert_eq!(
        (
            number("h1"),
            number("main"),
            number("style"),
            number("title") > 20
        ),
        (1, 1, 1, true)
    );
    assert_eq!(number("section"), 14);
}

#[test]
fn nothing_that_is_said_is_markup() {
    let shape = check(&made("said")).unwrap();
    let long = "<script>".repeat(50_000);
    for said in [
        EVIL,
        "</td></table><script>alert(1)</script>",
        "\" onload=\"alert(1)",
        "' autofocus onfocus='x",
        "--><!-- x -->",
        "</style><style>*{}</style>",
        "]]><svg onload=x>",
        "&lt;script&gt;&#60;&#x3c;&notanentity",
        "\0\u{1}\u{85}\u{feff}\u{202e}\u{2066}",
        "javascript:alert(1)",
        long.as_str(),
        "",
    ] {
        let html = made(said);
        let found = check(&html).unwrap_or_else(|why| panic!("{said:.40}: {why}"));
        assert_eq!(found, shape, "{said:.40}");
        assert!(html.len() < 500_000, "{}", html.len());
    }
}

/// Some months of a loop, as one might look.
fn months() -> String {
    let mut history = History::default();
    let mut seq = 0;
    for day in 0..75_u64 {
        for beat in 0..(day * 7) % 9 + 2 {
            seq += 1;
            let outcome = match (day * 31 + beat * 17) % 11 {
                0 | 1 | 4 => Outcome::Proposed {
                    reference: format!("refs/heads/ringfence/docs/{seq}"),
                    commit: "0123456789".to_owned(),
                },
                2 => Outcome::Discarded {
                    reasons: vec![
                        "gate diff-size said: 14 files, more than the 5 that are allowed"
                            .to_owned(),
                    ],
                },
                3 => Outcome::Escalated {
                    id: "beat-3".to_owned(),
                    why: vec![
                        "the change touches docs/SECURITY.md, which is a person's to decide"
                            .to_owned(),
                    ],
                },
                5 => Outcome::Skipped,
                6 if day % 5 == 0 => Outcome::Failed {
                    class: ringfence_core::failure::FailureClass::OutOfFuel,
                    message: "used 10G of 10G".to_owned(),
                },
                _ => Outcome::NothingToDo {
                    reason: "every link leads somewhere".to_owned(),
                },
            };
            let mut receipt = full("`gone.md` leads to no file", outcome).receipt;
            receipt.beat = ringfence_core::ids::BeatNo(seq);
            receipt.fuel = Fuel(180_000_000_000 + day * 3_000_000_000 * (beat % 3));
            let at = jiff::Timestamp::from_second(
                1_788_700_000 + i64::try_from(day * 86_400 + beat * 3_600).unwrap(),
            );
            let body = Body::Beat(Box::new(receipt));
            history.add(
                &Entry {
                    seq,
                    at: at.unwrap(),
                    body,
                },
                &TimeZone::UTC,
            );
        }
    }
    let mut standing = sample("docs/guide.md leads nowhere");
    standing.file = "LOOP.md".to_owned();
    standing.project = "/srv/handbook".to_owned();
    standing.today.timezone = "Europe/Berlin".to_owned();
    standing.today.fuel_max = Fuel(2_000_000_000_000);
    standing.journal.head = Some(Digest::of(b"x").to_string());
    let results = [
        "denied-path",
        "large-diff",
        "broken-link",
        "runaway",
        "budget",
    ]
    .map(|name| DrillResult {
        name: name.to_owned(),
        fault: name != "budget",
        passed: name != "runaway",
        seen: "the sandbox stopped it: out of fuel".to_owned(),
    });
    let state = LoopState {
        drilled: Some(Drilled {
            at: standing.now,
            run: DrillRun {
                setup: Digest::of(b"x"),
                results: results.into(),
                unguarded: Vec::new(),
            },
        }),
        ..LoopState::default()
    };
    page(&Shown {
        standing: &standing,
        state: &state,
        history: &history,
        timezone: &TimeZone::UTC,
    })
}

/// `RINGFENCE_REPORT_DIR` keeps the page and its pictures.
#[test]
fn a_browser_reads_what_was_written() {
    const BROWSERS: [&str; 3] = ["chromium-headless-shell", "chromium", "google-chrome"];
    let html = months();
    let written = check(&html).unwrap();
    let paths = std::env::var_os("PATH").unwrap();
    let found = std::env::split_paths(&paths)
        .flat_map(|dir| BROWSERS.map(|name| dir.join(name)))
        .find(|path| path.is_file());
    let Some(browser) = found else {
        eprintln!("skipped: there is no browser ({})", BROWSERS.join(", "));
        return;
    };
    let temp = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("RINGFENCE_REPORT_DIR").map(std::path::PathBuf::from);
    let dir = kept.as_deref().unwrap_or(temp.path());
    let file = dir.join("report.html");
    std::fs::write(&file, &html).unwrap();
    let run = |args: &[String]| {
        let ended = std::process::Command::new(&browser)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
            ])
            .arg(format!(
                "--user-data-dir={}",
                temp.path().join("profile").display()
            ))
            .args(args)
            .arg(format!("file://{}", file.display()))
            .output()
            .unwrap();
        assert!(
            ended.status.success(),
            "{}",
            String::from_utf8_lossy(&ended.stderr)
        );
        String::from_utf8(ended.stdout).unwrap()
    };
    let dom = run(&["--dump-dom".to_owned()]);
    let number = |name: &str| {
        let opened = [">", " "].map(|end| dom.matches(&format!("<{name}{end}")).count());
        opened.iter().sum::<usize>()
    };
    let wrote = |name: &str| written.iter().filter(|element| *element == name).count();
    for name in ["rect", "section", "tr", "details", "svg", "script"] {
        assert_eq!(number(name), wrote(name), "{name}");
    }
    let Some(kept) = &kept else { return };
    for (width, scheme) in [
        (400, "light"),
        (900, "light"),
        (1_400, "light"),
        (400, "dark"),
        (1_400, "dark"),
    ] {
        let picture = kept.join(format!("report-{width}-{scheme}.png"));
        let blink = if scheme == "dark" {
            "--blink-settings=preferredColorScheme=0"
        } else {
            "--blink-settings=preferredColorScheme=1"
        };
        run(&[
            format!("--window-size={width},4600"),
            blink.to_owned(),
            format!("--screenshot={}", picture.display()),
        ]);
        assert!(picture.is_file());
    }
}

#[test]
fn the_policy_allows_its_own_style_alone() {
    let html = made("said");
    let policy = html
        .split("content=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let nonce = html
        .split("<style nonce=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert_eq!(
        policy,
        format!(
            "default-src &#39;none&#39;; style-src &#39;nonce-{nonce}&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;"
        )
    );
    assert_eq!(nonce.len(), 64);
    assert_ne!(
        made("other").split("nonce-").nth(1),
        html.split("nonce-").nth(1)
    );
}

#[test]
fn the_style_sheet_loads_nothing_and_knows_every_class() {
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !STYLE.contains('<'));
    for (class, ..) in ENDS {
        assert!(STYLE.contains(&format!(".{class} ")), "{class}");
    }
}

#[test]
fn a_loop_that_never_ran_has_a_page() {
    let html = page(&Shown {
        standing: &sample("said"),
        state: &LoopState::default(),
        history: &History::default(),
        timezone: &TimeZone::UTC,
    });
    assert!(html.contains("No beat has run yet."));
    assert!(check(&html).is_ok());
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]
    #[test]
    fn whatever_is_said_the_page_is_the_same(text in "[<>&\"'`/=! -~\\p{any}]{0,60}") {
        let shape = check(&made("said"));
        proptest::prop_assert_eq!(check(&made(&text)), shape);
    }
}
