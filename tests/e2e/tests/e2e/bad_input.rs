//! Projects and loop files that are wrong, odd or hostile: what the program says, how it ends, and that nothing is lost.
//!
//! `loop_file` has loop files and plugins, `project` repositories and the machine, `state` what an earlier beat, or
//! somebody else, left in the project.
//!
//! **Invariant:** every refusal names the thing and the way out, and leaves the user's project as it was.

mod loop_file;
mod project;
mod state;

use crate::rig::Rig;
use crate::traces::Before;

/// A loop file with nothing but what it must have.
const MINIMAL: &str = r#"+++
loop = "minimal"
paths.write = ["**/*.md"]
[[sensor]]
plugin = "std:md-links"
[decider]
plugin = "std:first-fixable"
[[executor]]
plugin = "std:md-link-fix"
[[gate]]
plugin = "std:md-links"
+++
"#;

/// What the program says to refuse this; it must leave everything as it is.
#[track_caller]
fn refused_in(rig: &Rig, args: &[&str]) -> String {
    let before = Before::of(rig);
    let ran = rig.run(args);
    assert_ne!(ran.code, 0, "{}", ran.out);
    assert_eq!(ran.out, "", "results go to stdout, and there is none");
    before.assert_untouched();
    ran.shown()
}
