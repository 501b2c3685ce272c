//! Start order: finds cycles, breaks them at their weakest edge, sorts into waves; pure.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// An edge: `from` waits for `to`; the higher the weight, the better its evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edge {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) weight: u8,
}

/// Services that depend on each other, over one way or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cycle {
    /// All of them, sorted.
    pub(crate) members: Vec<String>,
    /// The shortest way around over the first edge that was left out: its first name is the last one too.
    pub(crate) path: Vec<String>,
    /// Edges left out, sorted; with any of them there would be a cycle.
    pub(crate) broken: Vec<Edge>,
}

/// What can start together, and what had to be given up for that.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Order {
    /// Names that can start together, each sorted, in the order of their starts.
    pub(crate) waves: Vec<Vec<String>>,
    pub(crate) cycles: Vec<Cycle>,
}

impl Order {
    /// Edges left out, from and to.
    pub(crate) fn broken(&self) -> impl Iterator<Item = (String, String)> {
        let edges = self.cycles.iter().flat_map(|cycle| &cycle.broken);
        edges.map(|edge| (edge.from.clone(), edge.to.clone()))
    }
}

/// Orders `names` along `edges`. Edges to unknown names and to oneself are ignored.
pub(crate) fn order(names: &BTreeSet<String>, edges: &[Edge]) -> Order {
    let all: BTreeSet<Edge> = edges
        .iter()
        .filter(|edge| edge.from != edge.to && names.contains(&edge.from) && names.contains(&edge.to))
        .cloned()
        .collect();
    let mut left = all.clone();
    let cycles = strongly_connected(names, &all).into_iter().map(|members| break_up(members, &mut left));
    let cycles = cycles.collect();
    Order { waves: waves(names, &left), cycles }
}

/// Leaves out edges between these names, the weakest first, until no cycle is left.
fn break_up(members: BTreeSet<String>, left: &mut BTreeSet<Edge>) -> Cycle {
    let is_inside = |edge: &Edge| members.contains(&edge.from) && members.contains(&edge.to);
    let inside: BTreeSet<Edge> = left.iter().filter(|edge| is_inside(edge)).cloned().collect();
    let mut acyclic = inside.clone();
    let mut broken = Vec::new();
    loop {
        let groups = strongly_connected(&members, &acyclic);
        if groups.is_empty() {
            break;
        }
        for group in groups {
            let within = |edge: &&Edge| group.contains(&edge.from) && group.contains(&edge.to);
            let weakest =
                acyclic.iter().filter(within).min_by_key(|edge| (edge.weight, &edge.from, &edge.to)).cloned();
            if let Some(weakest) = weakest {
                acyclic.remove(&weakest);
                broken.push(weakest);
            }
        }
    }
    // An edge that was left out early may be in no cycle any more, since others had to go too.
    let mut kept = Vec::new();
    for edge in broken.into_iter().rev() {
        if way(&acyclic, &edge.to, &edge.from).is_none() {
            acyclic.insert(edge);
        } else {
            kept.push(edge);
        }
    }
    kept.sort();
    left.retain(|edge| !kept.contains(edge));
    let path = kept.first().and_then(|edge| {
        let back = way(&inside, &edge.to, &edge.from)?;
        Some([vec![edge.from.clone()], back].concat())
    });
    Cycle { members: members.into_iter().collect(), path: path.unwrap_or_default(), broken: kept }
}

/// The shortest way along the edges, both ends in it.
fn way(edges: &BTreeSet<Edge>, from: &str, to: &str) -> Option<Vec<String>> {
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for edge in edges {
        next.entry(&edge.from).or_default().push(&edge.to);
    }
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut open = VecDeque::from([from]);
    while let Some(here) = open.pop_front() {
        if here == to {
            let mut way: Vec<String> =
                std::iter::successors(Some(to), |at| came_from.get(at).copied()).map(str::to_owned).collect();
            way.reverse();
            return Some(way);
        }
        for there in next.get(here).into_iter().flatten() {
            if *there != from && !came_from.contains_key(there) {
                came_from.insert(there, here);
                open.push_back(there);
            }
        }
    }
    None
}

/// Strongly connected components of more than one name (Tarjan's algorithm, without recursion: a monorepo may be deep).
fn strongly_connected(names: &BTreeSet<String>, edges: &BTreeSet<Edge>) -> Vec<BTreeSet<String>> {
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

    fn broken(order: &Order) -> Vec<(&str, &str)> {
        let edges = order.cycles.iter().flat_map(|cycle| &cycle.broken);
        edges.map(|edge| (edge.from.as_str(), edge.to.as_str())).collect()
    }

    #[test]
    fn waves_follow_the_edges() {
        let order =
            run(&["a", "b", "c", "db"], &[("a", "db", 1), ("b", "db", 1), ("c", "a", 1), ("c", "b", 1)]);
        assert_eq!(order.waves, [vec!["db"], vec!["a", "b"], vec!["c"]]);
        assert!(order.cycles.is_empty());
    }

    #[test]
    fn a_cycle_breaks_at_its_weakest_edge() {
        let order = run(&["a", "b", "c"], &[("a", "b", 3), ("b", "c", 1), ("c", "a", 3)]);
        assert_eq!(order.waves, [vec!["b"], vec!["a"], vec!["c"]]);
        assert_eq!(broken(&order), [("b", "c")]);
        assert_eq!(order.cycles[0].members, ["a", "b", "c"]);
        assert_eq!(order.cycles[0].path, ["b", "c", "a", "b"]);
    }

    #[test]
    fn ties_break_by_name_and_two_cycles_both_break() {
        let order = run(&["a", "b", "c", "d"], &[("a", "b", 1), ("b", "a", 1), ("c", "d", 1), ("d", "c", 1)]);
        assert_eq!(broken(&order), [("a", "b"), ("c", "d")]);
        assert_eq!(order.cycles.len(), 2);
        assert_eq!(order.waves, [vec!["a", "c"], vec!["b", "d"]]);
    }

    #[test]
    fn cycles_that_share_a_service_are_one_and_no_more_edges_go_than_have_to() {
        let order = run(
            &["a", "b", "c", "d"],
            &[("a", "b", 1), ("b", "c", 1), ("c", "a", 2), ("b", "d", 1), ("d", "b", 3)],
        );
        let [cycle] = order.cycles.as_slice() else { panic!("one: {order:?}") };
        assert_eq!(cycle.members, ["a", "b", "c", "d"]);
        assert_eq!(broken(&order), [("a", "b"), ("b", "d")]);
        let order = run(
            &["a", "b", "c"],
            &[("a", "b", 1), ("b", "a", 1), ("a", "c", 1), ("c", "a", 1), ("b", "c", 1)],
        );
        assert_eq!(broken(&order), [("a", "b"), ("a", "c")]);
        // `a` to `b` is the weakest, and in no cycle once `b` to `c` has gone, which it has to be for `c` to `b`.
        let order = run(&["a", "b", "c"], &[("a", "b", 1), ("b", "c", 2), ("c", "a", 3), ("c", "b", 4)]);
        assert_eq!(broken(&order), [("b", "c")]);
    }

    #[test]
    fn deep_chains_do_not_overflow() {
        let names: Vec<String> = (0..20_000).map(|i| format!("n{i:05}")).collect();
        let set: BTreeSet<String> = names.iter().cloned().collect();
        let edges: BTreeSet<Edge> = names
            .windows(2)
            .map(|pair| Edge { from: pair[0].clone(), to: pair[1].clone(), weight: 1 })
            .collect();
        assert!(strongly_connected(&set, &edges).is_empty());
    }
}
