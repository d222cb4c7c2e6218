//! A QR code (ISO/IEC 18004) in a terminal, for phones.

use qrcode::{Color, QrCode};

/// So many squares around a code stay light (ISO/IEC 18004, section 9.1).
const QUIET_ZONE: usize = 4;
/// Black on white of the 256 colours, which no terminal's theme changes: a phone may not read a code that is light on dark.
const COLOURS: &str = "\x1b[38;5;16;48;5;231m";
const USUAL_COLOURS: &str = "\x1b[0m";

/// The code of `text`, two rows of squares to a line, no wider than `columns`; nothing if it does not fit.
pub(super) fn lines(text: &str, columns: usize) -> Option<Vec<String>> {
    let code = QrCode::new(text).ok()?;
    let width = code.width();
    let colours = code.to_colors();
    let side = width + 2 * QUIET_ZONE;
    if side > columns {
        return None;
    }
    let is_dark = |column: usize, row: usize| {
        let inside = |place: usize| place.checked_sub(QUIET_ZONE).filter(|place| *place < width);
        let square = inside(column).zip(inside(row)).map(|(column, row)| colours[row * width + column]);
        square == Some(Color::Dark)
    };
    let line = |upper: usize| {
        let blocks: String = (0..side)
            .map(|column| match (is_dark(column, upper), is_dark(column, upper + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            })
            .collect();
        format!("{COLOURS}{blocks}{USUAL_COLOURS}")
    };
    Some((0..side).step_by(2).map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_does_not_fit_is_left_out() {
        let code = lines("http://192.168.100.100:3000/", 80).unwrap();
        let side = code[0].chars().filter(|block| " ▀▄█".contains(*block)).count();
        assert_eq!(code.len(), side.div_ceil(2), "as high as it is wide");
        assert!(lines("http://192.168.100.100:3000/", side).is_some());
        assert_eq!(lines("http://192.168.100.100:3000/", side - 1), None);
        assert_eq!(lines(&"x".repeat(10_000), 1_000), None, "no code holds so much");
    }
}
