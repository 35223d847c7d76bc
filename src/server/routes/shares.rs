//! Shares: music that is open to who knows its address, as long as it lasts.

use jiff::Timestamp;
use uuid::Uuid;

use super::super::{open, secrets};
use super::{Answer, Call, Refusal, Said};
use crate::catalog::{self, Expiry};
use crate::subsonic::convert::iso;
use crate::subsonic::serving::{Share, Shares};
use crate::subsonic::types::Child;
use crate::subsonic::{Body, ErrorCode};

/// How long a share lasts where the listener says nothing, ms.
const YEAR: i64 = 365 * 24 * 3_600_000;
/// The most ids in one share.
const MOST: usize = 1000;

pub(super) async fn all(call: &Call<'_>) -> Said {
    let owner = (!call.account.admin).then_some(&call.account.id);
    let mut share = Vec::new();
    for kept in call.shared.catalog.shares(owner).await? {
        share.push(to_wire(call, kept).await?);
    }
    Ok(Body::Shares(Shares { share }).into())
}

pub(super) async fn create(call: &Call<'_>) -> Said {
    call.may(|roles| roles.share)?;
    call.params.required("id")?;
    let items: Vec<String> = call.params.all("id").filter(|id| !id.is_empty()).map(str::to_owned).collect();
    if items.len() > MOST {
        return Err(Refusal::new(ErrorCode::Generic, format!("a share holds at most {MOST} things")));
    }
    let now = Timestamp::now().as_millisecond();
    let share = catalog::Share {
        id: Uuid::now_v7().to_string(),
        account: call.account.id.clone(),
        secret: secrets::new_api_key(),
        items,
        description: call.params.get("description").filter(|text| !text.is_empty()).map(str::to_owned),
        created_at: now,
        expires_at: expiry(call)?.unwrap_or(Expiry::At(now + YEAR)).at(),
        visited_at: None,
        visits: 0,
    };
    if open::tracks(&call.listener, &share.items).await?.is_empty() {
        return Err(Refusal::not_found("music to share"));
    }
    call.shared.catalog.add_share(&share).await?;
    call.deed("share opened", &share.id).await;
    let share = vec![to_wire(call, share).await?];
    Ok(Body::Shares(Shares { share }).into())
}

pub(super) async fn update(call: &Call<'_>) -> Said {
    let share = own(call).await?;
    call.shared.catalog.edit_share(&share.id, call.params.get("description"), expiry(call)?).await?;
    Ok(Answer::Done)
}

pub(super) async fn delete(call: &Call<'_>) -> Said {
    let share = own(call).await?;
    call.shared.catalog.remove_share(&share.id).await?;
    call.deed("share closed", &share.id).await;
    Ok(Answer::Done)
}

/// When it should end; 0 for never, as other servers have it.
fn expiry(call: &Call<'_>) -> Result<Option<Expiry>, Refusal> {
    let at: Option<i64> = call.params.parsed("expires")?;
    Ok(at.map(|at| if at > 0 { Expiry::At(at) } else { Expiry::Never }))
}

/// The share that is meant, if it is for the asker to change. Whose else's it is does not show.
async fn own(call: &Call<'_>) -> Result<catalog::Share, Refusal> {
    let id = call.params.required("id")?;
    let owner = (!call.account.admin).then_some(&call.account.id);
    let shares = call.shared.catalog.shares(owner).await?;
    shares.into_iter().find(|share| share.id == id).ok_or_else(|| Refusal::not_found("share"))
}

async fn to_wire(call: &Call<'_>, share: catalog::Share) -> Result<Share, Refusal> {
    let owner = call.shared.catalog.account(&share.account).await?;
    let tracks = match &owner {
        Some(owner) => open::tracks(&call.shared.catalog.listener_of(owner, None), &share.items).await?,
        None => Vec::new(),
    };
    Ok(Share {
        url: format!("{}/share/{}", call.base(), share.secret),
        id: share.id,
        description: share.description,
        username: owner.map(|account| account.name).unwrap_or_default(),
        created: iso(share.created_at),
        expires: share.expires_at.map(iso),
        last_visited: share.visited_at.map(iso),
        visit_count: share.visits,
        entry: tracks.iter().map(Child::from).collect(),
    })
}
