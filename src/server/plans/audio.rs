//! The audio of ads: decoded once to see that it can be heard, measured, and copied into the data folder under a name made of
//! its content.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use ebur128::{EbuR128, Mode};
use sha2::{Digest as _, Sha256};

use super::super::{ServerError, blocking, make_private};
use crate::audio;
use crate::catalog::{Campaign, Catalog, StoredAd};
use crate::subsonic::auth::hex;
use crate::taste::sonic::REFERENCE_LUFS;

/// What ids of ads begin with, so that they are told from tracks.
pub(super) const ID: &str = "ad-";
/// Shortest and longest ad, ms.
const SHORTEST: u64 = 1000;
const LONGEST: u64 = 180_000;
/// Largest file, bytes.
const LARGEST: u64 = 16 << 20;
/// More than this need not be heard for an ad to count, ms.
const ENOUGH: u64 = 30_000;
/// What of the end of an ad need not be heard, ms.
const END: u64 = 1000;

/// Audio that an operator adds.
#[derive(Debug, Clone)]
pub struct NewAd {
    /// Its campaign, which is made, or made anew with these words.
    pub campaign: Campaign,
    /// Its name; that of the file where there is none.
    pub title: Option<String>,
    /// From where on it may be skipped, ms.
    pub skippable_after_ms: Option<u64>,
}

/// Where the audio of ads is in a data folder.
pub fn ads_folder(data: &Path) -> PathBuf {
    data.join("ads")
}

/// What was measured of a file.
struct Measured {
    duration_ms: u64,
    gain_db: f64,
    peak: f64,
}

/// Measures a file, copies it into the data folder and adds it to its campaign. The same file in the same campaign is one ad.
pub async fn add_ad(
    catalog: &Catalog,
    data: &Path,
    file: &Path,
    new: NewAd,
) -> Result<StoredAd, ServerError> {
    let named = |text: &str| !text.trim().is_empty() && crate::music::printable(text) == text;
    if !named(&new.campaign.name) || !named(&new.campaign.advertiser) {
        return Err(ServerError::Ad("a campaign and its advertiser need a name".to_owned()));
    }
    let (folder, source) = (ads_folder(data), file.to_owned());
    let (name, content_type, measured) = blocking(move || store(&folder, &source)).await?;
    if new.skippable_after_ms.is_some_and(|after| after >= measured.duration_ms) {
        return Err(ServerError::Ad(format!(
            "the ad is only {:.1} s long: it cannot be skipped later than that",
            measured.duration_ms as f64 / 1000.0
        )));
    }
    let stem = file.file_stem().map(|stem| crate::music::printable(&stem.to_string_lossy()));
    let title = new.title.filter(|title| named(title)).or(stem).unwrap_or_default();
    let key = hex(&Sha256::digest(format!("{}\n{name}", new.campaign.name)));
    let ad = StoredAd {
        id: format!("{ID}{}", key.get(..32).unwrap_or(&key)),
        campaign: new.campaign.name.clone(),
        title,
        file: name,
        content_type: content_type.to_owned(),
        duration_ms: measured.duration_ms,
        gain_db: measured.gain_db,
        peak: measured.peak,
        skippable_after_ms: new.skippable_after_ms,
        counts_after_ms: counts_after(measured.duration_ms),
    };
    catalog.put_campaign(&new.campaign).await?;
    catalog.put_ad(&ad).await?;
    Ok(ad)
}

/// Removes files that no ad has any more.
pub async fn remove_files(catalog: &Catalog, data: &Path) -> Result<(), ServerError> {
    let used: Vec<String> = catalog.stored_ads().await?.into_iter().map(|ad| ad.file).collect();
    let folder = ads_folder(data);
    blocking(move || {
        let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(()) };
        for entry in entries.flatten().filter(|entry| used.iter().all(|name| entry.file_name() != **name)) {
            std::fs::remove_file(entry.path()).map_err(|error| failed(&entry.path(), &error))?;
        }
        Ok(())
    })
    .await
}

/// How much of an ad must be heard: all but its last second, and no more than half a minute.
fn counts_after(duration_ms: u64) -> u64 {
    duration_ms.saturating_sub(END).clamp(END.min(duration_ms), ENOUGH)
}

fn failed(file: &Path, error: &io::Error) -> ServerError {
    ServerError::Ad(format!("{} cannot be used: {error}", file.display()))
}

