//! `cafe move`: carries a running cafe from its data folder to `PostgreSQL` and Kafka, service by service, while it trades.
//!
//! A service's rows are copied while it works; triggers note the keys of those that change meanwhile (`tables.rs`). Then the
//! file is locked against its writer, the last changes are copied, and one commit says in the file itself where the service is
//! now. Until that commit the file is the one that counts, and whatever was copied is a draft; from it on the new place is.
//! The lock goes with this process, so an interrupted move leaves a cafe that trades on, and can be run again.

mod tables;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use cafe_delivery::{Moved, Place, Rungs, Tables};
use cafe_events::Source;
use cafe_store::{Connection, Database, Error, Migration};
use clap::Args;

use crate::client::Client;
use crate::running::Running;
use crate::settings::Settings;
use tables::{Draft, Table};

/// A service refuses orders for so long at most while its last changes are copied.
const SEALED_LIMIT: Duration = Duration::from_secs(10);
/// Changes that may be left to copy while it is sealed.
const LEFT_FOR_THE_SEAL: i64 = 500;
/// Rounds of catching up before the seal; each is shorter than the one before it, or the place is too slow.
const ROUNDS_LIMIT: u32 = 50;
/// How long the service may take to answer at the new place.
const BACK_LIMIT: Duration = Duration::from_mins(1);
/// Between two looks at it.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Args)]
pub(crate) struct MoveArgs {
    /// Ends after the rows are copied and before any service goes over, to see how long it takes
    #[arg(long)]
    rehearse: bool,
}

