//! Problems that say the same of several services, as one text for people; decides nothing.

use crate::model::problem::{Problem, Severity};
use crate::model::words::list;

use super::problem_text;

/// From so many on they are one: two read as fast apart.
const MANY: usize = 3;

/// The problems as people read them, each where the first of its kind stands.
pub(crate) fn texts<'p>(problems: impl IntoIterator<Item = &'p Problem>) -> Vec<(Severity, String)> {
    let mut groups: Vec<(Problem, Vec<&Problem>)> = Vec::new();
    for problem in problems {
        let general = general(problem);
        match groups.iter_mut().find(|(known, _)| *known == general) {
            Some((_, alike)) => alike.push(problem),
            None => groups.push((general, vec![problem])),
        }
    }
    groups.iter().flat_map(|(_, alike)| shown(alike)).collect()
}

/// A port that is moved: the last word says where to, which the table of services says too.
const MOVED: &str = "port-conflict";

/// The service that a problem is about: the only one, or the one whose port is moved.
fn about(problem: &Problem) -> Option<&String> {
    match problem.services.as_slice() {
        [name] => Some(name),
        [_, moved] if problem.code == MOVED => Some(moved),
        _ => None,
    }
}

/// The problem without the one service that it is about, by which those alike are known.
fn general(problem: &Problem) -> Problem {
    let mut general = problem.clone();
    if let Some(name) = about(problem) {
        let message = match problem.message.rsplit_once(' ') {
            Some((rest, _)) if problem.code == MOVED => rest,
            _ => &problem.message,
        };
        general.message = without(message, name);
        general.fix = without(&problem.fix, name);
        general.services = Vec::new();
        general.at = Vec::new();
    }
    general
}

/// The text with `NAME` wherever the name stands as a word of its own, in a path too.
fn without(text: &str, name: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let mut out = String::with_capacity(text.len());
    let mut last = 0;
    for (at, _) in text.match_indices(name) {
        let end = at + name.len();
        if !text[..at].ends_with(is_word) && !text[end..].starts_with(is_word) {
            out.push_str(&text[last..at]);
            out.push_str("NAME");
            last = end;
        }
    }
    out.push_str(&text[last..]);
    out
}

fn shown(alike: &[&Problem]) -> Vec<(Severity, String)> {
    let (Some((first, others)), true) = (alike.split_first(), alike.len() >= MANY) else {
        return alike.iter().map(|problem| (problem.severity, problem_text(problem))).collect();
    };
    let name = |problem: &&Problem| about(problem).map(|name| format!("`{name}`"));
    let others: Vec<String> = others.iter().filter_map(name).collect();
    let mut one = (*first).clone();
    if let Some(last) = one.at.last_mut() {
        last.push_str(&format!("\n  likewise: {}", list(&others)));
    }
    if let Some(own) = about(first) {
        one.fix = first.fix.replace(&format!("services.{own}."), "services.NAME.");
    }
    vec![(one.severity, problem_text(&one))]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_health(name: &str) -> Problem {
        Problem::new(
            "health-missing",
            Severity::Warning,
            format!("`{name}` has no health endpoint in {name}/src"),
        )
        .service(name)
        .at(format!("{name}/Dockerfile:1"))
        .fix(format!("set services.{name}.health in config.yaml"))
    }

    #[test]
    fn what_is_said_of_many_services_is_said_once() {
        let cycle = Problem::new("dependency-cycle", Severity::Note, "`a` and `b` need each other");
        let problems =
            [without_health("a"), cycle.service("a").service("b"), without_health("b"), without_health("c")];
        let texts: Vec<String> = texts(&problems).into_iter().map(|(_, text)| text).collect();
        assert_eq!(
            texts,
            [
                "`a` has no health endpoint in a/src [health-missing]\n  at a/Dockerfile:1\n  likewise: `b` and `c`\n  fix: set services.NAME.health in config.yaml",
                "`a` and `b` need each other [dependency-cycle]",
            ]
        );
    }

    #[test]
    fn ports_of_many_services_that_had_to_move_are_said_once() {
        let moved = |name: &str, to: u16| {
            let message =
                format!("`a` and `{name}` both want port 80 of the host; `{name}` is published on {to}");
            Problem::new(MOVED, Severity::Warning, message).service("a").service(name).at("a/Dockerfile:2")
        };
        let problems = [moved("b", 81), moved("c", 82), moved("d", 83)];
        let texts: Vec<String> = texts(&problems).into_iter().map(|(_, text)| text).collect();
        assert_eq!(
            texts,
            [
                "`a` and `b` both want port 80 of the host; `b` is published on 81 [port-conflict]\n  at a/Dockerfile:2\n  likewise: `c` and `d`"
            ]
        );
    }

    #[test]
    fn two_are_said_one_by_one_and_other_words_are_another_problem() {
        let mut other = without_health("c");
        other.message.push_str(" in its image");
        let problems = [without_health("a"), without_health("b"), other];
        let texts = texts(&problems);
        assert_eq!(texts.len(), 3);
        assert!(texts.iter().all(|(_, text)| !text.contains("likewise")), "{texts:?}");
    }
}
