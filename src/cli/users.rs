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
    match action {
        Users::Add { name, admin, .. } => {
            let password = ask_password(&format!("Password of {name}: "))?;
            accounts::add(&catalog, &name, &password, admin).await?;
            println!("Account `{name}` was made.");
        }
        Users::List => {
            for account in accounts::list(&catalog).await? {
                println!("{}{}", printable(&account.name), if account.admin { "  (admin)" } else { "" });
            }
        }
        Users::Password { name } => {
            let password = ask_password(&format!("New password of {name}: "))?;
            accounts::set_password(&catalog, &name, &password).await?;
            println!("The password of `{name}` was changed.");
        }
        Users::Key { name, label } => println!("{}", accounts::new_api_key(&catalog, &name, &label).await?),
        Users::AppPassword { name, label } => {
            println!("{}", accounts::new_app_password(&catalog, data, &name, &label).await?);
        }
        Users::Keys { name } => {
            for key in accounts::credentials(&catalog, &name).await? {
                let used = key.used_at.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
                let used = used.map_or_else(|| "never used".to_owned(), |at| format!("last used {at}"));
                println!("{}  {}  {used}", key.id, printable(&key.name));
            }
        }
        Users::Revoke { name, id } => {
            accounts::revoke(&catalog, &name, &id).await?;
            println!("It is revoked.");
        }
        Users::Remove { name } => {
            accounts::remove(&catalog, &name).await?;
            println!("Account `{name}` and everything that belonged to it is gone.");
        }
    }
    Ok(ExitCode::SUCCESS)
}
