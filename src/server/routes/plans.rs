//! What the plan of who asks allows, the ads that it has to hear, and what it says of them: the extension `seguePlans`. And what every
//! endpoint needs of plans: limits, and songs that say in which form they are sent.

use axum::http::Method;

use super::super::flows::{Flow, Player};
use super::super::limits::{Limits, goes_on};
use super::super::plans::AdQuestion;
use super::super::transcode::{Asked as AskedForm, Source, choose};
use super::{Answer, Call, Refusal, Said};
use crate::music::AdHeard;
use crate::subsonic::{Body, ErrorCode, plans as wire};

/// The most ads that one report tells of.
const MOST: usize = 200;

impl Call<'_> {
    /// What the account is sent at most.
    pub(super) async fn limits(&self) -> Result<Limits, Refusal> {
        Ok(self.shared.limits_of(&self.account).await?)
    }

    /// A place for the player that asks, where its plan counts players and it wants bytes.
    pub(super) async fn enter(&self, limits: &Limits) -> Result<Option<Flow>, Refusal> {
        if *self.method == Method::HEAD {
            return Ok(None);
        }
        // Two programs of one machine are two players, also where the plan takes them for one.
        let named = self.params.get("c").unwrap_or_default().to_owned();
        let asks = Player { name: named, address: self.address };
        let goes_on = goes_on(self.headers) || self.params.parsed::<f64>("timeOffset")?.unwrap_or(0.0) > 0.0;
        let seat = self.shared.seat(&self.account.id, &asks, goes_on)?;
        let player = Player { name: self.program(), address: self.address };
        let flow = limits.enter(self.shared, &self.account.id, player).await?;
        Ok(Some(flow.unwrap_or_default().in_seat(seat)))
    }

    /// A seat alone, for who stores music.
    pub(super) fn sit(&self) -> Result<Option<Flow>, Refusal> {
        if *self.method == Method::HEAD {
            return Ok(None);
        }
        let named = self.params.get("c").unwrap_or_default().to_owned();
        let player = Player { name: named, address: self.address };
        let seat = self.shared.seat(&self.account.id, &player, goes_on(self.headers))?;
        Ok(Some(Flow::default().in_seat(seat)))
    }

    /// Has the songs of an answer say in which form they are sent to an account that is not sent everything. Their bit rate,
    /// size and suffix stay those of the file.
    pub(super) async fn say_what_is_sent(&self, body: &mut Body) -> Result<(), Refusal> {
        if !body.has_songs() || !self.shared.transcoder.works() {
            return Ok(());
        }
        let most = self.limits().await?.max_bit_rate;
        if most == 0 {
            return Ok(());
        }
        let profile = self.profile().await?;
        let profile = profile.as_ref().map(|profile| (profile.format.as_str(), profile.max_bit_rate));
        body.each_song(&mut |song| {
            let suffix = song.suffix.clone().unwrap_or_default();
            let length = song.duration.unwrap_or(0).saturating_mul(1000);
            let source = Source::new(&suffix, song.bit_rate, song.size.unwrap_or(0), length);
            if let Some(recipe) = choose(AskedForm::default().or(profile).within(most, source), source) {
                song.transcoded_suffix = Some(recipe.codec.word().to_owned());
                song.transcoded_content_type = Some(recipe.codec.content_type().to_owned());
            }
        });
        Ok(())
    }
}

/// The plan of who asks.
pub(super) async fn plan(call: &Call<'_>) -> Said {
    let plan = call.shared.desk.plan(&call.account.id).await?;
    Ok(Body::Plan(wire::Plan::from(&plan)).into())
}

/// Tickets for ads.
pub(super) async fn ads(call: &Call<'_>) -> Said {
    let asked = AdQuestion {
        count: u32::try_from(call.params.count("count", 1, u64::from(u32::MAX))?).unwrap_or(u32::MAX),
        genres: genres(call).await?,
        offset_minutes: call.params.parsed("utcOffset")?,
    };
    let ads = call.shared.desk.ads(&call.account.id, &asked).await?;
    Ok(Body::Ads(wire::Ads { ad: ads.iter().map(wire::Ad::from).collect() }).into())
}

/// The genres that the client names, or those of what it said last that it plays.
async fn genres(call: &Call<'_>) -> Result<Vec<String>, Refusal> {
    let named: Vec<String> = call.params.all("genre").take(20).map(str::to_owned).collect();
    if !named.is_empty() {
        return Ok(named);
    }
    let program = call.program();
    let now = call.shared.hearing.now().await?;
    let own = now.into_iter().find(|heard| heard.account == call.account.id && heard.player == program);
    let Some(heard) = own else { return Ok(Vec::new()) };
    Ok(call.listener.track(&heard.track).await?.map(|track| track.genres).unwrap_or_default())
}

/// How ads were heard. Those that are good count although others are refused.
pub(super) async fn report(call: &Call<'_>) -> Said {
    let params = call.params;
    params.required("ticket")?;
    let tickets: Vec<&str> = params.all("ticket").collect();
    let heard: Vec<u64> = params.required("heard").and(params.all_parsed("heard"))?;
    let times: Vec<i64> = params.required("time").and(params.all_parsed("time"))?;
    if tickets.len() != heard.len() || tickets.len() != times.len() {
        let why = "each “ticket” needs a “heard” and a “time”";
        return Err(Refusal::new(ErrorCode::MissingParameter, why));
    }
    if tickets.len() > MOST {
        return Err(Refusal::new(ErrorCode::Generic, format!("a report tells of at most {MOST} ads")));
    }
    let told = tickets.into_iter().zip(heard).zip(times);
    let told: Vec<AdHeard> =
        told.map(|((ticket, heard_ms), at)| AdHeard { ticket: ticket.to_owned(), heard_ms, at }).collect();
    let judged = call.shared.desk.report(&call.account.id, &told).await?;
    match judged.into_iter().find_map(Result::err) {
        None => Ok(Answer::Done),
        // One code for all of them: what is told of is not there (any more), and asking again does not help.
        Some(why) => Err(Refusal::new(ErrorCode::NotFound, why.to_string())),
    }
}
