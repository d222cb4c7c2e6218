//! What the settings ask for
//! (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>, and for OTLP
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>).

use hyper::Uri;

/// Where a collector on the same machine listens.
const USUAL_ENDPOINT: &str = "http://localhost:4318";
const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

/// What is to become of traces.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Nothing is exported, as nobody asked for it.
    Nothing,
    /// They are sent to this address.
    Export(String),
    /// Something is asked that cannot be done; nothing is exported. Why, and what would be right.
    Impossible(String),
}

/// Reads the environment.
pub(crate) fn asked() -> Asked {
    asked_by(|name| std::env::var(name).ok())
}

/// What is empty counts as not set, as the specification demands.
fn asked_by(environment: impl Fn(&str) -> Option<String>) -> Asked {
    let set =
        |name: &str| environment(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    if set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Asked::Nothing;
    }
    let exporter = set("OTEL_TRACES_EXPORTER");
    match exporter.as_deref() {
        Some("none") => return Asked::Nothing,
        Some("otlp") | None => {}
        Some(other) => {
            return Asked::Impossible(format!(
                "OTEL_TRACES_EXPORTER is {other:?}; otlp and none are known here"
            ));
        }
    }
    let below = |base: &str| format!("{}/v1/traces", base.trim_end_matches('/'));
    let endpoint = set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        .or_else(|| set("OTEL_EXPORTER_OTLP_ENDPOINT").map(|base| below(&base)))
        .or_else(|| exporter.map(|_| below(USUAL_ENDPOINT)));
    let Some(endpoint) = endpoint else { return Asked::Nothing };
    match fault(&endpoint, set) {
        Some(fault) => Asked::Impossible(fault),
        None => Asked::Export(endpoint),
    }
}

fn fault(endpoint: &str, set: impl Fn(&str) -> Option<String>) -> Option<String> {
    let of_traces = |name: &str| {
        let specific = format!("OTEL_EXPORTER_OTLP_TRACES_{name}");
        let general = format!("OTEL_EXPORTER_OTLP_{name}");
        [specific, general].into_iter().find_map(|variable| Some((set(&variable)?, variable)))
    };
    let uri = endpoint.parse::<Uri>().ok().filter(|uri| uri.host().is_some());
    let Some(uri) = uri else {
        return Some("the OTLP endpoint is no address; write http://<host>:4318".to_owned());
    };
    if uri.scheme_str() != Some("http") {
        return Some(format!(
            "the OTLP endpoint at {} is not http://; send to a collector on this machine or network, which sends on",
            uri.host().unwrap_or_default()
        ));
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Some("the OTLP endpoint holds a password; send it by OTEL_EXPORTER_OTLP_HEADERS".to_owned());
    }
    if let Some((protocol, name)) = of_traces("PROTOCOL").filter(|(value, _)| value != "http/protobuf") {
        return Some(format!(
            "{name} is {protocol:?}; write http/protobuf, and the collector's port for it, often 4318"
        ));
    }
    if let Some((compression, name)) = of_traces("COMPRESSION").filter(|(value, _)| value != "none") {
        return Some(format!("{name} is {compression:?}; only none is known here"));
    }
    let sampler = set("OTEL_TRACES_SAMPLER").filter(|sampler| !SAMPLERS.contains(&sampler.as_str()));
    sampler.map(|sampler| format!("OTEL_TRACES_SAMPLER is {sampler:?}; known: {}", SAMPLERS.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_exported_unless_it_is_asked_for() {
        for set in [
            &[][..],
            &[("OTEL_SERVICE_NAME", "shop"), ("OTEL_TRACES_SAMPLER", "always_on")],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"), ("OTEL_SDK_DISABLED", "True")],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"), ("OTEL_TRACES_EXPORTER", "none")],
        ] {
            assert_eq!(asked_with(set), Asked::Nothing, "{set:?}");
        }
    }

    #[test]
    fn the_address_for_traces_is_taken_as_it_is_and_the_general_one_is_added_to() {
        for (set, address) in [
            (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318")][..], "http://c:4318/v1/traces"),
            (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c/otlp/")], "http://c/otlp/v1/traces"),
            (&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c/t")], "http://c/t"),
            (&[("OTEL_TRACES_EXPORTER", "otlp")], "http://localhost:4318/v1/traces"),
            (
                &[
                    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"),
                    ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
                    ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
                ],
                "http://c:4318/v1/traces",
            ),
        ] {
            assert_eq!(asked_with(set), Asked::Export(address.to_owned()), "{set:?}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_told_with_the_settings_name_and_no_secret() {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            ("OTEL_TRACES_SAMPLER", "xray"),
        ] {
            let set = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"), (name, value)];
            let Asked::Impossible(why) = asked_with(&set) else { panic!("{name} is {value}") };
            assert!(why.contains(name) && why.contains(value), "{why}");
        }
        for endpoint in ["https://c:4318", "http://me:secret@c:4318", "nonsense", "c:4318"] {
            let asked = asked_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)]);
            assert!(matches!(&asked, Asked::Impossible(why) if !why.contains("secret")), "{asked:?}");
        }
    }

    fn asked_with(set: &[(&str, &str)]) -> Asked {
        asked_by(|name| set.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned()))
    }
}
