//! Ports and addresses in the flags of a start command; knows the flags of common servers, not what they do.

use super::expand;

/// What a command line says about where its server listens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::discover) struct Listening {
    /// Without `127.0.0.1` or the like.
    pub(in crate::discover) port: Option<u16>,
    /// `0.0.0.0`, `127.0.0.1`, `::`.
    pub(in crate::discover) address: Option<String>,
}

/// Flags whose value is a port or `address:port`.
const FLAGS: &[&str] = &[
    "--address",
    "--addr",
    "--bind",
    "--http-port",
    "--http.port",
    "--listen",
    "--listen-address",
    "--port",
    "--server-port",
    "--server.port",
    "-addr",
    "-b",
    "-l",
    "-listen",
    "-p",
    "-port",
];

/// Flags whose value is an address.
const HOSTS: &[&str] = &["--host", "--hostname", "--ip", "-H", "-h"];

/// Programs of which `-p`, `-b` or `-l` is known to mean the port.
const SERVERS: &[&str] = &[
    "air",
    "daphne",
    "flask",
    "granian",
    "gunicorn",
    "http-server",
    "hypercorn",
    "next",
    "nuxt",
    "php",
    "puma",
    "rackup",
    "rails",
    "react-scripts",
    "serve",
    "thin",
    "unicorn",
    "uvicorn",
    "vite",
    "waitress-serve",
    "webpack-dev-server",
];

/// Programs and scripts that start anew when a source changes.
const WATCHERS: &[&str] =
    &["air", "cargo-watch", "nodemon", "reflex", "ts-node-dev", "watchexec", "watchfiles"];
const SCRIPTS: &[&str] = &["dev", "develop", "serve:dev", "start-dev", "start:dev", "start:watch", "watch"];
const RUNNERS: &[&str] = &["bun", "npm", "pnpm", "run", "yarn"];

/// Whether a command starts a development server.
pub(super) fn is_for_development(command: &[String]) -> bool {
    let words: Vec<String> = command.iter().flat_map(|word| expand::words(word)).collect();
    let program = |word: &String| word.rsplit('/').next().unwrap_or_default().to_owned();
    let names: Vec<String> = words.iter().map(program).collect();
    let after = |first: &[&str], second: &[&str]| {
        names.windows(2).any(|two| first.contains(&two[0].as_str()) && second.contains(&two[1].as_str()))
    };
    names.iter().any(|name| WATCHERS.contains(&name.as_str()) || name == "--reload")
        || after(RUNNERS, SCRIPTS)
        || after(&["next", "nuxt", "astro", "remix", "svelte-kit"], &["dev"])
        || after(&["ng", "vue-cli-service"], &["serve"])
        || after(&["dotnet", "tsx"], &["watch"])
}

/// Reads the command, variables replaced by `lookup`.
pub(in crate::discover) fn listening(
    command: &[String],
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Listening {
    let words: Vec<String> = match command {
        [shell, flag, text, ..] if flag.starts_with('-') && flag.ends_with('c') && is_shell(shell) => {
            expand::words(text).iter().map(|word| expand::value(word, lookup)).collect()
        }
        // `["gunicorn", "-b 0.0.0.0:8000"]`: the flag's parser takes the blank off.
        words => words.iter().flat_map(|word| apart(word)).map(str::to_owned).collect(),
    };
    let mut found = Listening::default();
    let server = words.iter().any(|word| SERVERS.contains(&word.rsplit('/').next().unwrap_or_default()));
    let mut rest = words.iter().peekable();
    while let Some(word) = rest.next() {
        let (flag, inline) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (word.as_str(), None),
        };
        let short = flag.len() == 2;
        if FLAGS.contains(&flag) && (server || !short) {
            let value = inline.or_else(|| rest.peek().map(|next| next.as_str()));
            found.take(value.unwrap_or_default());
        } else if HOSTS.contains(&flag) && (server || !short) {
            let value = inline.or_else(|| rest.peek().map(|next| next.as_str())).unwrap_or_default();
            if is_address(value) {
                found.address.get_or_insert_with(|| value.to_owned());
            }
        } else if let Some(value) = attached(flag).filter(|_| server && inline.is_none()) {
            found.take(value);
        }
    }
    found.positional(&words);
    found
}

/// What a line of a start script says, where it runs a known server.
pub(in crate::discover) fn of_server(words: &[String]) -> Listening {
    let is_server = |word: &String| SERVERS.contains(&word.rsplit('/').next().unwrap_or_default());
    if words.iter().any(|word| is_server(word) || word == "runserver") {
        listening(words, &|_| None)
    } else {
        Listening::default()
    }
}

/// A short flag and its value, where they stand in one word.
fn apart(word: &str) -> Vec<&str> {
    match word.split_once(' ') {
        Some((flag, value)) if flag.len() == 2 && flag.starts_with('-') => vec![flag, value.trim()],
        _ => vec![word],
    }
}

/// `-p3000`, `-b:8000`.
fn attached(flag: &str) -> Option<&str> {
    let value = flag.strip_prefix("-p").or_else(|| flag.strip_prefix("-b"))?;
    value.starts_with(|c: char| c.is_ascii_digit() || c == ':').then_some(value)
}

