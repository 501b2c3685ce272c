//! Carries a plan out: everything is staged beside its place first, then renamed into it; decides nothing.
//!
//! Stopped at any moment, what lies there is a whole old or a whole new text of each file, and the next run sees
//! from the copies in `.generated/` what is left to do: a file is renamed before its copy.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::apply::current::temporary;

use crate::apply::disk::{Disk, Real};
use crate::apply::folder::{BASE, CONFLICTS, Folder};
use crate::apply::plan::{Base, Plan};
use crate::error::{Failure, Result};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    /// Files written, copies not counted.
    pub written: usize,
    /// Files removed, copies not counted.
    pub removed: usize,
}

/// Carries a plan out; touches nothing where it changes nothing.
///
/// # Errors
/// The file and the system's reason; what was staged is removed again.
pub fn write(folder: &Folder, plan: &Plan) -> Result<Report> {
    write_on(&mut Real, folder, plan)
}

/// As [`write`], on another disk.
///
/// # Errors
/// As [`write`].
pub fn write_on(disk: &mut dyn Disk, folder: &Folder, plan: &Plan) -> Result<Report> {
    if !plan.changes_anything() {
        return Ok(Report::default());
    }
    let work = Work::new(plan);
    let mut run = Run { disk, folder, made: Vec::new(), staged: Vec::new() };
    match run.carry_out(&work) {
        Ok(()) => Ok(Report { written: work.files.len(), removed: work.gone.len() }),
        Err(error) => {
            run.clean_up();
            Err(error)
        }
    }
}

/// A plan as names and texts.
#[derive(Debug, Default)]
struct Work<'a> {
    leftovers: Vec<&'a str>,
    files: Vec<(String, String)>,
    copies: Vec<(String, String)>,
    gone: Vec<String>,
    copies_gone: Vec<String>,
}

impl<'a> Work<'a> {
    fn new(plan: &'a Plan) -> Self {
        let mut work =
            Work { leftovers: plan.leftovers.iter().map(String::as_str).collect(), ..Work::default() };
        for step in &plan.steps {
            match &step.after {
                Some(text) if step.after != step.before => work.files.push((step.name.clone(), text.clone())),
                None if step.before.is_some() => work.gone.push(step.name.clone()),
                _ => {}
            }
            let copy = format!("{BASE}/{}", step.name);
            match &step.base {
                Base::Set(text) => work.copies.push((copy, text.clone())),
                Base::Drop => work.copies_gone.push(copy),
                Base::Keep => {}
            }
        }
        // The file that makes a folder a setup comes last, so that a first run that was killed is a first run again.
        work.files.sort_by_key(|(name, _)| name == "docker-compose.yml");
        if let Some(open) = &plan.open {
            let lines: String = open.iter().map(|(file, key)| format!("{file}:{key}\n")).collect();
            if lines.is_empty() {
                work.copies_gone.push(CONFLICTS.to_owned());
            } else {
                work.copies.push((CONFLICTS.to_owned(), lines));
            }
        }
        work
    }
}

struct Staged {
    name: String,
    temporary: PathBuf,
    target: PathBuf,
}

struct Run<'a> {
    disk: &'a mut dyn Disk,
    folder: &'a Folder,
    made: Vec<PathBuf>,
    staged: Vec<Staged>,
}

