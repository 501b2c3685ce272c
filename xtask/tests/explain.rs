//! `explain` as a person sees it: every value with the places that say so; no engine.
#![allow(clippy::disallowed_methods, reason = "a test plays the user at the same disk")]

#[path = "e2e/place.rs"]
#[allow(dead_code, reason = "shared with the tests on an engine")]
mod place;

use place::Place;

/// A poll, its tally with a connection string in the code, and what fills the poll.
fn votes() -> Place {
    let votes = Place::new("votes");
    votes.write(
        "poll/Dockerfile",
        "FROM python:3.13-slim\nCOPY . .\nEXPOSE 8000\nCMD [\"python3\", \"poll.py\"]\n",
    );
    votes.write("poll/poll.py", "print('poll')\n");
    votes.write("tally/Dockerfile", "FROM mcr.microsoft.com/dotnet/runtime:8.0\nCOPY . .\n");
    votes.write(
        "tally/Tally.csproj",
        "<Project><ItemGroup><PackageReference Include=\"Npgsql\" Version=\"8.0.0\" /></ItemGroup></Project>\n",
    );
    votes.write(
        "tally/Program.cs",
        "// Counts.\nvar db = new NpgsqlConnection(\"Server=db;Username=votes;Password=votes;\");\n",
    );
    votes.write("fill/Dockerfile", "FROM debian:bookworm-slim\nCOPY fill.sh /fill.sh\nCMD [\"/fill.sh\"]\n");
    votes.write("fill/fill.sh", "#!/bin/sh\nab -n 100 http://poll/\n");
    votes
}

#[test]
fn a_requirement_is_shown_with_every_place_that_says_so() {
    let votes = votes();
    let tally = votes.xtask(&["explain", "tally"]).exits(0).stdout;
    let wanted = "\n  requires: postgres, database votes\n    tally/Tally.csproj:1 says Npgsql (postgres) (dotnet-dependency)\n    \
        tally/Program.cs:2 says postgresql://db (dotnet-literal)\n    config.yaml: services.tally.requires";
    assert!(tally.contains(wanted), "{tally}");
    let fill = votes.xtask(&["explain", "fill"]).exits(0).stdout;
    assert!(
        fill.contains("  requires: poll\n    fill/fill.sh:2 says http://poll (start-script)\n"),
        "{fill}"
    );
}

#[test]
fn a_one_shot_is_explained_with_what_it_serves() {
    let votes = votes();
    let setup = votes.xtask(&["explain", "postgres-setup"]).exits(0).stdout;
    assert_eq!(setup, votes.xtask(&["explain", "postgres"]).exits(0).stdout);
    assert!(setup.starts_with("postgres\n\n  image: postgres:"), "{setup}");
}

#[test]
fn an_unknown_name_is_answered_with_what_there_is() {
    let screen = votes().xtask(&["explain", "poll-setup"]).exits(1);
    assert_eq!(
        screen.stderr,
        "error: no service or component `poll-setup`\n  why: there are: fill, poll, tally, postgres\n"
    );
}
