//! How a standing reads, hostile text and all.

use ringfence_core::ids::{BeatNo, LoopId};
use ringfence_core::journal::Outcome;
use ringfence_core::spec::Level;

use super::*;
use crate::render::receipt::tests::EVIL;
use crate::render::safe::is_treacherous;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A loop that has everything to show, and says `said` wherever it can.
pub(crate) fn sample(said: &str) -> Standing {
    let text = || said.to_owned();
    let now = at("2026-11-21T12:00:00Z");
    let outcome = Outcome::Discarded {
        reasons: vec![text(), text()],
    };
    Standing {
        version: 1,
        loop_id: LoopId::new("docs").unwrap(),
        file: text(),
        project: text(),
        now,
        level: LevelNow {
            now: Level::L1,
            ceiling: Level::L2,
            lapsed: Some(text()),
            order: Some(LevelOrdered {
                at: at("2026-11-20T12:00:00Z"),
                by: text(),
                reason: text(),
                overrides: vec![text()],
            }),
        },
        mode: ModeNow {
            mode: "paused",
            why: Some(text()),
            since: Some(at("2026-11-21T09:00:00Z")),
            until: Some(at("2026-11-21T18:00:00Z")),
        },
        beats: vec![PastBeat {
            beat: BeatNo(7),
            at: at("2026-11-21T11:00:00Z"),
            fuel: Fuel(1_500_000),
            outcome,
        }],
        proposals: vec![OpenProposal {
            beat: BeatNo(6),
            item: Some(text()),
            reference: text(),
        }],
        items: vec![TriedItem {
            item: text(),
            attempts: 2,
            attempts_max: 2,
            escalated: Some(text()),
            reason: Some(text()),
            reasons: vec!["other".to_owned(), text()],
        }],
        waiting: vec![Waiting {
            id: text(),
            why: text(),
            since: Some(at("2026-11-20T11:00:00Z")),
        }],
        today: Today {
            fuel: Fuel(1_500_000),
            fuel_max: Fuel(2_000_000),
            beats: 9,
            beats_max: 10,
            timezone: text(),
        },
        budgets: vec![
            Budgeted {
                budget: "fuel_per_day",
                used: 1_500_000,
                limit: 2_000_000,
            },
            Budgeted {
                budget: "beats_per_day",
                used: 9,
                limit: 10,
            },
        ],
        next: Next::Wait {
            guard: "backoff",
            used: text(),
            limit: text(),
            until: Some(at("2026-11-21T12:10:00Z")),
            why: text(),
        },
        due: Due {
            next: ringfence_core::cadence::Next {
                at: at("2026-11-21T12:15:00Z"),
                why: Why::Wake,
            },
            cadence: text(),
        },
        wake_at: Some(at("2026-11-21T12:30:00Z")),
        drills: Some(Drills {
            at: at("2026-11-01T12:00:00Z"),
            passed: 9,
            all: 10,
            failed: vec![text()],
            void: Some(text()),
        }),
        flapping: vec![text()],
        journal: JournalEnd {
            entries: 21,
            head: Some(text()),
        },
    }
}

