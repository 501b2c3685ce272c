//! The environment of one service: right inside the network, secrets through `.env`; pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Class;
use crate::model::fact::{EnvSource, Protocol, Purpose, What};
use crate::model::inventory::{Env, EnvFrom, Strength};
use crate::model::stack::{SecretForm, Variable};

use super::address::{address, core, is_local};
use super::chosen;
use super::components::Component;
use super::draft::{Draft, Port};
use super::given_port;
use super::known;
use super::names;
use super::needs::{Need, Needs, Target, Wire};
use super::ports;
use super::references::{expand, expand_by};
use super::secrets;
use super::settings::{Setting, settings};
use super::value::{Wanted, rewrite};
use super::variables::{Part, is_for_browsers};

/// What a service's environment becomes in each place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    /// Below `environment:`, by name.
    pub(crate) compose: BTreeMap<String, String>,
    /// In `.env.example`.
    pub(crate) variables: Vec<Variable>,
    /// In the inventory, by name.
    pub(crate) inventory: Vec<Env>,
    /// Variables that the program demands and nobody gives a value.
    pub(crate) missing: Vec<String>,
}

/// Everything around one service that its environment points at.
pub(crate) struct Surroundings<'a> {
    pub(crate) drafts: &'a [Draft<'a>],
    pub(crate) components: &'a [Component<'a>],
    /// Host ports by variable.
    pub(crate) host_ports: &'a BTreeMap<String, u16>,
    /// Secrets that several services hold together.
    pub(crate) shared_secrets: &'a BTreeSet<String>,
}

/// `$` as Compose writes it where it means nothing.
pub(crate) fn escape(text: &str) -> String {
    text.replace('$', "$$")
}

/// A variable of `.env` that must be there.
pub(crate) fn secret_reference(variable: &str) -> String {
    format!("${{{variable}:?set it in .env}}")
}

/// Decides every variable of a service.
pub(crate) fn environment(draft: &Draft<'_>, needs: &Needs, around: &Surroundings<'_>) -> Environment {
    let mut out = Environment::default();
    let all = settings(draft.facts);
    // A program that demands the address of a service with which it may do nothing gets it: that service is there.
    let is_demanded = |wire: &Wire| all.get(wire.name.as_str()).is_some_and(|setting| setting.required());
    let is_told = |need: &Need, wire: &Wire| {
        need.strength == Strength::Required || matches!(need.target, Target::Service(_)) && is_demanded(wire)
    };
    let wires: BTreeMap<&str, (&Need, &Wire)> = needs
        .all
        .iter()
        .flat_map(|need| need.wires.iter().map(move |wire| (wire.name.as_str(), (need, wire))))
        .filter(|(_, (need, wire))| is_told(need, wire))
        .collect();
    let links = &needs.links;
    let wanted = &draft.wanted.env;
    for (name, setting) in &all {
        let name = *name;
        if wanted.contains_key(name) {
            continue;
        }
        let link = links.iter().find(|(variable, _)| variable == name);
        let linked = link.and_then(|(_, service)| {
            let target = known::draft(around.drafts, service)?;
            browser_address(target, setting.value().unwrap_or_default(), around)
        });
        let chosen = chosen::connection(draft.facts, needs, name).map(str::to_owned);
        let linked = linked.or(chosen);
        let wired =
            linked.or_else(|| wires.get(name).and_then(|(need, wire)| wired(draft, need, wire, around)));
        match wired {
            Some(value) => {
                let secret = value.contains(":?") || holds_a_password(&value);
                let value = if secret { (None, value) } else { (Some(value.clone()), value) };
                out.compose.insert(name.to_owned(), value.1);
                let required = setting.required();
                out.inventory.push(Env {
                    name: name.to_owned(),
                    value: value.0,
                    secret,
                    required,
                    from: EnvFrom::Wired,
                });
            }
            None => plain(draft, (name, setting), &all, around, &mut out),
        }
    }
    for (name, value) in wanted {
        out.compose.insert(name.clone(), escape(&value.0));
        out.inventory.push(Env {
            name: name.clone(),
            value: Some(value.0.clone()),
            secret: false,
            required: false,
            from: EnvFrom::User,
        });
    }
    out.inventory.sort_by(|a, b| a.name.cmp(&b.name));
    out
}

