//! What is written where, and every refusal in full.

use super::*;

fn found(files: &[(&str, &str)]) -> Found {
    Found {
        shown: "../shop".to_owned(),
        name: "Shop_2".to_owned(),
        files: files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        ..Found::default()
    }
}

fn by_path() -> Wish {
    let path = "../../tools/xtask".to_owned();
    Wish { source: Source::Path { path, inside: None }, ci: None, lock: Some("version = 4\n".to_owned()) }
}

fn by_git() -> Wish {
    let url = "https://git.example/tools.git".to_owned();
    Wish { source: Source::Git { url, rev: Some("abc".to_owned()) }, ..by_path() }
}

fn text(adoption: &Adoption, name: &str) -> String {
    let edit = adoption.edits.iter().find(|edit| edit.name == name);
    edit.unwrap_or_else(|| panic!("{name} is not written")).after.clone()
}

/// What the next run finds.
fn written(before: &Found, adoption: &Adoption) -> Found {
    let mut after = before.clone();
    for edit in &adoption.edits {
        after.files.insert(edit.name.clone(), edit.after.clone());
    }
    after
}

fn changed(adoption: &Adoption) -> Vec<&str> {
    let changed = adoption.edits.iter().filter(|edit| edit.before.as_deref() != Some(edit.after.as_str()));
    changed.map(|edit| edit.name.as_str()).collect()
}

fn refused(found: &Found, wish: &Wish) -> String {
    adopt(found, wish).expect_err("a place is taken").to_string()
}

#[test]
fn monorepo_without_cargo_gets_a_workspace_of_its_own() {
    let adoption = adopt(&found(&[]), &by_path()).unwrap();
    assert_eq!(
        changed(&adoption),
        [
            "xtask/Cargo.toml",
            "xtask/src/main.rs",
            "xtask/.gitignore",
            "xtask/Cargo.lock",
            ".cargo/config.toml"
        ]
    );
    let manifest: toml::Table = text(&adoption, "xtask/Cargo.toml").parse().unwrap();
    assert_eq!(manifest["package"]["name"].as_str(), Some("shop-2-xtask"));
    assert_eq!(manifest["dependencies"]["xtask"]["path"].as_str(), Some("../../tools/xtask"));
    assert!(manifest.contains_key("workspace"));
    assert_eq!(
        text(&adoption, ".cargo/config.toml"),
        "[alias]\nxtask = \"run --quiet --manifest-path xtask/Cargo.toml --\"\n"
    );
    assert_eq!((adoption.manifest(), adoption.lock()), ("xtask/Cargo.toml", "xtask/Cargo.lock"));
}

#[test]
fn the_profile_of_a_workspace_of_its_own_is_that_of_this_one() {
    let ours: toml::Table = include_str!("../../../Cargo.toml").parse().unwrap();
    let adoption = adopt(&found(&[]), &by_path()).unwrap();
    let manifest: toml::Table = text(&adoption, "xtask/Cargo.toml").parse().unwrap();
    let mut ours = ours["profile"].clone();
    // What it is by default.
    ours["dev"].as_table_mut().unwrap().remove("incremental");
    assert_eq!(manifest["profile"], ours);
}

#[test]
fn second_run_changes_nothing() {
    let rust = found(&[("Cargo.toml", "[workspace]\nmembers = [\"api\"]\n")]);
    for (before, ci) in [(found(&[]), Ci::Github), (rust, Ci::Gitlab)] {
        let wish = Wish { ci: Some(ci), ..by_git() };
        let first = adopt(&before, &wish).unwrap();
        let after = written(&before, &first);
        let second = adopt(&after, &wish).unwrap();
        assert_eq!(changed(&second), Vec::<&str>::new());
        assert_eq!(
            (second.home == Home::Joined, second.package),
            (first.home == Home::Joined, first.package)
        );
        // Where the library comes from is not asked again.
        assert_eq!(changed(&adopt(&after, &by_path()).unwrap()), Vec::<&str>::new());
    }
}

