//! The shell around `ringfence_core`: what touches the disk, the clock and `git`.
//!
//! A beat takes its loop's lock ([`lock`]) in the state directory ([`state_dir`]), sweeps up after a killed one
//! ([`recovery`]), reads its journal ([`journal_file`]), prepares a checkout ([`workspace`], over the private [`store`]),
//! lets steps read and write it, measures what they did, and publishes it or throws it away ([`settle`]). A beat that has
//! nothing to do finds that out before all this, by what the last one left (`bookmark`).
//!
//! **Invariant:** nothing but [`settle`] writes outside the state directory, and below level L3 it only adds a branch. The order of
//! these things is decided in core; here they are only carried out.
//!
//! Modules, from the ground up: [`clock`] and [`steps`] are seams for tests; [`git`] is the only module that starts
//! git; then the ones above; [`open_loop`] reads what a beat needs, [`calls`] calls components (remembering answers in
//! [`memo`]), and [`driver`] carries out one beat; [`calendar`] says whether it may, [`people`] tells people of it, and
//! [`scheduler`] keeps loops beating. [`gating`] asks gates about any change, without a loop; [`native`] runs
//! the programs whose reports gates read. [`follow`] reads along for
//! whoever only looks, [`user`] says who that is.

pub mod authority;
mod bookmark;
pub mod calendar;
pub mod calls;
pub mod change_view;
pub mod clock;
pub mod drill;
pub mod driver;
pub mod follow;
pub mod gating;
pub mod git;
pub mod import;
pub mod journal_file;
pub mod lock;
pub mod memo;
pub mod native;
pub mod open_loop;
pub mod people;
mod plugins;
pub mod recovery;
pub mod scheduler;
pub mod settle;
pub mod state_dir;
pub mod steps;
pub mod store;
pub mod user;
pub mod workspace;

#[cfg(test)]
mod fixture;