/// `scheme://user:password@host`, as an address from `config.yaml` may have it.
fn holds_a_password(value: &str) -> bool {
    let authority = value.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or_default());
    let login = authority.and_then(|authority| authority.rsplit_once('@')).map(|(login, _)| login);
    login.is_some_and(|login| login.split_once(':').is_some_and(|(_, password)| !password.is_empty()))
}

/// The value of a variable that points at another part of the system.
fn wired(draft: &Draft<'_>, need: &Need, wire: &Wire, around: &Surroundings<'_>) -> Option<String> {
    match &need.target {
        Target::Kind(kind) => {
            let component = around
                .components
                .iter()
                .find(|c| c.entry.kind == *kind && c.clients.contains(&draft.facts.name))?;
            shown(component, wire, around).or_else(|| Some(component_value(draft, component, need, wire)))
        }
        Target::Service(service) => {
            let target = known::draft(around.drafts, service)?;
            service_value(target, wire, around)
        }
    }
}

/// Where a browser on this machine finds a store, where a variable says that it holds that address:
/// `MINIO_PUBLIC_URL=http://localhost:9000`, under which the links that a program signs are opened.
fn shown(component: &Component<'_>, wire: &Wire, around: &Surroundings<'_>) -> Option<String> {
    let given = wire.value.as_deref()?;
    let says_so = wire.name.split('_').any(|word| matches!(word, "PUBLIC" | "EXTERNAL"));
    let is_page = given.starts_with("http") && given.contains("://");
    let address = address(given).filter(|address| says_so && is_page && is_local(&address.host))?;
    let is_it = component.entry.class == Class::Storage && component.external.is_none();
    if !is_it || address.port != Some(component.entry.port) {
        return None;
    }
    let variable = format!("{}_PORT", names::variable(&component.name));
    let host = around.host_ports.get(&variable)?;
    Some(format!("http://localhost:${{{variable}:-{host}}}{}", escape(path_of(given))))
}

/// The path of an address, with its `/`.
fn path_of(address: &str) -> &str {
    let path = address.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    path.unwrap_or_default()
}

fn component_value(draft: &Draft<'_>, component: &Component<'_>, need: &Need, wire: &Wire) -> String {
    if let Some(address) = &component.external {
        return address.value(wire).unwrap_or_else(|| escape(wire.value.as_deref().unwrap_or_default()));
    }
    let (host, port) = component.address();
    let port = extra_port(draft, component, wire).unwrap_or(port);
    let binding = component.binding(&draft.facts.name);
    let login = match (binding, &component.entry.login) {
        (Some(binding), _) => Some((binding.user.clone(), secret_reference(&binding.password_variable))),
        (None, Some(login)) => Some((login.user.clone(), component.secret_value(&login.secret))),
        _ => None,
    };
    let database = binding.map(|binding| binding.database.clone());
    let common = component.entry.databases.common.clone();
    let wanted = Wanted { host, port, login, database, common };
    let given = wire.value.as_deref().unwrap_or_default();
    // No server of the setup has a certificate.
    let plain = given.strip_prefix("https://").map(|rest| format!("http://{rest}"));
    let given = plain.as_deref().unwrap_or(given);
    // What the framework's own file takes from another variable is its default where the server has no such thing.
    let by_default = || expand(given, &|_| None).unwrap_or_default();
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| escape(&by_default()));
    match wire.part {
        Part::Port => wanted.port.to_string(),
        Part::Database => text(&wanted.database),
        Part::User => text(&wanted.login.as_ref().map(|login| login.0.clone())),
        Part::Password if is_without_password(component) && !is_null(given) => String::new(),
        Part::Password => text(&wanted.login.as_ref().map(|login| login.1.clone())),
        // Exporters of traces and metrics want a whole address.
        Part::HostPort if given.is_empty() && component.entry.class == Class::Observability => {
            template(component, &draft.facts.language, &wanted)
        }
        // The only place for the login: `QUEUE_ENDPOINT` that is given to a client as it is.
        Part::HostPort if given.is_empty() && holds_login(component, draft) && !is_told_apart(need) => {
            template(component, &draft.facts.language, &wanted)
        }
        Part::Host => rewrite(given, &wanted).filter(|_| given.contains("://")).unwrap_or(wanted.host),
        // Mailers take the port apart, and give their own where none is said.
        Part::HostPort if is_mailers(component, draft, wire) && !given.contains(':') => wanted.host,
        Part::HostPort => rewrite(given, &wanted)
            .filter(|_| given.contains("://") || given.contains(':'))
            .unwrap_or_else(|| format!("{}:{}", wanted.host, wanted.port)),
        // The framework's own file meant another kind than the image has the extension for.
        Part::Url if draft.facts.language == "php" && is_of_another_kind(component, given) => {
            template(component, &draft.facts.language, &wanted)
        }
        Part::Url => match rewrite(given, &wanted) {
            // A bare word is a host to `rewrite`; a variable for a whole address wants the whole.
            Some(value) if value != wanted.host => value,
            _ => template(component, &draft.facts.language, &wanted),
        },
    }
}

