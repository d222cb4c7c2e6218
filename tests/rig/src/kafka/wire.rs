//! The few requests of Kafka's protocol that tell whether a broker works, and that make and remove topics.
//!
//! Written by <https://kafka.apache.org/protocol>, each in a version from before the "flexible" ones; brokers of Kafka 4 speak
//! all of these. Only for the rig: a program has a proper client.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// What a broker that works takes at most for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
const PATIENCE_MS: i32 = 5_000;
/// An answer is not larger.
const ANSWER_LIMIT: usize = 16 << 20;
const NONE: i16 = 0;

/// What a broker knows of its cluster.
#[derive(Clone, Debug)]
pub(super) struct Metadata {
    pub(super) brokers: Vec<i32>,
    pub(super) partitions: Vec<Partition>,
}

#[derive(Clone, Debug)]
pub(super) struct Partition {
    pub(super) topic: String,
    pub(super) index: i32,
    /// None if there is no leader.
    pub(super) leader: Option<i32>,
    pub(super) replicas: Vec<i32>,
    pub(super) in_sync: Vec<i32>,
}

/// `Metadata`, version 5.
pub(super) fn metadata(port: u16) -> Result<Metadata> {
    let every_topic = -1_i32;
    let mut answer = ask(port, 3, 5, &[&every_topic.to_be_bytes()[..], &[u8::from(false)]].concat())?;
    answer.int32()?; // throttled for so long
    let brokers = answer.list(|broker| {
        let id = broker.int32()?;
        broker.string()?; // host
        broker.int32()?; // port
        broker.string()?; // rack
        Ok(id)
    })?;
    answer.string()?; // cluster
    answer.int32()?; // controller
    let topics = answer.list(|topic| {
        topic.int16()?; // each partition has its own error
        let name = topic.string()?;
        topic.bytes(1)?; // internal
        topic.list(|partition| partition_of(&name, partition))
    })?;
    Ok(Metadata { brokers, partitions: topics.concat() })
}

fn partition_of(topic: &str, partition: &mut Answer) -> Result<Partition> {
    partition.int16()?;
    let (index, leader) = (partition.int32()?, partition.int32()?);
    let (replicas, in_sync) = (partition.list(Answer::int32)?, partition.list(Answer::int32)?);
    partition.list(Answer::int32)?; // offline
    let leader = Some(leader).filter(|leader| *leader >= 0);
    Ok(Partition { topic: topic.to_owned(), index, leader, replicas, in_sync })
}

/// `InitProducerId`, version 1: a number that the broker has from the controller, which writes it to its log for a majority
/// to have. Whoever answers it can do everything that needs the cluster.
pub(super) fn producer_id(port: u16) -> Result<()> {
    let mut answer = ask(port, 22, 1, &[string(None), PATIENCE_MS.to_be_bytes().to_vec()].concat())?;
    answer.int32()?;
    succeed(answer.int16()?, "a producer")
}

/// `CreateTopics`, version 4.
pub(super) fn create_topic(
    port: u16,
    name: &str,
    partitions: i32,
    replication: i16,
    settings: &[(&str, &str)],
) -> Result<()> {
    let mut body = 1_i32.to_be_bytes().to_vec();
    body.extend(string(Some(name)));
    body.extend(partitions.to_be_bytes());
    body.extend(replication.to_be_bytes());
    body.extend(0_i32.to_be_bytes()); // the cluster chooses the brokers
    body.extend((settings.len() as i32).to_be_bytes());
    for (key, value) in settings {
        body.extend([string(Some(key)), string(Some(value))].concat());
    }
    body.extend(PATIENCE_MS.to_be_bytes());
    body.push(u8::from(false));
    let mut answer = ask(port, 19, 4, &body)?;
    answer.int32()?;
    let failures = answer.list(|topic| {
        topic.string()?;
        Ok((topic.int16()?, topic.string()?))
    })?;
    for (code, message) in failures {
        succeed(code, name).context(message)?;
    }
    Ok(())
}

/// `DeleteTopics`, version 3.
pub(super) fn delete_topic(port: u16, name: &str) -> Result<()> {
    let body = [&1_i32.to_be_bytes()[..], &string(Some(name)), &PATIENCE_MS.to_be_bytes()].concat();
    let mut answer = ask(port, 20, 3, &body)?;
    answer.int32()?;
    let codes = answer.list(|topic| {
        topic.string()?;
        topic.int16()
    })?;
    codes.into_iter().try_for_each(|code| succeed(code, name))
}

/// `ListOffsets`, version 1: the offset that the next record of a partition gets. Asked of its leader.
pub(super) fn end_offset(port: u16, topic: &str, partition: i32) -> Result<i64> {
    let (client, latest) = (-1_i32, -1_i64);
    let mut body = [client.to_be_bytes(), 1_i32.to_be_bytes()].concat();
    body.extend(string(Some(topic)));
    body.extend([1_i32.to_be_bytes(), partition.to_be_bytes()].concat());
    body.extend(latest.to_be_bytes());
    let mut answer = ask(port, 2, 1, &body)?;
    let offsets = answer.list(|topic| {
        topic.string()?;
        topic.list(|partition| {
            partition.int32()?;
            succeed(partition.int16()?, "the partition's end")?;
            partition.int64()?; // its time
            partition.int64()
        })
    })?;
    offsets.concat().first().copied().context("the broker tells of no partition")
}

/// One request on a connection of its own, and its answer.
fn ask(port: u16, what: i16, version: i16, body: &[u8]) -> Result<Answer> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let number = 1_i32;
    let head = [&what.to_be_bytes()[..], &version.to_be_bytes(), &number.to_be_bytes(), &string(Some("rig"))];
    let request = [&head.concat(), body].concat();
    stream.write_all(&[&(request.len() as i32).to_be_bytes()[..], &request].concat())?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    ensure!(length <= ANSWER_LIMIT, "an answer of {length} bytes");
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer)?;
    let mut answer = Answer(answer.into_iter());
    ensure!(answer.int32()? == number, "an answer to another request");
    Ok(answer)
}

/// Length and text; without text, length -1.
fn string(text: Option<&str>) -> Vec<u8> {
    let length = text.map_or(-1, |text| text.len() as i16);
    [&length.to_be_bytes()[..], text.unwrap_or_default().as_bytes()].concat()
}

fn succeed(code: i16, what: &str) -> Result<()> {
    if code != NONE {
        bail!("{what}: Kafka answers error {code}");
    }
    Ok(())
}

/// What is left to read of an answer.
struct Answer(std::vec::IntoIter<u8>);

impl Answer {
    fn bytes(&mut self, count: usize) -> Result<Vec<u8>> {
        let bytes: Vec<u8> = self.0.by_ref().take(count).collect();
        ensure!(bytes.len() == count, "an answer that breaks off");
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.bytes(N)?.try_into().ok().context("an answer that breaks off")
    }

    fn int16(&mut self) -> Result<i16> {
        self.array().map(i16::from_be_bytes)
    }

    fn int32(&mut self) -> Result<i32> {
        self.array().map(i32::from_be_bytes)
    }

    fn int64(&mut self) -> Result<i64> {
        self.array().map(i64::from_be_bytes)
    }

    /// Empty if there is none.
    fn string(&mut self) -> Result<String> {
        let length = self.int16()?.max(0) as usize;
        Ok(String::from_utf8_lossy(&self.bytes(length)?).into_owned())
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        (0..self.int32()?).map(|_| item(self)).collect()
    }
}
