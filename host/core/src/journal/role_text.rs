//! [`Role`] in an entry: the word that loop files use.

use serde::{Deserialize, Deserializer, Serializer, de};

use crate::manifest::Role;

pub(super) fn serialize<S: Serializer>(role: &Role, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(role.as_str())
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Role, D::Error> {
    let text = String::deserialize(deserializer)?;
    Role::ALL
        .into_iter()
        .find(|role| role.as_str() == text)
        .ok_or_else(|| de::Error::custom(format!("no role is called {text:?}")))
}
