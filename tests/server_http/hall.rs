//! A device that stands for a loudspeaker in tests of the server, and a house whose jukebox it is.

use std::time::Duration;

use segue::server::{Jukebox, World};
use segue::subsonic::devices::{DeviceCommand, DeviceEntry, DeviceQueue, DeviceReport, DeviceStatus};

use crate::house::{House, config, furnish};

pub(crate) fn kitchen(queue: Option<DeviceQueue>) -> DeviceReport {
    let status = DeviceStatus {
        state: "playing".to_owned(),
        position: 1_000,
        volume: 70,
        repeat: "off".to_owned(),
        track_id: Some("t".to_owned()),
        context: Some("First Light".to_owned()),
        ..DeviceStatus::default()
    };
    let (id, name, kind) = ("k1".to_owned(), "kitchen".to_owned(), "speaker".to_owned());
    DeviceReport { id, name, kind, status, queue }
}

pub(crate) fn queue(ids: &[&str]) -> DeviceQueue {
    let entry = ids.iter().zip(10..).map(|(id, uid)| DeviceEntry { uid, id: (*id).to_owned() });
    DeviceQueue { current: Some(0), up_next: 0, entry: entry.collect() }
}

/// A house whose jukebox is the device “hall” of `admin`.
pub(crate) async fn with_jukebox() -> House {
    let folder = tempfile::tempdir().unwrap();
    furnish(&folder.path().join("music"));
    let config = config(&folder);
    let jukebox = Some(Jukebox { account: "admin".to_owned(), device: "hall".to_owned() });
    let house = House::start_in(folder, config, World { jukebox, ..World::default() }).await;
    house.server.as_ref().unwrap().first_scan().await;
    house
}

/// A device that does nothing but to say that it did what it was asked for, and what that was.
pub(crate) async fn hall(
    house: &House,
    songs: &[String],
) -> tokio::sync::mpsc::UnboundedReceiver<DeviceCommand> {
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    let admin = house.client();
    let ids: Vec<&str> = songs.iter().map(String::as_str).collect();
    let mut report = kitchen(Some(queue(&ids)));
    "hall".clone_into(&mut report.name);
    "paused".clone_into(&mut report.status.state);
    report.status.position = 61_000;
    let mut after = admin.report_device(&report).await.unwrap().last_command;
    tokio::spawn(async move {
        while let Ok(commands) = admin.device_commands("k1", after, Duration::from_secs(15)).await {
            for command in commands {
                after = command.sequence;
                let _ = tell.send(command);
            }
            report.status.done = after;
            if admin.report_device(&report).await.is_err() {
                return;
            }
        }
    });
    told
}
