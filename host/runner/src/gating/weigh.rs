//! Puts the report together: findings are known, allowed or new, and the gates stand where that leaves them.

use ringfence_core::change::{ChangeKind, FileChange};
use ringfence_core::evidence::CommandReceipt;
use ringfence_core::gating::{
    Baseline, ChangeFacts, Comments, Excerpt, Fingerprints, Judged, Remark, Report, Standing,
    Stands, Status, is_bound, outcome, standing,
};
use ringfence_core::ids::StepId;
use ringfence_core::relpath::RelPath;
use ringfence_core::spec::{LockedGates, VerdictRules};
use ringfence_core::verdict::{Finding, Location, SCOPE, Severity, Verdict};

use super::ask::Answer;
use super::lines::Lines;
use super::sides::Sides;
use super::{Gating, GatingError, Options};
use crate::workspace::RefusalReason;

const NO_REASON: &str =
    "the comment beside it gives no reason and allows nothing: ringfence:allow RULE: why";
// What these gates point to is not to be repeated in logs.
const SECRET_PLUGINS: [&str; 1] = ["secrets"];

/// Weighs what the gates said.
pub(super) fn weigh(
    gating: &Gating,
    locked: &LockedGates,
    sides: &Sides,
    (answers, commands): (Vec<Answer>, Vec<CommandReceipt>),
    baseline: &Baseline,
    options: &Options,
) -> Result<Report, GatingError> {
    let rules = VerdictRules {
        fail_on: options.fail_on.unwrap_or(locked.verdict.fail_on),
        require_some: options.require_some || locked.verdict.require_some,
        ..locked.verdict
    };
    let lines = Lines::read(gating.workspace.store(), sides, &answers)?;
    let comments = Comments::new(&locked.allow).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        GatingError::Host(errors.join("; "))
    })?;
    let scales = Scales {
        lines: &lines,
        comments: &comments,
        baseline,
    };
    let host = host_remarks(gating, sides, rules, options)?;
    let gates: Vec<Judged> = answers
        .into_iter()
        .map(|answer| scales.judged(answer, rules))
        .collect();
    let left_out = |id: &&StepId| !options.only.is_empty() && !options.only.contains(id);
    let not_asked = locked.gates.iter().map(|gate| &gate.id).filter(left_out);
    let not_asked = not_asked.cloned().collect();
    let sum = |count: fn(&FileChange) -> u32| -> u64 {
        sides
            .change
            .files
            .iter()
            .map(|file| u64::from(count(file)))
            .sum()
    };
    Ok(Report {
        outcome: outcome(&host, &gates, rules),
        base: sides.base.clone(),
        head: sides.head.clone(),
        change: ChangeFacts {
            digest: sides.change.digest(),
            files: sides.change.files.len() as u64,
            lines_added: sum(|file| file.lines_added),
            lines_removed: sum(|file| file.lines_removed),
            commits: sides.commits.count,
        },
        file: gating.path().to_string(),
        file_digest: locked.file_digest,
        rules_from: gating.rules_from().map(str::to_owned),
        rules,
        host,
        gates,
        not_asked,
        commands,
        outputs: Vec::new(),
    })
}

struct Scales<'a> {
    lines: &'a Lines,
    comments: &'a Comments,
    baseline: &'a Baseline,
}

