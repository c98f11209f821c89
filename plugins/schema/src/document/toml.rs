//! TOML, with places.
//!
//! **Invariant:** dates are texts, as JSON would have them; what has no JSON value (`inf`, `nan`) is an error.

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{DEPTH_MAX, Document, Format, NODES_MAX, Parts, Place, Refused};

/// The one document of a text.
pub(super) fn read(text: &str) -> Result<Document, Refused> {
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        Refused::new(text, Format::Toml, at, error.message())
    })?;
    let mut reader = Reader { text, nodes: 0 };
    let (value, parts) = reader.table(table.into_inner(), 0)?;
    let place = Place { at: 0, parts };
    Ok(Document { value, place })
}

struct Reader<'a> {
    text: &'a str,
    nodes: usize,
}

impl Reader<'_> {
    fn value(
        &mut self,
        value: Spanned<DeValue<'_>>,
        depth: usize,
    ) -> Result<(Value, Place), Refused> {
        let at = value.span().start;
        self.nodes += 1;
        if depth > DEPTH_MAX || self.nodes > NODES_MAX {
            let what = format!("deeper than {DEPTH_MAX} levels, or more than {NODES_MAX} values");
            return Err(self.refused(at, what));
        }
        let (value, parts) = match value.into_inner() {
            DeValue::String(text) => (Value::String(text.into_owned()), Parts::None),
            DeValue::Boolean(is) => (Value::Bool(is), Parts::None),
            DeValue::Datetime(time) => (Value::String(time.to_string()), Parts::None),
            DeValue::Integer(number) => {
                let parsed = i128::from_str_radix(number.as_str(), number.radix());
                let parsed = parsed.ok().and_then(Number::from_i128);
                let number = parsed.ok_or_else(|| self.refused(at, "an integer out of range"))?;
                (Value::Number(number), Parts::None)
            }
            DeValue::Float(number) => {
                let parsed = number.as_str().parse::<f64>().ok();
                let number = parsed.and_then(Number::from_f64);
                let number = number.ok_or_else(|| self.refused(at, "no JSON value is like it"))?;
                (Value::Number(number), Parts::None)
            }
            DeValue::Array(items) => {
                let read = items.into_iter().map(|item| self.value(item, depth + 1));
                let read: Vec<(Value, Place)> = read.collect::<Result<_, _>>()?;
                let (values, places): (Vec<Value>, Vec<Place>) = read.into_iter().unzip();
                (Value::Array(values), Parts::List(places))
            }
            DeValue::Table(table) => self.table(table, depth + 1)?,
        };
        Ok((value, Place { at, parts }))
    }

    fn table(&mut self, table: DeTable<'_>, depth: usize) -> Result<(Value, Parts), Refused> {
        let (mut map, mut parts) = (Map::new(), Vec::new());
        for (key, value) in table {
            let at = key.span().start;
            let key = key.into_inner().into_owned();
            let (value, place) = self.value(value, depth)?;
            map.insert(key.clone(), value);
            parts.push((key, at, place));
        }
        Ok((Value::Object(map), Parts::Map(parts)))
    }

    fn refused(&self, at: usize, what: impl Into<String>) -> Refused {
        Refused::new(self.text, Format::Toml, at, what)
    }
}
