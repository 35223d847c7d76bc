//! `segue users`: the accounts of a server, changed in its database while it runs or not.

use std::process::ExitCode;

use super::CliError;
use super::args::{Data, Users};
use super::login::ask_password;
use super::train::open;
use crate::catalog::{Account, Catalog, ClientProfile, MusicFolder, Standing, path_from_text};
use crate::music::printable;
use crate::server::accounts;
use crate::server::plans::calendar;

/// Carries out one action.
pub(super) async fn run(place: &Data, action: Users) -> Result<ExitCode, CliError> {
    let catalog = open(place).await?;
    let deed = match action {
        Users::Add { name, admin, plan, .. } => {
            if let Some(plan) = &plan {
                accounts::check_plan(&catalog, plan).await?;
            }
            let password = ask_password(&format!("Password of {name}: "))?;
            accounts::add(&catalog, &name, &password, admin).await?;
            if plan.is_some() {
                accounts::set_plan(&catalog, &name, plan.as_deref(), now(), None).await?;
            }
            println!("Account `{name}` was made.");
            Some(("account added", name))
        }
        Users::List => {
            list(&catalog).await?;
            None
        }
        Users::Plan { name, plan, from, until } => {
            give_plan(&catalog, &name, plan.as_deref(), (from, until)).await?;
            println!("`{name}` has another plan.");
            Some(("plan changed", name))
        }
        Users::Password { name } => {
            let password = ask_password(&format!("New password of {name}: "))?;
            accounts::set_password(&catalog, &name, &password).await?;
            println!("The password of `{name}` was changed.");
            Some(("password changed", name))
        }
        Users::Key { name, label } => {
            println!("{}", accounts::new_api_key(&catalog, &name, &label).await?);
            Some(("API key made", name))
        }
        Users::AppPassword { name, label } => {
            println!("{}", accounts::new_app_password(&catalog, &place.data, &name, &label).await?);
            Some(("app password made", name))
        }
        Users::Keys { name } => {
            for key in accounts::credentials(&catalog, &name).await? {
                let used = key.used_at.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
                let used = used.map_or_else(|| "never used".to_owned(), |at| format!("last used {at}"));
                println!("{}  {}  {used}", key.id, printable(&key.name));
            }
            Some(("keys listed", name))
        }
        Users::Folders { name: None, .. } => {
            for folder in catalog.music_folders().await? {
                println!("{}  {}", folder.id, path_from_text(&folder.path).display());
            }
            None
        }
        Users::Folders { name: Some(name), folders, all } => {
            let folders = (!all).then(|| folders.into_iter().collect());
            accounts::set_folders(&catalog, &name, folders).await?;
            println!("What `{name}` may reach was changed.");
            Some(("folders changed", name))
        }
        Users::Limit { name, kbps } => {
            accounts::set_max_bit_rate(&catalog, &name, kbps).await?;
            println!("What `{name}` is sent was changed.");
            Some(("bit rate changed", name))
        }
        Users::Profile { name, client, form } => {
            let client = if client == "*" { "" } else { &client };
            accounts::set_profile(&catalog, &name, client, form.as_deref()).await?;
            println!("What that client of `{name}` is sent was changed.");
            Some(("client profile changed", name))
        }
        Users::Revoke { name, id } => {
            accounts::revoke(&catalog, &name, &id).await?;
            println!("It is revoked.");
            Some(("key or app password revoked", name))
        }
        Users::Remove { name } => {
            accounts::remove(&catalog, &name).await?;
            println!("Account `{name}` and everything that belonged to it is gone.");
            Some(("account removed", name))
        }
        Users::Log { lines } => {
            for deed in catalog.deeds(lines).await?.into_iter().rev() {
                let at = jiff::Timestamp::from_millisecond(deed.at).unwrap_or_default();
                let said =
                    [&deed.account, &deed.address, &deed.deed, &deed.subject].map(|part| printable(part));
                println!("{at:.0}  {}", said.join("  "));
            }
            None
        }
    };
    if let Some((deed, name)) = deed {
        accounts::note(&catalog, "command line", "here", deed, &name).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints every account.
async fn list(catalog: &Catalog) -> Result<(), CliError> {
    let folders = catalog.music_folders().await?;
    for account in accounts::list(catalog).await? {
        let profiles = accounts::profiles(catalog, &account).await?;
        let plan = plan_of(&catalog.standing(&account.id).await?);
        println!("{}  {plan}", line_of(&account, &folders, &profiles));
    }
    Ok(())
}

/// Gives an account a plan from a date until another one, as they were written.
async fn give_plan(
    catalog: &Catalog,
    name: &str,
    plan: Option<&str>,
    (from, until): (Option<String>, Option<String>),
) -> Result<(), CliError> {
    let date = |text: Option<String>, read: fn(&str) -> Result<i64, String>| {
        text.map(|text| read(&text)).transpose().map_err(CliError::Wrong)
    };
    let from = date(from, calendar::from)?.unwrap_or_else(now);
    let until = date(until, calendar::until)?;
    if until.is_some_and(|until| until <= from) {
        return Err(CliError::Wrong("the plan would be over before it begins: name a later --until".into()));
    }
    Ok(accounts::set_plan(catalog, name, plan, from, until).await?)
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// The plan of an account now, and when it changes.
fn plan_of(standing: &Standing) -> String {
    let plan = standing.at(now());
    let coming = standing.given.as_ref().filter(|given| given.starts_at > now());
    match (plan.ends_at, coming) {
        (Some(end), _) => format!("plan {} until {}", printable(&plan.name), calendar::moment_text(end)),
        (None, Some(given)) => format!(
            "plan {}, {} from {}",
            printable(&plan.name),
            printable(&given.plan.name),
            calendar::moment_text(given.starts_at)
        ),
        (None, None) => format!("plan {}", printable(&plan.name)),
    }
}

/// An account with what it may do, reach, and is sent.
fn line_of(account: &Account, folders: &[MusicFolder], profiles: &[ClientProfile]) -> String {
    let roles = account.roles;
    let may = [
        (account.admin, "admin"),
        (roles.stream, "stream"),
        (roles.download, "download"),
        (roles.playlist, "playlist"),
        (roles.share, "share"),
    ];
    let may: Vec<&str> = may.into_iter().filter(|(has, _)| *has).map(|(_, word)| word).collect();
    let mut parts =
        vec![printable(&account.name), if may.is_empty() { "nothing".into() } else { may.join(" ") }];
    parts.push(match &account.folders {
        None => "all folders".to_owned(),
        Some(reached) if reached.is_empty() => "no folder".to_owned(),
        Some(reached) => {
            let path = |id: &i64| folders.iter().find(|folder| folder.id == *id).map(|folder| &folder.path);
            let paths = reached.iter().filter_map(path).map(|p| path_from_text(p).display().to_string());
            paths.map(|path| printable(&path)).collect::<Vec<_>>().join(", ")
        }
    });
    if account.max_bit_rate > 0 {
        parts.push(format!("at most {} kbit/s", account.max_bit_rate));
    }
    parts.extend(profiles.iter().map(|profile| {
        let client = if profile.client.is_empty() { "*".to_owned() } else { printable(&profile.client) };
        let rate =
            if profile.max_bit_rate > 0 { format!("-{}", profile.max_bit_rate) } else { String::new() };
        format!("{client}: {}{rate}", printable(&profile.format))
    }));
    parts.join("  ")
}
