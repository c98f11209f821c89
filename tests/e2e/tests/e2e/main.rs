//! The program from outside: its command line, its exit codes, and what it leaves behind in real repositories.
//!
//! `readme` runs the README, `main_job` the work that Ringfence is for, `moving` what it shares with other tools, `bad_input`
//! what can be wrong with a project, `authority` drills loops and promotes them, `commands` runs native programs, `steps` has components that are broken or
//! hostile; `running` keeps it running, and kills it; `seeing` looks on until it is stopped; `month` lets a
//! loop misbehave for a month, and audits it; `in_ci` runs what docs/ci.md shows, `new_plugin` what `plugin new` writes, `gate_sight` tries to have gates overlook something. `rig` makes projects and runs the
//! program in them, `traces` sees what was changed there, `shown` makes what was printed comparable, `loop_files` writes
//! the loops.
//!
//! **Invariant:** no test uses the machine's own configuration: home, git settings and environment are the rig's. Only
//! compiled components are shared, in Cargo's folder for temporary files. How one rule decides is tested beside its code;
//! here stands what comes of it all together.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may end at once"
)]

mod authority;
mod bad_input;
mod commands;
mod commits;
mod gate_commands;
mod gate_sight;
mod in_ci;
mod loop_files;
mod main_job;
mod month;
mod moving;
mod new_plugin;
mod readme;
mod rig;
mod running;
mod seeing;
mod shown;
mod steps;
mod traces;
