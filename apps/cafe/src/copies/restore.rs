//! Puts a backup back, all of it or one service's part.
//!
//! A restored log gets a new id: its listeners hear it again from the oldest event, and what they have heard already they
//! recognise. The vendor's record is the vendor's: it is not taken back in time with the cafe unless asked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use cafe_clock::{Clock, Ids};
use cafe_delivery::Place;
use cafe_events::Source;
use cafe_store::Connection;
use clap::Args;
use jiff::Timestamp;

use super::manifest::Manifest;
use super::{SIMULATOR, STAFF_KEY, beside, sync_folder};
use crate::running;
use crate::settings::Settings;

#[derive(Args)]
pub(crate) struct RestoreArgs {
    /// The folder that `cafe backup` made
    dir: PathBuf,

    /// Only this service's part
    #[arg(long)]
    service: Option<Source>,

    /// Also the simulated payment vendor's own record, which forgets what it charged since
    #[arg(long)]
    with_simulator: bool,
}

/// Verifies the whole copy first, then puts it in place; what was there is kept under `<data>/replaced-…`.
pub(crate) fn restore(args: &RestoreArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    super::must_be_files(settings)?;
    let place = Place::new(settings.data());
    let manifest = Manifest::read(&args.dir)?;
    let wanted: Vec<Source> = args.service.map_or_else(|| Source::ALL.to_vec(), |service| vec![service]);
    let mut names: Vec<String> = Vec::new();
    for service in &wanted {
        let name = format!("{service}.sqlite");
        if manifest.verify(&args.dir, &name)? {
            names.push(name);
        }
    }
    ensure!(!names.is_empty(), "{} holds nothing of what is to be restored", args.dir.display());
    if args.with_simulator {
        let there = manifest.verify(&args.dir, SIMULATOR)?;
        ensure!(there, "{} holds no record of the simulator", args.dir.display());
    }

    // Held until the end: nothing starts on half a restore.
    let affected =
        |service: &Source| wanted.contains(service) || (args.with_simulator && *service == Source::Payment);
    let affected = Source::ALL.into_iter().filter(affected);
    let _stand_still =
        affected.map(|service| running::exclude(&place, service)).collect::<Result<Vec<_>, _>>()?;
    let now = Clock::Real.now();
    let exchange =
        Exchange { backup: &args.dir, place: &place, replaced: replaced_folder(&place, now)?, now };
    for name in &names {
        exchange.database(name)?;
    }
    if args.with_simulator {
        exchange.put(SIMULATOR, |_| Ok(()))?;
        names.push(SIMULATOR.to_owned());
    }
    if args.service.is_none()
        && !place.data.join(STAFF_KEY).exists()
        && manifest.verify(&args.dir, STAFF_KEY)?
    {
        fs::copy(args.dir.join(STAFF_KEY), place.data.join(STAFF_KEY))
            .context("the staff key cannot be restored")?;
        names.push(STAFF_KEY.to_owned());
    }
    crate::cli::print(&format!(
        "restored {} as of {}; what was there is in {}",
        names.join(", "),
        manifest.made_at,
        exchange.replaced.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// A folder of its own for each restore.
fn replaced_folder(place: &Place, now: Timestamp) -> anyhow::Result<PathBuf> {
    let folder = place.data.join(format!("replaced-{}", now.strftime("%Y%m%d-%H%M%S%.3f")));
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    Ok(folder)
}

struct Exchange<'a> {
    backup: &'a Path,
    place: &'a Place,
    replaced: PathBuf,
    now: Timestamp,
}

impl Exchange<'_> {
    /// Puts a service's database in place, marked as restored.
    fn database(&self, name: &str) -> anyhow::Result<()> {
        self.put(name, |copy| {
            let log_id = Ids::random().uuid(self.now).to_string();
            let mut db = Connection::open_as_it_is(copy)?;
            cafe_delivery::mark_restored(&mut db, &log_id, self.now)?;
            Ok(())
        })
    }

    /// Puts a file in place after `prepare` has seen the copy. At every moment there is a whole database under its name.
    fn put(&self, name: &str, prepare: impl FnOnce(&Path) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let database = self.place.data.join(name);
        let copy = beside(&database, ".restoring");
        fs::copy(self.backup.join(name), &copy)
            .with_context(|| format!("{} cannot be written", copy.display()))?;
        prepare(&copy).with_context(|| format!("the copy of {name} cannot be prepared"))?;
        fs::File::open(&copy)?.sync_all()?;

        if database.exists() {
            // So that the present file is whole without its log, whatever happens from here on. A damaged one stays damaged.
            let _ = Connection::open_as_it_is(&database).and_then(|mut db| db.checkpoint());
            fs::hard_link(&database, self.replaced.join(name)).context("the present file cannot be kept")?;
        }
        let log = beside(&database, "-wal");
        if log.exists() {
            // The old log must not be taken for the new file's.
            fs::rename(&log, beside(&self.replaced.join(name), "-wal"))
                .context("the present log cannot be kept")?;
        }
        let _ = fs::remove_file(beside(&database, "-shm"));
        sync_folder(&self.place.data)?;
        fs::rename(&copy, &database).with_context(|| format!("{name} cannot be put in place"))?;
        Ok(sync_folder(&self.place.data)?)
    }
}
