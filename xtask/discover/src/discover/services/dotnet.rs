//! Which projects of .NET start a program, and which programs have no project.

use std::collections::BTreeSet;

use super::{Found, language};
use crate::model::fact::ServiceFacts;
use crate::model::path::RepoPath;
use crate::repo::Repo;

/// Words of projects that make programs, and of the old ones, which do not say it in one way.
const STARTED: &[&str] = &[
    "Microsoft.NET.Sdk.",
    "Aspire.AppHost.Sdk",
    "<OutputType>Exe",
    "<OutputType>WinExe",
    "Project ToolsVersion",
];

/// A large tree below a folder is not read through.
const MAX_FILES: usize = 5_000;

/// Whether a folder holds a project, and none that makes a program: `dotnet` refuses to start what is built of it.
pub(super) fn is_library(repo: &Repo, folder: &RepoPath) -> bool {
    let depth = folder.depth() + 1;
    let own = repo.files_in(folder).iter().take(MAX_FILES).filter(|file| file.depth() == depth);
    let mut projects = own.filter(|file| language::is_project(file.name())).peekable();
    let starts = |file: &RepoPath| {
        let text = repo.text(file).map(|text| text.text).unwrap_or_default();
        STARTED.iter().any(|word| text.contains(word))
    };
    projects.peek().is_some() && !projects.any(starts)
}

impl Found {
    /// A Dockerfile above those of a program's projects that starts an assembly which no project makes any more was left
    /// there when the program was taken apart.
    pub(super) fn set_unmade_aside(&mut self, repo: &Repo) {
        let homes: BTreeSet<RepoPath> = self.services.iter().map(|service| service.path.clone()).collect();
        // In the order of the set, paths that begin alike follow each other.
        let is_above = |service: &ServiceFacts| {
            let alike = homes
                .range(&service.path..)
                .take_while(|home| home.as_str().starts_with(service.path.as_str()));
            alike.into_iter().any(|home| *home != service.path && home.is_in(&service.path))
        };
        let candidate = |service: &ServiceFacts| {
            let assembly = service.image.start().find_map(|word| language::assembly(word))?;
            // The name may be an argument's.
            let assembly = Some(assembly).filter(|assembly| !assembly.contains(['$', '*', ' ']))?;
            (!service.path.is_root() && is_above(service))
                .then(|| (service.dockerfile.clone(), assembly.to_owned()))
        };
        let candidates: Vec<(RepoPath, String)> = self.services.iter().filter_map(candidate).collect();
        if candidates.is_empty() {
            return;
        }
        let projects: Vec<&RepoPath> =
            repo.files().filter(|file| language::is_project(file.name())).collect();
        let names: BTreeSet<&str> = projects.iter().map(|file| file.name()).collect();
        for (dockerfile, assembly) in candidates {
            let folder = dockerfile.parent().unwrap_or_default();
            let renamed = |file: &&&RepoPath| {
                let text = repo.text(file).map(|text| text.text).unwrap_or_default();
                text.contains(&format!("<AssemblyName>{assembly}<")) || text.contains("<AssemblyName>$(")
            };
            let mut below = projects.iter().filter(|file| file.is_in(&folder)).peekable();
            let is_unmade = below.peek().is_some()
                && !language::projects(&assembly).any(|name| names.contains(name.as_str()))
                && !below.any(|file| renamed(&file));
            if is_unmade {
                self.services.retain(|service| service.dockerfile != dockerfile);
                self.aside(dockerfile, format!("no project makes `{assembly}.dll`, which it starts"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::discover::services::{Roots, find};

    #[test]
    fn programs_are_told_from_libraries_by_what_builds_them() {
        let is = |project: &str| {
            let tree = format!(
                "//- /m/Shop.M.csproj\n{project}\n//- /m/sub/Shop.Sub.csproj\n<Project Sdk=\"Microsoft.NET.Sdk.Web\"/>\n"
            );
            is_library(&Repo::from_fixture(&tree), &RepoPath::new("m").expect("inside the root"))
        };
        assert!(is("<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup/></Project>"));
        assert!(
            !is("<Project Sdk=\"Microsoft.NET.Sdk.Web\"/>")
                && !is("<Project Sdk=\"Microsoft.NET.Sdk.Worker\"/>")
        );
        assert!(!is("<Project Sdk=\"Microsoft.NET.Sdk\"><OutputType>Exe</OutputType></Project>"));
        let none = Repo::from_fixture("//- /m/package.json\n{}\n");
        assert!(!is_library(&none, &RepoPath::new("m").expect("inside the root")));
    }

    #[test]
    fn dockerfile_of_a_program_that_was_taken_apart_is_no_service() {
        let found = |starts: &str, name: &str| {
            let dockerfile = |dll: &str| {
                format!(
                    "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nCOPY . .\nENTRYPOINT [\"dotnet\", \"{dll}.dll\"]\n"
                )
            };
            let tree = format!(
                "//- /Shop.Users/Dockerfile\n{}//- /Shop.Users/src/Shop.Users.Api/Dockerfile\n{}//- /Shop.Users/src/Shop.Users.Api/Shop.Users.Api.csproj\n\
                 <Project Sdk=\"Microsoft.NET.Sdk.Web\">{name}</Project>\n//- /Shop.Users/src/Shop.Users.Api/Program.cs\n\n",
                dockerfile(starts),
                dockerfile("Shop.Users.Api")
            );
            let found = find(&Repo::from_fixture(&tree), &Catalog::default(), &Roots::default());
            found
                .set_aside
                .into_iter()
                .map(|aside| format!("{}: {}", aside.path, aside.reason))
                .collect::<Vec<_>>()
        };
        let reason = "no project makes `Shop.Users.dll`, which it starts";
        assert_eq!(found("Shop.Users", ""), [format!("Shop.Users/Dockerfile: {reason}")]);
        assert_eq!(found("Shop.Users", "<AssemblyName>Shop.Users</AssemblyName>"), [""; 0]);
        assert_eq!(found("${NAME}", ""), [""; 0]);
        assert!(!found("Shop.Users.Api", "").iter().any(|aside| aside.contains("no project")));
    }
}
