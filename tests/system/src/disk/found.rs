//! A folder as it is found after a power cut.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Draw;
use super::strace::{Op, What, is_index};
use super::torn::{Change, Fate, content};

/// As much as the index of a short log takes.
const INDEX_BYTES: usize = 32 * 1024;
/// The vendor's own record, beside the cafe's.
const VENDOR: &str = "simulator.sqlite";

/// Everything below a folder, by its path there; a folder has no content.
pub(super) type Image = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// What was done below `root` up to a moment, and what of it is on disk for certain.
///
/// - A file's content is once a sync of that file has ended that began after the write had (`fsync(2)`).
/// - A name is once its folder was synced likewise: a sync of the file alone "does not necessarily ensure that the entry in the
///   directory containing the file has also reached disk" (`fsync(2)`). ext4 and XFS do ensure it; nothing here counts on that.
/// - Names that were changed later are changed on disk in that order: ext4 commits one transaction after the other
///   (<https://docs.kernel.org/filesystems/ext4/journal.html>), XFS writes its log in order
///   (<https://docs.kernel.org/filesystems/xfs/xfs-delayed-logging-design.html>).
#[derive(Debug)]
pub(super) struct Disk<'a> {
    root: &'a Path,
    inodes: Vec<Inode<'a>>,
    renaming: Vec<Renaming>,
    /// What is where by now.
    names: BTreeMap<PathBuf, usize>,
    /// Where what is written without an offset goes.
    ends: HashMap<PathBuf, usize>,
}

#[derive(Debug, Default)]
struct Inode<'a> {
    is_folder: bool,
    /// Each with when it had ended.
    changes: Vec<(usize, Change<'a>)>,
    /// When the last finished sync of it began.
    synced: usize,
}

/// A change of names: what is at `to` from then on, and that nothing is at `from`.
#[derive(Debug)]
struct Renaming {
    ended: usize,
    from: Option<PathBuf>,
    to: Option<(PathBuf, usize)>,
}

impl<'a> Disk<'a> {
    /// After everything that had begun by `moment`, a line of the log.
    pub(super) fn at(moment: usize, ops: &'a [Op], root: &'a Path) -> Result<Self> {
        let folder = Inode { is_folder: true, ..Inode::default() };
        let names = BTreeMap::from([(root.to_owned(), 0)]);
        let mut disk = Self { root, inodes: vec![folder], renaming: Vec::new(), names, ends: HashMap::new() };
        for op in ops.iter().take_while(|op| op.begun <= moment) {
            disk.take_in(op, moment).with_context(|| format!("line {}", op.begun + 1))?;
        }
        Ok(disk)
    }

    fn take_in(&mut self, op: &'a Op, moment: usize) -> Result<()> {
        match &op.what {
            What::Open { path, emptied } => {
                self.ends.remove(path);
                match self.names.get(path) {
                    Some(inode) if *emptied => {
                        self.inodes[*inode].changes.push((op.ended, Change::Resize(0)));
                    }
                    Some(_) => {}
                    None => self.make(path, op.ended, false),
                }
            }
            What::Write { path, at, data } => {
                let at = at.unwrap_or_else(|| self.ends.get(path).copied().unwrap_or(0));
                self.ends.insert(path.clone(), at + data.len());
                self.change(path, op.ended, Change::Write { at, data })?;
            }
            What::Resize { path, length } => self.change(path, op.ended, Change::Resize(*length))?,
            What::Sync { path } => {
                if let (true, Some(inode)) = (op.ended <= moment, self.inode(path)?) {
                    self.inodes[inode].synced = self.inodes[inode].synced.max(op.begun);
                }
            }
            What::Rename { from, to } => self.rename(Some(from), Some((from, to)), op.ended)?,
            What::Link { from, to } => self.rename(None, Some((from, to)), op.ended)?,
            What::Unlink { path } => self.rename(Some(path), None, op.ended)?,
            What::MakeFolder { path } => self.make(path, op.ended, true),
            What::Answer(_) | What::Opened => {}
        }
        Ok(())
    }

    fn make(&mut self, path: &Path, ended: usize, is_folder: bool) {
        let inode = self.inodes.len();
        self.inodes.push(Inode { is_folder, ..Inode::default() });
        self.names.insert(path.to_owned(), inode);
        self.renaming.push(Renaming { ended, from: None, to: Some((path.to_owned(), inode)) });
    }

