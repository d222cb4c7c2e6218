//! The command line.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use cafe_events::Source;
use clap::{Parser, Subcommand};
use confique::Layer;
use tokio::runtime::{Builder, Runtime};

use crate::audit::AuditArgs;
use crate::copies::{BackupArgs, RestoreArgs};
use crate::events::EventsArgs;
use crate::moving::MoveArgs;
use crate::parked::ParkedArgs;
use crate::rush::RushArgs;
use crate::settings::{Flags, Settings, warn_of_mistyped_variables};
use crate::{audit, copies, doctor, events, logging, moving, parked, rush, services, up};

/// Exit code for a wrong command line or setting, as clap's own.
const WRONG_SETTING: u8 = 2;

/// The ordering system of a cafe, in one program.
#[derive(Parser)]
#[command(name = "cafe", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    flags: Flags,

    /// The settings file [default: cafe.toml in the working directory, if there is one]
    #[arg(long, global = true, value_name = "FILE", env = "CAFE_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Opens the cafe: order, payment and barista, each a process of its own, watched over
    Up,
    /// The order service alone
    Order(ServiceArgs),
    /// The payment service alone
    Payment(ServiceArgs),
    /// The barista service alone
    Barista(ServiceArgs),
    /// Customers from nowhere: a lunch rush against a running cafe, then a check of every promise
    Rush(RushArgs),
    /// Checks every promise, also while the cafe works
    Audit(AuditArgs),
    /// Shows what a service has set aside; sends it again or drops it
    Parked(ParkedArgs),
    /// Copies everything to a folder while the cafe works
    Backup(BackupArgs),
    /// Puts a copy back
    Restore(RestoreArgs),
    /// Carries a running cafe to a database server and to Kafka (--database, --kafka) while it trades
    Move(MoveArgs),
    /// Looks at settings, folders, disk, ports, databases and services
    Doctor,
    /// Describes what the services tell each other, for programs that want to listen
    Events(EventsArgs),
}

#[derive(clap::Args)]
struct ServiceArgs {
    /// Started by `cafe up`, which watches over it
    #[arg(long, hide = true)]
    watched: bool,
}

impl Command {
    /// Whether it is a service, which takes part in what customers and staff ask for.
    fn is_service(&self) -> bool {
        matches!(self, Self::Order(_) | Self::Payment(_) | Self::Barista(_))
    }

    /// Whether `cafe up` has started it, which has warned already of what is wrong with the environment.
    fn is_watched(&self) -> bool {
        matches!(self, Self::Order(args) | Self::Payment(args) | Self::Barista(args) if args.watched)
    }
}

/// Runs what the command line asks for.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let settings = match Settings::load(cli.flags, cli.config.as_deref()) {
        Ok(settings) => settings,
        Err(error) => return refuse(&error, WRONG_SETTING.into()),
    };
    let (process, usual_level) = match &cli.command {
        Command::Up => ("up", "info"),
        Command::Order(_) => (Source::Order.name(), "info"),
        Command::Payment(_) => (Source::Payment.name(), "info"),
        Command::Barista(_) => (Source::Barista.name(), "info"),
        _ => ("cafe", "warn"),
    };
    // Dropped last, so that the last lines are written.
    let _logging = match logging::start(process, usual_level, cli.command.is_service()) {
        Ok(logging) => logging,
        Err(error) => return refuse(&error, WRONG_SETTING.into()),
    };
    if !cli.command.is_watched() {
        warn_of_mistyped_variables();
    }
    execute(cli.command, &settings).unwrap_or_else(|error| refuse(&error, ExitCode::FAILURE))
}

/// The flags that `cafe up` would start each service with.
pub type ServiceFlags = [Vec<OsString>; Source::ALL.len()];

/// Reads a settings file as the program does.
///
/// # Errors
/// As the program refuses it: what is wrong, where it was set, and what would be right.
pub fn flags_from_file(file: &Path) -> anyhow::Result<ServiceFlags> {
    flags_of(&Settings::load(Flags::empty(), Some(file))?)
}

/// Reads a command line as the program does.
///
/// # Errors
/// As [`flags_from_file`].
pub fn flags_from(command_line: impl IntoIterator<Item = OsString>) -> anyhow::Result<ServiceFlags> {
    let cli = Cli::try_parse_from(command_line)?;
    flags_of(&Settings::load(cli.flags, cli.config.as_deref())?)
}

fn flags_of(settings: &Settings) -> anyhow::Result<ServiceFlags> {
    let [order, payment, barista] = Source::ALL;
    Ok([settings.flags_for(order)?, settings.flags_for(payment)?, settings.flags_for(barista)?])
}

fn execute(command: Command, settings: &Settings) -> anyhow::Result<ExitCode> {
    match command {
        Command::Up => quiet_runtime()?.block_on(up::run(settings)),
        Command::Order(args) => services::run(Source::Order, args.watched, settings),
        Command::Payment(args) => services::run(Source::Payment, args.watched, settings),
        Command::Barista(args) => services::run(Source::Barista, args.watched, settings),
        Command::Rush(args) => busy_runtime()?.block_on(rush::run(args, settings)),
        Command::Audit(args) => busy_runtime()?.block_on(audit::run(args, settings)),
        Command::Parked(args) => quiet_runtime()?.block_on(parked::run(args, settings)),
        Command::Backup(args) => copies::backup(&args, settings),
        Command::Restore(args) => copies::restore(&args, settings),
        Command::Move(args) => quiet_runtime()?.block_on(moving::run(args, settings)),
        Command::Doctor => quiet_runtime()?.block_on(doctor::run(settings)),
        Command::Events(args) => events::run(&args),
    }
}

/// For what mostly waits.
fn quiet_runtime() -> anyhow::Result<Runtime> {
    Builder::new_current_thread().enable_all().build().context("the program's runtime cannot be started")
}

/// For what keeps the machine busy.
fn busy_runtime() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build().context("the program's runtime cannot be started")
}

/// Prints what was asked for; whoever does not read it misses it.
pub(crate) fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// One clear sentence, and an exit code.
fn refuse(error: &anyhow::Error, code: ExitCode) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "cafe: {error:#}");
    code
}
