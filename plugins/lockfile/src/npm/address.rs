//! Addresses of the web that npm fetches packages from.
//!
//! **Invariant:** an address is that of a package only if all of its path says so. What stands before the package's own part is
//! the registry's, and two that differ in it are two registries: on a host for everybody it says whose the packages are.

use crate::percent::decoded;

/// Registries for everybody, which have nothing before the package.
const PUBLIC: [&str; 2] = ["https://registry.npmjs.org", "https://registry.yarnpkg.com"];
/// Writes `/download/NAME/VERSION/DIGEST`.
const GITHUB: &str = "https://npm.pkg.github.com";

/// Scheme and host of a URL of the web.
pub(super) fn origin(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    if scheme != "https" && scheme != "http" {
        return None;
    }
    let host = rest.split('/').next().unwrap_or(rest);
    url.get(..scheme.len() + "://".len() + host.len())
}

/// The registry from which `url` fetches exactly this package; none if it fetches something else, as far as anybody can tell.
pub(super) fn registry(url: &str, name: &str, version: &str) -> Option<String> {
    let origin = origin(url)?;
    let path = url.get(origin.len()..)?.split(['?', '#']).next()?;
    let path = decoded(path)?;
    if origin == GITHUB {
        let digest = path.strip_prefix(&format!("/download/{name}/{version}/"))?;
        let is_digest = !digest.is_empty() && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        return is_digest.then(|| origin.to_owned());
    }
    let base = name.rsplit('/').next().unwrap_or(name);
    // Some write the scope in the name of the archive, too.
    let before = [base, name]
        .iter()
        .find_map(|file| path.strip_suffix(&format!("/{name}/-/{file}-{version}.tgz")))?;
    let is_fine = before.is_empty() || !PUBLIC.contains(&origin) && is_prefix(before);
    is_fine.then(|| format!("{origin}{before}"))
}

/// Whether a path can stand before a package: plain names, and no scope, which would be a part of the package's name.
fn is_prefix(path: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.~+:".contains(c);
    path.strip_prefix('/').is_some_and(|path| {
        path.split('/')
            .all(|name| !matches!(name, "" | "." | "..") && name.chars().all(is_plain))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_that_of_one_package() {
        let npm = "https://registry.npmjs.org";
        let corp = "https://npm.example/api/npm/all";
        let gitlab = "https://gitlab.com/api/v4/projects/12/packages/npm";
        for (name, url, expect) in [
            (
                "pad",
                "https://registry.npmjs.org/pad/-/pad-1.0.0.tgz",
                Some(npm),
            ),
            (
                "@a/pad",
                "https://registry.npmjs.org/@a%2fpad/-/pad-1.0.0.tgz",
                Some(npm),
            ),
            (
                "pad",
                "https://registry.npmjs.org/pad/%2D/pad-1.0.0.tgz",
                Some(npm),
            ),
            (
                "pad",
                "https://npm.example/api/npm/all/pad/-/pad-1.0.0.tgz",
                Some(corp),
            ),
            (
                "@a/pad",
                "https://gitlab.com/api/v4/projects/12/packages/npm/@a/pad/-/@a/pad-1.0.0.tgz",
                Some(gitlab),
            ),
            (
                "@a/pad",
                "https://npm.pkg.github.com/download/@a/pad/1.0.0/0af",
                Some(GITHUB),
            ),
            // Of somebody else.
            (
                "pad",
                "https://registry.npmjs.org/@evil/pad/-/pad-1.0.0.tgz",
                None,
            ),
            (
                "pad",
                "https://registry.npmjs.org/x/pad/-/pad-1.0.0.tgz",
                None,
            ),
            ("pad", "https://npm.example/@evil/pad/-/pad-1.0.0.tgz", None),
            (
                "pad",
                "https://npm.example/@evil%2fpad/-/pad-1.0.0.tgz",
                None,
            ),
            (
                "pad",
                "https://npm.example/api/../evil/pad/-/pad-1.0.0.tgz",
                None,
            ),
            (
                "pad",
                "https://npm.example/api/%2e%2e/pad/-/pad-1.0.0.tgz",
                None,
            ),
            (
                "pad",
                "https://npm.example/api\\evil/pad/-/pad-1.0.0.tgz",
                None,
            ),
            (
                "@a/pad",
                "https://npm.pkg.github.com/download/@b/pad/1.0.0/0af",
                None,
            ),
            (
                "@a/pad",
                "https://npm.pkg.github.com/download/@a/pad/1.0.0/0af/x",
                None,
            ),
            // Of another version, or of nobody knows what.
            (
                "pad",
                "https://registry.npmjs.org/pad/-/pad-1.0.1.tgz",
                None,
            ),
            ("pad", "https://registry.npmjs.org/evil-1.0.0.tgz", None),
            (
                "pad",
                "https://registry.npmjs.org/evil/%2D/evil-1.0.0.tgz",
                None,
            ),
            (
                "pad",
                "https://registry.npmjs.org/pad/%2+/pad-1.0.0.tgz",
                None,
            ),
            (
                "pad",
                "https://registry.npmjs.org?/pad/-/pad-1.0.0.tgz",
                Some("https://registry.npmjs.org?"),
            ),
            ("pad", "ftp://registry.npmjs.org/pad/-/pad-1.0.0.tgz", None),
        ] {
            assert_eq!(
                registry(url, name, "1.0.0").as_deref(),
                expect,
                "{name} {url}"
            );
        }
    }
}
