//! What `up` prints for phones: an address for each screen, and on a terminal a code that a camera reads.

use cafe_rig::own_addresses;

use crate::support::{Cafe, wait_for};
use crate::terminal::{Terminal, codes};

#[test]
fn on_a_terminal_each_screen_has_a_code_that_leads_to_it() {
    let Some(ip) = own_addresses().into_iter().next() else {
        return println!("not tried, for this machine is on no network");
    };
    let (cafe, shown) = open_in_terminal(100, &["--listen", &ip.to_string()]);
    let shop = format!("http://{ip}:{}/", cafe.port("order"));
    let board = format!("http://{ip}:{}/board", cafe.port("barista"));
    assert_eq!(codes(&shown), [&*shop, &*board]);
    for url in [shop, board] {
        assert!(shown.contains(&format!("{url}\n")), "whoever has no camera types {url}: {shown}");
    }
}

#[test]
fn a_code_that_does_not_fit_is_left_out_and_the_address_is_not() {
    let (_cafe, shown) = open_in_terminal(20, &["--public-url", "https://cafe.example"]);
    assert_eq!(codes(&shown), [""; 0]);
    assert!(shown.contains("https://cafe.example/bar/board\n"), "{shown}");
}

#[test]
fn in_a_log_there_are_addresses_and_no_codes() {
    let cafe = Cafe::open(&["--listen", "0.0.0.0"]);
    let log = cafe.log();
    assert!(!log.contains(['█', '▀', '▄', '\u{1b}']), "{log}");
    let ports = [(cafe.port("order"), ""), (cafe.port("barista"), "board")];
    let printed = |url: String| log.lines().filter(|line| line.ends_with(&url)).count();
    match &own_addresses()[..] {
        [] => assert!(log.contains("this machine is on no network"), "{log}"),
        ips => {
            let printed_once =
                |ip| ports.iter().all(|(port, path)| printed(format!(" http://{ip}:{port}/{path}")) == 1);
            assert!(ips.iter().any(printed_once), "{ips:?}: {log}");
            assert!(ips.iter().all(|ip| log.contains(&ip.to_string())), "{ips:?}: {log}");
        }
    }
}

#[test]
fn the_public_url_is_printed_where_there_is_one_in_place_of_this_machines_addresses() {
    for (given, base) in [
        ("https://cafe.example", "https://cafe.example"),
        ("https://street.example:8443/cafe/", "https://street.example:8443/cafe"),
    ] {
        let (_cafe, shown) = open_in_terminal(100, &["--listen", "0.0.0.0", "--public-url", given]);
        assert_eq!(codes(&shown), [format!("{base}/"), format!("{base}/bar/board")]);
        for ip in own_addresses() {
            assert!(!shown.contains(&format!("//{ip}:")), "{shown}");
        }
    }
}

/// The cafe, and what its terminal shows once it is open.
fn open_in_terminal(columns: u16, flags: &[&str]) -> (Cafe, String) {
    let mut cafe = Cafe::closed();
    let terminal = Terminal::of_columns(columns);
    let mut up = cafe.command(&["up"]);
    terminal.show(up.args(flags));
    cafe.watch(up.spawn().unwrap());
    let shown = wait_for("the cafe is open", || {
        Some(terminal.text()).filter(|text| text.contains("Ctrl-C closes the cafe."))
    });
    (cafe, shown)
}
