//! What `up` prints once the cafe is open.

use std::io::Write;

use cafe_events::Source;

use crate::settings::Settings;

/// Says where to go, from a thread of its own: a terminal that stands still must not keep `up` from its watch, and one that
/// is gone is no reason to close.
pub(super) fn print(settings: &Settings) {
    let text = text(settings);
    std::thread::spawn(move || std::io::stdout().write_all(text.as_bytes()));
}

fn text(settings: &Settings) -> String {
    let [order, payment, barista] = Source::ALL.map(|service| settings.url(service));
    let robot = if settings.robot {
        format!("   (a robot makes the drinks, {} times as fast as people)", settings.robot_speed)
    } else {
        String::new()
    };
    let data = settings.data().display();
    format!(
        r#"
The cafe is open.

  order     {order}
  payment   {payment}
  barista   {barista}{robot}

A first order:

  curl {order}/orders -H 'content-type: application/json' \
    -d '{{"items":[{{"menu":"americano"}}],"payment":{{"vendor":"simulator","token":"tok_ok"}}}}'

Everything is kept in {data}; the key for staff is in {data}/staff.key. Ctrl-C closes the cafe.

"#
    )
}