/// `SMTP_ADDRESS` of Ruby's mailers, which is a host.
fn is_mailers(component: &Component<'_>, draft: &Draft<'_>, wire: &Wire) -> bool {
    component.entry.class == Class::Mail && draft.facts.language == "ruby" && wire.name.ends_with("ADDRESS")
}

/// A cache that is started without a password refuses one; what an image of the repository's own demands is not known.
fn is_without_password(component: &Component<'_>) -> bool {
    component.entry.class == Class::Cache && component.entry.login.is_none() && component.build.is_none()
}

/// Words by which frameworks write that there is none.
fn is_null(given: &str) -> bool {
    matches!(given.trim().to_ascii_lowercase().as_str(), "null" | "(null)" | "nil" | "none")
}

/// Another port of a component than its main one, where the given value has it (ClickHouse's native protocol), or where
/// the protocol beside the address is called like it: OTLP over HTTP.
fn extra_port(draft: &Draft<'_>, component: &Component<'_>, wire: &Wire) -> Option<u16> {
    let given = wire.value.as_deref().unwrap_or_default();
    let has = |port: u16| {
        let behind = given.split_once(&format!(":{port}")).map(|(_, rest)| rest);
        given == port.to_string()
            || behind.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let mut extra = component.entry.extra_ports.iter();
    if !given.is_empty() {
        return extra.find(|extra| has(extra.port)).map(|extra| extra.port);
    }
    let beside = format!("{}_PROTOCOL", wire.name.strip_suffix("_ENDPOINT")?);
    let protocol = draft.facts.facts.iter().find_map(|fact| match &fact.what {
        What::EnvValue { name, value, .. } if *name == beside => value.split('/').next(),
        _ => None,
    })?;
    extra.find(|extra| extra.name.eq_ignore_ascii_case(protocol)).map(|extra| extra.port)
}

/// Whether an address has the scheme of a database that the component is none of.
fn is_of_another_kind(component: &Component<'_>, given: &str) -> bool {
    const DATABASES: &[&str] = &["mysql", "pgsql", "postgres", "postgresql", "sqlsrv"];
    let scheme = given.split_once("://").map_or("", |(scheme, _)| scheme);
    DATABASES.contains(&scheme) && !component.entry.recognise.schemes.iter().any(|known| known == scheme)
}

/// Whether the kind's address has the login in it, in the form of a language.
fn holds_login(component: &Component<'_>, draft: &Draft<'_>) -> bool {
    let entry = component.entry;
    entry.urls.get(&draft.facts.language).unwrap_or(&entry.url).contains("{password}")
}

/// Whether a service has another variable for the login.
fn is_told_apart(need: &Need) -> bool {
    need.wires.iter().any(|wire| matches!(wire.part, Part::Url | Part::User | Part::Password))
}

fn template(component: &Component<'_>, language: &str, wanted: &Wanted) -> String {
    let entry = component.entry;
    let (user, password) = wanted.login.clone().unwrap_or_default();
    let template = entry.urls.get(language).unwrap_or(&entry.url);
    let template = match &wanted.common {
        Some(_) => template.replace("/{database}", &wanted.path()),
        None => template.clone(),
    };
    template
        .replace("{user}", &user)
        .replace("{password}", &password)
        .replace("{host}", &wanted.host)
        .replace("{port}", &wanted.port.to_string())
        .replace("{database}", wanted.database.as_deref().unwrap_or_default())
}

fn service_value(target: &Draft<'_>, wire: &Wire, around: &Surroundings<'_>) -> Option<String> {
    let given = wire.value.as_deref().unwrap_or_default();
    let mains = || target.ports.iter().filter(|port| port.purpose == Purpose::Main);
    let of = |protocol: Protocol| mains().find(|port| port.protocol == protocol);
    let same = stated_port(target, given);
    let grpc = of(Protocol::Grpc).filter(|_| wire.name.to_ascii_uppercase().contains("GRPC"));
    // What is called by a page's address is no gRPC server beside the web server.
    let web = of(Protocol::Http).filter(|_| given.starts_with("http"));
    let tcp = of(Protocol::Tcp).filter(|_| wire.name.to_ascii_uppercase().contains("TCP"));
    let tls = mains().find(|port| is_tls(port)).filter(|_| given.starts_with("https:"));
    let port = same.or(grpc).or(tcp).or(tls).or(web).or_else(|| mains().next());
    // Its name alone is known wherever it listens.
    if port.is_none() && wire.part == Part::Host && !given.contains(':') && !is_for_browsers(&wire.name) {
        return Some(target.facts.name.clone());
    }
    let port = port?;
    if is_for_browsers(&wire.name) {
        return browser_address(target, given, around);
    }
    let wanted = Wanted { host: target.facts.name.clone(), port: port.container, ..Wanted::default() };
    // On a developer's machine the tools bring a certificate; in the image nobody does.
    let plain = [("https:", "http:"), ("wss:", "ws:")]
        .into_iter()
        .find_map(|(tls, plain)| Some(format!("{plain}{}", given.strip_prefix(tls)?)));
    let given = plain.as_deref().filter(|_| !is_tls(port)).unwrap_or(given);
    Some(match wire.part {
        Part::Port => port.container.to_string(),
        Part::Host if !given.contains(':') => wanted.host,
        Part::HostPort | Part::Host => rewrite(given, &wanted)
            .filter(|value| *value != wanted.host)
            .unwrap_or_else(|| format!("{}:{}", wanted.host, wanted.port)),
        _ => match rewrite(given, &wanted) {
            Some(value) if value != wanted.host => value,
            _ => format!("http://{}:{}", wanted.host, wanted.port),
        },
    })
}

/// The port of a service that a value says: behind a colon, or as the whole of it.
fn stated_port<'t>(target: &'t Draft<'_>, given: &str) -> Option<&'t Port> {
    let number = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text[..end].parse::<u16>().ok()
    };
    let said: Vec<u16> = given.split(':').skip(1).filter_map(number).chain(given.trim().parse()).collect();
    target.ports.iter().find(|port| said.contains(&port.container))
}

