//! Dockerfiles of one folder that start the same archive: the same program, packed in another way.

use std::collections::BTreeMap;

use super::Candidate;
use super::files::Rank;

/// Endings of the archives that an interpreter starts.
const ARCHIVES: &[&str] = &[".jar", ".war", ".dll"];

/// Names that people give to every archive.
const PLAIN: &[&str] = &["", "*", "app", "application", "main", "server", "service"];

/// A Dockerfile with a word of its own that starts what the plain one beside it starts is a variant of it, whatever the
/// word is: `Dockerfile-with-compiler`.
pub(super) fn settle(candidates: &mut [Candidate]) {
    let mut plain = BTreeMap::new();
    for candidate in candidates.iter() {
        if let Some(archive) = archive(candidate).filter(|_| is_plain(candidate)) {
            plain.insert((candidate.file.parent(), archive), candidate.place.clone());
        }
    }
    for candidate in candidates.iter_mut().filter(|one| !is_plain(one)) {
        let Some(archive) = archive(candidate) else { continue };
        if let Some(place) = plain.get(&(candidate.file.parent(), archive)) {
            candidate.place = place.clone();
            candidate.rank = candidate.rank.max(Rank::Other);
        }
    }
}

fn is_plain(candidate: &Candidate) -> bool {
    matches!(candidate.file.name(), "Dockerfile" | "Containerfile")
}

/// The name of the archive that an image starts, where it says which program that is.
fn archive(candidate: &Candidate) -> Option<String> {
    let image = candidate.read.as_ref().ok()?.image(None, &BTreeMap::new());
    let words = image.start().flat_map(|word| word.split_whitespace());
    let file = words
        .filter_map(|word| word.rsplit('/').next())
        .find(|file| ARCHIVES.iter().any(|ending| file.ends_with(ending)))?;
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    (!PLAIN.contains(&stem) && !file.contains('$')).then(|| file.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::{Roots, find};
    use crate::catalog::Catalog;
    use crate::repo::Repo;

    fn services(start: &str, other: &str) -> Vec<String> {
        let tree = format!(
            "//- /books/pom.xml\n<project/>\n//- /books/src/main/java/App.java\n\n\
             //- /books/Dockerfile\nFROM eclipse-temurin:21\nCOPY target/*.jar .\nENTRYPOINT {start}\n\
             //- /books/Dockerfile-builds-itself\nFROM eclipse-temurin:21\nCOPY . .\nRUN ./mvnw install\nENTRYPOINT {other}\n"
        );
        let found = find(&Repo::from_fixture(&tree), &Catalog::default(), &Roots::default());
        found.services.into_iter().map(|service| service.name).collect()
    }

    #[test]
    fn dockerfiles_that_start_one_archive_are_one_service() {
        let start = "[\"sh\", \"-c\", \"java -jar books-*exec.jar\"]";
        assert_eq!(services(start, "java -jar target/books-*exec.jar"), ["books"]);
    }

    #[test]
    fn archives_that_everybody_calls_so_tell_nothing() {
        let start = "[\"java\", \"-jar\", \"app.jar\"]";
        assert_eq!(services(start, start).len(), 2);
        assert_eq!(services("java -jar books.jar", "java -jar loans.jar").len(), 2);
    }
}
