//! A terminal to start the program in, and what it shows.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use rqrr::PreparedImage;
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// What the program switches on and off for a code.
const COLOURS: [&str; 2] = ["\x1b[38;5;16;48;5;231m", "\x1b[0m"];
/// Pixels of a square, so that it is read as from a photograph.
const SQUARE_PIXELS: usize = 4;

pub(crate) struct Terminal {
    /// Kept open, so that what a program has left is still read when it has ended.
    program_side: OwnedFd,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    pub(crate) fn of_columns(columns: u16) -> Self {
        let our_side = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&our_side).unwrap();
        unlockpt(&our_side).unwrap();
        let name = ptsname(&our_side, Vec::new()).unwrap();
        let program_side =
            open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&program_side, size).unwrap();
        let shown: Arc<Mutex<Vec<u8>>> = Arc::default();
        let (mut from, to) = (File::from(our_side), Arc::clone(&shown));
        std::thread::spawn(move || {
            let mut read = [0; 4096];
            while let Ok(bytes @ 1..) = from.read(&mut read) {
                to.lock().unwrap().extend_from_slice(&read[..bytes]);
            }
        });
        Self { program_side, shown }
    }

    /// Has a program print here.
    pub(crate) fn show(&self, command: &mut Command) {
        let side = || Stdio::from(self.program_side.as_fd().try_clone_to_owned().unwrap());
        command.env("TERM", "xterm-256color").stdin(Stdio::null()).stdout(side()).stderr(Stdio::null());
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).replace("\r\n", "\n")
    }
}

/// What a phone reads from the codes in `text`, from top to bottom.
pub(crate) fn codes(text: &str) -> Vec<String> {
    let lines: Vec<Option<&str>> =
        text.lines().map(|line| line.strip_prefix(COLOURS[0])?.strip_suffix(COLOURS[1])).collect();
    let codes = lines.split(Option::is_none).filter(|code| !code.is_empty());
    codes
        .map(|code| read(&code.iter().flatten().flat_map(|line| squares(line)).collect::<Vec<_>>()))
        .collect()
}

/// The two rows of a line, true where they are dark.
fn squares(line: &str) -> [Vec<bool>; 2] {
    [['█', '▀'], ['█', '▄']].map(|dark| line.chars().map(|block| dark.contains(&block)).collect())
}

fn read(squares: &[Vec<bool>]) -> String {
    let (width, height) = (squares[0].len() * SQUARE_PIXELS, squares.len() * SQUARE_PIXELS);
    let brightness = |x: usize, y: usize| if squares[y / SQUARE_PIXELS][x / SQUARE_PIXELS] { 0 } else { 255 };
    let mut photograph = PreparedImage::prepare_from_greyscale(width, height, brightness);
    let found = photograph.detect_grids();
    assert_eq!(found.len(), 1, "one code");
    found[0].decode().expect("a code that can be read").1
}
