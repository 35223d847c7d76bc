//! Internet radio: addresses that listeners' players open by themselves. The server never fetches them, so that
//! nobody can make it reach into its own network.

use uuid::Uuid;

use super::{Answer, Call, Refusal, Said};
use crate::catalog::RadioStation;
use crate::music::printable;
use crate::subsonic::serving::{InternetRadioStation, InternetRadioStations};
use crate::subsonic::{Body, ErrorCode};

/// The longest name or address, characters.
const LONGEST: usize = 2000;

pub(super) async fn all(call: &Call<'_>) -> Said {
    let stations = call.shared.catalog.radio_stations().await?;
    let wire = |station: RadioStation| InternetRadioStation {
        id: station.id,
        name: station.name,
        stream_url: station.stream_url,
        home_page_url: station.home_page_url,
    };
    let internet_radio_station = stations.into_iter().map(wire).collect();
    Ok(Body::InternetRadioStations(InternetRadioStations { internet_radio_station }).into())
}

pub(super) async fn create(call: &Call<'_>) -> Said {
    put(call, Uuid::now_v7().to_string()).await
}

pub(super) async fn update(call: &Call<'_>) -> Said {
    let id = call.params.required("id")?;
    let known = call.shared.catalog.radio_stations().await?.iter().any(|station| station.id == id);
    if known { put(call, id.to_owned()).await } else { Err(Refusal::not_found("radio station")) }
}

pub(super) async fn delete(call: &Call<'_>) -> Said {
    call.administers()?;
    call.shared.catalog.remove_radio_station(call.params.required("id")?).await?;
    Ok(Answer::Done)
}

async fn put(call: &Call<'_>, id: String) -> Said {
    call.administers()?;
    let name: String = printable(call.params.required("name")?.trim()).chars().take(LONGEST).collect();
    let stream_url = address(call.params.required("streamUrl")?, "streamUrl")?;
    // The specification and its examples differ in one letter's case.
    let page = call.params.get("homepageUrl").or_else(|| call.params.get("homePageUrl"));
    let home_page_url =
        page.filter(|page| !page.trim().is_empty()).map(|page| address(page, "homepageUrl")).transpose()?;
    call.shared.catalog.put_radio_station(&RadioStation { id, name, stream_url, home_page_url }).await?;
    Ok(Answer::Done)
}

/// An address that players may open: they show it and follow it, so nothing but the web will do.
fn address(text: &str, name: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let web = reqwest::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
    if web && text.len() <= LONGEST && printable(text) == text {
        Ok(text.to_owned())
    } else {
        Err(Refusal::new(ErrorCode::Generic, format!("the parameter “{name}” is not an address of the web")))
    }
}
