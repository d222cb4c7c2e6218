//! Makes a long history: the rows that the services have written for a few orders, again and again under other ids. Done by the
//! database itself, so that a million orders take minutes.
//!
//! What is inside a row stays as it was written but for the order's id: a copy has the times, the number of the day and the
//! hashes of its model. Nothing that is measured looks at these.

use anyhow::{Context, Result, ensure};
use cafe_system_tests::Service;

/// Copies of each model that one statement makes at most.
const STEP: u64 = 250;

/// Runs SQL in a service's database; answers the rows, which have one column, a line each.
pub(super) type Run<'a> = dyn Fn(Service, &str) -> Result<String> + 'a;

/// Tables that hold something of every order. All have `order_id`.
const TABLES: [(Service, &[&str]); 3] = [
    (Service::Order, &["orders", "idempotency_keys", "heard", "outbox"]),
    (Service::Payment, &["payments", "heard", "outbox"]),
    (Service::Barista, &["tickets", "heard", "outbox"]),
];

/// What differs between databases.
pub(super) struct Dialect {
    /// The columns of a table `{}`: name and type, with `|` between.
    pub(super) columns: &'static str,
    /// Twelve hexadecimal digits of the number `{}`.
    pub(super) hex: &'static str,
    /// A text that nobody has used yet.
    pub(super) random: &'static str,
}

pub(super) const SQLITE: Dialect = Dialect {
    columns: "SELECT name || '|' || type FROM pragma_table_info('{}') ORDER BY cid",
    hex: "printf('%012x', {})",
    random: "lower(hex(randomblob(16)))",
};

pub(super) const POSTGRES: Dialect = Dialect {
    columns: "SELECT column_name || '|' || data_type FROM information_schema.columns \
              WHERE table_schema = current_schema() AND table_name = '{}' ORDER BY ordinal_position",
    hex: "lpad(to_hex({}), 12, '0')",
    random: "md5(random()::text)",
};

/// Copies what is there: the models that are at their end until there are `past`, then the others until there are `open`.
pub(super) fn make(run: &Run<'_>, dialect: &Dialect, past: u64, open: u64) -> Result<()> {
    let finished = Models { name: "finished", condition: "NOT IN" };
    let waiting = Models { name: "waiting", condition: "IN" };
    let open_ids = run(Service::Barista, "SELECT order_id FROM tickets WHERE open_status IS NOT NULL")?;
    let waits = open_ids.lines().count() as u64;
    let open_ids = list(&open_ids);
    let models: u64 = run(Service::Barista, "SELECT CAST(COUNT(*) AS TEXT) FROM tickets")?.trim().parse()?;
    ensure!(models > waits && waits > 0, "there are models at their end, and others");
    for (models, wanted, count) in [(finished, past, models - waits), (waiting, open, waits)] {
        for (service, tables) in TABLES {
            for table in tables {
                models.keep(run, service, table, &open_ids)?;
            }
            let mut made = 0;
            while made < wanted.div_ceil(count) {
                let to = (made + STEP).min(wanted.div_ceil(count));
                for table in tables {
                    models.copy(run, dialect, (service, table), (made + 1, to))?;
                }
                made = to;
            }
            end(run, service)?;
            for table in tables {
                run(service, &format!("DROP TABLE {}", models.table(table)))?;
            }
        }
    }
    listeners_follow(run)
}

fn list(ids: &str) -> String {
    ids.lines().map(|id| format!("'{}'", id.trim())).collect::<Vec<_>>().join(", ")
}

/// Orders that are copied.
struct Models {
    name: &'static str,
    condition: &'static str,
}

impl Models {
    fn table(&self, table: &str) -> String {
        format!("kept_{table}_{}", self.name)
    }

    /// Sets the rows aside, so that copies are not copied.
    fn keep(&self, run: &Run<'_>, service: Service, table: &str, open_ids: &str) -> Result<()> {
        let (kept, condition) = (self.table(table), self.condition);
        let order = match table {
            "outbox" => "position",
            "tickets" => "sequence",
            _ => "order_id",
        };
        let sql = format!(
            "CREATE TABLE {kept} AS SELECT *, ROW_NUMBER() OVER (ORDER BY {order}) AS nth FROM {table} \
             WHERE order_id {condition} ({open_ids})"
        );
        run(service, &sql).map(drop)
    }

    /// The copies of these numbers.
    fn copy(
        &self,
        run: &Run<'_>,
        dialect: &Dialect,
        (service, table): (Service, &str),
        (from, to): (u64, u64),
    ) -> Result<()> {
        /// The time of the first copy's id, in milliseconds: a version 7 UUID begins with it.
        const FIRST_MS: u64 = 1_700_000_000_000;
        let kept = self.table(table);
        let columns = run(service, &dialect.columns.replace("{}", table))?;
        let hex = dialect.hex.replace("{}", &format!("{FIRST_MS} + 1000 * k + {}", self.name.len()));
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for line in columns.lines() {
            let (name, kind) = line.split_once('|').context("a column has a type")?;
            names.push(name);
            values.push(match name {
                "order_id" => "id".to_owned(),
                "position" | "sequence" => format!("base + (k - {from}) * models + nth"),
                "key" => dialect.random.to_owned(),
                _ if kind.eq_ignore_ascii_case("text") => format!("replace({name}, order_id, id)"),
                _ => name.to_owned(),
            });
        }
        let base = match table {
            "outbox" => "(SELECT MAX(position) FROM outbox)",
            "tickets" => "(SELECT MAX(sequence) FROM tickets)",
            _ => "0",
        };
        let sql = format!(
            "WITH RECURSIVE numbers (k) AS (SELECT {from} UNION ALL SELECT k + 1 FROM numbers WHERE k < {to}), \
             copies AS (SELECT {kept}.*, k, substr({hex}, 1, 8) || '-' || substr({hex}, 9, 4) || \
             substr(order_id, 14) AS id, {base} AS base, (SELECT COUNT(*) FROM {kept}) AS models \
             FROM numbers CROSS JOIN {kept}) \
             INSERT INTO {table} ({}) SELECT {} FROM copies ORDER BY k, nth",
            names.join(", "),
            values.join(", ")
        );
        run(service, &sql).map(drop)
    }
}

/// The outbox and the queue end where their last rows do.
fn end(run: &Run<'_>, service: Service) -> Result<()> {
    run(service, "UPDATE outbox_head SET last = (SELECT MAX(position) FROM outbox)")?;
    if service == Service::Barista {
        run(service, "UPDATE queues SET last_sequence = (SELECT MAX(sequence) FROM tickets)")?;
    }
    Ok(())
}

/// Everything was heard.
fn listeners_follow(run: &Run<'_>) -> Result<()> {
    for speaker in Service::ALL {
        let last = run(speaker, "SELECT CAST(last AS TEXT) FROM outbox_head")?;
        for listener in Service::ALL {
            let name = speaker.name();
            run(listener, &format!("UPDATE positions SET position = {last} WHERE source = '{name}'"))?;
        }
    }
    Ok(())
}
