//! A browser that does what a person does.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use fantoccini::elements::Element;
use serde_json::{Value, json};

use crate::news::News;
use crate::session::Session;
use crate::{Key, Screen, Target, text};

/// How long is waited for whatever is to come, on a machine that is busy, unless a test says otherwise.
pub const LIMIT: Duration = Duration::from_secs(20);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(25);
/// Characters shown of a page on which a test failed.
const SHOWN: usize = 2_000;

/// A browser with a profile of its own, showing one page. Dropping it ends it; if its test failed, a picture of the page is kept.
#[derive(Debug)]
pub struct Browser {
    pub(crate) session: Session,
    pub(crate) news: RefCell<News>,
    limit: Cell<Duration>,
}

/// Going about.
impl Browser {
    /// Opens one at a screen's size, for somebody who reads Korean.
    #[track_caller]
    pub fn open(screen: Screen) -> Self {
        Self::try_open(screen).unwrap_or_else(|failure| panic!("no browser: {failure:#}"))
    }

    fn try_open(screen: Screen) -> Result<Self> {
        let browser = Self { session: Session::open()?, news: RefCell::default(), limit: Cell::new(LIMIT) };
        screen.show(&browser.session)?;
        browser.speak("ko")?;
        let before = json!({ "source": include_str!("scripts/tasks.js") });
        browser.session.devtools("Page.addScriptToEvaluateOnNewDocument", &before)?;
        Ok(browser)
    }

    /// What the person reads, such as `ko` or `en`, for pages that are loaded from now on.
    #[track_caller]
    pub fn language(&self, language: &str) {
        let spoken = self.speak(language);
        self.must(spoken, "no such language");
    }

    /// From now on whatever is to come is waited for so long.
    pub fn set_limit(&self, limit: Duration) {
        self.limit.set(limit);
    }

    /// Loads a page, and waits until all that it names has come.
    #[track_caller]
    pub fn goto(&self, url: &str) {
        let went = self.session.wait(self.session.driver.goto(url));
        self.must(went, &format!("{url} is not shown"));
    }

    /// Loads the page again.
    #[track_caller]
    pub fn reload(&self) {
        let reloaded = self.session.wait(self.session.driver.refresh());
        self.must(reloaded, "the page is not loaded again");
    }

    /// Back to the page before.
    #[track_caller]
    pub fn back(&self) {
        let went = self.session.wait(self.session.driver.back());
        self.must(went, "there is no going back");
    }

    /// Where it is.
    #[track_caller]
    pub fn url(&self) -> String {
        let url = self.session.wait(self.session.driver.current_url());
        self.must(url, "the page has no address").into()
    }

    /// The page's title.
    #[track_caller]
    pub fn title(&self) -> String {
        let title = self.session.wait(self.session.driver.title());
        self.must(title, "the page has no title")
    }

    /// Runs the body of a function in the page, and answers with what it returns.
    #[track_caller]
    pub fn run(&self, script: &str, arguments: &[Value]) -> Value {
        let answer = self.session.execute(script, arguments);
        self.must(answer, "the script fails")
    }

    /// What is shown, as a PNG.
    #[track_caller]
    pub fn screenshot(&self, path: &Path) {
        let kept = self.try_screenshot(path);
        self.must(kept, "no picture of the page");
    }

    /// Whether the page prefers something, as CSS asks for it: `("prefers-color-scheme", "dark")`.
    #[track_caller]
    pub fn prefer(&self, feature: &str, value: &str) {
        let features = json!({ "features": [{ "name": feature, "value": value }] });
        let set = self.session.devtools("Emulation.setEmulatedMedia", &features);
        self.must(set, "no such preference");
    }

    fn speak(&self, language: &str) -> Result<()> {
        let version = self.session.devtools("Browser.getVersion", &json!({}))?;
        let user = json!({ "userAgent": version["userAgent"], "acceptLanguage": language });
        self.session.devtools("Emulation.setUserAgentOverride", &user)?;
        self.session.devtools("Emulation.setLocaleOverride", &json!({ "locale": language })).map(drop)
    }

    fn try_screenshot(&self, path: &Path) -> Result<()> {
        let picture = self.session.wait(self.session.driver.screenshot())?;
        fs::write(path, picture).with_context(|| format!("{} cannot be written", path.display()))
    }
}

/// Doing something to what is on the page. Each waits until its target is there, is the only one, and can be used.
impl Browser {
    /// Clicks, or taps.
    #[track_caller]
    pub fn click(&self, target: impl Into<Target>) {
        self.with(&target.into(), |element| self.session.wait(element.click()));
    }

    /// Types into it, behind what stands there.
    #[track_caller]
    pub fn type_keys(&self, target: impl Into<Target>, keys: &str) {
        self.with(&target.into(), |element| self.session.wait(element.send_keys(keys)));
    }

    /// Empties it.
    #[track_caller]
    pub fn clear(&self, target: impl Into<Target>) {
        self.with(&target.into(), |element| self.session.wait(element.clear()));
    }

    /// Presses a key, for whatever has the focus.
    #[track_caller]
    pub fn press(&self, key: Key) {
        let pressed = self.session.wait(self.session.driver.perform_actions(key.actions()));
        self.must(pressed, &format!("{key:?} cannot be pressed"));
    }
}

