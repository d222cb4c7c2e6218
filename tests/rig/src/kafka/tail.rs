//! Cutting acknowledged records off a stopped broker's log.
//!
//! A partition is a folder of segments, each a file of record batches one behind the other, named by its first offset, with
//! indexes beside it that the broker makes again when they are missing. How far it has come is also written in checkpoints,
//! plain text, which must not say more than the log has; and a broker that was closed in order would trust its files unseen.
//! (<https://kafka.apache.org/documentation/#recordbatch>; the checkpoints as Kafka 4.1 writes them.)

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Up to and including a batch's length, which does not count these.
const BEFORE_LENGTH_BYTES: usize = 12;
/// Where a batch says how far behind its first offset its last is.
const LAST_OFFSET_DELTA: usize = 23;
const CLEAN_SHUTDOWN: &str = ".kafka_cleanshutdown";

/// The last segment of a partition, in the log folder of a broker that is stopped.
#[derive(Debug)]
pub(super) struct Segment {
    file: PathBuf,
    first: i64,
    batches: Vec<Batch>,
}

#[derive(Debug)]
struct Batch {
    at: usize,
    first: i64,
    last: i64,
}

impl Segment {
    /// None if this broker has no replica of it.
    pub(super) fn last_of(partition: &Path) -> Result<Option<Self>> {
        if !partition.exists() {
            return Ok(None);
        }
        let logs = files(partition, "log")?;
        let (first, file) = logs.into_iter().max().context("a partition without a segment")?;
        let batches = batches(&fs::read(&file)?)?;
        Ok(Some(Self { file, first, batches }))
    }

    /// The offset that the next record gets.
    pub(super) fn end(&self) -> i64 {
        self.batches.last().map_or(self.first, |batch| batch.last + 1)
    }

    /// Where to cut so that at least `records` are lost: at the beginning of a batch.
    pub(super) fn before_the_last(&self, records: u64) -> Result<i64> {
        let kept = self.end() - records as i64;
        ensure!(kept >= self.first, "the last segment begins at {} and ends at {}", self.first, self.end());
        let cut = self.batches.iter().find(|batch| batch.last >= kept);
        Ok(cut.map_or(self.end(), |batch| batch.first))
    }

    /// Cuts off everything from `end` on, in the log, beside it and in the checkpoints of `logs`.
    pub(super) fn cut(&self, logs: &Path, end: i64) -> Result<()> {
        let Some(batch) = self.batches.iter().find(|batch| batch.first >= end) else { return Ok(()) };
        File::options().write(true).open(&self.file)?.set_len(batch.at as u64)?;
        let partition = self.file.parent().context("a segment is in a folder")?;
        for index in ["index", "timeindex", "txnindex"] {
            remove(&self.file.with_extension(index))?;
        }
        // What each producer had sent last, as of that offset.
        for (offset, snapshot) in files(partition, "snapshot")? {
            if offset > end {
                remove(&snapshot)?;
            }
        }
        drop_epochs(&partition.join("leader-epoch-checkpoint"), end)?;
        let name = partition.file_name().and_then(|name| name.to_str()).context("a partition has a name")?;
        for checkpoint in ["recovery-point-offset-checkpoint", "replication-offset-checkpoint"] {
            lower(&logs.join(checkpoint), name, end)?;
        }
        remove(&logs.join(CLEAN_SHUTDOWN))
    }
}

fn batches(log: &[u8]) -> Result<Vec<Batch>> {
    let (mut batches, mut at) = (Vec::new(), 0);
    while let Some(rest) = log.get(at..).filter(|rest| !rest.is_empty()) {
        let number =
            |from: usize| -> Option<i32> { Some(i32::from_be_bytes(*rest.get(from..)?.first_chunk()?)) };
        let first = rest.first_chunk().map(|first| i64::from_be_bytes(*first));
        let length = number(BEFORE_LENGTH_BYTES - size_of::<i32>());
        let (Some(first), Some(length), Some(delta)) = (first, length, number(LAST_OFFSET_DELTA)) else {
            break;
        };
        let size = BEFORE_LENGTH_BYTES + usize::try_from(length).context("a batch without a length")?;
        if size > rest.len() {
            // Written in part when the broker was killed; recovery cuts it off as well.
            break;
        }
        batches.push(Batch { at, first, last: first + i64::from(delta) });
        at += size;
    }
    Ok(batches)
}

/// The files of a partition with that ending, and the offset that each is named by.
fn files(partition: &Path, ending: &str) -> Result<Vec<(i64, PathBuf)>> {
    let paths = fs::read_dir(partition)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let offset = |path: &Path| path.file_stem()?.to_str()?.parse().ok();
    let of_kind = paths.into_iter().filter(|path| path.extension().is_some_and(|it| it == ending));
    Ok(of_kind.filter_map(|path| Some((offset(&path)?, path))).collect())
}

