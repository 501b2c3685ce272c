//! Memory that ran out: the container's limit, the machine's memory, or the heap that a runtime gave itself.

use crate::run::diagnose::facts::{Facts, Known};
use crate::run::diagnose::words;

/// Killed by the kernel, or given up by the runtime.
pub fn find(facts: &Facts) -> Option<Known> {
    if !facts.is_down() {
        return None;
    }
    killed(facts).or_else(|| heap(facts))
}

fn killed(facts: &Facts) -> Option<Known> {
    if !facts.details.out_of_memory {
        return None;
    }
    let known = Known::new("its memory ran out");
    Some(match facts.anatomy.memory {
        0 => known.why("the kernel killed it (SIGKILL): this machine had no memory left").fix(format!(
            "give Docker more memory, or start less at once: {}",
            facts.setup.xtask("up SERVICE")
        )),
        limit => known
            .at(facts.places.key(&["mem_limit", "memory"]))
            .why(format!("the kernel killed it (SIGKILL) at its limit of {}", size(limit)))
            .fix(format!("raise that limit in {}, {}", facts.places.file(), facts.then_up())),
    })
}

/// Runtimes with a heap of a fixed size, the words of their end, and the variable that sets the size.
const HEAPS: [(&str, &str, &str, &str); 2] = [
    (r"JavaScript heap out of memory", "Node.js", "NODE_OPTIONS", "--max-old-space-size=2048"),
    (r"java\.lang\.OutOfMemoryError", "Java", "JAVA_TOOL_OPTIONS", "-XX:MaxRAMPercentage=75"),
];

fn heap(facts: &Facts) -> Option<Known> {
    HEAPS.iter().find_map(|(pattern, runtime, variable, value)| {
        let trace = words::last(&facts.log, pattern)?;
        let set = facts.set(
            &format!("env.{variable}"),
            &format!(" to {value}"),
            &format!("set {variable}={value} in the environment"),
        );
        let known = Known::new(format!("the heap of {runtime} ran out")).at(facts.places.key(&[variable]));
        Some(known.said(&trace.line).fix(set))
    })
}

/// `32 MiB`, `1.5 GiB`.
fn size(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    match bytes / MIB {
        0 => format!("{bytes} bytes"),
        mib if mib >= 1024 && mib % 1024 == 0 => format!("{} GiB", mib / 1024),
        mib => format!("{mib} MiB"),
    }
}
