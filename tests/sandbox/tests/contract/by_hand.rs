//! Components written by hand, as text.
//!
//! **Invariant:** what is not said by the caller is as a compiler would have made it.

const HEADER: &str =
    r#"name = \"hand-made\"\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\nsummary = \"x\"\n"#;
pub(crate) const ACTION: &str = r#"[[action]]\nname = \"do\"\nsummary = \"x\"\ninput = {}\n"#;

pub(crate) fn section(manifest: &str) -> String {
    format!("(@custom \"ringfence:plugin\" \"{manifest}\")")
}

pub(crate) fn manifest(roles: &str, rest: &str) -> String {
    section(&format!(
        "{HEADER}roles = [{}]\\n{rest}",
        roles.replace('"', "\\\"")
    ))
}

pub(crate) fn component(text: &str) -> Vec<u8> {
    wat::parse_str(format!("(component {text})")).unwrap()
}

/// An executor whose core module is `core`; its `act` returns the address of the answer.
pub(crate) fn executor(core: &str) -> Vec<u8> {
    let error =
        r#"(variant (case "config" string) (case "unavailable" string) (case "internal" string))"#;
    let outcome = r#"(record (field "summary" string) (field "detail" string))"#;
    let parameters = r#"(param "action" string) (param "input" string)"#;
    component(&format!(
        r#"{manifest}
        (core module $m {core})
        (core instance $i (instantiate $m))
        (type $error {error})
        (type $outcome {outcome})
        (func $act {parameters} (result (result $outcome (error $error)))
          (canon lift (core func $i "act") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
        (component $named
          (type $error0 {error}) (import "e" (type $error (eq $error0)))
          (type $outcome0 {outcome}) (import "o" (type $outcome (eq $outcome0)))
          (import "f" (func $act {parameters} (result (result $outcome (error $error)))))
          (export $error1 "plugin-error" (type $error))
          (export $outcome1 "outcome" (type $outcome))
          (export "act" (func $act)
            (func {parameters} (result (result $outcome1 (error $error1))))))
        (instance $e (instantiate $named
          (with "e" (type $error)) (with "o" (type $outcome)) (with "f" (func $act))))
        (export "ringfence:beat/act@0.1.0" (instance $e))"#,
        manifest = manifest(r#""executor""#, ACTION),
    ))
}
