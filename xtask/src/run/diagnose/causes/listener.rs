//! A server that listens where nobody else reaches it, or on another port than is asked.

use crate::run::diagnose::facts::{Facts, Known};
use crate::run::listeners::Listener;

/// What the table of the container's listeners shows.
pub fn find(facts: &Facts) -> Option<Known> {
    let (port, listeners) = (facts.port?, facts.listeners.as_ref()?);
    if !facts.runs() {
        return None;
    }
    loopback(facts, port, listeners).or_else(|| other_port(facts, port, listeners))
}

/// Listens on the port, and only for the container itself.
fn loopback(facts: &Facts, port: u16, listeners: &[Listener]) -> Option<Known> {
    let listener = only_inside(port, listeners)?;
    let set = facts.set(
        "env.HOST",
        " to 0.0.0.0 (where it reads HOST)",
        "set HOST to 0.0.0.0 (where it reads HOST) in the environment",
    );
    Some(
        Known::new(format!("it listens on {listener} in its container, where nobody else reaches it"))
            .at(facts.command_place())
            .why("a published port and other services come from outside of the container")
            .fix(format!("let it listen on 0.0.0.0: {set}")),
    )
}

/// The listener of a port, where only the container itself reaches it.
pub fn only_inside(port: u16, listeners: &[Listener]) -> Option<&Listener> {
    let mut own = listeners.iter().filter(|listener| listener.port == port);
    let first = own.next()?;
    (first.is_loopback() && own.all(Listener::is_loopback)).then_some(first)
}

fn other_port(facts: &Facts, port: u16, listeners: &[Listener]) -> Option<Known> {
    // A broker opens the port for its cluster seconds before its main one.
    if facts.is_healthy() || facts.is_starting() || listeners.iter().any(|listener| listener.port == port) {
        return None;
    }
    // A debugger or a console for the container itself is no main port that was missed.
    let open = listeners.iter().filter(|listener| !listener.is_loopback());
    let mut ports: Vec<u16> = open.map(|listener| listener.port).collect();
    ports.sort_unstable();
    ports.dedup();
    // Of several, none is surely the one that is meant.
    let [open] = ports.as_slice() else { return None };
    let set = facts.set(
        "port",
        &format!(" to {open}"),
        &format!("write {open} for {port} in the ports and the check"),
    );
    Some(
        Known::new(format!("it listens on port {open} and not on {port}"))
            .at(facts.places.key(&["ports", "healthcheck"]))
            .fix(set),
    )
}
