//! Scenarios played against a small server.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use serde_json::json;

use super::super::{Played, Player, Verdict, explain, parse};
use crate::run::http::{Request, Response};

const FLOW: &str = "name: order flow
service: accounts
steps:
  - name: register
    request: { method: POST, path: /users, json: { email: 'ann-${run}@x', password: hunter22 } }
    expect: { status: 201 }
    capture: { user_id: $.id, token: $.token, place: { header: location } }
  - name: order
    service: trading
    request: { method: POST, path: /orders, headers: { Authorization: 'Bearer ${token}' }, json: { user: '${user_id}' } }
    expect: { status: 201, json: { $.user: '${user_id}' } }
    retry: { times: 3, every: 20ms }
    capture: { order_id: $.id }
  - name: read
    request: { path: '${place}' }
cleanup:
  - name: cancel
    service: trading
    request: { method: DELETE, path: '/orders/${order_id}' }
  - name: remove
    request: { method: DELETE, path: '/users/${user_id}' }
";

fn response(status: u16, body: &str) -> Response {
    let headers = [
        ("content-type".to_owned(), "application/json".to_owned()),
        ("location".to_owned(), "http://elsewhere:1/users/7".to_owned()),
        ("date".to_owned(), "today".to_owned()),
    ];
    let took = Duration::from_millis(12);
    Response { status, reason: "R".to_owned(), headers: headers.into(), body: body.into(), took }
}

/// Plays [`FLOW`] against answers for `METHOD URL`, in which the try is counted from 1; also what was sent.
fn play(
    answer: impl Fn(&str, u32) -> Result<Response, String>,
    go_on: impl Fn() -> bool,
) -> (Played, Vec<Request>) {
    let scenario = parse(FLOW, "integration/tests/smoke/order-flow.yaml").unwrap();
    let sent = RefCell::new(Vec::<Request>::new());
    let told = Cell::new(0);
    let player = Player {
        base_url: &|service, _| Ok(format!("http://{service}")),
        send: &|request| {
            sent.borrow_mut().push(request.clone());
            let same = |other: &&Request| other.url == request.url && other.method == request.method;
            let tries = sent.borrow().iter().filter(same).count();
            answer(&format!("{} {}", request.method, request.url), u32::try_from(tries).unwrap())
        },
        pause: &|_| go_on(),
        done: &|_| told.set(told.get() + 1),
    };
    let played = player.play(&scenario, "r1");
    assert_eq!(told.get(), played.steps.len());
    (played, sent.into_inner())
}

fn well(request: &str) -> Result<Response, String> {
    Ok(match request {
        "POST http://accounts/users" => response(201, r#"{"id":7,"token":"t0ken-value"}"#),
        "POST http://trading/orders" => response(201, r#"{"id":"o1","user":7}"#),
        _ => response(200, "{}"),
    })
}

#[test]
fn captures_travel_to_later_steps_and_clean_up_runs_last() {
    let (played, sent) = play(|request, _| well(request), || true);
    assert!(played.passed(), "{played:?}");
    let urls: Vec<String> =
        sent.iter().map(|request| format!("{} {}", request.method, request.url)).collect();
    assert_eq!(
        urls,
        [
            "POST http://accounts/users",
            "POST http://trading/orders",
            "GET http://accounts/users/7",
            "DELETE http://trading/orders/o1",
            "DELETE http://accounts/users/7",
        ]
    );
    let body: serde_json::Value = serde_json::from_slice(sent[1].body.as_ref().unwrap()).unwrap();
    assert_eq!(body, json!({"user": 7}));
    assert_eq!(sent[0].body.as_deref(), Some(&br#"{"email":"ann-r1@x","password":"hunter22"}"#[..]));
    let headers = [("Authorization", "Bearer t0ken-value"), ("Content-Type", "application/json")];
    assert_eq!(sent[1].headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn failure_skips_later_steps_but_cleans_up_what_exists() {
    let refused = |request: &str, _| match request {
        "POST http://trading/orders" => Ok(response(500, r#"{"error":"bad token t0ken-value"}"#)),
        other => well(other),
    };
    let (played, sent) = play(refused, || true);
    let verdicts: Vec<String> = played
        .steps
        .iter()
        .map(|step| match &step.verdict {
            Verdict::Passed => "passed".to_owned(),
            Verdict::Failed(_) => format!("failed {}", step.tries),
            Verdict::Skipped(why) => why.clone(),
        })
        .collect();
    assert_eq!(verdicts, ["passed", "failed 3", "`order` failed", "`order_id` was not captured", "passed"]);
    assert_eq!(sent.last().unwrap().method, "DELETE");
    let (step, fault) = played.failures().next().unwrap();
    let text = explain(&played.name, &played.file, step, fault);
    let (head, rest) = text.split_once("\n  after 3 tries in ").unwrap();
    assert_eq!(
        head,
        "`order` failed in scenario `order flow`\n  at integration/tests/smoke/order-flow.yaml:8"
    );
    let rest = rest.split_once('\n').unwrap().1;
    assert_eq!(
        rest,
        "  request:  POST http://trading/orders
            authorization: ***
            content-type: application/json
            {\"user\":7}
  response: 500 R in 12 ms
            content-type: application/json
            location: http://elsewhere:1/users/7
            {\"error\":\"bad token ***\"}
  status
    expected 201
    got      500 R
  $.user
    expected 7
    got      nothing"
    );
}

#[test]
fn a_value_that_cannot_be_captured_is_a_difference() {
    let without = |request: &str, _| match request {
        "POST http://accounts/users" => Ok(response(201, r#"{"id":7}"#)),
        other => well(other),
    };
    let (played, _) = play(without, || true);
    let (_, fault) = played.failures().next().unwrap();
    assert_eq!(fault.differences.len(), 1);
    assert_eq!(fault.differences[0].expected, "a value to capture as `token`");
}

#[test]
fn retries_end_with_the_first_try_that_holds() {
    let slow = |request: &str, tries| match request {
        "POST http://trading/orders" if tries < 3 => Err("connection refused".to_owned()),
        other => well(other),
    };
    let (played, _) = play(slow, || true);
    assert!(played.passed());
    assert_eq!(played.steps[1].tries, 3);
}

#[test]
fn no_answer_shows_request_and_cause_without_the_password() {
    let (played, _) = play(|_, _| Err("connection refused: nothing listens there".to_owned()), || true);
    let (step, fault) = played.failures().next().unwrap();
    assert_eq!(
        explain(&played.name, &played.file, step, fault),
        "`register` failed in scenario `order flow`
  at integration/tests/smoke/order-flow.yaml:4
  request:  POST http://accounts/users
            content-type: application/json
            {\"email\":\"ann-r1@x\",\"password\":\"***\"}
  why: connection refused: nothing listens there"
    );
}

#[test]
fn stopping_ends_the_steps_and_still_cleans_up() {
    let asked = Cell::new(0);
    let go_on = || {
        asked.set(asked.get() + 1);
        asked.get() < 2
    };
    let (played, sent) = play(|request, _| well(request), go_on);
    assert!(played.stopped && !played.passed());
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert_eq!(sent[1].method, "DELETE");
}
