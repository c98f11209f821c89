//! Moving in: what other loop tools leave in a repository, made a loop file to review.
//!
//! Readers turn each file into facts (`fact`), one setting at a time with its line; `draft` decides between them,
//! `glob` respells patterns, `write` makes the text. What was taken, left out, or is weaker than it looks is a [`Note`].
//!
//! **Invariant:** every text is foreign and within bounds, and the file that comes out has no errors. What is not understood
//! is said, never guessed: nothing is granted that no file grants, and what denies stays denied.

mod amount;
mod draft;
mod fact;
mod gate;
mod glob;
mod history;
mod markdown;
mod prose;
mod write;
mod yaml;

use serde::Serialize;

use self::fact::{Findings, Place};
pub use self::history::History;
use self::history::Runs;
use crate::ids::LoopId;
use crate::text;

/// Longest file that is read, in bytes.
// Limit: years of a run log; many times the longest of the others.
pub const IMPORT_BYTES_MAX: usize = 4 << 20;
// Limit: YAML and JSON are held as trees.
const TREE_BYTES_MAX: usize = 1 << 20;
// Limit: nobody reads further; what is behind it is counted.
const NOTES_MAX: usize = 500;
// Limit: one line of a table.
const WHAT_CHARS_MAX: usize = 120;
const SAYS_CHARS_MAX: usize = 300;

/// A file to read.
#[derive(Debug, Clone, Copy)]
pub struct Source<'t> {
    /// Its path as it is shown; its last part tells what it is.
    pub name: &'t str,
    /// What it holds.
    pub text: &'t str,
}

/// What a file is taken for, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// `LOOP_SPEC.md`.
    Spec,
    /// `LOOP.md` that is no loop file of ours.
    Loop,
    /// `loop-constraints.md`, `safety.md`.
    Rules,
    /// `gate.yaml`.
    Gate,
    /// `loop-budget.md`.
    Budget,
    /// `loop-ledger.json`.
    Ledger,
    /// `loop-run-log.md` or `.jsonl`.
    RunLog,
}

/// What became of something that a file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoteKind {
    /// It stands in the new file.
    Taken,
    /// There, it holds less than it seems to.
    Weak,
    /// It does not stand in the new file.
    Left,
    /// A person has to fill it in.
    FillIn,
}

/// One line of the report. Texts are foreign: escape before showing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// What became of it.
    pub kind: NoteKind,
    /// The file; empty for what no file says.
    pub file: String,
    /// The line, from 1; none for the file as a whole.
    pub line: Option<usize>,
    /// What the file says, in short; or the key to fill in.
    pub what: String,
    /// What it became, or why it did not.
    pub says: String,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReadFile {
    /// Its path.
    pub file: String,
    /// What it was taken for; none when it was not read.
    pub kind: Option<SourceKind>,
    /// How many settings were found in it.
    pub facts: usize,
}

/// What came of it all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Import {
    /// The loop that the file is for.
    pub loop_id: LoopId,
    /// The others that the files tell of, by the names to ask for them.
    pub other_loops: Vec<String>,
    /// The files, in the order in which they count.
    pub files: Vec<ReadFile>,
    /// The report, by kind, then in the order of files and lines.
    pub notes: Vec<Note>,
    /// Notes that were too many.
    pub notes_dropped: usize,
    /// What the loop has behind it, a part for each file that tells of it.
    pub history: Vec<History>,
    /// The loop file.
    pub text: String,
}

/// Why there is no loop file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// None of the files is of a known kind.
    #[error("none of the files is one that can be read")]
    Nothing,
    /// No file tells of the loop that was asked for.
    #[error("no file tells of a loop {wanted}; there is {}", .known.join(", "))]
    NoSuchLoop {
        /// What was asked for.
        wanted: LoopId,
        /// What there is, at least one.
        known: Vec<String>,
    },
}

/// The names that are looked for in a folder, in the order in which they count.
pub const FILE_NAMES: &[&str] = &[
    "LOOP_SPEC.md",
    "LOOP.md",
    "loop-constraints.md",
    "docs/safety.md",
    "gate.yaml",
    "gate.yml",
    "loop-budget.md",
    "loop-ledger.json",
    "loop-run-log.md",
    "loop-run-log.jsonl",
];

impl SourceKind {
    /// What a file of this name is; none for one that is not read.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let last = name.rsplit('/').next().unwrap_or(name).to_lowercase();
        Some(match last.as_str() {
            "loop_spec.md" | "loop-spec.md" => Self::Spec,
            "loop.md" => Self::Loop,
            "loop-constraints.md" | "safety.md" => Self::Rules,
            "gate.yaml" | "gate.yml" => Self::Gate,
            "loop-budget.md" => Self::Budget,
            "loop-ledger.json" => Self::Ledger,
            "loop-run-log.md" | "loop-run-log.jsonl" | "loop-run-log.json" => Self::RunLog,
            _ => return None,
        })
    }
}