#[test]
fn workspace_gets_a_member_with_its_comments_kept() {
    let before = "# ours\n[workspace]\nresolver = \"2\" # not 1\nmembers = [\n    # services\n    \"api\",\n    \
                  \"web\", # the site\n    # libraries\n]\n\n[workspace.lints]\n";
    let after = "# ours\n[workspace]\nresolver = \"2\" # not 1\nmembers = [\n    # services\n    \"api\",\n    \
                 \"web\", # the site\n    # libraries\n    \"xtask\",\n]\n\n[workspace.lints]\n";
    let adoption = adopt(&found(&[("Cargo.toml", before)]), &by_path()).unwrap();
    assert_eq!(adoption.home, Home::Joined);
    assert_eq!(text(&adoption, "Cargo.toml"), after);
    assert_eq!(
        text(&adoption, ".cargo/config.toml"),
        "[alias]\nxtask = \"run --quiet --package shop-2-xtask --\"\n"
    );
    assert!(!text(&adoption, "xtask/Cargo.toml").contains("[workspace]"));
    assert_eq!(adoption.lock(), "Cargo.lock");
}

#[test]
fn lists_of_members_keep_their_form() {
    for (before, after) in [
        ("[\"a\", \"b\"]", "[\"a\", \"b\", \"xtask\"]"),
        ("[ \"a\" ]", "[ \"a\", \"xtask\" ]"),
        ("[]", "[\"xtask\"]"),
        ("[\n  \"a\",\n  \"b\"\n]", "[\n  \"a\",\n  \"b\",\n  \"xtask\",\n]"),
        ("[\n  \"a\", \"b\" # two\n]", "[\n  \"a\", \"b\", \"xtask\" # two\n]"),
        ("[\n  \"a\" # one\n]", "[\n  \"a\", # one\n  \"xtask\",\n]"),
        ("[\"*\"]", "[\"*\"]"),
        ("[\"x*\"]", "[\"x*\"]"),
        ("[\"./xtask/\"]", "[\"./xtask/\"]"),
    ] {
        let manifest = |list: &str| format!("[workspace]\nmembers = {list}\n");
        let adoption = adopt(&found(&[("Cargo.toml", &manifest(before))]), &by_path()).unwrap();
        assert_eq!(text(&adoption, "Cargo.toml"), manifest(after));
    }
}

#[test]
fn workspace_that_images_are_built_from_is_left_alone() {
    let manifest = "[workspace]\nmembers = [\"*\"]\n";
    let mut found = found(&[("Cargo.toml", manifest), (".dockerignore", "target")]);
    found.builds = vec!["api/Dockerfile:4".to_owned(), "web/Dockerfile:3".to_owned()];
    found.copies_all = Some("web/Dockerfile:3".to_owned());
    let adoption = adopt(&found, &by_path()).unwrap();
    let why = "images are built from that of the root: api/Dockerfile:4 and web/Dockerfile:3";
    assert_eq!(adoption.home, Home::Own(why.to_owned()));
    // A pattern would make it a member, which cannot be a workspace.
    assert_eq!(text(&adoption, "Cargo.toml"), format!("{manifest}exclude = [\"xtask\"]\n"));
    assert_eq!(text(&adoption, ".dockerignore"), "target\nxtask/target\n");
    assert_eq!(changed(&adopt(&written(&found, &adoption), &by_path()).unwrap()), Vec::<&str>::new());
}

#[test]
fn library_inside_the_monorepo_stays_out_of_its_workspace() {
    let source = Source::Path { path: "../tools/x/xtask".to_owned(), inside: Some("tools/x".to_owned()) };
    let wish = Wish { source, ci: Some(Ci::Github), ..by_path() };
    let adoption = adopt(&found(&[("Cargo.toml", "[workspace]\nmembers = [\"api\"]\n")]), &wish).unwrap();
    assert_eq!(
        text(&adoption, "Cargo.toml"),
        "[workspace]\nmembers = [\"api\", \"xtask\"]\nexclude = [\"tools/x\"]\n"
    );
}

