//! Elements, attributes and styles that keep text off a page.
//!
//! **Invariant:** a style is harmless because it is known to be; one that nobody knows hides.

/// Elements whose content no page shows.
pub(super) const NEVER_SHOWN: [&str; 18] = [
    "script", "style", "template", "noscript", "noframes", "noembed", "datalist", "dialog",
    "title", "head", "meta", "object", "canvas", "desc", "metadata", "param", "select", "option",
];

/// Elements whose content is there for readers that cannot do better, and that no page shows otherwise.
pub(super) const FALLBACKS: [&str; 6] = [
    "video",
    "audio",
    "iframe",
    "rp",
    "annotation",
    "annotation-xml",
];

/// Of those that are never shown, what a whole page may have, as long as it says little.
pub(super) const OF_PAGES: [&str; 9] = [
    "template", "noscript", "noframes", "noembed", "datalist", "object", "canvas", "desc",
    "metadata",
];

/// Elements that have no content, and no tag that closes them.
pub(super) const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];

/// What keeps an element from being seen, if `attribute` does.
pub(super) fn hides(element: &str, attribute: &str, value: &str) -> Option<String> {
    let shown = |text: &str| Some(text.to_owned());
    match attribute.to_ascii_lowercase().as_str() {
        "hidden" => shown("hidden"),
        "popover" => shown("popover"),
        "type" if element == "input" && value.trim().eq_ignore_ascii_case("hidden") => {
            shown("type=hidden")
        }
        "color" | "text" if is_invisible(&value.trim().to_lowercase()) => {
            Some(format!("color={}", value.trim()))
        }
        "style" => declarations(value),
        "width" | "height"
            if SIZED.contains(&element) && number(value.trim()).is_some_and(|size| size <= 0.0) =>
        {
            Some(format!(
                "{}={}",
                attribute.to_ascii_lowercase(),
                value.trim()
            ))
        }
        // Elements of SVG take these for styles.
        name @ ("display" | "visibility" | "opacity" | "font-size")
            if does_hide(name, &value.trim().to_lowercase()) =>
        {
            Some(format!("{name}={}", value.trim()))
        }
        "fill" if matches!(element, "text" | "tspan" | "textpath") => {
            let colour = value.trim().to_lowercase();
            (colour == "none" || is_invisible(&colour)).then(|| format!("fill={colour}"))
        }
        _ => None,
    }
}

/// Elements that are as large as they say, and show nothing where that is nothing.
const SIZED: [&str; 8] = [
    "svg",
    "img",
    "image",
    "iframe",
    "video",
    "embed",
    "foreignobject",
    "symbol",
];

/// How much an attribute may say.
pub(super) enum Length {
    /// It is shown, or is known to be long.
    Any,
    /// It is shown by the pointer, or read aloud.
    Title,
    /// A name or a number.
    Few,
    /// Names and addresses, but no sentence.
    Names,
}

pub(super) fn length(attribute: &str) -> Length {
    const LONG: [&str; 9] = [
        "alt",
        "style",
        "d",
        "points",
        "viewbox",
        "transform",
        "values",
        "href",
        "src",
    ];
    const NAMES: [&str; 6] = ["class", "srcset", "sizes", "media", "rel", "allow"];
    const TITLES: [&str; 6] = [
        "title",
        "label",
        "placeholder",
        "summary",
        "caption",
        "description",
    ];
    let name = attribute.to_ascii_lowercase();
    if LONG.contains(&name.as_str()) {
        Length::Any
    } else if NAMES.contains(&name.as_str()) {
        Length::Names
    } else if TITLES.contains(&name.as_str()) || name.starts_with("aria-") {
        Length::Title
    } else {
        Length::Few
    }
}

/// The first declaration that hides.
fn declarations(style: &str) -> Option<String> {
    let style = style.to_lowercase();
    if style.contains("/*") || style.contains('\\') {
        return Some("style with a comment or an escape".to_owned());
    }
    style
        .split(';')
        .map(str::trim)
        .filter(|declaration| !declaration.is_empty())
        .find(|declaration| {
            let (name, value) = declaration.split_once(':').unwrap_or((declaration, ""));
            does_hide(name.trim(), value.replace("!important", "").trim())
        })
        .map(|declaration| declaration.chars().take(60).collect())
}

