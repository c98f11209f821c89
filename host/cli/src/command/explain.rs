//! `ringfence explain`: which rule decides whether a step may touch a path.
//!
//! **Invariant:** the answer is the policy's for this very name. A link on the way is followed and judged again when a
//! step really goes there.

use ringfence_core::policy::{
    Access, Decision, Denial, DenySource, Layer, PathPolicy, PolicySpec, Rule,
};
use ringfence_core::relpath::RelPath;
use ringfence_core::spec::{LockedSpec, LockedStep};
use ringfence_runner::open_loop::LockMode;
use serde::Serialize;

use super::{Context, Stop};
use crate::args::{self, Explain};
use crate::exit::Exit;
use crate::render::{Ink, Page, Safe, Text, text};

/// The result for programs.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    path: &'a str,
    answers: Vec<JsonAnswer>,
}

#[derive(Serialize)]
struct JsonAnswer {
    role: &'static str,
    step: String,
    access: Access,
    allowed: bool,
    #[serde(flatten)]
    rule: Option<Rule>,
    grant_line: Option<String>,
}

/// Answers for each step of that name and each access.
pub(super) fn run(args: &Explain, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let open = context.open(args.file.as_deref())?;
    let locked = context.lock(&open, LockMode::Check)?;
    let steps = steps(&locked.spec, &args.step)?;
    let accesses: &[Access] = match args.access {
        Some(args::Access::Read) => &[Access::Read],
        Some(args::Access::Write) => &[Access::Write],
        None => &[Access::Read, Access::Write],
    };
    let (mut page, mut answers) = (Page::new(), Vec::new());
    for (step, access) in steps
        .iter()
        .flat_map(|step| accesses.iter().map(move |access| (*step, *access)))
    {
        let decision = decide(&step.policy, &args.path, access)?;
        put(&mut page, step, &args.path, access, &decision);
        answers.push(answer(step, &args.path, access, decision));
    }
    if args.output.is_json() {
        context.print_json(&Json {
            version: 1,
            path: &args.path,
            answers,
        })?;
    } else {
        context.console.print(&page);
    }
    Ok(Exit::Done)
}

/// The steps that `name` means: all of that id, or the one of a role.
fn steps<'a>(spec: &'a LockedSpec, name: &str) -> Result<Vec<&'a LockedStep>, Stop> {
    let (role, id) = match name.split_once('/') {
        Some((role, id)) => (Some(role), id),
        None => (None, name),
    };
    let is_meant = |step: &&LockedStep| {
        step.id.as_str() == id && role.is_none_or(|role| step.role.as_str() == role)
    };
    let found: Vec<&LockedStep> = spec.steps().filter(is_meant).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let known = Text::join(
        spec.steps().map(|step| text![step.role, "/", &step.id]),
        ", ",
    );
    let stop = Stop::new(
        Exit::Usage,
        text!["loop ", &spec.loop_id, " has no step ", Safe::line(name)],
    );
    Err(stop.help(text!["its steps are ", known]))
}

fn decide(policy: &PolicySpec, path: &str, access: Access) -> Result<Decision, Stop> {
    let policy = PathPolicy::new(policy).map_err(|errors| {
        let why = Text::join(
            errors
                .iter()
                .take(3)
                .map(|error| Safe::line(&error.to_string())),
            "; ",
        );
        Stop::new(Exit::Usage, why)
    })?;
    Ok(match RelPath::lexical(path) {
        Ok(path) => policy.decide(&path, access),
        Err(error) => Decision::Denied {
            rule: Rule::Shape { error },
        },
    })
}

fn answer(step: &LockedStep, path: &str, access: Access, decision: Decision) -> JsonAnswer {
    let rule = match decision {
        Decision::Allowed => None,
        Decision::Denied { rule } => Some(rule),
    };
    let denial = rule.clone().map(|rule| denial(path, access, rule));
    JsonAnswer {
        role: step.role.as_str(),
        step: step.id.to_string(),
        access,
        allowed: rule.is_none(),
        rule,
        grant_line: denial.and_then(|denial| denial.grant_line()),
    }
}

fn denial(path: &str, access: Access, rule: Rule) -> Denial {
    let path = RelPath::lexical(path).map_or_else(|_| path.to_owned(), |path| path.to_string());
    Denial {
        path,
        access,
        rule,
        count: 1,
    }
}

