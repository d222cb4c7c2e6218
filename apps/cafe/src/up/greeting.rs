//! What `up` prints once the cafe is open.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};

use cafe_events::Source;
use rustix::termios::tcgetwinsize;

use super::qr;
use super::screens::{Reach, reach};
use crate::settings::Settings;

/// How wide a terminal is that does not say.
const USUAL_COLUMNS: usize = 80;

/// Says where to go, from a thread of its own: a terminal that stands still must not keep `up` from its watch, and one that
/// is gone is no reason to close.
pub(super) fn print(settings: &Settings) {
    let text = text(settings, &reach(settings), columns());
    std::thread::spawn(move || std::io::stdout().write_all(text.as_bytes()));
}

/// How much a line of the terminal holds; nothing where what is printed goes elsewhere, or where colours are not understood: a
/// log has no use for pictures.
fn columns() -> Option<usize> {
    let output = std::io::stdout();
    let knows_colours =
        std::env::var("TERM").is_ok_and(|terminal| !terminal.is_empty() && terminal != "dumb");
    if !output.is_terminal() || !knows_colours {
        return None;
    }
    let said = tcgetwinsize(&output).map_or(0, |size| size.ws_col.into());
    Some(if said == 0 { USUAL_COLUMNS } else { said })
}

fn text(settings: &Settings, reach: &Reach, columns: Option<usize>) -> String {
    let [order, payment, barista] = Source::ALL.map(|service| settings.url(service));
    let robot = if settings.robot {
        format!("   (a robot makes the drinks, {} times as fast as people)", settings.robot_speed)
    } else {
        String::new()
    };
    let data = settings.data().display();
    let others = for_others(settings, reach, columns);
    format!(
        r#"
The cafe is open.

  order     {order}
  payment   {payment}
  barista   {barista}{robot}

A first order:

  curl {order}/orders -H 'content-type: application/json' \
    -d '{{"items":[{{"menu":"americano"}}],"payment":{{"vendor":"simulator","token":"tok_ok"}}}}'

{others}
Everything is kept in {data}; the key for staff is in {data}/staff.key. Ctrl-C closes the cafe.

"#
    )
}

/// How phones and tablets get in: an address for each screen and, on a terminal, what their cameras read.
fn for_others(settings: &Settings, reach: &Reach, columns: Option<usize>) -> String {
    let listen = settings.listen;
    let (screens, also_at) = match reach {
        Reach::Nobody => {
            return "Only this machine reaches it; --listen 0.0.0.0 lets phones and tablets on its network in.\n".to_owned();
        }
        Reach::NoNetwork => {
            return format!(
                "It listens on {listen}, but this machine is on no network: nobody else reaches it.\n"
            );
        }
        Reach::Screens { screens, also_at } => (screens, also_at),
    };
    let mut text = "On phones, tablets and other screens:\n\n".to_owned();
    // Writing to a string cannot fail.
    for (name, url) in screens {
        let _ = writeln!(text, "  {name:<14}{url}");
        if let Some(code) = columns.and_then(|columns| qr::lines(url, columns)) {
            let _ = writeln!(text, "\n{}\n", code.join("\n"));
        }
    }
    if !also_at.is_empty() {
        let also_at: Vec<String> = also_at.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "\nOn its other networks this machine is {}.", also_at.join(", "));
    }
    text
}