/// Moves what is still in the data folder. What was moved before stays where it is.
pub(crate) async fn run(args: MoveArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let rungs = settings.rungs();
    let Some(address) = rungs.database.clone() else {
        bail!(
            "name the PostgreSQL server to move to with --database, and Kafka's brokers with --kafka if events go over it"
        );
    };
    let here = Place::new(settings.data());
    ensure!(
        Source::ALL.iter().any(|service| here.file(*service).exists()),
        "there is no cafe in {}; name its folder with --data",
        here.data.display()
    );
    let there = Place::on(settings.data(), &rungs)?;
    for service in [Source::Barista, Source::Payment, Source::Order] {
        if !here.file(service).exists() || has_moved(&here, service, &address)? {
            continue;
        }
        let before = Running::find(&here, service);
        let (from, there, rungs) = (here.clone(), there.clone(), rungs.clone());
        let sealed =
            tokio::task::spawn_blocking(move || carry(service, &from, &there, &rungs, args.rehearse));
        let Some(sealed) = sealed.await?.with_context(|| format!("the {service} service was not moved"))?
        else {
            continue;
        };
        crate::cli::print(&format!("{service}: moved; it took no orders for {:.2} s", sealed.as_secs_f64()));
        if let Some(before) = before {
            wait_until_back(service, &before, &here, settings).await?;
        }
    }
    if !args.rehearse {
        crate::cli::print("Everything is moved. `cafe up` on this folder finds its way there.");
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the service was moved already; to somewhere else is an error.
fn has_moved(here: &Place, service: Source, address: &str) -> anyhow::Result<bool> {
    let followed = Place::on(&here.data, &Rungs::default())?;
    let Database::Server(server) = followed.database(service) else { return Ok(false) };
    let wanted = cafe_store::Server::of_service(address, service.name())?;
    ensure!(
        server == wanted,
        "the {service} service was moved before, to {server}; name that with --database"
    );
    crate::cli::print(&format!("{service}: is there already"));
    Ok(true)
}

/// Carries one service over; answers for how long it was sealed, or nothing for a rehearsal.
fn carry(
    service: Source,
    here: &Place,
    there: &Place,
    rungs: &Rungs,
    rehearse: bool,
) -> anyhow::Result<Option<Duration>> {
    let started = Instant::now();
    let mut file = Connection::open_as_it_is(&here.file(service))?;
    let mut server = prepare(service, there)?;
    let tables = Table::all(&mut file)?;
    tables::watch(&mut file, &tables)?;
    let mut draft = Draft::begin(&mut server, &tables)?;
    let mut rows = 0;
    for table in &tables {
        rows += draft.copy_all(&mut file, table)?;
    }
    catch_up(&mut file, &mut draft, &tables)?;
    crate::cli::print(&format!(
        "{service}: {rows} rows copied in {:.1} s while it works",
        started.elapsed().as_secs_f64()
    ));
    if rehearse {
        tables::unwatch(&mut file, &tables)?;
        draft.discard()?;
        return Ok(None);
    }
    let moved = Moved { database: rungs.database.clone().unwrap_or_default(), kafka: rungs.kafka.clone() };
    let sealed = seal(&mut file, draft, &tables, &serde_json::to_string(&moved)?)?;
    cafe_delivery::end_moving(&mut server)?;
    Ok(Some(sealed))
}

/// The new place, empty or with the draft of a move that was interrupted.
fn prepare(service: Source, there: &Place) -> anyhow::Result<Connection> {
    let migrations: Vec<Migration> =
        cafe_delivery::MIGRATIONS.iter().chain(migrations_of(service)).copied().collect();
    let database = there.database(service);
    let server = Connection::open(&database, &migrations)?;
    Ok(server)
}

fn migrations_of(service: Source) -> &'static [Migration] {
    match service {
        Source::Order => cafe_order::Orders::MIGRATIONS,
        Source::Payment => cafe_payment::domain::Cashier::MIGRATIONS,
        Source::Barista => cafe_barista::Barista::MIGRATIONS,
    }
}

/// Copies what has changed since, again and again, until little is left.
fn catch_up(file: &mut Connection, draft: &mut Draft<'_>, tables: &[Table]) -> anyhow::Result<()> {
    for _ in 0..ROUNDS_LIMIT {
        let left = tables::count_changed(file)?;
        if left <= LEFT_FOR_THE_SEAL {
            return Ok(());
        }
        draft.copy_changed(file, tables)?;
    }
    bail!(
        "rows change faster here than they can be copied there; move when there is less to do, or nearer to the server"
    )
}

/// Locks the file against its writer, copies the rest, and says where the service is from now on. Answers how long it took.
fn seal(
    file: &mut Connection,
    mut draft: Draft<'_>,
    tables: &[Table],
    moved: &str,
) -> anyhow::Result<Duration> {
    begin_patiently(file)?;
    let sealed = Instant::now();
    let outcome = (|| {
        draft.copy_changed(file, tables)?;
        ensure!(
            sealed.elapsed() < SEALED_LIMIT,
            "the last changes took longer than {} s to copy; nothing has changed here",
            SEALED_LIMIT.as_secs()
        );
        draft.finish(file, tables)?;
        cafe_delivery::say_moved(file, moved)?;
        Ok(file.commit()?)
    })();
    if outcome.is_err() {
        file.rollback()?;
    }
    outcome.map(|()| sealed.elapsed())
}

/// Its writer leaves the file free between turns.
fn begin_patiently(file: &mut Connection) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        match file.begin() {
            Err(Error::Busy(_)) if started.elapsed() < SEALED_LIMIT => {}
            outcome => return Ok(outcome?),
        }
    }
}

/// Waits until whoever runs the service has it answer at the new place: another process than the one before, which has ended.
async fn wait_until_back(
    service: Source,
    before: &Running,
    here: &Place,
    settings: &Settings,
) -> anyhow::Result<()> {
    let client = Client::new(ANSWER_TIMEOUT);
    let (url, started) = (format!("{}/health/ready", settings.url(service)), Instant::now());
    while started.elapsed() < BACK_LIMIT {
        let is_another = Running::find(here, service).is_some_and(|now| now.process != before.process);
        if is_another && client.get(&url).await.is_ok_and(|answer| answer.status.is_success()) {
            crate::cli::print(&format!(
                "{service}: answers there after {:.2} s",
                started.elapsed().as_secs_f64()
            ));
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    bail!(
        "the {service} service is moved, but does not answer at the new place; see its log, or start `cafe up`"
    )
}
