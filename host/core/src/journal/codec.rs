//! The one text form of a journal: JSON Lines, each chained to the one before and carrying its own checksum.
//!
//! ```text
//! {"v":1,"seq":7,"prev":"blake3:…","at":"…","kind":"beat","body":{…},"sum":"blake3:…"}
//! ```
//!
//! `prev` is the digest of the previous line without its newline, for the first line that of the loop's name; so no line but
//! the last can be altered unseen, and no journal passes for another loop's. Older hosts wrote 64 zeros first, which is read
//! as any loop's. The last one has no successor: `sum` is the digest of its own text without that field. That notices
//! damage, not forgery: whoever may write the file can write another last line, sum and all. A line that ends in a
//! newline and keeps its sum is *whole*. The last line may be torn; a whole line that cannot be understood, and any
//! other line that is not whole or is longer than [`LINE_BYTES_MAX`], refuses the journal. Whatever a file holds, each of
//! its bytes is hashed once.
//!
//! Unknown fields of a body are ignored, so that an older host reads what a newer one wrote; fields that must not be
//! ignored are named in `must_understand`. Frame, chain and sum are the same in every version of the format, so whoever only
//! looks can pass over a line that a newer host wrote.

mod at_once;

use std::ops::Range;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::digest::{Digest, PartsHasher, RunningDigest};
use crate::ids::LoopId;
use crate::journal::{Body, Entry};

/// The version of the format that this host writes, and the only one it reads.
pub const FORMAT_VERSION: u64 = 1;

/// Longest line in bytes, without its newline.
// Limit: an entry lists verdicts and findings, each bounded; 8 MiB is a hundred times the largest seen.
pub const LINE_BYTES_MAX: usize = 8 << 20;

const GENESIS: &str = "blake3:0000000000000000000000000000000000000000000000000000000000000000";
const SUM_START: &str = ",\"sum\":\"";
const SUM_END: &str = "\"}";

/// The end of a chain: what the next line refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Head {
    seq: u64,
    line: Option<Digest>,
    /// The digest of the loop's name, before the first entry; none where any loop's journal is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<Digest>,
}

/// What is done about a line that a newer host wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newer {
    /// The journal is refused: for whoever goes on from it.
    Refuse,
    /// Its place in the chain is checked, and it is left out: for whoever only looks.
    PassOver,
}

/// A journal that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Journal {
    /// Its entries, oldest first.
    pub entries: Vec<Entry>,
    /// What the next line refers to.
    pub head: Head,
    /// What follows the last whole line and has to be cut off before anything is appended.
    pub torn_tail: Option<TornTail>,
}

/// Where the reading of a journal ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// What the next line refers to.
    pub head: Head,
    /// What follows the last whole line.
    pub torn_tail: Option<TornTail>,
    /// The first line that was passed over.
    pub newer: Option<JournalError>,
}

/// A last line that was not written to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// Its bytes in the file.
    pub bytes: Range<usize>,
    /// How that shows.
    pub why: String,
}

/// Why a journal is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("journal entry {entry} at byte {offset}: {problem}")]
pub struct JournalError {
    /// Where the line begins.
    pub offset: usize,
    /// Which line, from 1.
    pub entry: u64,
    /// What is wrong with it.
    pub problem: JournalProblem,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalProblem {
    /// The line does not keep its checksum, and others follow.
    #[error("the line does not match its sum")]
    Sum,
    /// The line is longer than any that is written; its end may not have been looked for.
    #[error("the line has more than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// The line is no JSON object of the expected shape.
    #[error("{0}")]
    Shape(String),
    /// The line was written by another version of the format.
    #[error("format version {found}, this host reads {FORMAT_VERSION}")]
    Version {
        /// The version as the line has it.
        found: String,
    },
    /// The line does not follow the one before.
    #[error("{0} does not follow from the line before")]
    Chain(&'static str),
    /// The first line is that of another loop's journal.
    #[error("this is the journal of another loop")]
    OtherLoop,
    /// The line says something of a kind that this host does not know.
    #[error("unknown kind {0:?}")]
    Kind(String),
    /// The line has a field that must not be ignored, and this host does not know it.
    #[error("field {0:?} must be understood, and this host does not know it")]
    MustUnderstand(String),
}

impl JournalProblem {
    /// True for what a newer version of this program may have written: nothing is wrong with the file then.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        match self {
            Self::Version { found } => found.parse().is_ok_and(|found: u64| found > FORMAT_VERSION),
            Self::Kind(_) | Self::MustUnderstand(_) => true,
            Self::Sum | Self::TooLong | Self::Shape(_) | Self::Chain(_) | Self::OtherLoop => false,
        }
    }
}

