//! The program that is built with TLS, between servers that speak nothing else.

use std::path::PathBuf;

use cafe_failures::{owner, tried};
use cafe_rig::{Certificate, Kafka, Postgres};
use cafe_system_tests::{Cafe, MOMENT, ROBOT, Rush, Service, Site, http, wait_until};

const RATE: u32 = 40;
const USER: &str = "cafe";
const PASSWORD: &str = "long and secret";
const REFUSED: &str = "certificate verify failed";

struct Servers {
    postgres: Postgres,
    kafka: Kafka,
    certificate: Certificate,
}

impl Servers {
    fn start() -> Self {
        let certificate = Certificate::for_loopback().expect("a certificate can be made");
        let postgres = Postgres::with_tls(&certificate).expect("PostgreSQL starts");
        let kafka = Kafka::guarded(&certificate, (USER, PASSWORD)).expect("Kafka starts");
        Self { postgres, kafka, certificate }
    }

    /// A cafe of which nothing runs yet, with this password, that trusts whoever `authority` has signed.
    fn closed(&self, password: &str, authority: PathBuf) -> Cafe {
        let site = Site {
            database: Some(format!("{}?sslmode=require", self.postgres.url())),
            kafka: Some(self.kafka.bootstrap()),
        };
        let mut cafe = Cafe::closed_at(site, &ROBOT);
        let options = [
            "security.protocol=sasl_ssl",
            "sasl.mechanism=SCRAM-SHA-512",
            &format!("sasl.username={USER}"),
            &format!("sasl.password={password}"),
            &format!("ssl.ca.location={}", authority.display()),
        ];
        cafe.set("CAFE_KAFKA_OPTIONS", options.join(","));
        cafe.set("SSL_CERT_FILE", authority);
        cafe
    }
}

fn line_of_log(cafe: &Cafe, with: &str) -> String {
    let find = || cafe.log().lines().find(|line| line.contains(with)).map(str::to_owned);
    wait_until(MOMENT, &format!("the log says: {with}"), find).0
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_cafe_works_over_tls_with_passwords() {
    let servers = Servers::start();
    let mut cafe = servers.closed(PASSWORD, servers.certificate.path());
    cafe.open();
    cafe.wait_until_ready();
    let rush = Rush::start(&cafe, RATE, &["tok_ok", "tok_declined"]);
    rush.wait_for_seconds(3);
    let sessions = servers.postgres.psql(
        "SELECT ssl, COUNT(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name LIKE 'cafe %' GROUP BY ssl",
    );
    let sessions = sessions.expect("the server tells of its sessions");
    assert!(sessions.starts_with("t|") && !sessions.contains("f|"), "all of them encrypted: {sessions}");
    rush.stop().demand_all_served(&cafe);
    let doctor = cafe.shown_command("doctor").output().expect("the program starts");
    assert!(doctor.status.success(), "{}", String::from_utf8_lossy(&doctor.stdout));
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_server_that_nobody_vouches_for_is_not_talked_to() {
    let servers = Servers::start();
    let stranger = Certificate::for_loopback().expect("a certificate can be made");
    let mut cafe = servers.closed(PASSWORD, stranger.path());
    tried(&owner::STRANGE_CERTIFICATE);
    cafe.open_alone(Service::Order);
    line_of_log(&cafe, REFUSED);
    assert!(!cafe.is_ready(Service::Order), "it does not open");
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_wrong_password_is_told_and_orders_wait() {
    let servers = Servers::start();
    let mut cafe = servers.closed("short", servers.certificate.path());
    tried(&owner::WRONG_PASSWORD);
    cafe.open_alone(Service::Order);
    cafe.wait_until_serving(Service::Order);
    let said = line_of_log(&cafe, "what is announced waits in the outbox");
    assert!(said.to_lowercase().contains("authentication"), "{said}");
    let body = r#"{"items":[{"menu":"latte"}],"payment":{"vendor":"simulator","token":"tok_ok"}}"#;
    let placed = http::post(cafe.port(Service::Order), "/orders", None, body).expect("order answers");
    assert_eq!((placed.status, &placed.json()["status"]), (201, &"placed".into()), "{}", placed.body);
    let is_silent = || cafe.health(Service::Order)["relay"]["silent"].is_string().then_some(());
    wait_until(MOMENT, "nothing of it is announced, and health says so", is_silent);
}