/// Reads the files and writes a loop file for `wanted`, or for the first loop that they tell of.
///
/// # Errors
/// [`ImportError`] when there is nothing to read, or nothing about that loop.
pub fn import(sources: &[Source<'_>], wanted: Option<&LoopId>) -> Result<Import, ImportError> {
    let mut readings: Vec<(Reading, Source)> = sources
        .iter()
        .map(|source| (read(source), *source))
        .collect();
    readings.sort_by_key(|(reading, _)| reading.kind.map_or(u8::MAX, |kind| kind as u8));
    let used: Vec<Source> = readings
        .iter()
        .filter(|(reading, _)| reading.kind.is_some())
        .map(|(_, source)| *source)
        .collect();
    if used.is_empty() {
        return Err(ImportError::Nothing);
    }
    let (mut facts, mut notes, mut files, mut runs) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (reading, source) in readings {
        files.push(ReadFile {
            file: source.name.to_owned(),
            kind: reading.kind,
            facts: reading.findings.facts.len(),
        });
        facts.extend(reading.findings.facts);
        notes.extend(reading.findings.notes);
        runs.extend(reading.runs);
    }
    let (mut loops, loop_id) = draft::choose(&facts, wanted);
    if let Some(wanted) = wanted
        && !loops.is_empty()
        && !loops.iter().any(|name| name == wanted.as_str())
    {
        return Err(ImportError::NoSuchLoop {
            wanted: wanted.clone(),
            known: loops,
        });
    }
    loops.retain(|name| name != loop_id.as_str());
    let mut notes: Vec<Note> = notes
        .into_iter()
        .filter(|(of, _): &(Option<String>, Note)| {
            of.as_deref().is_none_or(|of| of == loop_id.as_str())
        })
        .map(|(_, note)| note)
        .collect();
    let draft = draft::draft(&facts, &loop_id, &mut notes);
    let text = write::loop_file(&draft, &loop_id, &used, &mut notes);
    let (notes, notes_dropped) = ordered(notes, &files);
    Ok(Import {
        history: runs
            .iter()
            .filter_map(|runs: &Runs| runs.of(loop_id.as_str()))
            .collect(),
        loop_id,
        other_loops: loops,
        files,
        notes,
        notes_dropped,
        text,
    })
}

struct Reading {
    kind: Option<SourceKind>,
    findings: Findings,
    runs: Option<Runs>,
}

fn read(source: &Source) -> Reading {
    let mut findings = Findings::new(source.name);
    let mut runs = None;
    let kind = kind(source, &mut findings);
    match kind {
        None => {}
        Some(SourceKind::Spec | SourceKind::Loop | SourceKind::Rules | SourceKind::Budget) => {
            prose::read(source.text, &mut findings);
        }
        Some(SourceKind::Gate) => gate::read(source.text, &mut findings),
        Some(SourceKind::Ledger) => runs = Some(history::ledger(source.text, &mut findings)),
        Some(SourceKind::RunLog) => runs = Some(history::run_log(source.text, &mut findings)),
    }
    Reading {
        kind,
        findings,
        runs,
    }
}

fn kind(source: &Source, findings: &mut Findings) -> Option<SourceKind> {
    let Some(kind) = SourceKind::of(source.name) else {
        findings.left(0, "the file", "no file of this name is read");
        return None;
    };
    let bytes_max = match kind {
        SourceKind::Gate | SourceKind::Ledger => TREE_BYTES_MAX,
        _ => IMPORT_BYTES_MAX,
    };
    if source.text.len() > bytes_max {
        let why = format!("{} bytes, at most {bytes_max} are read", source.text.len());
        findings.left(0, "the file", why);
        return None;
    }
    if kind == SourceKind::Loop
        && source
            .text
            .trim_start_matches('\u{feff}')
            .starts_with("+++")
    {
        findings.left(1, "the file", "it is a loop file of Ringfence already");
        return None;
    }
    Some(kind)
}

fn ordered(mut notes: Vec<Note>, files: &[ReadFile]) -> (Vec<Note>, usize) {
    let rank = |name: &str| files.iter().position(|file| file.file == name);
    notes.sort_by_key(|note| {
        (
            note.kind,
            rank(&note.file).unwrap_or(files.len()),
            note.line,
        )
    });
    notes.dedup();
    // What is to be filled in and what is weak must not hide behind what went well.
    notes.sort_by_key(|note| match note.kind {
        NoteKind::FillIn => 0,
        NoteKind::Weak => 1,
        NoteKind::Left => 2,
        NoteKind::Taken => 3,
    });
    let dropped = notes.len().saturating_sub(NOTES_MAX);
    notes.truncate(NOTES_MAX);
    (notes, dropped)
}

impl Note {
    fn new(kind: NoteKind, at: &Place, what: &str, says: impl Into<String>) -> Self {
        Self {
            kind,
            file: at.file.clone(),
            line: Some(at.line).filter(|line| *line > 0),
            what: text::one_line(what, WHAT_CHARS_MAX),
            says: text::one_line(&says.into(), SAYS_CHARS_MAX),
        }
    }

    fn taken(at: &Place, what: &str, became: &str) -> Self {
        Self::new(NoteKind::Taken, at, what, became)
    }

    fn left(at: &Place, what: &str, why: impl Into<String>) -> Self {
        Self::new(NoteKind::Left, at, what, why)
    }

    fn weak(at: &Place, what: &str, why: impl Into<String>) -> Self {
        Self::new(NoteKind::Weak, at, what, why)
    }

    fn missing(at: &Place, what: &str, why: impl Into<String>) -> Self {
        Self::new(NoteKind::FillIn, at, what, why)
    }

    fn todo(key: &str, why: impl Into<String>) -> Self {
        let nowhere = Place {
            file: String::new(),
            line: 0,
        };
        Self::new(NoteKind::FillIn, &nowhere, key, why)
    }
}

#[cfg(test)]
mod tests;
