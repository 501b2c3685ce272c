//! The checks as data: what was found, how good that is, and the command that mends it; reads nothing.

use super::install::{self, Plan};
use super::{Engine, Machine, SetupFacts};
use crate::run::version::{FAST_ENGINE, OLDEST_COMPOSE, OLDEST_ENGINE, OLDEST_RUST, Version};

/// Less is not enough for any build; less than the second is soon used up.
const LEAST_DISK_MIB: u64 = 2 * 1024;
const LITTLE_DISK_MIB: u64 = 10 * 1024;

/// How good something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As it should be.
    Good,
    /// Works, and could be better.
    Fair,
    /// The commands will fail.
    Bad,
}

impl Grade {
    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Grade::Good => "ok",
            Grade::Fair => "warning",
            Grade::Bad => "failed",
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How good it is.
    pub grade: Grade,
    /// What was found.
    pub found: String,
    /// What to type; empty where nothing is wrong.
    pub fix: Vec<String>,
}

fn check(name: &'static str, grade: Grade, found: impl Into<String>) -> Check {
    Check { name, grade, found: found.into(), fix: Vec::new() }
}

impl Check {
    fn fix(mut self, line: impl Into<String>) -> Check {
        self.fix.push(line.into());
        self
    }

    fn fixes(mut self, lines: &[String]) -> Check {
        self.fix.extend_from_slice(lines);
        self
    }
}

/// All checks, in the order in which things are needed.
pub fn all(machine: &Machine, setup: &SetupFacts) -> Vec<Check> {
    let mend = match install::plan(machine) {
        Plan::Print(_, lines) => lines,
        Plan::Run(_) | Plan::Nothing => vec!["cargo xtask doctor --install".to_owned()],
    };
    let mut all = vec![
        at_least("rust", machine.rust, OLDEST_RUST, &[rust(machine).to_owned()]),
        at_least("docker client", machine.client, Version(0, 0, 0), &mend),
        at_least("docker compose", machine.compose, OLDEST_COMPOSE, &mend),
        at_least("docker buildx", machine.buildx, Version(0, 0, 0), &mend),
        engine(machine, &mend),
    ];
    all.extend(machine.disk.as_ref().map(disk));
    all.extend(of_setup(setup));
    all
}

/// Of a distribution's rustc, rustup knows nothing.
fn rust(machine: &Machine) -> &'static str {
    match machine.rustup {
        true if machine.rust.is_some() => "rustup update",
        true => "rustup default stable",
        false => "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh",
    }
}

fn at_least(name: &'static str, found: Option<Version>, oldest: Version, mend: &[String]) -> Check {
    match found {
        Some(version) if version >= oldest => check(name, Grade::Good, version.to_string()),
        Some(version) => {
            check(name, Grade::Bad, format!("{version}, and {oldest} or newer is needed")).fixes(mend)
        }
        None => check(name, Grade::Bad, "not installed").fixes(mend),
    }
}

fn engine(machine: &Machine, mend: &[String]) -> Check {
    let name = "docker engine";
    match &machine.engine {
        Engine::Answers(version) if *version >= FAST_ENGINE => check(name, Grade::Good, version.to_string()),
        Engine::Answers(version) if *version >= OLDEST_ENGINE => {
            check(name, Grade::Fair, format!("{version}; {FAST_ENGINE} or newer starts faster"))
        }
        Engine::Answers(version) => {
            check(name, Grade::Bad, format!("{version}, and {OLDEST_ENGINE} or newer is needed")).fixes(mend)
        }
        Engine::Denied => check(name, Grade::Bad, "it runs, and you may not talk to it")
            .fix("sudo usermod -aG docker \"$USER\"")
            .fix("newgrp docker"),
        Engine::Silent(why) => check(name, Grade::Bad, format!("does not answer: {why}")).fixes(mend),
    }
}

