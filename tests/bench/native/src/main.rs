//! The standard gate `diff-size` as a native program: a change as JSON on its standard input, a verdict as JSON out.
//!
//! A crate of its own, so that it holds nothing of the engine.
//!
//! **Invariant:** the judging is the plugin's own source. What differs is the way in and out, as for any program that is
//! started once for each question.

use std::io::{Read, Write};
use std::process::ExitCode;

use ringfence_sdk::{Change, Context, Ruling, TestFile};
use serde::Deserialize;
use serde_json::json;

/// One file that differs, before and after.
#[derive(Deserialize)]
struct Asked {
    path: String,
    before: String,
    after: String,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let file: Asked = serde_json::from_str(&text)?;
    let change = Change::test(vec![TestFile::modified(file.path, file.before, file.after)]);
    let verdict = diff_size::judge(&Context::test(json!({})), &change)
        .map_err(|error| format!("{error:?}"))?;
    let passes = matches!(verdict.ruling, Ruling::Pass);
    let answer = json!({ "passes": passes, "summary": verdict.summary });
    Ok(std::io::stdout().write_all(answer.to_string().as_bytes())?)
}
