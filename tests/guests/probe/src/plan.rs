//! The plan's operations and the handles they work on.
//!
//! Owns the format of one operation and the table of named handles.
//!
//! **Invariant:** a name is bound to the last thing opened under it; what stood there before is dropped.

use std::collections::BTreeMap;

use ringfence_sdk::prelude::*;
use serde::Deserialize;
use wasip2::{
    filesystem::{
        preopens,
        types::{Descriptor, DirectoryEntryStream},
    },
    io::streams::{InputStream, OutputStream},
};

use crate::{each, raw, standard};

/// Data on success, the name of the error otherwise.
pub(crate) type Outcome = std::result::Result<Value, String>;

/// One operation: its name and its arguments, of which each verb takes what it needs.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Operation {
    op: String,
    /// The handle worked on; `root` if absent.
    on: Option<String>,
    /// The name for what is opened; `h` if absent.
    #[serde(rename = "as")]
    name: Option<String>,
    pub(crate) path: String,
    /// The second path of two-path verbs.
    pub(crate) new_path: String,
    /// The handle that the second path starts from; that of the first if absent.
    to: Option<String>,
    /// Whether a link at the end of the path is followed.
    pub(crate) follow: bool,
    /// `create`, `directory`, `exclusive`, `truncate`.
    pub(crate) flags: Vec<String>,
    /// `read`, `write`, `mutate-directory`, `file-integrity-sync`, `data-integrity-sync`, `requested-write-sync`.
    pub(crate) descriptor: Vec<String>,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) text: String,
    /// `normal`, `sequential`, `random`, `will-need`, `dont-need`, `no-reuse`.
    pub(crate) advice: String,
    /// `no-change`, `now`, or `SECONDS.NANOSECONDS`.
    pub(crate) atime: String,
    pub(crate) mtime: String,
    /// For `open-each`: whether the flags that ask for syncing are tried, too.
    pub(crate) sync: bool,
    /// For `open-each`: whether nothing is at `new_path`.
    pub(crate) absent: bool,
    /// How often the operation is done; the last result counts, with the number of successes as `{"done", "last"}`.
    repeat: Option<u64>,
}

impl Operation {
    /// The verb.
    pub(crate) fn name(&self) -> &str {
        &self.op
    }

    /// Does it.
    pub(crate) fn run(&self, handles: &mut Handles, change: Option<&Change>) -> Outcome {
        let Some(count) = self.repeat else {
            return self.once(handles, change);
        };
        let (mut done, mut last) = (0_u64, Value::Null);
        for _ in 0..count {
            match self.once(handles, change) {
                Ok(_) => done += 1,
                Err(code) => last = json!(code),
            }
        }
        Ok(json!({ "done": done, "last": last }))
    }

    fn once(&self, handles: &mut Handles, change: Option<&Change>) -> Outcome {
        match (self.op.as_str(), self.op.strip_prefix("std-")) {
            ("read-base", _) => self.read_base(change),
            ("open-each", _) => each::run(self, handles),
            (_, Some(verb)) => standard::run(verb, self),
            (verb, None) => raw::run(verb, self, handles),
        }
    }

    /// The bytes before the change.
    fn read_base(&self, change: Option<&Change>) -> Outcome {
        let change = change.ok_or("plan: only a gate has a change")?;
        let bytes = change.read_base(&self.path);
        bytes
            .map(|bytes| json!(String::from_utf8_lossy(&bytes)))
            .map_err(|error| error.to_string())
    }

    /// The handle worked on.
    pub(crate) fn on(&self) -> &str {
        self.on.as_deref().unwrap_or("root")
    }

    /// The handle that the second path starts from.
    pub(crate) fn to(&self) -> &str {
        self.to.as_deref().unwrap_or_else(|| self.on())
    }

    /// The name for what is opened.
    pub(crate) fn opened(&self) -> String {
        self.name.clone().unwrap_or_else(|| "h".to_owned())
    }
}

/// Everything that is open, by name.
#[derive(Debug, Default)]
pub(crate) struct Handles {
    pub(crate) descriptors: BTreeMap<String, Descriptor>,
    pub(crate) readers: BTreeMap<String, InputStream>,
    pub(crate) writers: BTreeMap<String, OutputStream>,
    pub(crate) listings: BTreeMap<String, DirectoryEntryStream>,
    /// The guest paths of the preopened folders, in the host's order.
    pub(crate) preopened: Vec<String>,
}

impl Handles {
    /// With the preopened folders as `root`, `root1`, ….
    pub(crate) fn preopened() -> Self {
        let mut handles = Self::default();
        for (index, (descriptor, path)) in preopens::get_directories().into_iter().enumerate() {
            let name = if index == 0 {
                "root".to_owned()
            } else {
                format!("root{index}")
            };
            handles.descriptors.insert(name, descriptor);
            handles.preopened.push(path);
        }
        handles
    }

    /// Closes everything of that name; whether there was anything.
    pub(crate) fn drop(&mut self, name: &str) -> bool {
        // Streams first: they are children of the descriptor.
        let streams = [
            self.readers.remove(name).is_some(),
            self.writers.remove(name).is_some(),
            self.listings.remove(name).is_some(),
        ];
        self.descriptors.remove(name).is_some() || streams.contains(&true)
    }
}

/// Looks a handle up.
pub(crate) fn find<'a, T>(
    handles: &'a BTreeMap<String, T>,
    name: &str,
) -> std::result::Result<&'a T, String> {
    handles
        .get(name)
        .ok_or_else(|| format!("plan: nothing is open as {name}"))
}
