//! Whatever clock and zone do: no wait is negative or longer than its full length, and no day costs more than it may.

use proptest::prelude::*;

use super::*;
use crate::journal::{Body, Cost, Entry, Reservation};
use crate::quantity::Money;

const ZONES: [&str; 4] = [
    "UTC0",
    "JST-9",
    "EST5EDT,M3.2.0,M11.1.0",
    "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45",
];
const HOUR: i64 = 3_600;
const LIMITS_SMALL: BudgetLimits = BudgetLimits {
    fuel_per_beat: Fuel(300),
    fuel_per_day: Fuel(1_000),
    beats_per_day: 7,
    proposals_per_day: Some(3),
    tokens: Some(SpendLimit {
        per_beat: 40,
        written: true,
        per_day: 100,
    }),
    money: Some(SpendLimit {
        per_beat: 30,
        written: false,
        per_day: 200,
    }),
};

/// One beat: how far the clock moved before it and while it ran, in seconds, what it costs, and how it ends.
#[derive(Debug, Clone)]
struct Turn {
    before: i64,
    during: i64,
    fuel: u64,
    tokens: u64,
    money: u64,
    ends: Ends,
}

#[derive(Debug, Clone, Copy)]
enum Ends {
    Fails,
    Nothing,
    Proposes,
    InVain,
    Killed,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let ends = prop_oneof![
        Just(Ends::Fails),
        Just(Ends::Nothing),
        Just(Ends::Proposes),
        Just(Ends::InVain),
        Just(Ends::Killed),
    ];
    let step = prop_oneof![
        4 => 0..HOUR,
        1 => -30 * HOUR..60 * HOUR,
    ];
    let during = prop_oneof![6 => 0..60_i64, 1 => -40 * HOUR..20 * HOUR];
    let turn = (step, during, 0..400_u64, 0..50_u64, 0..40_u64, ends).prop_map(
        |(before, during, fuel, tokens, money, ends)| Turn {
            before,
            during,
            fuel,
            tokens,
            money,
            ends,
        },
    );
    proptest::collection::vec(turn, 1..40)
}

struct Loop {
    state: LoopState,
    entries: Vec<Entry>,
    zone: TimeZone,
    now: i64,
    /// The latest that its clock has shown.
    latest: i64,
    beat: u64,
}

impl Loop {
    fn add(&mut self, body: Body) {
        let entry = Entry {
            seq: self.entries.len() as u64 + 1,
            at: Timestamp::from_second(self.now).unwrap(),
            body,
        };
        self.state.add(&entry, &self.zone);
        self.entries.push(entry);
    }

    fn now(&self) -> Now {
        let now = Timestamp::from_second(self.now).unwrap();
        Now {
            limits: LIMITS_SMALL,
            ..Now::of(self.state.clone(), now.to_zoned(self.zone.clone()))
        }
    }

    /// A beat as the machine would run it: nothing without leave, and never more than was offered.
    fn turn(&mut self, turn: &Turn) {
        self.now += turn.before;
        self.latest = self.latest.max(self.now);
        let now = self.now();
        for hold in holds(&now.situated()) {
            let Some(until) = hold.until else { continue };
            let wait = until.as_second() - self.now;
            let longest = match hold.guard {
                "backoff" => i64::from(BACKOFF_CAP_SECONDS),
                "no-progress" | "ship-rate" => 60 * 30,
                // The last day that was spent on and the next, and an hour that is set back on each.
                _ => self.latest - self.now + 50 * HOUR,
            };
            assert!((1..=longest).contains(&wait), "{hold}: {wait} s");
        }
        if let Guard::Go { .. } = now.guard() {
            self.beat(turn, &now);
        }
    }

    fn beat(&mut self, turn: &Turn, now: &Now) {
        self.beat += 1;
        let purse = open_purse(&now.state, &now.limits, &now.now);
        let allowed = allowance(&now.state, &now.limits, &now.now);
        let (tokens, money) = (allowed.tokens.unwrap(), allowed.money.unwrap());
        self.add(Body::Reserve(Reservation {
            beat: crate::ids::BeatNo(self.beat),
            fuel: purse.left(),
            tokens,
            money,
        }));
        self.now += turn.during;
        self.latest = self.latest.max(self.now);
        let receipt = match turn.ends {
            Ends::Killed => return,
            Ends::Fails => failed(self.beat),
            Ends::Nothing => nothing(self.beat, None),
            Ends::Proposes => proposed(self.beat, "a"),
            Ends::InVain => discarded(self.beat, "a", "no"),
        };
        self.add(Body::Beat(Box::new(BeatReceipt {
            setup: digest("setup"),
            fuel: Fuel(turn.fuel).min(purse.left()),
            cost: Some(Cost {
                meter: digest("meter"),
                tokens: turn.tokens.min(tokens),
                money: Money(turn.money).min(money),
                estimated: false,
                unmetered: None,
            }),
            ..receipt
        })));
    }
}

fn within(state: &LoopState) -> bool {
    let limits = LIMITS_SMALL;
    state.days.keys().all(|day| {
        let spent = state.day(*day);
        spent.fuel <= limits.fuel_per_day
            && spent.beats <= limits.beats_per_day
            && spent.tokens <= limits.tokens.unwrap().per_day
            && spent.money.0 <= limits.money.unwrap().per_day
            && spent.proposals <= limits.proposals_per_day.unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_day_costs_more_than_it_may(turns in turns(), zone in 0..ZONES.len(), start in 1_772_000_000..1_804_000_000_i64) {
        let mut one = Loop {
            state: LoopState::default(),
            entries: Vec::new(),
            zone: TimeZone::posix(ZONES[zone]).unwrap(),
            now: start,
            latest: start,
            beat: 0,
        };
        for turn in &turns {
            one.turn(turn);
            prop_assert!(within(&one.state), "{:?}", one.state.days);
        }
        // In another zone the same beats may fall on one day, and then nothing more is spent on it.
        for zone in ZONES {
            let zone = TimeZone::posix(zone).unwrap();
            let entries = one.entries.clone();
            let mut moved = Loop { state: LoopState::fold(&entries, &zone), entries, zone, ..one };
            let before = moved.state.clone();
            for turn in &turns {
                moved.turn(turn);
            }
            for day in moved.state.days.keys() {
                let (was, is) = (before.day(*day).fuel, moved.state.day(*day).fuel);
                prop_assert!(was == is || is <= LIMITS_SMALL.fuel_per_day, "{was:?} {is:?}");
            }
        }
    }
}
