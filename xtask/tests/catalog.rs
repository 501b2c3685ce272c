//! Every entry of the catalogue keeps the promises of the format; nothing here names a kind.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use xtask::catalog::{Catalog, Entry, SetupFile, Tenancy};

fn catalog() -> Catalog {
    Catalog::load(&[]).expect("the built-in entries parse")
}

/// Collects what is wrong with all entries, so that one run shows everything.
fn check(rule: impl Fn(&Entry, &mut Vec<String>)) {
    let mut wrong = Vec::new();
    for entry in catalog().iter() {
        let mut of_entry = Vec::new();
        rule(entry, &mut of_entry);
        wrong.extend(of_entry.into_iter().map(|what| format!("{}: {what}", entry.kind)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_file_is_named_after_its_kind_and_no_kind_comes_twice() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/catalog");
    let mut files = BTreeSet::new();
    #[allow(clippy::disallowed_methods, reason = "the test looks at the package's own files")]
    for file in std::fs::read_dir(folder).expect("the catalogue is a folder") {
        let name = file.expect("it can be listed").file_name().into_string().expect("names are UTF-8");
        files.insert(name.strip_suffix(".yaml").expect("only YAML lies there").to_owned());
    }
    let kinds: BTreeSet<String> = catalog().iter().map(|entry| entry.kind.clone()).collect();
    assert_eq!(files, kinds);
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let text = "kind: x\ntitle: X\nclas: cache\n";
    let error = Catalog::load(&[("integration/catalog/x.yaml".to_owned(), text.to_owned())]);
    let message = error.expect_err("`clas` is no key").to_string();
    assert!(message.contains("integration/catalog/x.yaml"), "{message}");
    assert!(message.contains("unknown field `clas`") && message.contains("line 3"), "{message}");
}

#[test]
fn a_connection_is_tried_by_what_the_client_is_told() {
    check(|entry, wrong| {
        let Some(connect) = &entry.connect else { return };
        let mut wanted = vec!["XTASK_HOST", "XTASK_PORT"];
        if entry.login.is_some() {
            wanted.extend(["XTASK_USER", "XTASK_PASSWORD"]);
        }
        if entry.tenancy == Tenancy::Database {
            wanted.push("XTASK_DATABASE");
        }
        for name in wanted.into_iter().filter(|name| !connect.script.contains(name)) {
            wrong.push(format!("its connection script does not use {name}"));
        }
        // Anybody may read the arguments of a process.
        let shown = Regex::new(r#"(?m)(^|\s)--?(p|pass|password|P|a)[ =]?"?\$\{?XTASK_PASSWORD"#)
            .expect("a valid pattern");
        if shown.is_match(&connect.script) {
            wrong.push("its connection script puts the password on a command line".to_owned());
        }
    });
}

#[test]
fn images_are_pinned() {
    check(|entry, wrong| {
        for version in entry.versions.values() {
            let last = version.image.rsplit('/').next().unwrap_or_default();
            match last.split_once(':') {
                Some((_, tag)) if tag != "latest" && tag.contains(|c: char| c.is_ascii_digit()) => {}
                _ => wrong.push(format!("`{}` is not pinned to a version", version.image)),
            }
        }
    });
}

#[test]
fn an_entry_is_found_by_everything_it_claims_and_claims_nothing_of_another() {
    let catalog = catalog();
    check(|entry, wrong| {
        let mut expect = |what: String, found: Option<&Entry>| match found {
            Some(found) if found.kind == entry.kind => {}
            Some(found) => wrong.push(format!("{what} is taken for {}", found.kind)),
            None => wrong.push(format!("{what} is not recognised")),
        };
        let known = &entry.recognise;
        for scheme in &known.schemes {
            expect(format!("scheme `{scheme}`"), catalog.by_scheme(scheme));
        }
        for image in known.images.iter().chain(&known.foreign_images) {
            expect(format!("image `{image}`"), catalog.by_image(&format!("registry.example.org/{image}:1")));
        }
        for version in entry.versions.values() {
            expect(format!("its own image `{}`", version.image), catalog.by_image(&version.image));
        }
        for port in &known.ports {
            expect(format!("port {port}"), catalog.by_port(*port));
        }
        for host in &known.hosts {
            expect(format!("host `{host}`"), catalog.by_host(host));
        }
        for word in &known.words {
            expect(format!("word `{word}`"), catalog.by_word(word));
        }
        for (language, packages) in &known.packages {
            for pattern in packages {
                let (name, features) = package_of(pattern);
                let found = catalog.by_package(language, &name, &features);
                expect(format!("{language} package `{pattern}`"), found);
            }
        }
    });
}

/// A dependency that a pattern of [`xtask::catalog::Recognise::packages`] has to match.
fn package_of(pattern: &str) -> (String, Vec<String>) {
    if let Some((name, feature)) = pattern.strip_suffix(']').and_then(|rest| rest.split_once('[')) {
        return (name.to_owned(), vec![feature.to_owned()]);
    }
    (pattern.trim_end_matches('*').to_owned(), Vec::new())
}

#[test]
fn nothing_is_claimed_twice() {
    let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in catalog().iter() {
        let known = &entry.recognise;
        let lists = [
            ("scheme", &known.schemes),
            ("image", &known.images),
            ("image", &known.foreign_images),
            ("host", &known.hosts),
            ("variable", &known.variables),
            ("word", &known.words),
        ];
        let plain =
            lists.iter().flat_map(|(what, list)| list.iter().map(move |item| format!("{what} {item}")));
        let ports = known.ports.iter().map(|port| format!("port {port}"));
        let packages = known
            .packages
            .iter()
            .flat_map(|(language, list)| list.iter().map(move |item| format!("{language} {item}")));
        for claim in plain.chain(ports).chain(packages) {
            owners.entry(claim).or_default().push(entry.kind.clone());
        }
    }
    owners.retain(|_, kinds| kinds.len() > 1);
    assert!(owners.is_empty(), "{owners:#?}");
}

#[test]
fn lists_are_in_the_form_that_is_compared() {
    const LANGUAGES: [&str; 9] = ["node", "python", "rust", "go", "java", "dotnet", "php", "ruby", "elixir"];
    check(|entry, wrong| {
        let known = &entry.recognise;
        let lower = known
            .schemes
            .iter()
            .chain(&known.images)
            .chain(&known.foreign_images)
            .chain(&known.hosts)
            .chain(&known.words);
        wrong.extend(
            lower
                .filter(|item| **item != item.to_lowercase())
                .map(|item| format!("`{item}` is not lower case")),
        );
        let upper =
            known.variables.iter().filter(|item| **item != item.to_uppercase() || item.ends_with('_'));
        wrong.extend(upper.map(|item| format!("`{item}` is no first word of a variable")));
        for (language, packages) in &known.packages {
            if !LANGUAGES.contains(&language.as_str()) {
                wrong.push(format!("unknown language `{language}`"));
            }
            let java = packages.iter().filter(|package| language == "java" && !package.contains(':'));
            wrong.extend(java.map(|package| format!("`{package}` is not `group:artifact`")));
        }
    });
}

#[test]
fn each_health_check_is_a_command_for_compose() {
    check(|entry, wrong| {
        let test = &entry.health.test;
        match test.first().map(String::as_str) {
            Some("CMD") if test.len() > 1 => {}
            Some("CMD-SHELL") if test.len() == 2 => {}
            _ => wrong.push(format!("{test:?} is no health check")),
        }
    });
}

#[test]
fn volumes_are_absolute_and_do_not_come_twice() {
    check(|entry, wrong| {
        for version in entry.versions.values() {
            let once: BTreeSet<_> = version.volumes.iter().collect();
            if once.len() != version.volumes.len() || once.iter().any(|path| !path.starts_with('/')) {
                wrong.push(format!("{:?}", version.volumes));
            }
        }
    });
}

#[test]
fn placeholders_are_known_where_they_stand() {
    let pattern = Regex::new(r"\{([a-z_]+)(:[A-Z0-9_]*)?\}").expect("the pattern is valid");
    check(|entry, wrong| {
        let mut allow = |place: &str, text: &str, known: &[&str]| {
            for found in pattern.captures_iter(text) {
                if !known.contains(&&found[1]) {
                    wrong.push(format!("{place} has an unknown placeholder `{}`", &found[0]));
                }
            }
        };
        const OF_SERVER: &[&str] = &["secret", "host", "host_port"];
        for (place, texts) in server_texts(entry) {
            texts.iter().for_each(|text| allow(place, text, OF_SERVER));
        }
        entry.health.test.iter().for_each(|text| allow("health", text, &["busybox"]));
        for url in entry.urls.values().chain([&entry.url]) {
            allow("url", url, &["host", "port", "user", "password", "database"]);
        }
        entry.smoke.iter().for_each(|text| allow("smoke", text, &[]));
        entry.shell.iter().for_each(|text| allow("shell", text, &["user", "database"]));
        let Some(setup) = &entry.setup else { return };
        const OF_USER: &[&str] = &["database", "user", "password_variable", "service", "host", "port"];
        setup.environment.values().for_each(|text| allow("setup", text, &["secret", "host", "port"]));
        setup.entrypoint.iter().flatten().for_each(|text| allow("setup", text, &["host", "port"]));
        setup.command.iter().for_each(|text| allow("setup", text, &["files", "host", "port"]));
        setup.per_file.iter().for_each(|text| allow("setup", text, &["file"]));
        for file in &setup.files {
            allow(&file.name, &file.header, &["host", "port"]);
            allow(&file.name, &file.each, OF_USER);
            allow(&file.name, &file.each_shared, OF_USER);
            allow(&file.name, &file.each_named, &["variable", "host", "port"]);
            allow(&file.name, &file.each_schema, &[OF_USER, &["file"]].concat());
            allow(&file.name, &file.footer, &["host", "port"]);
        }
    });
}

/// The texts that end up in the server's own block of the Compose file, with the place's name.
fn server_texts(entry: &Entry) -> Vec<(&'static str, Vec<&String>)> {
    let of_versions = entry.versions.values().flat_map(|version| version.environment.values());
    vec![
        ("environment", entry.environment.values().collect()),
        ("environment", of_versions.collect()),
        ("command", entry.command.iter().collect()),
    ]
}

#[test]
fn each_secret_that_is_named_belongs_to_the_server() {
    let pattern = Regex::new(r"\{secret:([A-Z][A-Z0-9_]*)\}").expect("the pattern is valid");
    check(|entry, wrong| {
        let secrets_of = |text: &String| -> Vec<String> {
            pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
        };
        let texts = server_texts(entry);
        let own: BTreeSet<String> =
            texts.iter().flat_map(|(_, texts)| texts.iter()).flat_map(|text| secrets_of(text)).collect();
        let in_setup = entry.setup.iter().flat_map(|setup| setup.environment.values()).flat_map(secrets_of);
        let named = in_setup
            .chain(entry.login.iter().map(|login| login.secret.clone()))
            .chain(entry.remembers.iter().cloned())
            .chain(entry.secret_forms.keys().cloned());
        wrong.extend(
            named.filter(|name| !own.contains(name)).map(|name| format!("the server has no secret `{name}`")),
        );
    });
}

#[test]
fn a_url_asks_only_for_what_a_service_gets() {
    check(|entry, wrong| {
        for url in entry.urls.values().chain([&entry.url]) {
            let user = url.contains("{user}") || url.contains("{password}");
            if user && entry.tenancy == Tenancy::Shared && entry.login.is_none() {
                wrong.push(format!("`{url}` has a user, but there is no login"));
            }
            if url.contains("{database}") && entry.tenancy == Tenancy::Shared {
                wrong.push(format!("`{url}` has a database, but services have none"));
            }
        }
    });
}

#[test]
fn what_services_get_of_their_own_is_named_in_forms_that_are_compared() {
    check(|entry, wrong| {
        let databases = &entry.databases;
        for word in databases.variables.iter().chain([&databases.password]) {
            if !word.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
                wrong.push(format!("`{word}` is no end of a variable"));
            }
        }
        if databases.common.is_some() && databases.variables.is_empty() {
            wrong.push("no variable names what is not common".to_owned());
        }
        let reads_data = entry.setup.as_ref().is_some_and(|setup| setup.reads_data);
        if reads_data && entry.tmpfs {
            wrong.push("its setup reads the data, and nobody else can read a tmpfs".to_owned());
        }
    });
}

#[test]
fn services_with_their_own_database_get_it_from_a_setup() {
    check(|entry, wrong| {
        let fills = |each: fn(&SetupFile) -> &String| {
            entry.setup.iter().flat_map(|setup| &setup.files).any(|file| !each(file).is_empty())
        };
        if (entry.tenancy == Tenancy::Database) != fills(|file| &file.each) {
            wrong.push("tenancy and setup contradict each other".to_owned());
        }
        let named = entry.setup.as_ref().and_then(|setup| setup.named.as_ref());
        if named.is_some() != fills(|file| &file.each_named) {
            wrong.push("what is named and what is made contradict each other".to_owned());
        }
        if named.is_some_and(|named| regex::Regex::new(&named.pattern).is_err()) {
            wrong.push("the pattern of a name is no pattern".to_owned());
        }
    });
}

#[test]
fn names_that_a_server_takes_are_told_from_others() {
    let catalog = catalog();
    let minio =
        catalog.get("minio").and_then(|entry| entry.setup.as_ref()).and_then(|setup| setup.named.as_ref());
    let minio = minio.expect("services name buckets");
    let longest = "b".repeat(63);
    for name in ["abc", "my-bucket", "logs.2024.prod", "0x0", &longest] {
        assert!(minio.fits(name), "{name}");
    }
    let too_long = "b.".repeat(32) + "b";
    let no_names = [
        "a-.b",
        "ab",
        "My-Bucket",
        "a_b",
        "-ab",
        "ab-",
        "a..b",
        "a.-b",
        "192.168.0.1",
        "x;rm -rf /",
        "$(x)",
        "",
    ];
    for name in no_names.into_iter().chain([too_long.as_str()]) {
        assert!(!minio.fits(name), "{name}");
    }
}

#[test]
fn names_reach_the_tool_of_a_store_as_they_are() {
    let catalog = catalog();
    let setup = catalog.get("minio").and_then(|entry| entry.setup.as_ref()).expect("it has a setup");
    let [file] = setup.files.as_slice() else { panic!("one script makes all buckets") };
    let each = ["A", "B"].map(|variable| file.each_named.replace("{variable}", variable)).concat();
    let shell = xshell::Shell::new().expect("the current folder can be read");
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("a-store");
    // In place of `mc`, which is in an image that no test machine has to have.
    let (tool, script) = (folder.join("mc"), folder.join(&file.name));
    shell.write_file(&tool, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n").expect("the target folder is ours");
    shell.write_file(&script, format!("{}{each}{}", file.header, file.footer)).expect("it is ours");
    xshell::cmd!(shell, "chmod +x {tool}").quiet().run().expect("the file is ours");
    let path = format!("{}:/usr/bin:/bin", folder.display());
    let said = xshell::cmd!(shell, "sh {script}").quiet().env("PATH", path);

    let said = said.env("A", "photos").env("B", "x; touch $(pwd)/y *").read().expect("it ends well");

    assert_eq!(said, "mb\n--ignore-existing\nserver/photos\nserver/x; touch $(pwd)/y *");
}

#[test]
fn files_of_a_setup_are_numbered_and_used() {
    let number = Regex::new(r"^(\d\d)-[a-z-]+\.[a-z]+$").expect("the pattern is valid");
    check(|entry, wrong| {
        let Some(setup) = &entry.setup else { return };
        let names: Vec<&str> = setup.files.iter().map(|file| file.name.as_str()).collect();
        if !names.is_sorted() || names.iter().any(|name| !number.is_match(name)) {
            wrong.push(format!("{names:?} are not numbered in order"));
        }
        if !setup.command.iter().any(|item| item == "{files}") {
            wrong.push("the command does not take `{files}`".to_owned());
        }
        if !setup.per_file.iter().any(|item| item.contains("{file}")) {
            wrong.push("`per_file` does not name `{file}`".to_owned());
        }
    });
}

#[cfg(unix)]
#[test]
#[allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the test runs the scripts with clients of its own"
)]
fn a_seed_file_that_is_cut_short_is_not_given_to_the_client() {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    let folder =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("seed-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder of its own");
    let called = folder.join("called");
    for client in ["psql", "mysql", "mariadb"] {
        let path = folder.join(client);
        std::fs::write(&path, format!("#!/bin/sh\ncat >> '{}'\n", called.display())).expect("it is written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it is its owner's");
    }
    check(|entry, wrong| {
        let Some(seed) = &entry.seed else { return };
        for (bytes, is_whole) in [("9", true), ("90", false)] {
            let _ = std::fs::remove_file(&called);
            let mut child = std::process::Command::new("sh")
                .args(["-euc", &seed.apply])
                .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
                .env("XTASK_BYTES", bytes)
                .envs(
                    ["USER", "PASSWORD", "DATABASE", "FILE", "DIGEST"]
                        .map(|name| (format!("XTASK_{name}"), "x")),
                )
                .envs([("MYSQL_ROOT_PASSWORD", "x"), ("TMPDIR", folder.to_str().unwrap_or_default())])
                .stdin(std::process::Stdio::piped())
                .stderr(std::process::Stdio::null())
                .spawn()
                .expect("sh is there");
            child.stdin.take().expect("it is piped").write_all(b"SELECT 1;").expect("it is read");
            let ended = child.wait().expect("it ends").success();
            let taken = std::fs::read_to_string(&called).unwrap_or_default();
            if (ended, taken.contains("SELECT 1;")) != (is_whole, is_whole) {
                wrong.push(format!("of {bytes} bytes, 9 arrive: success {ended}, taken {taken:?}"));
            }
            let left = std::fs::read_dir(&folder).expect("it can be listed").count();
            if left != if called.exists() { 4 } else { 3 } {
                wrong.push("it leaves its file behind".to_owned());
            }
        }
    });
    std::fs::remove_dir_all(&folder).expect("it was just made");
}
