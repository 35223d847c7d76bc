//! The account's players as this one reaches them through the server: what they tell, what they are asked for, and what this one tells
//! and is asked for as a device itself.

use std::time::Duration;

use super::session::Session;
use crate::subsonic::devices::{Device, DeviceCommand, DeviceReport};
use crate::subsonic::{ClientError, ErrorCode};

/// The extension.
const EXTENSION: &str = "segueDevices";
/// How long a question waits at the server for its answer.
const WAIT: Duration = Duration::from_secs(15);

impl Session {
    /// Whether the server knows devices; `None` while that cannot be asked.
    pub async fn knows_devices(&self) -> Option<bool> {
        if self.link.is_up() { self.link.knows(EXTENSION).await } else { None }
    }

    /// Waits until the server can be asked.
    pub async fn reachable(&self) {
        self.link.up().await;
    }

    /// Whether the server can be asked at this moment.
    pub fn is_reachable(&self) -> bool {
        self.link.is_up()
    }

    /// The account's devices, without their queues; a sentence where nobody can tell.
    pub async fn devices(&self) -> Result<Vec<Device>, String> {
        match self.knows_devices().await {
            None => Err("The server cannot be asked for other players at this moment.".to_owned()),
            Some(false) => Err("This server knows no other players: Segue's own servers do.".to_owned()),
            Some(true) => {
                let answer = self.link.ask(self.link.client.devices()).await;
                answer.map_err(|error| format!("The server did not tell: {error}."))
            }
        }
    }

    /// One device. With a revision, the answer comes when it has another one, or after a while.
    pub async fn device(&self, id: &str, after: Option<i64>) -> Result<Device, ClientError> {
        // A revision that none has: the whole device at once.
        let (after, wait) = after.map_or((-1, Duration::ZERO), |after| (after, WAIT));
        self.link.ask_much(self.link.client.device(id, after, wait)).await
    }

    /// Asks a device for something; gives the command's number.
    pub async fn send_to_device(&self, id: &str, command: &DeviceCommand) -> Result<i64, ClientError> {
        self.link.ask(self.link.client.send_to_device(id, command)).await
    }

    /// Tells what this device does; gives the number of the newest command for it.
    pub async fn report_device(&self, report: &DeviceReport) -> Result<i64, ClientError> {
        self.link.ask(self.link.client.report_device(report)).await.map(|device| device.last_command)
    }

    /// What this device is asked for after a command's number; nothing after a while. `None` when the server does not know it.
    pub async fn device_commands(
        &self,
        id: &str,
        after: i64,
    ) -> Result<Option<Vec<DeviceCommand>>, ClientError> {
        match self.link.ask_much(self.link.client.device_commands(id, after, WAIT)).await {
            Ok(commands) => Ok(Some(commands)),
            Err(error) if error.code() == Some(ErrorCode::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes a device away.
    pub async fn forget_device(&self, id: &str) -> Result<(), ClientError> {
        self.link.ask(self.link.client.forget_device(id)).await
    }
}
