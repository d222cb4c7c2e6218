//! Keys as a keyboard has them.

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::key::Key as Code;

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

impl Key {
    /// Down and up again.
    pub(crate) fn actions(self) -> KeyActions {
        let (down, up) = (|value: char| KeyAction::Down { value }, |value: char| KeyAction::Up { value });
        let (keyboard, key, shift) =
            (KeyActions::new("keyboard".to_owned()), self.code(), Code::Shift.into());
        if self == Self::BackTab {
            keyboard.then(down(shift)).then(down(key)).then(up(key)).then(up(shift))
        } else {
            keyboard.then(down(key)).then(up(key))
        }
    }

    fn code(self) -> char {
        let code = match self {
            Self::Tab | Self::BackTab => Code::Tab,
            Self::Enter => Code::Enter,
            Self::Space => return ' ',
            Self::Escape => Code::Escape,
            Self::Backspace => Code::Backspace,
            Self::Delete => Code::Delete,
            Self::Up => Code::Up,
            Self::Down => Code::Down,
            Self::Left => Code::Left,
            Self::Right => Code::Right,
            Self::Home => Code::Home,
            Self::End => Code::End,
            Self::PageUp => Code::PageUp,
            Self::PageDown => Code::PageDown,
            Self::Char(it) => return it,
        };
        code.into()
    }
}
