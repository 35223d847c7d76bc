//! Where files live: the XDG folders on Linux and what stands for them elsewhere.

use std::path::{Path, PathBuf};

use directories::{ProjectDirs, UserDirs};

/// The folders of one user of this machine.
#[derive(Debug, Clone)]
pub(super) struct Paths {
    /// Configuration, and credentials that the listener asked to keep.
    pub(super) config: PathBuf,
    /// Catalogs and the embedded server's data: what must not be lost.
    pub(super) data: PathBuf,
    /// Tracks and pictures: what can be fetched again.
    pub(super) cache: PathBuf,
    /// The log.
    pub(super) state: PathBuf,
    /// What ends with the session: the socket of the running player.
    pub(super) runtime: PathBuf,
    /// The listener's own music, where the system says that it is.
    pub(super) music: Option<PathBuf>,
}

impl Paths {
    /// The folders as the system has them; none without a home folder.
    pub(super) fn of_this_user() -> Option<Self> {
        let project = ProjectDirs::from("", "", "segue")?;
        let music = UserDirs::new().and_then(|dirs| {
            dirs.audio_dir()
                .map(Path::to_owned)
                .or_else(|| Some(dirs.home_dir().join("Music")))
                .filter(|d| d.is_dir())
        });
        Some(Self {
            config: project.config_dir().to_owned(),
            data: project.data_local_dir().to_owned(),
            cache: project.cache_dir().to_owned(),
            state: project.state_dir().unwrap_or_else(|| project.data_local_dir()).to_owned(),
            // Not every session has one (`su`, cron, macOS).
            runtime: project
                .runtime_dir()
                .or_else(|| project.state_dir())
                .unwrap_or_else(|| project.data_local_dir())
                .to_owned(),
            music,
        })
    }

    /// The log of the player.
    pub(super) fn log_file(&self) -> PathBuf {
        self.state.join("segue.log")
    }

    /// Where the running player is reached.
    pub(super) fn socket(&self) -> PathBuf {
        self.runtime.join("player.sock")
    }

    /// The configuration file, whether or not it exists.
    pub(super) fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }
}
