//! The scenarios of a folder, and those that were asked for by name; reads only.

use std::path::{Path, PathBuf};

use super::{Scenario, parse};
use crate::error::{Failure, Failures, Result};
use crate::run::setup;

/// All `*.yaml` and `*.yml` of a folder, by file name; `shown` is the folder relative to the root. A folder that
/// does not exist is empty.
///
/// # Errors
/// All problems of all files.
pub fn load(folder: &Path, shown: &str) -> Result<Vec<Scenario>> {
    let (mut scenarios, mut failures) = (Vec::new(), Vec::new());
    for path in files(folder, shown)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(text) = setup::read_text(&path)? else { continue };
        match parse(&text, &format!("{shown}/{name}")) {
            Ok(scenario) => scenarios.push(scenario),
            Err(found) => failures.extend(found),
        }
    }
    Failures::check(failures, "nothing was sent")?;
    Ok(scenarios)
}

#[allow(
    clippy::disallowed_methods,
    reason = "the scenarios are a part of the setup that only this module reads"
)]
fn files(folder: &Path, shown: &str) -> Result<Vec<PathBuf>> {
    let cannot =
        |why: std::io::Error| Failure::new("cannot read the folder of the scenarios").at(shown).why(why);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => return Err(cannot(why).into()),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(cannot)?.path();
        if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
            && path.is_file()
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The scenarios with these names, by name or by file; all of them where no name is given.
///
/// # Errors
/// When a name is none, with the nearest one.
pub fn select(scenarios: Vec<Scenario>, names: &[String]) -> Result<Vec<Scenario>> {
    let is = |scenario: &Scenario, name: &str| scenario.name == name || scenario.stem() == name;
    for name in names {
        if !scenarios.iter().any(|scenario| is(scenario, name)) {
            return Err(unknown(&scenarios, name).into());
        }
    }
    let wanted = |scenario: &Scenario| names.is_empty() || names.iter().any(|name| is(scenario, name));
    Ok(scenarios.into_iter().filter(wanted).collect())
}

fn unknown(scenarios: &[Scenario], name: &str) -> Failure {
    let failure = Failure::new(format!("there is no scenario `{name}`"));
    if scenarios.is_empty() {
        return failure;
    }
    let shown: Vec<String> =
        scenarios.iter().map(|scenario| format!("`{}` ({})", scenario.name, scenario.stem())).collect();
    let failure = failure.why(format!("known are {}", crate::ui::list(&shown)));
    let names = scenarios.iter().flat_map(|scenario| [scenario.name.as_str(), scenario.stem()]);
    failure.did_you_mean(name, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(file: &str, name: &str) -> Scenario {
        parse(&format!("name: {name}\nservice: s\nsteps: [{{request: {{path: /}}}}]"), file).unwrap()
    }

    #[test]
    fn scenarios_are_found_by_name_and_by_file() {
        let all = || vec![scenario("t/crud.yaml", "users crud"), scenario("t/order-flow.yaml", "order flow")];
        let chosen = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            select(all(), &names)
                .map(|chosen| chosen.into_iter().map(|scenario| scenario.name).collect::<Vec<_>>())
        };
        assert_eq!(chosen(&["order flow"]).unwrap(), ["order flow"]);
        assert_eq!(chosen(&["order-flow", "crud"]).unwrap(), ["users crud", "order flow"]);
        assert_eq!(chosen(&[]).unwrap().len(), 2);
        assert_eq!(
            chosen(&["order-flwo"]).unwrap_err().to_string(),
            "there is no scenario `order-flwo`\n  why: known are `users crud` (crud) and `order flow` (order-flow)\n  \
             fix: did you mean `order-flow`?"
        );
    }

    #[test]
    fn problems_of_all_files_are_told_at_once() {
        let folder = std::env::temp_dir().join(format!("xtask-scenarios-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("not-a-file.yaml")).unwrap();
        #[allow(clippy::disallowed_methods, reason = "the test's own folder")]
        for (name, text) in [("b.yaml", "name: b\n"), ("a.yml", "nam: a\nsteps: []\n"), ("notes.md", "x")] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let error = load(&folder, "integration/tests/smoke").unwrap_err().to_string();
        let places: Vec<&str> = error.lines().filter(|line| line.starts_with("  at ")).collect();
        assert!(
            places.first().unwrap().contains("a.yml:1") && places.last().unwrap().contains("b.yaml:1"),
            "{error}"
        );
        assert!(error.ends_with("errors, nothing was sent"), "{error}");
        #[allow(clippy::disallowed_methods, reason = "the test's own folder")]
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(load(&folder, "x").unwrap(), []);
    }
}
