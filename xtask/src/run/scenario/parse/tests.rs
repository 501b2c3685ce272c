//! Scenarios parsed, and refused with their place.

use super::super::{Check, Kind, Source, Status};
use super::*;

const FILE: &str = "integration/tests/smoke/a.yaml";

/// All failures of a scenario as one text.
fn errors(text: &str) -> String {
    let failures = parse(text, FILE).unwrap_err();
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A scenario with one step, whose keys stand from line 4 on.
fn with_step(step: &str) -> String {
    format!("name: n\nsteps:\n  - service: s\n    {}\n", step.replace('\n', "\n    "))
}

#[test]
fn short_scenarios_have_sensible_defaults() {
    let scenario =
        parse("name: health of s\nservice: s\nsteps:\n  - request: { path: /health }\n", FILE).unwrap();
    assert_eq!((scenario.stem(), scenario.steps.len(), scenario.cleanup.len()), ("a", 1, 0));
    let step = &scenario.steps[0];
    assert_eq!(
        (step.name.as_str(), step.service.as_str(), step.line, step.port),
        ("GET /health", "s", 4, None)
    );
    assert_eq!((step.request.method.as_str(), step.request.timeout), ("GET", Duration::from_secs(10)));
    assert_eq!(step.expect, Expect { status: vec![Status::Class(2)], ..Expect::default() });
    assert_eq!(step.retry, None);
}

#[test]
fn every_key_is_read() {
    let scenario = parse(
        "name: n\ndescription: d\nsteps:\n  - name: first\n    service: s\n    port: 9000\n    request: { method: post, path: '/a?b=${run}', headers: { X-A: 1 }, body: raw, timeout: 2s }\n    expect:\n      status: [200, 4xx]\n      headers: { Content-Length: 5 }\n      json: { $.a: { equals: { b: 1 }, type: object, exists: true, length: 1 }, '$.c[0]': [1] }\n      body: { matches: '^x${run}$' }\n    capture: { id: $.id, place: { header: Location } }\n    retry: { times: 3, every: 20ms }\ncleanup:\n  - { service: s, request: { method: DELETE, path: '/${id}', json: { a: ['${place}'] } } }\n",
        FILE,
    )
    .unwrap();
    let step = &scenario.steps[0];
    assert_eq!((step.name.as_str(), step.port), ("first", Some(9000)));
    assert_eq!((step.request.method.as_str(), step.request.timeout), ("POST", Duration::from_secs(2)));
    assert_eq!(step.request.headers, [("X-A".to_owned(), "1".to_owned())]);
    assert_eq!(step.request.body, Some(Body::Text("raw".to_owned())));
    assert_eq!(step.expect.status, [Status::Exactly(200), Status::Class(4)]);
    let equal = |value: serde_json::Value| Check { equals: Some(value), ..Check::default() };
    assert_eq!(step.expect.headers, [("content-length".to_owned(), equal("5".into()))]);
    let (a, c) = (&step.expect.json[0].1, &step.expect.json[1].1);
    assert_eq!((a.kind, a.exists, a.length), (Some(Kind::Object), Some(true), Some(1)));
    assert_eq!((a.equals.clone(), c), (Some(serde_json::json!({"b": 1})), &equal(serde_json::json!([1]))));
    assert_eq!(step.expect.body.as_ref().unwrap().matches.as_deref(), Some("^x${run}$"));
    assert_eq!(step.capture[1].from, Source::Header("location".to_owned()));
    assert_eq!(step.retry, Some(Retry { times: 3, every: Duration::from_millis(20) }));
    assert!(matches!(scenario.cleanup[0].request.body, Some(Body::Json(_))));
}

#[test]
fn unknown_keys_have_their_line_and_a_suggestion() {
    assert_eq!(
        errors(
            "name: n\nsteps:\n  - service: s\n    reqest: { path: / }\n    request: { path: / }\n    expect:\n      stauts: 200\n"
        ),
        "unknown key `steps[0].reqest`
  at integration/tests/smoke/a.yaml:4
  why: a step takes name, service, port, request, expect, capture and retry
  fix: did you mean `request`?
unknown key `steps[0].expect.stauts`
  at integration/tests/smoke/a.yaml:7
  why: an expectation takes status, headers, json and body
  fix: did you mean `status`?"
    );
}

#[test]
fn missing_keys_say_what_they_are_for() {
    assert_eq!(
        errors("steps:\n  - expect: { status: 200 }\n"),
        "`name` is missing
  at integration/tests/smoke/a.yaml:1
  why: a scenario has a name, for the report and for `smoke NAME`
`steps[0].service` is missing
  at integration/tests/smoke/a.yaml:2
  why: each step, or the scenario for all of them, names the service to ask
`steps[0].request` is missing
  at integration/tests/smoke/a.yaml:2
  why: a step says what it sends, at least `request: { path: /health }`"
    );
    assert_eq!(
        errors(""),
        "wrong value for the file: nothing\n  at integration/tests/smoke/a.yaml:1\n  why: a scenario is a mapping"
    );
}

#[test]
fn wrong_values_say_what_belongs_there() {
    for (step, what, why) in [
        (
            "request: { path: health }",
            "wrong value for `steps[0].request.path`: `health`",
            "a path begins with `/`; host and port come from the service",
        ),
        (
            "request: { path: /, method: FETCH }",
            "wrong value for `steps[0].request.method`: `FETCH`",
            "a method is one of GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS",
        ),
        (
            "request: { path: /, timeout: 5 }",
            "wrong value for `steps[0].request.timeout`: `5`",
            "a time with its unit belongs here, such as 500ms, 10s or 1m, at most 10m",
        ),
        (
            "request: { path: /, json: 1, body: x }",
            "wrong value for `steps[0].request.body`: `x`",
            "a request has `json` or `body`, not both",
        ),
        (
            "request: { path: / }\nexpect: { status: 2x }",
            "wrong value for `steps[0].expect.status`: `2x`",
            "a status is a code such as 201, a class such as 2xx, or a list of them",
        ),
        (
            "request: { path: / }\nexpect: { json: { $.a: { type: strng } } }",
            "wrong value for `steps[0].expect.json.$.a.type`: `strng`",
            "a type is one of string, number, integer, boolean, object, array and null; did you mean `string`?",
        ),
        (
            "request: { path: / }\nexpect: { json: { id: 1 } }",
            "`id` is not a path",
            "a path begins with `$`, as in `$.items[0].id`",
        ),
        (
            "request: { path: / }\nexpect: { json: { $.a: { matches: '(' } } }",
            "wrong value for `steps[0].expect.json.$.a.matches`: `(`",
            "not a regular expression: unclosed group",
        ),
        (
            "request: { path: / }\nexpect: { json: { $.a: {} } }",
            "wrong value for `steps[0].expect.json.$.a`: a mapping",
            "a check has at least one of equals, type, matches, exists and length",
        ),
        (
            "request: { path: / }\ncapture: { run: $.id }",
            "`run` cannot be the name of a capture",
            "a name has letters, digits and `_`, and is not `run`",
        ),
        (
            "request: { path: / }\ncapture: { id: id }",
            "wrong value for `steps[0].capture.id`: `id`",
            "a path begins with `$`, as in `$.items[0].id`",
        ),
        (
            "request: { path: / }\nretry: { times: 0 }",
            "wrong value for `steps[0].retry.times`: `0`",
            "a whole number from 1 to 1000 belongs here",
        ),
        (
            "request: { path: / }\nport: http",
            "wrong value for `steps[0].port`: `http`",
            "a whole number from 1 to 65535 belongs here",
        ),
    ] {
        let line = 3 + step.lines().count();
        let wanted = format!("{what}\n  at {FILE}:{line}\n  why: {why}");
        assert_eq!(errors(&with_step(step)), wanted, "{step}");
    }
}

#[test]
fn variables_must_be_captured_before_they_are_used() {
    let text = "name: n\nservice: s\nsteps:\n  - request: { path: / }\n    capture: { user_id: $.id }\n  - request:\n      path: /x\n      json: { a: '${user_di}', b: '${later}' }\n    capture: { later: $.l }\n";
    assert_eq!(
        errors(text),
        "unknown variable `${user_di}`
  at integration/tests/smoke/a.yaml:8
  why: known at this step: `run` and `user_id`
  fix: did you mean `${user_id}`?
unknown variable `${later}`
  at integration/tests/smoke/a.yaml:8
  why: known at this step: `run` and `user_id`
  fix: capture it in an earlier step: `capture: { later: $.later }`"
    );
}
