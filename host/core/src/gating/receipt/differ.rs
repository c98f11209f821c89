//! What of a run is not as a receipt says.
//!
//! **Invariant:** figures of fuel that mean different things are never taken for the same.

use serde::Serialize;

use super::{GateReceipt, Receipt};
use crate::digest::Digest;
use crate::spec::LockedGates;

/// One thing that is not the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Whose: a gate's id; none for the run's.
    pub gate: Option<String>,
    /// What: `outcome`, `fuel`, and so on.
    pub what: &'static str,
    /// As the receipt says; empty for nothing.
    pub was: String,
    /// As it is now.
    pub is: String,
}

impl Receipt {
    /// What decides now that is not what decided: the gates file and its gates in `locked`, and the digests of the
    /// baseline and of the fuel file. Where this says anything, a new run says nothing about this one.
    #[must_use]
    pub fn decided_otherwise(
        &self,
        locked: &LockedGates,
        baseline: Option<Digest>,
        fuel: Option<Digest>,
    ) -> Vec<Difference> {
        let mut found = Found::default();
        let (was, is) = (word(self.file_digest), word(locked.file_digest));
        found.all(None, &[("gates file", was, is)]);
        found.all(None, &[("baseline", maybe(self.baseline), maybe(baseline))]);
        let was = self.fuel.as_ref().map(|fuel| fuel.file);
        found.all(None, &[("fuel file", maybe(was), maybe(fuel))]);
        for was in &self.gates {
            let id = was.gate.to_string();
            let Some(is) = locked.gates.iter().find(|is| is.id == was.gate) else {
                found.all(Some(&id), &[("gate", "there".to_owned(), String::new())]);
                continue;
            };
            let facts = [
                ("plugin", was.plugin.clone(), is.plugin.clone()),
                ("contract", was.contract.clone(), is.contract.clone()),
                ("component", word(was.component), word(is.digest)),
                ("config", word(was.config), word(is.config_digest())),
                ("grant", word(was.grant), word(is.grant_digest())),
            ];
            found.all(Some(&id), &facts);
        }
        found.0
    }

    /// What came of it that is not the same in `now`, the receipt of the same run made again.
    #[must_use]
    pub fn came_otherwise(&self, now: &Self) -> Vec<Difference> {
        let mut found = Found::default();
        found.all(
            None,
            &[
                ("engine", self.engine.clone(), now.engine.clone()),
                ("change", word(self.change), word(now.change)),
                ("evidence", maybe(self.evidence), maybe(now.evidence)),
                ("host's findings", word(self.host), word(now.host)),
                ("outcome", json(self.outcome), json(now.outcome)),
                ("exit", word(self.exit), word(now.exit)),
            ],
        );
        for was in &self.gates {
            let id = was.gate.to_string();
            let Some(is) = now.gates.iter().find(|is| is.gate == was.gate) else {
                found.all(Some(&id), &[("gate", "asked".to_owned(), String::new())]);
                continue;
            };
            let fuel = |gate: &GateReceipt| maybe(gate.fuel.map(|fuel| fuel.0));
            let facts = [
                ("ruling", json(was.ruling), json(is.ruling)),
                ("standing", json(was.standing), json(is.standing)),
                ("failure", json(was.failure), json(is.failure)),
                ("findings", word(was.findings), word(is.findings)),
                ("fuel", fuel(was), fuel(is)),
            ];
            found.all(Some(&id), &facts);
        }
        for is in &now.gates {
            if !self.gates.iter().any(|was| was.gate == is.gate) {
                let id = is.gate.to_string();
                found.all(Some(&id), &[("gate", String::new(), "asked".to_owned())]);
            }
        }
        found.0
    }
}

#[derive(Default)]
struct Found(Vec<Difference>);

impl Found {
    fn all(&mut self, gate: Option<&str>, facts: &[(&'static str, String, String)]) {
        let differ = facts.iter().filter(|(_, was, is)| was != is);
        self.0.extend(differ.map(|(what, was, is)| Difference {
            gate: gate.map(str::to_owned),
            what,
            was: was.clone(),
            is: is.clone(),
        }));
    }
}

fn word(value: impl ToString) -> String {
    value.to_string()
}

fn maybe(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn json(value: impl Serialize) -> String {
    let text = serde_json::to_string(&value).unwrap_or_default();
    let text = text.trim_matches('"');
    if text == "null" {
        String::new()
    } else {
        text.to_owned()
    }
}
