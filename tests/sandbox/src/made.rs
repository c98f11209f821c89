//! Components written by hand, as text: no compiler would make them.
//!
//! Owns the wrapping of core modules into executors and sensors of the contract.
//!
//! **Invariant:** the wrapping keeps the contract, so whatever ends such a component is in the text that a test gave.

use crate::stop;

const HEADER: &str =
    r#"name = \"hand-made\"\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\nsummary = \"x\"\n"#;

/// The action of every executor made here: `do`.
pub const ACTION: &str = r#"[[action]]\nname = \"do\"\nsummary = \"x\"\ninput = {}\n"#;

const ERROR: &str =
    r#"(variant (case "config" string) (case "unavailable" string) (case "internal" string))"#;

/// A section that holds `manifest`.
#[must_use]
pub fn section(manifest: &str) -> String {
    format!("(@custom \"ringfence:plugin\" \"{manifest}\")")
}

/// A section with the manifest of a plugin with these roles, quoted and separated by commas, and the lines `rest`.
#[must_use]
pub fn manifest(roles: &str, rest: &str) -> String {
    section(&format!(
        "{HEADER}roles = [{}]\\n{rest}",
        roles.replace('"', "\\\"")
    ))
}

/// The bytes of a component.
///
/// # Panics
/// When the text is none.
#[must_use]
pub fn component(text: &str) -> Vec<u8> {
    wat::parse_str(format!("(component {text})")).unwrap_or_else(|error| stop(error))
}

/// A core module with one page of memory whose `act` has the body `act`.
#[must_use]
pub fn core(more: &str, act: &str) -> String {
    format!(
        r#"(memory (export "memory") 1)
           (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 4096)
           (func (export "act") (param i32 i32 i32 i32) (result i32) {act})
           {more}"#
    )
}

/// An executor whose core module is `core`; its `act` returns the address of the answer.
///
/// # Panics
/// When the text is no module.
#[must_use]
pub fn executor(core: &str) -> Vec<u8> {
    executor_around(&format!(
        "(core module $m {core})(core instance $i (instantiate $m))"
    ))
}

/// An executor over the core instance `$i`, which the text `inside` makes.
///
/// # Panics
/// When the text is no part of a component.
#[must_use]
pub fn executor_around(inside: &str) -> Vec<u8> {
    component(&format!(
        r#"{}{}(export "ringfence:beat/act@0.1.0" (instance $e))"#,
        manifest(r#""executor""#, ACTION),
        acting(inside)
    ))
}

/// A sensor whose core module is `core`; its `observe` returns the address of the answer.
///
/// # Panics
/// When the text is no module.
#[must_use]
pub fn sensor(core: &str) -> Vec<u8> {
    let item = |id: &str| {
        format!(
            r#"(type {id} (record (field "id" string) (field "title" string) (field "labels" (list string)) (field "detail" string)))"#
        )
    };
    let observation = |items: &str| {
        format!(
            r#"(record (field "signal" string) (field "detail" string) (field "items" (list {items})))"#
        )
    };
    component(&format!(
        r#"{manifest}
        (core module $m {core})
        (core instance $i (instantiate $m))
        (type $error {ERROR})
        {item}
        (type $observation {observation})
        (func $observe (result (result $observation (error $error)))
          (canon lift (core func $i "observe") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
        (component $named
          (type $error0 {ERROR}) (import "e" (type $error (eq $error0)))
          {item0} (import "i" (type $item (eq $item0)))
          (type $observation0 {observation}) (import "o" (type $observation (eq $observation0)))
          (import "f" (func $observe (result (result $observation (error $error)))))
          (export $error1 "plugin-error" (type $error))
          (export $item1 "item" (type $item))
          (type $observation2 {observation1})
          (export $observation1 "observation" (type $observation2))
          (export "observe" (func $observe)
            (func (result (result $observation1 (error $error1))))))
        (instance $e (instantiate $named
          (with "e" (type $error)) (with "i" (type $item)) (with "o" (type $observation)) (with "f" (func $observe))))
        (export "ringfence:beat/observe@0.1.0" (instance $e))"#,
        manifest = manifest(r#""sensor""#, ""),
        item = item("$item"),
        item0 = item("$item0"),
        observation = observation("$item"),
        observation1 = observation("$item1"),
    ))
}

/// An executor that does nothing but call `go`, a function without parameters that the instance `$other` exports, which
/// the text `siblings` makes.
///
/// # Panics
/// When the text is no component.
#[must_use]
pub fn calling_another(siblings: &str) -> Vec<u8> {
    let inside = format!(
        r#"(import "go" (func $go))
           (core func $lowered (canon lower (func $go)))
           (core module $m (import "a" "go" (func $go)) {})
           (core instance $i (instantiate $m (with "a" (instance (export "go" (func $lowered))))))"#,
        core("", "(call $go) i32.const 0")
    );
    component(&format!(
        r#"{}{siblings}
           (component $main {} (export "acts" (instance $e)))
           (instance $all (instantiate $main (with "go" (func $other "go"))))
           (export "ringfence:beat/act@0.1.0" (instance $all "acts"))"#,
        manifest(r#""executor""#, ACTION),
        acting(&inside)
    ))
}

/// The instance `$e` of the executor's interface over the core instance `$i`, which `inside` makes; a function `post` of
/// that is called after the answer was read.
fn acting(inside: &str) -> String {
    let post = if inside.contains(r#"(export "post")"#) {
        r#"(post-return (core func $i "post"))"#
    } else {
        ""
    };
    let outcome = r#"(record (field "summary" string) (field "detail" string))"#;
    let parameters = r#"(param "action" string) (param "input" string)"#;
    format!(
        r#"{inside}
        (type $error {ERROR})
        (type $outcome {outcome})
        (func $act {parameters} (result (result $outcome (error $error)))
          (canon lift (core func $i "act") (memory (core memory $i "memory")) (realloc (core func $i "realloc")) {post}))
        (component $named
          (type $error0 {ERROR}) (import "e" (type $error (eq $error0)))
          (type $outcome0 {outcome}) (import "o" (type $outcome (eq $outcome0)))
          (import "f" (func $act {parameters} (result (result $outcome (error $error)))))
          (export $error1 "plugin-error" (type $error))
          (export $outcome1 "outcome" (type $outcome))
          (export "act" (func $act)
            (func {parameters} (result (result $outcome1 (error $error1))))))
        (instance $e (instantiate $named
          (with "e" (type $error)) (with "o" (type $outcome)) (with "f" (func $act))))"#
    )
}
