//! Players of an account that drive each other: the extension `segueDevices`. Everybody reaches the devices of their own account and
//! no others.

use std::time::Duration;

use super::super::casting::{
    MOST_COMMANDS, MOST_DEVICES, MOST_ENTRIES, ONLINE_MS, SEEN_EVERY_MS, VOID_MS, Waiting,
};
use super::super::params::Params;
use super::{Answer, Call, Refusal, Said};
use crate::catalog::{DeviceFull, DeviceRow, DeviceTold};
use crate::music::{AccountId, printable};
use crate::subsonic::convert::iso;
use crate::subsonic::devices::{
    ACTIONS, Device, DeviceCommand, DeviceCommands, DeviceEntry, DeviceQueue, DeviceStatus, Devices,
};
use crate::subsonic::{Body, ErrorCode};

/// Longest id of a device or a song, bytes.
const LONGEST_ID: usize = 100;
/// Longest name of a device, characters.
const LONGEST_NAME: usize = 64;
/// Longest text beside names, characters; what is longer is cut.
const LONGEST_TEXT: usize = 200;
const STATES: [&str; 4] = ["playing", "paused", "buffering", "stopped"];
const REPEATS: [&str; 3] = ["off", "all", "one"];

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A device as it was when it told last, for the wire. What it told that cannot be read is left out.
pub(super) fn known(row: &DeviceRow, now: i64, queue: bool) -> Device {
    let age = u64::try_from(now.saturating_sub(row.told_at)).unwrap_or(0);
    let status: Option<DeviceStatus> = serde_json::from_str(&row.state).ok();
    Device {
        id: row.id.clone(),
        name: row.name.clone(),
        kind: row.kind.clone(),
        online: row.seen_at > now.saturating_sub(ONLINE_MS),
        seen: iso(row.seen_at),
        revision: row.revision,
        last_command: row.last_command,
        status: status.map(|status| DeviceStatus { age, ..status }),
        queue: if queue { serde_json::from_str(&row.queue).ok() } else { None },
    }
}

/// A word that must be one of these.
fn one_of(params: &Params, name: &str, words: &[&str]) -> Result<String, Refusal> {
    let word = params.required(name)?;
    if words.contains(&word) {
        return Ok(word.to_owned());
    }
    let message = format!("the parameter “{name}” is one of {}", words.join(", "));
    Err(Refusal::new(ErrorCode::Generic, message))
}

fn too_long(name: &str) -> Refusal {
    Refusal::new(ErrorCode::Generic, format!("the parameter “{name}” is too long"))
}

fn id(params: &Params) -> Result<&str, Refusal> {
    let id = params.required("id")?;
    if id.len() > LONGEST_ID { Err(too_long("id")) } else { Ok(id) }
}

fn volume(params: &Params) -> Result<Option<u8>, Refusal> {
    let volume: Option<u8> = params.parsed("volume")?;
    match volume {
        Some(volume) if volume > 100 => {
            Err(Refusal::new(ErrorCode::Generic, "the parameter “volume” is 0 to 100"))
        }
        volume => Ok(volume),
    }
}

/// Ids of songs under a name, not too many and not too long.
fn songs(params: &Params, name: &str) -> Result<Vec<String>, Refusal> {
    let ids: Vec<&str> = params.all(name).collect();
    if ids.len() > MOST_ENTRIES {
        return Err(Refusal::new(
            ErrorCode::Generic,
            format!("a queue has at most {MOST_ENTRIES} entries here"),
        ));
    }
    if ids.iter().any(|id| id.is_empty() || id.len() > LONGEST_ID) {
        return Err(too_long(name));
    }
    Ok(ids.into_iter().map(str::to_owned).collect())
}

fn text(params: &Params, name: &str) -> Option<String> {
    let text: String = printable(params.get(name)?.trim()).chars().take(LONGEST_TEXT).collect();
    Some(text).filter(|text| !text.is_empty())
}

