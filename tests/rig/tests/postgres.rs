//! `PostgreSQL` as it is, and what can be done to it.

use std::io;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use cafe_rig::{Postgres, Proxy};

#[test]
fn what_was_committed_is_there_after_a_kill() -> Result<()> {
    let postgres = Postgres::with(&[("max_connections", "17")])?;
    assert_eq!(postgres.psql("SHOW max_connections")?, "17");
    assert_eq!(postgres.psql("SHOW fsync")?, "on");
    assert_eq!(postgres.psql("SHOW synchronous_commit")?, "on");
    postgres.psql("CREATE TABLE cup (size text); INSERT INTO cup VALUES ('large')")?;

    postgres.kill()?;
    let refused = TcpStream::connect(("127.0.0.1", postgres.port())).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    assert!(postgres.psql("SELECT 1").is_err());
    assert!(postgres.wait_until_ready().is_err(), "nobody waits for a server that was killed");

    postgres.restart()?;
    assert_eq!(postgres.psql("SELECT size FROM cup")?, "large");
    postgres.restart()?;
    assert_eq!(postgres.psql("SELECT size FROM cup")?, "large");
    Ok(())
}

#[test]
fn a_frozen_server_answers_nothing_until_it_goes_on() -> Result<()> {
    let postgres = Postgres::start()?;
    postgres.freeze()?;
    thread::scope(|scope| {
        let asked = scope.spawn(|| postgres.psql("SELECT 'awake'"));
        thread::sleep(Duration::from_millis(300));
        assert!(!asked.is_finished());
        postgres.thaw()?;
        assert_eq!(asked.join().unwrap()?, "awake");
        postgres.freeze()?;
        postgres.restart()
    })?;
    assert_eq!(postgres.psql("SELECT 1")?, "1");
    postgres.freeze()
}

#[test]
fn it_is_reached_through_a_proxy() -> Result<()> {
    let postgres = Postgres::start()?;
    let proxy = Proxy::to(([127, 0, 0, 1], postgres.port()).into())?;
    assert_eq!(postgres.psql_at(&postgres.url_via(&proxy), "SELECT 2")?, "2");
    proxy.cut();
    assert!(postgres.psql_at(&postgres.url_via(&proxy), "SELECT 2").is_err());
    assert_eq!(postgres.psql("SELECT 2")?, "2");
    Ok(())
}
