//! The quick way through a line: each part is read as it comes, in the order in which this host writes them.
//!
//! **Invariant:** it reads a line or leaves it; what it reads is what the careful way would have read. Whatever is missing, out
//! of order, from another version, or does not follow, is for that one to judge.

use std::fmt;

use jiff::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::{FORMAT_VERSION, Head};
use crate::journal::{Body, Entry};

/// The entry of a line that follows `head`; none when anything about it is unusual.
pub(super) fn read(text: &str, head: &Head) -> Option<Entry> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let entry = Line { head }.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(entry)
}

struct Line<'h> {
    head: &'h Head,
}

impl<'de> DeserializeSeed<'de> for Line<'_> {
    type Value = Entry;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Entry, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Line<'_> {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line of a journal")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
        let seq = self.head.seq.saturating_add(1);
        key(&mut map, "v")?;
        same(map.next_value::<u64>()? == FORMAT_VERSION)?;
        key(&mut map, "seq")?;
        same(map.next_value::<u64>()? == seq)?;
        key(&mut map, "prev")?;
        same(map.next_value::<String>()? == self.head.prev())?;
        key(&mut map, "at")?;
        let at: Timestamp = map.next_value()?;
        key(&mut map, "kind")?;
        let kind: String = map.next_value()?;
        key(&mut map, "body")?;
        let body = body(&kind, &mut map)?;
        key(&mut map, "sum")?;
        map.next_value::<IgnoredAny>()?;
        same(map.next_key::<IgnoredAny>()?.is_none())?;
        Ok(Entry { seq, at, body })
    }
}

fn body<'de, A: MapAccess<'de>>(kind: &str, map: &mut A) -> Result<Body, A::Error> {
    match kind {
        "beat" => map.next_value().map(Body::Beat),
        "intent" => map.next_value().map(Body::Intent),
        "done" => map.next_value().map(Body::Done),
        "reserve" => map.next_value().map(Body::Reserve),
        _ => Err(unusual()),
    }
}

fn key<'de, A: MapAccess<'de>>(map: &mut A, expect: &str) -> Result<(), A::Error> {
    same(map.next_key::<String>()?.as_deref() == Some(expect))
}

fn same<E: Error>(same: bool) -> Result<(), E> {
    if same { Ok(()) } else { Err(unusual()) }
}

fn unusual<E: Error>() -> E {
    E::custom("not the usual order")
}

#[cfg(test)]
mod tests {
    use super::super::{encode, read_step_by_step};
    use super::*;
    use crate::ids::BeatNo;
    use crate::journal::sample::{at, discarded, intent, nothing, proposed};
    use crate::journal::{Done, Reservation, Settle};
    use crate::quantity::{Fuel, Money};

    #[test]
    fn both_ways_read_the_same_and_the_quick_one_leaves_what_is_unusual() {
        let beat = |receipt| Body::Beat(Box::new(receipt));
        let bodies = [
            beat(nothing(1, Some(9))),
            beat(discarded(1, "a", "no")),
            beat(proposed(1, "a")),
            Body::Intent(intent(1, "a", Settle::Propose)),
            Body::Done(Done {
                beat: BeatNo(1),
                settled: None,
            }),
            Body::Reserve(Reservation {
                beat: BeatNo(1),
                fuel: Fuel(1),
                tokens: 2,
                money: Money(3),
            }),
        ];
        let head = Head::default();
        for body in bodies {
            let (line, after) = encode(&head, at("2026-01-02T03:04:05.123Z"), &body).unwrap();
            let line = line.trim_end();
            let quick = read(line, &head);
            assert_eq!(quick, read_step_by_step(line, &head).ok());
            assert!(quick.is_some());
            assert_eq!(read(line, &after), None, "it follows something else");
            for (from, to) in [
                ("{\"v\":1", "{\"v\":2"),
                ("{\"v\":1", "{ \"w\":1,\"v\":1"),
                (",\"sum\"", ",\"must_understand\":[],\"sum\""),
                ("\"kind\":\"", "\"kind\":\"un"),
            ] {
                assert_eq!(read(&line.replacen(from, to, 1), &head), None, "{to}");
            }
        }
    }
}
