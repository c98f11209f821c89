//! What a loop file and its plugins become together.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::*;
use super::{SMALL, render, spec, with};
use crate::digest::Digest;
use crate::manifest::Manifest;
use crate::policy::{Access, DenySource, PathPolicy, builtin_denials};
use crate::relpath::RelPath;

#[test]
fn the_template_fits_the_standard_plugins() {
    let standard = [
        (
            "md-links",
            include_str!("../../../../../plugins/md-links/plugin.toml"),
        ),
        (
            "md-link-fix",
            include_str!("../../../../../plugins/md-link-fix/plugin.toml"),
        ),
        (
            "first-fixable",
            include_str!("../../../../../plugins/first-fixable/plugin.toml"),
        ),
        (
            "diff-size",
            include_str!("../../../../../plugins/diff-size/plugin.toml"),
        ),
        (
            "paths",
            include_str!("../../../../../plugins/paths/plugin.toml"),
        ),
    ];
    let facts = standard.map(|(name, text)| {
        let text = format!("name = {name:?}\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\n{text}");
        let manifest = Manifest::parse(&text)
            .map_err(|error| format!("{name}: {error}"))
            .unwrap();
        (
            format!("std:{name}"),
            PluginFacts {
                manifest,
                digest: Digest::of(text.as_bytes()),
                size: 1,
                sees: crate::spec::Sees::default(),
            },
        )
    });
    let text = template("docs");
    let locked = spec(&text)
        .lock(Digest::of(text.as_bytes()), &facts.into())
        .map_err(|found| render(&text, &found))
        .unwrap();
    may(
        locked.executors.first().unwrap(),
        Access::Write,
        "docs/guide.md",
        true,
    );
    may(
        locked.executors.first().unwrap(),
        Access::Write,
        "src/main.rs",
        false,
    );
}

fn facts(roles: &str, rest: &str) -> PluginFacts {
    let text = format!(
        "name = \"p\"\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\nroles = [{roles}]\nsummary = \"p\"\n{rest}"
    );
    PluginFacts {
        manifest: Manifest::parse(&text).unwrap(),
        digest: Digest::of(text.as_bytes()),
        size: 7,
        sees: crate::spec::Sees::default(),
    }
}

const ACTION: &str = "[[action]]\nname = \"fix\"\nsummary = \"x\"\ninput = { type = \"object\" }\n";

pub(super) fn plugins() -> BTreeMap<String, PluginFacts> {
    let asks = "[asks]\nread = [\"**\"]\nwrite = [\"**\"]\n";
    let config = "[config]\ntype = \"object\"\nadditionalProperties = false\n[config.properties.max]\ntype = \"integer\"\n[config.properties.deep]\nitems = { type = \"string\" }\n";
    [
        ("std:look", facts("\"sensor\"", asks)),
        ("std:pick", facts("\"decider\"", "")),
        ("std:fix", facts("\"executor\"", &format!("[asks]\nread = [\"docs/**\", \"src/**\"]\nwrite = [\"docs/**\", \"src/**\"]\n{ACTION}"))),
        ("std:judge", facts("\"gate\", \"sensor\"", &format!("{asks}{config}"))),
    ]
    .map(|(reference, facts)| (reference.to_owned(), facts))
    .into()
}

#[must_use]
fn locked(text: &str) -> LockedSpec {
    let found = spec(text).lock(Digest::of(text.as_bytes()), &plugins());
    found.map_err(|found| render(text, &found)).unwrap()
}

#[track_caller]
fn may(step: &LockedStep, access: Access, path: &str, expect: bool) {
    let policy = PathPolicy::new(&step.policy).unwrap();
    let found = policy.decide(&RelPath::lexical(path).unwrap(), access);
    assert_eq!(
        found.is_allowed(),
        expect,
        "{} {access} {path}: {found:?}",
        step.id
    );
}

#[test]
fn what_holds_is_asked_and_granted_and_not_denied() {
    let text = SMALL
        .replace("write = [\"docs/**\"]", "read = [\"docs/**\", \"lib/**\"]\nwrite = [\"docs/**\", \"lib/**\"]\ndeny = [\"docs/secret/**\"]")
        .replace("std:fix\"", "std:fix\"\npaths = { write = [\"docs/*.md\", \"src/**\"], deny = [\"docs/done.md\"] }");
    let locked = locked(&text);
    let fix = locked.executor(&StepId::new("fix").unwrap()).unwrap();
    for (access, path, expect) in [
        (Access::Read, "docs/a/b.md", true),
        (Access::Read, "lib/a", false), // granted, not asked
        (Access::Read, "src/a", false), // asked, not granted
        (Access::Read, "docs/secret/x.md", false), // denied by the loop
        (Access::Write, "docs/a.md", true),
        (Access::Write, "docs/a/b.md", false), // beyond the step's own list
        (Access::Write, "src/a", false),       // in the step's list, which cannot widen the loop's
        (Access::Write, "docs/done.md", false),
        (Access::Write, "docs/.git/config", false),
        (Access::Read, "docs/.vscode/settings.json", false),
    ] {
        may(fix, access, path, expect);
    }
    assert_eq!(fix.actions.len(), 1);
    assert!(locked.executor(&StepId::new("judge").unwrap()).is_none());
}

