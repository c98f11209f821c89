//! What must hold at a path, said without looking at how the boundary does it.
//!
//! A [`Judge`] is whoever has a say at a path, a [`Want`] what a deed needs there. What follows from the two is [`refused`]: the judge
//! whose refusal must be reported, or none.
//!
//! **Invariant:** nothing here asks the policy or the walk; these are the rules of docs/security.md once more.

use ringfence_core::policy::Access;
use ringfence_core::policy::{Denial, DenySource, Rule};
use ringfence_core::relpath::PathError;

use super::spot::{Node, Spot, What};
use super::words::Zone;

/// Who says what may be done at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judge {
    /// The policy's word on a place.
    Of(Zone),
    /// On the way to something readable.
    Way,
    /// A place that may be read and written, of a file with a second name in another zone.
    Twin(Zone),
    /// A place that may be read and written, with something that is no file, directory or link.
    Special,
    /// A path from the root of the host.
    Absolute,
    /// A path with a backslash.
    Backslash,
}

impl Judge {
    pub(super) fn refuses(self, access: Access) -> bool {
        let writes = access == Access::Write;
        match self {
            Self::Of(zone) => zone_refuses(zone, access),
            // A second name outside the workspace may be read, since somebody put it there, but not written.
            Self::Twin(Zone::Outside) | Self::Way => writes,
            Self::Twin(zone) => zone_refuses(zone, access),
            Self::Special | Self::Absolute | Self::Backslash => true,
        }
    }

    /// The judge of a name alone: what is under it, and what other names that has, does not matter.
    pub(super) fn of_name(self) -> Self {
        match self {
            Self::Twin(_) | Self::Special => Self::Of(Zone::Own),
            judge => judge,
        }
    }

    /// True when `denial` is by this judge's rule.
    pub(super) fn is_behind(self, denial: &Denial) -> bool {
        match (self, &denial.rule) {
            (
                Self::Of(Zone::ReadOnly | Zone::WriteOnly | Zone::Hidden) | Self::Way,
                Rule::NotAllowed { layer },
            ) => layer == "loop",
            (Self::Of(Zone::Denied), Rule::Deny { source, .. }) => *source == DenySource::Operator,
            (Self::Of(Zone::Outside), Rule::Shape { error }) => *error == PathError::Escapes,
            (Self::Absolute, Rule::Shape { error }) => *error == PathError::Absolute,
            (Self::Backslash, Rule::Shape { error }) => *error == PathError::Backslash,
            (Self::Twin(Zone::Outside), Rule::HardLink { other }) => other.is_empty(),
            (Self::Twin(_), Rule::HardLink { other }) => !other.is_empty(),
            (Self::Special, Rule::Special { kind }) => {
                matches!(kind.as_str(), "fifo" | "socket" | "device")
            }
            _ => false,
        }
    }

    /// True when a refusal may be reported as one of reading though something else was wanted.
    pub(super) fn refuses_any_look(self) -> bool {
        matches!(
            self,
            Self::Special | Self::Twin(Zone::Hidden | Zone::Denied | Zone::WriteOnly)
        )
    }
}

fn zone_refuses(zone: Zone, access: Access) -> bool {
    match zone {
        Zone::Own => false,
        Zone::ReadOnly => access == Access::Write,
        Zone::WriteOnly => access == Access::Read,
        Zone::Hidden | Zone::Denied | Zone::Outside => true,
    }
}

/// What of a place is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// The name in its directory; what is under it does not matter.
    Name,
    /// The name, or what it leads to if the path ends in a slash.
    NameOrEnd,
    /// What is under the name, or what it leads to, if it is only looked at.
    Node { follow: bool },
    /// The same, under whatever other names it has, unless it is neither file, directory nor link.
    Plain { follow: bool },
    /// The path text, as it would be read in `docs`.
    Target,
}

/// The flags of `open-at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Open {
    pub(super) follow: bool,
    pub(super) create: bool,
    pub(super) directory: bool,
    pub(super) exclusive: bool,
    pub(super) truncate: bool,
    pub(super) read: bool,
    pub(super) write: bool,
    pub(super) mutate: bool,
    /// The three flags about syncing, as a binary number.
    pub(super) sync: u8,
}

impl Open {
    pub(super) fn reader() -> Self {
        Self {
            follow: true,
            read: true,
            ..Self::default()
        }
    }

    fn changes(self) -> bool {
        self.write || self.create || self.truncate
    }

    /// A directory is neither made nor emptied by opening it: such flags are refused once the path may be looked at.
    fn is_ill(self) -> bool {
        self.directory && (self.create || self.exclusive || self.truncate)
    }

    fn makes_anew(self) -> bool {
        self.create && self.exclusive
    }

    /// What is used of an existing file.
    fn accesses(self) -> Vec<Access> {
        let mut accesses = Vec::new();
        accesses.extend(self.read.then_some(Access::Read));
        accesses.extend((self.write || self.truncate).then_some(Access::Write));
        if accesses.is_empty() {
            accesses.push(Access::Stat);
        }
        accesses
    }

    /// An exclusive creation fails on a link instead of following it.
    fn node(self, spot: &Spot) -> Node {
        if (self.follow && !self.makes_anew()) || spot.slash {
            spot.end
        } else {
            spot.here
        }
    }

    /// True when there is a handle afterwards, given that nobody refuses.
    fn opens(self, spot: &Spot) -> bool {
        match self.node(spot).what {
            What::File => !spot.slash,
            What::Dir | What::MixedDir | What::Walked => !self.changes(),
            What::Link | What::Loop | What::Special => false,
            What::Missing | What::Nowhere | What::Gone => false,
        }
    }

