//! `cafe events`: what the services tell each other, for whoever wants to listen.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use cafe_events::{asyncapi, body_schemas};
use clap::Args;

#[derive(Args)]
pub(crate) struct EventsArgs {
    /// Writes the JSON Schema of every type of event into this folder instead, one file each
    #[arg(long, value_name = "DIR")]
    schemas: Option<PathBuf>,
}

/// Prints the `AsyncAPI` document, or writes the schemas.
pub(crate) fn run(args: &EventsArgs) -> anyhow::Result<ExitCode> {
    match &args.schemas {
        Some(folder) => write_schemas(folder)?,
        None => crate::cli::print(&serde_json::to_string_pretty(&asyncapi())?),
    }
    Ok(ExitCode::SUCCESS)
}

fn write_schemas(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let schemas = body_schemas();
    for body in &schemas {
        let path = folder.join(format!("{}.json", body.kind));
        let text = serde_json::to_string_pretty(&body.schema)?;
        fs::write(&path, text + "\n").with_context(|| format!("{} cannot be written", path.display()))?;
    }
    crate::cli::print(&format!("{} schemas are in {}", schemas.len(), folder.display()));
    Ok(())
}
