//! `segue users`: the accounts of a server, changed in its database while it runs or not.

use std::path::Path;
use std::process::ExitCode;

use super::CliError;
use super::args::Users;
use super::login::ask_password;
use crate::catalog::Catalog;
use crate::music::printable;
use crate::server::{accounts, catalog_file};

/// Carries out one action.
pub(super) async fn run(data: &Path, action: Users) -> Result<ExitCode, CliError> {
    let file = catalog_file(data);
    if !file.is_file() {
        let no_data = format!("there is no server's data in {}: `segue serve` makes it", data.display());
        return Err(CliError::Wrong(no_data));
    }
    let catalog = Catalog::open(&file).await?;
    let deed = match action {
        Users::Add { name, admin, .. } => {
            let password = ask_password(&format!("Password of {name}: "))?;
            accounts::add(&catalog, &name, &password, admin).await?;
            println!("Account `{name}` was made.");
            Some(("account added", name))
        }
        Users::List => {
            for account in accounts::list(&catalog).await? {
                println!("{}{}", printable(&account.name), if account.admin { "  (admin)" } else { "" });
            }
            None
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
            println!("{}", accounts::new_app_password(&catalog, data, &name, &label).await?);
            Some(("app password made", name))
        }
        Users::Keys { name } => {
            for key in accounts::credentials(&catalog, &name).await? {
                let used = key.used_at.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
                let used = used.map_or_else(|| "never used".to_owned(), |at| format!("last used {at}"));
                println!("{}  {}  {used}", key.id, printable(&key.name));
            }
            None
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
