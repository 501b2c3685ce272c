//! Everything that one run does to a setup, as data; decides and does nothing.

use std::collections::BTreeSet;

use crate::apply::merge::Conflict;

/// What happens to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// There was none.
    Create,
    /// Nobody edited it, and what is generated changed.
    Rewrite,
    /// Edited; what the generator changed goes in beside the edits.
    Merge,
    /// Written by hand; what is missing is added.
    Adopt,
    /// Stays as the user wrote it, though the generator has something else.
    KeepEdited,
    /// The user deleted it; it is not written again.
    KeepDeleted,
    /// No longer generated and never edited.
    Remove,
    /// Nothing to do.
    Unchanged,
}

impl Action {
    /// The verb of the report once it is done.
    pub fn done(self) -> &'static str {
        match self {
            Action::Create => "Created",
            Action::Rewrite => "Updated",
            Action::Merge => "Merged",
            Action::Adopt => "Adopted",
            Action::KeepEdited | Action::KeepDeleted => "Kept",
            Action::Remove => "Removed",
            Action::Unchanged => "Unchanged",
        }
    }

    /// The verb of `--dry-run`.
    pub fn planned(self) -> &'static str {
        match self {
            Action::Create => "Create",
            Action::Rewrite => "Update",
            Action::Merge => "Merge",
            Action::Adopt => "Adopt",
            Action::KeepEdited | Action::KeepDeleted => "Keep",
            Action::Remove => "Remove",
            Action::Unchanged => "Unchanged",
        }
    }
}

/// What happens to the copy of the last generated text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// Stays.
    Keep,
    /// Becomes this.
    Set(String),
    /// Goes.
    Drop,
}

/// One file of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Relative to the setup's folder.
    pub name: String,
    /// What happens.
    pub action: Action,
    /// Why, in a few words; empty where nothing happens.
    pub cause: String,
    /// The file's text now; `None` where there is none.
    pub before: Option<String>,
    /// The file's text then.
    pub after: Option<String>,
    /// The copy in `.generated/`.
    pub base: Base,
    /// What both sides changed in different ways.
    pub conflicts: Vec<Conflict>,
    /// What else a person should know.
    pub notes: Vec<String>,
}

/// Everything that one run does to a setup.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// In the order of the names.
    pub steps: Vec<Step>,
    /// Conflicts that stay open, when the list of them changes.
    pub open: Option<BTreeSet<(String, String)>>,
    /// Temporary files of a killed run, to be removed.
    pub leftovers: Vec<String>,
}

impl Plan {
    /// Whether carrying it out would change any byte in the folder.
    pub fn changes_anything(&self) -> bool {
        let step = |step: &Step| step.before != step.after || step.base != Base::Keep;
        self.open.is_some() || !self.leftovers.is_empty() || self.steps.iter().any(step)
    }

    /// The steps that a report shows: all but files in which nothing happens, and deleted ones that were named before.
    pub fn shown(&self) -> impl Iterator<Item = &Step> {
        let quiet = |step: &Step| match step.action {
            Action::Unchanged => true,
            Action::KeepDeleted => step.base == Base::Keep,
            _ => false,
        };
        self.steps.iter().filter(move |step| !quiet(step))
    }

    /// All conflicts with the files they are in.
    pub fn conflicts(&self) -> impl Iterator<Item = (&str, &Conflict)> {
        self.steps
            .iter()
            .flat_map(|step| step.conflicts.iter().map(|conflict| (step.name.as_str(), conflict)))
    }
}
