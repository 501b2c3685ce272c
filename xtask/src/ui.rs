//! What the user sees: data on stdout, progress and problems on stderr; decides nothing.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};

pub use crate::model::words::{count, list};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const QUIET: Style = Style::new().dimmed();

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// `-q`: problems only.
    Quiet,
    /// Progress and problems.
    #[default]
    Normal,
    /// `-v`: each command before it runs, too.
    Verbose,
}

/// The two streams and how to write on them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ui {
    /// How much is said.
    pub verbosity: Verbosity,
}

impl Ui {
    /// What the command was asked for, on stdout, with a line end.
    pub fn data(&self, text: impl Display) {
        let mut text = text.to_string();
        text.push('\n');
        // Looking for colours to take out costs more than to find out that there are none.
        let plain = memchr::memchr(0x1b, text.as_bytes()).is_none();
        // A closed pipe (`| head`) is the reader's choice, not an error of ours.
        let _ = if plain {
            std::io::stdout().write_all(text.as_bytes())
        } else {
            anstream::stdout().write_all(text.as_bytes())
        };
    }

    /// As [`Ui::data`], for what may be large and is without colours: on stdout while it is made.
    ///
    /// # Errors
    /// Those of writing, but for a pipe that the reader has closed.
    pub fn document(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        match write(&mut io::stdout().lock()) {
            Err(why) if why.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            done => done,
        }
    }

    /// As [`Ui::data`], for what has no end: whether anybody still reads it.
    #[must_use]
    pub fn stream(&self, text: impl Display) -> bool {
        writeln!(anstream::stdout(), "{text}").is_ok()
    }

    /// Cargo's form of progress: a verb in 12 columns, then the object, on stderr.
    pub fn status(&self, verb: &str, text: impl Display) {
        if self.verbosity > Verbosity::Quiet {
            self.line(format_args!("{GOOD}{verb:>12}{GOOD:#} {text}"));
        }
    }

    /// As [`Ui::status`], for steps that went wrong.
    pub fn status_bad(&self, verb: &str, text: impl Display) {
        self.line(format_args!("{BAD}{verb:>12}{BAD:#} {text}"));
    }

    /// A line of progress without a verb, on stderr.
    pub fn note(&self, text: impl Display) {
        if self.verbosity > Verbosity::Quiet {
            self.line(text);
        }
    }

    /// Shown with `-v` only: the exact command about to run.
    pub fn command(&self, text: impl Display) {
        if self.verbosity == Verbosity::Verbose {
            self.line(format_args!("{QUIET}     $ {text}{QUIET:#}"));
        }
    }

    /// A warning on stderr, in the form of [`crate::error::Failure`].
    pub fn warn(&self, text: impl Display) {
        self.line(format_args!("{WARN}warning{WARN:#}: {text}"));
    }

    /// An error on stderr, in the form of [`crate::error::Failure`].
    pub fn error(&self, text: impl Display) {
        self.line(format_args!("{BAD}error{BAD:#}: {text}"));
    }

    /// Whether a person looks at stderr, so that a live table makes sense.
    pub fn is_live(&self) -> bool {
        std::io::stderr().is_terminal() && self.verbosity > Verbosity::Quiet
    }

    /// Whether questions can be asked.
    pub fn can_ask(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    fn line(&self, text: impl Display) {
        let _ = writeln!(anstream::stderr(), "{text}");
    }
}

/// A text in one of a few colours that are easy to tell apart; where there are more, they come again.
pub fn tinted(text: &str, which: usize) -> String {
    const COLOURS: [AnsiColor; 6] = [
        AnsiColor::Cyan,
        AnsiColor::Yellow,
        AnsiColor::Green,
        AnsiColor::Magenta,
        AnsiColor::Blue,
        AnsiColor::BrightRed,
    ];
    let style = COLOURS[which % COLOURS.len()].on_default();
    format!("{style}{text}{style:#}")
}

/// A table without frames: columns padded to their widest cell, two spaces apart, no trailing blanks.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(header.iter().map(|cell| cell.to_uppercase()));
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_no_trailing_blanks() {
        let text = table(&["Service", "Port"], &[vec!["trading".into(), "3000".into()]]);
        assert_eq!(text, "SERVICE  PORT\ntrading  3000");
    }
}
