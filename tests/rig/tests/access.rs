//! The rights that `docs/kafka.md` gives, given to a real Kafka by the commands as they stand there.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cafe_rig::{Kafka, kcat};

/// Every topic, who writes it and who listens to it, as in `libs/events`.
const TOPICS: [(&str, &[&str]); 3] =
    [("order", &["payment"]), ("payment", &["order", "barista"]), ("barista", &["order", "payment"])];
const SERVICES: [&str; 3] = ["order", "payment", "barista"];

/// Clients give a name and a password; the brokers among themselves, and the rig, may do everything.
const SETTINGS: [(&str, &str); 5] = [
    ("listener.security.protocol.map", "CLIENT:SASL_PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT"),
    ("sasl.enabled.mechanisms", "PLAIN"),
    ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
    ("super.users", "User:ANONYMOUS"),
    (
        "listener.name.client.plain.sasl.jaas.config",
        r#"org.apache.kafka.common.security.plain.PlainLoginModule required user_cafe-order="cup" user_cafe-payment="cup" user_cafe-barista="cup" user_stranger="cup";"#,
    ),
];

#[test]
fn each_service_writes_its_own_topic_and_reads_those_that_it_hears_and_nobody_does_more() -> Result<()> {
    let kafka = Kafka::with(1, &SETTINGS)?;
    for (topic, _) in TOPICS {
        kafka.create_topic(topic, 1, &[])?;
    }
    give_rights(&kafka)?;
    for (topic, listeners) in TOPICS {
        for service in SERVICES {
            let user = format!("cafe-{service}");
            assert_eq!(writes(&kafka, &user, topic), service == topic, "{user} writes {topic}");
            let may_read = service == topic || listeners.contains(&service);
            assert_eq!(reads(&kafka, &user, topic), may_read, "{user} reads {topic}");
        }
        assert!(
            !writes(&kafka, "stranger", topic) && !reads(&kafka, "stranger", topic),
            "a stranger in {topic}"
        );
    }
    for service in SERVICES {
        assert!(joins(&kafka, &format!("cafe-{service}"), service), "{service} in its own group");
    }
    assert!(!joins(&kafka, "cafe-order", "payment"), "order in payment's group");
    Ok(())
}

/// Runs the document's commands, with Kafka's tool in place of its script.
fn give_rights(kafka: &Kafka) -> Result<()> {
    let document = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/kafka.md"))?;
    let commands = document.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next());
    let commands = commands.context("docs/kafka.md has commands")?;
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("admin.properties"), "")?;
    let script = r#"set -eu; tool=("$@"); kafka-acls.sh() { "${tool[@]}" "$@"; }; eval "$COMMANDS""#;
    let tool = kafka.tool("org.apache.kafka.tools.AclCommand");
    let mut bash = Command::new("bash");
    bash.args(["-c", script, "bash"]).arg(tool.get_program()).args(tool.get_args());
    bash.env("COMMANDS", commands).env("KAFKA", kafka.bootstrap_directly()).current_dir(folder.path());
    let output = bash.output()?;
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    ensure!(output.status.success(), "{said}");
    Ok(())
}

/// An idempotent producer, as the cafe's.
fn writes(kafka: &Kafka, user: &str, topic: &str) -> bool {
    let settings = ["-X", "enable.idempotence=true", "-X", "message.timeout.ms=10000"];
    ask(kafka, user, &[&["-P", "-t", topic], &settings[..]].concat(), "an order\n")
}

fn reads(kafka: &Kafka, user: &str, topic: &str) -> bool {
    ask(kafka, user, &["-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q"], "")
}

/// Commits an offset to the group of `service`, reading `payment`, which is its own topic or one that it hears.
fn joins(kafka: &Kafka, user: &str, service: &str) -> bool {
    let group = format!("cafe-{service}");
    ask(kafka, user, &["-X", "auto.offset.reset=earliest", "-e", "-q", "-G", &group, "payment"], "")
}

/// Whether kcat may do that as this user; fails the test if it fails for anything but a missing right.
fn ask(kafka: &Kafka, user: &str, what: &[&str], input: &str) -> bool {
    let (at, user) = (kafka.bootstrap(), format!("sasl.username={user}"));
    let who = ["-b", &at, "-X", "security.protocol=sasl_plaintext", "-X", "sasl.mechanisms=PLAIN"];
    let who = [&who[..], &["-X", &user, "-X", "sasl.password=cup"]].concat();
    match kcat(&[&who[..], what].concat(), input) {
        Ok(_) => true,
        Err(refusal) if format!("{refusal:#}").to_lowercase().contains("authorization failed") => false,
        Err(failure) => panic!("{user}: {failure:#}"),
    }
}
