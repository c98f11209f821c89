//! Loop files for components that do as they are told.
//!
//! **Invariant:** every one of them is a good loop file: what a test breaks, it breaks itself.

use serde_json::{Value, json};

/// The loop file that `init` writes, at another level.
pub(crate) fn at_level(text: &str, level: &str) -> String {
    text.replace("level = \"L2\"", &format!("level = \"{level}\""))
}

/// A loop that has one item, `job`, for which `executor` is always given the same `input`.
pub(crate) struct Troupe {
    /// The guest that acts, with its action.
    pub(crate) executor: (&'static str, &'static str),
    /// What its action is given.
    pub(crate) input: Value,
    /// The script of the gate, a puppet.
    pub(crate) gate: Value,
    /// Further keys of the gate and of the executor.
    pub(crate) gate_keys: &'static str,
    pub(crate) executor_keys: &'static str,
    /// Further tables.
    pub(crate) tables: &'static str,
}

impl Default for Troupe {
    fn default() -> Self {
        Self {
            executor: ("puppet", "act"),
            input: json!({ "writes": [["docs/new.md", "# New\n"]] }),
            gate: passing(),
            gate_keys: "",
            executor_keys: "",
            tables: "",
        }
    }
}

/// A gate that passes everything.
pub(crate) fn passing() -> Value {
    json!({ "verdict": { "ruling": "pass", "summary": "looks well" } })
}

impl Troupe {
    /// The loop file: `docs/**` may be written but for `docs/secret/**`.
    pub(crate) fn loop_file(&self) -> String {
        let (executor, action) = self.executor;
        let sensor =
            json!({ "observation": { "signal": 1, "items": [{ "id": "job", "title": "A job" }] } });
        let decider = json!({ "decision": {
            "item": "job", "executor": "make", "action": action, "input": self.input, "reason": "it is there",
        }});
        let (sensor, decider, gate) = (toml(&sensor), toml(&decider), toml(&self.gate));
        let Self {
            gate_keys,
            executor_keys,
            tables,
            ..
        } = self;
        format!(
            r#"+++
loop = "acts"
level = "L2"
[paths]
write = ["docs/**"]
deny = ["docs/secret/**"]
[[sensor]]
id = "look"
plugin = "./puppet.wasm"
config = {sensor}
[decider]
id = "pick"
plugin = "./puppet.wasm"
config = {decider}
[[executor]]
id = "make"
plugin = "./{executor}.wasm"
{executor_keys}
[[gate]]
id = "watch"
plugin = "./puppet.wasm"
config = {gate}
{gate_keys}
{tables}
+++
"#
        )
    }

    /// The guests it takes.
    pub(crate) fn guests(&self) -> Vec<&'static str> {
        let mut guests = vec!["puppet", self.executor.0];
        guests.dedup();
        guests
    }
}

/// As an inline table.
fn toml(value: &Value) -> String {
    toml::Value::try_from(value).unwrap().to_string()
}
