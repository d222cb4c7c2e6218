//! A full disk: what cannot be written is undone and told, what only needs to be read goes on, and all is well when there is
//! room again.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use cafe_failures::{disk, tried};
use cafe_system_tests::{Cafe, MOMENT, Service, http, wait_until};
use serde_json::Value;

/// Room for three databases and their logs, before any is copied back.
const SIZE: &str = "size=32m";

/// A small disk of its own under a folder, gone with the test.
struct Disk(PathBuf);

impl Disk {
    /// Mounting needs root.
    fn mounted(at: &Path) -> Self {
        fs::create_dir_all(at).expect("the folder can be made");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "none"]).arg(at).status();
        assert!(mount.is_ok_and(|it| it.success()), "run this test as root, it mounts a small disk");
        Self(at.to_owned())
    }

    /// Writes until nothing more goes in.
    fn fill(&self) {
        let mut ballast = File::create(self.ballast()).expect("a file can be made");
        for piece in [1 << 16, 1 << 12] {
            while ballast.write(&vec![0; piece]).is_ok_and(|written| written > 0) {}
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.ballast()).expect("the ballast is there");
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_full_disk_is_told_to_everybody_who_writes_and_nothing_is_lost() {
    let mut cafe = Cafe::closed_beside_others(&[]);
    let small = Disk::mounted(&cafe.data());
    cafe.open();
    cafe.wait_until_ready();
    let id = |order: &Value| order["id"].as_str().unwrap_or_default().to_owned();
    let [to_make, to_give_back] = ["one", "two"].map(|key| id(&order(&cafe, key).json()));
    for id in [&to_make, &to_give_back] {
        wait_until(MOMENT, "a ticket is queued", || {
            status(&cafe, id).filter(|status| status == "queued" || status == "paid")
        });
        wait_until(MOMENT, "barista has it", || {
            let ticket =
                http::get(cafe.port(Service::Barista), &format!("/tickets/{id}"), Some(&cafe.staff_key()));
            ticket.is_ok_and(|ticket| ticket.status == 200).then_some(())
        });
    }
    let requests: [(&str, &dyn Fn() -> http::Answer); 3] = [
        ("order", &|| order(&cafe, "three")),
        ("payment", &|| give_back(&cafe, &to_give_back)),
        ("barista", &|| start(&cafe, &to_make)),
    ];

    tried(&disk::FULL);
    small.fill();
    for (service, request) in requests {
        let answer = request();
        assert_eq!(answer.status, 503, "{service}: {}", answer.body);
        assert_eq!(answer.json()["type"], "urn:cafe:problem:disk-full", "{service}: {}", answer.body);
        assert_eq!(answer.retry_after, Some(10), "{service} says when to come again");
    }
    assert!(status(&cafe, &to_make).is_some(), "reading goes on");
    let processes = cafe.pids();
    assert!(cafe.log().contains("a turn was rolled back"), "the log says so");

    small.make_room();
    for (service, request) in requests {
        let served = || (200..300).contains(&request().status).then_some(());
        wait_until(MOMENT, &format!("{service} is up again"), served);
    }
    assert_eq!(cafe.pids(), processes, "nobody had to end for it");
    wait_until(MOMENT, "the money is given back", || {
        status(&cafe, &to_give_back).filter(|status| status == "cancelled" || status == "refunded")
    });
    assert_eq!(cafe.all(Service::Order, "orders").len(), 3, "what was refused left nothing");
    cafe.audit();
    assert!(cafe.close().success());
}

fn order(cafe: &Cafe, key: &str) -> http::Answer {
    let body =
        r#"{"items":[{"menu":"latte","quantity":1}],"payment":{"vendor":"simulator","token":"tok_ok"}}"#;
    http::post_with(cafe.port(Service::Order), "/orders", ("idempotency-key", key), body)
        .expect("order answers")
}

fn give_back(cafe: &Cafe, id: &str) -> http::Answer {
    let path = format!("/payments/{id}/refund");
    let body = r#"{"reason":"nobody was to wait"}"#;
    http::post(cafe.port(Service::Payment), &path, Some(&cafe.staff_key()), body).expect("payment answers")
}

fn start(cafe: &Cafe, id: &str) -> http::Answer {
    let path = format!("/tickets/{id}/start");
    http::post(cafe.port(Service::Barista), &path, Some(&cafe.staff_key()), "{}").expect("barista answers")
}

fn status(cafe: &Cafe, id: &str) -> Option<String> {
    let path = format!("/orders/{id}");
    let answer = http::get(cafe.port(Service::Order), &path, Some(&cafe.staff_key())).ok()?;
    answer.json()["status"].as_str().map(str::to_owned)
}
