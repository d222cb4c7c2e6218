//! Copies everything that a cafe keeps while it works.
//!
//! Each service commits on its own, so the copies must be of one moment: a listener's copy that had heard more than its
//! speaker's copy says would, restored, know of events that will be said differently. All databases are therefore opened at
//! nearly the same moment, each in a transaction that sees no later commit, and compared before anything is copied.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use cafe_clock::Clock;
use cafe_delivery::Place;
use cafe_events::Source;
use cafe_store::{Connection, copy_while_in_use};
use clap::Args;

use super::manifest::Manifest;
use super::{SIMULATOR, STAFF_KEY, sync_folder};
use crate::settings::Settings;

/// How often a moment is sought at which no listener is ahead of its speaker's copy. Opening all databases takes less time
/// than an event takes from one to the next, so the first is nearly always good.
const MOMENTS_LIMIT: u32 = 20;

#[derive(Args)]
pub(crate) struct BackupArgs {
    /// The folder to make; it must not exist, or be empty
    dir: PathBuf,
}

/// Copies all databases, the vendor simulator's record and the staff key into a new folder.
pub(crate) fn backup(args: &BackupArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    super::must_be_files(settings)?;
    let target = &args.dir;
    let shown = target.display();
    let is_free = fs::read_dir(target).map_or(true, |mut entries| entries.next().is_none());
    ensure!(
        !is_inside(target, settings.data())?,
        "{shown} is inside the data folder, and would be lost with it; name a folder elsewhere"
    );
    ensure!(is_free && !target.is_file(), "{shown} holds something already; name a new folder");

    let mut unfinished = std::path::absolute(target)?.into_os_string();
    unfinished.push(format!(".unfinished-{}", std::process::id()));
    let unfinished = PathBuf::from(unfinished);
    fs::create_dir_all(&unfinished).with_context(|| format!("{} cannot be made", unfinished.display()))?;
    let copied = copy_all(&Place::new(settings.data()), &unfinished)
        .and_then(|manifest| put_in_place(&unfinished, target).map(|()| manifest));
    if copied.is_err() {
        let _ = fs::remove_dir_all(&unfinished);
    }
    let bytes: u64 = copied?.files.iter().map(|file| file.bytes).sum();
    crate::cli::print(&format!(
        "copied {} to {shown} ({} kB)",
        settings.data().display(),
        bytes.div_ceil(1_000)
    ));
    Ok(ExitCode::SUCCESS)
}

/// Whether `folder`, which need not be there yet, would be a part of `data`.
fn is_inside(folder: &Path, data: &Path) -> std::io::Result<bool> {
    let folder = std::path::absolute(folder)?;
    let there = folder.ancestors().find_map(|folder| folder.canonicalize().ok());
    Ok(data.canonicalize().is_ok_and(|data| there.is_some_and(|there| there.starts_with(data))))
}

fn copy_all(place: &Place, folder: &Path) -> anyhow::Result<Manifest> {
    let mut manifest = Manifest::new(Clock::Real.now());
    for mut database in one_moment(place)? {
        let name = format!("{}.sqlite", database.service);
        let path = folder.join(&name);
        database.connection.copy_to(&path).with_context(|| format!("{name} cannot be copied"))?;
        manifest.add(folder, &name, schema(&path)?)?;
    }
    // The vendor's record comes last: it may know more than payment, never less.
    let simulator = place.data.join(SIMULATOR);
    if simulator.exists() {
        copy_while_in_use(&simulator, &folder.join(SIMULATOR))
            .context("the simulator's record cannot be copied")?;
        manifest.add(folder, SIMULATOR, Vec::new())?;
    }
    let key = place.data.join(STAFF_KEY);
    if key.exists() {
        fs::copy(&key, folder.join(STAFF_KEY)).context("the staff key cannot be copied")?;
        manifest.add(folder, STAFF_KEY, Vec::new())?;
    }
    manifest.write(folder)?;
    Ok(manifest)
}

/// An open database, seen as it was at one moment.
struct Moment {
    service: Source,
    connection: Connection,
    log_id: String,
    last: i64,
    heard: Vec<Heard>,
}

/// How far the service has heard another's log.
struct Heard {
    source: String,
    log_id: String,
    position: i64,
}

/// All databases there are, at a moment at which none has heard more than its speakers say.
fn one_moment(place: &Place) -> anyhow::Result<Vec<Moment>> {
    let there: Vec<Source> =
        Source::ALL.into_iter().filter(|service| place.file(*service).exists()).collect();
    ensure!(!there.is_empty(), "there is no cafe in {}; name its folder with --data", place.data.display());
    for _ in 0..MOMENTS_LIMIT {
        let opened: Result<Vec<Connection>, _> =
            there.iter().map(|service| Connection::open_peer(&place.file(*service))).collect();
        let opened = opened.context("a database cannot be opened")?;
        let seen: Result<Vec<Moment>, _> =
            there.iter().zip(opened).map(|(service, connection)| look(*service, connection)).collect();
        let seen = seen.context("a database cannot be read")?;
        if seen.iter().all(|listener| !is_ahead(listener, &seen)) {
            return Ok(seen);
        }
    }
    bail!(
        "the databases of {} do not fit together: a service has heard more than another has said",
        place.data.display()
    )
}

/// Begins a read transaction; what it sees stays as it is.
fn look(service: Source, mut connection: Connection) -> Result<Moment, cafe_store::Error> {
    connection.begin_reading()?;
    let head = cafe_delivery::head(&mut connection)?;
    let heard = connection.query("SELECT source, log_id, position FROM positions", &[], |row| {
        Ok(Heard { source: row.text(0)?, log_id: row.text(1)?, position: row.int(2)? })
    })?;
    Ok(Moment { service, connection, log_id: head.log_id, last: head.last, heard })
}

fn is_ahead(listener: &Moment, all: &[Moment]) -> bool {
    listener.heard.iter().any(|heard| {
        let speaker = all.iter().find(|speaker| speaker.service.name() == heard.source);
        speaker.is_some_and(|speaker| speaker.log_id == heard.log_id && speaker.last < heard.position)
    })
}

/// The migrations that a copy has been through.
fn schema(copy: &Path) -> Result<Vec<String>, cafe_store::Error> {
    Connection::open_reader(copy)?.query("SELECT name FROM migrations ORDER BY name", &[], |row| row.text(0))
}

/// A folder of this name is a whole backup, or is not there.
fn put_in_place(unfinished: &Path, target: &Path) -> anyhow::Result<()> {
    sync_folder(unfinished)?;
    fs::rename(unfinished, target).with_context(|| format!("{} cannot be made", target.display()))?;
    sync_folder(std::path::absolute(target)?.parent().unwrap_or(Path::new("/")))?;
    Ok(())
}
