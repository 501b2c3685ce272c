//! The folder of the snapshots: each is a folder that appears whole or not at all; dumps and restores nothing.
#![allow(
    clippy::disallowed_methods,
    reason = "the one folder of dumps, which run owns; it is ignored by git"
)]

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Failure, Result};
use crate::run::setup::Setup;
use crate::run::snapshot::manifest::{self, Manifest};
use crate::ui::{count, list};

/// In the setup's folder.
const FOLDER: &str = "snapshots";
/// How many automatic ones of a project are kept.
const KEPT: usize = 3;
/// Before the name of one that is not whole yet.
const DRAFT: &str = ".draft-";

/// All snapshots of a setup.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
    shown: String,
    /// The commands that take and list snapshots here.
    take: String,
    list: String,
}

/// A snapshot that is being taken; gone without a trace unless it is finished.
#[derive(Debug)]
pub struct Draft {
    folder: PathBuf,
    target: PathBuf,
    shown: String,
    finished: bool,
}

impl Store {
    /// Of this setup; the folder may not exist yet.
    pub fn of(setup: &Setup) -> Store {
        Store {
            folder: setup.out.join(FOLDER),
            shown: format!("{}/{FOLDER}", setup.shown),
            take: setup.xtask("db snapshot NAME"),
            list: setup.xtask("db list"),
        }
    }

    /// The snapshots, the newest first.
    ///
    /// # Errors
    /// When the folder or a manifest cannot be read.
    pub fn list(&self) -> Result<Vec<Manifest>> {
        let names = match folders(&self.folder) {
            Err(why) if why.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            names => names.map_err(|why| self.failure("read the snapshots", why))?,
        };
        let mut found = Vec::new();
        for name in names.iter().filter(|name| !name.starts_with('.')) {
            match fs::read_to_string(self.folder.join(name).join(manifest::FILE)) {
                Ok(text) => {
                    let mut read = Manifest::parse(&text, &self.place(name))?;
                    // The folder may have been renamed by its owner.
                    read.name.clone_from(name);
                    found.push(read);
                }
                Err(why) if why.kind() == ErrorKind::NotFound => {}
                Err(why) => return Err(self.failure("read a snapshot's manifest", why).into()),
            }
        }
        found.sort_by(|a, b| (&b.taken, &b.name).cmp(&(&a.taken, &a.name)));
        Ok(found)
    }

    /// A snapshot by its name, with all its dumps.
    ///
    /// # Errors
    /// When there is none of this name, or a dump is missing or cut off.
    pub fn get(&self, name: &str) -> Result<Manifest> {
        let all = self.list()?;
        let Some(found) = all.iter().find(|known| known.name == name) else {
            return Err(self.unknown(name, &all).into());
        };
        for entry in &found.entries {
            let length = fs::metadata(self.folder.join(name).join(&entry.file)).map(|data| data.len());
            if !matches!(length, Ok(length) if length == entry.bytes) {
                let why = match length {
                    Ok(length) => format!("it has {length} bytes and should have {}", entry.bytes),
                    Err(why) => why.to_string(),
                };
                return Err(Failure::new(format!("the snapshot `{name}` is not whole"))
                    .at(format!("{}/{name}/{}", self.shown, entry.file))
                    .why(why)
                    .fix(format!("take another one: {}", self.list))
                    .into());
            }
        }
        Ok(found.clone())
    }

