//! A plan as a unified diff; colours and prints nothing.

use crate::apply::folder::Folder;
use crate::apply::plan::Plan;

/// What would change, as `git apply` reads it; empty where no file that people see changes.
pub fn unified(folder: &Folder, plan: &Plan) -> String {
    let mut text = String::new();
    for step in plan.steps.iter().filter(|step| step.before != step.after) {
        let name = |side: &str, text: &Option<String>| match text {
            Some(_) => format!("{side}/{}", folder.show(&step.name)),
            None => "/dev/null".to_owned(),
        };
        let patch = diffy::DiffOptions::new()
            .set_original_filename(name("a", &step.before))
            .set_modified_filename(name("b", &step.after))
            .create_patch(
                step.before.as_deref().unwrap_or_default(),
                step.after.as_deref().unwrap_or_default(),
            )
            .to_string();
        text.push_str(&patch);
    }
    text
}