impl Head {
    /// Where the journal of a loop begins.
    #[must_use]
    pub fn of(loop_id: &LoopId) -> Self {
        let mut hasher = PartsHasher::new("ringfence journal 1");
        hasher.part("loop", loop_id.as_str().as_bytes());
        Self {
            origin: Some(hasher.finish()),
            ..Self::default()
        }
    }

    /// The number of the last entry; 0 when there is none.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The digest of the last entry's line: whoever knows it knows that nothing before was altered. None when there is none.
    #[must_use]
    pub fn line(&self) -> Option<Digest> {
        self.line
    }

    fn prev(&self) -> String {
        self.line
            .or(self.origin)
            .map_or_else(|| GENESIS.to_owned(), |digest| digest.to_string())
    }

    /// Checks that a line with this `prev` is the next one.
    fn check(&self, prev: Option<&str>) -> Result<(), JournalProblem> {
        match (prev, self.line) {
            (Some(prev), _) if prev == self.prev() => Ok(()),
            (Some(GENESIS), None) => Ok(()),
            // Whoever does not say whose journal it is reads any loop's.
            (Some(prev), None) if prev.parse::<Digest>().is_ok() => match self.origin {
                None => Ok(()),
                Some(_) => Err(JournalProblem::OtherLoop),
            },
            _ => Err(JournalProblem::Chain("prev")),
        }
    }

    pub(super) fn after(&self, line: Digest) -> Self {
        Self {
            seq: self.seq.saturating_add(1),
            line: Some(line),
            origin: None,
        }
    }
}

/// The line that follows `head`, its newline included, and the head that follows it.
///
/// # Errors
/// The message of the serializer, which no body of this crate's types raises.
pub fn encode(head: &Head, at: Timestamp, body: &Body) -> Result<(String, Head), String> {
    let seq = head.seq.saturating_add(1);
    let (prev, kind, text) = (
        head.prev(),
        body.kind(),
        body_text(body).map_err(|error| error.to_string())?,
    );
    let open = format!(
        r#"{{"v":{FORMAT_VERSION},"seq":{seq},"prev":"{prev}","at":"{at}","kind":"{kind}","body":{text}"#
    );
    let sum = sum_of(&open);
    let line = format!("{open}{SUM_START}{sum}{SUM_END}");
    let next = head.after(Digest::of(line.as_bytes()));
    Ok((line + "\n", next))
}

/// Reads a journal, whichever loop's it is.
///
/// # Errors
/// As [`decode_of`].
pub fn decode(bytes: &[u8]) -> Result<Journal, JournalError> {
    decode_from(&Head::default(), bytes)
}

/// Reads the journal of a loop.
///
/// # Errors
/// [`JournalError`] for the first line that is neither understood nor a torn tail, or is another loop's.
pub fn decode_of(loop_id: &LoopId, bytes: &[u8]) -> Result<Journal, JournalError> {
    decode_from(&Head::of(loop_id), bytes)
}

fn decode_from(head: &Head, bytes: &[u8]) -> Result<Journal, JournalError> {
    let mut entries = Vec::new();
    let end = decode_on(head, bytes, Newer::Refuse, |entry| entries.push(entry))?;
    Ok(Journal {
        entries,
        head: end.head,
        torn_tail: end.torn_tail,
    })
}

