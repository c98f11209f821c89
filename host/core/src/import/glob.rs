//! Patterns of other tools, made patterns of a loop file.
//!
//! The gate of these tools matches whole paths with the rules of minimatch, names with a dot included. People write such
//! lists with the rules of `.gitignore` in mind, where a bare name counts in every folder and a folder for all below it.
//! So a list often denies less than it seems to.
//!
//! **Invariant:** a pattern that denies becomes one that denies at least as much as was meant, and where it denied less
//! there, that is said; a pattern that allows never gets wider than its text. What comes out is a pattern that
//! [`check_pattern`] takes.

use crate::diagnostic::quote;
use crate::policy::check_pattern;

// Limit: one pattern with braces may stand for a handful of paths, not for a list of its own.
const ALTERNATIVES_MAX: usize = 32;

/// What the list is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// What must not be touched.
    Deny,
    /// What may be changed.
    Allow,
}

/// A pattern in its new spelling.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Translated {
    /// As a loop file has it; none when it cannot be said.
    pub(super) patterns: Vec<String>,
    /// Where the old tool matches less than a reader thinks.
    pub(super) weak: Vec<String>,
    /// Why it cannot be said here.
    pub(super) refused: Option<String>,
}

/// Translates one pattern.
pub(super) fn translate(text: &str, purpose: Purpose) -> Translated {
    let mut out = Translated::default();
    match spell(text, purpose, &mut out.weak) {
        Ok(patterns) => out.patterns = patterns,
        Err(why) => out.refused = Some(why),
    }
    out
}

fn spell(text: &str, purpose: Purpose, weak: &mut Vec<String>) -> Result<Vec<String>, String> {
    let text = text.trim();
    refuse_what_is_no_glob(text, weak)?;
    let text = relative(text, weak);
    if text.is_empty() {
        weak.push("an empty pattern matches nothing".to_owned());
        return Err("nothing is left of it".to_owned());
    }
    let mut all = Vec::new();
    for one in alternatives(&text)? {
        let one = stars(&one, weak)?;
        let one = match purpose {
            Purpose::Deny => widened(&one, weak),
            Purpose::Allow => one,
        };
        let one = folders(&one, purpose, weak);
        check_pattern(&one).map_err(|error| error.why.to_string())?;
        if !all.contains(&one) {
            all.push(one);
        }
    }
    Ok(all)
}

fn refuse_what_is_no_glob(text: &str, weak: &mut Vec<String>) -> Result<(), String> {
    let refuse = |weak: &mut Vec<String>, there: &str, here: &str| {
        weak.push(there.to_owned());
        Err(here.to_owned())
    };
    if text.starts_with('!') {
        return refuse(
            weak,
            "`!` does not take anything back there: it denies all that does not match the rest",
            "nothing takes a denial back here: leave the path out of the patterns that deny it",
        );
    }
    if text.starts_with('#') {
        return refuse(
            weak,
            "a pattern that begins with `#` is a comment there and matches nothing",
            "write what is meant",
        );
    }
    if text.chars().any(char::is_control) {
        return Err("it holds control characters".to_owned());
    }
    if is_regex(text) {
        return refuse(
            weak,
            "it is a regular expression, and is matched as a glob there: it matches next to nothing",
            "write it as a glob",
        );
    }
    if ["@(", "+(", "!(", "?(", "*("]
        .iter()
        .any(|sign| text.contains(sign))
    {
        return Err("there are no groups like `@(a|b)` here: write `{a,b}`".to_owned());
    }
    if text.split('/').any(|name| name == "..") {
        return refuse(
            weak,
            "no changed path holds `..`, so it matches nothing",
            "a path never leaves the repository",
        );
    }
    Ok(())
}

/// True for what only makes sense as a regular expression; `.*` is none, since `.env.*` is a glob.
fn is_regex(text: &str) -> bool {
    text.starts_with('^')
        || text.ends_with('$')
        || text.contains(".+")
        || text.contains("\\.")
        || text.contains("\\d")
        || text.contains("\\w")
        || text.contains('|') && !text.contains('(')
        || text.starts_with(".*") && text.len() > 2 && !text.contains('/')
}

/// Without what is before a path from the top.
fn relative(text: &str, weak: &mut Vec<String>) -> String {
    let mut text = text.to_owned();
    if text.contains('\\') {
        weak.push("`\\` does not part folders there, so it matches nothing".to_owned());
        text = text.replace('\\', "/");
    }
    if text.starts_with('/') {
        weak.push("changed paths do not begin with `/`, so it matches nothing there".to_owned());
    }
    if text.starts_with("./") {
        weak.push("changed paths do not begin with `./`, so it may match nothing there".to_owned());
    }
    let text = text.trim_start_matches("./").trim_start_matches('/');
    let names: Vec<&str> = text.split('/').filter(|name| *name != ".").collect();
    let mut joined = names.join("/");
    while joined.contains("//") {
        joined = joined.replace("//", "/");
    }
    joined
}

