//! Every target of `cargo fuzz`: the one of its own name among those that the bounded test runs, too.
#![no_main]

#[path = "../../xtask/tests/fuzz/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let name = env!("CARGO_BIN_NAME");
    let target = targets::ALL.iter().find(|target| target.name == name).expect("each binary has its target");
    (target.run)(data);
});
