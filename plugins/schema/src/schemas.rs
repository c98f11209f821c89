//! Schemas: read out of the workspace, with what they refer to, and compiled.
//!
//! Owns what a reference may lead to. A file of the workspace has a URI of a scheme of its own, so that relative references
//! between files are resolved like any others.
//!
//! **Invariant:** nothing is looked for outside the workspace, and a reference that leads nowhere is an error.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{
    Draft, PatternOptions, Registry, Retrieve, Uri, ValidationError, ValidationOptions, Validator,
    uri,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use ringfence_sdk::prelude::*;
use serde_json::Value;

use crate::document::{self, Document, Format, Positions};
use crate::tree::Tree;

/// Limit: steps back that one search by an expression may take; an honest one needs none, or a few hundred.
const BACKTRACK_MAX: usize = 100_000;
/// Limit: an expression, compiled.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Limit: a message quotes what stands in the schema.
const MESSAGE_CHARS_MAX: usize = 300;

/// How the URIs of files begin.
pub(crate) const WORKSPACE: &str = "workspace:///";
/// What stands in a path of a URI as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The schemas that the configuration names.
pub(crate) struct Schemas {
    tree: Tree,
    listed: BTreeSet<String>,
    assert_formats: Option<bool>,
    ids: OnceLock<Arc<Ids>>,
}

/// A schema, ready to judge.
pub(crate) struct Compiled {
    pub(crate) validator: Validator,
}

/// What stands under an `$id` in the listed schemas: the file, and the value there.
type Ids = BTreeMap<String, (String, Value)>;

impl Schemas {
    pub(crate) fn new(tree: Tree, listed: BTreeSet<String>, assert_formats: Option<bool>) -> Self {
        Self {
            tree,
            listed,
            assert_formats,
            ids: OnceLock::new(),
        }
    }

    /// The schema in the file `path`, or why it cannot be used; and all files that were read for it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the file may not be read.
    #[expect(
        clippy::type_complexity,
        reason = "an answer, and what it was drawn from"
    )]
    pub(crate) fn compile(
        &self,
        path: &str,
    ) -> Result<(
        std::result::Result<Compiled, Box<Finding>>,
        BTreeSet<String>,
    )> {
        let mut read = BTreeSet::from([path.to_owned()]);
        let text = match self.tree.text(path)? {
            Ok(text) => text,
            Err(why) => return Ok((Err(Box::new(unusable(path, &why))), read)),
        };
        let document = match parsed(path, &text) {
            Ok(document) => document,
            Err(finding) => return Ok((Err(finding), read)),
        };
        let shelf = Shelf {
            tree: self.tree.clone(),
            ids: Arc::clone(self.ids.get_or_init(|| Arc::new(self.all_ids()))),
            read: Arc::default(),
        };
        let compiled = self.validator(path, &document.value, &shelf);
        read.extend(lock(&shelf.read).iter().cloned());
        let compiled = compiled
            .map(|validator| Compiled { validator })
            .map_err(|error| Box::new(refused(path, &text, &document, &error)));
        Ok((compiled, read))
    }

    fn validator(
        &self,
        path: &str,
        schema: &Value,
        shelf: &Shelf,
    ) -> std::result::Result<Validator, ValidationError<'static>> {
        let base = base(&uri_of(path), schema);
        let Some(meta) = custom_meta(schema) else {
            return self.options(&base, shelf).build(schema);
        };
        let Some(found) = shelf.find(meta) else {
            let message = format!("its `$schema` {meta} is not at hand");
            return Err(ValidationError::schema(message));
        };
        let registry = Registry::new()
            .retriever(shelf.clone())
            .add(meta, &found)?
            .prepare()?;
        self.options(&base, shelf)
            .with_registry(&registry)
            .build(schema)
    }

    fn options<'i>(&self, base: &str, shelf: &Shelf) -> ValidationOptions<'i> {
        let patterns = PatternOptions::fancy_regex()
            .backtrack_limit(BACKTRACK_MAX)
            .size_limit(PATTERN_BYTES_MAX);
        let options = jsonschema::options()
            .with_base_uri(base)
            .with_retriever(shelf.clone())
            .with_pattern_options(patterns);
        match self.assert_formats {
            Some(assert) => options
                .should_validate_formats(assert)
                .should_ignore_unknown_formats(!assert),
            None => options,
        }
    }

    /// A file that cannot be read names nothing: whoever refers to it hears of that.
    fn all_ids(&self) -> Ids {
        let mut ids = Ids::new();
        for path in &self.listed {
            let text = self.tree.text(path).ok().and_then(std::result::Result::ok);
            if let Some(document) = text.and_then(|text| parsed(path, &text).ok()) {
                collect(&mut ids, path, &uri_of(path), &document.value);
            }
        }
        ids
    }
}