impl Scales<'_> {
    fn judged(&self, answer: Answer, rules: VerdictRules) -> Judged {
        let Answer {
            gate,
            result,
            receipt,
            log,
            ms,
        } = answer;
        let failure = receipt.failure.clone();
        let (standing, ruling, summary, remarks) = match result.answer {
            Ok(verdict) => {
                let remarks = self.remarks(&gate.id, &gate.name, &verdict);
                let standing = standing(&verdict, &remarks, rules);
                (standing, Some(verdict.ruling), verdict.summary, remarks)
            }
            Err(message) => (Standing::Broken, None, message, Vec::new()),
        };
        Judged {
            gate: gate.id,
            plugin: gate.plugin,
            name: gate.name,
            version: gate.version,
            standing,
            ruling,
            failure,
            summary,
            remarks,
            receipt,
            log,
            ms,
        }
    }

    fn remarks(&self, gate: &StepId, plugin: &str, verdict: &Verdict) -> Vec<Remark> {
        let mut fingerprints = Fingerprints::default();
        verdict
            .findings
            .iter()
            .map(|finding| {
                let place = finding.locations.first();
                let at = place.and_then(|place| {
                    let path = RelPath::lexical(&place.path).ok()?;
                    Some((path, place.line))
                });
                let line = at
                    .as_ref()
                    .and_then(|(path, line)| self.lines.get(path, *line));
                let stands: Vec<Stands> = finding
                    .locations
                    .iter()
                    .map(|place| self.lines.stands(place))
                    .collect();
                let fingerprint = fingerprints.next(gate, finding, &stands);
                let knowable = is_bound(finding, &stands);
                let rule = &finding.rule;
                let allowed = at.as_ref().and_then(|(path, line)| {
                    self.comments.reason(rule, path, self.around(path, *line))
                });
                let mut finding = finding.clone();
                let in_vain = at.as_ref().is_some_and(|(path, line)| {
                    let around = self.around(path, *line);
                    allowed.is_none() && self.comments.lacks_reason(rule, path, around)
                });
                if in_vain {
                    finding.help = NO_REASON.to_owned();
                }
                let status = match allowed {
                    Some(reason) => Status::Allowed { reason },
                    None if knowable && self.baseline.knows(&fingerprint) => Status::Known,
                    None => Status::New,
                };
                let shown = !SECRET_PLUGINS.contains(&plugin);
                Remark {
                    finding,
                    fingerprint,
                    knowable,
                    status,
                    excerpt: line
                        .filter(|_| shown)
                        .map(|line| Excerpt::of(line, place.map_or(0, |place| place.column))),
                }
            })
            .collect()
    }

    /// A line and the one above it, where comments on it stand.
    fn around(&self, path: &RelPath, line: u32) -> impl Iterator<Item = &str> {
        let above = line
            .checked_sub(1)
            .and_then(|line| self.lines.get(path, line));
        self.lines.get(path, line).into_iter().chain(above)
    }
}

/// What the host itself has to say of the change.
fn host_remarks(
    gating: &Gating,
    sides: &Sides,
    rules: VerdictRules,
    options: &Options,
) -> Result<Vec<Remark>, GatingError> {
    let scope = StepId::new(SCOPE).map_err(|error| GatingError::Host(error.to_string()))?;
    let mut fingerprints = Fingerprints::default();
    let mut remark = |severity, rule: &str, message: String, path: &str, status, help: &str| {
        let finding = Finding {
            severity,
            rule: rule.to_owned(),
            message,
            locations: vec![Location {
                path: path.to_owned(),
                line: 0,
                column: 0,
            }],
            help: help.to_owned(),
        };
        Remark {
            fingerprint: fingerprints.next(&scope, &finding, &[]),
            knowable: false,
            finding,
            status,
            excerpt: None,
        }
    };
    let mut remarks = Vec::new();
    for refusal in &sides.refused {
        let submodule = refusal.reason == RefusalReason::BelowSubmodule;
        let (rule, status) = match submodule {
            true if rules.submodules_accepted => ("submodule", Status::Accepted),
            true => ("submodule", Status::New),
            false => ("refused", Status::New),
        };
        let message = format!("no gate can look into {}: {}", refusal.path, refusal.reason);
        let help = match submodule {
            true => "`submodules = \"accepted\"` in [verdict] lets such changes pass",
            false => "",
        };
        let path = &refusal.path;
        remarks.push(remark(Severity::Error, rule, message, path, status, help));
    }
    let deciding = gating.deciding_files(options);
    for file in sides
        .change
        .files
        .iter()
        .filter(|file| deciding.contains(&file.path))
    {
        let what = match file.kind {
            ChangeKind::Added => "adds",
            ChangeKind::Modified => "changes",
            ChangeKind::Deleted => "deletes",
        };
        let message = format!("this file decides what is judged, and the change itself {what} it");
        let help = "--rules-from REV judges by the rules that REV has, such as the base";
        let path = file.path.as_str();
        let status = Status::New;
        remarks.push(remark(
            Severity::Warning,
            "rules-changed",
            message,
            path,
            status,
            help,
        ));
    }
    Ok(remarks)
}
