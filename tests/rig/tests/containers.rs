//! The container files say what they should; without Docker that is as much as can be known here.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result};
use yaml_rust2::{Yaml, YamlLoader};

const SERVICES: [(&str, &str); 3] = [("order", "3000"), ("payment", "3001"), ("barista", "3002")];

/// The cafe, and what stands before it.
const CAFE: &str = "docker/docker-compose.yml";
const PROXY: &str = "docker/docker-compose.proxy.yml";

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(file: &str) -> Result<String> {
    fs::read_to_string(project().join(file)).with_context(|| file.to_owned())
}

fn compose(file: &str) -> Result<Yaml> {
    let documents = YamlLoader::load_from_str(&read(file)?)?;
    documents.into_iter().next().context("an empty file")
}

/// The entries of a mapping, those that it merges in with `<<` included.
fn entries(mapping: &Yaml) -> BTreeMap<&str, &Yaml> {
    let Some(own) = mapping.as_hash() else { return BTreeMap::new() };
    let mut all = entries(&mapping["<<"]);
    all.extend(
        own.iter().filter_map(|(key, value)| Some((key.as_str()?, value))).filter(|(key, _)| *key != "<<"),
    );
    all
}

fn words(list: &Yaml) -> Vec<&str> {
    list.as_vec().into_iter().flatten().filter_map(Yaml::as_str).collect()
}

#[test]
fn nothing_is_reachable_from_another_machine_and_everything_is_looked_after() -> Result<()> {
    let compose = compose(CAFE)?;
    let services = entries(&compose["services"]);
    assert_eq!(
        services.keys().copied().collect::<Vec<_>>(),
        ["barista", "kafka", "order", "payment", "postgres"]
    );
    for (name, service) in services {
        let service = entries(service);
        let published = service.get("ports").map(|ports| words(ports)).unwrap_or_default();
        // On the machine's own network nothing is published: the service itself listens on the loopback interface only.
        let on_host = service.get("network_mode").and_then(|mode| mode.as_str()) == Some("host");
        assert_ne!(published.is_empty(), !on_host, "{name}: {published:?}");
        assert!(published.iter().all(|port| port.starts_with("127.0.0.1:")), "{name}: {published:?}");
        let health =
            entries(service.get("healthcheck").with_context(|| format!("{name} has no health check"))?);
        assert_eq!(words(health["test"]).first(), Some(&"CMD"), "{name}");
        assert!(service.contains_key("restart") && service.contains_key("mem_limit"), "{name}");
        for volume in service.get("volumes").map(|volumes| words(volumes)).unwrap_or_default() {
            let (volume, _) = volume.split_once(':').context("a volume is mounted somewhere")?;
            assert!(
                entries(&compose["volumes"]).contains_key(volume),
                "{name}: {volume} is not a named volume"
            );
        }
    }
    Ok(())
}

#[test]
fn each_service_of_the_cafe_is_confined_and_runs_with_settings_that_the_program_knows() -> Result<()> {
    let (compose, settings) = (compose(CAFE)?, read("apps/cafe/src/settings.rs")?);
    for (name, port) in SERVICES {
        let service = entries(&compose["services"][name]);
        assert_eq!(words(service["command"]), [name]);
        assert_eq!(words(entries(service["healthcheck"])["test"]), ["CMD", "alive", port]);
        assert_eq!(service["read_only"].as_bool(), Some(true));
        assert_eq!(words(service["cap_drop"]), ["ALL"]);
        let variables = entries(service["environment"]);
        assert!(!variables.contains_key("CAFE_LISTEN"), "{name} is on the machine's own network");
        assert!(variables.contains_key("CAFE_KAFKA") && variables.contains_key("CAFE_DATABASE"));
        for variable in variables.keys() {
            let known = settings.contains(&format!("env = \"{variable}\""));
            assert!(known, "{name}: {variable} is not a setting");
        }
    }
    Ok(())
}