/// Measures a file and copies it, unless it is there; gives its name there and its type.
fn store(folder: &Path, file: &Path) -> Result<(String, &'static str, Measured), ServerError> {
    let fail = |error: &io::Error| failed(file, error);
    let length = std::fs::metadata(file).map_err(|error| fail(&error))?.len();
    if length > LARGEST {
        return Err(ServerError::Ad(format!("{} has more than {} MiB", file.display(), LARGEST >> 20)));
    }
    let bytes = std::fs::read(file).map_err(|error| fail(&error))?;
    let suffix =
        file.extension().map(|suffix| suffix.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let measured =
        measure(file, &suffix).map_err(|why| ServerError::Ad(format!("{}: {why}", file.display())))?;
    let safe = suffix.len() <= 5 && suffix.chars().all(|c| c.is_ascii_alphanumeric());
    let name = hex(&Sha256::digest(&bytes));
    let name = if safe && !suffix.is_empty() { format!("{name}.{suffix}") } else { name };
    make_private(folder)?;
    let target = folder.join(&name);
    if !target.exists() {
        let draft = folder.join(format!("{name}.part"));
        let written = std::fs::write(&draft, &bytes)
            .and_then(|()| File::open(&draft)?.sync_all())
            .and_then(|()| std::fs::rename(&draft, &target));
        written.map_err(|error| failed(&target, &error))?;
    }
    Ok((name, content_type(&suffix), measured))
}

fn content_type(suffix: &str) -> &'static str {
    match suffix {
        "mp3" => "audio/mpeg",
        "opus" | "ogg" | "oga" => "audio/ogg",
        "flac" => "audio/flac",
        "wav" | "wave" => "audio/wav",
        "m4a" | "mp4" | "m4b" => "audio/mp4",
        "aac" => "audio/aac",
        "aif" | "aiff" => "audio/aiff",
        _ => "application/octet-stream",
    }
}

/// Decodes all of a file; the error is a part of a sentence.
fn measure(file: &Path, suffix: &str) -> Result<Measured, String> {
    // Decoders of foreign files run behind a fence.
    let heard = catch_unwind(AssertUnwindSafe(|| hear(file, suffix)));
    heard.unwrap_or_else(|_| Err("decoding it failed in an unforeseen way".to_owned()))
}

fn hear(file: &Path, suffix: &str) -> Result<Measured, String> {
    let media = File::open(file).map_err(|error| error.to_string())?;
    let (mut meter, mut frames, mut trouble) = (None::<(u32, EbuR128)>, 0_u64, None);
    let most = |rate: u32| LONGEST * u64::from(rate) / 1000;
    let decoded = audio::decode(Box::new(media), suffix, 0, |rate, piece| {
        let (first, meter) = match &mut meter {
            Some(known) => known,
            none => match EbuR128::new(2, rate, Mode::I | Mode::SAMPLE_PEAK) {
                Ok(new) => none.insert((rate, new)),
                Err(error) => {
                    trouble = Some(error.to_string());
                    return ControlFlow::Break(());
                }
            },
        };
        frames += piece.len() as u64;
        if *first != rate {
            trouble = Some("its sample rate changes in the middle".to_owned());
        } else if let Err(error) = meter.add_frames_f32(piece.as_flattened()) {
            trouble = Some(error.to_string());
        } else if frames > most(rate) {
            trouble = Some(format!("an ad is at most {} s long", LONGEST / 1000));
        }
        if trouble.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    decoded.map_err(|error| error.reason)?;
    if let Some(trouble) = trouble {
        return Err(trouble);
    }
    let Some((rate, meter)) = meter else { return Err("there is no sound in it".to_owned()) };
    let duration_ms = frames * 1000 / u64::from(rate.max(1));
    if duration_ms < SHORTEST {
        return Err(format!("an ad is at least {} s long", SHORTEST / 1000));
    }
    let loudness = meter.loudness_global().map_err(|error| error.to_string())?;
    let peaks = [meter.sample_peak(0), meter.sample_peak(1)];
    let peak = peaks.into_iter().flatten().fold(0.0, f64::max);
    if !loudness.is_finite() || peak <= 0.0 {
        return Err("it is silent".to_owned());
    }
    Ok(Measured { duration_ms, gain_db: f64::from(REFERENCE_LUFS) - loudness, peak })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_the_last_second_and_half_a_minute_at_most() {
        for (length, enough) in
            [(1000, 1000), (2000, 1000), (15_000, 14_000), (31_000, 30_000), (90_000, 30_000)]
        {
            assert_eq!(counts_after(length), enough, "{length} ms");
        }
    }
}
