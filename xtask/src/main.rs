//! The project's own commands: `cargo xtask tidy`, `test`, `simulate`, `soak`, `failures`, `inputs`, `bench`, `screenshots` and `rig`.

mod behind;
mod bench;
mod failures;
mod fuzz;
mod inputs;
mod parts;
mod previous;
mod rig;
mod screenshots;
mod shell;
mod simulate;
mod soak;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The program's own, so that the echo differs from it in nothing but the work.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Looks after the project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Format, lints, documents, licences, dependencies: everything that needs no running program
    Tidy,
    /// Everything, each kind of fault once
    Test(test::Arguments),
    /// The whole cafe from seeds, with faults between any two steps
    Simulate(simulate::Arguments),
    /// Faults by the hundred
    Soak(soak::Arguments),
    /// Writes docs/failures.md anew: what can go wrong, who sees what, and how often it was tried
    Failures(failures::Arguments),
    /// Bytes from outside by the million, against what is promised of them
    Inputs(inputs::Arguments),
    /// How fast it is, beside how fast it must be
    Bench(bench::Arguments),
    /// Every screen, in both languages, to be looked at
    Screenshots(screenshots::Arguments),
    /// Kafka and a database server to run the cafe on, until Ctrl-C
    Rig(rig::Arguments),
    /// What the bench compares with: answers as the order service does, and does nothing
    #[command(hide = true)]
    Echo {
        /// Where to listen
        port: u16,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Tidy => Ok(tidy::run()),
        Command::Test(arguments) => test::run(&arguments),
        Command::Simulate(arguments) => simulate::run(&arguments),
        Command::Soak(arguments) => soak::run(&arguments),
        Command::Failures(arguments) => failures::run(&arguments),
        Command::Inputs(arguments) => inputs::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Screenshots(arguments) => screenshots::run(&arguments),
        Command::Rig(arguments) => rig::run(&arguments),
        Command::Echo { port } => bench::echo::serve(port).map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {failure:#}");
            ExitCode::FAILURE
        }
    }
}
