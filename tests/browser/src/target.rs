//! What a person points at on a page: by its role and name, its label, its words. What nobody sees is not found.

use std::fmt;

/// Something on a page, described. It is looked for whenever it is used.
#[derive(Clone, Debug)]
pub struct Target {
    pub(crate) what: What,
    pub(crate) inside: Option<Box<Target>>,
    pub(crate) nth: Option<usize>,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Role { role: String, name: String },
    Label(String),
    Hook(String),
    Css(String),
    Text(String),
}

impl Target {
    fn new(what: What) -> Self {
        Self { what, inside: None, nth: None }
    }

    /// Only what is inside of another.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self { inside: Some(Box::new(other)), ..self }
    }

    /// One of several, counted from 0 in the document's order.
    #[must_use]
    pub fn nth(self, at: usize) -> Self {
        Self { nth: Some(at), ..self }
    }
}

/// An ARIA role and the name that a screen reader reads; if nothing has just this name, what has it as a part. An empty name
/// is any.
pub fn role(role: &str, name: &str) -> Target {
    Target::new(What::Role { role: role.to_owned(), name: name.to_owned() })
}

/// A button by its name.
pub fn button(name: &str) -> Target {
    role("button", name)
}

/// A link by its name.
pub fn link(name: &str) -> Target {
    role("link", name)
}

/// A heading by its words.
pub fn heading(name: &str) -> Target {
    role("heading", name)
}

/// What is filled in, ticked or chosen, by its label.
pub fn label(name: &str) -> Target {
    Target::new(What::Label(name.to_owned()))
}

/// Whatever has `data-test="…"`, for what has no name that a person would use.
pub fn hook(name: &str) -> Target {
    Target::new(What::Hook(name.to_owned()))
}

/// Whatever a CSS selector selects.
pub fn css(selector: &str) -> Target {
    Target::new(What::Css(selector.to_owned()))
}

/// The innermost that has these words.
pub fn text(words: &str) -> Target {
    Target::new(What::Text(words.to_owned()))
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Role { role, name } if name.is_empty() => write!(f, "{role}")?,
            What::Role { role, name } => write!(f, "{role} {name:?}")?,
            What::Label(name) => write!(f, "label {name:?}")?,
            What::Hook(name) => write!(f, "[data-test={name:?}]")?,
            What::Css(selector) => write!(f, "{selector}")?,
            What::Text(words) => write!(f, "text {words:?}")?,
        }
        if let Some(at) = self.nth {
            write!(f, " ({at})")?;
        }
        self.inside.iter().try_for_each(|other| write!(f, " within {other}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_told_as_it_was_written() {
        let second = button("시작").nth(1).within(hook("queue"));
        assert_eq!(second.to_string(), r#"button "시작" (1) within [data-test="queue"]"#);
    }
}