/// Reads what follows `head`, entry by entry; offsets count from where `bytes` begin.
///
/// # Errors
/// As [`decode_of`]; the entries before the one that is refused were given to `each`.
pub fn decode_on(
    head: &Head,
    bytes: &[u8],
    newer: Newer,
    mut each: impl FnMut(Entry),
) -> Result<End, JournalError> {
    let mut found = End {
        head: *head,
        torn_tail: None,
        newer: None,
    };
    let mut offset = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let end = offset + line.len();
        let refused = |problem| JournalError {
            offset,
            entry: found.head.seq + 1,
            problem,
        };
        if line.strip_suffix(b"\n").unwrap_or(line).len() > LINE_BYTES_MAX {
            return Err(refused(JournalProblem::TooLong));
        }
        match whole(line) {
            Ok((text, digest)) => {
                match read_line(text, &found.head) {
                    Ok(entry) => each(entry),
                    Err(problem) if newer == Newer::PassOver && problem.is_newer() => {
                        let error = refused(problem);
                        found.newer.get_or_insert(error);
                    }
                    Err(problem) => return Err(refused(problem)),
                }
                found.head = found.head.after(digest);
            }
            Err(why) if end == bytes.len() && !holds_whole_line(line) => {
                found.torn_tail = Some(TornTail {
                    bytes: offset..end,
                    why: why.to_owned(),
                });
            }
            Err(_) => return Err(refused(JournalProblem::Sum)),
        }
        offset = end;
    }
    Ok(found)
}

/// The text of a whole line, without its newline, and its digest; else what it lacks.
fn whole(line: &[u8]) -> Result<(&str, Digest), &'static str> {
    let text = line.strip_suffix(b"\n").ok_or("the last line has no end")?;
    let text = str::from_utf8(text).map_err(|_| "the last line is not UTF-8")?;
    let (open, sum) = text
        .strip_suffix(SUM_END)
        .and_then(|rest| rest.rsplit_once(SUM_START))
        .ok_or("the last line has no sum")?;
    let mut running = RunningDigest::default();
    if running.add(open.as_bytes()).so_far().to_string() == sum {
        let end = text.get(open.len()..).unwrap_or_default();
        Ok((text, running.add(end.as_bytes()).so_far()))
    } else {
        Err("the last line does not match its sum")
    }
}

/// True when a whole line stands at the beginning and something other than its end follows. Writing a line cannot be
/// cut off like that: the newline between two lines was damaged.
fn holds_whole_line(line: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(line) else {
        return false;
    };
    let mut running = RunningDigest::default();
    let mut hashed = 0;
    text.match_indices(SUM_START).any(|(at, _)| {
        let open = text.get(hashed..at).unwrap_or_default();
        running.add(open.as_bytes());
        hashed = at;
        let claimed = text.get(at + SUM_START.len()..).and_then(claimed_sum);
        claimed.is_some_and(|(sum, rest)| !rest.is_empty() && running.so_far().to_string() == sum)
    })
}

/// The digest that `text` begins with, and what follows the end of the line behind it.
fn claimed_sum(text: &str) -> Option<(&str, &str)> {
    let (sum, rest) = text.split_at_checked(GENESIS.len())?;
    sum.parse::<Digest>().ok()?;
    Some((sum, rest.strip_prefix(SUM_END)?))
}

/// The checksum of a line's text up to where its sum begins.
fn sum_of(open: &str) -> String {
    Digest::of(open.as_bytes()).to_string()
}

/// A line without its body, which is read when it is known what it is.
#[derive(Deserialize)]
#[serde(default)]
struct Frame {
    v: Option<Value>,
    seq: Value,
    prev: Value,
    at: Value,
    kind: Value,
    must_understand: Value,
}

