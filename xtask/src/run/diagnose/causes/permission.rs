//! A path that the container's user may not write to.

use crate::run::diagnose::facts::{Facts, Known};
use crate::run::diagnose::words;

/// What runtimes and tools say; the bracket holds the path.
const DENIED: [&str; 5] = [
    r"EACCES: permission denied, (?:mkdir|open|rename|unlink|scandir|copyfile) '([^']+)'",
    r"PermissionError: \[Errno 13\] Permission denied: '([^']+)'",
    r"(?:open|mkdir) (/[^:\s]+): permission denied",
    r"(?:can't create|cannot create|cannot touch|can't open|cannot create directory) [‘'`]?(/[^:’'`]+)[’'`]?: Permission denied",
    r"java\.nio\.file\.AccessDeniedException: (/\S+)",
];

/// Only where the process has ended of it.
pub fn find(facts: &Facts) -> Option<Known> {
    if !facts.is_down() || facts.exit_code() == Some(0) {
        return None;
    }
    let trace = words::last_of(&facts.log, &DENIED)?;
    let path = facts.anatomy.absolute(trace.group(1));
    let user = match facts.anatomy.user.as_str() {
        "" => "root".to_owned(),
        user => user.to_owned(),
    };
    let known = Known::new(format!("its user `{user}` has no right to `{path}`"));
    let known = match facts.anatomy.mount_of(&path) {
        Some(mount) if mount.kind == "bind" => known.at(facts.places.key(&["volumes"])).fix(format!(
            "give {} to that user, or mount it elsewhere, {}",
            facts.setup.shown_outside(&mount.source),
            facts.then_up()
        )),
        Some(mount) => known
            .why(format!("an empty volume takes its owner from `{}` in the image", mount.target))
            .fix(format!(
                "before USER in {}: RUN mkdir -p {target} && chown {user} {target}; then: {}",
                facts.image_place(),
                facts.setup.xtask(&format!("reset {}", facts.service)),
                target = mount.target,
            )),
        None => known.fix(format!(
            "let the image give `{path}` to `{user}` in {}, {}",
            facts.image_place(),
            facts.then_up()
        )),
    };
    Some(known.said(&trace.line))
}
