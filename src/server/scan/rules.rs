//! Smart playlists that lie among the music as Navidrome's `.nsp` files. They belong to the first administrator and are worked
//! out by that account's stars and plays.

use super::{ScanError, ScanReport, readers, walk::Seen};
use crate::catalog::{Catalog, FileKind, FileStep, NamedRules};
use crate::music::AccountId;
use crate::server::storage::{Source, Storage};

/// Longest file that is taken for rules.
const LONGEST: u64 = 1 << 20;

/// Reads files of rules; what is wrong with one is kept with it and reported.
pub(super) async fn import(
    catalog: &Catalog,
    storage: &Storage,
    rules: Vec<Seen>,
    report: &mut ScanReport,
) -> Result<(), ScanError> {
    if rules.is_empty() {
        return Ok(());
    }
    let owner = catalog.accounts().await?.into_iter().find(|account| account.admin).map(|account| account.id);
    let Some(owner) = owner else {
        let said = "there is no administrator yet whose playlist this could be; it is read again later";
        report.failed.extend(rules.into_iter().map(|seen| (seen.path, said.to_owned())));
        return Ok(());
    };
    let mut step = FileStep::default();
    for seen in rules {
        let source = seen.source(storage);
        let read = one(catalog, &owner, &seen, source.clone()).await?;
        if let Some(trouble) = source.trouble() {
            report.failed.push((seen.path, trouble.to_string()));
            continue;
        }
        let error = match read {
            Ok(remarks) => {
                report.smart += 1;
                report.remarks.extend(remarks.into_iter().map(|remark| (seen.path.clone(), remark)));
                None
            }
            Err(reason) => {
                report.failed.push((seen.path.clone(), reason.clone()));
                // The playlist that the file was before is not what it says now.
                catalog.remove_smart_files(std::slice::from_ref(&seen.path)).await?;
                Some(reason)
            }
        };
        step.files.push(crate::catalog::FileRow { error, ..readers::file_row(&seen, FileKind::Rules, None) });
    }
    catalog.apply_files(&step).await?;
    Ok(())
}

async fn one(
    catalog: &Catalog,
    owner: &AccountId,
    seen: &Seen,
    source: Source,
) -> Result<Result<Vec<String>, String>, ScanError> {
    if seen.size > LONGEST {
        return Ok(Err("this file is too long for rules".to_owned()));
    }
    let read = tokio::task::spawn_blocking(move || source.read(LONGEST)).await;
    let text = match read.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => return Ok(Err(format!("this file cannot be read: {error}"))),
    };
    match NamedRules::parse(&text) {
        Ok(named) => {
            catalog.put_smart_file(owner, &seen.path, &named).await?;
            Ok(Ok(named.remarks))
        }
        Err(reason) => Ok(Err(reason)),
    }
}
