//! Random edits by a user on generated setups, merged with random changes of the generator.
//!
//! Everything that the user writes carries a mark (`u7u`), so that a lost line is seen; everything deleted is a
//! line that stands in the text only once, so that a line that comes back is seen. `PROPTEST_CASES=10000` tries more.

use proptest::prelude::*;
use proptest::sample::Index;
use xtask::apply::current::Current;
use xtask::apply::decide::decide;
use xtask::apply::plan::Plan;
use xtask::apply::take::Options;
use xtask::model::files::Files;

const NAME: &str = "docker-compose.yml";
const TEXT: &str = "README.md";

#[derive(Debug, Clone)]
struct Service {
    name: String,
    image: u8,
    variables: Vec<(u8, u8)>,
    ports: Vec<(u16, u16)>,
    networks: Vec<u8>,
    interval: u8,
    command: Option<u8>,
}

fn service(index: usize) -> impl Strategy<Value = Service> {
    let variables = proptest::collection::btree_map(0..9_u8, 0..3_u8, 0..4);
    let ports = proptest::collection::btree_map(3000..3004_u16, 3000..3010_u16, 0..3);
    let networks = proptest::collection::btree_set(0..3_u8, 0..3);
    (0..3_u8, variables, ports, networks, 1..4_u8, proptest::option::of(0..3_u8)).prop_map(
        move |(image, variables, ports, networks, interval, command)| Service {
            name: format!("s{index}"),
            image,
            variables: variables.into_iter().collect(),
            ports: ports.into_iter().collect(),
            networks: networks.into_iter().collect(),
            interval,
            command,
        },
    )
}

/// Two generated versions: some services are the same, some differ, some are in one only.
fn versions() -> impl Strategy<Value = (Vec<Service>, Vec<Service>)> {
    let one = |index| (service(index), service(index), 0..8_u8);
    (0..5_usize).prop_map(|_| ()).prop_flat_map(move |()| (one(0), one(1), one(2), one(3))).prop_map(
        |(a, b, c, d)| {
            let (mut old, mut new) = (Vec::new(), Vec::new());
            for (before, after, how) in [a, b, c, d] {
                match how {
                    0 => old.push(before),
                    1 => new.push(after),
                    2..=4 => {
                        old.push(before.clone());
                        new.push(before);
                    }
                    _ => {
                        old.push(before);
                        new.push(after);
                    }
                }
            }
            (old, new)
        },
    )
}

fn render(services: &[Service]) -> String {
    let mut text = "# Generated.\nname: shop\n\nservices:\n".to_owned();
    for (i, service) in services.iter().enumerate() {
        let Service { name, image, variables, ports, networks, interval, command } = service;
        let gap = if i == 0 { "" } else { "\n" };
        text.push_str(&format!("{gap}  {name}:\n    image: {name}:{image}\n"));
        if !variables.is_empty() {
            text.push_str("    environment:\n");
            for (variable, value) in variables {
                text.push_str(&format!("      {}_V{variable}: \"{name}-{value}\"\n", name.to_uppercase()));
            }
        }
        if !ports.is_empty() {
            text.push_str("    ports:\n");
            for (container, host) in ports {
                text.push_str(&format!("      - \"127.0.0.1:${{{name}:-{host}}}:{container}\"\n"));
            }
        }
        if !networks.is_empty() {
            text.push_str("    networks:\n");
            for network in networks {
                text.push_str(&format!("      - n{network}\n"));
            }
        }
        if let Some(command) = command {
            text.push_str(&format!("    command: |\n      run {name}\n\n      # in {command}\n"));
        }
        text.push_str(&format!(
            "    healthcheck:\n      test: [\"CMD\", \"{name}\"]\n      interval: {interval}s\n"
        ));
    }
    if services.is_empty() {
        text.push_str("  none:\n    image: none\n");
    }
    text.push_str("\nnetworks:\n  n0:\n  n1:\n  n2:\n");
    text
}

#[derive(Debug, Clone)]
enum Edit {
    Value(Index),
    Behind(Index),
    Above(Index),
    Blank(Index),
    Delete(Index),
    Variable(Index),
    Port(Index),
    Quote(Index),
    Service,
    End,
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        any::<Index>().prop_map(Edit::Value),
        any::<Index>().prop_map(Edit::Behind),
        any::<Index>().prop_map(Edit::Above),
        any::<Index>().prop_map(Edit::Blank),
        any::<Index>().prop_map(Edit::Delete),
        any::<Index>().prop_map(Edit::Variable),
        any::<Index>().prop_map(Edit::Port),
        any::<Index>().prop_map(Edit::Quote),
        Just(Edit::Service),
        Just(Edit::End),
    ]
}

