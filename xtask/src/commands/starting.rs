//! The starts that an `up` consists of: what seed files need first, then everything, once more where data were lost.

use crate::cli::Context;
use crate::commands::db::seeds;
use crate::commands::project::Project;
use crate::error::Result;
use crate::run::docker::{Docker, Invocation};
use crate::run::labels::Role;
use crate::run::setup::Setup;
use crate::run::signals;
use crate::run::spec::{ServiceSpec, Spec};
use crate::run::start::{self, Start};
use crate::run::state::{self, Container};
use crate::run::timings::Timings;
use crate::run::volatile::{self, Moment};
use crate::ui::Ui;

/// Starts what makes the tables of these services, and applies their seed files, so that they find their rows. Where
/// nothing is due, no more than their servers.
pub(super) fn seed_first(
    context: &Context,
    project: &Project,
    spec: &Spec,
    what: &mut Start,
    seeded: &[String],
) -> Result<Option<Timings>> {
    let Project { docker, setup } = project;
    let makers = seeded.iter().flat_map(|service| seeds::makers(spec, service));
    let makers: Vec<String> = makers.map(|maker| maker.name.clone()).collect();
    if makers.is_empty() {
        return Ok(None);
    }
    let all: Vec<&ServiceSpec> = spec.closure(&makers);
    let names = |of: &dyn Fn(&&&ServiceSpec) -> bool| -> Vec<String> {
        all.iter().filter(of).map(|service| service.name.clone()).collect()
    };
    let mut bring = |services: Vec<String>| {
        let command = start::compose_up(docker, setup, &services, &[]);
        let first = Start { services: services.clone(), ..what.clone() };
        let started = start_all(docker, setup, spec, first, &command, context.ui);
        what.early.retain(|name| !services.contains(name));
        what.up.extend(services);
        started
    };
    let (timings, running) = bring(names(&|service| service.role == Role::Component))?;
    if !seeds::is_any_due(context, docker, setup, spec, seeded, &running)? {
        return Ok(Some(timings));
    }
    let (made, running) = bring(names(&|_| true))?;
    seeds::apply(context, docker, setup, spec, seeded, &running)?;
    Ok(Some(timings.then(made).lasting(what.since.elapsed())))
}

/// Starts everything; once more where an engine was made anew, and so empty, under clients that were there before it.
pub(super) fn start_all(
    docker: &Docker,
    setup: &Setup,
    spec: &Spec,
    what: Start,
    command: &Invocation,
    ui: Ui,
) -> Result<(Timings, Vec<Container>)> {
    let first = start::start(docker, setup, spec, &what, command, ui);
    signals::check()?;
    let after = match state::containers(docker, &setup.project) {
        Ok(after) => after,
        Err(error) => return Err(first.err().unwrap_or(error)),
    };
    if !volatile::stop_stale(docker, spec, &what.services, &after, Moment::AfterStart, ui)? {
        return Ok((first?, after));
    }
    let again = Start { early: Vec::new(), up: Vec::new(), ..what };
    let second = start::start(docker, setup, spec, &again, command, ui)?;
    let timings = match first {
        Ok(first) => first.then(second),
        Err(_) => second,
    };
    Ok((timings, state::containers(docker, &setup.project)?))
}
