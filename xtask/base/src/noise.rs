//! Which files are tests, fixtures or a machine's work; looks at their paths alone.

use crate::model::path::RepoPath;

/// Whether a file is a test, a fixture or a machine's work, and says nothing about how the service runs.
pub fn is_noise(path: &RepoPath) -> bool {
    let name = path.name();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let folders = path.as_str().strip_suffix(name).unwrap_or_default();
    folders.as_bytes().split(|byte| *byte == b'/').any(is_noise_folder)
        || [
            "_test",
            "_tests",
            ".test",
            ".spec",
            "_spec",
            "Test",
            "Tests",
            "IT",
            ".min",
            ".bundle",
            ".d",
            ".stories",
            "-test",
            ".pb",
            "_pb2",
            ".generated",
            ".designer",
        ]
        .iter()
        .any(|end| stem.ends_with(end) && stem.len() > end.len())
        || stem.starts_with("test_")
        || stem == "conftest"
        || (stem.ends_with(".config")
            && ["playwright.", "cypress.", "jest.", "vitest."].iter().any(|tool| stem.starts_with(tool)))
}

fn is_noise_folder(name: &[u8]) -> bool {
    // Every path of a repository is looked at: a match compares a few bytes at once, a list of texts calls for each.
    matches!(
        name,
        b"test"
            | b"tests"
            | b"__tests__"
            | b"spec"
            | b"specs"
            | b"e2e"
            | b"testdata"
            | b"fixtures"
            | b"__mocks__"
            | b"mocks"
            | b"cypress"
            | b"dist"
            | b"third_party"
            | b"testing"
            | b"testutil"
            | b"testutils"
            | b"test-utils"
            | b"test_utils"
            | b"testhelpers"
            | b"test-helpers"
            | b"test_helpers"
            | b"integration-tests"
            | b"integration_tests"
            | b"androidTest"
            | b".storybook"
            | b"benches"
            // What sets up machines of a provider is no program of the system.
            | b"cloudformation"
            | b"pulumi"
            | b"terraform"
    ) || name.ends_with(b".Tests")
        || name.ends_with(b".Test")
}

/// Whether a file is test code, which says nothing about the running service.
pub fn is_test_path(path: &RepoPath) -> bool {
    let name = path.name();
    let folders = path.as_str().strip_suffix(name).unwrap_or_default();
    is_test_folder(folders) || is_test_file(name)
}

/// The same by the name of the file alone.
pub fn is_test_file(name: &str) -> bool {
    let bytes = name.as_bytes();
    let is_mark = |at: usize| matches!(bytes.get(at + 1..at + 6), Some(b"test." | b"spec."));
    memchr::memchr2_iter(b'.', b'_', bytes).any(is_mark)
        || (name.starts_with("test_") && name.ends_with(".py"))
        || name == "conftest.py"
}

/// Whether a folder, or one above it, holds test code.
pub fn is_test_folder(folders: &str) -> bool {
    folders.split('/').any(|part| {
        matches!(
            part,
            "test"
                | "tests"
                | "__tests__"
                | "__mocks__"
                | "__fixtures__"
                | "testdata"
                | "fixtures"
                | "e2e"
                | "spec"
                | "cypress"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_and_bundles_are_noise() {
        for (path, wanted) in [
            ("a/tests/x.py", true),
            ("a/main_test.go", true),
            ("a/app.spec.ts", true),
            ("a/src/test/java/X.java", true),
            ("pkg/testutil/env.go", true),
            ("a/UserTest.java", true),
            ("a/jquery.min.js", true),
            ("web/playwright.staging.config.ts", true),
            ("web/vite.config.ts", false),
            ("scripts/cloudformation/app.template.js", true),
            ("tests-service/app.js", false),
            ("a/test.go", false),
            ("a/latest.go", false),
        ] {
            assert_eq!(is_noise(&RepoPath::new(path).expect("inside")), wanted, "{path}");
        }
    }
}