/// `{a,b/c}/d` as `a/d` and `b/c/d`, where a brace spans folders; others stay as they are.
fn alternatives(text: &str) -> Result<Vec<String>, String> {
    let mut done = Vec::new();
    let mut todo = vec![text.to_owned()];
    while let Some(one) = todo.pop() {
        if done.len() + todo.len() >= ALTERNATIVES_MAX {
            return Err(format!(
                "its braces stand for more than {ALTERNATIVES_MAX} patterns"
            ));
        }
        if one.contains("..") && one.contains('{') {
            return Err("there are no ranges like `{1..3}` here: write each".to_owned());
        }
        match brace_with_slash(&one) {
            Some((before, inner, after)) => {
                let parts = split_top(inner);
                todo.extend(
                    parts
                        .iter()
                        .rev()
                        .map(|part| format!("{before}{part}{after}")),
                );
            }
            None => done.push(one),
        }
    }
    Ok(done)
}

/// The first brace that holds a slash: what is before, inside and behind it.
fn brace_with_slash(text: &str) -> Option<(&str, &str, &str)> {
    let mut starts = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '{' => starts.push(at),
            '}' => {
                let start = starts.pop()?;
                let inner = text.get(start + 1..at)?;
                if starts.is_empty() && inner.contains('/') {
                    return Some((text.get(..start)?, inner, text.get(at + 1..)?));
                }
            }
            _ => {}
        }
    }
    None
}