fn is_shell(word: &str) -> bool {
    matches!(word.rsplit('/').next(), Some("sh" | "bash" | "ash" | "dash" | "zsh"))
}

fn is_address(value: &str) -> bool {
    value == "localhost" || value == "::" || value == "*" || value.parse::<std::net::IpAddr>().is_ok()
}

impl Listening {
    /// `8000`, `:8000`, `0.0.0.0:8000`, `[::]:8000`, `tcp://0.0.0.0:3000`, `http://*:80`.
    fn take(&mut self, value: &str) {
        let value = value.rsplit("://").next().unwrap_or_default();
        let (address, port) = value.rsplit_once(':').unwrap_or(("", value));
        let Some(port) = port.trim_end_matches('/').parse::<u16>().ok().filter(|port| *port > 0) else {
            return;
        };
        self.port.get_or_insert(port);
        let address = address.trim_start_matches('[').trim_end_matches(']');
        if is_address(address) {
            self.address.get_or_insert_with(|| address.to_owned());
        }
    }

    /// `php -S 0.0.0.0:8000`, `manage.py runserver 0.0.0.0:8000`, `python -m http.server 8000`.
    fn positional(&mut self, words: &[String]) {
        for (at, word) in words.iter().enumerate() {
            let next = words.get(at + 1).map(String::as_str).unwrap_or_default();
            match word.as_str() {
                "-S" if words.iter().any(|word| word.ends_with("php")) => self.take(next),
                "http.server" | "SimpleHTTPServer" => self.take(next),
                // Laravel's own default, on 127.0.0.1.
                "serve" if at > 0 && words[at - 1].ends_with("artisan") => {
                    self.port.get_or_insert(8000);
                    self.address.get_or_insert_with(|| "127.0.0.1".to_owned());
                }
                // The default of Rack, whatever framework the application is written with.
                word if word.rsplit('/').next() == Some("rackup") => {
                    self.port.get_or_insert(9292);
                }
                "runserver" => {
                    let target = words[at + 1..].iter().find(|word| !word.starts_with('-'));
                    match target {
                        Some(target) => self.take(target),
                        // Django's own default, on 127.0.0.1.
                        None => self.take("127.0.0.1:8000"),
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(command: &str) -> (Option<u16>, Option<String>) {
        let command = ["sh", "-c", command].map(str::to_owned);
        let found = listening(&command, &|name| (name == "PORT").then(|| "7000".to_owned()));
        (found.port, found.address)
    }

    #[test]
    fn flag_and_value_may_stand_in_one_word() {
        let command = ["gunicorn", "-b 0.0.0.0:5000", "app:app"].map(str::to_owned);
        let found = listening(&command, &|_| None);
        assert_eq!((found.port, found.address.as_deref()), (Some(5000), Some("0.0.0.0")));
    }

    #[test]
    fn ports_stand_in_the_flags_of_servers() {
        for (command, port, address) in [
            ("uvicorn app:app --host 0.0.0.0 --port 8000", 8000, "0.0.0.0"),
            ("gunicorn -b :8001 app", 8001, ""),
            ("gunicorn --bind=127.0.0.1:8002 app", 8002, "127.0.0.1"),
            ("exec hypercorn app --bind [::]:$PORT", 7000, "::"),
            ("php -S 0.0.0.0:8080 -t public", 8080, "0.0.0.0"),
            ("python manage.py runserver 0.0.0.0:9000", 9000, "0.0.0.0"),
            ("php artisan serve --host=0.0.0.0", 8000, "0.0.0.0"),
            ("php artisan serve --host 0.0.0.0 --port 8080", 8080, "0.0.0.0"),
            ("next start -p 3001", 3001, ""),
            ("rails server -b 0.0.0.0 -p 3002", 3002, ""),
            ("bundle exec rackup", 9292, ""),
            ("bundle exec rackup -o 0.0.0.0 -p 4000", 4000, ""),
            ("./server -addr=:9090", 9090, ""),
            ("puma -b tcp://0.0.0.0:4000", 4000, "0.0.0.0"),
        ] {
            assert_eq!(
                read(command),
                (Some(port), (!address.is_empty()).then(|| address.to_owned())),
                "{command}"
            );
        }
    }

    #[test]
    fn development_servers_wait_for_changes() {
        for (command, wanted) in [
            ("npm run dev", true),
            ("yarn dev -- --host", true),
            ("./node_modules/.bin/nodemon src/index.js", true),
            ("uvicorn app:app --reload", true),
            ("dotnet watch run", true),
            ("ng serve --host 0.0.0.0", true),
            ("npm run start", false),
            ("next start", false),
            ("node dev/index.js", false),
        ] {
            assert_eq!(is_for_development(&["sh", "-c", command].map(str::to_owned)), wanted, "{command}");
        }
    }

    #[test]
    fn short_flags_of_unknown_programs_mean_nothing() {
        assert_eq!(read("mkdir -p 755 && ./run -b 12"), (None, None));
    }
}
