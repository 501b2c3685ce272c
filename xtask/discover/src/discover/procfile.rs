//! Procfiles: the port of the process `web`, and the command that brings the database up to date on a release.

use crate::model::fact::{Fact, PortSource};

use super::dockerfile;
use super::findings::Findings;
use super::{Detector, Source, migrating};

/// `Procfile`, and its siblings for single environments.
pub(super) const PROCFILE: Detector = Detector {
    name: "procfile",
    extensions: &["", "prod"],
    wants: |path| path.name() == "Procfile" || path.name() == "Procfile.prod",
    read,
};

fn read(source: &Source<'_>, facts: &mut Vec<Fact>) {
    let mut findings = Findings::new(source, facts);
    for (number, line) in (1..).zip(source.text.lines().take(200)) {
        let Some((process, command)) = line.split_once(':').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        match process.trim() {
            "web" => {
                let listening = dockerfile::listening(&dockerfile::words(command), &|_| None);
                if let Some(port) = listening.port {
                    findings.port(number, "procfile-web", port, PortSource::Command, None);
                }
                if let Some(address) = listening.address {
                    findings.listens(number, "procfile-web", &address);
                }
            }
            "release" => {
                // Words of a shell are nothing that runs without one.
                let plain = !command.contains(['&', '|', ';', '$', '>', '`']);
                if let Some((tool, _)) = migrating::called(command).filter(|_| plain) {
                    let words = dockerfile::words(command);
                    let words: Vec<&str> = words.iter().map(String::as_str).collect();
                    findings.migration(number, "procfile-release", tool, &words);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::lang::testing::{survives, what};

    #[test]
    fn processes_tell_port_and_migration() {
        let text = "web: gunicorn shop.wsgi --bind 0.0.0.0:8000\nworker: celery -A shop worker\nrelease: python manage.py migrate --noinput\n";
        assert_eq!(
            what(&[PROCFILE], "a/Procfile", text),
            ["listens 0.0.0.0", "port 8000 Command", "migration django [python manage.py migrate --noinput]"]
        );
        assert!(
            what(
                &[PROCFILE],
                "a/Procfile",
                "web: gunicorn app -b :$PORT\nrelease: ./x && alembic upgrade head\n"
            )
            .is_empty()
        );
    }

    #[test]
    fn hostile_files_are_survived() {
        survives(&[PROCFILE], &["a/Procfile"]);
    }
}