#[test]
fn the_proxy_is_confined_and_passes_on_to_where_the_services_listen() -> Result<()> {
    let (compose, file) = (compose(PROXY)?, read("docker/Caddyfile")?);
    let services = entries(&compose["services"]);
    assert_eq!(services.keys().copied().collect::<Vec<_>>(), ["proxy"]);
    let proxy = entries(services["proxy"]);
    // The services listen on the machine's own loopback interface, and say more there than they say to others.
    assert_eq!(proxy["network_mode"].as_str(), Some("host"));
    assert_eq!(proxy["read_only"].as_bool(), Some(true));
    assert_eq!((words(proxy["cap_drop"]), words(proxy["cap_add"])), (vec!["ALL"], vec!["NET_BIND_SERVICE"]));
    assert!(["healthcheck", "restart", "mem_limit"].iter().all(|key| proxy.contains_key(key)));
    assert!(words(proxy["volumes"]).contains(&"./Caddyfile:/etc/caddy/Caddyfile:ro"));
    for variable in entries(proxy["environment"]).keys() {
        assert!(file.contains(&format!("{{${variable}:")), "{variable} means nothing to the Caddyfile");
    }
    for (service, port) in SERVICES {
        let variable = service.to_uppercase();
        assert!(
            file.contains(&format!("reverse_proxy 127.0.0.1:{{$CAFE_{variable}_PORT:{port}}}")),
            "{service}"
        );
    }
    let screens = read("apps/cafe/src/up/screens.rs")?;
    for path in ["/pay", "/bar"] {
        assert!(
            file.contains(&format!("handle_path {path}/*")) && screens.contains(&format!("{path:?}")),
            "{path}"
        );
    }
    Ok(())
}

#[test]
fn the_image_is_built_with_our_toolchain_and_runs_as_nobody_in_particular() -> Result<()> {
    let file = read("docker/Containerfile")?;
    let toolchain = read("rust-toolchain.toml")?;
    let channel = toolchain.split_once("channel = \"").and_then(|(_, rest)| rest.split('"').next());
    let channel = channel.context("the toolchain has a channel")?;
    assert!(file.contains(&format!("FROM rust:{channel}-slim-")), "not built with Rust {channel}");
    assert!(file.contains(&format!("RUSTUP_TOOLCHAIN={channel}\n")), "another toolchain than the image's");
    let features = read("apps/cafe/Cargo.toml")?;
    assert!(
        file.contains("--features tls") && features.contains("\ntls = ["),
        "the program has no feature tls"
    );
    let last_user = file.lines().filter_map(|line| line.strip_prefix("USER ")).next_back();
    assert!(
        last_user.is_some_and(|user| !user.starts_with('0') && user != "root"),
        "it runs as {last_user:?}"
    );
    Ok(())
}

#[test]
fn alive_tells_a_service_that_lives_from_one_that_does_not() -> Result<()> {
    assert!(alive_before("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")?);
    assert!(!alive_before("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")?);
    assert!(!alive_before("")?);
    let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    assert!(!alive(free)?);
    Ok(())
}

/// What `alive` says of a server that answers any request for `/health/live` so.
fn alive_before(answer: &'static str) -> Result<bool> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let server = thread::spawn(move || -> Result<String> {
        let (mut stream, _) = listener.accept()?;
        let (mut request, mut byte) = (Vec::new(), [0]);
        while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
            request.extend(byte);
        }
        stream.write_all(answer.as_bytes())?;
        Ok(String::from_utf8(request)?)
    });
    let lives = alive(port)?;
    let request = server.join().expect("the server ends by itself")?;
    assert!(request.starts_with("GET /health/live HTTP/1.1\r\nHost: "), "{request}");
    Ok(lives)
}

fn alive(port: u16) -> Result<bool> {
    let mut alive = Command::new(project().join("docker/alive"));
    Ok(alive.arg(port.to_string()).output()?.status.success())
}
