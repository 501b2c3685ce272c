//! What a start has come to, on invented observations.

use super::*;
use crate::run::labels::Labels;

fn expect(name: &str, depth: usize, one_shot: bool) -> Expected {
    Expected { name: name.to_owned(), one_shot, depth, waits_for: Vec::new() }
}

fn container(service: &str, state: State, check: Check, exit_code: Option<i32>) -> Container {
    Container {
        id: format!("id-{service}"),
        service: service.to_owned(),
        name: format!("p-{service}-1"),
        image: String::new(),
        state,
        check,
        exit_code,
        status: String::new(),
        ports: Vec::new(),
        created: String::new(),
        labels: Labels::default(),
        depends_on: Vec::new(),
    }
}

fn look(at_ms: u64, compose: Option<i32>, containers: &[Container]) -> Observation {
    Observation {
        containers: containers.to_vec(),
        details: BTreeMap::new(),
        at: Duration::from_millis(at_ms),
        compose,
    }
}

fn with(mut seen: Observation, id: &str, details: Details) -> Observation {
    seen.details.insert(id.to_owned(), details);
    seen
}

fn watch(before: &Observation) -> Watch {
    let expected = vec![expect("db", 0, false), expect("setup", 1, true), expect("api", 2, false)];
    Watch::new(expected, before, Duration::from_secs(300))
}

const RUNNING: State = State::Running;

#[test]
fn a_good_start_is_ready_when_all_are_and_compose_has_ended() {
    let mut watch = watch(&Observation::default());
    let db = container("db", RUNNING, Check::Healthy, None);
    let setup = container("setup", State::Exited, Check::None, Some(0));
    let (changes, verdict) = watch.step(&look(0, None, &[]));
    assert_eq!((changes.len(), verdict), (0, Verdict::Wait));
    let starting = container("db", RUNNING, Check::Starting, None);
    let (changes, _) =
        watch.step(&look(100, None, &[starting, container("api", State::Created, Check::None, None)]));
    assert_eq!((changes.len(), &changes[0].phase), (1, &Phase::Starting));
    let (changes, _) = watch.step(&look(900, None, std::slice::from_ref(&db)));
    assert_eq!((changes[0].phase.clone(), changes[0].took), (Phase::Ready, Duration::from_millis(800)));
    let all = [db, setup, container("api", RUNNING, Check::Healthy, None)];
    assert_eq!(watch.step(&look(1000, None, &all)).1, Verdict::Wait);
    assert_eq!(watch.step(&look(1100, Some(0), &all)).1, Verdict::Ready);
}

#[test]
fn failures_come_in_the_order_of_the_dependencies() {
    let mut watch = watch(&Observation::default());
    let seen = [
        container("api", State::Exited, Check::None, Some(1)),
        container("db", State::Exited, Check::None, Some(137)),
    ];
    let (_, verdict) = watch.step(&look(0, None, &seen));
    assert_eq!(
        verdict,
        Verdict::Failed(vec![("db".into(), Cause::Exited(137)), ("api".into(), Cause::Exited(1))])
    );
}

#[test]
fn a_service_that_ends_well_has_failed_and_a_one_shot_has_not() {
    let mut watch = watch(&Observation::default());
    let seen = [
        container("setup", State::Exited, Check::None, Some(0)),
        container("api", State::Exited, Check::None, Some(0)),
    ];
    let (_, verdict) = watch.step(&look(0, None, &seen));
    assert_eq!(verdict, Verdict::Failed(vec![("api".into(), Cause::Exited(0))]));
}

#[test]
fn an_end_from_before_this_start_does_not_count() {
    let old = Details { exit_code: 1, finished_at: "yesterday".into(), ..Details::default() };
    let setup = container("setup", State::Exited, Check::None, Some(1));
    let before = with(look(0, None, std::slice::from_ref(&setup)), "id-setup", old.clone());
    let mut watch = watch(&before);
    assert_eq!(watch.step(&before).1, Verdict::Wait);
    let again = Details { finished_at: "now".into(), ..old };
    let seen = with(look(500, None, &[setup]), "id-setup", again);
    assert_eq!(watch.step(&seen).1, Verdict::Failed(vec![("setup".into(), Cause::Exited(1))]));
}

