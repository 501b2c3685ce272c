//! A command in front of the user whose stdout is no terminal: passed on as it comes, but for what docker says there in
//! place of a program.

use std::fs::File;
use std::io::{PipeReader, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;

use super::Output;
use super::invocation::Invocation;
use super::running::begun;
use crate::error::Result;

/// How docker begins what it says in place of a program.
const IN_PLACE: &[u8] = b"OCI runtime ";
/// Docker says no more than a line.
const LINE: usize = 4096;

impl Invocation {
    /// As [`Invocation::foreground`], where stdout is no terminal: a program that a container's runtime lost before it
    /// began is started again, unless docker may have read from a pipe for it meanwhile.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn pass_on(&self) -> Result<i32> {
        let mut input = Input::ours();
        let end = begun(Output::never_began, || {
            let mut end = self.pass_once()?;
            if end.never_began() && !input.is_whole() {
                // Said, and then an end as any other.
                say(&end.stdout);
                end.stdout.clear();
            }
            Ok(end)
        })?;
        say(&end.stdout);
        Ok(end.code)
    }

    /// Its code, and of its output what may be docker's words in place of the program.
    fn pass_once(&self) -> Result<Output> {
        self.ui.command(self);
        let (reader, writer) = std::io::pipe().map_err(|why| self.not_started(why))?;
        let handle = self.in_front().stdout_file(writer).start().map_err(|why| self.not_started(why))?;
        let passing = std::thread::spawn(move || pass(reader));
        let code = self.wait_in_front(&handle)?;
        drop(handle);
        let held = passing.join().unwrap_or_default();
        Ok(Output { code, stdout: String::from_utf8_lossy(&held).into_owned(), stderr: String::new() })
    }
}

/// Passes on what is no word of docker's until the end or until nobody reads any more; the rest.
fn pass(mut reader: PipeReader) -> Vec<u8> {
    let mut held: Vec<u8> = Vec::new();
    let mut passes = false;
    let mut chunk = [0; 8192];
    while let Ok(read @ 1..) = reader.read(&mut chunk) {
        held.extend(&chunk[..read]);
        let may_be_dockers = held.len() < LINE && held.iter().zip(IN_PLACE).all(|(byte, word)| byte == word);
        passes |= !may_be_dockers;
        if passes {
            if write(&held).is_err() {
                return Vec::new();
            }
            held.clear();
        }
    }
    held
}

fn write(bytes: &[u8]) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush())
}

fn say(text: &str) {
    // Who does not read any more misses nothing.
    let _ = write(text.as_bytes());
}

/// What the command reads: our stdin.
struct Input {
    file: Option<File>,
    at: Option<u64>,
}

impl Input {
    fn ours() -> Input {
        let mut file = std::io::stdin().as_fd().try_clone_to_owned().ok().map(File::from);
        let at = file.as_mut().and_then(|file| file.stream_position().ok());
        Input { file, at }
    }

    /// Whether the next reader finds all of it: a file is read from the same place again, a device gives nothing twice,
    /// and what was taken out of a pipe is gone.
    fn is_whole(&mut self) -> bool {
        let Some(file) = &mut self.file else { return true };
        match file.metadata().map(|metadata| metadata.file_type()) {
            Ok(kind) if kind.is_char_device() => true,
            Ok(kind) if kind.is_file() => self.at.is_some_and(|at| file.seek(SeekFrom::Start(at)).is_ok()),
            _ => false,
        }
    }
}
