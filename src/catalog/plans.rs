//! What plans there are, and which of them an account has. Who has none of its own, not yet, or not any more has the usual one.

use super::apply::sql_int;
use super::rows::number;
use super::sql::{self, FromRow as _, again};
use super::{Catalog, CatalogError};
use crate::music::{AccountId, AdRules, Plan};

/// A plan as it is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedPlan {
    /// What it gives and asks, without an end.
    pub plan: Plan,
    /// Whether it is that of every account without another.
    pub usual: bool,
}

/// A plan that an account was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenPlan {
    /// What it gives and asks, with its end.
    pub plan: Plan,
    /// When it begins, Unix time in ms.
    pub starts_at: i64,
}

/// The plans of one account over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The one that it was given.
    pub given: Option<GivenPlan>,
    /// The one before and after that.
    pub usual: Plan,
}

impl Standing {
    /// The plan at a moment, Unix time in ms.
    pub fn at(&self, now: i64) -> &Plan {
        let given = self.given.as_ref();
        let stands = given.filter(|g| g.starts_at <= now && g.plan.ends_at.is_none_or(|end| now < end));
        stands.map_or(&self.usual, |given| &given.plan)
    }
}

impl sql::FromRow for OfferedPlan {
    fn from_row(row: &sql::Row) -> Result<Self, sql::Error> {
        let every_ms = number(row, "ads_every_ms")?;
        let rules = AdRules {
            every_ms,
            at_once: number::<u32>(row, "ads_at_once")?.max(1),
            inside_albums: row.try_get("ads_inside_albums")?,
        };
        let plan = Plan {
            name: row.try_get("name")?,
            ends_at: None,
            price: row.try_get("price")?,
            upgrade: row.try_get("upgrade")?,
            max_bit_rate: number(row, "max_bit_rate")?,
            offline: row.try_get("offline")?,
            skips_per_hour: number(row, "skips_per_hour")?,
            streams: number(row, "streams")?,
            ads: (every_ms > 0).then_some(rules),
        };
        Ok(Self { plan, usual: row.try_get("usual")? })
    }
}

impl Catalog {
    /// All plans, the usual one first.
    pub async fn plans(&self) -> Result<Vec<OfferedPlan>, CatalogError> {
        let sql = "SELECT * FROM plans ORDER BY usual DESC, name";
        Ok(sql::query_as(sql).fetch_all(&self.all).await?)
    }

    /// Writes down what a plan gives and asks: a new one, or another word of the one of its name. Accounts that have it have
    /// it so at once.
    pub async fn put_plan(&self, plan: &Plan) -> Result<(), CatalogError> {
        sql::query(
            "INSERT INTO plans (name, usual, price, upgrade, max_bit_rate, offline, skips_per_hour, streams, ads_every_ms, \
             ads_at_once, ads_inside_albums) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             ON CONFLICT (name) DO UPDATE SET price = excluded.price, upgrade = excluded.upgrade, \
             max_bit_rate = excluded.max_bit_rate, offline = excluded.offline, \
             skips_per_hour = excluded.skips_per_hour, streams = excluded.streams, \
             ads_every_ms = excluded.ads_every_ms, ads_at_once = excluded.ads_at_once, \
             ads_inside_albums = excluded.ads_inside_albums",
        )
        .bind(&plan.name)
        .bind(false)
        .bind(&plan.price)
        .bind(&plan.upgrade)
        .bind(i64::from(plan.max_bit_rate))
        .bind(plan.offline)
        .bind(i64::from(plan.skips_per_hour))
        .bind(i64::from(plan.streams))
        .bind(plan.ads.map_or(0, |ads| sql_int(ads.every_ms)))
        .bind(plan.ads.map_or(0, |ads| i64::from(ads.at_once)))
        .bind(plan.ads.is_some_and(|ads| ads.inside_albums))
        .execute(self.writer())
        .await?;
        Ok(())
    }

