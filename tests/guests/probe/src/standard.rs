//! The same through `std::fs`, as a plugin's author would write it.
//!
//! Owns the spelling of its verbs and results.
//!
//! **Invariant:** errors are named by `std::io::ErrorKind`, which is what an author can match on.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
};

use ringfence_sdk::prelude::*;

use crate::plan::{Operation, Outcome};

/// Does one operation.
pub(crate) fn run(verb: &str, op: &Operation) -> Outcome {
    let (path, new_path) = (op.path.as_str(), op.new_path.as_str());
    let result = match verb {
        "read" => fs::read(path).map(|bytes| json!(String::from_utf8_lossy(&bytes))),
        "write" => done(fs::write(path, &op.text)),
        "append" => append(path, &op.text),
        "create-new" => done(File::create_new(path)),
        "set-len" => with_open(path, |file| file.set_len(op.length)),
        "touch" => with_open(path, |file| {
            file.set_modified(std::time::SystemTime::UNIX_EPOCH)
        }),
        "create-dir" => done(fs::create_dir(path)),
        "create-dir-all" => done(fs::create_dir_all(path)),
        "remove-file" => done(fs::remove_file(path)),
        "remove-dir" => done(fs::remove_dir(path)),
        "remove-dir-all" => done(fs::remove_dir_all(path)),
        "rename" => done(fs::rename(path, new_path)),
        "copy" => fs::copy(path, new_path).map(Value::from),
        "hard-link" => done(fs::hard_link(path, new_path)),
        "read-link" => fs::read_link(path).map(|target| json!(target.to_string_lossy())),
        "list" => list(path),
        "metadata" => fs::metadata(path).map(|metadata| describe(&metadata)),
        "symlink-metadata" => fs::symlink_metadata(path).map(|metadata| describe(&metadata)),
        "exists" => fs::exists(path).map(Value::from),
        _ => return Err(format!("plan: no such operation: std-{verb}")),
    };
    result.map_err(|error| format!("{:?}", error.kind()))
}

fn done<T>(result: std::io::Result<T>) -> std::io::Result<Value> {
    result.map(|_| Value::Null)
}

fn append(path: &str, text: &str) -> std::io::Result<Value> {
    let mut file = OpenOptions::new().append(true).open(path)?;
    done(file.write_all(text.as_bytes()))
}

fn with_open(
    path: &str,
    deed: impl FnOnce(&File) -> std::io::Result<()>,
) -> std::io::Result<Value> {
    done(deed(&OpenOptions::new().write(true).open(path)?))
}

fn list(path: &str) -> std::io::Result<Value> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(json!(names))
}

fn describe(metadata: &fs::Metadata) -> Value {
    json!({
        "file": metadata.is_file(),
        "folder": metadata.is_dir(),
        "link": metadata.is_symlink(),
        "size": metadata.len(),
    })
}
