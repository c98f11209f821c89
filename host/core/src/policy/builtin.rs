//! What no step may touch unless the operator says so by name.

use super::{DenyPattern, DenySource};

/// Never lifted: whoever writes these decides what the host does next.
const ALWAYS: &[&str] = &[
    "**/.git/**",
    "**/git~1/**",
    ".ringfence/**",
    "ringfence.lock",
];

/// Lifted by name in the loop file: they steer the loop itself, editors, agents and shells, all of which run programs.
const DEFAULT: &[&str] = &[
    "**/LOOP.md",
    "**/.claude/**",
    "**/.cursor/**",
    "**/.idea/**",
    "**/.mcp.json",
    "**/.vscode/**",
    "**/.zed/**",
    "**/.envrc",
    "**/.bash_profile",
    "**/.bashrc",
    "**/.profile",
    "**/.zprofile",
    "**/.zshenv",
    "**/.zshrc",
];

/// The denials that every loop has: those that stay ([`DenySource::BuiltIn`]) and those that can be lifted by name
/// ([`DenySource::Default`]).
#[must_use]
pub fn builtin_denials() -> Vec<DenyPattern> {
    let with = |patterns: &[&str], source| {
        patterns
            .iter()
            .map(|pattern| DenyPattern {
                pattern: (*pattern).to_owned(),
                source,
            })
            .collect::<Vec<_>>()
    };
    let mut denials = with(ALWAYS, DenySource::BuiltIn);
    denials.extend(with(DEFAULT, DenySource::Default));
    denials
}
