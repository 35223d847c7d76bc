//! What a person decides on, what they may have, and how they leave: the extension `seguePrivacy`.
//!
//! A copy and the end of an account want the password once more, whatever let the request in: a player that was left open on a
//! table must not be enough.

use jiff::ZonedDateTime;

use axum::body::Body as HttpBody;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, Response as HttpResponse, StatusCode};

use super::super::privacy as duties;
use super::{Answer, Call, Refusal, Said};
use crate::mixing;
use crate::music::Purpose;
use crate::subsonic::auth::read_password;
use crate::subsonic::convert::iso;
use crate::subsonic::serving::{Privacy, PrivacyPurpose, PrivacyStored};
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
    let counts = call.shared.catalog.personal_counts(&call.account.id).await?;
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
        erase_at: call.account.erase_at.map(iso),
        purpose: purposes,
        stored: counts
            .into_iter()
            .map(|(name, count)| PrivacyStored { name: name.to_owned(), count })
            .collect(),
    })
}

/// What a closed account may still ask for.
pub(super) const WHILE_CLOSED: &[&str] = &["eraseAccount", "exportAccount", "getPrivacy"];

/// Refuses what a closed account asks for. The code is that of a wrong log-in, so that players keep what they have to tell until
/// it is open again.
pub(super) fn closed(erase_at: i64) -> Refusal {
    let when = iso(erase_at);
    Refusal::new(
        ErrorCode::WrongCredentials,
        format!("this account is to be erased at {when}; its owner can take that back until then"),
    )
}

/// Makes sure that it is the person: POST, so that the password stands in no log, and the password itself.
async fn the_person(call: &Call<'_>) -> Result<(), Refusal> {
    if *call.method != Method::POST {
        let refusal =
            Refusal::new(ErrorCode::Generic, "send this by POST, so that the password stands in no address");
        return Err(refusal.with_status(StatusCode::METHOD_NOT_ALLOWED));
    }
    let given = call.params.required("password")?;
    let wrong = || Refusal::new(ErrorCode::Generic, "the parameter “password” cannot be read");
    let password = read_password(given).ok_or_else(wrong)?;
    call.shared.gate.is_the_person(&call.account, password, call.address).await
}

/// Everything about the person as a zip, which is written while it is sent.
pub(super) async fn copy(call: &Call<'_>) -> Said {
    the_person(call).await?;
    let Ok(place) = std::sync::Arc::clone(&call.shared.exports).try_acquire_owned() else {
        let refusal = Refusal::new(ErrorCode::Generic, "other copies are being made; try again in a minute");
        return Err(refusal.with_status(StatusCode::TOO_MANY_REQUESTS));
    };
    call.deed("data exported", &call.account.name).await;
    let (sender, pieces) = duties::channel();
    let catalog = call.shared.catalog.clone();
    let who = duties::Who { id: call.account.id.clone(), name: call.account.name.clone() };
    let writing = tokio::spawn(async move {
        let _place = place;
        Box::pin(duties::export(&catalog, &who, sender)).await
    });
    let stream = futures_util::stream::unfold((pieces, Some(writing)), |(mut pieces, writing)| async move {
        if let Some(piece) = pieces.recv().await {
            return Some((Ok(piece), (pieces, writing)));
        }
        // A copy that broke off must not look whole.
        match writing?.await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => {
                tracing::warn!(%error, "a copy broke off");
                Some((Err(std::io::Error::other("the copy broke off")), (pieces, None)))
            }
            Err(_) => Some((Err(std::io::Error::other("the copy broke off")), (pieces, None))),
        }
    });
    let mut response = HttpResponse::new(HttpBody::from_stream(stream));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers
        .insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"segue-export.zip\""));
    Ok(Answer::Raw(response))
}

/// Closes the account, to be erased when the grace is over; or opens it again with `cancel=true`.
pub(super) async fn erase(call: &Call<'_>) -> Said {
    let cancel = call.params.flag("cancel")?.unwrap_or(false);
    the_person(call).await?;
    let Call { shared, account, .. } = call;
    let erase_at = if cancel {
        duties::take_back(&shared.catalog, account).await?;
        call.deed("erasure taken back", &account.name).await;
        None
    } else {
        let now = jiff::Timestamp::now().as_millisecond();
        let at = duties::wish(&shared.catalog, account, &shared.keep, now).await?;
        call.deed("erasure asked for", &account.name).await;
        shared.hearing.forget(&account.id).await;
        Some(iso(at))
    };
    Ok(Body::Privacy(Privacy { erase_at, ..privacy_of(call).await? }).into())
}