fn disk(disk: &super::Disk) -> Check {
    #[allow(clippy::cast_precision_loss, reason = "shown with one digit")]
    let found = format!("{:.1} GiB free at {}", disk.free_mib as f64 / 1024.0, disk.path);
    let grade = match disk.free_mib {
        0..LEAST_DISK_MIB => Grade::Bad,
        LEAST_DISK_MIB..LITTLE_DISK_MIB => Grade::Fair,
        _ => Grade::Good,
    };
    let check = check("disk", grade, found);
    if grade == Grade::Good { check } else { check.fix("docker system prune") }
}

fn of_setup(setup: &SetupFacts) -> Vec<Check> {
    if !setup.exists {
        let found = format!("none in {} yet", setup.shown);
        return vec![check("setup", Grade::Fair, found).fix("cargo xtask integrate")];
    }
    let mut all = vec![check("setup", Grade::Good, &setup.shown), ports(setup), env_file(setup)];
    if setup.env_exists && setup.env_ignored == Some(false) {
        let folder = &setup.shown;
        all.push(
            check(
                "git",
                Grade::Bad,
                format!("git does not ignore {}, which holds passwords", setup.env_file),
            )
            .fix(format!("echo '.env*' >> {folder}/.gitignore; echo '!.env.example' >> {folder}/.gitignore")),
        );
    } else if setup.env_ignored == Some(true) {
        all.push(check("git", Grade::Good, format!("ignores {}", setup.env_file)));
    }
    all
}

fn ports(setup: &SetupFacts) -> Check {
    if setup.taken.is_empty() {
        let found = match setup.ports {
            0 => "none is fixed".to_owned(),
            fixed => format!("{} free or ours", crate::ui::count(fixed, "port")),
        };
        return check("ports", Grade::Good, found);
    }
    let taken: Vec<String> =
        setup.taken.iter().map(|taken| format!("{} is held by {}", taken.port, taken.holder)).collect();
    let mut check = check("ports", Grade::Bad, taken.join("; "));
    for taken in &setup.taken {
        if let Some(free) = taken.free {
            check = check.fix(format!("echo {}={free} >> {}", taken.variable, setup.env_file));
        }
    }
    check
}

