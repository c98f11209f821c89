//! The standard gate `diff-size` as a native program: a change as JSON on its standard input, a verdict as JSON out.
//!
//! **Invariant:** the judging is the plugin's own source. What differs is the way in and out, as for any program that is
//! started once for each question.

use std::io::{Read, Write};
use std::process::ExitCode;

use ringfence_bench::Outcome;
use ringfence_bench::groups::call::NativeChange;
use ringfence_sdk::{Change, Context, Ruling, TestFile};
use serde_json::json;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn run() -> Outcome<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let file: NativeChange = serde_json::from_str(&text)?;
    let change = Change::test(vec![TestFile::modified(file.path, file.before, file.after)]);
    let verdict = diff_size::judge(&Context::test(json!({})), &change)
        .map_err(|error| format!("{error:?}"))?;
    let passes = matches!(verdict.ruling, Ruling::Pass);
    let answer = json!({ "passes": passes, "summary": verdict.summary });
    Ok(std::io::stdout().write_all(answer.to_string().as_bytes())?)
}
