//! `cafe doctor`: looks at everything that a cafe stands on, one line each.

mod machine;
mod service;

use std::fmt;
use std::process::ExitCode;

use cafe_events::Source;

use crate::settings::Settings;

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Ok,
    Warn,
    Fail,
}

/// One line of the report.
#[derive(Debug)]
struct Finding {
    level: Level,
    subject: String,
    words: String,
}

/// Looks, reports, changes nothing; exit code 1 if something is broken.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let place = settings.place()?;
    let mut findings = vec![
        // Wrong ones are refused before anything runs.
        Finding::ok("settings", "they fit together"),
        machine::environment(),
        machine::traces(),
        machine::folder(&place.data),
        machine::disk(&place.data),
        machine::clock(&place),
        machine::network(&place, settings),
    ];
    for service in Source::ALL {
        findings.extend(service::look(service, &place, settings).await);
    }
    for finding in &findings {
        crate::cli::print(&finding.to_string());
    }
    let broken = findings.iter().any(|finding| finding.level == Level::Fail);
    Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl Finding {
    fn new(level: Level, subject: impl Into<String>, words: impl Into<String>) -> Self {
        Self { level, subject: subject.into(), words: words.into() }
    }

    fn ok(subject: impl Into<String>, words: impl Into<String>) -> Self {
        Self::new(Level::Ok, subject, words)
    }

    fn warn(subject: impl Into<String>, words: impl Into<String>) -> Self {
        Self::new(Level::Warn, subject, words)
    }

    fn fail(subject: impl Into<String>, words: impl Into<String>) -> Self {
        Self::new(Level::Fail, subject, words)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Ok => "OK",
            Level::Warn => "WARN",
            Level::Fail => "FAIL",
        };
        write!(f, "{level:<5} {:<18} {}", self.subject, self.words)
    }
}
