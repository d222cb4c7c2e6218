//! One connection while it lasts. What is queued goes out together with the statement that waits for its answer.

use std::cell::Cell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::task::JoinHandle;
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use super::bulk::{Arrays, Owned};
use super::wire;
use crate::{Error, Param, Server};

/// How long the server lets us wait for a lock; whoever asked is told within a second.
const LOCK_TIMEOUT: Duration = Duration::from_millis(400);
/// A transaction of a process that has stopped in it holds up all others: the server ends it.
const IDLE_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(1);
/// What nobody waits for any more ends by itself.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(20);
/// After so long without an answer to a packet the connection is given up by the system.
const UNANSWERED_TIMEOUT: Duration = Duration::from_secs(5);

/// Sent before the next statement that waits for its answer.
pub(super) enum Queued {
    Begin(&'static str),
    Lock(String),
    Ask(&'static str),
    Run(&'static str, Vec<Owned>),
    Put(&'static str, Arrays),
}

/// Why something was not done.
pub(super) enum Trouble {
    /// The server has said so: it was not.
    Told(Error),
    /// The connection is of no use any more; what was sent may have been done.
    Gone(String),
}

pub(super) struct Session {
    client: Client,
    driver: JoinHandle<()>,
    statements: HashMap<String, Statement>,
    /// What the last [`Queued::Ask`] was told.
    answer: Cell<Vec<Row>>,
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, tokio_postgres::Error>> + 'a>>;

impl Session {
    pub(super) async fn open(server: &Server) -> Result<Self, Trouble> {
        let mut config = server.config.clone();
        config.tcp_user_timeout(UNANSWERED_TIMEOUT).keepalives_idle(UNANSWERED_TIMEOUT);
        let (client, mut messages) = wire::connect(&config).await.map_err(Trouble::Told)?;
        let driver = tokio::spawn(async move {
            // Whoever waits for an answer is told of the end.
            while let Some(Ok(_)) = messages.next().await {}
        });
        let session = Self { client, driver, statements: HashMap::new(), answer: Cell::default() };
        session.batch(&preamble(server)).await?;
        Ok(session)
    }

    pub(super) async fn batch(&self, sql: &str) -> Result<(), Trouble> {
        self.client.batch_execute(sql).await.map_err(|error| told(&error))
    }

    /// The statement, prepared once per session.
    pub(super) async fn prepare(&mut self, sql: &str) -> Result<Statement, Trouble> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await.map_err(|error| told(&error))?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    pub(super) async fn send(&mut self, queued: &[Queued]) -> Result<(), Trouble> {
        self.prepare_all(queued).await?;
        let mut sent = self.start(queued).await;
        self.settle(&mut sent).await
    }

    pub(super) async fn execute(
        &mut self,
        queued: &[Queued],
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<usize, Trouble> {
        self.prepare_all(queued).await?;
        let statement = self.prepare(sql).await?;
        let mut sent = self.start(queued).await;
        let values = borrowed(params);
        let answer = Sent::new(self.client.execute(&statement, &values)).await;
        self.settle(&mut sent).await?;
        Ok(answer.settled().await? as usize)
    }

    pub(super) async fn query(
        &mut self,
        queued: &[Queued],
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, Trouble> {
        self.prepare_all(queued).await?;
        let statement = self.prepare(sql).await?;
        let mut sent = self.start(queued).await;
        let values = borrowed(params);
        let answer = Sent::new(self.client.query(&statement, &values)).await;
        self.settle(&mut sent).await?;
        answer.settled().await
    }

    pub(super) async fn find(
        &mut self,
        queued: &[Queued],
        sql: &str,
        keys: &Arrays,
    ) -> Result<Vec<Row>, Trouble> {
        self.prepare_all(queued).await?;
        let statement = self.prepare(sql).await?;
        let mut sent = self.start(queued).await;
        let values = keys.params();
        let answer = Sent::new(self.client.query(&statement, &values)).await;
        self.settle(&mut sent).await?;
        answer.settled().await
    }

    pub(super) async fn query_each<const N: usize>(
        &mut self,
        queued: &[Queued],
        sql: &str,
        asked: &[[Param<'_>; N]],
    ) -> Result<Vec<Vec<Row>>, Trouble> {
        self.prepare_all(queued).await?;
        let statement = self.prepare(sql).await?;
        let mut sent = self.start(queued).await;
        let values: Vec<_> = asked.iter().map(|params| borrowed(params)).collect();
        let mut answers = Vec::with_capacity(asked.len());
        for values in &values {
            answers.push(Sent::new(self.client.query(&statement, values)).await);
        }
        self.settle(&mut sent).await?;
        let mut rows = Vec::with_capacity(asked.len());
        for answer in answers {
            rows.push(answer.settled().await?);
        }
        Ok(rows)
    }

    /// What the server tells before it comes to the commit has kept it from committing.
    pub(super) async fn commit(&mut self, queued: &[Queued]) -> Result<(), Trouble> {
        self.prepare_all(queued).await?;
        let mut sent = self.start(queued).await;
        let committed = Sent::new(self.client.batch_execute("COMMIT")).await;
        self.settle(&mut sent).await?;
        committed.settled().await
    }

    async fn prepare_all(&mut self, queued: &[Queued]) -> Result<(), Trouble> {
        for queued in queued {
            match queued {
                Queued::Begin(_) => {}
                Queued::Lock(sql) => drop(self.prepare(sql).await?),
                Queued::Ask(sql) | Queued::Run(sql, _) | Queued::Put(sql, _) => {
                    drop(self.prepare(sql).await?);
                }
            }
        }
        Ok(())
    }

    /// Sends them in order, without waiting for the answers. Their statements are prepared.
    async fn start<'a>(&'a self, queued: &'a [Queued]) -> Vec<Sent<'a, Option<Vec<Row>>>> {
        let mut sent = Vec::with_capacity(queued.len());
        for queued in queued {
            sent.push(match queued {
                Queued::Begin(how) => {
                    Sent::new(async { self.client.batch_execute(how).await.map(|()| None) }).await
                }
                Queued::Ask(sql) => Sent::new(self.ask(sql)).await,
                Queued::Lock(sql) => Sent::new(self.run(sql, Vec::new())).await,
                Queued::Run(sql, params) => {
                    let values = params.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
                    Sent::new(self.run(sql, values)).await
                }
                Queued::Put(sql, arrays) => Sent::new(self.run(sql, arrays.params())).await,
            });
        }
        sent
    }

    async fn run(
        &self,
        sql: &str,
        values: Vec<&(dyn ToSql + Sync)>,
    ) -> Result<Option<Vec<Row>>, tokio_postgres::Error> {
        self.client.execute(&self.statements[sql], &values).await.map(|_| None)
    }

    async fn ask(&self, sql: &str) -> Result<Option<Vec<Row>>, tokio_postgres::Error> {
        self.client.query(&self.statements[sql], &[]).await.map(Some)
    }

    /// The first that failed is why the others did.
    async fn settle(&self, sent: &mut Vec<Sent<'_, Option<Vec<Row>>>>) -> Result<(), Trouble> {
        for sent in sent.drain(..) {
            if let Some(rows) = sent.settled().await? {
                self.answer.set(rows);
            }
        }
        Ok(())
    }

    /// What the last [`Queued::Ask`] was told, once.
    pub(super) fn take_answer(&self) -> Vec<Row> {
        self.answer.take()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// A request that is on its way: it was given to the connection when this was made.
enum Sent<'a, T> {
    Waiting(Answer<'a, T>),
    Done(Result<T, tokio_postgres::Error>),
}

impl<'a, T> Sent<'a, T> {
    async fn new(request: impl Future<Output = Result<T, tokio_postgres::Error>> + 'a) -> Self {
        let mut request: Answer<'a, T> = Box::pin(request);
        match poll_fn(|cx| Poll::Ready(request.as_mut().poll(cx))).await {
            Poll::Ready(done) => Self::Done(done),
            Poll::Pending => Self::Waiting(request),
        }
    }

    async fn settled(self) -> Result<T, Trouble> {
        let answer = match self {
            Self::Waiting(answer) => answer.await,
            Self::Done(done) => done,
        };
        answer.map_err(|error| told(&error))
    }
}

fn borrowed<'a>(params: &'a [Param<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// What every session needs. A turn looks its rows up by key, however few rows the planner believes that there are. What can only
/// be scanned is then so dear by its plan that the server would compile it each time, which takes longer than a turn may.
fn preamble(server: &Server) -> String {
    let ms = |time: Duration| time.as_millis();
    format!(
        "SET client_min_messages = warning; SET search_path = {}; SET synchronous_commit = on; SET lock_timeout = {}; \
         SET idle_in_transaction_session_timeout = {}; SET statement_timeout = {}; SET enable_seqscan = off; \
         SET enable_hashjoin = off; SET enable_mergejoin = off; SET plan_cache_mode = force_generic_plan; SET jit = off",
        server.schema,
        ms(LOCK_TIMEOUT),
        ms(IDLE_TRANSACTION_TIMEOUT),
        ms(STATEMENT_TIMEOUT),
    )
}

/// Tells an error of the driver by what to do about it.
pub(super) fn told(error: &tokio_postgres::Error) -> Trouble {
    let Some(said) = error.as_db_error() else {
        let text = match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        // A value that cannot be sent, or an answer that is not as it should be, will not be otherwise next time.
        let ours = text.contains("serializing") || text.contains("unexpected number of");
        return if ours { Trouble::Told(Error::Refused(text)) } else { Trouble::Gone(text) };
    };
    let text = format!("{} ({})", said.message(), said.code().code());
    let ends_the_session = matches!(said.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
    let code = said.code();
    let error = match &code.code()[..2] {
        _ if *code == SqlState::DISK_FULL => Error::Full(text),
        _ if [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME, SqlState::UNDEFINED_DATABASE]
            .contains(code) =>
        {
            Error::Absent(text)
        }
        // Resources, operators, connections, locks and serialization, transaction states, a server that only reads.
        "08" | "25" | "40" | "53" | "55" | "57" | "58" => Error::Busy(text),
        // Two replicas that make the same schema or table at once: the next try finds it.
        _ if [SqlState::DUPLICATE_OBJECT, SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_SCHEMA]
            .contains(code) =>
        {
            Error::Busy(text)
        }
        "23" | "42"
            if text.contains("pg_namespace") || text.contains("pg_type") || text.contains("pg_class") =>
        {
            Error::Busy(text)
        }
        _ => Error::Refused(text),
    };
    match error {
        Error::Busy(text) if ends_the_session => Trouble::Gone(text),
        error => Trouble::Told(error),
    }
}
