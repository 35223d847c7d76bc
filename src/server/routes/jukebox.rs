//! The jukebox: `jukeboxControl` of the API, played by the device that the server's keeper chose. What a client asks for becomes commands
//! for that device; the answer waits until the device has done it, so that it tells how things are then.

use std::time::Duration;

use axum::http::StatusCode;

use super::super::casting::{Jukebox, MOST_ENTRIES, ONLINE_MS};
use super::devices::known;
use super::{Call, Refusal, Said};
use crate::catalog::{Account, DeviceRow};
use crate::subsonic::devices::{
    Device, DeviceCommand, DeviceQueue, DeviceStatus, JukeboxPlaylist, JukeboxStatus,
};
use crate::subsonic::types::Child;
use crate::subsonic::{Body, ErrorCode};

/// The actions of the API.
const ACTIONS: &str = "get, status, set, start, stop, skip, add, clear, remove, shuffle, setGain";
/// How long the device has to do what it is asked for before it is told how things are.
const PATIENCE: Duration = Duration::from_secs(3);

fn generic(message: impl Into<String>) -> Refusal {
    Refusal::new(ErrorCode::Generic, message)
}

/// The jukebox, with the account that it belongs to.
async fn find(call: &Call<'_>, jukebox: &Jukebox) -> Result<(Account, DeviceRow), Refusal> {
    let catalog = &call.shared.catalog;
    let off = || {
        let (name, account) = (&jukebox.device, &jukebox.account);
        generic(format!(
            "the jukebox “{name}” is not on: `segue play --device {name}` as {account} starts it"
        ))
    };
    let owner = catalog.account_named(&jukebox.account).await?.ok_or_else(off)?;
    let online = |row: &DeviceRow| row.seen_at > jiff::Timestamp::now().as_millisecond() - ONLINE_MS;
    let rows = catalog.devices(&owner.id).await?;
    let row = rows.into_iter().find(|row| row.name == jukebox.device && online(row)).ok_or_else(off)?;
    Ok((owner, row))
}

pub(super) async fn control(call: &Call<'_>) -> Said {
    call.may(|roles| roles.jukebox)?;
    let params = call.params;
    let action = params.required("action")?;
    let Some(jukebox) = &call.shared.jukebox else {
        let message = "this server has no jukebox; its keeper can name one by `segue serve --jukebox DEVICE`";
        return Err(generic(message).with_status(StatusCode::NOT_IMPLEMENTED));
    };
    let (owner, row) = find(call, jukebox).await?;
    let at = |queue: &DeviceQueue| -> Result<u64, Refusal> {
        let index: u64 = params.required("index").and(params.parsed("index"))?.unwrap_or(0);
        let entry = usize::try_from(index).ok().and_then(|index| queue.entry.get(index));
        entry.map(|entry| entry.uid).ok_or_else(|| generic("there is no such song in the jukebox"))
    };
    let mut commands = Vec::new();
    match action {
        "get" | "status" => {}
        "start" => commands.push(DeviceCommand::plain("resume")),
        "stop" => commands.push(DeviceCommand::plain("pause")),
        "clear" => commands.push(DeviceCommand::plain("clear")),
        "shuffle" => {
            commands.push(DeviceCommand { shuffle: Some(true), ..DeviceCommand::plain("shuffle") });
        }
        "skip" => {
            let (_, queue) = whole(call, &owner, &row).await?;
            let offset: u64 = params.parsed("offset")?.unwrap_or(0);
            let position = Some(offset.saturating_mul(1000));
            commands.push(DeviceCommand { uid: vec![at(&queue)?], position, ..DeviceCommand::plain("jump") });
        }
        "remove" => {
            let (_, queue) = whole(call, &owner, &row).await?;
            let uid = at(&queue)?;
            if queue.current.and_then(|at| queue.entry.get(usize::try_from(at).ok()?)).map(|now| now.uid)
                == Some(uid)
            {
                commands.push(DeviceCommand::plain("next"));
            }
            commands.push(DeviceCommand { uid: vec![uid], ..DeviceCommand::plain("remove") });
        }
        "add" => {
            params.required("id")?;
            commands.push(DeviceCommand { track_id: songs(call).await?, ..DeviceCommand::plain("extend") });
        }
        "set" => {
            commands.push(DeviceCommand { track_id: songs(call).await?, ..DeviceCommand::plain("set") });
        }
        "setGain" => {
            let gain: f64 = params.required("gain").and(params.parsed("gain"))?.unwrap_or(0.0);
            if !(0.0..=1.0).contains(&gain) {
                return Err(generic("the parameter “gain” is 0 to 1"));
            }
            let volume = Some((gain * 100.0).round() as u8);
            commands.push(DeviceCommand { volume, ..DeviceCommand::plain("volume") });
        }
        _ => return Err(generic(format!("the parameter “action” is one of {ACTIONS}"))),
    }
    let mut sent = 0;
    for command in &commands {
        sent = call.ask_device(&owner.id, &row.id, command).await?;
    }
    let device = done(call, &owner, &row, sent).await?;
    if action == "get" {
        playlist(call, device).await
    } else {
        Ok(Body::JukeboxStatus(status(&device)).into())
    }
}