#[test]
fn a_container_that_compose_replaces_has_not_failed() {
    let mut watch = watch(&look(0, None, &[container("api", RUNNING, Check::Healthy, None)]));
    let stopped = container("api", State::Exited, Check::None, Some(143));
    assert_eq!(watch.step(&look(100, None, std::slice::from_ref(&stopped))).1, Verdict::Wait);
    let new = Container { id: "id-new".into(), ..container("api", RUNNING, Check::Starting, None) };
    assert_eq!(watch.step(&look(200, None, &[stopped.clone(), new])).1, Verdict::Wait);
    assert_eq!(watch.step(&look(300, None, std::slice::from_ref(&stopped))).1, Verdict::Wait);
    let (_, verdict) = watch.step(&look(300 + 1500, None, &[stopped]));
    assert_eq!(verdict, Verdict::Failed(vec![("api".into(), Cause::Exited(143))]));
}

#[test]
fn a_crash_loop_that_looks_running_is_found() {
    let mut watch = watch(&Observation::default());
    let api = container("api", RUNNING, Check::None, None);
    let details = |restarts| Details { restarts, exit_code: 2, ..Details::default() };
    let seen = with(look(0, None, std::slice::from_ref(&api)), "id-api", details(2));
    assert_eq!(watch.step(&seen).1, Verdict::Wait);
    let seen = with(look(10, None, &[api]), "id-api", details(3));
    assert_eq!(
        watch.step(&seen).1,
        Verdict::Failed(vec![("api".into(), Cause::Loop { code: 2, restarts: 3 })])
    );
}

#[test]
fn a_service_without_a_check_must_run_steadily() {
    let mut watch =
        Watch::new(vec![expect("worker", 0, false)], &Observation::default(), Duration::from_secs(9));
    let worker = [container("worker", RUNNING, Check::None, None)];
    assert_eq!(watch.step(&look(0, Some(0), &worker)).1, Verdict::Wait);
    assert_eq!(watch.step(&look(2900, Some(0), &worker)).1, Verdict::Wait);
    assert_eq!(watch.step(&look(3000, Some(0), &worker)).1, Verdict::Ready);
}

#[test]
fn a_service_without_a_check_that_ends_and_starts_again_is_not_up() {
    let mut watch =
        Watch::new(vec![expect("worker", 0, false)], &Observation::default(), Duration::from_secs(90));
    let worker =
        Container { status: "Up 1 second".into(), ..container("worker", RUNNING, Check::None, None) };
    let mut step = |at, restarts| {
        let details = Details { restarts, ..Details::default() };
        watch.step(&with(look(at, Some(0), std::slice::from_ref(&worker)), "id-worker", details)).1
    };
    assert_eq!(step(0, 0), Verdict::Wait);
    assert_eq!(step(1900, 0), Verdict::Wait);
    assert_eq!(step(2100, 1), Verdict::Wait, "it was down between two looks");
    assert_eq!(step(9000, 1), Verdict::Wait);
    assert_eq!(step(12_100, 1), Verdict::Ready);
}

/// A look at `api`, which runs and whose check has said this.
fn checked(at: u64, output: &str) -> Observation {
    let details = Details { check_exit_code: Some(1), check_output: output.to_owned(), ..Details::default() };
    with(look(at, None, &[container("api", RUNNING, Check::Starting, None)]), "id-api", details)
}

#[test]
fn a_server_that_steadily_refuses_its_check_has_failed_before_the_engine_says_so() {
    let fresh =
        || Watch::new(vec![expect("api", 0, false)], &Observation::default(), Duration::from_secs(300));
    let mut refused = fresh();
    for (at, output) in [(0, "HTTP 404"), (6_000, "HTTP 404"), (12_000, "timed out"), (19_000, "HTTP 404")] {
        assert_eq!(refused.step(&checked(at, output)).1, Verdict::Wait, "{at}");
        assert_eq!(refused.said("api"), Some(Said::Status(404)));
    }
    let (_, verdict) = refused.step(&checked(20_000, "HTTP 404"));
    assert_eq!(verdict, Verdict::Failed(vec![("api".to_owned(), Cause::Refused)]));
    let mut changing = fresh();
    for (at, output) in [(0, "HTTP 404"), (15_000, "HTTP 503"), (30_000, "HTTP 404"), (45_000, "HTTP 404")] {
        assert_eq!(changing.step(&checked(at, output)).1, Verdict::Wait, "{at}");
    }
    let mut unready = fresh();
    for at in [0, 40_000, 100_000] {
        assert_eq!(unready.step(&checked(at, "HTTP 503")).1, Verdict::Wait, "{at}");
    }
}

