//! What can be set: flag > `CAFE_*` environment > `cafe.toml` > default.
//!
//! [`Settings`] declares each setting once. A value that is wrong and a key that is not known are refused at start.

mod values;
mod variables;

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use cafe_delivery::{KafkaSettings, Place, Rungs};
use cafe_events::{Currency, Source};
use cafe_order::menu::Menu;
use cafe_order::{PAY_BY_MAX, PAY_BY_MIN};
use confique::{Config, File, FileFormat, Layer};

use crate::services;
pub(crate) use values::{ListenAddress, Port, PublicUrl, Span, StoreName, ZoneName};
pub(crate) use variables::{unknown_variables, warn_of_mistyped_variables};

/// The settings as they came on the command line.
pub(crate) type Flags = <Settings as Config>::Layer;

/// Read when no `--config` names another.
const USUAL_FILE: &str = "cafe.toml";
/// Used when nothing names a data folder.
const USUAL_DATA: &str = "./data";

/// Everything that can be set, decided.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(layer_attr(derive(clap::Args, Clone, Debug)))]
#[config(layer_attr(command(
    next_help_heading = "Settings (also CAFE_* in the environment, or in cafe.toml)"
)))]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub(crate) struct Settings {
    /// The folder that holds everything a cafe keeps [default: ./data]
    #[config(env = "CAFE_DATA", layer_attr(arg(long, global = true, value_name = "DIR")))]
    data: Option<PathBuf>,

    /// The server that keeps the databases, such as `postgres://user:password@host:5432/cafe`; `{service}` in it stands for
    /// order, payment or barista [default: files in the data folder]
    #[config(env = "CAFE_DATABASE")]
    #[config(layer_attr(arg(long, global = true, value_name = "URL", hide_env_values = true)))]
    database: Option<String>,

    /// The Kafka brokers that carry events, such as one:9092,two:9092 [default: none, services read each other's databases]
    #[config(env = "CAFE_KAFKA")]
    #[config(layer_attr(arg(long, global = true, value_name = "BROKERS")))]
    kafka: Option<String>,

    /// Settings of librdkafka for every connection to Kafka, such as `security.protocol=SASL_SSL,sasl.mechanism=PLAIN`
    #[config(env = "CAFE_KAFKA_OPTIONS")]
    #[config(layer_attr(arg(long, global = true, value_name = "NAME=VALUE,…", hide_short_help = true)))]
    kafka_options: Option<String>,

    /// A name for each of several processes of a service on one data folder [default: none]
    #[config(env = "CAFE_REPLICA")]
    #[config(layer_attr(arg(long, global = true, value_name = "NAME", hide_short_help = true)))]
    replica: Option<StoreName>,

    /// The store that an order belongs to when it names none [default: main]
    #[config(env = "CAFE_STORE", default = "main")]
    #[config(layer_attr(arg(long, global = true, value_name = "NAME", hide_short_help = true)))]
    pub(crate) store: StoreName,

    /// What prices are in [default: KRW]
    #[config(env = "CAFE_CURRENCY", default = "KRW")]
    #[config(layer_attr(arg(long, global = true, value_name = "CODE", hide_short_help = true, value_parser = values::currency)))]
    pub(crate) currency: Currency,

    /// The menu [default: the one inside the program]
    #[config(env = "CAFE_MENU")]
    #[config(layer_attr(arg(long, global = true, value_name = "FILE", hide_short_help = true)))]
    menu: Option<PathBuf>,

    /// Where the cafe stands; its day begins at midnight there [default: Asia/Seoul]
    #[config(env = "CAFE_TIME_ZONE", default = "Asia/Seoul")]
    #[config(layer_attr(arg(long, global = true, value_name = "ZONE", hide_short_help = true)))]
    pub(crate) time_zone: ZoneName,

    /// How long a customer has to pay [default: 10m]
    #[config(env = "CAFE_PAY_BY", default = "10m")]
    #[config(layer_attr(arg(long, global = true, value_name = "TIME")))]
    pub(crate) pay_by: Span,

    /// Who can reach the cafe: 0.0.0.0 (with IPv6, ::) listens for everybody on the network, an address of this machine for those
    /// who reach that one [default: 127.0.0.1, this machine alone]
    #[config(env = "CAFE_LISTEN", default = "127.0.0.1")]
    #[config(layer_attr(arg(long, global = true, value_name = "ADDRESS")))]
    pub(crate) listen: ListenAddress,

    /// What the cafe is called from outside, where a proxy stands before it, such as `https://cafe.example`: order is at / of it,
    /// payment at /pay/, barista at /bar/ [default: none]
    #[config(env = "CAFE_PUBLIC_URL")]
    #[config(layer_attr(arg(long, global = true, value_name = "URL")))]
    pub(crate) public_url: Option<PublicUrl>,

    /// Where the order service listens [default: 3000]
    #[config(env = "CAFE_ORDER_PORT", default = 3000)]
    #[config(layer_attr(arg(long, global = true, value_name = "PORT")))]
    order_port: Port,

    /// Where the payment service listens [default: 3001]
    #[config(env = "CAFE_PAYMENT_PORT", default = 3001)]
    #[config(layer_attr(arg(long, global = true, value_name = "PORT")))]
    payment_port: Port,

    /// Where the barista service listens [default: 3002]
    #[config(env = "CAFE_BARISTA_PORT", default = 3002)]
    #[config(layer_attr(arg(long, global = true, value_name = "PORT")))]
    barista_port: Port,

    /// A barista that starts and finishes tickets by the menu's times
    #[config(env = "CAFE_ROBOT", default = false, deserialize_with = values::truth)]
    #[config(layer_attr(arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "true|false")))]
    pub(crate) robot: bool,

    /// How many times faster than the menu the robot works [default: 1]
    #[config(env = "CAFE_ROBOT_SPEED", default = 1.0, deserialize_with = values::number)]
    #[config(layer_attr(arg(long, global = true, value_name = "TIMES")))]
    pub(crate) robot_speed: f64,

    /// How many drinks the robot makes at the same time in each store [default: 4]
    #[config(env = "CAFE_ROBOT_BARISTAS", default = 4, deserialize_with = values::count)]
    #[config(layer_attr(arg(long, global = true, value_name = "COUNT", hide_short_help = true)))]
    pub(crate) robot_baristas: u16,

    /// Staff touch each order when they start it; otherwise the next one starts when the one before it is ready
    #[config(env = "CAFE_TWO_TOUCH", default = false, deserialize_with = values::truth)]
    #[config(layer_attr(arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "true|false", hide_short_help = true)))]
    pub(crate) two_touch: bool,

    /// How long an order is ready before it counts as picked up, though nobody said so [default: 10m]
    #[config(env = "CAFE_PICKED_UP_AFTER", default = "10m")]
    #[config(layer_attr(arg(long, global = true, value_name = "TIME", hide_short_help = true)))]
    pub(crate) picked_up_after: Span,

    /// How long a ready order waits for its customer before it counts as uncollected, where that is sooner [default: 2h]
    #[config(env = "CAFE_UNCOLLECTED_AFTER", default = "2h")]
    #[config(layer_attr(arg(long, global = true, value_name = "TIME", hide_short_help = true)))]
    pub(crate) uncollected_after: Span,

    /// How long the simulated payment vendor takes to answer [default: 0ms]
    #[config(env = "CAFE_SIMULATOR_LATENCY", default = "0ms")]
    #[config(layer_attr(arg(long, global = true, value_name = "TIME", hide_short_help = true)))]
    pub(crate) simulator_latency: Span,

    /// How large a database's write-ahead log may grow before whoever pins it is restarted, in MB [default: 256]
    #[config(env = "CAFE_WAL_LIMIT_MB", default = 256, deserialize_with = values::count)]
    #[config(layer_attr(arg(long, global = true, value_name = "MB", hide_short_help = true)))]
    pub(crate) wal_limit_mb: u64,
}