    fn refused(self, spot: &Spot) -> Option<Judge> {
        let Node { judge, what } = self.node(spot);
        let looks = vec![Access::Stat];
        let (judge, needs) = match what {
            What::Gone => return None,
            What::Nowhere | What::Loop | What::Walked => (judge, looks),
            // What is special is no secret; opening it is refused.
            What::Special | What::File if self.is_ill() => (judge.of_name(), looks),
            _ if self.is_ill() => (judge, looks),
            What::Link | What::Dir | What::MixedDir | What::File | What::Special
                if self.makes_anew() =>
            {
                (judge.of_name(), vec![Access::Write])
            }
            What::Link | What::Dir | What::MixedDir => (judge, looks),
            What::File | What::Special => (judge, self.accesses()),
            What::Missing if self.create => {
                let read = self.read.then_some(Access::Read);
                let needs = [Access::Write].into_iter().chain(read);
                (judge.of_name(), needs.collect())
            }
            What::Missing => (judge, looks),
        };
        let refuses = needs.into_iter().any(|access| judge.refuses(access));
        refuses.then_some(judge)
    }

    /// What it is after.
    pub(super) fn wants(self) -> Vec<Access> {
        let mut wants = Vec::new();
        wants.extend(self.changes().then_some(Access::Write));
        wants.extend((self.read || !self.changes()).then_some(Access::Read));
        wants
    }
}

/// What a deed needs at one path.
#[derive(Debug, Clone)]
pub(super) enum Want {
    /// Each of these.
    Each(Vec<(Access, Of)>),
    /// To be opened, and then each of these.
    Open(Open, Vec<(Access, Of)>),
    /// Nothing: its arguments are refused everywhere.
    Ill,
}

impl Want {
    /// What it is after.
    pub(super) fn accesses(&self) -> Vec<Access> {
        let of = |needs: &[(Access, Of)]| needs.iter().map(|(access, _)| *access).collect();
        match self {
            Self::Each(needs) => of(needs),
            Self::Open(open, then) => [open.wants(), of(then)].concat(),
            Self::Ill => Vec::new(),
        }
    }

    /// True when the deed gets to what it does after opening.
    pub(super) fn opens(&self, spot: &Spot) -> bool {
        match self {
            Self::Open(open, _) => open.opens(spot),
            Self::Each(_) | Self::Ill => true,
        }
    }
}

/// Who refuses `want` at `spot`; none when nobody does.
pub(super) fn refused(want: &Want, spot: &Spot) -> Option<Judge> {
    match want {
        Want::Ill => None,
        Want::Each(needs) => needs.iter().find_map(|need| refusing(*need, spot)),
        Want::Open(open, then) => open.refused(spot).or_else(|| {
            let mut then = then.iter().filter(|_| open.opens(spot));
            then.find_map(|need| refusing(*need, spot))
        }),
    }
}

fn refusing((access, of): (Access, Of), spot: &Spot) -> Option<Judge> {
    let end_if = |follow: bool| if follow { spot.end } else { spot.here };
    let Node { judge, what } = match of {
        Of::Name => spot.here,
        Of::Target => spot.text,
        Of::NameOrEnd => end_if(spot.slash),
        Of::Node { follow } | Of::Plain { follow } => end_if(follow || spot.slash),
    };
    let only_looked_at = match (of, what) {
        (_, What::Gone) => return None,
        (_, What::Nowhere) | (Of::Target, _) => true,
        (Of::Name, _) => false,
        (_, What::Loop) | (Of::NameOrEnd, What::Walked) => true,
        _ => false,
    };
    let judge = match of {
        Of::Name | Of::NameOrEnd | Of::Target => judge.of_name(),
        Of::Node { .. } if judge == Judge::Special => Judge::Of(Zone::Own),
        _ => judge,
    };
    let listed_only = of == Of::NameOrEnd && judge == Judge::Way && what != What::Walked;
    let needed = if only_looked_at { Access::Stat } else { access };
    (judge.refuses(needed) || listed_only).then_some(judge)
}

/// A verb on two paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pair {
    Rename,
    Link,
}

/// Who refuses to bring what is at `from` to `to`; none when nobody does.
pub(super) fn refused_pair(pair: Pair, from: &Spot, to: &Spot) -> Option<Judge> {
    if from.end.what == What::Gone || to.end.what == What::Gone {
        return None;
    }
    let name = (Access::Write, Of::Name);
    refusing(name, from)
        .or_else(|| refusing(name, to).filter(|_| from.is_a_name()))
        .or_else(|| {
            let there = from.here.what != What::Missing;
            let both = there && from.is_a_name() && to.is_a_name();
            both.then(|| refused_move(pair, from, to)).flatten()
        })
}

/// The same when both names may be written.
fn refused_move(pair: Pair, from: &Spot, to: &Spot) -> Option<Judge> {
    let Node { judge, what } = from.here;
    let readable = |judge: Judge| !judge.of_name().refuses(Access::Read);
    if readable(to.here.judge) && !readable(judge) {
        return Some(judge);
    }
    let by_other_names = judge.refuses(Access::Write) && judge != Judge::Special;
    match (pair, what) {
        (Pair::Rename, What::MixedDir) => Some(Judge::Of(Zone::Denied)),
        // A link is made where nothing is.
        (Pair::Link, _) if to.here.what != What::Missing => None,
        (_, What::File) if from.slash || to.slash => None,
        (_, What::File) => by_other_names.then_some(judge),
        _ => None,
    }
}
