//! `segue plans`: what plans there are, changed in a server's database while it runs or not.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};

use super::CliError;
use super::args::{Data, Where};
use super::train::open;
use crate::catalog::OfferedPlan;
use crate::music::{AdRules, Plan, clock, counted, printable};
use crate::server::accounts;
use crate::server::plans::calendar;

/// Plans of a server.
#[derive(Debug, Args)]
pub(super) struct Plans {
    /// Folder with the server's data
    #[arg(long, value_name = "DIR", env = "SEGUE_DATA", global = true)]
    data: Option<PathBuf>,
    /// Where the catalog is instead of in that folder: a postgres:// address, or another file
    #[arg(long, value_name = "URL", env = "SEGUE_DATABASE", hide_env_values = true, global = true)]
    database: Option<Where>,
    /// What to do
    #[command(subcommand)]
    action: Action,
}

/// What can be done with plans.
#[derive(Debug, Subcommand)]
enum Action {
    /// List the plans, the usual one first
    List,
    /// Change a plan; what is not named stays. Running players have it within a second
    Set {
        /// Name of the plan
        name: String,
        /// What to change.
        #[command(flatten)]
        words: Words,
    },
    /// Add a plan, which gives everything that is not limited here
    Add {
        /// Name of the plan
        name: String,
        /// What it gives and asks.
        #[command(flatten)]
        words: Words,
    },
    /// Remove a plan that nobody has
    Remove {
        /// Name of the plan
        name: String,
    },
    /// Make a plan the usual one: that of every account without another
    Default {
        /// Name of the plan
        name: String,
    },
}

/// What a plan gives and asks.
#[derive(Debug, Args)]
struct Words {
    /// Music between two breaks with ads, for instance 15m; "never" for no ads
    #[arg(long, value_name = "TIME")]
    ads_every: Option<String>,
    /// The most ads of one break
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10))]
    ads_at_once: Option<u32>,
    /// Whether an album that is played in its order may be interrupted
    #[arg(long, value_enum, value_name = "YES|NO")]
    ads_inside_albums: Option<YesNo>,
    /// The highest bit rate, kbit/s, at least 32; 0 for any
    #[arg(long, value_name = "KBPS")]
    max_bit_rate: Option<u32>,
    /// Whether music may be kept for times without a network, and downloaded
    #[arg(long, value_enum, value_name = "YES|NO")]
    offline: Option<YesNo>,
    /// Tracks that may be skipped each hour; 0 for any number
    #[arg(long, value_name = "N")]
    skips: Option<u32>,
    /// Players that are sent music at one time; 0 for any number
    #[arg(long, value_name = "N")]
    streams: Option<u32>,
    /// What it costs, in your words; "" for nothing
    #[arg(long, value_name = "TEXT")]
    price: Option<String>,
    /// How to get a better one, in your words; "" for nothing
    #[arg(long, value_name = "TEXT")]
    upgrade: Option<String>,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum YesNo {
    /// It may
    Yes,
    /// It may not
    No,
}

/// What the command line must say.
pub(super) fn named(data: Option<PathBuf>, database: Option<Where>) -> Result<Data, CliError> {
    let said = || CliError::Wrong("say where the server's data is: --data DIR".into());
    Ok(Data { data: data.ok_or_else(said)?, database })
}

