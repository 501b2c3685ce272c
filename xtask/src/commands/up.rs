//! `up`: preflight, build, start, wait until all is healthy, print where it answers.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::cli::Context;
use crate::commands::db::seeds;
use crate::commands::project::{Project, check_names, services_arg, values};
use crate::commands::{db, env_arg, integrate, starting};
use crate::error::{Failure, Outcome, Result};
use crate::run::connect::Wanted;
use crate::run::docker::Docker;
use crate::run::labels::Role;
use crate::run::preflight::Machine;
use crate::run::setup::Setup;
use crate::run::spec::{ServiceSpec, Spec};
use crate::run::start::Start;
use crate::run::state::{self, Container};
use crate::run::timings::Timings;
use crate::run::volatile::{self, Moment};
use crate::run::{
    again, ahead, build, duration, env_file, holdings, images, networks, ports, preflight, relay, remote,
    report_file, signals, start, stop, verify, watch,
};
use crate::ui::{Ui, count, list, table};

/// The arguments of `up`.
pub fn command() -> Command {
    Command::new("up")
        .about("Build and start everything, wait until it is healthy, and print the URLs")
        .arg(services_arg("Only these and what they depend on [default: all]"))
        .arg(
            Arg::new("without")
                .long("without")
                .value_name("SERVICE")
                .action(ArgAction::Append)
                .help("Leave this one out, to run it on the host"),
        )
        .arg(
            Arg::new("no-build")
                .long("no-build")
                .action(ArgAction::SetTrue)
                .help("Take the images as they are"),
        )
        .arg(
            Arg::new("watch")
                .long("watch")
                .action(ArgAction::SetTrue)
                .help("Then bring changed files into the containers, until Ctrl-C"),
        )
        .arg(timeout_arg("How long it may take until all is healthy"))
        .arg(
            Arg::new("timings")
                .long("timings")
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .help("Write when each service came up, as JSON"),
        )
        .arg(env_arg())
}

/// `--timeout D`, five minutes by default.
pub fn timeout_arg(help: &'static str) -> Arg {
    Arg::new("timeout").long("timeout").value_name("D").default_value("5m").help(help)
}

/// What `up` was asked to do.
#[derive(Debug, Clone)]
pub struct Request {
    /// Only these and what they depend on; all where empty.
    pub services: Vec<String>,
    /// Not these.
    pub without: Vec<String>,
    /// Build first.
    pub build: bool,
    /// How long it may take.
    pub timeout: Duration,
    /// Print where everything answers.
    pub urls: bool,
}

/// Runs `up`.
///
/// # Errors
/// When something is missing, fails to build or to start, or takes too long.
pub fn run(context: &Context, matches: &ArgMatches) -> Result<Outcome> {
    let request = Request {
        services: values(matches, "service"),
        without: values(matches, "without"),
        build: !matches.get_flag("no-build"),
        timeout: duration::parse(matches.get_one::<String>("timeout").map_or("5m", String::as_str))?,
        urls: true,
    };
    let (project, timings) = up_timed(context, &request)?;
    if let Some(path) = matches.get_one::<PathBuf>("timings") {
        report_file::write(path, &serde_json::to_string_pretty(&timings)?, "--timings")?;
    }
    if matches.get_flag("watch") {
        return watch(&project, &request, context.ui);
    }
    Ok(Outcome::Done)
}

/// Watches until Ctrl-C, which ends that and nothing else.
fn watch(project: &Project, request: &Request, ui: Ui) -> Result<Outcome> {
    let spec = project.spec()?;
    let started = wanted(&project.setup, &spec, request)?;
    let started: Vec<&str> = started.iter().map(String::as_str).collect();
    let watched = watch::watched(&project.setup, &spec, &started)?;
    ui.status("Watching", format_args!("{} (until Ctrl-C)", list(&watched)));
    let code = watch::command(&project.docker, &project.setup, &spec, &watched).foreground()?;
    project.after_interruption(signals::check())?;
    Ok(if code == 0 { Outcome::Done } else { Outcome::Code(u8::try_from(code).unwrap_or(1)) })
}

