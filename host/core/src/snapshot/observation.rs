//! One sensor's answer, from the strings of the contract to values within bounds.
//!
//! **Invariant:** nothing is repaired that a rule depends on: an id or a label out of shape refuses the whole
//! observation. Only titles, which are for people, are cut.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{IdError, ItemId};
use crate::json::{self, JSON_BYTES_MAX, JsonError};
use crate::text;

// Limit: ten times the broken links of a large documentation; more is a sensor without a filter.
const ITEMS_MAX: usize = 10_000;
// Limit: one line on a wide screen, twice.
const TITLE_CHARS_MAX: usize = 300;
// Limit: labels are words that rules name, not data.
const LABELS_MAX: usize = 32;
const LABEL_BYTES_MAX: usize = 64;
// Limit: what a decider needs to know of one item, and of all of them in one situation.
const ITEM_DETAIL_BYTES_MAX: usize = 64 << 10;
const ITEMS_DETAIL_BYTES_MAX: usize = 8 << 20;

/// A sensor's answer as the contract gives it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RawObservation {
    /// JSON text.
    pub signal: String,
    /// JSON text.
    pub detail: String,
    /// What could be worked on.
    pub items: Vec<RawItem>,
}

/// An item as the contract gives it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RawItem {
    /// The same from beat to beat.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// Words that rules look at.
    pub labels: Vec<String>,
    /// JSON text.
    pub detail: String,
}

/// A sensor's answer within bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// What wakes the loop when it changes; at most 1 MiB of JSON.
    pub signal: Value,
    /// What does not; at most 1 MiB of JSON.
    pub detail: Value,
    /// At most 10,000, most urgent first, each id once.
    pub items: Vec<Item>,
}

/// Something that could be worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The same from beat to beat.
    pub id: ItemId,
    /// One line of some 300 characters at most: escape before showing.
    pub title: String,
    /// At most 32 words of 1 to 64 bytes.
    pub labels: Vec<String>,
    /// At most 64 KiB of JSON; 8 MiB for all items of a sensor together.
    pub detail: Value,
}

/// Why an observation is refused; the sensor has then failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObservationError {
    /// The signal or the detail is no JSON within bounds.
    #[error("the observation's {field} is {error}")]
    Json {
        /// `signal` or `detail`.
        field: &'static str,
        /// What is wrong.
        error: JsonError,
    },
    /// Too many items.
    #[error("{count} items, the limit is {ITEMS_MAX}")]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// An id that is none.
    #[error("item {index}: {error}")]
    Id {
        /// Which, from 0.
        index: usize,
        /// What is wrong.
        error: IdError,
    },
    /// Two items of one id.
    #[error("two items are called {id}")]
    Duplicate {
        /// The id.
        id: ItemId,
    },
    /// Too many labels, or one that is empty, too long, or holds control characters.
    #[error(
        "item {id}: at most {LABELS_MAX} labels of 1 to {LABEL_BYTES_MAX} bytes without control characters"
    )]
    Labels {
        /// The item.
        id: ItemId,
    },
    /// An item's detail is no JSON within bounds.
    #[error("item {id}: the detail is {error}")]
    ItemDetail {
        /// The item.
        id: ItemId,
        /// What is wrong.
        error: JsonError,
    },
    /// The details of all items together are too long.
    #[error("the details of the items have over {ITEMS_DETAIL_BYTES_MAX} bytes together")]
    ItemsDetail,
}

impl Observation {
    /// Takes a sensor's answer for an observation.
    ///
    /// Titles are made one line and cut with a visible marker; everything else that is out of bounds refuses the whole.
    ///
    /// # Errors
    /// [`ObservationError`] with the first thing that is out of shape.
    pub fn check(raw: &RawObservation) -> Result<Self, ObservationError> {
        let parse = |field, text| {
            json::parse(text, JSON_BYTES_MAX)
                .map_err(|error| ObservationError::Json { field, error })
        };
        if raw.items.len() > ITEMS_MAX {
            return Err(ObservationError::TooMany {
                count: raw.items.len(),
            });
        }
        if raw
            .items
            .iter()
            .map(|item| item.detail.len())
            .sum::<usize>()
            > ITEMS_DETAIL_BYTES_MAX
        {
            return Err(ObservationError::ItemsDetail);
        }
        Ok(Self {
            signal: parse("signal", &raw.signal)?,
            detail: parse("detail", &raw.detail)?,
            items: check_items(&raw.items)?,
        })
    }
}

fn check_items(raw: &[RawItem]) -> Result<Vec<Item>, ObservationError> {
    let items: Vec<Item> = raw
        .iter()
        .enumerate()
        .map(|(index, item)| check_item(index, item))
        .collect::<Result<_, _>>()?;
    let mut seen = BTreeSet::new();
    match items.iter().find(|item| !seen.insert(&item.id)) {
        Some(twice) => Err(ObservationError::Duplicate {
            id: twice.id.clone(),
        }),
        None => Ok(items),
    }
}

fn check_item(index: usize, raw: &RawItem) -> Result<Item, ObservationError> {
    let id = ItemId::new(&raw.id).map_err(|error| ObservationError::Id { index, error })?;
    if raw.labels.len() > LABELS_MAX || !raw.labels.iter().all(|label| is_label(label)) {
        return Err(ObservationError::Labels { id });
    }
    match json::parse(&raw.detail, ITEM_DETAIL_BYTES_MAX) {
        Ok(detail) => Ok(Item {
            id,
            title: text::one_line(&raw.title, TITLE_CHARS_MAX),
            labels: raw.labels.clone(),
            detail,
        }),
        Err(error) => Err(ObservationError::ItemDetail { id, error }),
    }
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_BYTES_MAX).contains(&label.len()) && !label.chars().any(char::is_control)
}