/// A device tells how it is.
pub(super) async fn report(call: &Call<'_>) -> Said {
    let params = call.params;
    let id = id(params)?;
    let name = printable(params.required("name")?.trim());
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(too_long("name"));
    }
    let kind = one_of(params, "kind", &["speaker", "player"])?;
    let private = params.flag("private")?.unwrap_or(false);
    let status = DeviceStatus {
        state: one_of(params, "state", &STATES)?,
        position: params.parsed("position")?.unwrap_or(0),
        age: 0,
        volume: volume(params)?.unwrap_or(0),
        muted: params.flag("muted")?.unwrap_or(false),
        private,
        shuffle: params.flag("shuffle")?.unwrap_or(false),
        repeat: one_of(params, "repeat", &REPEATS)?,
        done: params.parsed("done")?.unwrap_or(0),
        // Of a private session nothing is kept, whatever the device tells.
        track_id: params.get("trackId").filter(|id| !private && id.len() <= LONGEST_ID).map(str::to_owned),
        context: text(params, "context").filter(|_| !private),
        trouble: text(params, "trouble"),
    };
    let state = json(&status)?;
    let queue = match params.flag("queue")?.unwrap_or(false) {
        _ if private => Some(json(&DeviceQueue::default())?),
        true => Some(json(&queue(params)?)?),
        false => None,
    };
    let told = DeviceTold { id, name: &name, kind: &kind, state: &state, queue: queue.as_deref() };
    match call.shared.catalog.tell_device(&call.account.id, told, MOST_DEVICES).await? {
        Ok(row) => {
            call.shared.casting.tell(&call.account.id);
            let device = Device { status: None, ..known(&row, now(), false) };
            Ok(Body::Device(device).into())
        }
        Err(_) => Err(Refusal::new(
            ErrorCode::Generic,
            format!("an account has at most {MOST_DEVICES} devices: forget one"),
        )),
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, Refusal> {
    serde_json::to_string(value).map_err(|error| Refusal::internal(&error))
}

fn queue(params: &Params) -> Result<DeviceQueue, Refusal> {
    let ids = songs(params, "entryId")?;
    let uids: Vec<u64> = params.all_parsed("entryUid")?;
    let current: Option<u64> = params.parsed("current")?;
    let up_next: u64 = params.parsed("upNext")?.unwrap_or(0);
    let after = (ids.len() as u64).saturating_sub(current.map_or(0, |at| at.saturating_add(1)));
    if uids.len() != ids.len() || current.is_some_and(|at| at >= ids.len() as u64) || up_next > after {
        let why = "each “entryId” needs an “entryUid”, and “current” and “upNext” are about them";
        return Err(Refusal::new(ErrorCode::Generic, why));
    }
    let entry = ids.into_iter().zip(uids).map(|(id, uid)| DeviceEntry { uid, id }).collect();
    Ok(DeviceQueue { current, up_next, entry })
}

/// The devices of who asks.
pub(super) async fn all(call: &Call<'_>) -> Said {
    let rows = call.shared.catalog.devices(&call.account.id).await?;
    let now = now();
    Ok(Body::Devices(Devices { device: rows.iter().map(|row| known(row, now, false)).collect() }).into())
}

impl Call<'_> {
    /// A place to wait, as long as the client wants.
    fn waits(&self) -> Result<Waiting, Refusal> {
        let wanted = Duration::from_millis(self.params.count("wait", 0, 600_000)?);
        self.shared.casting.wait(&self.account.id, wanted).ok_or_else(|| {
            Refusal::new(ErrorCode::Generic, "too many requests of this account wait for devices")
        })
    }
}

/// One device, once it is another than the one that is known.
pub(super) async fn one(call: &Call<'_>) -> Said {
    let id = id(call.params)?;
    let after: Option<i64> = call.params.parsed("after")?;
    let mut waiting = call.waits()?;
    let mut was_online = None;
    loop {
        waiting.looks();
        let row = call.shared.catalog.device(&call.account.id, id).await?;
        let row = row.ok_or_else(|| Refusal::not_found("device"))?;
        let now = now();
        let queue = after.is_none_or(|after| row.queue_revision > after || row.revision < after);
        let device = known(&row, now, queue);
        let news = after != Some(row.revision) || was_online.is_some_and(|was| was != device.online);
        was_online = Some(device.online);
        if news || !waiting.again(&call.shared.stop).await {
            return Ok(Body::Device(device).into());
        }
    }
}

