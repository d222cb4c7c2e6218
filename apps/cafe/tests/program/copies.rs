//! `cafe backup` while the cafe works, and `cafe restore`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cafe_failures::{disk, tried};
use cafe_store::Connection;
use serde_json::Value;

use crate::support::{Cafe, SERVICES, wait_for, words};

#[test]
fn a_backup_made_while_the_cafe_works_is_whole_and_says_what_it_holds() {
    let cafe = Cafe::open(&[]);
    cafe.order();
    let made = cafe.run(&["backup", "copy"]);
    assert!(made.status.success(), "{}", words(&made.stderr));

    let manifest: Value =
        serde_json::from_slice(&fs::read(cafe.path("copy/manifest.json")).unwrap()).unwrap();
    let files = manifest["files"].as_array().unwrap();
    for service in SERVICES {
        let name = format!("{service}.sqlite");
        let entry = files.iter().find(|file| file["name"] == name.as_str()).unwrap();
        let copy = cafe.path("copy").join(&name);
        assert_eq!(entry["bytes"], fs::metadata(&copy).unwrap().len());
        assert_eq!(entry["sha256"].as_str().unwrap().len(), 64);
        assert!(!entry["schema"].as_array().unwrap().is_empty());
        assert_eq!(text(&copy, "PRAGMA integrity_check"), "ok");
        assert!(!cafe.path("copy").join(format!("{name}-wal")).exists(), "a copy stands alone");
    }
    assert!(files.iter().any(|file| file["name"] == "staff.key"));
    assert_eq!(text(&cafe.path("copy/order.sqlite"), "SELECT COUNT(*) FROM orders"), "1");
}

#[test]
fn what_a_cafe_keeps_and_a_copy_of_it_are_for_its_user_alone() {
    let cafe = Cafe::open(&[]);
    assert!(cafe.run(&["backup", "copy"]).status.success());
    for folder in [cafe.data(), cafe.path("copy")] {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", entry.path().display());
        }
    }
}

#[test]
fn a_backup_does_not_overwrite_and_needs_a_cafe() {
    let cafe = Cafe::closed();
    let empty = cafe.run(&["backup", "copy"]);
    assert_eq!(empty.status.code(), Some(1));
    assert!(words(&empty.stderr).contains("there is no cafe in"), "{}", words(&empty.stderr));
    assert!(!cafe.path("copy").exists(), "nothing is left behind");

    fs::create_dir(cafe.path("full")).unwrap();
    fs::write(cafe.path("full/precious"), "").unwrap();
    let full = cafe.run(&["backup", "full"]);
    assert!(words(&full.stderr).contains("holds something already"), "{}", words(&full.stderr));
}

#[test]
fn a_backup_into_the_folder_that_it_copies_is_refused() {
    let cafe = Cafe::open(&[]);
    for folder in ["data", "data/copy", "data/run/../copies/monday"] {
        let inside = cafe.run(&["backup", folder]);
        assert_eq!(inside.status.code(), Some(1));
        assert!(words(&inside.stderr).contains("is inside the data folder"), "{}", words(&inside.stderr));
    }
    assert!(!cafe.path("data/copy").exists() && !cafe.path("data/copies").exists());
    assert!(cafe.run(&["backup", "data/../copy"]).status.success(), "beside it is fine");
}

#[test]
fn yesterdays_copy_of_one_service_is_put_back_and_what_was_there_is_kept() {
    tried(&disk::ORDER_RESTORED);
    let mut cafe = Cafe::open(&[]);
    let kept = cafe.order();
    assert!(cafe.run(&["backup", "copy"]).status.success());
    let later = cafe.order();
    cafe.close();
    let log_before = text(&cafe.data().join("order.sqlite"), "SELECT log_id FROM outbox_head");

    let restored = cafe.run(&["restore", "copy", "--service", "order"]);
    assert!(restored.status.success(), "{}", words(&restored.stderr));
    let database = cafe.data().join("order.sqlite");
    assert_eq!(text(&database, "SELECT group_concat(order_id) FROM orders"), kept);
    assert_ne!(text(&database, "SELECT log_id FROM outbox_head"), log_before, "listeners hear it again");
    assert_ne!(text(&database, "SELECT COALESCE(restored_at_ms, 0) FROM outbox_head"), "0");
    let replaced = only_folder(&cafe.data(), "replaced-");
    let orders = "SELECT group_concat(order_id) FROM (SELECT order_id FROM orders ORDER BY order_id)";
    assert_eq!(text(&replaced.join("order.sqlite"), orders), format!("{kept},{later}"));

    cafe.open_with(&[]);
    let key = cafe.staff_key();
    let found = |id: &str| {
        cafe.get("order", &format!("/orders/{id}"), Some(&key)).is_some_and(|(status, _)| status == 200)
    };
    wait_for("the order of the copy is there", || found(&kept).then_some(()));
}

#[test]
fn everything_is_put_back_into_an_empty_folder() {
    let mut cafe = Cafe::open(&[]);
    let id = cafe.order();
    assert!(cafe.run(&["backup", "copy"]).status.success());
    let key = cafe.staff_key();
    cafe.close();
    fs::remove_dir_all(cafe.data()).unwrap();

    let restored = cafe.run(&["restore", "copy"]);
    assert!(restored.status.success(), "{}", words(&restored.stderr));
    cafe.open_with(&[]);
    assert_eq!(cafe.staff_key(), key);
    assert_eq!(cafe.get("order", &format!("/orders/{id}"), Some(&key)).unwrap().0, 200);
}

#[test]
fn a_restore_is_refused_while_the_service_runs_and_when_the_copy_is_damaged() {
    tried(&disk::COPY_REFUSED);
    let mut cafe = Cafe::open(&[]);
    assert!(cafe.run(&["backup", "copy"]).status.success());
    let running = cafe.run(&["restore", "copy", "--service", "barista"]);
    assert_eq!(running.status.code(), Some(1));
    assert!(
        words(&running.stderr).contains("the barista service already runs"),
        "{}",
        words(&running.stderr)
    );
    assert!(SERVICES.into_iter().all(|service| cafe.serves(service)), "nobody notices");
    cafe.close();

    let before = fs::read(cafe.data().join("barista.sqlite")).unwrap();
    let copy = cafe.path("copy/barista.sqlite");
    let mut bytes = fs::read(&copy).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&copy, bytes).unwrap();
    let damaged = cafe.run(&["restore", "copy"]);
    assert_eq!(damaged.status.code(), Some(1));
    assert!(words(&damaged.stderr).contains("barista.sqlite is damaged"), "{}", words(&damaged.stderr));
    assert_eq!(fs::read(cafe.data().join("barista.sqlite")).unwrap(), before, "nothing was touched");
}

fn text(database: &Path, query: &str) -> String {
    let mut db = Connection::open_reader(database).unwrap();
    let as_text = query.replacen("SELECT ", "SELECT '' || ", 1);
    db.query_one(&as_text, &[], |row| row.text(0)).unwrap().unwrap()
}

fn only_folder(parent: &Path, prefix: &str) -> std::path::PathBuf {
    let names = fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().path());
    let mut found = names.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(prefix));
    let folder = found.next().unwrap();
    assert!(found.next().is_none());
    folder
}