/// Carries out one action.
pub(super) async fn run(wanted: Plans) -> Result<ExitCode, CliError> {
    let catalog = open(&named(wanted.data, wanted.database)?).await?;
    let known = catalog.plans().await?;
    let plan_named =
        |name: &str| known.iter().find(|known| known.plan.name == name).map(|known| known.plan.clone());
    let deed = match wanted.action {
        Action::List => {
            for plan in &known {
                println!("{}", line_of(plan));
            }
            None
        }
        Action::Set { name, words } => {
            accounts::check_plan(&catalog, &name).await?;
            let plan = words.over(plan_named(&name).unwrap_or_default())?;
            catalog.put_plan(&plan).await?;
            println!("The plan `{name}` was changed.");
            Some(("plan changed", name))
        }
        Action::Add { name, words } => {
            if plan_named(&name).is_some() {
                return Err(CliError::Wrong(format!(
                    "there is a plan `{name}` already: `segue plans set` changes it"
                )));
            }
            if name.is_empty() || name.len() > 64 || printable(&name).trim() != name {
                return Err(CliError::Wrong("a plan's name is 1 to 64 plain characters".into()));
            }
            catalog.put_plan(&words.over(Plan { name: name.clone(), ..Plan::default() })?).await?;
            println!("The plan `{name}` was added.");
            Some(("plan added", name))
        }
        Action::Remove { name } => {
            accounts::check_plan(&catalog, &name).await?;
            catalog.remove_plan(&name).await?;
            println!("The plan `{name}` is gone.");
            Some(("plan removed", name))
        }
        Action::Default { name } => {
            accounts::check_plan(&catalog, &name).await?;
            catalog.set_usual_plan(&name).await?;
            println!("Every account without another plan has `{name}`.");
            Some(("usual plan changed", name))
        }
    };
    if let Some((deed, name)) = deed {
        accounts::note(&catalog, "command line", "here", deed, &name).await?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Words {
    /// A plan with what is named here.
    fn over(self, plan: Plan) -> Result<Plan, CliError> {
        let every_ms = match self.ads_every.as_deref() {
            None => plan.ads.map_or(0, |ads| ads.every_ms),
            Some("never" | "0" | "no") => 0,
            Some(text) => calendar::length(text).map_err(CliError::Wrong)?,
        };
        if (1..60_000).contains(&every_ms) {
            return Err(CliError::Wrong("between two breaks is at least a minute: --ads-every 1m".into()));
        }
        let before = plan.ads.unwrap_or(AdRules { every_ms, at_once: 1, inside_albums: false });
        let rules = AdRules {
            // The wire has whole seconds.
            every_ms: every_ms / 1000 * 1000,
            at_once: self.ads_at_once.unwrap_or(before.at_once),
            inside_albums: self.ads_inside_albums.map_or(before.inside_albums, |word| word == YesNo::Yes),
        };
        let max_bit_rate = self.max_bit_rate.unwrap_or(plan.max_bit_rate);
        if (1..32).contains(&max_bit_rate) {
            return Err(CliError::Wrong(
                "no form of music has less than 32 kbit/s; 0 is for any bit rate".into(),
            ));
        }
        Ok(Plan {
            ads: (every_ms > 0).then_some(rules),
            max_bit_rate,
            offline: self.offline.map_or(plan.offline, |word| word == YesNo::Yes),
            skips_per_hour: self.skips.unwrap_or(plan.skips_per_hour),
            streams: self.streams.unwrap_or(plan.streams),
            price: self.price.map_or(plan.price, |text| printable(&text)),
            upgrade: self.upgrade.map_or(plan.upgrade, |text| printable(&text)),
            ..plan
        })
    }
}

/// A plan with all that it says.
fn line_of(offered: &OfferedPlan) -> String {
    let plan = &offered.plan;
    let mut parts = vec![printable(&plan.name)];
    if offered.usual {
        parts.push("(usual)".to_owned());
    }
    parts.push(match plan.ads {
        None => "no ads".to_owned(),
        Some(ads) => format!(
            "{} every {}{}",
            counted(ads.at_once.into(), "ad"),
            clock(ads.every_ms),
            if ads.inside_albums { ", also inside albums" } else { "" }
        ),
    });
    parts.push(match plan.max_bit_rate {
        0 => "any bit rate".to_owned(),
        most => format!("at most {most} kbit/s"),
    });
    parts.push(if plan.offline { "offline" } else { "online only" }.to_owned());
    parts.push(match plan.skips_per_hour {
        0 => "any skips".to_owned(),
        most => format!("{} an hour", counted(most.into(), "skip")),
    });
    parts.push(match plan.streams {
        0 => "any players".to_owned(),
        most => counted(most.into(), "player"),
    });
    let said = [&plan.price, &plan.upgrade].into_iter().filter(|text| !text.is_empty());
    parts.extend(said.map(|text| format!("“{}”", printable(text))));
    parts.join("  ")
}
