//! Questions on a terminal; decides nothing.

use std::io;

use crate::error::{Failure, Interrupted, Result};

/// Somebody who answers.
pub(super) trait Ask {
    /// The chosen item; `None` where the user goes back.
    fn choose(&mut self, question: &str, items: &[String]) -> Result<Option<usize>>;
    /// A line of text; `None` where it is empty.
    fn text(&mut self, question: &str) -> Result<Option<String>>;
    /// Yes or no.
    fn confirm(&mut self, question: &str) -> Result<bool>;
}

/// The person in front of the terminal.
pub(super) struct Terminal;

impl Ask for Terminal {
    fn choose(&mut self, question: &str, items: &[String]) -> Result<Option<usize>> {
        let select = dialoguer::Select::new().with_prompt(question).items(items).default(0);
        answered(select.interact_opt())
    }

    fn text(&mut self, question: &str) -> Result<Option<String>> {
        let input = dialoguer::Input::<String>::new().with_prompt(question).allow_empty(true);
        Ok(Some(answered(input.interact_text())?).filter(|text| !text.is_empty()))
    }

    fn confirm(&mut self, question: &str) -> Result<bool> {
        answered(dialoguer::Confirm::new().with_prompt(question).default(false).interact())
    }
}

fn answered<T>(answer: dialoguer::Result<T>) -> Result<T> {
    answer.map_err(|dialoguer::Error::IO(why)| {
        // A list hides the cursor while it is shown.
        let _ = dialoguer::console::Term::stderr().show_cursor();
        if why.kind() == io::ErrorKind::Interrupted {
            return Interrupted("interrupted; nothing was written".to_owned()).into();
        }
        Failure::new("cannot ask").why(why).fix("use --set KEY=VALUE").into()
    })
}
