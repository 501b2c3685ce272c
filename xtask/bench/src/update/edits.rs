//! A simulated user: edits a generated file as people do, and remembers what must be found again.

/// Random numbers that are the same for the same seed (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// Below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end.max(1) as u64).unwrap_or_default()
    }

    /// One of them.
    pub(crate) fn of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() { None } else { all.get(self.below(all.len())) }
    }
}

/// What the user did to one file.
#[derive(Debug, Clone, Default)]
pub(super) struct Edits {
    /// Words that only the user wrote.
    words: Vec<String>,
    /// Variables of services that the user deleted: service, key.
    deleted: Vec<(String, String)>,
}

impl Edits {
    pub(super) fn count(&self) -> usize {
        self.words.len() + self.deleted.len()
    }

    /// What is wrong with the file after the update.
    pub(super) fn missed(&self, text: Option<&str>, file: &str) -> Vec<String> {
        let Some(text) = text else { return vec![format!("{file}: gone, with {} edits", self.count())] };
        let lines: Vec<&str> = text.lines().collect();
        let present = variables(&lines);
        let lost = self.words.iter().filter(|word| !text.contains(word.as_str()));
        let back = self.deleted.iter().filter(|(service, key)| {
            present.iter().any(|variable| &variable.service == service && &variable.key == key)
        });
        lost.map(|word| format!("{file}: `{word}` is lost"))
            .chain(back.map(|(service, key)| format!("{file}: `{key}` of {service} was deleted and is back")))
            .collect()
    }
}

/// Edits one file, by its kind.
pub(super) fn edit(file: &str, text: &str, dice: &mut Dice) -> (String, Edits) {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut edits = Edits::default();
    let mut serial = 0;
    let mut word = |edits: &mut Edits, what: &str| {
        serial += 1;
        let word = format!("user-{what}-{serial}-{}", file.len());
        edits.words.push(word.clone());
        word
    };
    let is_yaml = file.ends_with(".yml") || file.ends_with(".yaml");
    if is_yaml && file.starts_with("docker-compose") {
        for _ in 0..3 {
            replace_value(&mut lines, dice, || word(&mut edits, "value"));
            add_variable(&mut lines, dice, || word(&mut edits, "variable"));
        }
        delete_variable(&mut lines, dice, &mut edits);
        if file == "docker-compose.yml" {
            add_service(&mut lines, &word(&mut edits, "service"));
        }
    }
    for _ in 0..4 {
        match file {
            _ if is_yaml => {
                comment_above(&mut lines, dice, || word(&mut edits, "above"));
                comment_behind(&mut lines, dice, || word(&mut edits, "behind"));
            }
            _ if file.contains(".env") => {
                insert(&mut lines, dice, |_| true, || format!("# {}", word(&mut edits, "note")));
                let line = word(&mut edits, "variable");
                lines.push(format!("{}={line}", line.replace('-', "_").to_uppercase()));
            }
            _ if file.ends_with(".sql") => {
                insert(&mut lines, dice, |_| true, || format!("-- {}", word(&mut edits, "note")));
            }
            _ => insert(&mut lines, dice, |_| true, || word(&mut edits, "line")),
        }
    }
    (lines.join("\n") + "\n", edits)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Lines that begin an entry: not inside a block scalar, not blank, no comment.
fn entries(lines: &[String]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut scalar = None;
    for (at, line) in lines.iter().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        if scalar.is_some_and(|depth| indent(line) > depth) {
            continue;
        }
        scalar = line.ends_with(['|', '>', '-']).then(|| indent(line)).filter(|_| line.contains(": "));
        let text = line.trim_start();
        if text.starts_with("- ") || text.ends_with(':') || text.contains(": ") && !text.starts_with('#') {
            found.push(at);
        }
    }
    found
}

fn comment_above(lines: &mut Vec<String>, dice: &mut Dice, word: impl FnOnce() -> String) {
    if let Some(at) = dice.of(&entries(lines)).copied() {
        let line = format!("{}# {}", " ".repeat(indent(&lines[at])), word());
        lines.insert(at, line);
    }
}

fn comment_behind(lines: &mut [String], dice: &mut Dice, word: impl FnOnce() -> String) {
    let plain = |at: &usize| !lines[*at].contains(" #") && !lines[*at].ends_with(['|', '>', '-']);
    let able: Vec<usize> = entries(lines).into_iter().filter(plain).collect();
    if let Some(at) = dice.of(&able).copied() {
        lines[at].push_str(&format!(" # {}", word()));
    }
}

fn insert(
    lines: &mut Vec<String>,
    dice: &mut Dice,
    fits: impl Fn(&str) -> bool,
    line: impl FnOnce() -> String,
) {
    let able: Vec<usize> = (0..lines.len()).filter(|at| fits(&lines[*at])).collect();
    let at = dice.of(&able).copied().unwrap_or(lines.len());
    lines.insert(at, line());
}

/// A line `KEY: value` below `environment:` of a service.
#[derive(Debug, Clone)]
struct Variable {
    line: usize,
    service: String,
    key: String,
}

fn variables<L: AsRef<str>>(lines: &[L]) -> Vec<Variable> {
    let mut found = Vec::new();
    let (mut section, mut service, mut inside) = (String::new(), String::new(), false);
    for (at, line) in lines.iter().enumerate() {
        let line = line.as_ref();
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let key = text.split(':').next().unwrap_or_default().to_owned();
        match indent(line) {
            0 => (section, inside) = (key, false),
            2 => (service, inside) = (key, false),
            4 => inside = key == "environment",
            6 if inside && section == "services" && text.contains(": ") => {
                found.push(Variable { line: at, service: service.clone(), key });
            }
            _ => {}
        }
    }
    found
}

fn replace_value(lines: &mut [String], dice: &mut Dice, word: impl FnOnce() -> String) {
    let able = variables(lines);
    let able: Vec<&Variable> = able.iter().filter(|one| !lines[one.line].contains("user-")).collect();
    if let Some(one) = dice.of(&able) {
        lines[one.line] = format!("      {}: {}", one.key, word());
    }
}

fn add_variable(lines: &mut Vec<String>, dice: &mut Dice, word: impl FnOnce() -> String) {
    let able = variables(lines);
    if let Some(one) = dice.of(&able) {
        let word = word();
        let line = format!("      {}: {word}", word.replace('-', "_").to_uppercase());
        lines.insert(one.line, line);
    }
}

fn delete_variable(lines: &mut Vec<String>, dice: &mut Dice, edits: &mut Edits) {
    let all = variables(lines);
    // An `environment:` without entries is none.
    let is_alone = |one: &Variable| all.iter().filter(|other| other.service == one.service).count() < 2;
    let able = all.iter().filter(|one| !lines[one.line].contains("user-") && !is_alone(one));
    let able: Vec<&Variable> = able.collect();
    if let Some(one) = dice.of(&able) {
        edits.deleted.push((one.service.clone(), one.key.clone()));
        let line = one.line;
        lines.remove(line);
    }
}

fn add_service(lines: &mut Vec<String>, name: &str) {
    let at = lines.iter().position(|line| line == "services:").map_or(lines.len(), |at| at + 1);
    let service = [format!("  {name}:"), "    image: busybox:1.37".into(), "    command: [\"true\"]".into()];
    for line in service.into_iter().rev() {
        lines.insert(at, line);
    }
}
