//! The log of `strace -f -y -xx -ttt`, read for what was done to the files of one folder and what was answered.
//!
//! A line is written when the kernel has stopped the thread, before a call begins or after it has ended. So the order of
//! lines is an order of what happened: what ended on a line before another began was done before it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Op {
    /// The line on which it began.
    pub(super) begun: usize,
    /// The line on which it had ended.
    pub(super) ended: usize,
    pub(super) what: What,
}

/// What was done. Paths are absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A file was opened for writing, and made if it was not there.
    Open {
        path: PathBuf,
        emptied: bool,
    },
    /// Bytes were written, at an offset or behind those written since it was opened.
    Write {
        path: PathBuf,
        at: Option<usize>,
        data: Vec<u8>,
    },
    Resize {
        path: PathBuf,
        length: usize,
    },
    Sync {
        path: PathBuf,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Link {
        from: PathBuf,
        to: PathBuf,
    },
    Unlink {
        path: PathBuf,
    },
    MakeFolder {
        path: PathBuf,
    },
    /// A whole answer over HTTP that promises something: its first line says 201 or 202.
    Answer(Vec<u8>),
    /// What was recorded from here on came after the end of all processes before.
    Opened,
}

/// What is to be traced for it: everything that changes a file or sends an answer, and what is refused below.
pub(super) const TRACED: &str = "trace=open,openat,creat,pwrite64,write,writev,pwritev,pwritev2,sendto,sendmsg,ftruncate,\
     truncate,fallocate,fsync,fdatasync,sync_file_range,msync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,\
     mkdirat,mmap,copy_file_range,sendfile,io_uring_enter";

/// Reads a log for what was done below `root`, in the order of beginning, and adds it to what came before.
pub(super) fn read(log: &[u8], root: &Path, ops: &mut Vec<Op>) -> Result<()> {
    let first = ops.iter().map(|op| op.ended + 1).max().unwrap_or(0);
    ops.push(Op { begun: first, ended: first, what: What::Opened });
    let mut begun = HashMap::new();
    for (number, line) in
        (first + 1..).zip(log.split(|byte| *byte == b'\n')).filter(|(_, line)| !line.is_empty())
    {
        let line = std::str::from_utf8(line).context("strace writes ASCII")?;
        read_line(number, line, root, &mut begun, ops).with_context(|| format!("{line:.300}"))?;
    }
    ops.sort_by_key(|op| op.begun);
    Ok(())
}

/// Calls that have begun, by thread: on which line, and as far as they were printed.
type Begun<'a> = HashMap<&'a str, (usize, &'a str)>;

fn read_line<'a>(
    number: usize,
    line: &'a str,
    root: &Path,
    begun: &mut Begun<'a>,
    ops: &mut Vec<Op>,
) -> Result<()> {
    let (thread, rest) = line.split_once(' ').context("no thread")?;
    let (_, rest) = rest.trim_start().split_once(' ').context("no time")?;
    if rest.starts_with("+++") {
        // Whatever it was at may have been done.
        if let Some((from, call)) = begun.remove(thread) {
            ops.extend(op(call, "?", root)?.map(|what| Op { begun: from, ended: number, what }));
        }
        return Ok(());
    }
    if let Some(call) = rest.strip_suffix("<unfinished ...>") {
        begun.insert(thread, (number, call));
        return Ok(());
    }
    let (from, call, tail) = match rest.strip_prefix("<... ") {
        Some(tail) => {
            let (from, call) = begun.remove(thread).context("it was never begun")?;
            (from, call, tail)
        }
        None => (number, rest, rest),
    };
    let (_, result) = tail.rsplit_once(") = ").or_else(|| tail.rsplit_once(" = ")).context("no result")?;
    ops.extend(op(call, result, root)?.map(|what| Op { begun: from, ended: number, what }));
    Ok(())
}

