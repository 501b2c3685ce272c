//! Says of services that depend on each other who starts without waiting for whom; breaks nothing.

use super::draft::Draft;
use super::needs::{Needs, Target};
use super::order::{Cycle, Order};
use crate::model::problem::{Problem, Severity};
use crate::model::words::list;

/// One problem for services that depend on each other, over however many ways.
pub(crate) fn report(order: &Order, drafts: &[Draft<'_>], needs: &[Needs], problems: &mut Vec<Problem>) {
    for cycle in &order.cycles {
        let waits = waits(cycle);
        let who: Vec<String> = waits.iter().map(|(from, _)| quoted(from)).collect();
        let fix = match waits.as_slice() {
            [(from, to)] if to.len() == 1 => format!(
                "let `{from}` retry its first calls, or remove the edge with services.{from}.requires in config.yaml"
            ),
            [(from, _)] => format!(
                "let `{from}` retry its first calls, or remove edges with services.{from}.requires in config.yaml"
            ),
            _ => format!(
                "let {} retry their first calls, or remove edges with services.NAME.requires in config.yaml",
                list(&who)
            ),
        };
        let mut problem =
            Problem::new("dependency-cycle", Severity::Warning, message(cycle, &waits)).fix(fix);
        problem.at = places(cycle, drafts, needs);
        problem.services.clone_from(&cycle.members);
        problems.push(problem);
    }
}

/// Who starts without waiting for whom.
fn waits(cycle: &Cycle) -> Vec<(&str, Vec<&str>)> {
    let mut waits: Vec<(&str, Vec<&str>)> = Vec::new();
    for edge in &cycle.broken {
        match waits.last_mut() {
            Some((from, to)) if *from == edge.from => to.push(&edge.to),
            _ => waits.push((&edge.from, vec![&edge.to])),
        }
    }
    waits
}

/// Who depends on whom, on which way, and how that was broken.
fn message(cycle: &Cycle, waits: &[(&str, Vec<&str>)]) -> String {
    let quote = |names: &[&str]| list(&names.iter().map(|name| quoted(name)).collect::<Vec<_>>());
    let members: Vec<&str> = cycle.members.iter().map(String::as_str).collect();
    let path: Vec<String> = cycle.path.iter().map(|name| quoted(name)).collect();
    let path = path.join(" → ");
    let way = match (cycle.members.len(), cycle.broken.len()) {
        (..=2, _) => String::new(),
        (_, ..=1) => format!(" ({path})"),
        _ => format!(" ({path}, and on other ways)"),
    };
    let mut who = waits.iter().map(|(from, to)| (quoted(from), quote(to)));
    let (first, first_to) = who.next().unwrap_or_default();
    let mut without = vec![format!("{first} starts without waiting for {first_to}")];
    without.extend(who.map(|(from, to)| format!("{from} without {to}")));
    format!("{} depend on each other{way}; {}", quote(&members), without.join(", "))
}

/// Where the way around and what was broken stand, each place once.
fn places(cycle: &Cycle, drafts: &[Draft<'_>], needs: &[Needs]) -> Vec<String> {
    let path = cycle.path.windows(2).map(|pair| (pair[0].as_str(), pair[1].as_str()));
    let edges = path.chain(cycle.broken.iter().map(|edge| (edge.from.as_str(), edge.to.as_str())));
    let mut places: Vec<String> = Vec::new();
    for (from, to) in edges {
        let own = drafts.iter().zip(needs).filter(|(draft, _)| draft.facts.name == from);
        let said = own.flat_map(|(_, own)| &own.all).filter(|need| match &need.target {
            Target::Service(target) => target == to,
            Target::Kind(_) => false,
        });
        for place in said.filter_map(|need| need.at.as_ref()).map(ToString::to_string) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    places
}

fn quoted(name: &str) -> String {
    format!("`{name}`")
}
