//! What a listener on a plan with ads sees: the ad in the bar and on the full player, and what the plan does not give.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod tui_stage;

use std::sync::Arc;

use segue::music::{AdRules, Plan};
use segue::player::AdNow;
use segue::tui::Options;
use segue::tui::effects::Msg;
use tui_stage::picture::picture;
use tui_stage::{Stage, playing, sees, sees_not};

fn ad(skippable_after_ms: Option<u64>) -> AdNow {
    AdNow {
        title: "Fresh bread every morning".to_owned(),
        by: "Bäckerei Löwe".to_owned(),
        position_ms: 4_200,
        duration_ms: 15_000,
        skippable_after_ms,
        number: 1,
        of: 2,
    }
}

fn free(size: (u16, u16)) -> Stage {
    let mut stage = playing(size, Options::default());
    let plan = Plan {
        name: "free".to_owned(),
        upgrade: "Ask at the desk for premium.".to_owned(),
        offline: false,
        ..Plan::default()
    };
    stage.session(|session| session.plan = Arc::new(plan));
    stage
}

fn interrupted(size: (u16, u16), skippable_after_ms: Option<u64>) -> Stage {
    let mut stage = free(size);
    stage.player(|status| status.ad = Some(ad(skippable_after_ms)));
    stage
}

#[test]
fn ad_in_the_bar() {
    picture("ad_bar", |size| interrupted(size, None));
}

#[test]
fn ad_on_the_full_player() {
    picture("ad_full", |size| {
        let mut stage = interrupted(size, Some(10_000));
        stage.keys("0");
        stage
    });
}

#[test]
fn the_plan_on_the_page_of_privacy() {
    picture("ad_plan", |size| {
        let mut stage = free(size);
        stage.session(|session| {
            session.plan = Arc::new(Plan {
                price: "nothing".to_owned(),
                max_bit_rate: 128,
                skips_per_hour: 6,
                streams: 1,
                ads: Some(AdRules { every_ms: 900_000, at_once: 2, inside_albums: false }),
                ..Plan::clone(&session.plan)
            });
        });
        stage.player(|status| status.counted.since_break_ms = 300_000);
        stage.keys("gPG");
        stage
    });
}

#[test]
fn an_ad_says_when_it_may_be_skipped() {
    let mut stage = interrupted((80, 24), Some(10_000));
    stage.keys("0");
    sees(&stage, "> goes on in 0:06.");
    stage.player(|status| status.ad = Some(AdNow { position_ms: 10_000, ..ad(Some(10_000)) }));
    sees(&stage, "> goes on.");
    stage.player(|status| status.ad = Some(ad(None)));
    sees(&stage, "It is over in 0:11.");
    assert_eq!(stage.app.title(), "Ad: Fresh bread every morning");
    stage.player(|status| status.ad = None);
    sees_not(&stage, "Advertisement");
}

#[test]
fn a_plan_that_keeps_nothing_says_so() {
    let mut stage = free((100, 30));
    stage.keys("4c");
    let said = "The plan “free” keeps no music for times without a network. Ask at the desk for premium.";
    sees(&stage, said);
    stage.wait();
    stage.tell(Msg::Said("The plan “free” has 6 skips an hour: the next one is free in 12:00.".to_owned()));
    sees(&stage, "the next one is free in 12:00.");
}