impl Settings {
    /// Decides every setting. `file` is what `--config` named.
    ///
    /// # Errors
    /// Name the setting, where it was set and what would be right.
    pub(crate) fn load(flags: Flags, file: Option<&Path>) -> anyhow::Result<Self> {
        let from_file = match file {
            Some(path) => File::with_format(path, FileFormat::Toml).required().load(),
            None => File::with_format(USUAL_FILE, FileFormat::Toml).load(),
        };
        let layers =
            flags.with_fallback(Flags::from_env().map_err(told)?).with_fallback(from_file.map_err(told)?);
        let settings = Self::from_layer(layers.with_fallback(Flags::default_values())).map_err(told)?;
        settings.check()?;
        Ok(settings)
    }

    /// The folder that holds everything.
    pub(crate) fn data(&self) -> &Path {
        self.data.as_deref().unwrap_or(Path::new(USUAL_DATA))
    }

    /// What a cafe uses beyond its folder.
    pub(crate) fn rungs(&self) -> Rungs {
        // They were looked at when they were read.
        let options = self.kafka_options.as_deref().map(cafe_delivery::options_from);
        let options = options.and_then(Result::ok).unwrap_or_default();
        Rungs {
            database: self.database.clone(),
            kafka: self.kafka.clone().map(|brokers| KafkaSettings { brokers, options }),
            replica: self.replica.as_ref().map(ToString::to_string),
        }
    }

    /// Where the cafe keeps everything.
    pub(crate) fn place(&self) -> anyhow::Result<Place> {
        Place::on(self.data(), &self.rungs()).context("the setting database cannot be used")
    }