impl Run<'_> {
    fn carry_out(&mut self, work: &Work<'_>) -> Result<()> {
        for name in &work.leftovers {
            let path = self.folder.locate(name)?;
            self.remove(name, &path)?;
        }
        for (name, text) in work.files.iter().chain(&work.copies) {
            self.stage(name, text)?;
        }
        let copies = self.staged.split_off(work.files.len());
        let files = std::mem::replace(&mut self.staged, copies);
        self.rename(files)?;
        self.drop_files(&work.gone)?;
        let copies = std::mem::take(&mut self.staged);
        self.rename(copies)?;
        self.drop_files(&work.copies_gone)
    }

    fn stage(&mut self, name: &str, text: &str) -> Result<()> {
        let target = self.folder.locate(name)?;
        let failed = |why| self.failure("write", name, why);
        let (Some(parent), Some(file)) = (target.parent(), target.file_name()) else {
            return Err(failed(ErrorKind::InvalidInput.into()));
        };
        let temporary = parent.join(temporary(&file.to_string_lossy()));
        make_folders(self.disk, parent, &mut self.made)
            .map_err(|why| failure(self.folder, "make the folder of", name, why))?;
        self.staged.push(Staged {
            name: name.to_owned(),
            temporary: temporary.clone(),
            target: target.clone(),
        });
        self.disk
            .write_new(&temporary, text, &target)
            .and_then(|()| self.disk.sync(&temporary))
            .map_err(|why| failure(self.folder, "write", name, why))
    }

    fn rename(&mut self, staged: Vec<Staged>) -> Result<()> {
        let mut waiting = staged.into_iter();
        let mut folders: Vec<PathBuf> = Vec::new();
        while let Some(Staged { name, temporary, target }) = waiting.next() {
            if let Err(why) = self.disk.rename(&temporary, &target) {
                let error = self.failure("replace", &name, why);
                self.staged.push(Staged { name, temporary, target });
                self.staged.extend(waiting);
                return Err(error);
            }
            folders.extend(target.parent().map(Path::to_path_buf));
        }
        self.sync(folders)
    }

    fn drop_files(&mut self, names: &[String]) -> Result<()> {
        let mut folders = Vec::new();
        for name in names {
            let path = self.folder.locate(name)?;
            self.remove(name, &path)?;
            folders.extend(path.parent().filter(|parent| parent.is_dir()).map(Path::to_path_buf));
        }
        self.sync(folders)?;
        for name in names {
            self.drop_folders(name);
            if let Some(file) = name.strip_prefix(BASE) {
                // A run killed between a file and its copy left this folder.
                self.drop_folders(file.trim_start_matches('/'));
            }
        }
        Ok(())
    }

    /// Removes the folders of a file that are empty; the others fail, and that is right.
    fn drop_folders(&mut self, name: &str) {
        for (end, _) in name.rmatch_indices('/') {
            let gone =
                self.folder.locate(&name[..end]).and_then(|path| Ok(self.disk.remove_folder(&path)?));
            if gone.is_err() {
                return;
            }
        }
    }

    fn remove(&mut self, name: &str, path: &Path) -> Result<()> {
        match self.disk.remove(path) {
            Err(why) if why.kind() != ErrorKind::NotFound => Err(self.failure("remove", name, why)),
            _ => Ok(()),
        }
    }

    fn sync(&mut self, mut folders: Vec<PathBuf>) -> Result<()> {
        folders.sort();
        folders.dedup();
        for folder in folders {
            let name = folder.display().to_string();
            self.disk.sync(&folder).map_err(|why| self.failure("sync", &name, why))?;
        }
        Ok(())
    }

    /// Best effort: what cannot be removed now is removed by the next run.
    fn clean_up(&mut self) {
        for staged in &self.staged {
            let _ = self.disk.remove(&staged.temporary);
        }
        for folder in self.made.iter().rev() {
            let _ = self.disk.remove_folder(folder);
        }
    }

    fn failure(&self, verb: &str, name: &str, why: io::Error) -> anyhow::Error {
        failure(self.folder, verb, name, why)
    }
}

fn make_folders(disk: &mut dyn Disk, folder: &Path, made: &mut Vec<PathBuf>) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|path| !path.exists()).collect();
    for path in missing.into_iter().rev() {
        disk.make_folder(path)?;
        made.push(path.to_path_buf());
    }
    Ok(())
}

fn failure(folder: &Folder, verb: &str, name: &str, why: io::Error) -> anyhow::Error {
    let shown = if Path::new(name).is_absolute() { name.to_owned() } else { folder.show(name) };
    let failure = Failure::new(format!("cannot {verb} `{shown}`")).at(&shown).why(&why);
    match why.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            failure.fix("free some space and run the command again")
        }
        ErrorKind::PermissionDenied => failure.fix(format!("make `{}` writable for you", folder.shown)),
        ErrorKind::ReadOnlyFilesystem => failure.fix("write the setup elsewhere with `--out DIR`"),
        _ => failure,
    }
    .into()
}
