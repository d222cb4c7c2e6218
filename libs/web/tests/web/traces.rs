//! A request's place in a distributed trace: what its consequences carry, and what the caller is told when it fails.

use axum::Router;
use axum::routing::get;
use cafe_web::{Problem, Traceparent};
use serde_json::Value;

use crate::support::{Answer, Service};

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test]
async fn a_callers_trace_is_passed_on_as_it_came() {
    let service = service();
    assert_eq!(ask(&service, "/carried", &[CALLER]).await.text(), CALLER);
    service.end().await;
}

#[tokio::test]
async fn without_a_callers_trace_or_with_a_bad_one_a_new_one_begins() {
    let service = service();
    let broken = CALLER.to_uppercase();
    let other = CALLER.replace('4', "5");
    for headers in [&[][..], &[broken.as_str()], &[CALLER, other.as_str()], &["nonsense"]] {
        let (first, second) =
            (ask(&service, "/carried", headers).await, ask(&service, "/carried", headers).await);
        for carried in [first.text(), second.text()] {
            assert!(carried.starts_with("00-") && carried.len() == CALLER.len(), "{headers:?}: {carried}");
            assert!(!carried.contains(TRACE_ID), "{headers:?}: {carried}");
        }
        assert_ne!(first.text(), second.text(), "{headers:?}");
    }
    service.end().await;
}

#[tokio::test]
async fn a_problem_names_its_trace_whoever_found_it() {
    let service = service();
    for (path, status, slug) in [("/failing", 500, "internal"), ("/nowhere", 404, "not-found")] {
        let answer = ask(&service, path, &[CALLER]).await;
        assert_eq!(answer.problem(status, slug)["trace_id"], TRACE_ID);
        let answer = ask(&service, path, &[]).await;
        let Value::String(begun) = &answer.problem(status, slug)["trace_id"] else { panic!("no trace id") };
        assert!(begun.len() == 32 && begun != TRACE_ID, "{begun}");
    }
    service.end().await;
}

fn service() -> Service {
    let carried = |Traceparent(carried): Traceparent| async { carried.unwrap_or_default() };
    let failing = || async { Problem::internal("the disk is upside down") };
    Service::start(Router::new().route("/carried", get(carried)).route("/failing", get(failing)))
}

async fn ask(service: &Service, path: &str, traceparents: &[&str]) -> Answer {
    let lines: String = traceparents.iter().flat_map(|value| ["traceparent: ", value, "\r\n"]).collect();
    service.call().await.ask(&format!("GET {path} HTTP/1.1\r\nhost: cafe\r\n{lines}\r\n")).await
}
