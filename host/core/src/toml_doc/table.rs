//! The shape of a table of keys.
//!
//! **Invariant:** plain data; what reads by it is `reader`, what describes it to editors is `schema`.

/// One TOML table and the keys it may hold.
#[derive(Debug)]
pub(crate) struct Table {
    /// How messages call it: `[paths]`.
    pub(crate) title: &'static str,
    /// What it may hold, in the order documents list it.
    pub(crate) keys: &'static [Key],
    /// Keys a later version will know, each with what to do until then.
    pub(crate) later: &'static [(&'static str, &'static str)],
}

/// One key of a table.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    /// One sentence for people; the schema's description.
    pub(crate) doc: &'static str,
}

impl Key {
    pub(crate) const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self {
            name,
            kind,
            required: true,
            doc,
        }
    }

    pub(crate) const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self {
            name,
            kind,
            required: false,
            doc,
        }
    }
}

/// What a key holds.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A string.
    Text(&'static Text),
    /// A list of strings.
    List(&'static Text),
    /// One of a few words.
    Choice(&'static Choice),
    /// A number above zero, or a string with a unit.
    Amount(&'static Amount),
    /// A whole number from zero up.
    Whole(&'static Whole),
    /// One of a few words, or a table.
    Either(&'static Choice, &'static Table),
    /// A table of any shape, kept as JSON.
    Json,
    /// A table, written `[name]`.
    One(&'static Table),
    /// Tables, each written `[[name]]`.
    Many(&'static Table),
    /// Tables with names of their own, each written `[key.NAME]`.
    Named(&'static Text, &'static Table),
    /// A table of strings with names of their own: first what a name looks like, then what a string does.
    Texts(&'static Text, &'static Text),
    /// True or false.
    Flag,
}

/// A string with a rule.
#[derive(Debug)]
pub(crate) struct Text {
    /// The code of its diagnostics.
    pub(crate) code: &'static str,
    /// What it is, with an article: `a glob`.
    pub(crate) what: &'static str,
    /// Why a text does not fit.
    pub(crate) check: fn(&str) -> Result<(), String>,
    /// The rule as a regular expression, where one can say it.
    pub(crate) pattern: Option<&'static str>,
    /// A value that fits, for help texts.
    pub(crate) example: &'static str,
}

/// A word out of a list.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) values: &'static [&'static str],
    /// Words a later version will know, each with what to do until then.
    pub(crate) later: &'static [(&'static str, &'static str)],
}

/// Reads an amount with its unit, or says why not.
pub(crate) type ReadAmount = fn(&str) -> Result<u64, String>;

/// An amount above zero.
#[derive(Debug)]
pub(crate) struct Amount {
    /// What it is, with an article: `an amount of fuel`.
    pub(crate) what: &'static str,
    /// Reads a string with a unit; none where only a plain number fits.
    pub(crate) read: Option<ReadAmount>,
    /// True when a plain number fits too.
    pub(crate) integers: bool,
    /// Inclusive.
    pub(crate) max: u64,
    /// Writes an amount for messages.
    pub(crate) show: fn(u64) -> String,
    /// The strings that fit, as a regular expression.
    pub(crate) pattern: Option<&'static str>,
    /// TOML of a value that fits.
    pub(crate) example: &'static str,
}

/// A whole number from zero up, for what may well be zero.
#[derive(Debug)]
pub(crate) struct Whole {
    /// Inclusive.
    pub(crate) min: u64,
    /// Inclusive.
    pub(crate) max: u64,
    /// A value that fits.
    pub(crate) example: u64,
}

/// The key as a file spells it: `` `read` ``, `[paths]`, `[[gate]]`.
pub(super) fn spelled(key: &Key) -> String {
    match key.kind {
        Kind::One(_) => format!("[{}]", key.name),
        Kind::Many(_) => format!("[[{}]]", key.name),
        Kind::Named(..) => format!("[{}.NAME]", key.name),
        _ => format!("`{}`", key.name),
    }
}

/// A line that would fit.
pub(super) fn sample(key: &Key) -> String {
    match &key.kind {
        Kind::Text(rule) => format!("`{} = {:?}`", key.name, rule.example),
        Kind::List(rule) => format!("`{} = [{:?}]`", key.name, rule.example),
        Kind::Choice(choice) => format!(
            "`{} = {:?}`",
            key.name,
            choice.values.first().unwrap_or(&"")
        ),
        Kind::Amount(rule) => format!("`{} = {}`", key.name, rule.example),
        Kind::Whole(rule) => format!("`{} = {}`", key.name, rule.example),
        Kind::Either(choice, _) => format!(
            "`{} = {:?}`, or a table",
            key.name,
            choice.values.first().unwrap_or(&"")
        ),
        Kind::Json => format!("`{} = {{ key = \"value\" }}`", key.name),
        Kind::Texts(name, text) => {
            format!(
                "`{} = {{ {} = {:?} }}`",
                key.name, name.example, text.example
            )
        }
        Kind::Flag => format!("`{} = true`", key.name),
        Kind::One(_) | Kind::Many(_) | Kind::Named(..) => {
            format!("{} on a line of its own, and its keys below", spelled(key))
        }
    }
}

/// What belongs there, with an article.
pub(super) fn wanted(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text(_) | Kind::Choice(_) => "a string",
        Kind::List(_) => "a list of strings",
        Kind::Amount(rule) => rule.what,
        Kind::Whole(_) => "a whole number",
        Kind::Either(..) => "a word or a table",
        Kind::Json => "a table",
        Kind::One(_) => "one table",
        Kind::Many(_) => "a list of tables",
        Kind::Named(..) => "tables, each with a name",
        Kind::Texts(..) => "a table of strings",
        Kind::Flag => "true or false",
    }
}
