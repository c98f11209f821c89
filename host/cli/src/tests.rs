//! Commands as people and scripts run them, in small projects of their own, with the plugins that are shipped.
//!
//! What differs from build to build is redacted in `rig`; every output passes its checks (80 columns, no control
//! characters, no colour).

mod authority;
mod beats;
mod doctor;
mod drills;
mod files;
mod gate_fuel;
mod gate_outputs;
mod gate_rules;
mod gating;
mod guarded;
mod hostile;
mod loops;
mod moving;
mod people;
mod plugins;
mod rig;
mod run;
mod seeing;
