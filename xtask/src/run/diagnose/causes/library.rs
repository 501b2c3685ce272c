//! A shared library that the image lacks, or has in a version that is too old.

use crate::run::diagnose::facts::{Facts, Known};
use crate::run::diagnose::words;

/// The words of glibc, musl and Python.
const MISSING: [&str; 4] = [
    r"error while loading shared libraries: ([^:\s]+): cannot open shared object file",
    r"Error loading shared library ([^:\s]+): No such file or directory",
    r"(?:ImportError|OSError): ([^:\s]+\.so[^:\s]*): cannot open shared object file",
    r"Error: ([^:\s]+\.so[^:\s]*): cannot open shared object file",
];

/// The beginning of a library's name, and Debian's package of it.
const PACKAGES: [(&str, &str); 10] = [
    ("libpq.so", "libpq5"),
    ("libssl.so.3", "libssl3"),
    ("libcrypto.so.3", "libssl3"),
    ("libgomp.so", "libgomp1"),
    ("libGL.so", "libgl1"),
    ("libstdc++.so", "libstdc++6"),
    ("libmariadb.so", "libmariadb3"),
    ("libxml2.so", "libxml2"),
    ("libglib-2.0.so", "libglib2.0-0"),
    ("libgssapi_krb5.so", "libgssapi-krb5-2"),
];

/// The loader's last words.
pub fn find(facts: &Facts) -> Option<Known> {
    if !facts.is_down() {
        return None;
    }
    missing(facts).or_else(|| too_old(facts))
}

fn missing(facts: &Facts) -> Option<Known> {
    let trace = words::last_of(&facts.log, &MISSING)?;
    let library = trace.group(1).rsplit('/').next().unwrap_or_default();
    let package = PACKAGES.iter().find(|(name, _)| library.starts_with(name));
    let hint = package.map(|(_, package)| format!(" (Debian: {package})")).unwrap_or_default();
    Some(
        Known::new(format!("the shared library `{library}` is not in its image"))
            .at(facts.command_place())
            .said(&trace.line)
            .fix(format!("install its package{hint} in {}, {}", facts.image_place(), facts.then_up())),
    )
}

fn too_old(facts: &Facts) -> Option<Known> {
    let trace = words::last(&facts.log, r"version [`']((?:GLIBC|GLIBCXX)_[\d.]+)' not found")?;
    let (name, version) = trace.group(1).split_once('_')?;
    let name = if name == "GLIBC" { "glibc" } else { "libstdc++" };
    Some(
        Known::new(format!("it was built against {name} {version}, and its image has an older one"))
            .at(facts.command_place())
            .said(&trace.line)
            .fix(format!(
                "build and run on the same base image in {}, {}",
                facts.image_place(),
                facts.then_up()
            )),
    )
}
