//! One browser and one session of its driver.

use anyhow::{Context, Result, bail};
use cafe_rig::Chromium;
use serde_json::{Value, json};

use crate::wire;

/// The key under which `WebDriver` hands out elements (section 12.2).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// What a script or a page may take, in milliseconds.
const SCRIPT_MS: u32 = 60_000;
/// Where our scripts run beside a page's own: on the same document, with globals of their own.
const WORLD: &str = "judges";

#[derive(Debug)]
pub(crate) struct Session {
    chromium: Chromium,
    path: String,
}

/// An element of the page that is shown, until it is taken out of it.
#[derive(Clone, Debug)]
pub(crate) struct Element(String);

impl Element {
    /// As `WebDriver` writes it.
    pub(crate) fn json(&self) -> Value {
        json!({ ELEMENT: self.0 })
    }
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
        let wanted = json!({ "capabilities": { "alwaysMatch": wanted } });
        let session = wire::post(chromium.driver_port(), "/session", &wanted)?;
        let id = session["sessionId"].as_str().context("a session has an id")?;
        Ok(Self { path: format!("/session/{id}"), chromium })
    }

    /// A command with a body.
    pub(crate) fn post(&self, command: &str, body: &Value) -> Result<Value> {
        wire::post(self.chromium.driver_port(), &format!("{}/{command}", self.path), body)
    }

    /// A question.
    pub(crate) fn get(&self, what: &str) -> Result<Value> {
        wire::get(self.chromium.driver_port(), &format!("{}/{what}", self.path))
    }

    /// A command about an element.
    pub(crate) fn post_to(&self, element: &Element, command: &str, body: &Value) -> Result<Value> {
        self.post(&format!("element/{}/{command}", element.0), body)
    }

    /// A question about an element, whose answer is text.
    pub(crate) fn text_of(&self, element: &Element, what: &str) -> Result<String> {
        let answer = self.get(&format!("element/{}/{what}", element.0))?;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }

    /// Runs the body of a function among the page's own scripts, its policy notwithstanding.
    pub(crate) fn execute(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        self.post("execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// The same, for one that answers with elements.
    pub(crate) fn elements(&self, script: &str, arguments: &[Value]) -> Result<Vec<Element>> {
        let answer = self.execute(script, arguments)?;
        let elements = answer.as_array().context("a script answers with elements")?;
        let element = |it: &Value| Some(Element(it[ELEMENT].as_str()?.to_owned()));
        elements.iter().map(|it| element(it).context("a script answers with elements")).collect()
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
}
