//! Which projects of .NET start a program.

use super::language;
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
