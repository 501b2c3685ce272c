//! Parses, calls, prints the error once, sets the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::main()
}
