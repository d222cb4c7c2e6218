//! Who reaches a cafe: this machine alone, unless it is told to listen for others.
//!
//! All of 127.0.0.0/8 is this machine; whoever listens on 127.0.0.1 alone is not at 127.0.0.2.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cafe_rig::own_addresses;

use crate::audit::QUICK;
use crate::support::{Cafe, SERVICES, words};

const SECOND: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const THIRD: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));

#[test]
fn as_it_comes_only_this_machine_reaches_a_cafe() {
    let cafe = Cafe::open(&[]);
    for ip in own_addresses().into_iter().chain([SECOND]) {
        assert_eq!(reached_at(&cafe, ip), [false; 3], "{ip}");
    }
    assert!(cafe.log().contains("Only this machine reaches it; --listen 0.0.0.0"), "{}", cafe.log());
    let looked = words(&cafe.run(&["doctor"]).stdout);
    assert!(looked.contains("OK    network            only this machine reaches the services"), "{looked}");
}

#[test]
fn told_to_listen_everywhere_it_is_reached_at_every_address() {
    let cafe = Cafe::open(&["--listen", "0.0.0.0"]);
    for ip in own_addresses().into_iter().chain([SECOND]) {
        assert_eq!(reached_at(&cafe, ip), [true; 3], "{ip}");
    }
    assert_eq!(cafe.get_at(SECOND, "order", "/menu", None).unwrap().0, 200);
}

#[test]
fn told_to_listen_everywhere_with_ipv6_it_is_reached_with_both() {
    if std::net::TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).is_err() {
        return println!("not tried, for this machine has no IPv6");
    }
    let cafe = Cafe::open(&["--listen", "::"]);
    for ip in [Ipv6Addr::LOCALHOST.into(), SECOND] {
        assert_eq!(reached_at(&cafe, ip), [true; 3], "{ip}");
    }
}

#[test]
fn a_service_alone_listens_where_it_is_told_by_flag_variable_or_file() {
    for service in SERVICES {
        let cafe = Cafe::closed();
        let is_reached = |command: &mut std::process::Command| {
            let mut alone = command.spawn().unwrap();
            cafe.wait_until_serving(service);
            let is_reached = cafe.get_at(SECOND, service, "/health/live", None).is_some();
            alone.kill().unwrap();
            alone.wait().unwrap();
            is_reached
        };
        assert!(!is_reached(&mut cafe.command(&[service])), "{service}");
        assert!(is_reached(&mut cafe.command(&[service, "--listen", "127.0.0.2"])), "{service}");
        assert!(is_reached(cafe.command(&[service]).env("CAFE_LISTEN", "0.0.0.0")), "{service}");
        std::fs::write(cafe.path("cafe.toml"), "listen = \"0.0.0.0\"\n").unwrap();
        assert!(is_reached(&mut cafe.command(&[service])), "{service}");
    }
}

#[test]
fn told_to_listen_on_one_address_it_is_reached_there_and_looked_after_as_ever() {
    let listen = ["--listen", "127.0.0.2"];
    let flags = [&listen[..], &["--robot", "--robot-speed", "1000", "--pay-by", "15s"]].concat();
    let mut cafe = Cafe::open(&flags);
    assert_eq!([SECOND, THIRD].map(|ip| reached_at(&cafe, ip)), [[true; 3], [false; 3]]);

    let looked = cafe.run(&[&["doctor"], &listen[..]].concat());
    let said = words(&looked.stdout);
    assert!(looked.status.success() && !said.contains("FAIL"), "{said}");
    for service in SERVICES {
        let (pid, port) = (cafe.pid(service).unwrap(), cafe.port(service));
        assert!(said.contains(&format!("runs as process {pid} on 127.0.0.2:{port} and is ready")), "{said}");
    }
    // What is told of a cafe that runs does not depend on how it is asked.
    assert_eq!(
        words(&cafe.run(&["doctor"]).stdout).replace(char::is_numeric, ""),
        said.replace(char::is_numeric, "")
    );

    let rush = cafe.run(&[&["rush", "--orders", "20", "--rate", "100"], &QUICK[..]].concat());
    assert!(rush.status.success(), "{}\n{}", words(&rush.stdout), words(&rush.stderr));
    for command in [&["audit", "--http"][..], &["parked"]] {
        let ran = cafe.run(command);
        assert!(ran.status.success(), "{command:?}: {}", words(&ran.stderr));
    }

    let before = cafe.pids();
    cafe.kill_up();
    cafe.open_with(&flags);
    assert_eq!(cafe.pids(), before, "the same processes");
}