/// Whether a port is one on which servers speak TLS by custom.
fn is_tls(port: &Port) -> bool {
    matches!(port.container, 443 | 8443)
}

/// Where a browser on this machine finds a service, with the path of the given address.
fn browser_address(target: &Draft<'_>, given: &str, around: &Surroundings<'_>) -> Option<String> {
    let published = |port: &Port| {
        let variable = port_variable(target, port.container);
        around.host_ports.get(&variable).map(|host| (variable, *host))
    };
    let main = || target.ports.iter().find(|port| port.purpose == Purpose::Main);
    let (variable, host) = stated_port(target, given).and_then(published).or_else(|| published(main()?))?;
    let scheme = if given.starts_with("ws") { "ws" } else { "http" };
    Some(format!("{scheme}://localhost:${{{variable}:-{host}}}{}", escape(path_of(given))))
}

/// The variable that moves a published port: `TRADING_PORT`, and `TRADING_9090_PORT` for a further one.
pub(crate) fn port_variable(draft: &Draft<'_>, container: u16) -> String {
    let first = draft.ports.iter().find(|port| port.purpose == Purpose::Main);
    if first.is_some_and(|port| port.container == container) {
        format!("{}_PORT", draft.prefix)
    } else {
        format!("{}_{container}_PORT", draft.prefix)
    }
}

