//! What a person decides on, and what they may have and end: the extension `seguePrivacy`.

use jiff::ZonedDateTime;

use super::{Call, Refusal, Said};
use crate::mixing;
use crate::music::Purpose;
use crate::subsonic::convert::iso;
use crate::subsonic::serving::{Privacy, PrivacyPurpose};
use crate::subsonic::{Body, ErrorCode};

/// What the person decided, and how much is kept of them.
pub(super) async fn show(call: &Call<'_>) -> Said {
    Ok(Body::Privacy(privacy_of(call).await?).into())
}

/// A decision: `profiling` as version 1 has it, or a purpose.
pub(super) async fn decide(call: &Call<'_>) -> Said {
    let (purpose, on, version) = wanted(call)?;
    let before = call.listener.allows(purpose).await?;
    call.listener.decide(purpose, on, version).await?;
    if before != on {
        call.deed(
            &format!("{} turned {}", purpose.word(), if on { "on" } else { "off" }),
            &call.account.name,
        )
        .await;
    }
    if purpose == Purpose::Personalisation && before && !on {
        // What is popular needs no waiting.
        mixing::refresh(&call.listener, &ZonedDateTime::now(), None).await?;
    }
    show(call).await
}

fn wanted(call: &Call<'_>) -> Result<(Purpose, bool, u32), Refusal> {
    let params = call.params;
    if let Some(on) = params.flag("profiling")? {
        return Ok((Purpose::Personalisation, on, Purpose::TEXT_VERSION));
    }
    let Some(word) = params.get("purpose") else {
        let message = "the parameter “profiling” or “purpose” is missing";
        return Err(Refusal::new(ErrorCode::MissingParameter, message));
    };
    let purpose = Purpose::of(word).ok_or_else(|| {
        let known = Purpose::ALL.map(Purpose::word).join(", ");
        Refusal::new(ErrorCode::Generic, format!("the parameter “purpose” is one of {known}"))
    })?;
    let Some(on) = params.flag("on")? else {
        return Err(Refusal::new(ErrorCode::MissingParameter, "the parameter “on” is missing"));
    };
    let version: u32 = params.required("version").and(params.parsed("version"))?.unwrap_or(0);
    if version == 0 || version > Purpose::TEXT_VERSION {
        let message = format!(
            "the parameter “version” is that of the text that was shown, at most {}",
            Purpose::TEXT_VERSION
        );
        return Err(Refusal::new(ErrorCode::Generic, message));
    }
    Ok((purpose, on, version))
}

async fn privacy_of(call: &Call<'_>) -> Result<Privacy, Refusal> {
    let consents = call.shared.catalog.consents(&call.account.id).await?;
    let mut purposes = Vec::new();
    for purpose in Purpose::ALL {
        let last = consents.iter().rev().find(|consent| consent.purpose == purpose);
        purposes.push(PrivacyPurpose {
            name: purpose.word().to_owned(),
            on: call.listener.allows(purpose).await?,
            version: last.map(|consent| consent.version),
            decided: last.map(|consent| iso(consent.at)),
            basis: purpose.basis().to_owned(),
            title: purpose.title().to_owned(),
            text: purpose.text().to_owned(),
        });
    }
    Ok(Privacy {
        profiling: call.listener.profiled().await?,
        text_version: Some(Purpose::TEXT_VERSION),
        erase_at: None,
        purpose: purposes,
        stored: Vec::new(),
    })
}
