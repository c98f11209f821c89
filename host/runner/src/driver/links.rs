//! Links that a change brings: each must lead to a place that its maker may at least pass.
//!
//! The sandbox judges a link where it is made, but one that is moved afterwards leads elsewhere, and what a link leads to
//! is read by people and programs that know no policy.

use ringfence_core::change::ChangeSet;
use ringfence_core::policy::{Access, PathPolicy};
use ringfence_core::relpath::{PATH_BYTES_MAX, RelPath, check_text};
use ringfence_core::verdict::Finding;

use super::finding;
use crate::workspace::Workspace;

const MODE_LINK: u32 = 0o120_000;
// Limit: each is read by a program of its own; nobody makes so many links in one step.
const LINKS_MAX: usize = 100;

/// A finding for every link of the change that leads out of the workspace or to what is refused.
pub(super) fn stray_links(
    workspace: &Workspace,
    change: &ChangeSet,
    policy: Option<&PathPolicy>,
) -> Vec<Finding> {
    let links: Vec<_> = change
        .files
        .iter()
        .filter(|file| file.new_mode == MODE_LINK)
        .collect();
    if links.len() > LINKS_MAX {
        let message = format!("{} links, at most {LINKS_MAX} in one change", links.len());
        return vec![finding("too-many-links", &message, None)];
    }
    let judged = links.into_iter().filter_map(|link| {
        let why = match workspace.read_blob(&link.new_blob, PATH_BYTES_MAX) {
            Ok(target) => refused(policy, &link.path, &target)?,
            Err(_) => "its target cannot be read".to_owned(),
        };
        let message = format!("the link {} may not be published: {why}", link.path);
        Some(finding("stray-link", &message, Some(&link.path)))
    });
    judged.collect()
}

/// Why the link at `path` must not lead to `target`; none when it may.
fn refused(policy: Option<&PathPolicy>, path: &RelPath, target: &[u8]) -> Option<String> {
    let Ok(target) = std::str::from_utf8(target) else {
        return Some("its target is not UTF-8".to_owned());
    };
    let parent = path.parent().unwrap_or(RelPath::ROOT);
    let led = check_text(target)
        .and_then(|()| RelPath::lexical(&format!("./{}/{target}", parent.as_str())));
    match led {
        Err(error) => Some(format!("it leads to {error}")),
        Ok(led) => {
            let allows =
                |access| policy.is_some_and(|policy| policy.decide(&led, access).is_allowed());
            let may = allows(Access::Stat) || allows(Access::Traverse);
            (!may).then(|| format!("it leads to {led}, which is refused"))
        }
    }
}

#[cfg(test)]
mod tests {
    use ringfence_core::policy::{DenyPattern, DenySource, Layer, PolicySpec};

    use super::*;

    #[test]
    fn a_link_leads_to_a_place_that_may_be_seen() {
        let policy = PathPolicy::new(&PolicySpec {
            layers: vec![Layer {
                name: "loop".into(),
                read: vec!["**".into()],
                write: vec!["docs/**".into()],
            }],
            deny: vec![DenyPattern {
                pattern: "secrets/**".into(),
                source: DenySource::Operator,
            }],
        })
        .unwrap();
        for (path, target, fits) in [
            ("docs/a", "b", true),
            ("docs/a", "../src/b", true),
            ("docs/a", "..", true),
            ("docs/a", "../../b", false),
            ("docs/a", "/etc/passwd", false),
            ("docs/a", "../secrets/key", false),
            ("docs/a", "../SECRETS", false),
            ("docs/a", "", false),
        ] {
            let path = RelPath::lexical(path).unwrap();
            let why = refused(Some(&policy), &path, target.as_bytes());
            assert_eq!(why.is_none(), fits, "{target}: {why:?}");
            assert!(refused(None, &path, target.as_bytes()).is_some());
        }
        assert!(refused(Some(&policy), &RelPath::ROOT, b"\xff").is_some());
    }
}