fn env_file(setup: &SetupFacts) -> Check {
    if !setup.env_exists {
        return check("env file", Grade::Good, format!("the first `up` makes {}", setup.env_file));
    }
    if !setup.missing.is_empty() {
        let found = format!("{} lacks {}", setup.env_file, crate::ui::list(&setup.missing));
        return check("env file", Grade::Bad, found).fix("cargo xtask up");
    }
    if !setup.env_private {
        let found = format!("others can read {}", setup.env_file);
        return check("env file", Grade::Fair, found).fix(format!("chmod 600 {}", setup.env_file));
    }
    check("env file", Grade::Good, format!("{} is complete", setup.env_file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::doctor::{Disk, System, Taken};

    fn ready() -> Machine {
        Machine {
            system: System { id: "debian".to_owned(), version: "12".to_owned(), ..System::default() },
            root: true,
            rust: Some(Version(1, 95, 0)),
            rustup: true,
            client: Some(Version(28, 2, 2)),
            compose: Some(Version(2, 26, 1)),
            buildx: Some(Version(0, 13, 1)),
            daemon: true,
            engine: Engine::Answers(Version(26, 1, 5)),
            disk: Some(Disk { path: "/var/lib/docker".to_owned(), free_mib: 20 * 1024 }),
            ..Machine::default()
        }
    }

    fn setup() -> SetupFacts {
        SetupFacts {
            shown: "integration".to_owned(),
            exists: true,
            ports: 3,
            env_file: "integration/.env".to_owned(),
            env_exists: true,
            env_private: true,
            env_ignored: Some(true),
            ..SetupFacts::default()
        }
    }

    /// `name grade: found | fix`, of the checks that are not good.
    fn complaints(machine: &Machine, setup: &SetupFacts) -> Vec<String> {
        let bad = all(machine, setup).into_iter().filter(|check| check.grade > Grade::Good);
        bad.map(|check| {
            format!("{} {}: {} | {}", check.name, check.grade.as_str(), check.found, check.fix.join(" && "))
        })
        .collect()
    }

    #[test]
    fn a_ready_machine_has_no_complaints() {
        assert_eq!(complaints(&ready(), &setup()), Vec::<String>::new());
        let fresh = SetupFacts { env_exists: false, env_ignored: None, ..setup() };
        assert_eq!(complaints(&ready(), &fresh), Vec::<String>::new());
    }

    #[test]
    fn each_missing_piece_names_the_command_that_mends_it() {
        let machine = Machine {
            rust: Some(Version(1, 80, 0)),
            client: None,
            compose: Some(Version(2, 20, 2)),
            buildx: None,
            engine: Engine::Silent("nothing listens".to_owned()),
            disk: Some(Disk { path: "/".to_owned(), free_mib: 512 }),
            ..ready()
        };
        let setup = SetupFacts {
            taken: vec![Taken {
                variable: "TRADING_PORT".to_owned(),
                port: 3000,
                holder: "the process `nc` (pid 7)".to_owned(),
                free: Some(3003),
            }],
            missing: vec!["A_KEY".to_owned()],
            env_ignored: Some(false),
            ..setup()
        };
        assert_eq!(
            complaints(&machine, &setup),
            [
                "rust failed: 1.80.0, and 1.89.0 or newer is needed | rustup update",
                "docker client failed: not installed | cargo xtask doctor --install",
                "docker compose failed: 2.20.2, and 2.24.4 or newer is needed | cargo xtask doctor --install",
                "docker buildx failed: not installed | cargo xtask doctor --install",
                "docker engine failed: does not answer: nothing listens | cargo xtask doctor --install",
                "disk failed: 0.5 GiB free at / | docker system prune",
                "ports failed: 3000 is held by the process `nc` (pid 7) | echo TRADING_PORT=3003 >> integration/.env",
                "env file failed: integration/.env lacks A_KEY | cargo xtask up",
                "git failed: git does not ignore integration/.env, which holds passwords | echo '.env*' >> integration/.gitignore; echo '!.env.example' >> integration/.gitignore",
            ]
        );
    }

    #[test]
    fn a_missing_rust_is_not_answered_with_an_update() {
        let fix = |rust, rustup| {
            let machine = Machine { rust, rustup, ..ready() };
            complaints(&machine, &setup())[0].split(" | ").last().unwrap().to_owned()
        };
        assert_eq!(fix(None, true), "rustup default stable");
        for rust in [None, Some(Version(1, 63, 0))] {
            assert!(
                complaints(&Machine { rust, rustup: false, ..ready() }, &setup())[0].contains("sh.rustup.rs")
            );
        }
        assert_eq!(fix(Some(Version(1, 63, 0)), true), "rustup update");
    }

    #[test]
    fn what_works_but_could_be_better_is_a_warning() {
        let machine = Machine {
            engine: Engine::Answers(Version(20, 10, 24)),
            disk: Some(Disk { path: "/".to_owned(), free_mib: 5 * 1024 }),
            ..ready()
        };
        let setup = SetupFacts { env_private: false, ..setup() };
        assert_eq!(
            complaints(&machine, &setup),
            [
                "docker engine warning: 20.10.24; 25.0.0 or newer starts faster | ",
                "disk warning: 5.0 GiB free at / | docker system prune",
                "env file warning: others can read integration/.env | chmod 600 integration/.env",
            ]
        );
        let none = SetupFacts { exists: false, shown: "integration".to_owned(), ..SetupFacts::default() };
        assert_eq!(
            complaints(&ready(), &none),
            ["setup warning: none in integration yet | cargo xtask integrate"]
        );
    }

    #[test]
    fn an_engine_that_refuses_the_user_names_the_group() {
        let complaint = &complaints(&Machine { engine: Engine::Denied, ..ready() }, &setup())[0];
        assert!(complaint.contains("usermod -aG docker"), "{complaint}");
    }
}