fn remove(file: &Path) -> Result<()> {
    if file.exists() {
        fs::remove_file(file)?;
    }
    Ok(())
}

/// Lines of `topic partition offset`: no more than `end` for this partition, whose folder is `topic-partition`.
fn lower(checkpoint: &Path, partition: &str, end: i64) -> Result<()> {
    let (topic, index) = partition.rsplit_once('-').context("a partition has a number")?;
    rewrite(checkpoint, |line| match line.split(' ').collect::<Vec<_>>()[..] {
        [of, at, offset] if of == topic && at == index => {
            let offset = offset.parse::<i64>().unwrap_or(end).min(end);
            Some(format!("{of} {at} {offset}"))
        }
        _ => Some(line.to_owned()),
    })
}

/// Lines of `epoch first-offset`: those that begin in what is lost never were.
fn drop_epochs(checkpoint: &Path, end: i64) -> Result<()> {
    rewrite(checkpoint, |line| {
        let first = line.rsplit(' ').next().and_then(|offset| offset.parse::<i64>().ok());
        first.is_some_and(|first| first < end).then(|| line.to_owned())
    })
}

/// A checkpoint begins with its version and the count of its lines.
fn rewrite(checkpoint: &Path, line: impl Fn(&str) -> Option<String>) -> Result<()> {
    let text = if checkpoint.exists() { fs::read_to_string(checkpoint)? } else { String::new() };
    // A broker makes the file empty, and writes it some seconds later.
    let Some(version) = text.lines().next() else { return Ok(()) };
    let lines: Vec<String> = text.lines().skip(2).filter_map(line).map(|line| line + "\n").collect();
    Ok(fs::write(checkpoint, format!("{version}\n{}\n{}", lines.len(), lines.concat()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A batch of so many records, with nothing in it that is not looked at.
    fn batch(first: i64, records: i32) -> Vec<u8> {
        let mut batch = first.to_be_bytes().to_vec();
        batch.extend(49_i32.to_be_bytes());
        batch.extend([0; 11]);
        batch.extend((records - 1).to_be_bytes());
        batch.resize(BEFORE_LENGTH_BYTES + 49, 0);
        batch
    }

    #[test]
    fn a_log_is_cut_before_a_batch_with_all_that_tells_of_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let (logs, partition) = (folder.path(), folder.path().join("to-go-3"));
        fs::create_dir(&partition).unwrap();
        let whole = [batch(10, 2), batch(12, 3), batch(15, 1)].concat();
        let half = &batch(16, 1)[..30];
        fs::write(partition.join("00000000000000000010.log"), [&whole, half].concat()).unwrap();
        fs::write(partition.join("00000000000000000010.index"), "").unwrap();
        fs::write(partition.join("00000000000000000012.snapshot"), "").unwrap();
        fs::write(partition.join("00000000000000000016.snapshot"), "").unwrap();
        fs::write(partition.join("leader-epoch-checkpoint"), "0\n3\n0 0\n1 11\n2 12\n").unwrap();
        let checkpoint = logs.join("recovery-point-offset-checkpoint");
        fs::write(&checkpoint, "0\n2\nto-go 1 99\nto-go 3 16\n").unwrap();
        fs::write(logs.join("replication-offset-checkpoint"), "").unwrap();
        fs::write(logs.join(CLEAN_SHUTDOWN), "").unwrap();

        let segment = Segment::last_of(&partition).unwrap().unwrap();
        assert_eq!(segment.end(), 16);
        assert_eq!(segment.before_the_last(1).unwrap(), 15);
        assert_eq!(segment.before_the_last(2).unwrap(), 12);
        assert_eq!(segment.before_the_last(6).unwrap(), 10);
        assert!(segment.before_the_last(7).is_err());
        segment.cut(logs, 12).unwrap();

        assert_eq!(Segment::last_of(&partition).unwrap().unwrap().end(), 12);
        assert_eq!(fs::read_to_string(&checkpoint).unwrap(), "0\n2\nto-go 1 99\nto-go 3 12\n");
        let epochs = fs::read_to_string(partition.join("leader-epoch-checkpoint")).unwrap();
        assert_eq!(epochs, "0\n2\n0 0\n1 11\n");
        let mut left: Vec<_> = fs::read_dir(&partition).unwrap().map(|it| it.unwrap().file_name()).collect();
        left.sort();
        let expected =
            ["00000000000000000010.log", "00000000000000000012.snapshot", "leader-epoch-checkpoint"];
        assert_eq!(left, expected);
        assert!(!logs.join(CLEAN_SHUTDOWN).exists());
    }
}
