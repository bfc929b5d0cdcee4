//! An output that appears whole or not at all.
//!
//! The bytes go to a file of another name in the same folder. When they are complete and on the disk, that file is
//! renamed to the name asked for, which replaces an older file in one step; until then the older file is untouched, and
//! it may be the very file that is being read. If anything fails, or the user stops the program, the other file is
//! removed. A process that is killed outright leaves it behind, as `.extbuf-*.part`; the name asked for is as it was.
//!
//! A name that is no regular file (a pipe, `/dev/stdout`, `/dev/null`) is written to directly: there is nothing to
//! rename over.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

use crate::failure::{Failure, Result, system};

/// The unfinished file, for the handler of signals; held while it is made and while it is renamed.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

/// The exit code of who is stopped by an interrupt, as shells report it.
const INTERRUPTED: i32 = 130;

fn unfinished() -> MutexGuard<'static, Option<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on an interrupt removes what is unfinished.
fn handle_interrupts() {
    // Who has set a handler before has set this one; without any the file stays behind, no worse.
    let _ = ctrlc::set_handler(|| {
        if let Some(path) = unfinished().take() {
            let _ = fs::remove_file(path);
        }
        std::process::exit(INTERRUPTED);
    });
}

/// A place to write to.
#[derive(Debug)]
pub(crate) enum Target {
    /// A file beside the one asked for, which is renamed to it in the end.
    Beside { file: NamedTempFile, place: PathBuf, name: PathBuf },
    /// A pipe or a device.
    Straight { file: File, name: PathBuf },
}

impl Target {
    pub(crate) fn create(name: &Path) -> Result<Target> {
        let fail = |error: io::Error| Failure::at(name, system(&error));
        let about = match fs::metadata(name) {
            Ok(about) => Some(about),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(fail(error)),
        };
        // Through links, so that a link stays a link and its file is replaced.
        let place = match &about {
            Some(about) if about.is_dir() => return Err(Failure::at(name, "is a directory")),
            Some(about) if !about.is_file() => {
                let file = OpenOptions::new().write(true).open(name).map_err(fail)?;
                return Ok(Target::Straight { file, name: name.into() });
            }
            Some(about) if about.permissions().readonly() => {
                return Err(Failure::at(name, "the file is there and may not be written"));
            }
            Some(_) => name.canonicalize().map_err(fail)?,
            None => name.to_path_buf(),
        };
        let folder = match place.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".extbuf-").suffix(".part");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // What a file has that is made in the plain way; the system takes the umask off.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        handle_interrupts();
        let mut unfinished = unfinished();
        let file = builder.tempfile_in(folder).map_err(|error| {
            // The name of the other file, which the error carries, says nothing to anybody.
            let error = error.raw_os_error().map_or(error, io::Error::from_raw_os_error);
            Failure::at(name, format!("cannot be written: {}", system(&error)))
        })?;
        if let Some(about) = about {
            // As the file that is replaced; whose it is cannot always be kept, and that is no reason to stop.
            let _ = file.as_file().set_permissions(about.permissions());
        }
        *unfinished = Some(file.path().to_path_buf());
        Ok(Target::Beside { file, place, name: name.into() })
    }

    /// Whether other output of this program might end up in the same place.
    pub(crate) fn is_straight(&self) -> bool {
        matches!(self, Target::Straight { .. })
    }

    pub(crate) fn file(&mut self) -> &mut File {
        match self {
            Target::Beside { file, .. } => file.as_file_mut(),
            Target::Straight { file, .. } => file,
        }
    }

    /// What an error while writing means; the output is gone with `self`.
    pub(crate) fn failed(&self, error: &io::Error) -> Failure {
        let (Target::Beside { name, .. } | Target::Straight { name, .. }) = self;
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::NobodyReads,
            _ => Failure::at(name, format!("not written: {}", system(error))),
        }
    }

    /// The bytes are complete: puts them under their name.
    pub(crate) fn commit(mut self) -> Result {
        let flushed = match &mut self {
            Target::Beside { file, .. } => file.as_file().sync_all(),
            Target::Straight { file, .. } => file.flush(),
        };
        flushed.map_err(|error| self.failed(&error))?;
        if let Target::Beside { file, place, name } = self {
            let mut unfinished = unfinished();
            let renamed = file.persist(&place);
            *unfinished = None;
            renamed.map_err(|error| Failure::at(&name, format!("not written: {}", system(&error.error))))?;
            // So that the new name is on the disk too; where folders cannot be synced the rename stands all the same.
            if let Some(folder) = place.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                let _ = File::open(folder).and_then(|folder| folder.sync_all());
            }
        }
        Ok(())
    }
}