    fn change(&mut self, path: &Path, ended: usize, change: Change<'a>) -> Result<()> {
        if let Some(inode) = self.inode(path)? {
            self.inodes[inode].changes.push((ended, change));
        }
        Ok(())
    }

    /// What a path leads to; nothing if its name is gone while it is still open.
    fn inode(&self, path: &Path) -> Result<Option<usize>> {
        match self.names.get(path) {
            Some(inode) => Ok(Some(*inode)),
            None if self.renaming.iter().any(|it| it.from.as_deref() == Some(path)) => Ok(None),
            None => anyhow::bail!("nothing tells how {} was made", path.display()),
        }
    }

    fn rename(
        &mut self,
        gone: Option<&PathBuf>,
        new: Option<(&PathBuf, &PathBuf)>,
        ended: usize,
    ) -> Result<()> {
        let to = match new {
            Some((from, to)) => self.inode(from)?.map(|inode| (to.clone(), inode)),
            None => None,
        };
        gone.map(|path| self.names.remove(path));
        self.names.extend(to.clone());
        self.renaming.push(Renaming { ended, from: gone.cloned(), to });
        Ok(())
    }

    /// One of the ways in which the folder may be found. Half of the time the vendor is another machine, which keeps
    /// everything; its record lies in this folder only because the vendor is simulated.
    pub(super) fn after_a_power_cut(&self, draw: &Draw) -> Image {
        let vendor_is_elsewhere = draw.coin();
        let names = self.names_found(draw, vendor_is_elsewhere);
        let mut image = Image::new();
        for (path, inode) in names {
            let below = path.strip_prefix(self.root).unwrap_or(&path).to_owned();
            if is_index(&path) {
                // Shared memory that was written back, or not, whenever it was.
                let anything = if draw.coin() { draw.bytes(INDEX_BYTES) } else { Vec::new() };
                image.insert(below, Some(anything));
                continue;
            }
            let fate = Fate::drawn(draw);
            let fate = if vendor_is_elsewhere && is_vendors(&path) { Fate::Kept } else { fate };
            image.insert(below, self.inodes[inode].found(fate, draw));
        }
        // What is in a folder that is not there is not there.
        let folders: Vec<PathBuf> = image.keys().cloned().collect();
        image.retain(|path, _| path.ancestors().skip(1).all(|folder| folders.iter().any(|it| it == folder)));
        image.remove(Path::new(""));
        image
    }

    fn names_found(&self, draw: &Draw, vendor_is_elsewhere: bool) -> BTreeMap<PathBuf, usize> {
        let certain = self.renaming.iter().rposition(|it| self.is_synced(it)).map_or(0, |last| last + 1);
        let reached = match draw.through(3) {
            0 => certain + draw.through(self.renaming.len() - certain),
            1 | 2 => certain,
            _ => self.renaming.len(),
        };
        let mut names = BTreeMap::from([(self.root.to_owned(), 0)]);
        for (place, Renaming { from, to, .. }) in self.renaming.iter().enumerate() {
            let touched = from.iter().chain(to.iter().map(|(path, _)| path));
            if place >= reached && !(vendor_is_elsewhere && touched.into_iter().any(|path| is_vendors(path)))
            {
                continue;
            }
            from.as_ref().map(|path| names.remove(path));
            names.extend(to.clone());
        }
        names
    }

    fn is_synced(&self, renaming: &Renaming) -> bool {
        let path = renaming.to.as_ref().map(|(path, _)| path).or(renaming.from.as_ref());
        let folder = path.and_then(|path| self.names.get(path.parent()?));
        folder.is_some_and(|folder| renaming.ended < self.inodes[*folder].synced)
    }
}

impl Inode<'_> {
    fn found(&self, fate: Fate, draw: &Draw) -> Option<Vec<u8>> {
        if self.is_folder {
            return None;
        }
        let those = |synced: bool| -> Vec<Change<'_>> {
            let is_among = |(ended, _): &&(usize, _)| (*ended < self.synced) == synced;
            self.changes.iter().filter(is_among).map(|(_, change)| *change).collect()
        };
        Some(content(&those(true), &those(false), fate, draw))
    }
}

fn is_vendors(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(VENDOR))
}

/// Puts an image into the folder `root`.
pub(super) fn put(image: &Image, root: &Path) -> std::io::Result<()> {
    fs::create_dir_all(root)?;
    for (path, content) in image {
        match content {
            None => fs::create_dir(root.join(path))?,
            Some(content) => fs::write(root.join(path), content)?,
        }
    }
    Ok(())
}
