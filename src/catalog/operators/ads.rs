//! What became of tickets for ads.

use super::{Kind, Scope, Table, Value};
use crate::catalog::{Catalog, CatalogError};
use crate::music::calendar::DAY_MS;

/// By campaign, of tickets that were given on these days. Whoever hears ads hears them by their plan, whatever they agreed to, so
/// everybody counts here; a campaign that fewer than the smallest group heard on every day is left out.
pub(super) async fn table(catalog: &Catalog, scope: Scope, today: i64) -> Result<Table, CatalogError> {
    let about = "Tickets that were given, and what became of them. Listeners are the most on any one day, in whole steps \
                 of the smallest group.";
    let columns = [
        ("campaign", "Campaign", Kind::Text),
        ("tickets", "Tickets", Kind::Whole),
        ("delivered", "Delivered", Kind::Whole),
        ("skipped", "Left early", Kind::Whole),
        ("expired", "Expired", Kind::Whole),
        ("listeners", "Listeners", Kind::Whole),
    ];
    let mut table = Table::new("ads", "Ads", about, &columns);
    for (campaign, counts) in catalog.ad_counts(today * DAY_MS).await? {
        let days = || counts.days.range(scope.since..scope.until).map(|(_, count)| count);
        let most = days().map(|count| count.listeners).max().unwrap_or(0);
        if most < scope.k {
            continue;
        }
        let sum = |of: fn(&crate::catalog::AdCount) -> u64| {
            Value::Whole(i64::try_from(days().map(of).sum::<u64>()).unwrap_or(i64::MAX))
        };
        table.rows.push(vec![
            Value::Text(campaign),
            sum(|count| count.tickets),
            sum(|count| count.delivered),
            sum(|count| count.skipped),
            sum(|count| count.expired),
            scope.step(most),
        ]);
    }
    Ok(table)
}
