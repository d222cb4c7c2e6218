//! `cafe parked`: what the services have set aside, seen, sent again or dropped, over their HTTP with the staff key.

use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use cafe_events::Source;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::client::{Answer, Client};
use crate::services;
use crate::settings::Settings;

/// How long a service may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Args)]
pub(crate) struct ParkedArgs {
    #[command(subcommand)]
    action: Option<Action>,

    /// Only this service; `retry` and `drop` need it when the number is on more than one list
    #[arg(long, global = true)]
    service: Option<Source>,

    /// JSON instead of a table
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Copy, Subcommand)]
enum Action {
    /// Shows what is set aside (when nothing else is asked)
    List,
    /// Takes the event in once more; what waits behind it follows
    Retry {
        /// Its number on the list
        id: i64,
    },
    /// Forgets the event; its order goes on without it
    Drop {
        /// Its number on the list
        id: i64,
    },
}

/// An event on a service's list.
#[derive(Debug, Serialize, Deserialize)]
struct SetAside {
    /// Whose list it is on; the services themselves do not say.
    #[serde(default)]
    service: Option<Source>,
    id: i64,
    source: Source,
    position: i64,
    order_id: Option<String>,
    version: Option<i64>,
    kind: String,
    body: String,
    reason: String,
    parked_at: String,
}

#[derive(Deserialize)]
struct Page {
    parked: Vec<SetAside>,
    next: Option<i64>,
}

/// Lists, retries or drops.
pub(crate) async fn run(args: ParkedArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let key = services::staff_key(settings)?;
    let desk = Desk { client: Client::new(ANSWER_TIMEOUT).with_bearer(&key), settings };
    let wanted: Vec<Source> = args.service.map_or_else(|| Source::ALL.to_vec(), |service| vec![service]);
    let parked = desk.all_parked(&wanted).await?;
    match args.action.unwrap_or(Action::List) {
        Action::List if args.json => crate::cli::print(&serde_json::to_string_pretty(&parked)?),
        Action::List => crate::cli::print(&table(&parked)),
        Action::Retry { id } => desk.settle(only_one(&parked, id)?, id, "retry", args.json).await?,
        Action::Drop { id } => desk.settle(only_one(&parked, id)?, id, "drop", args.json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

struct Desk<'a> {
    client: Client,
    settings: &'a Settings,
}

impl Desk<'_> {
    async fn all_parked(&self, services: &[Source]) -> anyhow::Result<Vec<SetAside>> {
        let mut all = Vec::new();
        for &service in services {
            let mut after = Some(0);
            while let Some(last) = after {
                let url = format!("{}/parked?after={last}&limit=500", self.settings.url(service));
                let answer = self
                    .client
                    .get(&url)
                    .await
                    .with_context(|| format!("is the {service} service running?"))?;
                let page: Page = granted(&answer)?.json()?;
                all.extend(
                    page.parked.into_iter().map(|parked| SetAside { service: Some(service), ..parked }),
                );
                after = page.next;
            }
        }
        Ok(all)
    }

    async fn settle(&self, service: Source, id: i64, action: &str, as_json: bool) -> anyhow::Result<()> {
        let url = format!("{}/parked/{id}/{action}", self.settings.url(service));
        granted(&self.client.send(hyper::Method::POST, &url, &[], bytes::Bytes::new()).await?)?;
        let done = if action == "retry" { "was taken in" } else { "is forgotten" };
        crate::cli::print(&if as_json {
            json!({ "service": service, "id": id, "done": action }).to_string()
        } else {
            format!("event {id} of the {service} service {done}")
        });
        Ok(())
    }
}

/// The service on whose list the number is.
fn only_one(parked: &[SetAside], id: i64) -> anyhow::Result<Source> {
    let services: Vec<Source> =
        parked.iter().filter(|parked| parked.id == id).filter_map(|parked| parked.service).collect();
    match services[..] {
        [service] => Ok(service),
        [] => bail!("no event is set aside under number {id}; `cafe parked` lists them"),
        _ => bail!("more than one service has set aside an event {id}; name one with --service"),
    }
}

/// The answer, unless it is a problem; then its words.
fn granted(answer: &Answer) -> anyhow::Result<&Answer> {
    #[derive(Deserialize)]
    struct Problem {
        title: String,
        #[serde(default)]
        detail: String,
    }

    if answer.status.is_success() {
        return Ok(answer);
    }
    match answer.json::<Problem>() {
        Ok(problem) => bail!("{} {}", problem.title, problem.detail),
        Err(_) => bail!("the service answered {}", answer.status),
    }
}

fn table(parked: &[SetAside]) -> String {
    if parked.is_empty() {
        return "nothing is set aside".to_owned();
    }
    let mut text = format!(
        "{:<8} {:>6}  {:<8} {:<28} {:<36} {:>3}  {}",
        "SERVICE", "NUMBER", "SOURCE", "EVENT", "ORDER", "V", "WHY"
    );
    for event in parked {
        let service = event.service.map_or("", Source::name);
        let order = event.order_id.as_deref().unwrap_or("-");
        let version = event.version.map_or_else(|| "-".to_owned(), |version| version.to_string());
        let (id, source, kind, reason) = (event.id, event.source.name(), &event.kind, &event.reason);
        let _ =
            write!(text, "\n{service:<8} {id:>6}  {source:<8} {kind:<28} {order:<36} {version:>3}  {reason}");
    }
    text
}