/// Does what was asked; also for commands that need a running system.
///
/// # Errors
/// As [`run`].
pub fn up(context: &Context, request: &Request) -> Result<Project> {
    up_timed(context, request).map(|(project, _)| project)
}

fn up_timed(context: &Context, request: &Request) -> Result<(Project, Timings)> {
    integrate::ensure(context)?;
    let result = start(context, request);
    let generated = context.out.join(".generated").is_dir();
    if generated && result.as_ref().is_err_and(lacks_an_engine) {
        // Nothing can run here; the files can still be brought up to date for the one who reads or commits them.
        // Where that fails too, `ensure` has said why, and the engine is what the user asked for.
        let _ = integrate::update(context);
    }
    result
}

fn start(context: &Context, request: &Request) -> Result<(Project, Timings)> {
    let docker = Docker::find(context.ui)?;
    let setup = Setup::existing(&context.out, &context.out_name(), &context.env)?;
    let mut project = Project { docker, setup };
    let result = bring_up(context, &mut project, request);
    let timings = project.after_interruption(result)?;
    Ok((project, timings))
}

/// Whether what failed is what `doctor --install` mends.
fn lacks_an_engine(error: &anyhow::Error) -> bool {
    let fix = error.downcast_ref::<Failure>().and_then(|failure| failure.fix.as_deref());
    fix.is_some_and(|fix| fix.contains("cargo xtask doctor --install"))
}

fn bring_up(context: &Context, project: &mut Project, request: &Request) -> Result<Timings> {
    let ui = context.ui;
    let (machine, mut before, mut spec) = look(project, ui)?;
    let Project { docker, setup } = project;
    check_names(&request.services, &spec.names(), "service")?;
    check_names(&request.without, &spec.names(), "service")?;
    let asked = request;
    let mut request = &stand_in(docker, setup, &mut spec, asked)?;
    let wanted = wanted(setup, &spec, request)?;
    let again;
    if ports::check(docker, setup, &chosen(&spec, &wanted), &before, ui)? == ports::Moved::Yes {
        setup.overlay = None;
        spec = Spec::read(docker, setup)?;
        again = stand_in(docker, setup, &mut spec, asked)?;
        request = &again;
    }
    let services = chosen(&spec, &wanted);
    if volatile::stop_stale(docker, &spec, &wanted, &before, Moment::BeforeStart, ui)? {
        before = state::containers(docker, &setup.project)?;
    }
    let last = again::recall(setup);
    let shape = again::Shape::of(&spec, &wanted, &before);
    // What the last start left has its networks and images, and its one-shots can run again while images are built.
    let known = shape.is_same_system(last.as_ref()) && again::all_well(&services, &before);
    let mut servers = Vec::new();
    if !known {
        networks::check(docker, setup, &spec)?;
        images::ensure(docker, setup, &services, ui)?;
        remote::check_mounts(docker, setup, &services)?;
        let catalog = db::catalog(context)?;
        servers = db::wanted(&catalog, &services);
        holdings::check(docker, setup, &db::engines(&catalog), &servers, ui)?;
    }
    let built: Vec<&ServiceSpec> = services.iter().copied().chain(&spec.bases).collect();
    setup.overlay = relay::joined(setup.overlay.take(), preflight::overlay(&machine, &built));
    let builds = request.build && services.iter().any(|service| service.build.is_some());
    let early = if builds && !known { ahead::components(&services, &before) } else { Vec::new() };
    let started = Instant::now();
    let done = std::thread::scope(|scope| {
        let again = || again::run_one_shots(docker, &spec, &services, &before, request.timeout);
        let again = known.then(|| scope.spawn(again));
        let ahead = scope.spawn(|| ahead::start(docker, setup, &early));
        let built = if builds { build::build(docker, setup, &spec, &services, false, ui) } else { Ok(()) };
        // Compose twice at once on one project would create its networks twice.
        let ahead = ahead.join().unwrap_or(Ok(false))?;
        if ahead && built.is_err() {
            ui.status("Running", format_args!("{} (to stop: {})", list(&early), setup.xtask("down")));
        }
        built?;
        again.map_or(Ok(false), |again| again.join().unwrap_or(Ok(false)))
    })?;
    let ids = images::ids_of(docker, &services)?;
    if done && last == Some(shape.with_images(&ids)) {
        let after = state::containers(docker, &setup.project)?;
        if again::all_well(&services, &after) {
            seeds::apply(context, docker, setup, &spec, &wanted, &after)?;
            let timings = Timings::none(started.elapsed());
            report(request, setup, &services, &after, &timings, ui)?;
            return Ok(timings);
        }
    }
    verify::check(docker, setup, &services, &ids)?;
    stop::forget_migrations(docker, &services, &before)?;
    let command = start::compose_up(docker, setup, &wanted, &request.without);
    let (up, since, timeout) = (Vec::new(), Instant::now(), request.timeout);
    let mut what = Start { services: wanted.clone(), early, up, since, timeout };
    let seeded = seeds::before_start(setup, &spec, &wanted, &before)?;
    let first = starting::seed_first(context, project, &spec, &mut what, &seeded)?;
    let Project { docker, setup } = project;
    let (timings, after) = starting::start_all(docker, setup, &spec, what, &command, ui)?;
    let timings = match first {
        Some(first) => first.then(timings),
        None => timings,
    };
    // What runs without a check has shown no more than that; it may have ended since.
    start::still_up(docker, setup, &spec, &wanted, &after)?;
    holdings::remember(docker, setup, &servers);
    again::remember(setup, &again::Shape::of(&spec, &wanted, &after).with_images(&ids));
    let rest: Vec<String> = wanted.iter().filter(|name| !seeded.contains(name)).cloned().collect();
    seeds::apply(context, docker, setup, &spec, &rest, &after)?;
    report(request, setup, &services, &after, &timings, ui)?;
    Ok(timings)
}

