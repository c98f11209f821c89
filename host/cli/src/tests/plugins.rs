//! `plugin list`, `plugin inspect` and `plugin new`.

use ringfence_core::manifest::{Manifest, Role};

use super::rig::Rig;
use crate::exit::Exit;

/// Sizes change with every build of the plugins.
fn without_sizes(text: &str) -> String {
    let parts: Vec<&str> = text.split(" KiB").collect();
    let digits = |part: &str| part.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let shortened = |part: &&str| format!("{}...", &part[..digits(part)]);
    let (last, others) = parts.split_last().unwrap();
    let others: Vec<String> = others.iter().map(shortened).collect();
    [others, vec![(*last).to_owned()]].concat().join(" KiB")
}

#[test]
fn list() {
    let rig = Rig::folder();
    insta::assert_snapshot!(without_sizes(&rig.run(&["plugin", "list"]).shown()), @"
    plugin                    version  roles         size      what it does
    std:codeowners            0.1.0    gate          ... KiB   Leaves files that
                                                               somebody owns to a
                                                               person
    std:commands              0.1.0    gate          ... KiB   Wants the operator's
                                                               commands to have
                                                               ended well on the
                                                               candidate
    std:conventional-commits  0.1.0    gate          ... KiB   Holds commit messages
                                                               to Conventional
                                                               Commits 1.0.0
    std:diff-size             0.1.0    gate          ... KiB   Holds a change to a
                                                               number of files,
                                                               lines and bytes
    std:first-fixable         0.1.0    decider       ... KiB   Decides on the first
                                                               eligible item that
                                                               carries a wanted
                                                               label
    std:generated             0.1.0    gate          ... KiB   Lets generated files
                                                               differ only together
                                                               with their sources
    std:injection             0.1.0    gate          ... KiB   Finds text in a
                                                               change that people do
                                                               not see and programs
                                                               read
    std:junit-delta           0.1.0    gate          ... KiB   Lets no test newly
                                                               fail, vanish or be
                                                               skipped, by the JUnit
                                                               reports before and
                                                               after
    std:licence-header        0.1.0    gate          ... KiB   Holds new source
                                                               files to the licence
                                                               header
    std:lockfile              0.1.0    gate          ... KiB   Holds lock files to
                                                               their manifests, and
                                                               updates to the steps
                                                               that are allowed
    std:md-link-fix           0.1.0    executor      ... KiB   Repairs one broken
                                                               Markdown link where
                                                               exactly one repair
                                                               fits
    std:md-links              0.1.0    sensor, gate  ... KiB   Finds broken relative
                                                               links and anchors in
                                                               Markdown
    std:no-test-weakening     0.1.0    gate          ... KiB   Finds tests that a
                                                               change removes, skips
                                                               or empties
    std:paths                 0.1.0    gate          ... KiB   Holds a change to
                                                               named paths and
                                                               ordinary file modes
    std:report                0.1.0    executor      ... KiB   Writes a Markdown
                                                               report from what it
                                                               is given
    std:sarif-delta           0.1.0    gate          ... KiB   Lets no analysis find
                                                               something new, by the
                                                               SARIF reports before
                                                               and after
    std:schema  0.1.0  gate  [n] MiB  Holds JSON, YAML and
                                                               TOML files to JSON
                                                               Schemas
    std:secrets               0.1.0    gate          ... KiB   Finds credentials in
                                                               what a change adds
    --- exit 0
    ");
    let json = rig.run(&["plugin", "list", "--format", "json"]).json();
    assert_eq!(json[0]["plugin"], "std:codeowners");
    assert_eq!(json[0]["manifest"]["roles"][0], "gate");
}

#[test]
fn inspect() {
    let rig = Rig::folder();
    insta::assert_snapshot!(rig.run(&["plugin", "inspect", "std:diff-size"]).shown(), @r#"
    diff-size 0.1.0
      summary   Holds a change to a number of files, lines and bytes
      roles     gate
      contract  0.1.0
      sdk       0.1.0
      digest  blake3:[hex]
      size      165 KiB
      reads     nothing
      writes    nothing
      imports   ringfence:beat/change@0.1.0, ringfence:beat/config@0.1.0,
                ringfence:beat/log@0.1.0, ringfence:beat/types@0.1.0,
                wasi:cli/environment@0.2.12, wasi:cli/exit@0.2.12,
                wasi:cli/stderr@0.2.12, wasi:cli/stdin@0.2.12,
                wasi:cli/stdout@0.2.12, wasi:clocks/wall-clock@0.2.12,
                wasi:filesystem/preopens@0.2.12, wasi:filesystem/types@0.2.12,
                wasi:io/error@0.2.12, wasi:io/streams@0.2.12

    config
      {
        "additionalProperties": false,
        "properties": {
          "allow_binary": {
            "default": false,
            "description": "Whether files that are no text may differ. Lines are not
              counted in them.",
            "type": "boolean"
          },
          "ignore": {
            "default": [],
            "description": "Globs of files that count for nothing, such as locks.",
            "items": {
              "maxLength": 1024,
              "minLength": 1,
              "type": "string"
            },
            "maxItems": 200,
            "type": "array"
          },
          "max_file_bytes": {
            "default": 1048576,
            "description": "Bytes that one file may have after the change.",
            "minimum": 1,
            "type": "integer"
          },
          "max_files": {
            "default": 20,
            "description": "Files that may differ.",
            "minimum": 1,
            "type": "integer"
          },
          "max_lines": {
            "default": 500,
            "description": "Lines that may be added or removed, both counted, over
              all files.",
            "minimum": 1,
            "type": "integer"
          }
        },
        "type": "object"
      }
    --- exit 0
    "#);
    insta::assert_snapshot!(rig.run(&["plugin", "inspect", "std:no-such"]).shown(), @r"
    --- stderr
    error: there is no plugin std:no-such
    help: `ringfence plugin list` shows those inside this program
    --- exit 2
    ");
    insta::assert_snapshot!(rig.run(&["plugin", "inspect", "no-such.wasm"]).shown(), @r"
    --- stderr
    error: [project]/no-such.wasm cannot be read: No such file or directory
      (os error 2)
    --- exit 2
    ");
    rig.write("a.wasm", "#!/bin/sh");
    insta::assert_snapshot!(rig.run(&["plugin", "inspect", "a.wasm"]).shown(), @r"
    --- stderr
    error: a.wasm: not a WebAssembly component: magic header not detected: bad magic
      number - expected=[ 0x0, 0x61, 0x73, 0x6d, ] actual=[ 0x23, 0x21, 0x2f, 0x62,
      ] (at offset 0x0)
    --- exit 7
    ");
    let json = rig
        .run(&["plugin", "inspect", "std:md-links", "--format", "json"])
        .json();
    assert_eq!(json["manifest"]["name"], "md-links");
    assert!(json["digest"].as_str().unwrap().starts_with("blake3:"));
    assert_eq!(rig.run(&["plugin", "inspect", "."]).exit, Exit::Host);
}

/// What the SDK makes of the `plugin.toml` of a crate of this name.
fn stamped(name: &str, text: &str) -> Manifest {
    let head =
        format!("name = \"{name}\"\nversion = \"0.1.0\"\ncontract = \"0.1.0\"\nsdk = \"0.1.0\"\n");
    Manifest::parse(&(head + text)).unwrap()
}

#[test]
fn a_new_plugin_is_a_crate_with_a_manifest() {
    for role in Role::ALL {
        let (rig, name) = (Rig::folder(), format!("my-{role}"));
        rig.run_ok(&["plugin", "new", &name, "--role", role.as_str()]);
        let crate_toml: toml::Table = rig.read(&format!("{name}/Cargo.toml")).parse().unwrap();
        assert_eq!(crate_toml["package"]["name"].as_str(), Some(name.as_str()));
        assert!(crate_toml.contains_key("workspace"));
        let sdk = &crate_toml["dependencies"]["ringfence-sdk"]["git"];
        assert_eq!(sdk.as_str(), Some(env!("CARGO_PKG_REPOSITORY")));
        let source = rig.read(&format!("{name}/src/lib.rs"));
        assert!(source.contains(&format!("#[{role}]\n")), "{role}");
        assert_eq!(
            source.contains("serde"),
            crate_toml["dependencies"].get("serde").is_some()
        );
        let manifest = stamped(&name, &rig.read(&format!("{name}/plugin.toml")));
        assert_eq!(manifest.roles, [role].into());
    }
    let rig = Rig::folder();
    insta::assert_snapshot!(rig.run(&["plugin", "new", "my_gate"]).shown(), @r#"
    wrote my_gate: Cargo.toml, plugin.toml, src/lib.rs

    Next, in that folder:
      cargo test                                    its tests, natively
      rustup target add wasm32-wasip2               once
      cargo build --release --target wasm32-wasip2  the component
      ringfence plugin inspect target/wasm32-wasip2/release/my_gate.wasm

    Then copy the component into your repository, name it in ringfence-gates.toml
      and pin it:
      plugin = "./my_gate.wasm"
      ringfence gate check --write-lock
    --- exit 0
    "#);
}

#[test]
fn the_sdk_of_a_new_plugin_is_where_it_is_said_to_be() {
    let rig = Rig::folder();
    let clone = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    rig.run_ok(&["plugin", "new", "a", "--sdk", clone]);
    rig.run_ok(&["plugin", "new", "b", "--sdk", &format!("{clone}/sdk/rust")]);
    assert_eq!(
        rig.read("a/Cargo.toml"),
        rig.read("b/Cargo.toml").replace("\"b\"", "\"a\"")
    );
    let crate_toml: toml::Table = rig.read("a/Cargo.toml").parse().unwrap();
    let path = crate_toml["dependencies"]["ringfence-sdk"]["path"]
        .as_str()
        .unwrap();
    assert!(
        std::path::Path::new(path).join("src/lib.rs").is_file(),
        "{path}"
    );
    rig.run_ok(&["plugin", "new", "c", "--sdk", "ssh://example.org/\"fork\""]);
    let crate_toml: toml::Table = rig.read("c/Cargo.toml").parse().unwrap();
    let address = &crate_toml["dependencies"]["ringfence-sdk"]["git"];
    assert_eq!(address.as_str(), Some("ssh://example.org/\"fork\""));
    insta::assert_snapshot!(rig.run(&["plugin", "new", "d", "--sdk", "."]).shown(), @"
    --- stderr
    error: . has no SDK in it
    help: name a clone of Ringfence, or an address of git (https://...)
    --- exit 2
    ");
    assert!(!rig.top().join("d").exists());
}

#[test]
fn a_new_plugin_touches_nothing_that_is_there() {
    let rig = Rig::folder();
    rig.write("mine/src/lib.rs", "mine");
    insta::assert_snapshot!(rig.run(&["plugin", "new", "mine"]).shown(), @"
    --- stderr
    error: [project]/mine exists; nothing was written
    --- exit 2
    ");
    assert_eq!(rig.read("mine/src/lib.rs"), "mine");
    assert!(!rig.top().join("mine/Cargo.toml").exists());
    std::os::unix::fs::symlink("mine", rig.top().join("link")).unwrap();
    assert_eq!(rig.run(&["plugin", "new", "link"]).exit, Exit::Usage);
    for name in [
        "../out",
        "a/b",
        "",
        ".a",
        "1a",
        "a\"b",
        "a b",
        "é",
        &"a".repeat(65),
    ] {
        let ran = rig.run(&["plugin", "new", "--", name]);
        assert_eq!(ran.exit, Exit::Usage, "{name}");
    }
    assert_eq!(std::fs::read_dir(rig.top()).unwrap().count(), 2);
}