#[test]
fn only_executors_write() {
    let locked = locked(SMALL);
    for step in locked.steps() {
        may(
            step,
            Access::Write,
            "docs/a.md",
            step.role == Role::Executor,
        );
        let writes = step
            .policy
            .layers
            .iter()
            .any(|layer| !layer.write.is_empty());
        assert_eq!(writes, step.role == Role::Executor, "{}", step.id);
    }
    let sensor = locked.sensors.first().unwrap();
    may(sensor, Access::Read, "anything", true);
    let refused = PathPolicy::new(&sensor.policy)
        .unwrap()
        .decide(&RelPath::lexical("docs/a.md").unwrap(), Access::Write);
    assert!(format!("{refused:?}").contains("role"), "{refused:?}");
}

#[test]
fn lifted_denials() {
    let lift = "**/.vscode/**";
    let locked = locked(&SMALL.replace("write =", &format!("lift = [{lift:?}]\nwrite =")));
    assert_eq!(locked.lifted, [lift]);
    for step in locked.steps() {
        assert!(step.policy.deny.iter().all(|deny| deny.pattern != lift));
        assert_eq!(step.policy.deny.len(), builtin_denials().len() - 1);
    }
    may(
        locked.sensors.first().unwrap(),
        Access::Read,
        ".vscode/settings.json",
        true,
    );
    for stays in builtin_denials()
        .into_iter()
        .filter(|deny| deny.source == DenySource::BuiltIn)
    {
        let said = with("write =", &format!("lift = [{:?}]\nwrite =", stays.pattern));
        assert!(
            said.contains("is always denied and cannot be lifted"),
            "{said}"
        );
    }
}

#[test]
fn a_grant_has_its_digest() {
    let digest = |text: &str| locked(text).executors.first().unwrap().grant_digest();
    let plain = digest(SMALL);
    assert_eq!(plain, digest(&SMALL.replace("Prose.", "Other prose.")));
    for (from, to) in [
        ("write = [\"docs/**\"]", "write = [\"docs/*\"]"),
        (
            "write = [\"docs/**\"]",
            "write = [\"docs/**\"]\nread = [\"docs/**\"]",
        ),
        (
            "write = [\"docs/**\"]",
            "write = [\"docs/**\"]\ndeny = [\"x\"]",
        ),
        ("std:fix\"", "std:fix\"\nlimits.fuel = \"1G\""),
        ("std:fix\"", "std:fix\"\npaths = {}"),
    ] {
        assert_ne!(plain, digest(&SMALL.replace(from, to)), "{to}");
    }
}

#[test]
fn what_cannot_be_locked() {
    let lock = |text: &str| {
        let found = spec(text).lock(Digest::of(b""), &plugins());
        found
            .map(drop)
            .map_err(|found| render(text, &found))
            .unwrap_err()
    };
    let text = SMALL
        .replace("std:look", "std:lok")
        .replace("std:pick", "std:judge")
        .replace(
            "std:judge\"\n+++",
            "std:judge\"\nconfig = { max = \"many\", deep = [\"a\", 1],\n  mix = 2 }\n+++",
        )
        .replace("std:fix\"", "std:fix\"\nconfig.a = 1");
    insta::assert_snapshot!(lock(&text), @r#"
    6:10 error[missing-plugin] there is no plugin "std:lok"
        help: did you mean "std:look"?
    8:10 error[wrong-role] p is no decider; it can be sensor or gate
    11:1 error[bad-config] p takes no config
    14:18 error[bad-config] the config of p does not fit: /max: "many" is not of type "integer"
    14:39 error[bad-config] the config of p does not fit: /deep/1: 1 is not of type "string"
    15:3 error[bad-config] the config of p has no key "mix"
        help: did you mean `max`?
    "#);
}

#[test]
fn another_contract_is_not_locked() {
    let mut plugins = plugins();
    plugins.get_mut("std:fix").unwrap().manifest.contract = "0.2.0".to_owned();
    let found = spec(SMALL).lock(Digest::of(b""), &plugins).unwrap_err();
    insta::assert_snapshot!(render(SMALL, &found), @r#"
    10:10 error[contract] p: contract "0.2.0" is not supported: this host keeps 0.1.0
        help: rebuild the plugin with an SDK of this host's version, or update ringfence
    "#);
}

#[test]
fn a_locked_spec_is_written_as_json() {
    let value = serde_json::to_value(locked(SMALL)).unwrap();
    assert_eq!(value.pointer("/loop"), Some(&json!("docs")));
    assert_eq!(value.pointer("/level"), Some(&json!("L1")));
    assert_eq!(value.pointer("/gates/0/role"), Some(&json!("gate")));
}

#[test]
fn escalation_globs() {
    let text = SMALL.replace(
        "+++\nProse",
        "[escalate]\npaths = [\"auth/**\"]\n+++\nProse",
    );
    let escalation = locked(&text).escalate.matcher().unwrap();
    for (path, expect) in [
        ("auth/key.rs", true),
        ("auth", true),
        ("AUTH/key.rs", true),
        ("docs/auth.md", false),
    ] {
        assert_eq!(
            escalation.hit(&RelPath::lexical(path).unwrap()).is_some(),
            expect,
            "{path}"
        );
    }
}
