//! `docker-compose.override.yml`: what only local development wants; Compose merges it by itself.

use crate::model::path::RepoPath;
use crate::model::stack::{Container, HotReload, Reload, ReloadAction, Stack};

use super::Layout;
use super::compose::{as_written, from_setup, port};
use super::yaml::{Writer, scalar};

const HEADER: &str = "# For local development, merged into docker-compose.yml by Compose itself: ports of databases, queues and debuggers,\n\
                      # and under `develop` what `cargo xtask up --watch` does when a file changes.\n";

pub(crate) fn render(stack: &Stack, layout: &Layout) -> String {
    let mut out = Writer::default();
    let concerned: Vec<&Container> = stack.containers.iter().filter(|each| is_concerned(each)).collect();
    if concerned.is_empty() {
        return format!("{HEADER}services: {{}}\n");
    }
    out.line(0, "services:");
    for (i, container) in concerned.into_iter().enumerate() {
        if i > 0 {
            out.line(0, "");
        }
        out.line(1, &format!("{}:", scalar(&container.name)));
        let ports: Vec<String> = container.local_ports.iter().map(|each| port(each, &stack.bind)).collect();
        out.list(2, "ports", &ports);
        if let Some(HotReload { rules, why: _ }) = &container.reload {
            out.line(2, "develop:");
            out.line(3, "watch:");
            rules.iter().for_each(|each| rule(&mut out, each, layout));
        }
    }
    format!("{HEADER}{}", out.finish())
}

fn is_concerned(container: &Container) -> bool {
    !container.local_ports.is_empty() || container.reload.is_some()
}

fn rule(out: &mut Writer, rule: &Reload, layout: &Layout) {
    let Reload { path, action, ignore } = rule;
    let (action, target) = match action {
        ReloadAction::Rebuild => ("rebuild", None),
        ReloadAction::Sync { target } => ("sync", Some(target)),
        ReloadAction::SyncRestart { target } => ("sync+restart", Some(target)),
    };
    out.line(4, &format!("- action: {}", scalar(action)));
    out.pair(5, "path", &from_setup(path.as_str(), layout));
    if let Some(target) = target {
        out.pair(5, "target", &as_written(target));
    }
    let mut ignore = ignore.clone();
    // What the commands write into the setup must not start a build.
    if let Some(own) = RepoPath::new(&layout.out).and_then(|out| out.relative_to(path))
        && own != "."
    {
        ignore.push(own);
    }
    let ignore: Vec<String> = ignore.iter().map(|pattern| as_written(pattern)).collect();
    out.list(5, "ignore", &ignore);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_compose_would_take_for_a_variable_is_written_for_it() {
        let mut out = Writer::default();
        let path = RepoPath::new("api").expect("inside the root");
        let action = ReloadAction::Sync { target: "/srv/$-com".to_owned() };
        rule(&mut out, &Reload { path, action, ignore: vec!["$tmp".to_owned()] }, &Layout::default());
        let text = out.finish();
        assert!(text.contains("/srv/$$-com") && text.contains("$$tmp"), "{text}");
    }
}