fn put(page: &mut Page, step: &LockedStep, path: &str, access: Access, decision: &Decision) {
    let verb = match access {
        Access::Write => "write",
        Access::Traverse | Access::Stat | Access::Read => "read",
    };
    let may = |word: &'static str, ink| {
        text![
            step.role,
            " ",
            &step.id,
            " ",
            text![word].ink(ink),
            " ",
            verb,
            " ",
            Safe::line(path),
            ": "
        ]
    };
    page.gap();
    match decision {
        Decision::Allowed => {
            page.line(text![
                may("may", Ink::Good),
                allowing(&step.policy, path, access)
            ]);
        }
        Decision::Denied { rule } => {
            page.line(text![may("may not", Ink::Bad), refusing(rule)]);
            if let Some(line) = denial(path, access, rule.clone()).grant_line() {
                let place = match rule {
                    Rule::NotAllowed { layer } if layer == "step" => {
                        "To allow it, add to this step's `paths`:"
                    }
                    _ => "To allow it, add to [paths] in the loop file:",
                };
                page.item(2, place).copy(4, Safe::cut(&line, 5_000));
            }
        }
    }
}

/// Which globs let it through, one of each list.
fn allowing(policy: &PolicySpec, path: &str, access: Access) -> Text {
    let globs = policy.layers.iter().filter_map(|layer| {
        let glob = match_of(layer, path, access).filter(|glob| *glob != "**")?;
        Some(text![Safe::line(glob), " (", whose(&layer.name), ")"])
    });
    let globs = Text::join(globs, " and ");
    let globs = if globs.is_empty() {
        "every list".into()
    } else {
        globs
    };
    text!["it is allowed by ", globs, ", and denied by nothing"]
}

fn match_of<'a>(layer: &'a Layer, path: &str, access: Access) -> Option<&'a str> {
    let list = match access {
        Access::Write => &layer.write,
        Access::Traverse | Access::Stat | Access::Read => &layer.read,
    };
    let path = RelPath::lexical(path).ok()?;
    let glob = list.iter().find(|glob| {
        let only = vec![(*glob).clone()];
        let layers = vec![Layer {
            name: layer.name.clone(),
            read: only.clone(),
            write: only,
        }];
        PathPolicy::new(&PolicySpec {
            layers,
            deny: Vec::new(),
        })
        .is_ok_and(|one| one.decide(&path, access).is_allowed())
    })?;
    Some(glob)
}

fn whose(layer: &str) -> Text {
    match layer {
        "loop" => "[paths]".into(),
        "step" => "the step's paths".into(),
        "plugin" => "asked by the plugin".into(),
        "role" => "its role".into(),
        other => Safe::line(other).into(),
    }
}

fn refusing(rule: &Rule) -> Text {
    match rule {
        Rule::Deny {
            pattern,
            source: DenySource::Operator,
        } => text!["the loop file denies ", Safe::line(pattern)],
        Rule::Deny {
            pattern,
            source: DenySource::Default,
        } => text![Safe::line(pattern), " is denied by default"],
        Rule::Deny {
            pattern,
            source: DenySource::BuiltIn,
        } => {
            text![
                Safe::line(pattern),
                " is denied in every loop, and nothing lifts that"
            ]
        }
        Rule::Deny {
            pattern,
            source: DenySource::Own,
        } => text![
            Safe::line(pattern),
            " is a file that this loop goes by, and nothing lets its steps touch that"
        ],
        Rule::NotAllowed { layer } => match layer.as_str() {
            "loop" => "no glob in [paths] matches it".into(),
            "step" => "no glob in the step's own paths matches it".into(),
            "plugin" => {
                "the plugin does not ask for it, and a loop file cannot give more than is asked"
                    .into()
            }
            "role" => "only executors write".into(),
            other => text!["no glob of ", Safe::line(other), " matches it"],
        },
        Rule::Shape { error } => text!["it is ", Safe::line(&error.to_string())],
        Rule::Special { kind } => text![
            "it is a ",
            Safe::line(kind),
            ", and only files, directories and links are opened"
        ],
        Rule::HardLink { .. } => "it has another name that is denied or unknown".into(),
    }
}