/// Looking. What is asked of a target waits until it is there.
impl Browser {
    /// The words in it, as they are shown.
    #[track_caller]
    pub fn text(&self, target: impl Into<Target>) -> String {
        self.with(&target.into(), |element| self.session.wait(element.text()))
    }

    /// What stands in it, if it can be filled in.
    #[track_caller]
    pub fn value(&self, target: impl Into<Target>) -> String {
        self.with(&target.into(), |element| self.session.wait(element.prop("value"))).unwrap_or_default()
    }

    /// An attribute of it; empty if it has none.
    #[track_caller]
    pub fn attribute(&self, target: impl Into<Target>, name: &str) -> String {
        self.with(&target.into(), |element| self.session.wait(element.attr(name))).unwrap_or_default()
    }

    /// How many of it there are now.
    #[track_caller]
    pub fn count(&self, target: impl Into<Target>) -> usize {
        self.try_find_all(&target.into()).len()
    }

    /// The words in each that is there now.
    #[track_caller]
    pub fn texts(&self, target: impl Into<Target>) -> Vec<String> {
        let found = self.try_find_all(&target.into());
        found.iter().filter_map(|element| self.session.wait(element.text()).ok()).collect()
    }

    /// Whether it is there now.
    #[track_caller]
    pub fn has(&self, target: impl Into<Target>) -> bool {
        self.count(target) > 0
    }

    /// Waits until it is there.
    #[track_caller]
    pub fn see(&self, target: impl Into<Target>) {
        let target = target.into();
        self.wait_for(&format!("{target} is there"), |page| page.has(target.clone()));
    }

    /// Waits until it is there no more.
    #[track_caller]
    pub fn see_gone(&self, target: impl Into<Target>) {
        let target = target.into();
        self.wait_for(&format!("{target} is gone"), |page| !page.has(target.clone()));
    }

    /// The role and the name of what has the focus, such as `button 결제하기`.
    #[track_caller]
    pub fn focused(&self) -> String {
        let focused = self.session.elements("return [document.activeElement ?? document.body]", &[]);
        let focused = self.must(focused, "nothing has the focus");
        let say = |what: &str| self.session.computed(what, &focused[0]).unwrap_or_default();
        format!("{} {}", say("role"), say("label"))
    }

    /// Waits until a condition holds, and fails with what was on the page if it does not in time.
    #[track_caller]
    pub fn wait_for(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let (started, limit) = (Instant::now(), self.limit.get());
        while !condition(self) {
            assert!(started.elapsed() < limit, "waited {limit:?} in vain for this: {what}\n{}", self.page());
            thread::sleep(PAUSE);
        }
    }
}

impl From<&str> for Target {
    /// Plain words are what is looked for on the page.
    fn from(words: &str) -> Self {
        text(words)
    }
}

/// What waits, and what fails.
impl Browser {
    /// Does something with the one that is meant, again until it can be done.
    #[track_caller]
    fn with<T>(&self, target: &Target, act: impl Fn(&Element) -> Result<T>) -> T {
        let (started, limit) = (Instant::now(), self.limit.get());
        loop {
            match self.session.find(target).and_then(|element| act(&element)) {
                Ok(done) => return done,
                Err(failure) if started.elapsed() > limit => {
                    panic!("waited {limit:?} in vain for {target}: {failure:#}\n{}", self.page())
                }
                Err(_) => thread::sleep(PAUSE),
            }
        }
    }

    /// None while a page is on its way.
    fn try_find_all(&self, target: &Target) -> Vec<Element> {
        self.session.find_all(target).unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn must<T>(&self, outcome: Result<T>, otherwise: &str) -> T {
        outcome.unwrap_or_else(|failure| panic!("{otherwise}: {failure:#}\n{}", self.page()))
    }

    /// What is on the page, for whoever reads of a failure.
    fn page(&self) -> String {
        let url = self.session.wait(self.session.driver.current_url());
        let url = url.map(String::from).unwrap_or_default();
        let title = self.session.wait(self.session.driver.title()).unwrap_or_default();
        let words = self.session.execute("return document.body.innerText", &[]).unwrap_or_default();
        let words: String = words.as_str().unwrap_or_default().chars().take(SHOWN).collect();
        let _ = self.news.borrow_mut().hear(&self.session);
        let errors = self.news.borrow().errors.join("\n");
        let errors = if errors.is_empty() { errors } else { format!("\nits console says:\n{errors}") };
        format!("the page {url} ({title}) shows:\n{words}{errors}")
    }

    /// A picture of the page on which a test failed, under the test's name.
    fn keep_picture(&self) -> Result<()> {
        thread_local!(static KEPT: Cell<u32> = const { Cell::new(0) });
        let nth = KEPT.replace(KEPT.get() + 1);
        let name = thread::current().name().unwrap_or("a test").replace("::", ".");
        let picture = cafe_rig::folder_of_what_failed()?.join(format!("{name}-{nth}.png"));
        self.try_screenshot(&picture)?;
        eprintln!("what the browser showed: {}", picture.display());
        Ok(())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if thread::panicking()
            && let Err(failure) = self.keep_picture()
        {
            eprintln!("no picture of what the browser showed: {failure:#}");
        }
    }
}