/// Songs that the client names. Each must be one that its account may hear.
async fn songs(call: &Call<'_>) -> Result<Vec<String>, Refusal> {
    let ids: Vec<&str> = call.params.all("id").collect();
    if ids.len() > MOST_ENTRIES {
        return Err(generic(format!("the jukebox takes at most {MOST_ENTRIES} songs at once")));
    }
    let asked: Vec<_> = ids.iter().map(|id| (*id).into()).collect();
    let known = call.listener.tracks(&asked).await?;
    if ids.iter().any(|id| known.iter().all(|track| track.id.as_str() != *id)) {
        return Err(Refusal::not_found("song"));
    }
    Ok(ids.into_iter().map(str::to_owned).collect())
}

async fn whole(call: &Call<'_>, owner: &Account, row: &DeviceRow) -> Result<(Device, DeviceQueue), Refusal> {
    let row = call.shared.catalog.device(&owner.id, &row.id).await?;
    let row = row.ok_or_else(|| Refusal::not_found("device"))?;
    let mut device = known(&row, jiff::Timestamp::now().as_millisecond(), true);
    let queue = device.queue.take().unwrap_or_default();
    Ok((device, queue))
}

/// The device once it has done the command of this number, or did not in time.
async fn done(
    call: &Call<'_>,
    owner: &Account,
    row: &DeviceRow,
    sequence: i64,
) -> Result<(Device, DeviceQueue), Refusal> {
    let waiting = call.shared.casting.wait(&owner.id, PATIENCE);
    let mut waiting = waiting.ok_or_else(|| generic("too many requests wait for the jukebox"))?;
    loop {
        waiting.looks();
        let found = whole(call, owner, row).await?;
        let at = found.0.status.as_ref().map_or(0, |status| status.done);
        if at >= sequence || !waiting.again(&call.shared.stop).await {
            return Ok(found);
        }
    }
}

fn status((device, queue): &(Device, DeviceQueue)) -> JukeboxStatus {
    let status = device
        .status
        .clone()
        .unwrap_or_else(|| DeviceStatus { state: "stopped".to_owned(), ..DeviceStatus::default() });
    let playing = matches!(status.state.as_str(), "playing" | "buffering");
    let moved = if status.state == "playing" { status.age } else { 0 };
    JukeboxStatus {
        current_index: queue.current.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1),
        playing,
        gain: f64::from(status.volume) / 100.0,
        position: Some(status.position.saturating_add(moved) / 1000),
    }
}

/// The whole list. A song that the account may not reach keeps its place without a name, so that places mean the same to everybody.
async fn playlist(call: &Call<'_>, device: (Device, DeviceQueue)) -> Said {
    let JukeboxStatus { current_index, playing, gain, position } = status(&device);
    let ids: Vec<_> = device.1.entry.iter().map(|entry| entry.id.as_str().into()).collect();
    let tracks = call.listener.tracks(&ids).await?;
    let entry = device.1.entry.iter().map(|entry| {
        tracks
            .iter()
            .find(|track| track.id.as_str() == entry.id)
            .map_or_else(|| Child { title: "?".to_owned(), ..Child::default() }, Child::from)
    });
    let entry = entry.collect();
    Ok(Body::JukeboxPlaylist(JukeboxPlaylist { current_index, playing, gain, position, entry }).into())
}
