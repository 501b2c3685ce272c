//! Constants that a program of C# names instead of writing a text: `ResourceNames.Databases.Orders`. Reads the files that
//! are called after their classes, as C# has it, and evaluates nothing.

use std::collections::BTreeMap;

use crate::model::path::RepoPath;
use crate::repo::Repo;

/// The text with the values of known constants, in quotes, where it names them as arguments.
pub(super) fn replace(text: &str, repo: &Repo) -> String {
    let mut known = BTreeMap::new();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['(', ',']) {
        let (before, behind) = rest.split_at(at + 1);
        out.push_str(before);
        let name = behind.trim_start();
        let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).unwrap_or(name.len());
        let (name, after) = name.split_at(end);
        match value(name, repo, &mut known).filter(|_| after.trim_start().starts_with([')', ','])) {
            Some(value) => {
                out.push_str(&format!("\"{value}\""));
                rest = after;
            }
            None => rest = behind,
        }
    }
    out.push_str(rest);
    out
}

/// What a dotted name stands for: its last words are the class and the constant.
fn value(name: &str, repo: &Repo, known: &mut BTreeMap<String, Vec<(String, String)>>) -> Option<String> {
    let (classes, _) = name.rsplit_once('.')?;
    for class in classes.split('.').filter(|class| class.starts_with(char::is_uppercase)) {
        if !known.contains_key(class) {
            known.insert(class.to_owned(), of_class(repo, class));
        }
    }
    let ends = |full: &str| full == name || full.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
    let mut found = known.values().flatten().filter(|(full, _)| ends(full)).map(|(_, value)| value);
    let first = found.next()?;
    found.all(|other| other == first).then(|| first.clone())
}

/// The constants of the files that are called after a class.
fn of_class(repo: &Repo, class: &str) -> Vec<(String, String)> {
    let is_it = |file: &&RepoPath| file.name().strip_suffix(".cs").is_some_and(|stem| stem == class);
    let files = repo.files().filter(is_it).filter_map(|file| repo.text(file).ok());
    files.flat_map(|text| constants(&text.text)).collect()
}

/// `const string Orders = "orders-db";` with the classes around it: `Names.Databases.Orders`.
fn constants(text: &str) -> Vec<(String, String)> {
    // The name of each block that is open; empty where it is no class.
    let mut open: Vec<&str> = Vec::new();
    let mut next = "";
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with("//") {
            continue;
        }
        if let Some(class) = word_after(line, "class ") {
            next = class;
        }
        let constant = word_after(line, "const string ").or_else(|| word_after(line, "readonly string "));
        let value = line.split_once('=').and_then(|(_, value)| value.trim().strip_prefix('"'));
        if let (Some(name), Some((value, _))) = (constant, value.and_then(|value| value.split_once('"'))) {
            let mut full: Vec<&str> = open.iter().copied().filter(|class| !class.is_empty()).collect();
            full.push(name);
            found.push((full.join("."), value.to_owned()));
            continue;
        }
        for c in line.chars() {
            match c {
                '{' => open.push(std::mem::take(&mut next)),
                '}' => drop(open.pop()),
                _ => {}
            }
        }
    }
    found
}

fn word_after<'t>(line: &'t str, word: &str) -> Option<&'t str> {
    let (before, rest) = line.split_once(word)?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    (before.is_empty() || before.ends_with(' ')).then_some(&rest[..end]).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_stand_for_their_values_with_the_classes_around_them() {
        let repo = Repo::from_fixture(
            "//- /src/Defaults/Names.cs\nnamespace Shop\n{\npublic static class Names\n{\n    public static class Databases\n    {\n        \
             // public const string No = \"no\";\n        public const string Orders = \"orders-db\";\n    }\n    public const string Api = \"orders-api\";\n}\n}\n",
        );
        let text = "AddDatabase(Names.Databases.Orders) AddProject<P>(Names.Api, x) Add(Names.Databases.No) Add(Names.Api.ToLower()) Add(Names)";
        assert_eq!(
            replace(text, &repo),
            "AddDatabase(\"orders-db\") AddProject<P>(\"orders-api\", x) Add(Names.Databases.No) Add(Names.Api.ToLower()) Add(Names)"
        );
    }
}
