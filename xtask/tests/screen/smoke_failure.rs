//! The screens of `smoke` and `test`.

use crate::answers::{server, with_containers, with_scenario, without_times};
use crate::fake::Fake;

const CONFLICT: &str = "HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\nContent-Length: 17\r\nConnection: close\r\n\r\n{\"error\":\"taken\"}";
const SCENARIO: &str = "name: registration
service: accounts
steps:
  - name: register
    request: { method: POST, path: /users, json: { name: ann, password: hunter22 } }
    expect: { status: 201, json: { $.id: { type: integer } } }
    capture: { user_id: $.id }
  - request: { path: '/users/${user_id}' }
cleanup:
  - name: remove
    request: { method: DELETE, path: '/users/${user_id}' }
";

fn with_accounts(answer: &'static str) -> (Fake, String) {
    let port = server(answer).to_string();
    let ports = format!("127.0.0.1:{port}->3001/tcp");
    let health = "Up 1 second (healthy)";
    (
        with_containers(
            Fake::new(),
            &[["accounts", "running", health, &ports, "service", "http 3001", "http 3001 /"]],
        ),
        port,
    )
}

#[test]
fn a_failure_shows_request_response_and_difference() {
    let (fake, port) = with_accounts(CONFLICT);
    let fake = with_scenario(fake, "registration.yaml", SCENARIO);
    let report = fake.setup().join("reports/smoke.xml");
    let screen = fake.run_here(&["smoke", "--junit", report.to_str().unwrap()]);
    assert_eq!(screen.code, 1);
    assert_eq!(
        without_times(&screen.stderr).replace(&port, "12345"),
        "     Playing registration (integration/tests/smoke/registration.yaml)
      Failed register (N ms)
     Skipped GET /users/${user_id} (`register` failed)
     Skipped remove (clean-up) (`user_id` was not captured)
error: `register` failed in scenario `registration`
  at integration/tests/smoke/registration.yaml:4
  request:  POST http://127.0.0.1:12345/users
            content-type: application/json
            {\"name\":\"ann\",\"password\":\"***\"}
  response: 409 Conflict in N ms
            content-type: application/json
            {\"error\":\"taken\"}
  status
    expected 201
    got      409 Conflict
  $.id
    expected type integer
    got      nothing
      Failed 1 of 1 scenario
"
    );
    assert_eq!(
        without_times(&screen.stdout),
        "SCENARIO      RESULT                STEPS   TIME\nregistration  failed at `register`  0 of 3  N ms\n"
    );
    let xml = std::fs::read_to_string(&report).unwrap();
    assert!(xml.contains("failures=\"1\" errors=\"0\" skipped=\"2\"") && !xml.contains("hunter22"), "{xml}");
}

#[test]
fn a_mistake_in_a_scenario_stops_before_anything_is_sent() {
    let screen = with_scenario(Fake::new(), "a.yaml", "name: a\nstep: []\n").run(&["smoke"]);
    assert_eq!(screen.code, 1);
    assert_eq!(
        screen.stderr,
        "error: unknown key `step`
  at integration/tests/smoke/a.yaml:2
  why: a scenario takes name, description, service, steps and cleanup
  fix: did you mean `steps`?
error: `steps` is missing
  at integration/tests/smoke/a.yaml:1
  why: a scenario has at least one step
2 errors, nothing was sent
"
    );
    assert_eq!(screen.calls, "");
}

#[test]
fn an_empty_folder_is_a_warning() {
    let screen = Fake::new().run(&["smoke"]);
    assert_eq!((screen.code, screen.stdout.as_str()), (0, ""));
    assert_eq!(
        screen.stderr,
        "warning: there are no scenarios\n  at integration/tests/smoke\n  \
         why: one is generated for each service with a health route over HTTP; all others are yours to write\n  \
         fix: cargo xtask smoke --help, which shows how; or cargo xtask integrate, where such a service is new\n"
    );
}

#[test]
fn test_runs_health_before_the_scenarios_and_sums_both_up() {
    let (fake, _) = with_accounts("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    let screen =
        with_scenario(fake, "health.yaml", "name: healthy\nservice: accounts\nsteps: [request: {path: /}]\n")
            .run(&["test"]);
    assert_eq!(screen.code, 0, "{}", screen.stderr);
    assert_eq!(
        without_times(&screen.stdout),
        "TEST    OF        RESULT  TIME\nhealth  accounts  passed  N ms\nsmoke   healthy   passed  N ms\n"
    );
    assert_eq!(
        without_times(&screen.stderr),
        "     Checked 1 container and 1 endpoint
warning: nothing says who has to reach whom
  at integration/tests/connectivity.yaml
  fix: cargo xtask integrate
     Playing healthy (integration/tests/smoke/health.yaml)
      Passed GET / (N ms)
    Finished 2 tests passed
"
    );
}
