//! Keys as a keyboard has them.

use serde_json::{Value, json};

/// A key, or one together with Shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The next thing that takes keys.
    Tab,
    /// The one before it: Shift and Tab.
    BackTab,
    /// Enter.
    Enter,
    /// Space.
    Space,
    /// Escape.
    Escape,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// A letter, a digit or a sign.
    Char(char),
}

const SHIFT: char = '\u{E008}';

impl Key {
    /// Down and up again, as actions (section 15.4.1 of `WebDriver`).
    pub(crate) fn actions(self) -> Value {
        let (down, up) = (|key: char| event("keyDown", key), |key: char| event("keyUp", key));
        let key = self.code();
        let events = if self == Self::BackTab {
            vec![down(SHIFT), down(key), up(key), up(SHIFT)]
        } else {
            vec![down(key), up(key)]
        };
        json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": events }] })
    }

    /// `WebDriver`'s own characters for what is no character (section 17.4.2).
    fn code(self) -> char {
        match self {
            Self::Tab | Self::BackTab => '\u{E004}',
            Self::Enter => '\u{E007}',
            Self::Space => ' ',
            Self::Escape => '\u{E00C}',
            Self::Backspace => '\u{E003}',
            Self::Delete => '\u{E017}',
            Self::Up => '\u{E013}',
            Self::Down => '\u{E015}',
            Self::Left => '\u{E012}',
            Self::Right => '\u{E014}',
            Self::Home => '\u{E011}',
            Self::End => '\u{E010}',
            Self::PageUp => '\u{E00E}',
            Self::PageDown => '\u{E00F}',
            Self::Char(it) => it,
        }
    }
}

fn event(what: &str, key: char) -> Value {
    json!({ "type": what, "value": key })
}