#[test]
fn what_a_late_check_says_is_asked_for_once_it_is_late() {
    let mut watch =
        Watch::new(vec![expect("api", 0, false)], &Observation::default(), Duration::from_secs(300));
    let starting = [container("api", RUNNING, Check::Starting, None)];
    for (at, asked) in [(0, false), (4_900, false), (5_000, true)] {
        watch.step(&look(at, None, &starting));
        assert_eq!(!watch.unclear_now(&starting, None).is_empty(), asked, "{at}");
    }
}

/// A look at `db`, which runs and has failed so many checks in a row; `Compose` has ended with this code.
fn sick(at: u64, compose: Option<i32>, failing_streak: u32) -> Observation {
    let details = Details {
        failing_streak,
        check_timeout: Duration::from_secs(3),
        check_retries: 5,
        ..Details::default()
    };
    with(look(at, compose, &[container("db", RUNNING, Check::Unhealthy, None)]), "id-db", details)
}

/// A wait for `db`, which was unhealthy before, and for `api`, which waits for it.
fn watch_sick() -> Watch {
    let api = Expected { waits_for: vec!["db".to_owned()], ..expect("api", 1, false) };
    Watch::new(vec![expect("db", 0, false), api], &sick(0, None, 7), Duration::from_secs(300))
}

fn also(mut seen: Observation, container: Container) -> Observation {
    seen.containers.push(container);
    seen
}

#[test]
fn unhealthy_since_this_start_has_failed() {
    let mut watch = watch(&Observation::default());
    let (_, verdict) = watch.step(&sick(10, None, 5));
    assert_eq!(verdict, Verdict::Failed(vec![("db".into(), Cause::Unhealthy)]));
}

#[test]
fn unhealthy_from_before_gets_one_more_check_once_compose_has_ended() {
    for compose in [Some(1), Some(0)] {
        let mut watch = watch_sick();
        let mut step = |at, compose, streak| watch.step(&sick(at, compose, streak)).1;
        assert_eq!(step(100, None, 7), Verdict::Wait);
        assert_eq!(step(600, compose, 7), Verdict::Wait);
        assert_eq!(step(3_000, compose, 8), Verdict::Wait, "that check may have begun before");
        assert_eq!(step(9_000, compose, 8), Verdict::Wait);
        assert_eq!(step(13_000, compose, 9), Verdict::Failed(vec![("db".into(), Cause::Unhealthy)]));
    }
}

#[test]
fn unhealthy_from_before_gets_a_whole_round_of_checks_where_something_was_started() {
    let mut watch = watch_sick();
    let started = container("cache", RUNNING, Check::Healthy, None);
    watch.services.push(Tracked::new(expect("cache", 0, false)));
    let mut step = |at, streak| watch.step(&also(sick(at, Some(1), streak), started.clone())).1;
    assert_eq!(step(600, 7), Verdict::Wait);
    for check in 1..5 {
        assert_eq!(step(u64::from(check) * 10_000, 7 + check), Verdict::Wait, "{check}");
    }
    assert_eq!(step(50_000, 12), Verdict::Failed(vec![("db".into(), Cause::Unhealthy)]));
}

#[test]
fn compose_is_run_again_once_what_it_gave_up_over_is_well() {
    let mut watch = watch_sick();
    let db = container("db", RUNNING, Check::Healthy, None);
    assert_eq!(watch.step(&sick(600, Some(1), 7)).1, Verdict::Wait);
    assert!(watch.has_second_chance("db") && !watch.has_second_chance("api"));
    assert_eq!(watch.step(&look(8_000, Some(1), std::slice::from_ref(&db))).1, Verdict::Again);
    assert!(!watch.has_second_chance("db"));
    assert_eq!(watch.step(&look(9_000, None, std::slice::from_ref(&db))).1, Verdict::Wait);
    // Whatever it gives up over now is something else.
    assert_eq!(watch.step(&look(9_900, Some(1), &[db])).1, Verdict::ComposeFailed(1));
}

