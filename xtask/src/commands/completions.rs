//! `completions`: the script that lets a shell complete these commands.

use clap::{Arg, ArgMatches, Command};
use clap_complete::Shell;

use crate::cli::Context;
use crate::error::{Outcome, Result};

const HELP: &str = "The script that lets a shell complete these commands.

cargo's own completions know nothing of `cargo xtask`, so the script completes a command named `xtask`. \
Make that a function of your shell, then both the short name and its completions work from every folder of the \
workspace:

  bash        echo 'xtask() { cargo xtask \"$@\"; }' >> ~/.bashrc
              cargo xtask completions bash > ~/.local/share/bash-completion/completions/xtask
  zsh         echo 'xtask() { cargo xtask \"$@\" }' >> ~/.zshrc
              cargo xtask completions zsh > ~/.zfunc/_xtask       (a folder of $fpath, before compinit)
  fish        alias --save xtask 'cargo xtask'
              cargo xtask completions fish > ~/.config/fish/completions/xtask.fish
  elvish      fn xtask {|@a| cargo xtask $@a}
              cargo xtask completions elvish >> ~/.config/elvish/rc.elv
  powershell  function xtask { cargo xtask @args }
              cargo xtask completions powershell >> $PROFILE";

/// Its arguments.
pub fn command() -> Command {
    Command::new("completions").about("Print the completion script of a shell").long_about(HELP).arg(
        Arg::new("shell")
            .value_name("SHELL")
            .required(true)
            .value_parser(clap::value_parser!(Shell))
            .help("The shell"),
    )
}

/// Prints the script.
pub fn run(context: &Context, arguments: &ArgMatches) -> Result<Outcome> {
    if let Some(shell) = arguments.get_one::<Shell>("shell") {
        context.ui.data(script(*shell).trim_end());
    }
    Ok(Outcome::Done)
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::cli::command().bin_name("xtask"), "xtask", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn every_shell_completes_every_command() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            for command in crate::cli::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
            assert!(
                !script.contains("cargo xtask "),
                "{shell} would complete a command with a blank in its name"
            );
        }
    }
}
