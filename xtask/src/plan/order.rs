//! Start order: finds cycles, breaks them at their weakest edge, sorts into waves; pure.

use std::collections::{BTreeMap, BTreeSet};

/// An edge: `from` waits for `to`; the higher the weight, the better its evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edge {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) weight: u8,
}

/// What can start together, and what had to be given up for that.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Order {
    /// Names that can start together, each sorted, in the order of their starts.
    pub(crate) waves: Vec<Vec<String>>,
    /// Edges left out, from and to, each with the cycle it closed (sorted names).
    pub(crate) broken: Vec<(Edge, Vec<String>)>,
}

/// Orders `names` along `edges`. Edges to unknown names and to oneself are ignored.
pub(crate) fn order(names: &BTreeSet<String>, edges: &[Edge]) -> Order {
    let mut left: BTreeSet<Edge> = edges
        .iter()
        .filter(|edge| edge.from != edge.to && names.contains(&edge.from) && names.contains(&edge.to))
        .cloned()
        .collect();
    let mut broken = Vec::new();
    loop {
        let cycles = cycles(names, &left);
        if cycles.is_empty() {
            break;
        }
        for cycle in cycles {
            let inside = |edge: &&Edge| cycle.contains(&edge.from) && cycle.contains(&edge.to);
            let Some(weakest) =
                left.iter().filter(inside).min_by_key(|edge| (edge.weight, &edge.from, &edge.to)).cloned()
            else {
                continue;
            };
            left.remove(&weakest);
            broken.push((weakest, cycle.into_iter().collect()));
        }
    }
    Order { waves: waves(names, &left), broken }
}

/// Strongly connected components of more than one name (Tarjan's algorithm, without recursion: a monorepo may be deep).
fn cycles(names: &BTreeSet<String>, edges: &BTreeSet<Edge>) -> Vec<BTreeSet<String>> {
    let index_of: BTreeMap<&str, usize> =
        names.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect();
    let names: Vec<&String> = names.iter().collect();
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); names.len()];
    for edge in edges {
        next[index_of[edge.from.as_str()]].push(index_of[edge.to.as_str()]);
    }
    let mut state = Tarjan {
        seen: vec![None; names.len()],
        low: vec![0; names.len()],
        on_stack: vec![false; names.len()],
        ..Tarjan::default()
    };
    for start in 0..names.len() {
        if state.seen[start].is_none() {
            state.visit(start, &next);
        }
    }
    let mut found: Vec<BTreeSet<String>> =
        state.found.into_iter().map(|group| group.into_iter().map(|i| names[i].clone()).collect()).collect();
    found.sort();
    found
}

#[derive(Default)]
struct Tarjan {
    seen: Vec<Option<usize>>,
    low: Vec<usize>,
    on_stack: Vec<bool>,
    stack: Vec<usize>,
    count: usize,
    found: Vec<Vec<usize>>,
}

impl Tarjan {
    fn enter(&mut self, node: usize) {
        self.seen[node] = Some(self.count);
        self.low[node] = self.count;
        self.count += 1;
        self.stack.push(node);
        self.on_stack[node] = true;
    }

    fn visit(&mut self, start: usize, next: &[Vec<usize>]) {
        self.enter(start);
        let mut path = vec![(start, 0)];
        while let Some((node, at)) = path.last_mut() {
            let node = *node;
            if let Some(&to) = next[node].get(*at) {
                *at += 1;
                match self.seen[to] {
                    None => {
                        self.enter(to);
                        path.push((to, 0));
                    }
                    Some(index) if self.on_stack[to] => self.low[node] = self.low[node].min(index),
                    Some(_) => {}
                }
                continue;
            }
            path.pop();
            if let Some((parent, _)) = path.last() {
                self.low[*parent] = self.low[*parent].min(self.low[node]);
            }
            if Some(self.low[node]) == self.seen[node] {
                self.close(node);
            }
        }
    }

    fn close(&mut self, node: usize) {
        let mut group = Vec::new();
        while let Some(member) = self.stack.pop() {
            self.on_stack[member] = false;
            group.push(member);
            if member == node {
                break;
            }
        }
        if group.len() > 1 {
            self.found.push(group);
        }
    }
}

/// Kahn's algorithm by levels; `edges` has no cycles.
fn waves(names: &BTreeSet<String>, edges: &BTreeSet<Edge>) -> Vec<Vec<String>> {
    let mut waits: BTreeMap<&str, usize> = names.iter().map(|name| (name.as_str(), 0)).collect();
    let mut waited_for: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for edge in edges {
        if waited_for.entry(&edge.to).or_default().insert(&edge.from) {
            *waits.entry(&edge.from).or_default() += 1;
        }
    }
    let mut ready: Vec<&str> = waits.iter().filter(|(_, on)| **on == 0).map(|(name, _)| *name).collect();
    let mut waves = Vec::new();
    while !ready.is_empty() {
        let mut next = Vec::new();
        for waiting in ready.iter().filter_map(|name| waited_for.get(name)).flatten() {
            if let Some(on) = waits.get_mut(waiting) {
                *on -= 1;
                next.extend((*on == 0).then_some(*waiting));
            }
        }
        next.sort_unstable();
        waves.push(ready.into_iter().map(str::to_owned).collect());
        ready = next;
    }
    waves
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(names: &[&str], edges: &[(&str, &str, u8)]) -> Order {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let edges: Vec<Edge> = edges
            .iter()
            .map(|(from, to, weight)| Edge { from: (*from).into(), to: (*to).into(), weight: *weight })
            .collect();
        order(&names, &edges)
    }

    #[test]
    fn waves_follow_the_edges() {
        let order =
            run(&["a", "b", "c", "db"], &[("a", "db", 1), ("b", "db", 1), ("c", "a", 1), ("c", "b", 1)]);
        assert_eq!(order.waves, [vec!["db"], vec!["a", "b"], vec!["c"]]);
        assert!(order.broken.is_empty());
    }

    #[test]
    fn a_cycle_breaks_at_its_weakest_edge() {
        let order = run(&["a", "b", "c"], &[("a", "b", 3), ("b", "c", 1), ("c", "a", 3)]);
        assert_eq!(order.waves, [vec!["b"], vec!["a"], vec!["c"]]);
        assert_eq!(order.broken.len(), 1);
        assert_eq!((order.broken[0].0.from.as_str(), order.broken[0].0.to.as_str()), ("b", "c"));
        assert_eq!(order.broken[0].1, ["a", "b", "c"]);
    }

    #[test]
    fn ties_break_by_name_and_two_cycles_both_break() {
        let order = run(&["a", "b", "c", "d"], &[("a", "b", 1), ("b", "a", 1), ("c", "d", 1), ("d", "c", 1)]);
        let broken: Vec<(&str, &str)> =
            order.broken.iter().map(|(e, _)| (e.from.as_str(), e.to.as_str())).collect();
        assert_eq!(broken, [("a", "b"), ("c", "d")]);
        assert_eq!(order.waves, [vec!["a", "c"], vec!["b", "d"]]);
    }

    #[test]
    fn deep_chains_do_not_overflow() {
        let names: Vec<String> = (0..20_000).map(|i| format!("n{i:05}")).collect();
        let set: BTreeSet<String> = names.iter().cloned().collect();
        let edges: BTreeSet<Edge> = names
            .windows(2)
            .map(|pair| Edge { from: pair[0].clone(), to: pair[1].clone(), weight: 1 })
            .collect();
        assert!(cycles(&set, &edges).is_empty());
    }
}
