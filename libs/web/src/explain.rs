//! serde's words for what does not fit, turned into the caller's: which field, and what would be right.

/// The field at fault and what is wrong with it, from where serde was (`items[0]`) and what it said.
pub(crate) fn field_and_detail(path: &str, message: &str) -> (String, String) {
    let message = without_place(message);
    if let Some(name) = quoted_after(message, "missing field ") {
        return (child(path, name), "is missing".to_owned());
    }
    if let Some(name) = quoted_after(message, "duplicate field ") {
        return (child(path, name), "is given twice".to_owned());
    }
    if let Some(name) = quoted_after(message, "unknown field ") {
        let known = message.split_once(", expected ").map_or("none", |(_, known)| known);
        return (
            child(path, name),
            format!("is not known here; known: {}", known.trim_start_matches("one of ")),
        );
    }
    (named(path), mismatch(message))
}

/// What a Rust type is called by people who write JSON.
pub(crate) fn kind(rust: &str) -> &str {
    match rust {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "bool" | "a boolean" => "true or false",
        "str" | "String" | "string" => "a string",
        "a sequence" => "a list",
        "a map" => "an object",
        "Uuid" | "uuid::Uuid" => "a UUID",
        _ if rust.starts_with("struct ") => "an object",
        _ => rust,
    }
}

/// "invalid type: A, expected B" becomes "must be B, not A".
fn mismatch(message: &str) -> String {
    let found = ["invalid type: ", "invalid value: ", "unknown variant "]
        .into_iter()
        .find_map(|start| message.strip_prefix(start))
        .and_then(|rest| rest.split_once(", expected "));
    match found {
        Some((found, expected)) => {
            let found = if found == "sequence" { "a list" } else { found };
            format!(
                "must be {}, not {}",
                kind(expected),
                found.replacen("map", "an object", usize::from(found == "map"))
            )
        }
        None => unparsed(message).to_owned(),
    }
}

/// The standard library's words for text that is no number.
fn unparsed(message: &str) -> &str {
    match message {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            "must be a whole number"
        }
        "number too large to fit in target type" => "is too large",
        "number too small to fit in target type" => "is too small",
        "provided string was not `true` or `false`" => "must be true or false",
        _ => message,
    }
}

/// `serde_json` ends its messages with where it was; the field says that better.
fn without_place(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(message, _)| message)
}

/// The name in back quotes that follows `start`.
fn quoted_after<'a>(message: &'a str, start: &str) -> Option<&'a str> {
    message.strip_prefix(start)?.strip_prefix('`')?.split('`').next()
}

/// The path of `name` within `path`; serde may already have been there.
fn child(path: &str, name: &str) -> String {
    // Of blanks, or of nothing, it would not be seen.
    let shown = if name.trim().is_empty() { &format!("{name:?}") } else { name };
    let parent = if path == name { Some("") } else { path.strip_suffix(name).filter(|it| it.ends_with('.')) };
    match (path, parent) {
        ("." | "" | "?", _) => shown.to_owned(),
        (_, Some(parent)) => format!("{parent}{shown}"),
        _ => format!("{}.{shown}", path.trim_end_matches(".?")),
    }
}

fn named(path: &str) -> String {
    if matches!(path, "." | "" | "?") { "body".to_owned() } else { path.to_owned() }
}