#[test]
fn what_waits_for_a_second_chance_has_not_failed_and_what_dies_meanwhile_has() {
    let ended = container("api", State::Exited, Check::None, Some(143));
    let old = Details { exit_code: 143, finished_at: "yesterday".into(), ..Details::default() };
    let before = with(also(sick(0, None, 7), ended.clone()), "id-api", old.clone());
    let api = Expected { waits_for: vec!["db".to_owned()], ..expect("api", 1, false) };
    let mut watch = Watch::new(vec![expect("db", 0, false), api], &before, Duration::from_secs(300));
    let seen = with(also(sick(600, Some(1), 7), ended), "id-api", old);
    assert_eq!(watch.step(&seen).1, Verdict::Wait);
    let dead = container("db", State::Exited, Check::None, Some(137));
    assert_eq!(
        watch.step(&look(1_000, Some(1), std::slice::from_ref(&dead))).1,
        Verdict::Failed(vec![("db".into(), Cause::Exited(137))])
    );
}

#[test]
fn compose_that_fails_over_nothing_unhealthy_has_failed_at_once() {
    let mut watch = Watch::new(
        vec![expect("db", 0, false), expect("api", 0, false)],
        &sick(0, None, 7),
        Duration::from_secs(300),
    );
    assert_eq!(watch.step(&sick(600, Some(1), 7)).1, Verdict::ComposeFailed(1), "nobody waits for it");
}

#[test]
fn the_end_of_the_time_names_what_is_open() {
    let mut watch = watch(&Observation::default());
    let db = container("db", RUNNING, Check::Healthy, None);
    let (_, verdict) = watch.step(&look(300_000, None, &[db]));
    assert_eq!(verdict, Verdict::TimedOut(vec!["setup".into(), "api".into()]));
    let (_, verdict) = watch.step(&look(300_001, Some(1), &[]));
    assert_eq!(verdict, Verdict::ComposeFailed(1));
}

#[test]
fn a_container_that_the_engine_could_not_start_has_failed() {
    let mut watch = watch(&Observation::default());
    let seen = look(0, Some(1), &[container("api", State::Created, Check::None, None)]);
    let details = Details { error: "exec: \"nope\": not found".into(), ..Details::default() };
    let (_, verdict) = watch.step(&with(seen, "id-api", details));
    assert_eq!(verdict, Verdict::Failed(vec![("api".into(), Cause::NotStarted)]));
}

#[test]
fn only_what_the_list_does_not_say_is_inspected() {
    let fresh = watch(&Observation::default());
    let ended = container("setup", State::Exited, Check::None, Some(0));
    let all = [
        container("db", RUNNING, Check::Healthy, None),
        ended.clone(),
        container("api", State::Created, Check::None, None),
        container("worker", RUNNING, Check::None, None),
    ];
    assert_eq!(fresh.unclear_now(&all, None), ["id-worker"]);
    assert_eq!(fresh.unclear_now(&all, Some(1)), ["id-api", "id-worker"]);
    let again = watch(&look(0, None, std::slice::from_ref(&ended)));
    assert_eq!(again.unclear_now(&all, None), ["id-setup", "id-worker"]);
}

#[test]
fn what_nothing_checks_is_told_apart_from_what_is_healthy() {
    let mut watch = watch(&Observation::default());
    let db = container("db", RUNNING, Check::Healthy, None);
    let api = container("api", RUNNING, Check::None, None);
    watch.step(&look(0, None, &[db.clone(), api.clone()]));
    let (changes, _) = watch.step(&look(3000, Some(0), &[db, api]));
    let [api] = changes.as_slice() else { panic!("one has changed: {changes:?}") };
    assert_eq!((api.service.as_str(), &api.phase, api.unchecked), ("api", &Phase::Ready, true));
    assert!(watch.is_unchecked("api") && !watch.is_unchecked("db"));
}

#[test]
fn what_ends_after_it_was_up_is_found_by_a_last_look() {
    let expected = [expect("worker", 1, false), expect("setup", 0, true), expect("api", 0, false)];
    let setup = container("setup", State::Exited, Check::None, Some(0));
    let worker = container("worker", State::Exited, Check::None, Some(3));
    let api = container("api", State::Restarting, Check::None, Some(1));
    let up = container("api", RUNNING, Check::None, None);
    assert_eq!(
        ended(&expected, &[setup.clone(), worker.clone(), api.clone()]),
        [("api".to_owned(), 1), ("worker".to_owned(), 3)]
    );
    // One of several containers of a service that still runs is another thing.
    assert_eq!(ended(&expected, &[setup, worker, api, up]), [("worker".to_owned(), 3)]);
    assert_eq!(ended(&expected, &[]), []);
}
