//! What a loop may spend in a day, and what it did spend.

mod spread;

pub use spread::Spread;
