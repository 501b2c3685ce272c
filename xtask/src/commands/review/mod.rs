//! `integrate --mode review`: every decision with its reason and alternatives, changed on a terminal or by `--set`.

mod ask;
mod decisions;
mod show;

use crate::apply::decide::{Options, Plan, Take};
use crate::apply::diff;
use crate::cli::Context;
use crate::commands::settings::{self, Changed};
use crate::commands::{compatibility, integrate};
use crate::config::keys::Setting;
use crate::error::{Outcome, Result};
use crate::run::signals;

use ask::{Ask, Terminal};
use decisions::{Decision, SECTIONS, decisions};

/// Presents the configuration. On a terminal it asks what to change and writes after a confirmed diff; else it writes
/// only what `--set` says.
///
/// # Errors
/// As `integrate`.
pub(super) fn run(context: &Context, take: &[Take], settings: Vec<Setting>, dry: bool) -> Result<Outcome> {
    signals::watch()?;
    let review = Review { context, take };
    let state = review.state(settings)?;
    let all = decisions(&state.changed.pipeline);
    context.ui.data(show::all(&all));
    if context.ui.can_ask() && !dry {
        return review.talk(state, &mut Terminal);
    }
    if state.settings.is_empty() {
        context.ui.note(show::HOW);
        return Ok(Outcome::Done);
    }
    review.show_diff(&state);
    integrate::carry_out(context, &state.changed.pipeline, &state.plan, dry)
}

struct Review<'a> {
    context: &'a Context,
    take: &'a [Take],
}

/// What was decided so far, and what it leads to.
struct State {
    settings: Vec<Setting>,
    changed: Changed,
    plan: Plan,
}

/// What the user wants after a question.
enum Next {
    Ask,
    Write,
    Leave,
}

impl Review<'_> {
    fn state(&self, settings: Vec<Setting>) -> Result<State> {
        let changed = settings::read(self.context, &settings)?;
        let options =
            Options { take: self.take.to_vec(), config: changed.config.clone(), ..Options::default() };
        let plan = integrate::plan(&changed.pipeline, &options)?;
        Ok(State { settings, changed, plan })
    }

    fn show_diff(&self, state: &State) {
        let diff = diff::unified(&state.changed.pipeline.folder, &state.plan);
        if !diff.is_empty() {
            self.context.ui.data(diff.trim_end());
        }
    }

    /// Asks until the user writes or leaves.
    fn talk(&self, mut state: State, ask: &mut dyn Ask) -> Result<Outcome> {
        loop {
            match self.menu(&mut state, ask)? {
                Next::Ask => {}
                Next::Leave => {
                    self.context.ui.note("nothing was written");
                    return Ok(Outcome::Done);
                }
                Next::Write if !state.plan.changes_anything() => {
                    return integrate::carry_out(self.context, &state.changed.pipeline, &state.plan, false);
                }
                Next::Write => {
                    self.show_diff(&state);
                    compatibility::report(self.context, &state.changed.pipeline, &state.plan);
                    let shown = &state.changed.pipeline.folder.shown;
                    if ask.confirm(&format!("Write this to {shown}/?"))? {
                        return integrate::carry_out(
                            self.context,
                            &state.changed.pipeline,
                            &state.plan,
                            false,
                        );
                    }
                }
            }
        }
    }

    fn menu(&self, state: &mut State, ask: &mut dyn Ask) -> Result<Next> {
        let all = decisions(&state.changed.pipeline);
        let sections: Vec<&str> =
            SECTIONS.iter().copied().filter(|title| all.iter().any(|one| one.section == *title)).collect();
        let mut items: Vec<String> = sections.iter().map(|title| (*title).to_owned()).collect();
        let write = if state.plan.changes_anything() { "Show what changes, and write it" } else { "Done" };
        items.extend([write.to_owned(), "Leave without writing".to_owned()]);
        let Some(chosen) = ask.choose("What do you want to change?", &items)? else { return Ok(Next::Leave) };
        let Some(section) = sections.get(chosen) else {
            return Ok(if chosen == sections.len() { Next::Write } else { Next::Leave });
        };
        let of_section: Vec<&Decision> = all.iter().filter(|one| one.section == *section).collect();
        let mut items: Vec<String> = of_section.iter().map(|one| one.line()).collect();
        items.push("Back".to_owned());
        let chosen = ask.choose(section, &items)?;
        let Some(decision) = chosen.and_then(|chosen| of_section.get(chosen)) else { return Ok(Next::Ask) };
        if let Some(given) = self.value(decision, ask)? {
            self.change(state, &given);
        }
        Ok(Next::Ask)
    }

    /// The setting that the user chooses for a decision, as the command line would take it.
    fn value(&self, decision: &Decision, ask: &mut dyn Ask) -> Result<Option<Given>> {
        self.context.ui.note(show::one(decision));
        if decision.alternatives.is_empty() {
            self.context.ui.note("Nothing in config.yaml changes this.");
            return Ok(None);
        }
        let mut items: Vec<String> = decision.alternatives.iter().map(|one| one.line()).collect();
        if decision.configured {
            items.push(format!("what is found, without {} in config.yaml", decision.key));
        }
        items.push("Back".to_owned());
        let Some(chosen) = ask.choose("Instead", &items)? else { return Ok(None) };
        match decision.alternatives.get(chosen) {
            Some(one) if one.value.is_some() => Ok(Some(Given::Set(one.setting()))),
            Some(one) => {
                let question = format!("{} ({})", one.key, one.about);
                let text = ask.text(&question)?.filter(|text| !text.trim().is_empty());
                Ok(text.map(|text| Given::Set(format!("{}={}", one.key, text.trim()))))
            }
            None if decision.configured && chosen == decision.alternatives.len() => {
                Ok(Some(Given::Unset(decision.key.clone())))
            }
            None => Ok(None),
        }
    }

    /// Takes a setting over if the system can be planned with it, and says what it changes.
    fn change(&self, state: &mut State, given: &Given) {
        let ui = self.context.ui;
        let setting = match given {
            Given::Set(text) => Setting::set(text),
            Given::Unset(key) => Setting::unset(key),
        };
        let next = setting.and_then(|setting| {
            let mut settings = state.settings.clone();
            settings.retain(|other| other.path != setting.path);
            settings.push(setting);
            self.state(settings)
        });
        match next {
            Ok(next) => {
                *state = next;
                integrate::show_steps(self.context, &state.plan, true);
            }
            Err(error) => ui.error(format!("{error:#}")),
        }
    }
}

/// What the command line would take.
enum Given {
    Set(String),
    Unset(String),
}

#[cfg(test)]
mod tests;
