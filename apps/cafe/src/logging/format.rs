//! How a line looks.

use std::fmt::{self, Debug};

use cafe_clock::Clock;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Fields that are never written, whoever logs them.
const SECRET: [&str; 6] = ["token", "key", "secret", "authorization", "body", "payload"];

/// What every line begins with anyway.
const ON_EVERY_LINE: [&str; 3] = ["at", "level", "service"];

/// `09:30:00.125 order    listening url=…`, in colour, in the machine's time zone.
pub(super) struct ForPeople {
    pub(super) process: &'static str,
}

/// `{"at":"…","level":"info","service":"order","message":"listening","url":"…"}`, in UTC.
pub(super) struct ForPrograms {
    pub(super) process: &'static str,
}

impl<S, N> FormatEvent<S, N> for ForPeople
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let said = Said::of(event);
        let time = Clock::Real.now().to_zoned(TimeZone::system()).strftime("%H:%M:%S%.3f");
        let colour = colour_of(*event.metadata().level());
        write!(line, "\x1b[2m{time}\x1b[0m {colour}{:<8}\x1b[0m{}", self.process, printable(&said.message))?;
        for (name, value) in &said.fields {
            match value {
                Value::String(text) if text.contains(' ') => {
                    write!(line, " \x1b[2m{name}=\x1b[0m{:?}", printable(text))?;
                }
                Value::String(text) => write!(line, " \x1b[2m{name}=\x1b[0m{}", printable(text))?,
                other => write!(line, " \x1b[2m{name}=\x1b[0m{other}")?,
            }
        }
        line.write_char('\n')
    }
}

impl<S, N> FormatEvent<S, N> for ForPrograms
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let said = Said::of(event);
        let level = event.metadata().level().as_str().to_ascii_lowercase();
        let at = Clock::Real.now();
        let (service, message) = (self.process, Value::from(said.message));
        write!(line, r#"{{"at":"{at:.3}","level":"{level}","service":"{service}","message":{message}"#)?;
        for (name, value) in said.fields {
            write!(line, ",{}:{value}", Value::from(name))?;
        }
        line.write_str("}\n")
    }
}

fn colour_of(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[1;31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[36m",
        _ => "\x1b[2m",
    }
}

/// A text from outside must not move the cursor or begin a line of its own.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// An event's message and fields.
#[derive(Default)]
struct Said {
    message: String,
    fields: Map<String, Value>,
}

impl Said {
    fn of(event: &Event<'_>) -> Self {
        let mut said = Self::default();
        event.record(&mut said);
        said
    }

    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            (name, _) if ON_EVERY_LINE.contains(&name) => {}
            (name, _) if SECRET.contains(&name) => drop(self.fields.insert(name.to_owned(), "…".into())),
            (name, value) => drop(self.fields.insert(name.to_owned(), value)),
        }
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::Registry;
    use tracing_subscriber::fmt::format::DefaultFields;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn a_line_for_programs_is_json_and_never_tells_a_token() {
        let written = logged(|| tracing::warn!(token = "tok_secret", order = 7, "paid by \"card\""));
        let line: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(line["message"], "paid by \"card\"");
        assert_eq!(
            (&line["level"], &line["service"], &line["order"]),
            (&"warn".into(), &"order".into(), &7.into())
        );
        assert!(line["at"].as_str().unwrap().ends_with('Z'));
        assert!(!written.contains("tok_secret"), "{written}");
    }

    #[test]
    fn who_speaks_and_when_is_said_once_whatever_the_fields_are_called() {
        let line = logged(|| tracing::warn!(service = "payment", level = 3, at = "noon", "is away"));
        for name in ["at", "level", "service"] {
            assert_eq!(line.matches(&format!("\"{name}\":")).count(), 1, "{line}");
        }
        assert!(line.contains(r#""service":"order""#), "{line}");
    }

    #[test]
    fn a_line_for_people_shows_where_a_text_ends() {
        let line = written_by(ForPeople { process: "order" }, || {
            tracing::warn!(detail = "no answer in time", order_id = "42", "a charge is unknown");
        });
        let plain: String = line.replace("\x1b[2m", "").replace("\x1b[0m", "");
        assert!(plain.ends_with("a charge is unknown detail=\"no answer in time\" order_id=42\n"), "{plain}");
    }

    fn logged(log: impl FnOnce()) -> String {
        written_by(ForPrograms { process: "order" }, log)
    }

    fn written_by<F>(format: F, log: impl FnOnce()) -> String
    where
        F: FormatEvent<Registry, DefaultFields> + Send + Sync + 'static,
    {
        let sheet = Sheet::default();
        let writer = sheet.clone();
        let layer =
            tracing_subscriber::fmt::Layer::new().with_writer(move || writer.clone()).event_format(format);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        String::from_utf8(sheet.0.lock().unwrap().clone()).unwrap()
    }

    #[derive(Clone, Default)]
    struct Sheet(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sheet {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
