//! What a refusal must look like, whatever was refused.

use axum::body::to_bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde_json::Value;

use crate::wait;

/// More than any problem has, in bytes.
const LONGEST: usize = 1024 * 1024;

/// The caller is told what is wrong, as JSON (RFC 9457), and that it is not us: the status is one of `statuses`, and each field at
/// fault is named with what would be right.
pub(crate) fn must_be_plain(answer: Response, statuses: &[u16]) {
    let status = answer.status().as_u16();
    assert!(statuses.contains(&status), "{status} is none of {statuses:?}");
    assert_eq!(answer.headers()[CONTENT_TYPE], "application/problem+json");
    let body = wait(to_bytes(answer.into_body(), LONGEST)).expect("the whole answer is in memory");
    let problem: Value = serde_json::from_slice(&body).expect("a problem is JSON");
    assert_eq!(problem["status"], status);
    assert!(
        is_said(&problem["title"])
            && problem["type"].as_str().is_some_and(|kind| kind.starts_with("urn:cafe:"))
    );
    let errors = problem["errors"].as_array().map_or(&[][..], Vec::as_slice);
    assert!(!errors.is_empty() || is_said(&problem["detail"]), "nothing says what is wrong: {problem}");
    assert!(errors.iter().all(|error| is_said(&error["field"]) && is_said(&error["detail"])), "{problem}");
}

fn is_said(text: &Value) -> bool {
    text.as_str().is_some_and(|text| !text.trim().is_empty())
}