    /// The data folder, if a flag, the environment or the file names one.
    pub(crate) fn named_data(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// The port of a service.
    pub(crate) fn port(&self, service: Source) -> u16 {
        let port = match service {
            Source::Order => self.order_port,
            Source::Payment => self.payment_port,
            Source::Barista => self.barista_port,
        };
        port.0
    }

    /// Where a service listens.
    pub(crate) fn listen_at(&self, service: Source) -> SocketAddr {
        (self.listen.0, self.port(service)).into()
    }

    /// Where a service is called on this machine. It listens there whatever else it listens on.
    pub(crate) fn address(&self, service: Source) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port(service)).into()
    }

    /// As [`Self::address`], such as `http://127.0.0.1:3000`.
    pub(crate) fn url(&self, service: Source) -> String {
        format!("http://{}", self.address(service))
    }

    /// What can be ordered.
    pub(crate) fn menu(&self) -> anyhow::Result<Menu> {
        let Some(file) = &self.menu else { return Ok(Menu::built_in()) };
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("menu {} cannot be read", file.display()))?;
        Menu::parse(&text).with_context(|| format!("menu {}", file.display()))
    }

    /// Everything that `service` depends on, as flags: started with these, it needs neither file nor environment.
    pub(crate) fn flags_for(&self, service: Source) -> anyhow::Result<Vec<OsString>> {
        let mut flags = Vec::new();
        // In one word with its flag, a value that begins with a dash is not taken for another flag.
        let mut flag = |name: &str, value: OsString| {
            let mut word = OsString::from(format!("--{name}="));
            word.push(value);
            flags.push(word);
        };
        flag("data", std::path::absolute(self.data()).context("the working directory is gone")?.into());
        flag("listen", self.listen.to_string().into());
        flag(&format!("{service}-port"), self.port(service).to_string().into());
        let beyond =
            [("database", &self.database), ("kafka", &self.kafka), ("kafka-options", &self.kafka_options)];
        for (name, value) in beyond {
            if let Some(value) = value {
                flag(name, value.into());
            }
        }
        if let Some(replica) = &self.replica {
            flag("replica", replica.to_string().into());
        }
        match service {
            Source::Order => {
                flag("store", self.store.to_string().into());
                flag("currency", self.currency.to_string().into());
                flag("time-zone", self.time_zone.to_string().into());
                flag("pay-by", self.pay_by.to_string().into());
                if let Some(menu) = &self.menu {
                    flag("menu", std::path::absolute(menu).context("the working directory is gone")?.into());
                }
            }
            Source::Payment => flag("simulator-latency", self.simulator_latency.to_string().into()),
            Source::Barista => {
                flag("store", self.store.to_string().into());
                flag("robot", self.robot.to_string().into());
                flag("robot-speed", self.robot_speed.to_string().into());
                flag("robot-baristas", self.robot_baristas.to_string().into());
                flag("two-touch", self.two_touch.to_string().into());
                flag("picked-up-after", self.picked_up_after.to_string().into());
                flag("uncollected-after", self.uncollected_after.to_string().into());
            }
        }
        Ok(flags)
    }

    /// What no single value can tell.
    fn check(&self) -> anyhow::Result<()> {
        self.place()?;
        if let Some(kafka) = &self.kafka {
            let are_brokers = kafka.split(',').all(|broker| {
                broker
                    .trim()
                    .rsplit_once(':')
                    .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
            });
            ensure!(are_brokers, "kafka is {kafka:?}: name brokers as host:port, separated by commas");
        }
        if let Some(options) = &self.kafka_options {
            ensure!(self.kafka.is_some(), "kafka-options is set, but kafka is not: name the brokers too");
            cafe_delivery::options_from(options)
                .map_err(|error| anyhow!("kafka-options: {error}; write name=value,name=value"))?;
        }
        ensure!(
            self.replica.is_none() || self.database.is_some(),
            "replica is set, but database is not: only a database on a server can have several processes"
        );
        for (at, service) in Source::ALL.into_iter().enumerate() {
            let port = self.port(service);
            if let Some(other) = Source::ALL[..at].iter().find(|other| self.port(**other) == port) {
                bail!(
                    "{service}_port and {other}_port are both {port}; each service needs a port of its own"
                );
            }
        }
        let speed = self.robot_speed;
        ensure!(
            speed > 0.0 && speed.is_finite(),
            "robot_speed is {speed}; it is how many times as fast as the menu, above 0"
        );
        ensure!(self.robot_baristas >= 1, "robot_baristas is 0; name a count from 1");
        ensure!(self.wal_limit_mb >= 1, "wal_limit_mb is 0; it is a size in MB, from 1 (usual: 256)");
        let pay_by_is_right = (PAY_BY_MIN..=PAY_BY_MAX).contains(&self.pay_by.0);
        ensure!(pay_by_is_right, "pay_by is {}; name a time from 1s to 24h, such as 10m", self.pay_by);
        services::payment_config(self).check().map_err(|wrong| anyhow!("simulator_latency: {wrong}"))?;
        services::barista_config(self).check().map_err(|wrong| anyhow!("robot_speed: {wrong}"))?;
        self.menu().map(drop)
    }
}

/// The library's words, which name setting and place, without its own type's name.
#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn told(error: confique::Error) -> anyhow::Error {
    anyhow!("{}", format!("{error:#}").replace("Settings::", "").trim_end())
}
