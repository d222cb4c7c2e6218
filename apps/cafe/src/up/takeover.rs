//! What to do with services that run already when `up` starts: an earlier `up` was killed and they went on.

use std::ffi::OsString;
use std::time::Duration;

use anyhow::bail;
use cafe_delivery::Place;
use cafe_events::Source;

use super::keeper::STOP_PATIENCE;
use super::process::Process;
use crate::client::Client;
use crate::running::{Program, Running, written};

/// How long a service that is found may take to answer before it is replaced.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Adopts `service` if it runs and is what would be started with `arguments`; ends it if it is not.
///
/// # Errors
/// If it was started alone: then it is somebody else's to stop.
pub(super) async fn find(
    place: &Place,
    service: Source,
    arguments: &[OsString],
) -> anyhow::Result<Option<Process>> {
    let Some(running) = Running::find(place, service) else { return Ok(None) };
    let id = running.process;
    if !running.watched {
        let data = place.data.display();
        bail!("the {service} service already runs alone on {data} (process {id}); stop it first");
    }
    let Ok(mut process) = Process::adopt(id) else { return Ok(None) };
    // Seen again after the process was taken hold of, so it is the one that wrote this, not a later one of the same number.
    if Running::find(place, service).as_ref() != Some(&running) {
        return Ok(None);
    }
    if is_as_wanted(&running, arguments)? && answers(&running).await {
        tracing::info!("the {service} service went on as process {id}; adopted");
        return Ok(Some(process));
    }
    tracing::info!("replacing the {service} service (process {id})");
    process.stop(STOP_PATIENCE).await;
    Ok(None)
}

fn is_as_wanted(running: &Running, arguments: &[OsString]) -> anyhow::Result<bool> {
    let same_arguments = running.arguments.iter().cloned().eq(arguments.iter().map(written));
    Ok(same_arguments && running.program == Program::this()?)
}

async fn answers(running: &Running) -> bool {
    let answer = Client::new(ANSWER_TIMEOUT).get(&format!("http://{}/health/live", running.address)).await;
    answer.is_ok_and(|answer| answer.status.is_success())
}