impl Default for Frame {
    fn default() -> Self {
        Self {
            v: None,
            seq: Value::Null,
            prev: Value::Null,
            at: Value::Null,
            kind: Value::Null,
            must_understand: Value::Null,
        }
    }
}

/// The body of a line, whatever stands around it.
#[derive(Deserialize)]
struct Bodied<T> {
    body: T,
}

fn read_line(text: &str, head: &Head) -> Result<Entry, JournalProblem> {
    match at_once::read(text, head) {
        Some(entry) => Ok(entry),
        None => read_step_by_step(text, head),
    }
}

/// Reads a line twice, so that whatever is wrong with it is said in the order of what it means.
fn read_step_by_step(text: &str, head: &Head) -> Result<Entry, JournalProblem> {
    let shape = |error: serde_json::Error| JournalProblem::Shape(error.to_string());
    let frame: Frame = serde_json::from_str(text).map_err(shape)?;
    let seq = head.seq.saturating_add(1);
    if frame.seq.as_u64() != Some(seq) {
        return Err(JournalProblem::Chain("seq"));
    }
    head.check(frame.prev.as_str())?;
    match frame.v {
        Some(version) if version.as_u64() == Some(FORMAT_VERSION) => {}
        version => {
            return Err(JournalProblem::Version {
                found: version.map_or_else(|| "none".to_owned(), |version| version.to_string()),
            });
        }
    }
    let at: Timestamp = serde_json::from_value(frame.at).map_err(shape)?;
    let body = read_body(frame.kind.as_str().unwrap_or_default(), text)?;
    check_understood(&body, &frame.must_understand)?;
    Ok(Entry { seq, at, body })
}

fn read_body(kind: &str, line: &str) -> Result<Body, JournalProblem> {
    match kind {
        "beat" => read(line).map(Body::Beat),
        "intent" => read(line).map(Body::Intent),
        "done" => read(line).map(Body::Done),
        "recovered" => read(line).map(Body::Recovered),
        "operator" => read(line).map(Body::Operator),
        "drill" => read(line).map(Body::Drill),
        "notice" => read(line).map(Body::Notice),
        "reserve" => read(line).map(Body::Reserve),
        other => Err(JournalProblem::Kind(other.chars().take(40).collect())),
    }
}

fn read<T: DeserializeOwned>(line: &str) -> Result<T, JournalProblem> {
    let read: Result<Bodied<T>, _> = serde_json::from_str(line);
    read.map(|line| line.body)
        .map_err(|error| JournalProblem::Shape(error.to_string()))
}

fn body_text(body: &Body) -> Result<String, serde_json::Error> {
    match body {
        Body::Beat(receipt) => json(receipt),
        Body::Intent(intent) => json(intent),
        Body::Done(done) => json(done),
        Body::Recovered(recovered) => json(recovered),
        Body::Operator(act) => json(act),
        Body::Drill(run) => json(run),
        Body::Notice(notice) => json(notice),
        Body::Reserve(reservation) => json(reservation),
    }
}

fn json<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    serde_json::to_string(value)
}

/// Every field that a newer host says must not be ignored has to be one that writing the body again would bring back.
fn check_understood(body: &Body, names: &Value) -> Result<(), JournalProblem> {
    let shape = |text: &str| JournalProblem::Shape(text.to_owned());
    let names = match names {
        Value::Null => return Ok(()),
        Value::Array(names) => names,
        _ => return Err(shape("must_understand is no list")),
    };
    let text = body_text(body).map_err(|error| JournalProblem::Shape(error.to_string()))?;
    let known: Map<String, Value> =
        serde_json::from_str(&text).map_err(|error| JournalProblem::Shape(error.to_string()))?;
    for name in names {
        let name = name
            .as_str()
            .ok_or_else(|| shape("must_understand holds something that is no name"))?;
        if !known.contains_key(name) {
            return Err(JournalProblem::MustUnderstand(
                name.chars().take(40).collect(),
            ));
        }
    }
    Ok(())
}