/// Gives the services that are left out, and that others call, a stand-in which passes on to the host; what remains of
/// the request then.
fn stand_in(docker: &Docker, setup: &mut Setup, spec: &mut Spec, request: &Request) -> Result<Request> {
    let called = relay::called(spec, &request.without);
    if called.is_empty() {
        return Ok(request.clone());
    }
    let names: Vec<String> = called.iter().map(|service| service.name.clone()).collect();
    setup.overlay = Some(relay::overlay(&called, &Wanted::tools(&setup.out, &setup.shown)));
    *spec = Spec::read(docker, setup)?;
    let without = request.without.iter().filter(|name| !names.contains(name)).cloned().collect();
    Ok(Request { without, ..request.clone() })
}

/// Asks the machine, the engine and Compose at once: each answer costs a process.
fn look(project: &mut Project, ui: Ui) -> Result<(Machine, Vec<Container>, Spec)> {
    let (docker, name) = (project.docker.clone(), project.setup.project.clone());
    std::thread::scope(|scope| {
        let machine = scope.spawn(|| preflight::machine(&docker));
        let containers = scope.spawn(|| state::containers(&docker, &name));
        let spec = project.prepare(ui);
        // In the order in which one explains the next: no engine, no containers.
        let machine = machine.join().map_err(|_| Failure::panicked())??;
        let containers = containers.join().map_err(|_| Failure::panicked())??;
        Ok((machine, containers, spec?))
    })
}

