//! Packages of Go in a service's folder that none of its programs imports: the compiler never sees them, so nobody answers
//! where they listen. What else they say is kept, as a program that is still being written has such packages.

use std::collections::BTreeSet;

use super::{Sources, is_source, sources};
use crate::model::fact::{Fact, ServiceFacts, What};
use crate::model::path::RepoPath;
use crate::parallel::each;

/// Larger programs are not followed.
const MAX_PACKAGES: usize = 1_000;

/// Leaves out where the packages that no program imports would listen, and what would answer there.
pub(in crate::discover) fn leave_out(sources: &Sources<'_>, services: &mut [ServiceFacts]) {
    each(services, |service| {
        let said =
            service.facts.iter().filter(|fact| is_answer(fact)).filter_map(|fact| fact.at.path.parent());
        let said: BTreeSet<RepoPath> = said.filter(|folder| !sources.is_program(folder)).collect();
        if said.is_empty() {
            return;
        }
        let Some(reached) = sources.reached(service) else { return };
        let is_idle = |folder: RepoPath| said.contains(&folder) && !reached.contains(&folder);
        service.facts.retain(|fact| !is_answer(fact) || !fact.at.path.parent().is_some_and(is_idle));
    });
}

fn is_answer(fact: &Fact) -> bool {
    let is_one = matches!(
        fact.what,
        What::Port { .. } | What::Health { .. } | What::Listens { .. } | What::ListensBy { .. }
    );
    is_one && is_source(&fact.at.path)
}

impl Sources<'_> {
    fn files(&self, package: &RepoPath) -> impl Iterator<Item = &RepoPath> {
        let depth = package.depth() + 1;
        sources(self.repo, package).filter(move |file| file.depth() == depth)
    }

    fn is_program(&self, package: &RepoPath) -> bool {
        self.files(package).any(|file| self.imports(file).is_some_and(|imports| imports.is_program))
    }

    /// The packages of which the programs in a service's folder are made; nothing where there is no program, where they
    /// are not all known, or where none imports another one by its module's path, so that these tell nothing.
    fn reached(&self, service: &ServiceFacts) -> Option<BTreeSet<RepoPath>> {
        let packages: BTreeSet<RepoPath> =
            sources(self.repo, &service.path).filter_map(RepoPath::parent).take(MAX_PACKAGES * 4).collect();
        let programs: BTreeSet<RepoPath> =
            packages.into_iter().filter(|package| self.is_program(package)).collect();
        let mut next: Vec<RepoPath> = programs.iter().cloned().collect();
        let mut reached = programs.clone();
        while let Some(package) = next.pop() {
            for file in self.files(&package) {
                for imported in &self.imports(file)?.packages {
                    if reached.insert(imported.folder.clone()) {
                        next.push(imported.folder.clone());
                    }
                }
            }
            if reached.len() > MAX_PACKAGES {
                return None;
            }
        }
        (reached.len() > programs.len()).then_some(reached)
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use crate::discover::{Scope, discover};
    use crate::model::fact::What;
    use crate::repo::Repo;

    /// Where the program of such a file listens.
    fn ports(main: &str) -> Vec<u16> {
        let tree = format!(
            "//- /orders/Dockerfile\nFROM golang\nCOPY . .\n//- /orders/go.mod\nmodule example.org/orders\n\
             //- /orders/cmd/orders/main.go\npackage main\nimport (\n{main})\nfunc main() {{}}\n\
             //- /orders/internal/log/log.go\npackage log\n\
             //- /orders/internal/health/health.go\npackage health\nimport \"net/http\"\nfunc Start() {{ http.ListenAndServe(\":8081\", nil) }}\n\
             //- /orders/internal/api/api.go\npackage api\nimport (\n\t\"net/http\"\n\t\"example.org/orders/internal/health\"\n)\n\
             func Start() {{ http.ListenAndServe(\":8080\", nil) }}\n"
        );
        let facts =
            discover(&Repo::from_fixture(&tree), &Catalog::default(), &Scope::default()).expect("is read");
        let port = |what: &What| if let What::Port { port, .. } = what { Some(*port) } else { None };
        facts.services[0].facts.iter().filter_map(|fact| port(&fact.what)).collect()
    }

    #[test]
    fn nobody_listens_in_a_package_that_no_program_imports() {
        assert_eq!(ports("\t\"example.org/orders/internal/log\"\n"), [0; 0]);
        assert_eq!(ports("\t\"example.org/orders/internal/health\"\n"), [8081]);
        assert_eq!(ports("\t\"example.org/orders/internal/api\"\n"), [8080, 8081]);
    }

    #[test]
    fn where_the_paths_of_packages_are_not_understood_all_of_them_count() {
        assert_eq!(ports("\t\"example.org/elsewhere/internal/log\"\n"), [8080, 8081]);
    }
}
