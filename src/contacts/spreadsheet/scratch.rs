//! Files for what is too big for the memory: without a name, for this process only, gone when it ends.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::contacts::error::FileFault;

/// The fault where there is no room for such a file.
pub(super) fn no_room(error: &io::Error) -> FileFault {
    let folder = std::env::temp_dir();
    FileFault::Unreadable(format!("its cells cannot be kept in {}: {error}; make room there", folder.display()))
}

/// A file for its owner only, which has no name any more: nobody else finds it, and it goes with this process.
pub(super) fn nameless_file() -> Result<File, FileFault> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    #[cfg(windows)]
    std::os::windows::fs::OpenOptionsExt::custom_flags(&mut options, 0x0400_0000); // FILE_FLAG_DELETE_ON_CLOSE
    let mut tries = 0;
    loop {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!(".undersigned-{}-{number}", std::process::id()));
        match options.open(&path) {
            Ok(file) => {
                if cfg!(unix) {
                    fs::remove_file(&path).map_err(|e| no_room(&e))?;
                }
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < 100 => tries += 1,
            Err(error) => return Err(no_room(&error)),
        }
    }
}