#[test]
fn a_loop_at_a_glance() {
    let mut found = sample("said");
    found.proposals.extend((0..12).map(|beat| OpenProposal {
        beat: BeatNo(beat),
        item: None,
        reference: "refs/heads/ringfence/docs/1".to_owned(),
    }));
    insta::assert_snapshot!(standing(&found, true).print(false), @r"
    loop docs (said)
      level     L1 of at most L2, ordered by said at 2026-11-20T12:00:00Z: said;
                passed over: said; not further because of said
      mode      paused since 2026-11-21T09:00:00Z until 2026-11-21T18:00:00Z (in 6
                h): said
      next      waits until 2026-11-21T12:10:00Z (in 10 min): said
      due       2026-11-21T12:15:00Z (in 15 min): the decider asked for it; said
      drills    9 of 10 passed 20 days ago; not: said; worth nothing now: said
      flapping  said: signals go to and fro

    today (said)
      fuel_per_day   [###############-----]  75 %  1.50M of 2.00M
      beats_per_day  [##################--]  90 %  9 of 10

    1 thing for a person
      said  25 h ago  said

    last beats
      beat  when         fuel   how it ended
      7     60 min ago   1.50M  discarded: said; said

    open proposals (to look: git diff HEAD...BRANCH)
      beat  branch or patch   for
      11    ringfence/docs/1
      10    ringfence/docs/1
      9     ringfence/docs/1
      8     ringfence/docs/1
      7     ringfence/docs/1
      6     ringfence/docs/1
      5     ringfence/docs/1
      4     ringfence/docs/1
      3     ringfence/docs/1
      2     ringfence/docs/1
      … 3 more: see `--format json`

    tried in vain
      item  attempts
      said  2 of 2    a person's now: said
                      because said
                      because other
    ");
}

#[test]
fn colour_only_repeats_what_the_words_say() {
    let page = standing(&sample("said"), false);
    let (plain, coloured) = (page.print(false), page.print(true));
    let mut without = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        without += before;
        rest = after.split_once('m').unwrap().1;
    }
    assert_eq!(without + rest, plain);
    insta::assert_snapshot!(coloured.lines().take(5).collect::<Vec<_>>().join("\n"), @r"
    [1mloop docs [0m(said)
      [2mlevel[0m     L1 of at most L2, ordered by said at 2026-11-20T12:00:00Z: said[33m;[0m
                [33mpassed over: said; not further because of said[0m
      [2mmode[0m      [31mpaused[0m since 2026-11-21T09:00:00Z until 2026-11-21T18:00:00Z (in 6
                h): said
    ");
}

#[test]
fn hostile_text_stays_on_its_line() {
    let long = format!("{EVIL}{}", "日本 x".repeat(5_000));
    for said in [EVIL, long.as_str(), ""] {
        for (page, rows) in [
            (standing(&sample(said), true), 1_000),
            (
                fleet(&[OneOfMany::Known(Box::new(sample(said)))], said),
                3_000,
            ),
        ] {
            let printed = page.print(false);
            let treacherous = |c: char| c != '\n' && is_treacherous(c);
            assert!(!printed.chars().any(treacherous), "{printed:?}");
            assert!(
                printed.lines().count() < rows,
                "{}",
                printed.lines().count()
            );
        }
    }
}

#[test]
fn nobody_is_named_where_the_journal_names_nobody() {
    let mut found = sample("said");
    let order = found.level.order.as_mut().unwrap();
    order.by = String::new();
    order.at = "2026-11-20T12:00:00.953803013Z".parse().unwrap();
    let line: String = level(&found.level).spans().map(|(_, text)| text).collect();
    assert!(
        line.contains(", ordered at 2026-11-20T12:00:00Z: said"),
        "{line}"
    );
}

#[test]
fn many_loops() {
    let mut other = sample("/srv/repos/handbook");
    other.loop_id = LoopId::new("a-name-that-is-longer-than-its-column").unwrap();
    other.next = Next::Free;
    other.waiting.clear();
    other.mode.mode = "run";
    let broken = OneOfMany::Unknown {
        file: "/srv/repos/x/LOOP.md".to_owned(),
        error: "LOOP.md has 2 problems".to_owned(),
    };
    let loops = [
        OneOfMany::Known(Box::new(sample("/srv/repos"))),
        broken,
        OneOfMany::Known(Box::new(other)),
    ];
    insta::assert_snapshot!(fleet(&loops, "/srv/repos").print(false), @r"
    loop                  level  mode    next       last beat  spent  waits  where
    docs                  L1     paused  in 10 min  discarded  90 %   1      .
    a-name-that-is-longe  L1     run     in 15 min  discarded  90 %   0      handbook
    r-than-its-column

    error: x/LOOP.md: LOOP.md has 2 problems
    ");
    insta::assert_snapshot!(fleet(&[], "/srv/repos").print(false), @r"
    no loop file in /srv/repos or below it
    ");
}

#[test]
fn shapes_for_programs() {
    let json = serde_json::to_value(sample("said")).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap(), @r#"
    {
      "beats": [
        {
          "at": "2026-11-21T11:00:00Z",
          "beat": 7,
          "fuel": 1500000,
          "outcome": {
            "kind": "discarded",
            "reasons": [
              "said",
              "said"
            ]
          }
        }
      ],
      "budgets": [
        {
          "budget": "fuel_per_day",
          "limit": 2000000,
          "used": 1500000
        },
        {
          "budget": "beats_per_day",
          "limit": 10,
          "used": 9
        }
      ],
      "drills": {
        "all": 10,
        "at": "2026-11-01T12:00:00Z",
        "failed": [
          "said"
        ],
        "passed": 9,
        "void": "said"
      },
      "due": {
        "at": "2026-11-21T12:15:00Z",
        "cadence": "said",
        "why": "wake"
      },
      "file": "said",
      "flapping": [
        "said"
      ],
      "items": [
        {
          "attempts": 2,
          "attempts_max": 2,
          "escalated": "said",
          "item": "said",
          "reason": "said",
          "reasons": [
            "other",
            "said"
          ]
        }
      ],
      "journal": {
        "entries": 21,
        "head": "said"
      },
      "level": {
        "ceiling": "L2",
        "lapsed": "said",
        "now": "L1",
        "order": {
          "at": "2026-11-20T12:00:00Z",
          "by": "said",
          "overrides": [
            "said"
          ],
          "reason": "said"
        }
      },
      "loop": "docs",
      "mode": {
        "mode": "paused",
        "since": "2026-11-21T09:00:00Z",
        "until": "2026-11-21T18:00:00Z",
        "why": "said"
      },
      "next": {
        "guard": "backoff",
        "limit": "said",
        "next": "wait",
        "until": "2026-11-21T12:10:00Z",
        "used": "said",
        "why": "said"
      },
      "now": "2026-11-21T12:00:00Z",
      "project": "said",
      "proposals": [
        {
          "beat": 6,
          "item": "said",
          "reference": "said"
        }
      ],
      "today": {
        "beats": 9,
        "beats_max": 10,
        "fuel": 1500000,
        "fuel_max": 2000000,
        "timezone": "said"
      },
      "version": 1,
      "waiting": [
        {
          "id": "said",
          "since": "2026-11-20T11:00:00Z",
          "why": "said"
        }
      ],
      "wake_at": "2026-11-21T12:30:00Z"
    }
    "#);
}