/// What a call did, if it did something to a file below `root` or sent an answer.
fn op(call: &str, result: &str, root: &Path) -> Result<Option<What>> {
    let (name, arguments) = call.split_once('(').context("no call")?;
    // Whether the last call of a killed thread was done nobody knows: a write may have been, a sync is not counted on.
    let unknown = result.starts_with('?');
    if result.starts_with('-') || (unknown && name.ends_with("sync")) {
        return Ok(None);
    }
    let below = |path: Option<PathBuf>| path.filter(|path| path.starts_with(root));
    let file = || below(descriptor(arguments));
    Ok(match name {
        "open" | "openat" | "creat" => {
            let writes =
                name == "creat" || ["O_WRONLY", "O_RDWR"].iter().any(|flag| arguments.contains(flag));
            let path = below(descriptor(result)).filter(|_| writes);
            path.map(|path| What::Open { path, emptied: name == "creat" || arguments.contains("O_TRUNC") })
        }
        "pwrite64" | "write" | "writev" | "sendto" | "sendmsg" => written(name, arguments, result, file())?,
        "ftruncate" => match file() {
            Some(path) => Some(What::Resize { path, length: last_number(arguments)? }),
            None => None,
        },
        "fsync" | "fdatasync" => file().map(|path| What::Sync { path }),
        "rename" | "renameat" | "renameat2" | "link" | "linkat" => {
            let [from, to] = &paths(arguments)[..] else { bail!("no two paths") };
            let (from, to) = (from.clone(), to.clone());
            let linked = name.starts_with("link");
            to.starts_with(root).then_some(if linked {
                What::Link { from, to }
            } else {
                What::Rename { from, to }
            })
        }
        "unlink" | "unlinkat" => below(paths(arguments).pop()).map(|path| What::Unlink { path }),
        "mkdir" | "mkdirat" => below(paths(arguments).pop()).map(|path| What::MakeFolder { path }),
        _ => {
            // The index of a write-ahead log is shared memory, which no power cut is expected to keep.
            let matters = |path: &Path| name != "mmap" || (shares(arguments) && !is_index(path));
            let changed = descriptor_anywhere(arguments, root);
            ensure!(!changed.is_some_and(|path| matters(&path)), "{name} is not understood");
            None
        }
    })
}

/// How an answer begins that promises something.
const PROMISES: [&[u8]; 2] = [b"HTTP/1.1 201", b"HTTP/1.1 202"];
/// The length of such a beginning as strace prints it.
const PROMISE_LENGTH: usize = r"\x00".len() * PROMISES[0].len();

fn written(name: &str, arguments: &str, result: &str, file: Option<PathBuf>) -> Result<Option<What>> {
    if let Some(path) = file {
        ensure!(matches!(name, "pwrite64" | "write"), "{name} to a file is not understood");
        let mut data = strings(arguments).next().map(bytes).unwrap_or_default();
        if let Some(done) = result.split(' ').next().and_then(|done| done.parse().ok()) {
            data.truncate(done);
        }
        let at = if name == "pwrite64" { Some(last_number(arguments)?) } else { None };
        return Ok(Some(What::Write { path, at, data }));
    }
    let first = strings(arguments)
        .next()
        .and_then(|first| first.get(..PROMISE_LENGTH))
        .map(bytes)
        .unwrap_or_default();
    let is_promise = PROMISES.contains(&&first[..]);
    Ok(is_promise.then(|| What::Answer(strings(arguments).flat_map(bytes).collect())))
}

fn shares(arguments: &str) -> bool {
    arguments.contains("MAP_SHARED") && arguments.contains("PROT_WRITE")
}

/// Whether a file is the index of a write-ahead log.
pub(super) fn is_index(path: &Path) -> bool {
    path.to_string_lossy().ends_with("-shm")
}

/// The path of the first descriptor: `14<\x2f…>`.
fn descriptor(text: &str) -> Option<PathBuf> {
    let (_, path) = text.split(", ").next()?.split_once('<')?;
    let (path, _) = path.split_once('>')?;
    path.starts_with('\\').then(|| to_path(path))
}

fn descriptor_anywhere(arguments: &str, root: &Path) -> Option<PathBuf> {
    arguments.split(", ").filter_map(descriptor).find(|path| path.starts_with(root))
}

/// Every path among the arguments, each below the folder that is named before it.
fn paths(arguments: &str) -> Vec<PathBuf> {
    let mut folder = PathBuf::new();
    let mut found = Vec::new();
    for (place, part) in arguments.split('"').enumerate() {
        if place % 2 == 1 {
            found.push(folder.join(to_path(part)));
        } else if let Some((_, named)) = part.rsplit_once('<') {
            folder = to_path(named.split('>').next().unwrap_or_default());
        }
    }
    found
}

/// What stands between quotation marks; `-xx` leaves none inside.
fn strings(arguments: &str) -> impl Iterator<Item = &str> {
    arguments.split('"').skip(1).step_by(2)
}

