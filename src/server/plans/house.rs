//! Ads of the house, carried inside the binary: for trying out a plan with ads before anybody pays for one. `examples/house_ads`
//! makes them.

use std::path::Path;

use super::audio::{NewAd, add_ad};
use crate::catalog::{Campaign, Catalog, StoredAd};
use crate::server::ServerError;

/// What the names of their campaigns begin with.
pub const HOUSE_CAMPAIGN: &str = "house-";
/// From where on they may be skipped, ms.
const SKIPPABLE_AFTER: u64 = 5000;

/// File, title, and sound.
const ADS: [(&str, &str, &[u8]); 3] = [
    ("house-kettle.opus", "A Cup of Something", include_bytes!("../../../assets/ads/house-kettle.opus")),
    ("house-walk.opus", "The Long Way Home", include_bytes!("../../../assets/ads/house-walk.opus")),
    ("house-night.opus", "Lights Out", include_bytes!("../../../assets/ads/house-night.opus")),
];

/// Puts the house's own ads in, each in a campaign of its own without limits. Where they are already, nothing is new.
pub async fn add_house_ads(catalog: &Catalog, data: &Path, now: i64) -> Result<Vec<StoredAd>, ServerError> {
    let fail = |error: std::io::Error| ServerError::Ad(format!("the house ads cannot be written: {error}"));
    let folder = data.join(format!(".house-ads-{}", uuid::Uuid::now_v7().simple()));
    std::fs::create_dir_all(&folder).map_err(fail)?;
    let added = add_all(catalog, data, &folder, now).await;
    // What was added counts more than a folder that stays behind.
    let _ = std::fs::remove_dir_all(&folder);
    added
}

async fn add_all(
    catalog: &Catalog,
    data: &Path,
    folder: &Path,
    now: i64,
) -> Result<Vec<StoredAd>, ServerError> {
    let known = catalog.campaigns().await?;
    let mut all = Vec::new();
    for (name, title, bytes) in ADS {
        let file = folder.join(name);
        std::fs::write(&file, bytes)
            .map_err(|error| ServerError::Ad(format!("{} cannot be written: {error}", file.display())))?;
        let campaign = name.trim_end_matches(".opus");
        debug_assert!(campaign.starts_with(HOUSE_CAMPAIGN), "the files are named so");
        let campaign = known.iter().find(|known| known.name == campaign).cloned();
        let campaign =
            campaign.unwrap_or_else(|| Campaign::open(name.trim_end_matches(".opus"), "Segue", now));
        let new =
            NewAd { campaign, title: Some(title.to_owned()), skippable_after_ms: Some(SKIPPABLE_AFTER) };
        all.push(add_ad(catalog, data, &file, new).await?);
    }
    Ok(all)
}