/// What the device that asks is asked for.
pub(super) async fn commands(call: &Call<'_>) -> Said {
    let id = id(call.params)?;
    let after: i64 = call.params.parsed("after")?.unwrap_or(0);
    let (catalog, account) = (&call.shared.catalog, &call.account.id);
    let mut waiting = call.waits()?;
    let row = catalog.device(account, id).await?.ok_or_else(|| Refusal::not_found("device"))?;
    // Numbers begin anew where the rows of before are lost.
    let after = if after > row.last_command { 0 } else { after };
    if catalog.device_commands(account, id, 0, 0).await?.iter().any(|(sequence, _)| *sequence <= after) {
        catalog.device_took(account, id, after).await?;
    }
    let mut seen_at = row.seen_at;
    loop {
        waiting.looks();
        let now = now();
        if seen_at < now - SEEN_EVERY_MS {
            catalog.device_seen(account, id, now).await?;
            seen_at = now;
        }
        let found = catalog.device_commands(account, id, after, now - VOID_MS).await?;
        if !found.is_empty() || !waiting.again(&call.shared.stop).await {
            let read = |(sequence, text): (i64, String)| {
                let command: DeviceCommand = serde_json::from_str(&text).ok()?;
                Some(DeviceCommand { sequence, ..command })
            };
            let command = found.into_iter().filter_map(read).collect();
            return Ok(Body::DeviceCommands(DeviceCommands { command }).into());
        }
    }
}

/// Asks a device for something.
pub(super) async fn send(call: &Call<'_>) -> Said {
    let params = call.params;
    let id = id(params)?;
    let action = params.required("action")?;
    let Some((action, needed)) = ACTIONS.iter().find(|(name, _)| *name == action) else {
        let names: Vec<&str> = ACTIONS.iter().map(|(name, _)| *name).collect();
        let message = format!("the parameter “action” is one of {}", names.join(", "));
        return Err(Refusal::new(ErrorCode::Generic, message));
    };
    for name in *needed {
        params.required(name)?;
    }
    let uid: Vec<u64> = params.all_parsed("uid")?;
    if uid.len() > MOST_ENTRIES {
        return Err(too_long("uid"));
    }
    let command = DeviceCommand {
        sequence: 0,
        action: (*action).to_owned(),
        track_id: songs(params, "trackId")?,
        uid,
        index: params.parsed("index")?,
        position: params.parsed("position")?,
        up_next: params.parsed("upNext")?,
        name: text(params, "name"),
        by: params.parsed("by")?,
        volume: volume(params)?,
        shuffle: params.flag("shuffle")?,
        repeat: params.get("repeat").map(|_| one_of(params, "repeat", &REPEATS)).transpose()?,
        play: params.flag("play")?,
    };
    let sequence = call.ask_device(&call.account.id, id, &command).await?;
    Ok(Body::DeviceCommand(DeviceCommand { sequence, ..DeviceCommand::plain(action) }).into())
}

impl Call<'_> {
    /// Asks a device of an account for something; gives the number of the command.
    pub(super) async fn ask_device(
        &self,
        account: &AccountId,
        id: &str,
        command: &DeviceCommand,
    ) -> Result<i64, Refusal> {
        let (catalog, now) = (&self.shared.catalog, now());
        let row = catalog.device(account, id).await?.ok_or_else(|| Refusal::not_found("device"))?;
        if row.seen_at <= now - ONLINE_MS {
            return Err(Refusal::new(ErrorCode::Generic, format!("“{}” is not on", row.name)));
        }
        let sent = catalog.command_device(account, id, &json(command)?, now - VOID_MS, MOST_COMMANDS).await?;
        match sent {
            None => Err(Refusal::not_found("device")),
            Some(Err(DeviceFull::Commands | DeviceFull::Devices)) => Err(Refusal::new(
                ErrorCode::Generic,
                format!("“{}” does not take what it is asked for", row.name),
            )),
            Some(Ok(sequence)) => {
                self.shared.casting.tell(account);
                Ok(sequence)
            }
        }
    }
}

/// Takes a device away.
pub(super) async fn forget(call: &Call<'_>) -> Said {
    if !call.shared.catalog.forget_device(&call.account.id, id(call.params)?).await? {
        return Err(Refusal::not_found("device"));
    }
    call.shared.casting.tell(&call.account.id);
    Ok(Answer::Done)
}
