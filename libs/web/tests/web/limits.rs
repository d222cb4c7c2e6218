//! What a service takes on at most, and what happens past it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use cafe_failures::{customer, log, process, tried};
use cafe_rig::own_addresses;
use cafe_web::Limits;
use tokio::sync::Notify;

use crate::support::{Caller, Service};

const GET: &str = "GET / HTTP/1.1\r\nhost: cafe\r\n\r\n";
/// Far longer than a place takes to become free.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn past_the_requests_in_flight_the_answer_is_an_early_503_but_health_still_answers() {
    tried(&customer::TOO_MANY_REQUESTS);
    let (inside, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (entered, held) = (Arc::clone(&inside), Arc::clone(&finish));
    let slow = move || async move {
        entered.notify_one();
        held.notified().await;
    };
    let router = Router::new().route("/", get(slow)).route("/health/live", get(|| async {}));
    let service = Service::start_within(router, Limits { in_flight: 1, ..Limits::default() });

    let mut first = service.call().await;
    first.send(GET.as_bytes()).await;
    inside.notified().await;
    let refused = service.get("/").await;
    refused.problem(503, "busy");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(service.get("/health/live").await.status, 200);

    finish.notify_one();
    assert_eq!(first.answer().await.status, 200);
    finish.notify_one();
    assert_eq!(first.ask(GET).await.status, 200, "there is room again");
}

#[tokio::test]
async fn past_the_connections_the_answer_is_an_early_503() {
    tried(&customer::TOO_MANY_CONNECTIONS);
    let log = log();
    let router = Router::new().route("/", get(|| async {}));
    let service = Service::start_within(router, Limits { connections: 1, ..Limits::default() });
    let mut first = service.call().await;
    assert_eq!(first.ask(GET).await.status, 200);
    let mut second = service.call().await;
    let refused = second.ask(GET).await;
    refused.problem(503, "busy");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(second.rest().await, "", "and no more is said on it");
    assert!(log.says(&["a connection was turned away: there are too many"]), "{}", log.text());
    assert_eq!(first.ask(GET).await.status, 200, "who is in stays in");
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    tried(&customer::NEVER_ENDS);
    let service = Service::start(Router::new().route("/", get(|| async {})));
    let mut caller = service.call().await;
    caller.send(b"GET / HTTP/1.1\r\nhost: cafe\r\nx-slow: ").await;
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    caller.rest().await;
    let limit = Duration::from_secs(20);
    assert!((limit..limit + Duration::from_secs(3)).contains(&started.elapsed()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_panic_is_a_500_problem_and_the_connection_lives_on() {
    async fn broken() {
        panic!("the secret word");
    }
    tried(&process::REQUEST_PANICS);
    let log = log();
    let router = Router::new().route("/broken", get(broken)).route("/", get(|| async {}));
    let service = Service::start(router);
    let mut caller = service.call().await;
    let answer = caller.ask("GET /broken HTTP/1.1\r\nhost: cafe\r\n\r\n").await;
    answer.problem(500, "internal");
    assert!(!answer.text().contains("secret"));
    assert!(log.says(&["path=\"/broken\"", "the secret word"]), "{}", log.text());
    assert_eq!(caller.ask(GET).await.status, 200);
}

#[tokio::test]
async fn strangers_who_take_every_place_leave_some_to_callers_on_this_machine() {
    let Some(stranger) = own_addresses().into_iter().next() else {
        return println!("not tried, for this machine is on no network");
    };
    let router = Router::new().route("/", get(|| async {}));
    let limits = Limits { connections: 3, kept_for_this_machine: 2, ..Limits::default() };
    let service = Service::start_on("0.0.0.0:0", router, limits);
    let mut near = service.call().await;
    let from_elsewhere = || async { Caller::to((stranger, service.address.port()).into()).await };

    let mut far = from_elsewhere().await;
    far.ask(GET).await.problem(503, "busy");
    assert_eq!(near.ask(GET).await.status, 200);
    drop(near);
    let let_in = async {
        loop {
            let mut far = from_elsewhere().await;
            if far.ask(GET).await.status == 200 {
                return far;
            }
        }
    };
    let mut far = tokio::time::timeout(PATIENCE, let_in).await.expect("there is room for one");
    from_elsewhere().await.ask(GET).await.problem(503, "busy");
    let (mut one, mut another) = (service.call().await, service.call().await);
    for caller in [&mut one, &mut another, &mut far] {
        assert_eq!(caller.ask(GET).await.status, 200);
    }
}