/// The names to start: all, or the named ones with what they depend on; without those left out.
fn wanted(setup: &Setup, spec: &Spec, request: &Request) -> Result<Vec<String>> {
    let closure = spec.closure(&request.services).into_iter().map(|service| service.name.clone());
    let wanted: Vec<String> = closure.filter(|name| !request.without.contains(name)).collect();
    if wanted.is_empty() {
        return Err(Failure::new("there is nothing to start")
            .why("every service was left out")
            .fix(setup.xtask("up"))
            .into());
    }
    Ok(wanted)
}

fn chosen<'a>(spec: &'a Spec, names: &[String]) -> Vec<&'a ServiceSpec> {
    spec.services.iter().filter(|service| names.contains(&service.name)).collect()
}

fn report(
    request: &Request,
    setup: &Setup,
    services: &[&ServiceSpec],
    containers: &[Container],
    timings: &Timings,
    ui: Ui,
) -> Result<()> {
    let rows = urls(services, containers);
    if request.urls && !rows.is_empty() {
        ui.data(table(&["Service", "URL"], &rows));
    }
    if let Some(warning) = remote::unreachable(setup, containers) {
        ui.warn(warning);
    }
    let open = env_file::open_placeholders(setup)?;
    if !open.is_empty() {
        let mut failure = Failure::new(placeholders(open.len()));
        for entry in &open {
            failure =
                failure.at(format!("{}:{} {}", setup.shown_file(&setup.env_file), entry.line, entry.name));
        }
        ui.warn(failure.fix(format!("put the real values there, then: {}", setup.xtask("up"))));
    }
    if let Some(chain) = timings.chain() {
        ui.status("Longest", format_args!("{chain}"));
    }
    let running = services.iter().filter(|service| service.role != Role::OneShot);
    let is_unchecked = |service: &&&ServiceSpec| {
        let mut own = containers.iter().filter(|container| container.service == service.name);
        own.any(Container::is_unchecked)
    };
    let unchecked = running.clone().filter(is_unchecked).count();
    let healthy = running.count() - unchecked;
    let took = duration::show(timings.took());
    ui.status("Finished", format_args!("{} in {took}", outcome(healthy, unchecked)));
    Ok(())
}

/// What is up, and of how much of that no check says so.
fn outcome(healthy: usize, unchecked: usize) -> String {
    match (healthy, unchecked) {
        (healthy, 0) => format!("{} healthy", count(healthy, "container")),
        (0, unchecked) => format!("{} running, without a health check", count(unchecked, "container")),
        (healthy, unchecked) => {
            format!("{} healthy and {unchecked} running without a health check", count(healthy, "container"))
        }
    }
}

fn placeholders(n: usize) -> String {
    match n {
        1 => "1 value of a third party is still a placeholder".to_owned(),
        n => format!("{n} values of third parties are still placeholders"),
    }
}

/// Service and URL of everything that answers on the host, services first.
fn urls(services: &[&ServiceSpec], containers: &[Container]) -> Vec<Vec<String>> {
    let host = remote::host().unwrap_or_else(|| "localhost".to_owned());
    let mut rows = Vec::new();
    for role in [Role::Service, Role::Component] {
        let of_role = services.iter().filter(|service| service.role == role);
        for service in of_role.filter(|service| service.labels.kind != relay::KIND) {
            let Some(container) = containers.iter().find(|container| container.service == service.name)
            else {
                continue;
            };
            let main = service.labels.main.as_ref();
            let port = match main {
                Some(main) => container.host_port(main.port),
                None => container.ports.first(),
            };
            let Some(port) = port else { continue };
            let address = match port.address.as_str() {
                "" | "0.0.0.0" | "::" | "127.0.0.1" | "::1" => host.clone(),
                address => address.to_owned(),
            };
            let url = match main.map(|main| main.protocol.as_str()) {
                Some("http") => format!("http://{address}:{}", port.host),
                Some("grpc") => format!("grpc://{address}:{}", port.host),
                _ => format!("{address}:{}", port.host),
            };
            rows.push(vec![service.name.clone(), url]);
        }
    }
    rows
}
