//! Where the socket is: a file in the runtime folder, or a named pipe on Windows.

use std::io;
use std::path::Path;

use interprocess::local_socket::Name;
use interprocess::local_socket::prelude::*;

/// The name that the system knows the socket by.
pub(super) fn name(path: &Path) -> io::Result<Name<'_>> {
    #[cfg(unix)]
    return path.to_fs_name::<interprocess::local_socket::GenericFilePath>();
    #[cfg(not(unix))]
    {
        // One namespace for all users of the machine; the folder tells them apart.
        let plain: String =
            path.display().to_string().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        plain.to_ns_name::<interprocess::local_socket::GenericNamespaced>()
    }
}