/// A variable that points nowhere: a secret, the own port, or a value passed on.
fn plain(
    draft: &Draft<'_>,
    (name, setting): (&str, &Setting<'_>),
    all: &BTreeMap<&str, Setting<'_>>,
    around: &Surroundings<'_>,
    out: &mut Environment,
) {
    let value = setting.value().unwrap_or_default();
    // Only the library that reads the file knows `${APP_NAME}`; the environment is taken as it is.
    let expanded = expand_by(value, all);
    let value = expanded.as_deref().unwrap_or(value);
    let mut add = |value: Option<&str>, secret: bool, from: EnvFrom| {
        out.inventory.push(Env {
            name: name.to_owned(),
            value: value.map(str::to_owned).filter(|_| !secret),
            secret,
            required: setting.required(),
            from,
        });
    };
    let documented = setting.is_from(EnvSource::Example) || setting.is_from(EnvSource::Deployment);
    let main = draft.ports.iter().find(|port| port.purpose == Purpose::Main);
    let own = main.filter(|_| name.eq_ignore_ascii_case("PORT")).map(|main| main.container);
    if let Some(port) = own.or_else(|| ports::moved_by(draft, name)) {
        // Whatever an example says: this is the port that everybody else is told.
        let port = port.to_string();
        out.compose.insert(name.to_owned(), port.clone());
        return add(Some(&port), false, EnvFrom::Default);
    }
    if let Some(port) = given_port::told(draft, name).map(|port| port.to_string()) {
        out.compose.insert(name.to_owned(), port.clone());
        return add(Some(&port), false, EnvFrom::Default);
    }
    let told =
        main.filter(|_| value.is_empty()).and_then(|main| ports::told(draft.facts, name, main.container));
    if let Some(urls) = told {
        out.compose.insert(name.to_owned(), urls.clone());
        return add(Some(&urls), false, EnvFrom::Default);
    }
    let own_port = value.parse::<u16>().is_ok_and(|port| draft.ports.iter().any(|own| own.container == port));
    if own_port && name.to_ascii_uppercase().ends_with("PORT") {
        out.compose.insert(name.to_owned(), value.to_owned());
        return add(Some(value), false, EnvFrom::Default);
    }
    if is_own_host(draft, (name, value), all) {
        out.compose.insert(name.to_owned(), ALL_ADDRESSES.to_owned());
        return add(Some(ALL_ADDRESSES), false, EnvFrom::Default);
    }
    if let Some(form) = secrets::form(name, value, setting.comment()) {
        if !documented && !setting.required() {
            return add(None, true, EnvFrom::Default);
        }
        add(None, true, EnvFrom::Secret);
        let variable = if around.shared_secrets.contains(name) {
            name.to_owned()
        } else {
            own_variable(draft, name, around)
        };
        out.compose.insert(
            name.to_owned(),
            if form == SecretForm::ThirdParty {
                format!("${{{variable}:-}}")
            } else {
                secret_reference(&variable)
            },
        );
        // What a third party gives and the service can do without is nothing to be reminded of at each start.
        let optional =
            form == SecretForm::ThirdParty && setting.comment().to_ascii_lowercase().contains("optional");
        out.variables.push(Variable {
            value: placeholder(&variable, form),
            name: variable,
            comment: comment(setting),
            secret: Some(form).filter(|_| !optional),
            optional,
        });
        return;
    }
    if !documented && !setting.required() {
        // In the image, or a default in the code: nothing to pass on.
        let known = setting.value();
        return add(known, false, EnvFrom::Default);
    }
    if !documented && value.is_empty() {
        out.missing.push(name.to_owned());
    }
    let value = browser_value(value, draft, around).unwrap_or_else(|| value.to_owned());
    add(Some(&value), false, EnvFrom::Default);
    let variable = own_variable(draft, name, around);
    // Compose has no escape for a brace inside a default.
    if value.contains(['$', '}', '\n']) {
        out.compose.insert(name.to_owned(), escape(&value));
        return;
    }
    out.compose.insert(name.to_owned(), format!("${{{variable}:-{value}}}"));
    out.variables.push(Variable {
        name: variable,
        value,
        comment: comment(setting),
        secret: None,
        optional: true,
    });
}

/// Where a server in a container has to listen: whoever calls it comes from outside.
const ALL_ADDRESSES: &str = "0.0.0.0";

/// Whether a variable keeps the service's own server to its machine: `ORDERS_HOST=localhost` beside an `ORDERS_PORT` that
/// is its own.
fn is_own_host(draft: &Draft<'_>, (name, value): (&str, &str), all: &BTreeMap<&str, Setting<'_>>) -> bool {
    // What the code does without a value cannot always be read.
    let is_loopback = matches!(value.trim(), "" | "localhost" | "127.0.0.1" | "::1");
    let about = ["HOST", "HOSTNAME"].iter().find_map(|ending| name.strip_suffix(ending));
    let is_about = |about: &&str| about.ends_with('_') || about.is_empty() && !value.is_empty();
    let Some(about) = about.filter(|about| is_loopback && is_about(about)) else { return false };
    let port = all.get(format!("{about}PORT").as_str()).and_then(Setting::value);
    let port = port.and_then(|port| port.trim().parse::<u16>().ok());
    let means_itself = about.is_empty() || {
        let facts = draft.facts;
        let about = core(about);
        let names = [facts.name.as_str(), facts.path.name()].into_iter();
        SERVERS.contains(&about.as_str())
            || names.chain(facts.aliases.iter().map(String::as_str)).any(|name| core(name) == about)
    };
    means_itself && port.is_some_and(|port| draft.ports.iter().any(|own| own.container == port))
}

/// What programs call the server that they are, where the variable does not say its name.
const SERVERS: &[&str] =
    &["app", "bind", "gateway", "grpc", "http", "listen", "server", "service", "tcp", "web"];

/// `TRADING_LOG_LEVEL`; out of the way of the variables that move ports and hold database passwords.
fn own_variable(draft: &Draft<'_>, name: &str, around: &Surroundings<'_>) -> String {
    // A service may read `orders.url` or `ORDERS-URL`; in `.env` and in Compose such names end at the sign.
    let name = name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let variable = format!("{}_{name}", draft.prefix);
    let is_password =
        around.components.iter().flat_map(|c| &c.bindings).any(|b| b.password_variable == variable);
    if is_password || around.host_ports.contains_key(&variable) {
        return format!("{}_ENV_{name}", draft.prefix);
    }
    variable
}

/// The service's own public address follows its host port.
fn browser_value(value: &str, draft: &Draft<'_>, around: &Surroundings<'_>) -> Option<String> {
    let rest = value.strip_prefix("http://localhost:")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let port: u16 = digits.parse().ok()?;
    draft.ports.iter().find(|own| own.container == port)?;
    let host = around.host_ports.get(&port_variable(draft, port))?;
    Some(format!("http://localhost:{host}{}", &rest[digits.len()..]))
}

fn comment(setting: &Setting<'_>) -> Vec<String> {
    setting.comment().lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// A placeholder of the right form that works, so that a copied example starts too.
pub(crate) fn placeholder(variable: &str, form: SecretForm) -> String {
    match form {
        SecretForm::ThirdParty => String::new(),
        SecretForm::Hex(length) => {
            let base = format!("example-only-{}-", variable.to_lowercase().replace('_', "-"));
            base.chars().cycle().take(usize::from(length)).collect::<String>()
        }
    }
}
