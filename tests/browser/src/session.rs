//! One browser and one session of its driver.

use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow, bail};
use cafe_rig::Chromium;
use fantoccini::elements::{Element, ElementRef};
use fantoccini::error::CmdError;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use url::{ParseError, Url};

/// The key under which `WebDriver` hands out elements (section 12.2).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// What a script or a page may take, in milliseconds.
const SCRIPT_MS: u32 = 60_000;
/// Longer than a page may take to load.
const PATIENCE: Duration = Duration::from_secs(90);
/// Where our scripts run beside a page's own: on the same document, with globals of their own.
const WORLD: &str = "judges";

#[derive(Debug)]
pub(crate) struct Session {
    /// Whatever is asked of it has to be waited for.
    pub(crate) driver: Client,
    runtime: Runtime,
    _chromium: Chromium,
}

impl Session {
    pub(crate) fn open() -> Result<Self> {
        let chromium = Chromium::start()?;
        let wanted = json!({
            "browserName": "chrome",
            "timeouts": { "script": SCRIPT_MS, "pageLoad": SCRIPT_MS, "implicit": 0 },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "goog:chromeOptions": {
                "debuggerAddress": chromium.debugger(),
                "perfLoggingPrefs": { "enableNetwork": true, "enablePage": false },
            },
        });
        let wanted: Capabilities = serde_json::from_value(wanted)?;
        let driver = format!("http://127.0.0.1:{}", chromium.driver_port());
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let mut session = ClientBuilder::new(HttpConnector::new());
        let driver = within_limit(&runtime, session.capabilities(wanted).connect(&driver))??;
        Ok(Self { driver, runtime, _chromium: chromium })
    }

    /// Waits for what was asked of the driver or of one of its elements.
    ///
    /// # Errors
    /// If there is no answer, or with what the driver says of a failure.
    pub(crate) fn wait<T>(&self, asked: impl Future<Output = Result<T, CmdError>>) -> Result<T> {
        within_limit(&self.runtime, asked)?.map_err(told)
    }

    /// The `role` or the `label` of an element, as a screen reader reads them.
    pub(crate) fn computed(&self, what: &str, element: &Element) -> Result<String> {
        let path = format!("element/{}/computed{what}", element.element_id());
        let answer = self.wait(self.driver.issue_cmd(Other { path, body: None }))?;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }

    /// What the driver has logged of a kind since it was last asked.
    pub(crate) fn log(&self, kind: &str) -> Result<Vec<Value>> {
        let entries = self.post("se/log", &json!({ "type": kind }))?;
        Ok(entries.as_array().cloned().unwrap_or_default())
    }

    /// Runs the body of a function among the page's own scripts, its policy notwithstanding.
    pub(crate) fn execute(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        self.wait(self.driver.execute(script, arguments.to_vec()))
    }

    /// The same, for one that answers with elements.
    pub(crate) fn elements(&self, script: &str, arguments: &[Value]) -> Result<Vec<Element>> {
        let answer = self.execute(script, arguments)?;
        let elements = answer.as_array().context("a script answers with elements")?;
        let element = |it: &Value| {
            let id = it[ELEMENT].as_str().context("a script answers with elements")?;
            Ok(Element::from_element_id(self.driver.clone(), ElementRef::from(id.to_owned())))
        };
        elements.iter().map(element).collect()
    }

    /// A command of the `DevTools` protocol (<https://chromedevtools.github.io/devtools-protocol/tot/>).
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Result<Value> {
        let body = json!({ "cmd": command, "params": parameters });
        self.post("goog/cdp/execute", &body).with_context(|| command.to_owned())
    }

    /// Evaluates expressions, one after the other, where the page's own scripts neither see nor disturb them; what the last comes
    /// to, awaited if it is a promise.
    pub(crate) fn evaluate_apart(&self, expressions: &[&str]) -> Result<Value> {
        let world = json!({ "frameId": self.frame()?, "worldName": WORLD });
        let world = self.devtools("Page.createIsolatedWorld", &world)?;
        let context = &world["executionContextId"];
        let mut last = Value::Null;
        for expression in expressions {
            let parameters = json!({
                "expression": expression, "contextId": context, "awaitPromise": true, "returnByValue": true,
            });
            let mut answer = self.devtools("Runtime.evaluate", &parameters)?;
            if let Some(failure) = answer.get("exceptionDetails") {
                bail!("a script fails: {failure}");
            }
            last = answer["result"]["value"].take();
        }
        Ok(last)
    }

    /// The frame that is the page.
    pub(crate) fn frame(&self) -> Result<String> {
        let tree = self.devtools("Page.getFrameTree", &json!({}))?;
        Ok(tree["frameTree"]["frame"]["id"].as_str().context("a page is a frame")?.to_owned())
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.wait(self.driver.issue_cmd(Other { path: path.to_owned(), body: Some(body.to_string()) }))
    }
}

/// A command of the session that the client has no method for: Chromium's own, and what is younger in `WebDriver`.
#[derive(Debug)]
struct Other {
    path: String,
    body: Option<String>,
}

impl WebDriverCompatibleCommand for Other {
    fn endpoint(&self, driver: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        driver.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let method = if self.body.is_some() { Method::POST } else { Method::GET };
        (method, self.body.clone())
    }
}

fn within_limit<T>(runtime: &Runtime, asked: impl Future<Output = T>) -> Result<T> {
    runtime
        .block_on(async { tokio::time::timeout(PATIENCE, asked).await })
        .context("the driver does not answer")
}

/// What the driver says of a failure, less its own state at that moment.
fn told(failure: CmdError) -> Error {
    match failure {
        CmdError::Standard(said) => {
            anyhow!("{}: {}", said.error, said.message.lines().next().unwrap_or_default())
        }
        other => other.into(),
    }
}
