//! `segue ads`: an operator's own audio in campaigns, and what became of it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::CliError;
use super::args::Where;
use super::plans::named;
use super::train::open;
use crate::catalog::{AdCount, Campaign, CampaignCounts, Catalog, SMALLEST, StoredAd};
use crate::music::calendar::iso_date;
use crate::music::{counted, fold, printable};
use crate::server::plans::{self, NewAd, calendar};
use crate::server::{ServerError, accounts};

/// Ads of a server.
#[derive(Debug, Args)]
pub(super) struct Ads {
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

/// What can be done with ads.
#[derive(Debug, Subcommand)]
enum Action {
    /// Add audio to a campaign, which is made where it is new; what is said of a campaign that is there changes it
    Add {
        /// The audio: anything that Segue can play, 1 s to 3 min long
        file: PathBuf,
        /// Name of the campaign
        #[arg(long, value_name = "NAME")]
        campaign: String,
        /// What the ad is called; the name of the file where nothing is said
        #[arg(long)]
        title: Option<String>,
        /// From where on it may be skipped, for instance 5s; never where nothing is said
        #[arg(long, value_name = "TIME")]
        skippable_after: Option<String>,
        /// What is said of the campaign.
        #[command(flatten)]
        words: Box<Words>,
    },
    /// List campaigns and their audio
    List,
    /// Remove a campaign, or one ad by its id
    Remove {
        /// Name of the campaign, or id of the ad
        what: String,
    },
    /// Let a campaign rest
    Pause {
        /// Name of the campaign
        campaign: String,
        /// Go on with it
        #[arg(long)]
        off: bool,
    },
    /// Say how often the ads of each campaign were given out, heard, skipped, and by how many
    Report {
        /// Only this campaign
        #[arg(long, value_name = "NAME")]
        campaign: Option<String>,
        /// By the day, as CSV
        #[arg(long)]
        csv: bool,
    },
    /// Put in the house's own ads: three short jingles, for trying out
    House,
}

/// What is said of a campaign.
#[derive(Debug, Args)]
struct Words {
    /// Who pays for it; needed where the campaign is new
    #[arg(long, value_name = "NAME")]
    advertiser: Option<String>,
    /// How often it is chosen beside others, 1 where nothing is said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    weight: Option<u32>,
    /// Its first day, for instance 2026-12-01
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Its last day
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// Hours of the listener's day, for instance 6-10,16-19
    #[arg(long)]
    hours: Option<String>,
    /// Days, for instance mon-fri or sat,sun
    #[arg(long, value_name = "DAYS")]
    weekdays: Option<String>,
    /// Genres beside which it is heard, for instance rock,jazz; "all" for all
    #[arg(long, value_name = "NAMES")]
    genres: Option<String>,
    /// Deliveries to one listener on one day at most; 0 for any number
    #[arg(long, value_name = "N")]
    cap_per_day: Option<u32>,
    /// Deliveries to one listener at most; 0 for any number
    #[arg(long, value_name = "N")]
    cap_total: Option<u32>,
    /// Deliveries at most; 0 for any number
    #[arg(long, value_name = "N")]
    budget: Option<u64>,
}

impl Words {
    /// A campaign with what is said here.
    fn over(self, campaign: Campaign) -> Result<Campaign, String> {
        let read = |text: Option<String>, read: fn(&str) -> Result<i64, String>, now| {
            text.map_or(Ok(now), |text| read(&text).map(Some))
        };
        let new = Campaign {
            advertiser: self.advertiser.unwrap_or(campaign.advertiser),
            weight: self.weight.unwrap_or(campaign.weight),
            starts_at: read(self.from, calendar::from, campaign.starts_at)?,
            ends_at: read(self.until, calendar::until, campaign.ends_at)?,
            hours: self.hours.map_or(Ok(campaign.hours), |text| calendar::hours(&text))?,
            weekdays: self.weekdays.map_or(Ok(campaign.weekdays), |text| calendar::weekdays(&text))?,
            genres: self.genres.map_or(campaign.genres, |text| match text.as_str() {
                "all" | "" => Vec::new(),
                names => names.split(',').map(fold).filter(|name| !name.is_empty()).collect(),
            }),
            per_day: self.cap_per_day.unwrap_or(campaign.per_day),
            per_listener: self.cap_total.unwrap_or(campaign.per_listener),
            budget: self.budget.unwrap_or(campaign.budget),
            ..campaign
        };
        if new.advertiser.is_empty() {
            return Err("say who pays for the campaign: --advertiser NAME".to_owned());
        }
        if let (Some(from), Some(until)) = (new.starts_at, new.ends_at)
            && until <= from
        {
            return Err("the campaign would be over before it begins: name a later --until".to_owned());
        }
        Ok(new)
    }
}

/// Carries out one action.
pub(super) async fn run(wanted: Ads) -> Result<ExitCode, CliError> {
    let place = named(wanted.data, wanted.database)?;
    let catalog = open(&place).await?;
    let data = place.data;
    let now = jiff::Timestamp::now().as_millisecond();
    let deed = match wanted.action {
        Action::Add { file, campaign, title, skippable_after, words } => {
            let skippable_after_ms =
                skippable_after.map(|text| calendar::length(&text)).transpose().map_err(CliError::Wrong)?;
            let known = catalog.campaigns().await?.into_iter().find(|known| known.name == campaign);
            let campaign = words
                .over(known.unwrap_or_else(|| Campaign::open(&campaign, "", now)))
                .map_err(CliError::Wrong)?;
            let name = campaign.name.clone();
            let ad =
                plans::add_ad(&catalog, &data, &file, NewAd { campaign, title, skippable_after_ms }).await?;
            println!("{}", ad_line(&ad));
            Some(("ad added", name))
        }
        Action::List => {
            list(&catalog, now).await?;
            None
        }
        Action::Remove { what } => {
            remove(&catalog, &data, &what).await?;
            println!("`{what}` is gone; what was counted of it stays in the report.");
            Some(("ad removed", what))
        }
        Action::Pause { campaign, off } => {
            let known = catalog.campaigns().await?.into_iter().find(|known| known.name == campaign);
            let known = known.ok_or_else(|| CliError::Wrong(format!("there is no campaign `{campaign}`")))?;
            catalog.put_campaign(&Campaign { paused: !off, ..known }).await?;
            println!("The campaign `{campaign}` {}.", if off { "goes on" } else { "rests" });
            Some((if off { "campaign resumed" } else { "campaign paused" }, campaign))
        }
        Action::Report { campaign, csv } => {
            plans::forget_old(&catalog, now).await?;
            let mut counts = catalog.ad_counts(now).await?;
            if let Some(campaign) = campaign {
                counts.retain(|name, _| *name == campaign);
            }
            if csv {
                print!("{}", by_day(&counts).map_err(|error| CliError::Wrong(error.to_string()))?);
            } else {
                for (name, counts) in &counts {
                    println!("{}", report_line(name, &counts.all));
                }
            }
            None
        }
        Action::House => {
            for ad in plans::add_house_ads(&catalog, &data, now).await? {
                println!("{}", ad_line(&ad));
            }
            Some(("ad added", "house".to_owned()))
        }
    };
    if let Some((deed, name)) = deed {
        accounts::note(&catalog, "command line", "here", deed, &name).await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn remove(catalog: &Catalog, data: &Path, what: &str) -> Result<(), CliError> {
    let ads = catalog.stored_ads().await?;
    if catalog.campaigns().await?.iter().any(|campaign| campaign.name == what) {
        catalog.remove_campaign(what).await?;
    } else if ads.iter().any(|ad| ad.id == what) {
        catalog.remove_ad(what).await?;
    } else {
        let why = format!("there is neither a campaign nor an ad `{what}`: `segue ads list` names them");
        return Err(ServerError::Ad(why).into());
    }
    Ok(plans::remove_files(catalog, data).await?)
}

async fn list(catalog: &Catalog, now: i64) -> Result<(), CliError> {
    let ads = catalog.stored_ads().await?;
    for campaign in catalog.campaigns().await? {
        println!("{}", campaign_line(&campaign, now));
        for ad in ads.iter().filter(|ad| ad.campaign == campaign.name) {
            println!("  {}", ad_line(ad));
        }
    }
    Ok(())
}

fn ad_line(ad: &StoredAd) -> String {
    let skip = match ad.skippable_after_ms {
        None => "not to be skipped".to_owned(),
        Some(after) => format!("skippable after {:.1} s", after as f64 / 1000.0),
    };
    format!(
        "{}  “{}”  {:.1} s, counts after {:.1} s, {skip}, {:+.1} dB, peak {:.2}",
        ad.id,
        printable(&ad.title),
        ad.duration_ms as f64 / 1000.0,
        ad.counts_after_ms as f64 / 1000.0,
        ad.gain_db,
        ad.peak
    )
}

fn campaign_line(campaign: &Campaign, now: i64) -> String {
    let mut parts = vec![printable(&campaign.name), printable(&campaign.advertiser)];
    let over = campaign.ends_at.is_some_and(|end| end <= now);
    let coming = campaign.starts_at.is_some_and(|start| start > now);
    parts.push(
        if campaign.paused {
            "paused"
        } else if over {
            "over"
        } else if coming {
            "to come"
        } else {
            "live"
        }
        .into(),
    );
    parts.push(format!("weight {}", campaign.weight));
    parts.extend(campaign.starts_at.map(|at| format!("from {}", calendar::moment_text(at))));
    parts.extend(campaign.ends_at.map(|at| format!("until {}", calendar::moment_text(at))));
    let texts = [
        ("hours", calendar::hours_text(campaign.hours)),
        ("on", calendar::weekdays_text(campaign.weekdays)),
        ("beside", printable(&campaign.genres.join(","))),
    ];
    parts.extend(
        texts.into_iter().filter(|(_, text)| !text.is_empty()).map(|(what, text)| format!("{what} {text}")),
    );
    let limits = [
        (u64::from(campaign.per_day), "a day for each listener"),
        (campaign.per_listener.into(), "for each listener"),
        (campaign.budget, "in all"),
    ];
    parts.extend(
        limits.into_iter().filter(|(most, _)| *most > 0).map(|(most, of)| format!("at most {most} {of}")),
    );
    parts.join("  ")
}

/// A number of listeners; a small group is not told of, because its members might be known.
fn listeners(count: u64) -> String {
    if count < SMALLEST { format!("<{SMALLEST}") } else { count.to_string() }
}

fn report_line(name: &str, count: &AdCount) -> String {
    format!(
        "{}  {}: {} delivered, {} skipped, {} expired, {} waiting; {} listeners",
        printable(name),
        counted(count.tickets, "ticket"),
        count.delivered,
        count.skipped,
        count.expired,
        count.waiting(),
        listeners(count.listeners)
    )
}

/// A row for each campaign and day (UTC, when the tickets were given).
fn by_day(counts: &std::collections::BTreeMap<String, CampaignCounts>) -> Result<String, csv::Error> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record([
        "campaign",
        "day",
        "tickets",
        "delivered",
        "skipped",
        "expired",
        "waiting",
        "listeners",
    ])?;
    for (name, counts) in counts {
        for (day, count) in &counts.days {
            table.write_record([
                plain(name),
                iso_date(*day),
                count.tickets.to_string(),
                count.delivered.to_string(),
                count.skipped.to_string(),
                count.expired.to_string(),
                count.waiting().to_string(),
                listeners(count.listeners),
            ])?;
        }
    }
    let bytes = table.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A name that no spreadsheet takes for a formula.
fn plain(name: &str) -> String {
    let name = printable(name);
    if name.starts_with(['=', '+', '-', '@']) { format!("'{name}") } else { name }
}