#[test]
fn a_cafe_that_is_told_to_listen_elsewhere_now_is_started_anew_there() {
    let mut cafe = Cafe::open(&["--listen", "0.0.0.0"]);
    let before = cafe.pids();
    cafe.kill_up();
    cafe.open_with(&[]);
    for (before, after) in before.into_iter().zip(cafe.pids()) {
        assert_ne!(before, after);
    }
    assert_eq!(reached_at(&cafe, SECOND), [false; 3]);
}

#[test]
fn an_address_that_cannot_be_is_refused_with_one_that_could() {
    let cafe = Cafe::closed();
    for command in ["up", "order", "payment", "barista"] {
        for (address, why) in [
            ("localhost", "is not an IP address"),
            ("0.0.0.0:3000", "names a port too"),
            ("224.0.0.1", "is not what a machine can be called at"),
        ] {
            let ran = cafe.run(&[command, "--listen", address]);
            let said = words(&ran.stderr);
            assert_eq!(ran.status.code(), Some(2), "{said}");
            for part in [why, "--listen", address, "write 0.0.0.0 for everybody on the network"] {
                assert!(said.contains(part), "{part}: {said}");
            }
        }
        // Kept for documents (RFC 5737), so no machine has it.
        let ran = cafe.run(&[command, "--listen", "203.0.113.9"]);
        let said = words(&ran.stderr);
        assert_eq!(ran.status.code(), Some(1), "{said}");
        assert!(said.contains("this machine does not have the address 203.0.113.9"), "{said}");
    }
    let looked = cafe.run(&["doctor", "--listen", "203.0.113.9"]);
    let said = words(&looked.stdout);
    assert_eq!(looked.status.code(), Some(1), "{said}");
    assert!(said.contains("does not have the address 203.0.113.9"), "{said}");
}

#[test]
fn a_public_url_that_cannot_be_is_refused_with_one_that_could() {
    let cafe = Cafe::closed();
    for (url, why) in [
        ("cafe.example", "does not begin with https:// or http://"),
        ("https://cafe.example/?shop", "goes on after its path"),
        ("https://owner@cafe.example", "names a user"),
        ("https://cafe.example:99999", "a port that cannot be"),
    ] {
        let ran = cafe.run(&["up", "--public-url", url]);
        let said = words(&ran.stderr);
        assert_eq!(ran.status.code(), Some(2), "{said}");
        for part in [why, "--public-url", url, "write one such as https://cafe.example"] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

#[test]
fn a_stranger_on_the_network_sees_what_customers_see_and_nothing_else() {
    let Some(ip) = own_addresses().into_iter().next() else {
        return println!("not tried, for this machine is on no network");
    };
    let cafe = Cafe::open(&["--listen", "0.0.0.0"]);
    let id = cafe.order();
    let asked = |service: &str, path: &str, key: Option<&str>| cafe.get_at(ip, service, path, key).unwrap();
    for (service, path) in [("order", "/"), ("order", "/menu"), ("barista", "/board"), ("barista", "/queue")]
    {
        assert_eq!(asked(service, path, None).0, 200, "{service}{path}");
    }
    let (one, ticket, payment) =
        (format!("/orders/{id}"), format!("/tickets/{id}"), format!("/payments/{id}"));
    let closed = [
        ("order", "/orders"),
        ("order", &*one),
        ("payment", "/payments"),
        ("payment", &*payment),
        ("barista", "/tickets"),
        ("barista", &*ticket),
    ];
    let common = SERVICES.iter().flat_map(|service| ["/metrics", "/parked"].map(|path| (*service, path)));
    for (service, path) in closed.into_iter().chain(common) {
        assert_eq!(asked(service, path, None).0, 401, "{service}{path}");
    }
    let key = cafe.staff_key();
    for service in SERVICES {
        let (status, said) = asked(service, "/health/ready", None);
        assert_eq!((status, said), (200, format!(r#"{{"status":"ready","service":"{service}"}}"#)));
        assert_eq!(asked(service, "/metrics", Some(&key)).0, 200, "{service}");
        let near = cafe.get(service, "/health/ready", None).unwrap().1;
        assert!(near.contains(r#""links":["#), "{near}");
        assert_eq!(cafe.get(service, "/metrics", None).unwrap().0, 200, "{service}");
    }
}

/// Which services are reached at this address.
fn reached_at(cafe: &Cafe, ip: IpAddr) -> [bool; 3] {
    SERVICES.map(|service| cafe.get_at(ip, service, "/health/live", None).is_some())
}
