//! One file as a power cut may have left it.

use std::collections::HashMap;

use super::Draw;

/// A change of a file's content.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'a> {
    Write { at: usize, data: &'a [u8] },
    Resize(usize),
}

/// What became of the changes that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// None reached the disk.
    Lost,
    /// All did.
    Kept,
    /// Each block of so many bytes is as it was before them, after them, or in between, whatever its neighbours are.
    Torn(usize),
}

impl Fate {
    /// A disk writes sectors; what is written back together are pages.
    pub(super) fn drawn(draw: &Draw) -> Self {
        match draw.through(5) {
            0 | 1 => Self::Lost,
            2 => Self::Kept,
            3 => Self::Torn(512),
            _ => Self::Torn(4096),
        }
    }
}

/// The content of a file of which `synced` is on disk for certain, and of `unsynced`, which came later, whatever fate leaves.
///
/// A block holds what was in memory when it was written back, so it has every change up to some moment and none after it.
/// How long the file is belongs to the journal and is written by itself: a file may have grown and hold zeros where nothing was
/// written back. What was cut off comes back only if the cut itself was lost, and then nothing written after it is there.
pub(super) fn content(synced: &[Change<'_>], unsynced: &[Change<'_>], fate: Fate, draw: &Draw) -> Vec<u8> {
    let mut content = Vec::new();
    for change in synced {
        apply(&mut content, *change);
    }
    match fate {
        Fate::Lost => {}
        Fate::Kept => unsynced.iter().for_each(|change| apply(&mut content, *change)),
        Fate::Torn(block) => tear(&mut content, unsynced, block, draw),
    }
    content
}

fn apply(content: &mut Vec<u8>, change: Change<'_>) {
    match change {
        Change::Resize(length) => content.resize(length, 0),
        Change::Write { at, data } => {
            let end = at + data.len();
            if content.len() < end {
                content.resize(end, 0);
            }
            content[at..end].copy_from_slice(data);
        }
    }
}

fn tear(content: &mut Vec<u8>, changes: &[Change<'_>], block: usize, draw: &Draw) {
    let journaled = draw.through(changes.len());
    let length = length_after(content.len(), &changes[..journaled]);
    let lost_cut = changes[journaled..].iter().position(|change| matches!(change, Change::Resize(_)));
    let last = lost_cut.map_or(changes.len(), |cut| journaled + cut);
    let mut written_back = HashMap::new();
    for (place, change) in changes[..last].iter().enumerate() {
        match *change {
            Change::Resize(length) => content.resize(length, 0),
            Change::Write { at, data } => {
                for (at, piece) in pieces(at, data, block) {
                    let until = *written_back.entry(at / block).or_insert_with(|| extreme(last, draw));
                    if place < until {
                        apply(content, Change::Write { at, data: piece });
                    }
                }
            }
        }
    }
    content.resize(length, 0);
}

/// Mostly all or nothing: that is what tears neighbours apart.
fn extreme(last: usize, draw: &Draw) -> usize {
    match draw.through(2) {
        0 => 0,
        1 => last,
        _ => draw.through(last),
    }
}

fn length_after(length: usize, changes: &[Change<'_>]) -> usize {
    changes.iter().fold(length, |length, change| match change {
        Change::Resize(length) => *length,
        Change::Write { at, data } => length.max(at + data.len()),
    })
}

/// Cuts what is written at `at` where blocks meet.
fn pieces(mut at: usize, mut data: &[u8], block: usize) -> Vec<(usize, &[u8])> {
    let mut pieces = Vec::new();
    while !data.is_empty() {
        let (piece, rest) = data.split_at(data.len().min(block - at % block));
        pieces.push((at, piece));
        at += piece.len();
        data = rest;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const OLD: Change<'_> = Change::Write { at: 0, data: b"aabbcc" };
    const NEW: [Change<'_>; 2] =
        [Change::Write { at: 1, data: b"1234" }, Change::Write { at: 2, data: b"56789" }];

    fn drawn(unsynced: &[Change<'_>], fate: Fate) -> BTreeSet<String> {
        let of = |seed| content(&[OLD], unsynced, fate, &Draw::from_seed(seed));
        (0..500).map(|seed| String::from_utf8_lossy(&of(seed)).into_owned()).collect()
    }

    #[test]
    fn what_was_not_synced_is_lost_or_kept_whole() {
        assert_eq!(drawn(&NEW, Fate::Lost), ["aabbcc".to_owned()].into());
        assert_eq!(drawn(&NEW, Fate::Kept), ["a156789".to_owned()].into());
    }

    #[test]
    fn a_block_is_as_of_one_moment_and_its_neighbours_as_of_others() {
        let torn = drawn(&NEW, Fate::Torn(2));
        for possible in ["aabbcc", "a1bbcc", "aa23cc", "aa56cc", "aa5678", "a15678", "a156789", "aabbcc\0"] {
            assert!(torn.contains(possible), "{possible:?} is among {torn:?}");
        }
        // The first block only ever changed as a whole, and the second is never of both moments.
        assert!(torn.iter().all(|it| ["aa", "a1"].contains(&&it[..2])), "{torn:?}");
        assert!(torn.iter().all(|it| ["bb", "23", "56"].contains(&&it[2..4])), "{torn:?}");
    }

    #[test]
    fn what_was_cut_off_comes_back_only_without_what_came_after_the_cut() {
        let cut = [Change::Resize(2), Change::Write { at: 2, data: b"xx" }];
        let possible = ["aabbcc", "aa", "aaxx", "aa\0\0"].map(str::to_owned);
        assert_eq!(drawn(&cut, Fate::Torn(2)), possible.into());
    }
}
