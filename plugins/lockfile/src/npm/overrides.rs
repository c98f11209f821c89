//! `overrides` of a manifest: what npm takes instead of what packages ask for.
//!
//! **Invariant:** an override frees nothing from being held to something: a package fits what is asked for, or an override
//! of its name, and one that holds everywhere it has to fit.

use serde_json::Value;

use super::lock::LISTS;

/// All overrides, at whatever depth.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Overrides(Vec<Override>);

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Override {
    pub(super) name: String,
    pub(super) spec: String,
    /// Whoever asks, and for whichever version.
    pub(super) is_for_all: bool,
}

impl Overrides {
    /// Those of a manifest; what is none counts as a manifest without.
    pub(super) fn of(manifest: Option<&str>) -> Self {
        let manifest = manifest.and_then(|text| serde_json::from_str(text).ok());
        let manifest: Value = manifest.unwrap_or_default();
        let mut found = Vec::new();
        let mut open: Vec<(&Value, Option<Override>)> = Vec::new();
        open.extend(manifest.get("overrides").map(|all| (all, None)));
        while let Some((value, of)) = open.pop() {
            for (key, value) in value.as_object().into_iter().flatten() {
                // `name@range`, where a scope begins with `@`.
                let at = key.char_indices().skip(1).find(|(_, c)| *c == '@');
                let name = at.and_then(|(at, _)| key.get(..at)).unwrap_or(key);
                let mut one = Override {
                    name: name.to_owned(),
                    spec: String::new(),
                    is_for_all: of.is_none() && at.is_none(),
                };
                // The package itself, beside what it asks for.
                if let (".", Some(of)) = (key.as_str(), &of) {
                    one.clone_from(of);
                }
                match value.as_str() {
                    Some(spec) => {
                        one.spec = referred(&manifest, spec).to_owned();
                        found.push(one);
                    }
                    None => open.push((value, Some(one))),
                }
            }
        }
        Self(found)
    }

    /// Those for a package.
    pub(super) fn for_name(&self, name: &str) -> impl Iterator<Item = &Override> {
        self.0.iter().filter(move |one| one.name == name)
    }

    /// Those that were not there before.
    pub(super) fn since<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = &'a Override> {
        self.0.iter().filter(|one| !before.0.contains(one))
    }
}

/// What `$name` stands for: what the manifest itself asks for under that name.
fn referred<'a>(manifest: &'a Value, spec: &'a str) -> &'a str {
    let wanted = spec.strip_prefix('$').and_then(|name| {
        let mut lists = LISTS.iter().filter_map(|list| manifest.get(list));
        lists.find_map(|list| list.get(name)?.as_str())
    });
    wanted.unwrap_or(spec)
}
