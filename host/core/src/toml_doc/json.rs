//! A TOML table of any shape as JSON, with the place of every value in it.
//!
//! **Invariant:** what JSON cannot say (dates, infinite numbers, NaN, integers beyond 64 bits) is reported, never
//! rounded or turned into text.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeInteger, DeValue};

use crate::diagnostic::{Diagnostic, Diagnostics};

/// JSON out of a TOML file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Json {
    /// The value.
    pub(crate) value: Value,
    /// Where it stands.
    pub(crate) place: Place,
}

/// Where a value stands, and the values inside it by key or index.
// A tree and not a map of pointers: a hostile file could make those longer than itself many times over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    span: Range<usize>,
    /// Of the name it has in a table.
    name: Option<Range<usize>>,
    inside: BTreeMap<String, Place>,
}

impl Json {
    /// Converts; none when something could not be said, which was reported.
    pub(crate) fn read(toml: &Spanned<DeValue<'_>>, out: &mut Diagnostics) -> Option<Self> {
        let (value, place) = convert(toml, out)?;
        Some(Self { value, place })
    }
}

impl Place {
    /// Where the value at a JSON Pointer stands, or the nearest value around it.
    pub(crate) fn span_at(&self, pointer: &str) -> Range<usize> {
        self.at(pointer).span.clone()
    }

    /// Where the name of `key` stands in the object at a JSON Pointer; none where it does not.
    pub(crate) fn name_at(&self, pointer: &str, key: &str) -> Option<Range<usize>> {
        self.at(pointer).inside.get(key)?.name.clone()
    }

    fn at(&self, pointer: &str) -> &Self {
        let mut place = self;
        for name in pointer.split('/').skip(1) {
            match place
                .inside
                .get(&name.replace("~1", "/").replace("~0", "~"))
            {
                Some(inside) => place = inside,
                None => break,
            }
        }
        place
    }
}

fn convert(toml: &Spanned<DeValue<'_>>, out: &mut Diagnostics) -> Option<(Value, Place)> {
    let mut inside = BTreeMap::new();
    let value = match toml.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Array(array) => {
            // Not one `collect` over `Option`, which would stop at the first problem.
            let entries: Vec<_> = array.iter().map(|entry| convert(entry, out)).collect();
            let mut values = Vec::new();
            for (index, entry) in entries.into_iter().enumerate() {
                let (value, place) = entry?;
                values.push(value);
                inside.insert(index.to_string(), place);
            }
            Value::Array(values)
        }
        DeValue::Table(table) => {
            let entries: Vec<_> = table
                .iter()
                .map(|(name, entry)| (name, convert(entry, out)))
                .collect();
            let mut values = Map::new();
            for (key, entry) in entries {
                let (value, mut place) = entry?;
                place.name = Some(key.span());
                values.insert(key.get_ref().to_string(), value);
                inside.insert(key.get_ref().to_string(), place);
            }
            Value::Object(values)
        }
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) => {
            match number(toml.get_ref()) {
                Ok(number) => Value::Number(number),
                Err(why) => {
                    out.push(Diagnostic::error(
                        "bad-value",
                        toml.span(),
                        why,
                        "no JSON value",
                    ));
                    return None;
                }
            }
        }
    };
    let place = Place {
        span: toml.span(),
        name: None,
        inside,
    };
    Some((value, place))
}

fn number(value: &DeValue<'_>) -> Result<Number, String> {
    match value {
        DeValue::Integer(text) => integer(text)
            .and_then(|number| i64::try_from(number).ok())
            .map(Number::from)
            .ok_or_else(|| "an integer beyond 64 bits; write it as a string".to_owned()),
        DeValue::Float(text) => text
            .as_str()
            .parse()
            .ok()
            .and_then(Number::from_f64)
            .ok_or_else(|| "JSON knows neither nan nor infinite numbers".to_owned()),
        _ => Err("JSON has no dates; write it as a string".to_owned()),
    }
}

/// The value of a TOML integer of any base; none beyond 128 bits.
pub(super) fn integer(number: &DeInteger<'_>) -> Option<i128> {
    i128::from_str_radix(number.as_str(), number.radix()).ok()
}
