//! `segue account`: what a server keeps of a person, a copy of it, and its end.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use jiff::Timestamp;

use super::CliError;
use super::args::{Account as Action, Data, Switch};
use super::train::open;
use crate::catalog::{Account, Catalog, PERSONAL, Scoured};
use crate::music::{Purpose, counted, printable};
use crate::server::{accounts, privacy};

/// Whose deed it is in the audit log.
const OPERATOR: &str = "command line";

/// Carries out one action.
pub(super) async fn run(action: Action) -> Result<ExitCode, CliError> {
    match action {
        Action::Privacy { name, profiling, allow, forbid, data } => {
            let (catalog, account) = found(&data, &name).await?;
            decide(&catalog, &account, profiling, &allow, &forbid).await?;
            note(&catalog, "privacy read", &account).await?;
            show(&catalog, &account).await?;
        }
        Action::Export { name, out, data } => {
            let (catalog, account) = found(&data, &name).await?;
            note(&catalog, "data exported", &account).await?;
            let who = privacy::Who { id: account.id, name: account.name };
            let size = privacy::export_to(&catalog, &who, &out).await?;
            println!(
                "{} has everything that is kept of {} ({size} bytes); its README.txt says what is what.",
                out.display(),
                printable(&who.name)
            );
        }
        Action::Erase { name, now, cancel, yes, keep, data } => {
            let (catalog, account) = found(&data, &name).await?;
            if cancel {
                privacy::take_back(&catalog, &account).await?;
                note(&catalog, "erasure taken back", &account).await?;
                println!("`{}` stays.", printable(&name));
                return Ok(ExitCode::SUCCESS);
            }
            if now {
                confirm(&account, yes)?;
                let receipt = privacy::erase(&catalog, &data.data, &account, &keep.days()).await?;
                accounts::note(&catalog, OPERATOR, "here", "account erased", &receipt.tombstone).await?;
                println!("{receipt}");
                if receipt.overwritten == Scoured::Busy {
                    println!(
                        "Somebody reads the database: `segue account tidy` overwrites what is left of it later."
                    );
                }
                return Ok(ExitCode::SUCCESS);
            }
            let at =
                privacy::wish(&catalog, &account, &keep.days(), Timestamp::now().as_millisecond()).await?;
            note(&catalog, "erasure asked for", &account).await?;
            println!(
                "`{}` is closed, and will be erased at {}. `segue account erase --cancel` takes that back until then.",
                printable(&name),
                time(at)
            );
        }
        Action::Audit { name, lines, data } => {
            let catalog = open(&data).await?;
            // Looking is a deed, too; of who is gone nothing is begun anew.
            if let Some(account) = catalog.account_named(&name).await? {
                note(&catalog, "audit read", &account).await?;
            }
            for deed in catalog.deeds_about(&name, lines).await? {
                let said =
                    [&deed.account, &deed.address, &deed.deed, &deed.subject].map(|part| printable(part));
                println!("{}  {}", time(deed.at), said.join("  "));
            }
        }
        Action::Tidy { keep, data } => {
            let catalog = open(&data).await?;
            let now = Timestamp::now().as_millisecond();
            let done = privacy::tidy(&catalog, &data.data, &keep.days(), now).await?;
            for receipt in &done.receipts {
                println!("{receipt}");
            }
            for (table, count) in &done.expired {
                println!("{count} rows of {table} were older than their limit");
            }
            println!("{} removed", counted(done.copies as u64, "old backup"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn found(data: &Data, name: &str) -> Result<(Catalog, Account), CliError> {
    let catalog = open(data).await?;
    let account = catalog.account_named(name).await?;
    let account =
        account.ok_or_else(|| CliError::Wrong(format!("there is no account “{}”", printable(name))))?;
    Ok((catalog, account))
}

async fn note(catalog: &Catalog, deed: &str, account: &Account) -> Result<(), CliError> {
    Ok(accounts::note(catalog, OPERATOR, "here", deed, &account.name).await?)
}

fn time(at: i64) -> String {
    format!("{:.0}", Timestamp::from_millisecond(at).unwrap_or_default())
}

fn confirm(account: &Account, yes: bool) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(CliError::Wrong("this cannot be undone: say --yes where nobody can be asked".into()));
    }
    print!("Everything of `{}` will be gone for good. Type the name to go on: ", printable(&account.name));
    std::io::stdout().flush()?;
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed)?;
    if typed.trim_end_matches(['\n', '\r']) == account.name {
        Ok(())
    } else {
        Err(CliError::Wrong("that is another name; nothing was erased".into()))
    }
}

async fn decide(
    catalog: &Catalog,
    account: &Account,
    profiling: Option<Switch>,
    allow: &[String],
    forbid: &[String],
) -> Result<(), CliError> {
    let listener = catalog.listener(&account.id);
    let mut wanted: Vec<(Purpose, bool)> =
        profiling.map(|switch| (Purpose::Personalisation, switch == Switch::On)).into_iter().collect();
    for (words, on) in [(allow, true), (forbid, false)] {
        for word in words {
            let purpose = Purpose::of(word).ok_or_else(|| {
                let known = Purpose::ALL.map(Purpose::word).join(", ");
                CliError::Wrong(format!("“{}” is no purpose: {known}", printable(word)))
            })?;
            wanted.push((purpose, on));
        }
    }
    for (purpose, on) in wanted {
        listener.decide(purpose, on, Purpose::TEXT_VERSION).await?;
        note(catalog, &format!("{} turned {}", purpose.word(), if on { "on" } else { "off" }), account)
            .await?;
    }
    Ok(())
}

/// What is kept and why, what is allowed, and when that was decided.
async fn show(catalog: &Catalog, account: &Account) -> Result<(), CliError> {
    let profiled = catalog.allows(&account.id, Purpose::Personalisation).await?;
    println!(
        "{}: {}",
        printable(&account.name),
        if profiled {
            "mixes are made, and others' mixes learn from the plays"
        } else {
            "nothing is made of the plays"
        }
    );
    if let Some(at) = account.erase_at {
        println!("closed; to be erased at {}", time(at));
    }
    let consents = catalog.consents(&account.id).await?;
    for purpose in Purpose::ALL {
        let on = catalog.allows(&account.id, purpose).await?;
        let last = consents.iter().rev().find(|consent| consent.purpose == purpose);
        let since = last.map_or_else(
            || format!("as it comes; ground: {}", purpose.basis()),
            |last| format!("decided {} (text {})", time(last.at), last.version),
        );
        println!(
            "  {:<15} {:<3}  {:<28} {since}",
            purpose.word(),
            if on { "on" } else { "off" },
            purpose.title()
        );
    }
    println!("kept:");
    for (table, count) in catalog.personal_counts(&account.id).await? {
        let about =
            PERSONAL.iter().find(|personal| personal.table == table).map_or("", |personal| personal.about);
        println!("  {count:>8}  {about}");
    }
    Ok(())
}