/// The text as a user left it, what the user wrote, and the lines that the user deleted.
struct Edited {
    lines: Vec<String>,
    marks: Vec<String>,
    deleted: Vec<String>,
}

impl Edited {
    fn new(text: &str) -> Self {
        Edited { lines: text.lines().map(str::to_owned).collect(), marks: Vec::new(), deleted: Vec::new() }
    }

    fn mark(&mut self) -> String {
        let mark = format!("u{}u", self.marks.len());
        self.marks.push(mark.clone());
        mark
    }

    /// One of the lines that `fits`, by index.
    fn pick(&self, index: &Index, fits: impl Fn(&str) -> bool) -> Option<usize> {
        let all: Vec<usize> = (0..self.lines.len()).filter(|at| fits(&self.lines[*at])).collect();
        (!all.is_empty()).then(|| all[index.index(all.len())])
    }

    fn apply(&mut self, edit: &Edit) {
        let in_scalar = |line: &str| line.starts_with("      run") || line.starts_with("      # in");
        let plain = |line: &str| !line.trim().is_empty() && !in_scalar(line) && !line.contains('#');
        match edit {
            Edit::Value(index) => {
                let leaf = |line: &str| plain(line) && line.contains(": ") && !line.ends_with(['|', ']']);
                if let Some(at) =
                    self.pick(index, |line| leaf(line) && !line.contains('u') && line.starts_with("    "))
                {
                    let key = self.lines[at].split(": ").next().unwrap_or_default().to_owned();
                    self.lines[at] = format!("{key}: {}", self.mark());
                }
            }
            Edit::Behind(index) => {
                if let Some(at) = self.pick(index, |line| plain(line)) {
                    let mark = self.mark();
                    self.lines[at].push_str(&format!("  # {mark}"));
                }
            }
            Edit::Above(index) => {
                if let Some(at) = self.pick(index, |line| plain(line)) {
                    let line = &self.lines[at];
                    let blanks = " ".repeat(line.len() - line.trim_start().len());
                    let mark = self.mark();
                    self.lines.insert(at, format!("{blanks}# {mark}"));
                }
            }
            Edit::Blank(index) => {
                if let Some(at) = self.pick(index, |line| plain(line)) {
                    self.lines.insert(at, String::new());
                }
            }
            Edit::Delete(index) => {
                let only = |line: &str| plain(line) && line.contains("_V") && !line.contains('u');
                if let Some(at) = self.pick(index, only) {
                    let line = self.lines.remove(at);
                    self.deleted.push(line.split(':').next().unwrap_or_default().to_owned());
                }
            }
            Edit::Variable(index) => {
                if let Some(at) = self.pick(index, |line| line == "    environment:") {
                    let mark = self.mark();
                    self.lines.insert(at + 1, format!("      {}: {mark}", mark.to_uppercase()));
                }
            }
            Edit::Port(index) => {
                if let Some(at) = self.pick(index, |line| line == "    ports:") {
                    let mark = self.mark();
                    let port = 9000 + self.marks.len();
                    self.lines.insert(at + 1, format!("      - \"{port}:{port}\" # {mark}"));
                }
            }
            Edit::Quote(index) => {
                if let Some(at) =
                    self.pick(index, |line| line.starts_with("    image: s") && !line.contains('#'))
                {
                    self.lines[at] = self.lines[at].replace("image: ", "image:   '") + "'";
                }
            }
            Edit::Service => {
                let at = self.lines.iter().position(|line| line.starts_with("services:")).unwrap_or_default();
                let mark = self.mark();
                self.lines.insert(at + 1, format!("  my-{mark}:\n    image: mine"));
            }
            Edit::End => {
                let mark = self.mark();
                self.lines.push(format!("# {mark}"));
            }
        }
    }

    fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

/// Lines of which some are deleted and some new ones stand above; `who` marks the new ones.
fn rewritten(lines: &[u8], edits: &[(Index, bool)], who: char) -> String {
    let mut text: Vec<String> = lines.iter().map(|line| format!("line {line}\n")).collect();
    for (i, (index, delete)) in edits.iter().enumerate() {
        let at = index.index(text.len() + 1);
        if *delete && at < text.len() && text[at].starts_with('l') {
            text.remove(at);
        } else {
            text.insert(at, format!("{who} {i}\n"));
        }
    }
    text.concat()
}

fn one(text: &str) -> std::collections::BTreeMap<String, String> {
    std::iter::once((NAME.to_owned(), text.to_owned())).collect()
}

fn merge(base: &str, current: &str, new: &str) -> (String, Plan) {
    let before = Current { files: one(current), base: one(base), ..Current::default() };
    let plan = decide(&before, &Files(one(new)), &Options::default()).expect("no --take is given");
    (plan.steps[0].after.clone().unwrap_or_default(), plan)
}

fn value(text: &str) -> serde_yaml::Value {
    serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_of_the_users_is_lost((old, new) in versions(), edits in proptest::collection::vec(edit(), 0..12)) {
        let (base, new) = (render(&old), render(&new));
        let mut user = Edited::new(&base);
        for edit in &edits {
            user.apply(edit);
        }
        let current = user.text();
        value(&current);
        let (merged, plan) = merge(&base, &current, &new);
        value(&merged);
        let story = || format!("--- base\n{base}--- current\n{current}--- new\n{new}--- merged\n{merged}--- {plan:?}");
        for mark in &user.marks {
            let count = |text: &str| text.matches(mark.as_str()).count();
            prop_assert_eq!(count(&merged), count(&current), "{} is lost or doubled\n{}", mark, story());
        }
        for line in user.deleted.iter().filter(|line| !current.contains(*line)) {
            prop_assert!(!merged.contains(line), "{line} came back\n{}", story());
        }
        let refused = plan.steps[0].cause.starts_with("you edited it, and");
        prop_assert!(!refused, "refused\n{}", story());
        prop_assert_eq!(&merge(&base, &merged, &new).0, &merged, "a run killed before the copy\n{}", story());
        prop_assert_eq!(&merge(&new, &merged, &new).0, &merged, "the second run\n{}", story());
        prop_assert_eq!(&merge(&base, &current, &base).0, &current, "nothing new\n{}", story());
    }

    #[test]
    fn without_edits_in_value_the_generator_has_its_way(
        (old, new) in versions(),
        comments in proptest::collection::vec(
            prop_oneof![any::<Index>().prop_map(Edit::Behind), any::<Index>().prop_map(Edit::Above)], 1..5),
    ) {
        let (base, new) = (render(&old), render(&new));
        let mut user = Edited::new(&base);
        for edit in &comments {
            user.apply(edit);
        }
        let (merged, plan) = merge(&base, &user.text(), &new);
        prop_assert_eq!(value(&merged), value(&new), "{}\n{:?}", merged, plan);
        prop_assert_eq!(plan.conflicts().count(), 0);
    }

    #[test]
    fn no_line_of_the_users_is_lost_by_line(
        lines in proptest::collection::vec(0..5_u8, 0..12),
        mine in proptest::collection::vec(any::<(Index, bool)>(), 1..6),
        theirs in proptest::collection::vec(any::<(Index, bool)>(), 1..6),
        open in any::<bool>(),
    ) {
        let base = rewritten(&lines, &[], 'b');
        let mut current = rewritten(&lines, &mine, 'u');
        if open {
            current.pop();
        }
        let new = rewritten(&lines, &theirs, 'g');
        let texts = |text: &str| std::iter::once((TEXT.to_owned(), text.to_owned())).collect();
        let before = Current { files: texts(&current), base: texts(&base), ..Current::default() };
        let plan = decide(&before, &Files(texts(&new)), &Options::default()).expect("no --take is given");
        let merged = plan.steps[0].after.clone().unwrap_or_default();
        let users = |text: &str| -> Vec<String> {
            text.lines().filter(|line| line.starts_with('u')).map(str::to_owned).collect()
        };
        prop_assert_eq!(users(&merged), users(&current), "{}\n---\n{}\n---\n{}", base, new, merged);
        let known = |line: &&str| [&base, &current, &new].iter().any(|text| text.lines().any(|known| known == *line));
        prop_assert!(merged.lines().all(|line| known(&line)), "{merged}");
    }
}
