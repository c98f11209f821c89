//! The forms of a new timestamp, each with each.
//!
//! **Invariant:** a time that no file can have is refused before anything is looked at, wherever it is asked for.

use ringfence_core::policy::Access::Write;
use serde_json::{Value, json};

use super::super::rules::{Of, Open, Want};
use super::super::words::Verb;
use super::{Deed, Shape, following};

/// A form as the probe spells it, and the code that it ends with if no file can have it.
const FORMS: [(&str, Option<&str>); 6] = [
    ("no-change", None),
    ("now", None),
    ("1.5", None),
    // The year 2514: some file systems have no later ones.
    ("17179869183.999999999", None),
    ("1.1000000000", Some("invalid")),
    ("18446744073709551615.0", Some("overflow")),
];

struct Form {
    name: String,
    keys: Value,
    ill: Option<&'static str>,
}

fn forms() -> Vec<Form> {
    let each = |access: (&'static str, Option<&'static str>)| {
        FORMS.map(|modification| Form {
            name: format!("{} {}", access.0, modification.0),
            keys: json!({ "atime": access.0, "mtime": modification.0 }),
            ill: access.1.or(modification.1),
        })
    };
    FORMS.into_iter().flat_map(each).collect()
}

/// `set-times`: a handle of any kind will do, the path decides.
pub(super) fn by_handle(verb: Verb) -> Vec<Deed> {
    let open = Open::reader();
    forms()
        .into_iter()
        .map(|form| {
            let then = match form.ill {
                Some(_) => Vec::new(),
                None => vec![(Write, Of::Plain { follow: true })],
            };
            let deed = Deed::new(verb, form.name, Want::Open(open, then), Shape::Opened(open));
            deed.with(form.keys).changes_content().must(form.ill)
        })
        .collect()
}

/// `set-times-at`, following links and not.
pub(super) fn by_path(verb: Verb) -> Vec<Deed> {
    let of = |follow: bool| {
        forms().into_iter().map(move |form| {
            let want = match form.ill {
                Some(_) => Want::Ill,
                None => Want::Each(vec![(Write, Of::Plain { follow })]),
            };
            let name = format!("{} {}", form.name, following(follow));
            let mut keys = form.keys;
            if let Some(keys) = keys.as_object_mut() {
                keys.insert("follow".to_owned(), json!(follow));
            }
            let deed = Deed::new(verb, name, want, Shape::AtPath);
            deed.with(keys).changes_content().must(form.ill)
        })
    };
    of(false).chain(of(true)).collect()
}