fn does_hide(name: &str, value: &str) -> bool {
    const HARMLESS: [&str; 26] = [
        "align",
        "background",
        "border",
        "box",
        "break",
        "caption",
        "clear",
        "column",
        "cursor",
        "direction",
        "empty-cells",
        "flex",
        "float",
        "font-",
        "grid",
        "justify",
        "letter-spacing",
        "list-style",
        "object",
        "order",
        "outline",
        "overflow",
        "page",
        "place",
        "table-layout",
        "vertical-align",
    ];
    const OFFSETS: [&str; 10] = [
        "margin",
        "padding",
        "left",
        "right",
        "top",
        "bottom",
        "inset",
        "text-indent",
        "gap",
        "row-gap",
    ];
    match name {
        "display" => !matches!(
            value,
            "block"
                | "inline"
                | "inline-block"
                | "flex"
                | "inline-flex"
                | "grid"
                | "inline-grid"
                | "table"
                | "table-row"
                | "table-cell"
                | "list-item"
                | "flow-root"
                | "initial"
                | "revert"
        ),
        "visibility" => value != "visible",
        "opacity" => {
            number(value).is_none_or(|share| share < if value.ends_with('%') { 30.0 } else { 0.3 })
        }
        "font-size" | "font" => is_tiny(value),
        "width" | "height" | "max-width" | "max-height" | "line-height" | "zoom" | "scale" => {
            number(value).is_some_and(|size| size <= 0.0)
        }
        "color" | "-webkit-text-fill-color" => is_invisible(value),
        "position" => !matches!(value, "relative" | "static" | "sticky" | "absolute"),
        "min-width" | "min-height" | "text-align" | "text-decoration" | "text-transform"
        | "white-space" | "word-break" | "word-wrap" | "text-wrap" | "text-overflow"
        | "text-shadow" | "tab-size" | "aspect-ratio" | "fill" | "stroke" | "stroke-width"
        | "border-radius" | "transition" | "user-select" | "counter-reset"
        | "counter-increment" => false,
        _ if OFFSETS.iter().any(|start| name.starts_with(start)) => is_far(value),
        _ => !HARMLESS.iter().any(|start| name.starts_with(start)),
    }
}

/// The number at the beginning of a value.
fn number(value: &str) -> Option<f64> {
    let end = value
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))
        .unwrap_or(value.len());
    value.get(..end)?.parse().ok()
}

/// A size that nobody can read: below five points, or below a third of the usual.
fn is_tiny(value: &str) -> bool {
    value
        .split_whitespace()
        .filter_map(|part| Some((part, number(part)?)))
        .any(|(part, size)| {
            let is_length = part.ends_with("px") || part.ends_with("pt");
            let is_share = part.ends_with("em") || part.ends_with("rem");
            size <= 0.0
                || is_length && size < 5.0
                || is_share && size < 0.3
                || part.ends_with('%') && size < 30.0
        })
}

/// An offset that takes text out of the page.
fn is_far(value: &str) -> bool {
    value.contains("calc")
        || value
            .split_whitespace()
            .filter_map(number)
            .any(|by| by <= -40.0)
}

pub(super) fn is_invisible(colour: &str) -> bool {
    let bare: String = colour.chars().filter(|c| !c.is_whitespace()).collect();
    let clear = bare.starts_with("rgba(") || bare.starts_with("hsla(");
    matches!(
        bare.as_str(),
        "transparent" | "white" | "#fff" | "#ffffff" | "#ffff" | "#ffffffff"
    ) || matches!(
        bare.as_str(),
        "snow" | "ivory" | "ghostwhite" | "whitesmoke" | "floralwhite"
    ) || clear
        && [",0)", ",0.0)", ",.0)", ",0%)"]
            .iter()
            .any(|end| bare.ends_with(end))
        || bare.starts_with("rgb(255,255,255")
        || bare.starts_with('#')
            && (bare.len() == 5 && bare.ends_with('0') || bare.len() == 9 && bare.ends_with("00"))
}