/// Adds what has an `$id` in `value`, which stands under the URI `base`.
fn collect(ids: &mut Ids, path: &str, base_uri: &str, value: &Value) {
    match value {
        Value::Array(items) => {
            for item in items {
                collect(ids, path, base_uri, item);
            }
        }
        Value::Object(map) => {
            let own = base(base_uri, value);
            if map.contains_key("$id") {
                let known = (path.to_owned(), value.clone());
                ids.entry(own.clone()).or_insert(known);
            }
            for part in map.values() {
                collect(ids, path, &own, part);
            }
        }
        _ => {}
    }
}

/// The URI of a schema that was found under `outer`: its `$id`, if it has one.
fn base(outer: &str, schema: &Value) -> String {
    let id = schema.get("$id").and_then(Value::as_str);
    let resolved = id.and_then(|id| {
        let outer = uri::from_str(outer).ok()?;
        uri::resolve_against(&outer.borrow(), id).ok()
    });
    resolved.map_or_else(
        || outer.to_owned(),
        |uri| uri.as_str().trim_end_matches('#').to_owned(),
    )
}

fn uri_of(path: &str) -> String {
    format!("{WORKSPACE}{}", utf8_percent_encode(path, PLAIN))
}

/// The `$schema` of a schema, when it is none of JSON Schema's own.
fn custom_meta(schema: &Value) -> Option<&str> {
    let meta = schema.get("$schema")?.as_str()?;
    (Draft::default().detect(schema) == Draft::Unknown).then_some(meta)
}

/// What references can be followed to, and what has been followed.
#[derive(Clone)]
struct Shelf {
    tree: Tree,
    ids: Arc<Ids>,
    read: Arc<Mutex<BTreeSet<String>>>,
}

impl Shelf {
    /// The schema that a listed file has under this URI.
    fn find(&self, uri: &str) -> Option<Value> {
        let (path, value) = self.ids.get(uri.split('#').next()?)?;
        lock(&self.read).insert(path.clone());
        Some(value.clone())
    }

    fn file(&self, path: &str) -> std::result::Result<Value, String> {
        lock(&self.read).insert(path.to_owned());
        let text = self.tree.text(path).map_err(|error| error.to_string())??;
        let document = parsed(path, &text).map_err(|finding| finding.message)?;
        Ok(document.value)
    }
}

impl Retrieve for Shelf {
    fn retrieve(
        &self,
        uri: &Uri<String>,
    ) -> std::result::Result<Value, Box<dyn StdError + Send + Sync>> {
        let value = match self.find(uri.as_str()) {
            Some(value) => value,
            None => match uri.as_str().strip_prefix(WORKSPACE) {
                Some(path) => {
                    let path = path.split(['#', '?']).next().unwrap_or(path);
                    self.file(&percent_decode_str(path).decode_utf8_lossy())?
                }
                None => {
                    return Err(
                        "nothing is fetched, and no schema in `rules` or `refs` has this `$id`"
                            .into(),
                    );
                }
            },
        };
        // The validator looks at the first schema alone.
        if Draft::default().detect(&value) != Draft::Unknown {
            jsonschema::meta::validate(&value).map_err(|error| error.masked().to_string())?;
        }
        Ok(value)
    }
}

fn parsed(path: &str, text: &str) -> std::result::Result<Document, Box<Finding>> {
    let Some(format) = Format::of(path) else {
        let why = "its name does not end in `.json`, `.yaml`, `.yml` or `.toml`";
        return Err(Box::new(unusable(path, why)));
    };
    let documents = document::read(text, format, &BTreeSet::new())
        .map_err(|refused| Box::new(refused.finding("schema-unusable", path)))?;
    let [document] = <[Document; 1]>::try_from(documents)
        .map_err(|_| Box::new(unusable(path, "holds several documents")))?;
    Ok(document)
}

fn refused(path: &str, text: &str, document: &Document, error: &ValidationError<'_>) -> Finding {
    if let ValidationErrorKind::Referencing(error) = error.kind() {
        let mut message = error.to_string();
        if let Some(source) = error.source() {
            let source = source.to_string();
            if !message.contains(&source) {
                message.push_str(&format!(": {source}"));
            }
        }
        return unusable(path, &message);
    }
    let pointer = error.instance_path().as_str();
    let format = Format::of(path).unwrap_or(Format::Json);
    let (line, column) = Positions::new(text, format).of(document.at(pointer));
    let message = format!("{pointer}: {}", error.masked());
    let message = message.trim_start_matches(": ");
    let message = document::shortened(message, MESSAGE_CHARS_MAX);
    Finding::error("schema-unusable", message).at_position(path, line, column)
}

fn unusable(path: &str, why: &str) -> Finding {
    let why = document::shortened(why, MESSAGE_CHARS_MAX);
    Finding::error("schema-unusable", why).at(path)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
