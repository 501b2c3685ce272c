//! The same work on many items on all cores; its results do not depend on how many there are.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The results of `work` for each item, in the order of the items.
pub fn in_parallel<I: Sync + Send, O: Send>(items: Vec<I>, work: impl Fn(&I) -> O + Sync) -> Vec<O> {
    let threads = threads();
    if items.len() < 2 || threads == 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return done };
            done.push((at, work(item)));
        }
    };
    let mut all: Vec<(usize, O)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        // The thread that asks would only wait.
        let mut done = run();
        for other in others {
            done.append(&mut other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, output)| output).collect()
}

/// Does `work` to each item.
pub fn each<I: Send>(items: &mut [I], work: impl Fn(&mut I) + Sync) {
    let part = items.len().div_ceil(threads()).max(1);
    std::thread::scope(|scope| {
        for items in items.chunks_mut(part) {
            scope.spawn(|| items.iter_mut().for_each(&work));
        }
    });
}

/// The results of two pieces of work that need nothing of each other, done at the same time.
pub fn both<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        (one.join().unwrap_or_else(|panic| resume_unwind(panic)), other)
    })
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get).min(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        assert_eq!(in_parallel(items.clone(), |item| *item), items);
        assert_eq!(in_parallel(Vec::<usize>::new(), |item| *item), [0; 0]);
    }

    #[test]
    fn work_is_done_once_to_each_item() {
        let mut items: Vec<usize> = (0..1000).collect();
        each(&mut items, |item| *item += 1);
        assert_eq!(items, (1..1001).collect::<Vec<usize>>());
        each(&mut items[..0], |_| unreachable!("there is none"));
    }

    #[test]
    fn results_of_both_come_in_their_places() {
        assert_eq!(both(|| 1, || "two"), (1, "two"));
    }
}
