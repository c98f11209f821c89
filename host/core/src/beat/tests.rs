//! The machine, by its table, by stories of several beats, and under any order of events.

mod answers;
mod any_order;
mod people;
mod sample;
mod stories;
mod table;
