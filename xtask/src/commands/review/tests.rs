//! A conversation on a terminal, with answers that are written down.

use std::collections::VecDeque;

use xshell::{Shell, TempDir};

use super::*;
use crate::ui::{Ui, Verbosity};

/// Answers in order; a list is answered by the beginning of an item.
struct Script(VecDeque<&'static str>);

impl Ask for Script {
    fn choose(&mut self, question: &str, items: &[String]) -> Result<Option<usize>> {
        let answer = self.0.pop_front().unwrap_or_else(|| panic!("nothing is left to say to {question}"));
        if answer == "ESC" {
            return Ok(None);
        }
        let found = items.iter().position(|item| item.starts_with(answer));
        Ok(Some(found.unwrap_or_else(|| panic!("{answer} is none of {items:#?}"))))
    }

    fn text(&mut self, _: &str) -> Result<Option<String>> {
        Ok(self.0.pop_front().map(str::to_owned).filter(|text| !text.is_empty()))
    }

    fn confirm(&mut self, _: &str) -> Result<bool> {
        Ok(self.0.pop_front() == Some("yes"))
    }
}

fn place() -> (TempDir, Context) {
    let shell = Shell::new().expect("there is a current folder");
    let folder = shell.create_temp_dir().expect("can be made");
    let root = folder.path().canonicalize().expect("was just made");
    let write = |name: &str, text: &str| shell.write_file(root.join(name), text).expect("can be written");
    write("api/Dockerfile", "FROM python:3.13-slim\nEXPOSE 8000\nCMD [\"python3\", \"app.py\"]\n");
    write("api/.env.example", "DATABASE_URL=postgres://localhost/shop\n");
    write("integration/config.yaml", "# Mine.\nbind: 127.0.0.1 # only here\n");
    let ui = Ui { verbosity: Verbosity::Quiet };
    (folder, Context { out: root.join("integration"), root, env: "dev".to_owned(), ui })
}

/// Plays a conversation; what `config.yaml` says then, and whether there is a setup.
fn play(answers: &[&'static str]) -> (String, bool) {
    let (_folder, context) = place();
    let review = Review { context: &context, take: &[] };
    let mut script = Script(answers.iter().copied().collect());
    let state = review.state(Vec::new()).expect("can be planned");
    review.talk(state, &mut script).expect("ends");
    assert!(script.0.is_empty(), "nobody asked for {:?}", script.0);
    let shell = Shell::new().expect("there is a current folder");
    let config = shell.read_file(context.out.join("config.yaml")).expect("is there");
    (config, context.out.join("docker-compose.yml").exists())
}

#[test]
fn a_chosen_alternative_is_written_after_the_diff_is_confirmed() {
    let (config, written) = play(&["Images", "postgres: postgres:17", "16", "Show what changes", "yes"]);
    assert_eq!(
        config,
        "# Mine.\nbind: 127.0.0.1 # only here\n\ninfrastructure:\n  postgres:\n    version: \"16\"\n"
    );
    assert!(written);
}

#[test]
fn a_value_is_typed_and_a_wrong_one_is_refused() {
    let (config, _) = play(&[
        "Ports",
        "api: 8000 on this machine",
        "PORT",
        "70000",
        "Ports",
        "api: 8000 on this machine",
        "PORT",
        "3010",
        "Show what changes",
        "yes",
    ]);
    assert_eq!(config, "# Mine.\nbind: 127.0.0.1 # only here\n\nservices:\n  api:\n    host_port: 3010\n");
}

#[test]
fn what_config_says_can_be_taken_back() {
    let (config, _) = play(&["Ports", "published on", "what is found", "Show what changes", "yes"]);
    assert_eq!(config, "# Mine.\n");
}

#[test]
fn nothing_is_written_without_a_yes() {
    let mine = "# Mine.\nbind: 127.0.0.1 # only here\n";
    for answers in [
        &["Isolation", "on:", "off", "Show what changes", "no", "Leave"][..],
        &["Isolation", "on:", "Back", "ESC"],
        &["Isolation", "ESC", "Leave"],
    ] {
        assert_eq!(play(answers), (mine.to_owned(), false), "{answers:?}");
    }
}
