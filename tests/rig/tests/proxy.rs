//! The network as a proxy has it, each way it can be.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use cafe_rig::{Direction, Proxy};

/// What comes at all has come by then.
const SOON: Duration = Duration::from_secs(10);
/// What must not come is waited for so long.
const A_WHILE: Duration = Duration::from_millis(200);

/// A server that says the same again, and tells what it has heard.
fn echo() -> Result<(SocketAddr, Receiver<Vec<u8>>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (heard, hears) = channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let heard = heard.clone();
            thread::spawn(move || {
                let mut chunk = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut chunk) {
                    let _ = heard.send(chunk[..count].to_vec());
                    let _ = stream.write_all(&chunk[..count]);
                }
            });
        }
    });
    Ok((address, hears))
}

fn client(proxy: &Proxy) -> Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", proxy.port()))?;
    stream.set_read_timeout(Some(SOON))?;
    Ok(stream)
}

fn expect(stream: &mut TcpStream, expected: &[u8]) -> Result<()> {
    let mut answer = vec![0; expected.len()];
    stream.read_exact(&mut answer)?;
    assert_eq!(answer, expected);
    Ok(())
}

fn expect_silence(stream: &mut TcpStream) -> Result<()> {
    stream.set_read_timeout(Some(A_WHILE))?;
    let nothing = stream.read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(nothing, Err(ErrorKind::WouldBlock));
    Ok(stream.set_read_timeout(Some(SOON))?)
}

#[test]
fn everything_passes_and_an_end_is_an_end() -> Result<()> {
    let (server, _hears) = echo()?;
    let proxy = Proxy::to(server)?;
    let mut stream = client(&proxy)?;
    let long: Vec<u8> = (0..1_000_000_u32).map(|at| (at % 251) as u8).collect();
    let mut writer = stream.try_clone()?;
    thread::scope(|scope| {
        scope.spawn(|| {
            writer.write_all(&long).unwrap();
            writer.shutdown(Shutdown::Write).unwrap();
        });
        expect(&mut stream, &long)
    })?;
    assert_eq!(stream.read(&mut [0])?, 0, "closed, not reset");
    Ok(())
}

#[test]
fn cut_resets_what_is_open_and_refuses_what_comes_until_healed() -> Result<()> {
    let (server, hears) = echo()?;
    let proxy = Proxy::to(server)?;
    let mut stream = client(&proxy)?;
    stream.write_all(b"a")?;
    expect(&mut stream, b"a")?;
    assert_eq!(hears.recv_timeout(SOON)?, b"a");

    proxy.cut();
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    let refused = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);

    proxy.heal();
    let mut stream = client(&proxy)?;
    stream.write_all(b"b")?;
    expect(&mut stream, b"b")
}

#[test]
fn stalled_it_accepts_and_holds_until_healed() -> Result<()> {
    let (server, hears) = echo()?;
    let proxy = Proxy::to(server)?;
    let mut before = client(&proxy)?;
    before.write_all(b"a")?;
    expect(&mut before, b"a")?;
    assert_eq!(hears.recv_timeout(SOON)?, b"a");

    proxy.stall();
    let mut meanwhile = client(&proxy)?;
    before.write_all(b"b")?;
    meanwhile.write_all(b"c")?;
    assert_eq!(hears.recv_timeout(A_WHILE), Err(RecvTimeoutError::Timeout));
    expect_silence(&mut before)?;
    expect_silence(&mut meanwhile)?;

    proxy.heal();
    expect(&mut before, b"b")?;
    expect(&mut meanwhile, b"c")
}

#[test]
fn one_way_passes_that_way_only() -> Result<()> {
    let (server, hears) = echo()?;
    let proxy = Proxy::to(server)?;
    let mut stream = client(&proxy)?;

    proxy.one_way(Direction::ClientToServer);
    stream.write_all(b"a")?;
    assert_eq!(hears.recv_timeout(SOON)?, b"a");
    expect_silence(&mut stream)?;

    // The answer to what it heard before comes through; what is said now does not.
    proxy.one_way(Direction::ServerToClient);
    expect(&mut stream, b"a")?;
    stream.write_all(b"b")?;
    assert_eq!(hears.recv_timeout(A_WHILE), Err(RecvTimeoutError::Timeout));

    proxy.heal();
    expect(&mut stream, b"b")
}

#[test]
fn a_connection_to_a_server_that_is_not_there_is_reset() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let proxy = Proxy::to(listener.local_addr()?)?;
    drop(listener);
    let mut stream = client(&proxy)?;
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    Ok(())
}

#[test]
fn dropped_it_resets_what_is_open() -> Result<()> {
    let (server, _hears) = echo()?;
    let proxy = Proxy::to(server)?;
    let mut stream = client(&proxy)?;
    stream.write_all(b"a")?;
    expect(&mut stream, b"a")?;
    let port = proxy.port();
    drop(proxy);
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    Ok(())
}