    /// A dump of a snapshot, to read.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&self, name: &str, file: &str) -> Result<File> {
        let opened = File::open(self.folder.join(name).join(file));
        Ok(opened
            .map_err(|why| self.failure("read a dump", why).at(format!("{}/{name}/{file}", self.shown)))?)
    }

    /// Begins a snapshot of this name; what an earlier run left unfinished goes.
    ///
    /// # Errors
    /// When the name is taken or cannot be one, or the folder cannot be written to.
    pub fn begin(&self, name: &str) -> Result<Draft> {
        check_name(name)?;
        let failed = |why| self.failure("write a snapshot", why);
        private_folder(&self.folder).map_err(failed)?;
        // Also where the setup's own file does not say it: a dump is nothing to commit.
        let ignore = self.folder.join(".gitignore");
        if !ignore.exists() {
            fs::write(&ignore, "*\n").map_err(failed)?;
        }
        for left in folders(&self.folder).map_err(failed)?.iter().filter(|name| name.starts_with(DRAFT)) {
            remove(&self.folder.join(left)).map_err(failed)?;
        }
        let target = self.folder.join(name);
        if target.exists() {
            return Err(Failure::new(format!("there is a snapshot `{name}` already"))
                .at(format!("{}/{name}", self.shown))
                .fix("take another name, or delete that folder")
                .into());
        }
        let folder = self.folder.join(format!("{DRAFT}{name}"));
        private_folder(&folder).map_err(failed)?;
        Ok(Draft { folder, target, shown: self.place(name), finished: false })
    }

    /// Deletes the automatic snapshots of a project but the newest few and `spared`; returns the names of those gone.
    ///
    /// # Errors
    /// When one cannot be deleted.
    pub fn prune(&self, project: &str, spared: &str) -> Result<Vec<String>> {
        let all = self.list()?;
        let automatic = all.into_iter().filter(|known| known.automatic && known.project == project);
        let old: Vec<String> =
            automatic.skip(KEPT).map(|known| known.name).filter(|name| name != spared).collect();
        for name in &old {
            remove(&self.folder.join(name)).map_err(|why| self.failure("delete an old snapshot", why))?;
        }
        Ok(old)
    }

    fn place(&self, name: &str) -> String {
        format!("{}/{name}/{}", self.shown, manifest::FILE)
    }

    fn failure(&self, what: &str, why: io::Error) -> Failure {
        Failure::new(format!("cannot {what}")).at(&self.shown).why(why)
    }

    fn unknown(&self, name: &str, all: &[Manifest]) -> Failure {
        let failure = Failure::new(format!("there is no snapshot `{name}`"));
        let names: Vec<&str> = all.iter().map(|known| known.name.as_str()).collect();
        if names.is_empty() {
            return failure.why("there is none at all").fix(&self.take);
        }
        let failure = failure.why(format!("{}: {}", count(names.len(), "snapshot"), list(&names)));
        failure.did_you_mean(name, names.iter().copied())
    }
}

impl Draft {
    /// A new file in it, for its owner only.
    ///
    /// # Errors
    /// When the disk is full or not ours.
    pub fn file(&self, name: &str) -> Result<File> {
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.folder.join(name));
        Ok(opened.map_err(|why| self.failure(why))?)
    }

    /// How many bytes a file of it has, once all of them are on the disk.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn settled(&self, name: &str) -> Result<u64> {
        let settled = File::open(self.folder.join(name)).and_then(|file| {
            file.sync_all()?;
            Ok(file.metadata()?.len())
        });
        Ok(settled.map_err(|why| self.failure(why))?)
    }

    /// Makes it a snapshot.
    ///
    /// # Errors
    /// When the disk is full or not ours.
    pub fn finish(mut self, manifest: &Manifest) -> Result<()> {
        let text = manifest.text()?;
        let mut file = self.file(manifest::FILE)?;
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        let renamed = written.and_then(|()| fs::rename(&self.folder, &self.target));
        renamed.map_err(|why| self.failure(why))?;
        self.finished = true;
        Ok(())
    }

    fn failure(&self, why: io::Error) -> Failure {
        Failure::new("cannot write a snapshot").at(&self.shown).why(why)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.finished {
            // The next snapshot tries again.
            let _ = remove(&self.folder);
        }
    }
}

fn check_name(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !name.is_empty() && name.len() <= 100 && name.chars().all(plain) && !name.starts_with(['.', '-']) {
        return Ok(());
    }
    Err(Failure::new(format!("`{name}` cannot be the name of a snapshot"))
        .why("it becomes a folder: letters, digits, ., _ and -, not more than 100, a letter or digit first")
        .into())
}

fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The names of the folders in one, in order.
fn folders(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// A snapshot's folder: the files in it, then itself. One with folders of somebody else's stays.
fn remove(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        fs::remove_file(entry?.path())?;
    }
    fs::remove_dir(folder)
}

#[cfg(test)]
mod tests;
