//! What a page asks for: from whom, and how much.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Browser;
use crate::news::Event;

/// What is made by a page or the browser itself, such as what is shown of a page that does not come; nobody is asked.
const OURS: [&str; 5] = ["data:", "blob:", "about:", "chrome:", "chrome-error:"];

impl Browser {
    /// What was asked for elsewhere than of these origins (`http://127.0.0.1:3000`), since the browser was opened.
    #[track_caller]
    pub fn foreign_requests(&self, allowed_origins: &[&str]) -> Vec<String> {
        self.hear();
        let news = self.news.borrow();
        let asked = news.network.iter().filter_map(asked_for);
        asked.filter(|url| !is_allowed(url, allowed_origins)).map(str::to_owned).collect()
    }

    /// Bytes that have come over the wire for the page that is shown, heads included.
    #[track_caller]
    pub fn weight(&self) -> u64 {
        self.hear();
        let frame = self.session.frame();
        let frame = self.must(frame, "there is no page");
        let news = self.news.borrow();
        let begins = |event: &&Event| {
            event.method == "Network.requestWillBeSent"
                && event.params["frameId"] == frame.as_str()
                && event.params["requestId"] == event.params["loaderId"]
        };
        let Some(page) = news.network.iter().rfind(begins) else { return 0 };
        // The first of them, if it was sent elsewhere.
        let id = &page.params["requestId"];
        let from = news.network.iter().position(|event| event.params["requestId"] == *id);
        weight(&news.network[from.unwrap_or(0)..])
    }
}

fn asked_for(event: &Event) -> Option<&str> {
    match event.method.as_str() {
        "Network.requestWillBeSent" => event.params["request"]["url"].as_str(),
        "Network.webSocketCreated" => event.params["url"].as_str(),
        _ => None,
    }
}

fn is_allowed(url: &str, origins: &[&str]) -> bool {
    let is_of = |origin: &&str| {
        url.strip_prefix(*origin).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
    };
    OURS.iter().any(|scheme| url.starts_with(scheme)) || origins.iter().any(is_of)
}

/// What a request has brought: its head first, then chunks, and at its end the sum of both.
fn weight(events: &[Event]) -> u64 {
    let mut bytes: BTreeMap<&str, u64> = BTreeMap::new();
    let mut elsewhere = 0;
    for Event { method, params } in events {
        let Some(id) = params["requestId"].as_str() else { continue };
        let length = |of: &Value| of["encodedDataLength"].as_u64().unwrap_or(0);
        match method.as_str() {
            "Network.requestWillBeSent" => elsewhere += length(&params["redirectResponse"]),
            "Network.responseReceived" => *bytes.entry(id).or_default() += length(&params["response"]),
            "Network.dataReceived" => *bytes.entry(id).or_default() += length(params),
            "Network.loadingFinished" => *bytes.entry(id).or_default() = length(params),
            _ => {}
        }
    }
    elsewhere + bytes.values().sum::<u64>()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_origin_is_no_prefix_of_another() {
        let ours = ["http://127.0.0.1:300"];
        assert!(is_allowed("http://127.0.0.1:300/menu", &ours) && is_allowed("data:,", &ours));
        assert!(!is_allowed("http://127.0.0.1:3000/menu", &ours));
        assert!(!is_allowed("http://127.0.0.1:300.example/", &ours));
    }

    #[test]
    fn a_request_weighs_what_its_end_says_and_until_then_what_has_come() {
        let event = |method: &str, params: Value| Event { method: format!("Network.{method}"), params };
        let head = |id: &str| json!({ "requestId": id, "response": { "encodedDataLength": 100 } });
        let chunk = |id: &str| json!({ "requestId": id, "encodedDataLength": 20 });
        let mut events = vec![
            event(
                "requestWillBeSent",
                json!({ "requestId": "a", "redirectResponse": { "encodedDataLength": 7 } }),
            ),
            event("responseReceived", head("a")),
            event("dataReceived", chunk("a")),
            event("responseReceived", head("stream")),
            event("dataReceived", chunk("stream")),
        ];
        assert_eq!(weight(&events), 7 + 120 + 120);
        events.push(event("loadingFinished", json!({ "requestId": "a", "encodedDataLength": 150 })));
        assert_eq!(weight(&events), 7 + 150 + 120);
    }
}
