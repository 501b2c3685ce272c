//! Turns the stack into files, the same bytes for the same stack; decides nothing and touches nothing.

mod compose;
mod config;
mod connectivity;
mod dotenv;
mod meta;
mod overrides;
mod readme;
mod smoke;
mod testing;
mod yaml;

use crate::model::files::Files;
use crate::model::stack::Stack;

/// Where the setup lies, as far as the files have to say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// From the setup's folder to the monorepo's root: `..`.
    pub root: String,
    /// From the root to the setup's folder: `integration`.
    pub out: String,
}

impl Default for Layout {
    fn default() -> Self {
        Layout { root: "..".to_owned(), out: "integration".to_owned() }
    }
}

/// The name of the file that holds what later runs must know.
pub const STATE: &str = ".generated/state.yaml";

/// All files of a setup, names relative to its folder.
pub fn render(stack: &Stack, layout: &Layout) -> Files {
    let mut files = Files::default();
    files.insert("docker-compose.yml", compose::render(stack, layout));
    files.insert("docker-compose.override.yml", overrides::render(stack, layout));
    files.insert("docker-compose.test.yml", testing::render(stack, layout));
    files.insert(".env.example", dotenv::render(stack));
    files.insert(".gitignore", meta::GITIGNORE);
    files.insert(".gitattributes", meta::GITATTRIBUTES);
    files.insert("config.yaml", config::render(stack));
    files.insert("README.md", readme::render(stack, layout));
    files.insert(STATE, meta::state(&stack.assignments));
    for (name, text) in &stack.scripts {
        files.insert(name.clone(), text.clone());
    }
    files.insert("tests/connectivity.yaml", connectivity::render(&stack.connectivity));
    for (name, text) in smoke::render(stack) {
        files.insert(name, text);
    }
    // Scenarios of the monorepo are carried over as they are.
    let own = files.0.iter_mut().filter(|(name, _)| !name.starts_with("tests/smoke/"));
    own.for_each(|(_, text)| make_printable(text));
    files
}

/// Control characters in values and comments of the monorepo would act on the terminal of whoever reads the files.
fn make_printable(text: &mut String) {
    let acts = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.contains(acts) {
        *text = text.replace(acts, "\u{fffd}");
    }
}
