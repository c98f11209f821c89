//! Reads a commit message as the specification says: the subject, and what its footers say of breaking something.
//!
//! **Invariant:** what is read as «breaks something» is what every tool reads as that; whatever only looks like it is told apart,
//! so that nobody believes to have said it.

/// `type(scope)!: description`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Subject<'a> {
    /// The type; the word is kept by the language.
    pub(crate) kind: &'a str,
    pub(crate) scope: Option<&'a str>,
    /// Whether a `!` stands before the colon.
    pub(crate) breaking: bool,
    pub(crate) description: &'a str,
}

/// What is below the subject.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Body<'a> {
    /// Whether a blank line comes first, or nothing at all.
    pub(crate) after_blank: bool,
    /// Whether a footer says that something breaks.
    pub(crate) breaking: bool,
    /// The first line that says so in a form that is no footer.
    pub(crate) unread: Option<&'a str>,
}

impl<'a> Subject<'a> {
    /// Reads a subject, or says why it is none.
    pub(crate) fn parse(text: &'a str) -> Result<Self, &'static str> {
        const NO_TYPE: &str = "it does not begin with a type and a colon, as `fix: …` does";
        let (prefix, description) = text.split_once(':').ok_or(NO_TYPE)?;
        let (prefix, breaking) = match prefix.strip_suffix('!') {
            Some(prefix) => (prefix, true),
            None => (prefix, false),
        };
        let (kind, scope) = match prefix.split_once('(') {
            None => (prefix, None),
            Some((kind, rest)) => {
                let scope = rest
                    .strip_suffix(')')
                    .ok_or("its scope does not end with `)`")?;
                (kind, Some(scope))
            }
        };
        if !is_noun(kind) {
            return Err(NO_TYPE);
        }
        if scope.is_some_and(|scope| !is_scope(scope)) {
            return Err("its scope is not a word in parentheses");
        }
        let description = description
            .strip_prefix(' ')
            .ok_or("no space follows the colon")?;
        if !description.chars().any(is_seen) {
            return Err("nothing that anybody could see follows the colon");
        }
        if text.chars().any(deceives) {
            return Err("it has a character that nobody sees, or that turns text around");
        }
        if description.starts_with(char::is_whitespace) {
            return Err("more than one space follows the colon");
        }
        Ok(Self {
            kind,
            scope,
            breaking,
            description,
        })
    }
}

/// True for a character that has a shape of its own.
fn is_seen(c: char) -> bool {
    let joins =
        matches!(c, '\u{200c}'..='\u{200f}' | '\u{61c}' | '\u{34f}' | '\u{fe00}'..='\u{fe0f}');
    !c.is_whitespace() && !joins && !deceives(c)
}

/// True for a character that no subject needs: it is not seen, or shows others in another order. Joiners and variants, which
/// emoji and some scripts are written with, are none.
fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{200b}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

fn is_noun(word: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    !word.is_empty() && word.chars().all(fits)
}

fn is_scope(scope: &str) -> bool {
    let stray = |c: char| c == '(' || c == ')' || c.is_control();
    !scope.trim().is_empty() && scope.trim() == scope && !scope.chars().any(stray)
}

impl<'a> Body<'a> {
    /// Reads what is below the subject of `message`.
    pub(crate) fn of(message: &'a str) -> Self {
        let mut lines = message.lines().skip(1).peekable();
        let mut body = Self {
            after_blank: lines.peek().is_none_or(|line| line.trim().is_empty()),
            breaking: false,
            unread: None,
        };
        // Footers begin after a blank line, and go on until the next one begins.
        let (mut after_blank, mut in_footers) = (false, false);
        for line in lines {
            let begins = after_blank || in_footers;
            in_footers = begins && (is_footer(line) || in_footers && !line.trim().is_empty());
            match breaking(line) {
                Some(Said::Well) if begins => body.breaking = true,
                Some(_) => body.unread = body.unread.or(Some(line)),
                None => {}
            }
            after_blank = line.trim().is_empty();
        }
        body
    }
}

/// How a line says that something breaks.
enum Said {
    /// As a footer has to.
    Well,
    /// So that a person takes it for that, and no tool does.
    Otherwise,
}

fn breaking(line: &str) -> Option<Said> {
    let footer = [
        "BREAKING CHANGE: ",
        "BREAKING-CHANGE: ",
        "BREAKING CHANGE #",
        "BREAKING-CHANGE #",
    ];
    let rest = footer.iter().find_map(|begin| line.strip_prefix(begin));
    if let Some(rest) = rest {
        let said = if rest.trim().is_empty() {
            Said::Otherwise
        } else {
            Said::Well
        };
        return Some(said);
    }
    let lower = line.trim_start().to_lowercase();
    let rest = ["breaking change", "breaking-change", "breaking_change"]
        .iter()
        .find_map(|begin| lower.strip_prefix(begin))?;
    let rest = rest.strip_prefix('s').unwrap_or(rest).trim_start();
    rest.starts_with(':').then_some(Said::Otherwise)
}

/// `Token: value` or `Token #value`, where the token is one word, or says that something breaks.
fn is_footer(line: &str) -> bool {
    let token = |word: &str| {
        let fits = |c: char| c.is_alphanumeric() || c == '-';
        word == "BREAKING CHANGE" || !word.is_empty() && word.chars().all(fits)
    };
    [": ", " #"].iter().any(|separator| {
        line.split_once(separator)
            .is_some_and(|(word, value)| token(word) && !value.trim().is_empty())
    })
}