fn split_top(inner: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.extend(inner.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(inner.get(start..));
    parts
}

/// `**` stands alone between slashes.
fn stars(text: &str, weak: &mut Vec<String>) -> Result<String, String> {
    let mut names = Vec::new();
    for name in text.split('/') {
        if name == "**" || !name.contains("**") {
            names.push(name.to_owned());
            continue;
        }
        weak.push(format!(
            "{} is `*` in one folder there: `**` reaches deeper only between slashes",
            quote(name)
        ));
        match name.split_once("**") {
            Some(("", rest)) if !rest.contains("**") => {
                names.extend(["**".to_owned(), format!("*{rest}")]);
            }
            Some((rest, "")) if !rest.contains("**") => {
                names.extend([format!("{rest}*"), "**".to_owned()]);
            }
            _ => return Err("`**` must stand alone between slashes".to_owned()),
        }
    }
    Ok(names.join("/"))
}

/// A folder stands for all that is in it.
fn folders(text: &str, purpose: Purpose, weak: &mut Vec<String>) -> String {
    if let Some(folder) = text.strip_suffix('/') {
        weak.push(format!(
            "{} matches no file there: what is in the folder is `{folder}/**`",
            quote(text)
        ));
        return format!("{folder}/**");
    }
    let last = text.rsplit('/').next().unwrap_or(text);
    if purpose == Purpose::Deny
        && last == "*"
        && let Some(folder) = text.strip_suffix("/*")
    {
        weak.push(format!(
            "{} matches nothing deeper than one folder there",
            quote(text)
        ));
        return format!("{folder}/**");
    }
    let is_wild = last.contains(['*', '?', '[', '{']);
    if is_wild || last.contains('.') {
        return text.to_owned();
    }
    if is_usual_file(last) {
        return text.to_owned();
    }
    weak.push(format!(
        "{} matches a file of that name there, not what is in a folder of that name",
        quote(last)
    ));
    format!("{text}/**")
}

/// A name without a dot that is hardly a folder's.
fn is_usual_file(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        || name.ends_with("file")
        || name.starts_with("id_")
}

/// What a denial was meant to reach.
fn widened(text: &str, weak: &mut Vec<String>) -> String {
    let mut text = text.to_owned();
    if !text.contains('/') && text != "**" {
        weak.push(format!(
            "{} is matched at the top only: in other folders it is `**/{text}`",
            quote(&text)
        ));
        text = format!("**/{text}");
    } else if let Some(folder) = text.strip_suffix("/**")
        && folder
            .chars()
            .all(|c| c.is_alphanumeric() || c == '-' || c == '_' || c == '.')
    {
        weak.push(format!(
            "{} is matched at the top only: `packages/{folder}/…` is not denied",
            quote(&text)
        ));
    }
    let last = text.rsplit('/').next().unwrap_or_default().to_owned();
    if last == ".env" || last == "*.env" {
        weak.push(format!(
            "{} does not match `.env.local` or `.env.production`",
            quote(&last)
        ));
        let keep = text.len() - last.len();
        text.replace_range(keep.., ".env*");
        if last == "*.env" {
            // What ends in `.env` stays denied, too.
            text.replace_range(keep.., "{*.env,.env*}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Access, DenyPattern, DenySource, Layer, PathPolicy, PolicySpec};
    use crate::relpath::RelPath;

    fn shown(text: &str, purpose: Purpose) -> String {
        let found = translate(text, purpose);
        let mut lines = vec![match &found.refused {
            None => format!("{text} -> {}", found.patterns.join(" ")),
            Some(why) => format!("{text} -> no: {why}"),
        }];
        lines.extend(found.weak.iter().map(|why| format!("    {why}")));
        lines.join("\n")
    }

    #[test]
    fn denials() {
        let all = [
            ".env",
            "*.env",
            ".env.*",
            "**/.env",
            "**/secrets/**",
            "auth/**",
            "src/auth/**",
            "auth/",
            "secrets",
            "src/auth",
            "config/*",
            "*_key*",
            "**/*_key*",
            "package.json",
            "LICENSE",
            "/etc/**",
            "./docs/**",
            "src\\auth\\**",
            "!docs/**",
            "#x",
            "^src/.*\\.rs$",
            "a|b",
            "@(a|b)/**",
            "{src,lib}/**",
            "{src/auth,lib}/**",
            "{a/b,{c,d/e}}/f",
            "x{1..3}",
            "**.pem",
            "src**",
            "a/**/*.{key,pem}",
            "../up",
            "",
            "a//b/**",
            "**",
            "*",
            "[[:alpha:]]",
            "{a",
            "a\u{1b}[31m",
            ".dagster/.*",
        ];
        let shown: Vec<_> = all.iter().map(|text| shown(text, Purpose::Deny)).collect();
        insta::assert_snapshot!(shown.join("\n"));
    }

    #[test]
    fn allowances_do_not_grow() {
        for (text, expect) in [
            ("docs/**", "docs/**"),
            ("README.md", "README.md"),
            ("**/*.md", "**/*.md"),
            ("src/*.mjs", "src/*.mjs"),
            ("docs/*", "docs/*"),
            ("app/", "app/**"),
            ("src/lib", "src/lib/**"),
            (".env", ".env"),
        ] {
            assert_eq!(translate(text, Purpose::Allow).patterns, [expect], "{text}");
        }
    }

    fn denies(patterns: &[String], path: &str) -> bool {
        let everything = vec!["**".to_owned()];
        let layers = vec![Layer {
            name: "loop".into(),
            read: everything.clone(),
            write: everything,
        }];
        let deny = patterns.iter().map(|pattern| DenyPattern {
            pattern: pattern.clone(),
            source: DenySource::BuiltIn,
        });
        let policy = PathPolicy::new(&PolicySpec {
            layers,
            deny: deny.collect(),
        })
        .unwrap();
        !policy
            .decide(&RelPath::lexical(path).unwrap(), Access::Write)
            .is_allowed()
    }

    #[test]
    fn a_denial_reaches_what_was_meant() {
        for (text, paths) in [
            (
                ".env",
                &[".env", "app/.env", ".env.local", "app/.ENV.production"][..],
            ),
            ("*.env", &["x.env", "a/b/x.env", ".env.local"]),
            ("secrets", &["secrets", "secrets/a", "app/secrets/b/c"]),
            ("auth/", &["auth/login.rs", "auth/a/b"]),
            ("config/*", &["config/a", "config/a/b"]),
            ("/infra/**", &["infra/a"]),
            ("src\\auth\\**", &["src/auth/a"]),
            ("**.pem", &["a.pem", "keys/a.pem"]),
            ("{src/auth,lib}/**", &["src/auth/x", "lib/x"]),
        ] {
            let patterns = translate(text, Purpose::Deny).patterns;
            for path in paths {
                assert!(
                    denies(&patterns, path),
                    "{text} -> {patterns:?} does not deny {path}"
                );
            }
        }
        assert!(!denies(
            &translate("src/auth/**", Purpose::Deny).patterns,
            "src/a"
        ));
    }

    proptest::proptest! {
        #[test]
        fn what_comes_out_is_a_pattern(text in "[a-z./*?{},!#|()\\[\\]\\\\ $^@+]{0,24}|\\PC{0,24}") {
            for purpose in [Purpose::Deny, Purpose::Allow] {
                let found = translate(&text, purpose);
                for pattern in &found.patterns {
                    proptest::prop_assert_eq!(check_pattern(pattern), Ok(()), "{:?}", text);
                }
                proptest::prop_assert_eq!(found.refused.is_some(), found.patterns.is_empty());
            }
        }
    }
}
