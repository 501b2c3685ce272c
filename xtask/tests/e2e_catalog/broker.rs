//! The setup of a broker against a real one: virtual hosts, users and permissions, whatever ran before.

use crate::one_shot::{Case, Service, case, lone_case};
use crate::server::{Server, docker};
use crate::setup::HARD_PASSWORD;

const RABBITMQ_3: (&str, &str) = ("rabbitmq", "3");
const RABBITMQ_4: (&str, &str) = ("rabbitmq", "4");
/// In which services meet that name no virtual host.
const COMMON: &str = "/";

/// Runs a test's body on both majors. The older one's only where somebody has built its image.
macro_rules! on_both_majors {
    ($($name:ident),+ $(,)?) => {
        mod rabbitmq_4 { $(#[test] fn $name() { super::$name(super::RABBITMQ_4) })+ }
        mod rabbitmq_3 { $(
            #[test]
            #[ignore = "needs the image of `.ci/setup rabbitmq:3-management`"]
            fn $name() { super::$name(super::RABBITMQ_3) }
        )+ }
    };
}

on_both_majors!(
    services_meet_in_the_common_virtual_host_and_reach_no_other,
    a_second_run_changes_nothing,
    passwords_of_the_env_file_count_the_administrators_too,
    what_cannot_be_made_is_named,
    a_slow_health_check_keeps_no_connection_open,
);

/// What the broker says where it knows the login, and does not let it in there.
fn is_refused(case: &Case, service: &Service, vhost: &str) -> bool {
    let run = case.connect(service, vhost);
    let refused = &case.server.entry.connect.as_ref().expect("it has a client").refused;
    !run.is_success() && refused.iter().any(|words| run.output().contains(words.as_str()))
}

/// The changes that the broker has logged for the users of this case.
fn changes(case: &Case, user: &str) -> usize {
    let changed = ["Created user", "Successfully set", "Successfully changed"];
    let log = case.server.log();
    let lines = log.lines().filter(|line| line.contains(&format!("'{user}")));
    lines.filter(|line| changed.iter().any(|words| line.contains(words))).count()
}

fn services_meet_in_the_common_virtual_host_and_reach_no_other(broker: (&str, &str)) {
    let Some(case) = case(broker) else { return };
    let orders = Service::new("orders", HARD_PASSWORD).on(COMMON);
    let mail = Service::new("mail", "two").on(COMMON);
    let stats = Service::new("stats", "three").on("/finance.q3");

    case.set_up(&[&orders, &mail, &stats]).succeeds();

    case.connect(&orders, COMMON).succeeds();
    case.connect(&mail, COMMON).succeeds();
    case.connect(&stats, "/finance.q3").succeeds();
    assert!(is_refused(&case, &orders, "/finance.q3"));
    assert!(is_refused(&case, &stats, COMMON));
    case.connect(&Service::new("mail", "wrong"), COMMON).fails();
}

fn a_second_run_changes_nothing(broker: (&str, &str)) {
    let Some(case) = case(broker) else { return };
    let (quiet, calm) = (Service::new("quiet", "one").on(COMMON), Service::new("calm", "two"));
    case.set_up(&[&quiet, &calm]).succeeds();
    let before = changes(&case, "quiet") + changes(&case, "calm");
    // A user, its tag and its permissions, for each, and the administrator's in the virtual host of the second.
    assert_eq!(before, 7);

    let again = case.set_up(&[&quiet, &calm]);

    assert_eq!((again.succeeds(), again.errors()), (String::new(), String::new()));
    assert_eq!(changes(&case, "quiet") + changes(&case, "calm"), before);
}

fn passwords_of_the_env_file_count_the_administrators_too(broker: (&str, &str)) {
    let changed = |server: &mut Server| server.secret = HARD_PASSWORD.to_owned();
    let Some(case) = lone_case(broker, changed) else { return };
    case.set_up(&[&Service::new("shop", "old")]).succeeds();
    let shop = Service::new("shop", "new");
    case.connect(&shop, "shop").fails();

    case.set_up(&[&shop]).succeeds();

    case.connect(&shop, "shop").succeeds();
    case.connect(&Service::new("shop", "old"), "shop").fails();
    let port = case.server.entry.port;
    case.server.log_in(port, "rabbitmq", HARD_PASSWORD, "").succeeds();
}

fn what_cannot_be_made_is_named(broker: (&str, &str)) {
    let Some(case) = case(broker) else { return };
    let message = case.set_up(&[&Service::new("empty", "")]).fails();
    assert!(message.contains("the user empty"), "{message}");
}

fn a_slow_health_check_keeps_no_connection_open(broker: (&str, &str)) {
    let Some(case) = case(broker) else { return };
    let (name, check) = (&case.server.name, &case.server.entry.health.test[1..]);
    // On a busy machine the tool takes longer than the broker waits for a client's first word.
    let slow = "rabbitmq-diagnostics() { sleep 12; }; export -f rabbitmq-diagnostics; exec \"$@\"";

    docker!("docker exec {name} bash -c {slow} slow {check...}").succeeds();

    let log = case.server.log();
    assert!(!log.contains("handshake_timeout"), "{log}");
}