    /// Makes a plan the usual one.
    pub async fn set_usual_plan(&self, name: &str) -> Result<(), CatalogError> {
        again!({
            let mut tx = self.write().await?;
            let known: i64 = sql::query_scalar("SELECT COUNT(*) FROM plans WHERE name = $1")
                .bind(name)
                .fetch_one(&mut *tx)
                .await?;
            if known == 0 {
                return Err(CatalogError::not_found("plan", name));
            }
            sql::query("UPDATE plans SET usual = (name = $1)").bind(name).execute(&mut *tx).await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// Removes a plan that nobody has: neither the usual one nor one that an account was given.
    pub async fn remove_plan(&self, name: &str) -> Result<(), CatalogError> {
        again!({
            let mut tx = self.write().await?;
            let usual: Option<bool> = sql::query_scalar("SELECT usual FROM plans WHERE name = $1")
                .bind(name)
                .fetch_optional(&mut *tx)
                .await?;
            match usual {
                None => return Err(CatalogError::not_found("plan", name)),
                Some(true) => {
                    let why = format!("“{name}” is the usual plan: make another one that first");
                    return Err(CatalogError::Invalid(why));
                }
                Some(false) => {}
            }
            let given: i64 = sql::query_scalar("SELECT COUNT(*) FROM account_plans WHERE plan = $1")
                .bind(name)
                .fetch_one(&mut *tx)
                .await?;
            if given > 0 {
                let why =
                    format!("{given} accounts were given the plan “{name}”: give them another one first");
                return Err(CatalogError::Invalid(why));
            }
            sql::query("DELETE FROM plans WHERE name = $1").bind(name).execute(&mut *tx).await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// Gives an account a plan from one moment to another (Unix time in ms), in the place of the one that it was given before.
    pub async fn give_plan(
        &self,
        account: &AccountId,
        plan: &str,
        starts_at: i64,
        ends_at: Option<i64>,
    ) -> Result<(), CatalogError> {
        again!({
            let mut tx = self.write().await?;
            for (sql, what, id) in [
                ("SELECT COUNT(*) FROM plans WHERE name = $1", "plan", plan),
                ("SELECT COUNT(*) FROM accounts WHERE id = $1", "account", account.as_str()),
            ] {
                let known: i64 = sql::query_scalar(sql).bind(id).fetch_one(&mut *tx).await?;
                if known == 0 {
                    return Err(CatalogError::not_found(what, id));
                }
            }
            sql::query(
                "INSERT INTO account_plans (account_id, plan, starts_at, ends_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (account_id) DO UPDATE SET plan = excluded.plan, starts_at = excluded.starts_at, \
                 ends_at = excluded.ends_at",
            )
            .bind(account.as_str())
            .bind(plan)
            .bind(starts_at)
            .bind(ends_at)
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// Takes back the plan that an account was given, so that it has the usual one.
    pub async fn take_plan(&self, account: &AccountId) -> Result<(), CatalogError> {
        let sql = "DELETE FROM account_plans WHERE account_id = $1";
        sql::query(sql).bind(account.as_str()).execute(self.writer()).await?;
        Ok(())
    }

    /// The plans of an account.
    pub async fn standing(&self, account: &AccountId) -> Result<Standing, CatalogError> {
        let sql = "SELECT p.*, g.starts_at AS starts_at, g.ends_at AS ends_at FROM plans p \
                   LEFT JOIN account_plans g ON g.plan = p.name AND g.account_id = $1 \
                   WHERE p.usual = TRUE OR g.account_id IS NOT NULL";
        let rows = sql::query(sql).bind(account.as_str()).fetch_all(&self.all).await?;
        let mut standing = Standing { given: None, usual: Plan::default() };
        for row in &rows {
            let OfferedPlan { plan, usual } = OfferedPlan::from_row(row)?;
            if let Some(starts_at) = row.try_get::<Option<i64>, _>("starts_at")? {
                let plan = Plan { ends_at: row.try_get("ends_at")?, ..plan.clone() };
                standing.given = Some(GivenPlan { plan, starts_at });
            }
            if usual {
                standing.usual = plan;
            }
        }
        Ok(standing)
    }
}