#[test]
fn alias_joins_the_configuration_that_is_there() {
    let config = "# proxies\n[net]\nretry = 3\n\n[alias]\nb = \"build\" # short\n\n[build]\njobs = 2\n";
    let adoption = adopt(&found(&[(".cargo/config.toml", config)]), &by_path()).unwrap();
    let wanted =
        config.replace("# short\n", "# short\nxtask = \"run --quiet --manifest-path xtask/Cargo.toml --\"\n");
    assert_eq!(text(&adoption, ".cargo/config.toml"), wanted);
    let old = adopt(&found(&[(".cargo/config", "alias.b = \"build\"\n")]), &by_path()).unwrap();
    assert_eq!(
        text(&old, ".cargo/config"),
        "alias.b = \"build\"\nalias.xtask = \"run --quiet --manifest-path xtask/Cargo.toml --\"\n"
    );
    let list = "[alias]\nxtask = [\"run\", \"--quiet\", \"--manifest-path\", \"xtask/Cargo.toml\", \"--\"]\n";
    assert!(
        !changed(&adopt(&found(&[(".cargo/config.toml", list)]), &by_path()).unwrap())
            .contains(&".cargo/config.toml")
    );
}

#[test]
fn everything_that_is_taken_is_said_at_once() {
    let found = found(&[
        ("xtask/Cargo.toml", "[package]\nname = \"xtask\"\n"),
        (".cargo/config.toml", "[net]\n\n[alias]\nxtask = \"run -p xtask --\"\n"),
        ("Cargo.toml", "[workspace]\nmembers = \"*\"\n"),
        ("rust-toolchain.toml", "[toolchain]\nchannel = \"1.75.0\"\n"),
        (".github/workflows/xtask.yml", "name: mine\n"),
    ]);
    let said = refused(&found, &Wish { ci: Some(Ci::Github), ..by_git() });
    let job = said.find("move it, or write there what is missing:").expect("the job is shown");
    let rest = said.find("6 errors").or_else(|| said.find("5 errors")).expect("they are counted");
    assert_eq!(
        format!("{}…\n{}", &said[..job], &said[rest..]),
        "the monorepo pins Rust 1.75.0
  at ../shop/rust-toolchain.toml:2
  why: these commands need Rust 1.89 or newer
  fix: write `channel = \"1.89\"` or a newer one
error: there is another xtask already
  at ../shop/xtask/Cargo.toml
  why: the package `xtask` does not have these commands
       cargo cannot tell a package `xtask` from the library of that name
  fix: write below `[dependencies]`: xtask = { git = \"https://git.example/tools.git\", rev = \"abc\" }
       let its `main` return `xtask::main()` for every command that is not its own
       give the package another name, here and in the alias
error: `workspace.members` is no list
  at ../shop/Cargo.toml:2
  fix: write below `[workspace]`: members = [\"xtask\"]
error: the alias `xtask` is taken
  at ../shop/.cargo/config.toml:4
  why: it stands for `cargo run -p xtask --`
  fix: write below `[alias]`: xtask = \"run --quiet --package xtask --\"
error: there is another job already
  at ../shop/.github/workflows/xtask.yml
  fix: …
5 errors, nothing was written"
    );
}

#[test]
fn package_with_the_library_from_elsewhere_is_not_changed() {
    let manifest = "[package]\nname = \"s\"\n[dependencies]\nxtask = { path = \"../x\" }\n[workspace]\n";
    assert_eq!(
        refused(&found(&[("xtask/Cargo.toml", manifest)]), &by_git()),
        "the package has the commands from another place
  at ../shop/xtask/Cargo.toml:4
  why: it says: xtask = { path = \"../x\" }
  fix: write there: xtask = { git = \"https://git.example/tools.git\", rev = \"abc\" }
1 error, nothing was written"
    );
}

#[test]
fn broken_files_are_named_with_their_line() {
    let said = refused(&found(&[(".cargo/config.toml", "[net]\nretry 3\n")]), &by_path());
    assert!(said.starts_with("a file is no TOML\n  at ../shop/.cargo/config.toml:2\n  why: "), "{said}");
}

#[test]
fn job_needs_the_commands_where_it_runs() {
    assert_eq!(
        refused(&found(&[]), &Wish { ci: Some(Ci::Gitlab), ..by_path() }),
        "a job cannot compile the commands from a folder outside of the monorepo
  why: the machine that runs it has the monorepo only
  fix: name a repository with `--git URL`
1 error, nothing was written"
    );
}

#[test]
fn jobs_cache_the_build_and_check() {
    let rust = [("Cargo.toml", "[workspace]\nmembers = []\n")];
    for (files, target) in [(&[][..], "xtask/target"), (&rust[..], "target")] {
        for (ci, name) in [(Ci::Github, ci::GITHUB), (Ci::Gitlab, ci::GITLAB_JOB)] {
            let adoption = adopt(&found(files), &Wish { ci: Some(ci), ..by_git() }).unwrap();
            let job: serde_yaml::Value = serde_yaml::from_str(&text(&adoption, name)).unwrap();
            let (cached, scripts) = match ci {
                Ci::Github => {
                    let steps = job["jobs"]["system"]["steps"].as_sequence().unwrap();
                    let runs = steps.iter().filter_map(|step| step["run"].as_str());
                    (steps[1]["with"]["path"].as_str().unwrap().to_owned(), runs.map(str::to_owned).collect())
                }
                Ci::Gitlab => {
                    let script = job["xtask"]["script"].as_sequence().unwrap();
                    let lines: Vec<String> =
                        script.iter().map(|line| line.as_str().unwrap().to_owned()).collect();
                    (job["xtask"]["cache"]["paths"][0].as_str().unwrap().to_owned(), lines)
                }
            };
            assert!(cached.lines().any(|path| path.trim_end_matches('/') == target), "{name}: {cached}");
            assert_eq!(scripts[0], "cargo xtask integrate --check", "{name}");
            assert!(scripts.iter().any(|line| line.starts_with("cargo xtask test")), "{name}: {scripts:?}");
        }
    }
}

#[test]
fn pipeline_keeps_its_text_and_includes_the_job_in_a_stage_that_it_has() {
    let gitlab = Wish { ci: Some(Ci::Gitlab), ..by_git() };
    let pipeline = "# ours\nstages:\n  - build\n  - ship # last\nx: { script: [make] }";
    let adoption = adopt(&found(&[(ci::GITLAB, pipeline)]), &gitlab).unwrap();
    let include = "include:\n  - local: .gitlab/xtask.gitlab-ci.yml\n";
    assert_eq!(text(&adoption, ci::GITLAB), format!("{pipeline}\n\n{include}"));
    assert!(text(&adoption, ci::GITLAB_JOB).contains("  stage: ship\n"));
    assert_eq!(
        refused(&found(&[(ci::GITLAB, "include: other.yml\n")]), &gitlab),
        "the pipeline's own list of files has to be completed by hand
  at ../shop/.gitlab-ci.yml
  fix: add to `include`:
         - local: .gitlab/xtask.gitlab-ci.yml
1 error, nothing was written"
    );
}

#[test]
fn changes_of_a_lock_file_are_counted() {
    let package =
        |name: &str, version: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
    let before = format!("version = 4\n\n{}{}", package("api", "0.1.0"), package("itoa", "1.0.1"));
    let after =
        format!("{}{}{}", package("api", "0.1.0"), package("itoa", "1.0.18"), package("shop-xtask", "0.0.0"));
    assert_eq!(lock::difference(&before, &after), "2 packages more; no longer there: itoa 1.0.1");
    assert!(lock::knows(Some(&after), "shop-xtask") && !lock::knows(Some(&before), "shop-xtask"));
}
