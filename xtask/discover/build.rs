//! Lists `catalog/*.yaml`, so that adding a component is adding one file; must not interpret them.

use std::fmt::Write as _;
use std::path::Path;

#[allow(
    clippy::disallowed_methods,
    reason = "a build script reads the package's own files and writes to OUT_DIR"
)]
fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=../catalog");
    let mut names: Vec<String> = std::fs::read_dir("../catalog")?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    names.sort();
    let mut list = String::from("&[\n");
    for name in &names {
        // Cargo compiles again where the checkout has moved; it does not run this again.
        let path = format!("/../catalog/{name}");
        let _ =
            writeln!(list, "    ({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))),");
    }
    list.push_str("]\n");
    let out = std::env::var_os("OUT_DIR").unwrap_or_default();
    std::fs::write(Path::new(&out).join("catalog.rs"), list)
}