fn last_number(arguments: &str) -> Result<usize> {
    let arguments = arguments.rsplit_once(") = ").map_or(arguments, |(before, _)| before);
    let last = arguments.trim_end().trim_end_matches(')').rsplit(", ").next().unwrap_or_default();
    last.parse().with_context(|| format!("{last:?} is no number"))
}

fn to_path(text: &str) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(&bytes(text)).into_owned())
}

/// The bytes of `\x2f\x74…`.
fn bytes(text: &str) -> Vec<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).unwrap_or_default() as u8;
    text.as_bytes().chunks_exact(4).map(|byte| digit(byte[2]) * 16 + digit(byte[3])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> String {
        text.bytes().fold(String::new(), |hex, byte| hex + &format!("\\x{byte:02x}"))
    }

    fn ops(log: &str) -> Result<Vec<Op>> {
        let mut ops = Vec::new();
        read(log.as_bytes(), Path::new("/c"), &mut ops)?;
        Ok(ops)
    }

    #[test]
    fn calls_are_read_in_the_order_of_beginning_and_end_where_they_are_resumed() -> Result<()> {
        let (wal, key) = (hex("/c/data/order.sqlite-wal"), hex("/c/data/staff.key"));
        let (new, data) = (hex("staff.key.new"), hex("/c/data"));
        let log = format!(
            "7 1.5 openat(AT_FDCWD<{data}>, \"{new}\", O_WRONLY|O_CREAT|O_TRUNC, 0600) = 3<{key}>\n\
             7 1.5 pwrite64(9<{wal}>, \"{two}\", 2, 4120 <unfinished ...>\n\
             8 1.5 fsync(4<{wal}> <unfinished ...>\n\
             7 1.5 <... pwrite64 resumed>) = 2\n\
             8 1.5 <... fsync resumed>) = 0\n\
             8 1.5 linkat(AT_FDCWD<{data}>, \"{new}\", AT_FDCWD<{data}>, \"{key}\", 0) = 0\n\
             8 1.5 fsync(4<{wal}>) = -1 EIO (Input/output error) (INJECTED)\n\
             8 1.5 pwrite64(9<{other}>, \"{two}\", 2, 0) = 2\n\
             8 1.5 ftruncate(9<{wal}>, 0) = 0\n\
             8 1.5 fsync(4<{wal}> <unfinished ...>\n\
             8 1.5 +++ killed by SIGKILL +++\n",
            two = hex("ab"),
            other = hex("/tmp/x"),
        );
        let wal = PathBuf::from("/c/data/order.sqlite-wal");
        let key = PathBuf::from("/c/data/staff.key");
        let op = |begun, ended, what| Op { begun, ended, what };
        let from = PathBuf::from("/c/data/staff.key.new");
        let expected = [
            op(0, 0, What::Opened),
            op(1, 1, What::Open { path: key.clone(), emptied: true }),
            op(2, 4, What::Write { path: wal.clone(), at: Some(4120), data: b"ab".to_vec() }),
            op(3, 5, What::Sync { path: wal.clone() }),
            op(6, 6, What::Link { from, to: key }),
            op(9, 9, What::Resize { path: wal, length: 0 }),
        ];
        assert_eq!(ops(&log)?, expected);
        Ok(())
    }

    #[test]
    fn only_answers_that_promise_something_are_read() -> Result<()> {
        let answer = |first: &str| {
            let (head, body) = (hex(first), hex("{}"));
            format!(
                "7 1.5 writev(23<{}>, [{{iov_base=\"{head}\", iov_len=1}}, {{iov_base=\"{body}\", iov_len=2}}], 2) = 3\n",
                hex("socket:[1]")
            )
        };
        let log = answer("HTTP/1.1 201 Created") + &answer("HTTP/1.1 200 OK") + &answer("HTTP/1.1 503 Busy");
        let whats: Vec<_> = ops(&log)?.into_iter().map(|op| op.what).collect();
        assert_eq!(whats, [What::Opened, What::Answer(b"HTTP/1.1 201 Created{}".to_vec())]);
        Ok(())
    }

    #[test]
    fn a_page_that_is_changed_through_memory_is_refused() {
        let map = |file: &str| {
            let file = hex(file);
            format!("7 1.5 mmap(NULL, 32768, PROT_READ|PROT_WRITE, MAP_SHARED, 23<{file}>, 0) = 0x7f\n")
        };
        assert!(ops(&map("/c/order.sqlite-shm")).is_ok());
        assert!(ops(&map("/c/order.sqlite")).is_err());
    }
}
