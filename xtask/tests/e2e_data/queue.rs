//! RabbitMQ: messages survive, also the loss of the `.env`, and services read them with logins of their own.

use serde_json::{Value, json};

use crate::lab::{Own, docker, lab};
use crate::place::Place;
use crate::shop::{only_ports, service};

const IMAGES: &[&str] = &["rabbitmq:4-management", "busybox:1.37-musl"];

fn monorepo() -> Place {
    let place = Place::new("queue");
    service(&place, "mail", "AMQP_URL=amqp://guest:guest@localhost:5672\n");
    place.xtask(&["integrate"]).exits(0);
    place
}

/// Who asks, and the variable with the password.
type Login = (&'static str, &'static str);
const ADMINISTRATOR: Login = ("rabbitmq", "RABBITMQ_PASSWORD");
const MAIL: Login = ("mail", "MAIL_RABBITMQ_PASSWORD");

/// Asks the management interface, which is published for local development.
#[track_caller]
fn ask(place: &Own, (user, variable): Login, method: minreq::Method, path: &str, body: &Value) -> Value {
    let port = place.variable("RABBITMQ_MANAGEMENT_PORT");
    let password = place.variable(variable);
    let request = minreq::Request::new(method, format!("http://127.0.0.1:{port}/api/{path}"))
        .with_header("Authorization", format!("Basic {}", base64(&format!("{user}:{password}"))))
        .with_header("Content-Type", "application/json")
        .with_timeout(20);
    let request = if body.is_null() { request } else { request.with_body(body.to_string()) };
    let answer = request.send().expect("the management interface answers");
    let text = answer.as_str().unwrap_or_default();
    assert!(answer.status_code < 300, "{path}: {} {text}", answer.status_code);
    serde_json::from_str(text).unwrap_or(Value::Null)
}

/// RFC 4648, for one header.
fn base64(text: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |group: u32, at: u32| char::from(DIGITS[(group >> (18 - 6 * at) & 63) as usize]);
    let encode = |chunk: &[u8]| {
        let group = (0..3).fold(0, |group, at| group << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        (0..4).map(|at| if (at as usize) <= chunk.len() { digit(group, at) } else { '=' }).collect::<String>()
    };
    text.as_bytes().chunks(3).map(encode).collect()
}

/// As a service gets them.
fn messages(place: &Own, login: Login) -> Value {
    // Takes and puts back: the statistics lag behind.
    let body = json!({ "count": 1000, "ackmode": "ack_requeue_true", "encoding": "auto" });
    let taken = ask(place, login, minreq::Method::Post, "queues/%2F/letters/get", &body);
    json!(taken.as_array().map_or(0, Vec::len))
}

#[test]
fn messages_survive_and_a_lost_env_file_locks_nobody_out() {
    let Some(place) = lab(IMAGES, monorepo) else { return };
    only_ports(&place, &place.moved_ports());
    place.xtask(&["up"]).exits(0);
    let durable = json!({ "durable": true });
    // What the administrator has made, who was everybody's login before each service had one, a service reads on.
    ask(&place, ADMINISTRATOR, minreq::Method::Put, "queues/%2F/letters", &durable);
    for n in 0..20 {
        let letter = json!({ "properties": { "delivery_mode": 2 }, "routing_key": "letters",
            "payload": n.to_string(), "payload_encoding": "string" });
        let routed =
            ask(&place, ADMINISTRATOR, minreq::Method::Post, "exchanges/%2F/amq.default/publish", &letter);
        assert_eq!(routed["routed"], true);
    }
    assert_eq!(messages(&place, MAIL), 20);

    // The broker acknowledges a queue up to two seconds before the record that commits it is on the disk.
    let broker = format!("{}-rabbitmq-1", place.project());
    docker(&["exec", &broker, "rabbitmqctl", "eval", "ok = mnesia:sync_log()."]);
    docker(&["kill", &broker]);
    place.xtask(&["up"]).exits(0);
    assert_eq!(messages(&place, MAIL), 20);
    place.xtask(&["down"]).exits(0);

    let (old, old_administrator) = (place.variable(MAIL.1), place.variable(ADMINISTRATOR.1));
    let kept = place.read("integration/.env");
    let without: String =
        kept.lines().filter(|line| !line.contains("PASSWORD")).map(|line| format!("{line}\n")).collect();
    place.write("integration/.env", without);
    place.xtask(&["up"]).exits(0);
    assert_ne!(place.variable(MAIL.1), old);
    assert_ne!(place.variable(ADMINISTRATOR.1), old_administrator);
    assert_eq!(messages(&place, MAIL), 20);
    assert_eq!(messages(&place, ADMINISTRATOR), 20);
}
