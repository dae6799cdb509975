//! The SQL of rules, one function per query.

use sqlx::FromRow;

use super::model::{Condition, Rule, RuleAction, RuleId};
use super::presets::presets;
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::screening::Count;

/// Counts that one transaction deletes.
const MAX_DELETED_COUNTS: i64 = 1000;

#[derive(FromRow)]
struct Row {
    id: RuleId,
    name: String,
    enabled: bool,
    condition: String,
    action: RuleAction,
    time_out: i64,
    exempt_roles: String,
    rooms: String,
}

fn ids<I: std::str::FromStr>(text: &str) -> Vec<I> {
    let ids = text.split_ascii_whitespace();
    ids.filter_map(|id| id.parse().ok()).collect()
}

fn text_of<I: std::fmt::Display>(ids: &[I]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.join(" ")
}

impl TryFrom<Row> for Rule {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let condition: Condition =
            serde_json::from_str(&row.condition).map_err(anyhow::Error::new)?;
        Ok(Self {
            id: row.id,
            name: row.name,
            enabled: row.enabled,
            condition,
            action: row.action,
            time_out: row.time_out,
            exempt_roles: ids(&row.exempt_roles),
            rooms: ids(&row.rooms),
        })
    }
}

const READ: &str = "SELECT id, name, enabled, condition, action, time_out, exempt_roles, rooms \
    FROM rules WHERE space_id = $1 ORDER BY id";
const IS_SET: &str = "SELECT EXISTS (SELECT 1 FROM rule_sets WHERE space_id = $1)";

/// The rules of a space, oldest first: the program's own until somebody changes them.
pub(super) async fn rules_of(db: &Db, space: SpaceId) -> Result<Vec<Rule>> {
    if !db.scalar::<bool>(IS_SET, (space,)).await? {
        return Ok(presets());
    }
    let rows: Vec<Row> = db.all(READ, (space,)).await?;
    rows.into_iter().map(Rule::try_from).collect()
}

/// The same in a transaction that changes them and holds the space's row: from then on the space
/// has rules of its own.
pub(super) async fn own_rules(tx: &mut Tx, space: SpaceId) -> Result<Vec<Rule>> {
    const OWN: &str = "INSERT INTO rule_sets (space_id) VALUES ($1) ON CONFLICT DO NOTHING";
    if tx.execute(OWN, (space,)).await? > 0 {
        for rule in presets() {
            let preset = rule.id.0;
            let rule = Rule {
                id: RuleId::new(),
                ..rule
            };
            insert(tx, space, &rule, Some(preset)).await?;
        }
    }
    let rows: Vec<Row> = tx.all(READ, (space,)).await?;
    rows.into_iter().map(Rule::try_from).collect()
}

/// The id that a rule has now, which may have been named by the number of its preset.
pub(super) async fn find_id(tx: &mut Tx, space: SpaceId, rule: RuleId) -> Result<RuleId> {
    const FIND: &str = "SELECT id FROM rules WHERE space_id = $1 AND (id = $2 OR preset = $2)";
    let found = tx.optional_scalar(FIND, (space, rule)).await?;
    found.ok_or(Error::NotFound)
}

/// Inserts a rule under its id.
pub(super) async fn insert(
    tx: &mut Tx,
    space: SpaceId,
    rule: &Rule,
    preset: Option<i64>,
) -> Result<()> {
    const INSERT: &str = "INSERT INTO rules (id, space_id, preset, name, enabled, condition, \
        action, time_out, exempt_roles, rooms, changed_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let row = (
        rule.id,
        space,
        preset,
        &rule.name,
        rule.enabled,
        stored(&rule.condition)?,
        rule.action,
        rule.time_out,
        text_of(&rule.exempt_roles),
        text_of(&rule.rooms),
        Micros::now(),
    );
    tx.execute(INSERT, row).await?;
    Ok(())
}

fn stored(condition: &Condition) -> Result<String> {
    Ok(serde_json::to_string(condition).map_err(anyhow::Error::new)?)
}

/// Replaces all of a rule but its id.
pub(super) async fn update(tx: &mut Tx, space: SpaceId, rule: &Rule) -> Result<()> {
    const UPDATE: &str = "UPDATE rules SET name = $3, enabled = $4, condition = $5, action = $6, \
        time_out = $7, exempt_roles = $8, rooms = $9, changed_at = $10 \
        WHERE id = $1 AND space_id = $2";
    let row = (
        rule.id,
        space,
        &rule.name,
        rule.enabled,
        stored(&rule.condition)?,
        rule.action,
        rule.time_out,
        text_of(&rule.exempt_roles),
        text_of(&rule.rooms),
        Micros::now(),
    );
    tx.execute(UPDATE, row).await?;
    Ok(())
}

/// Deletes a rule.
pub(super) async fn delete(tx: &mut Tx, space: SpaceId, rule: RuleId) -> Result<()> {
    const DELETE: &str = "DELETE FROM rules WHERE id = $1 AND space_id = $2";
    tx.execute(DELETE, (rule, space)).await?;
    Ok(())
}

/// Counts one more of an account's, and says how many there are since the first, and when counting
/// begins again.
pub(super) async fn count(
    tx: &mut Tx,
    space: SpaceId,
    author: AccountId,
    one: &Count,
    now: Micros,
) -> Result<(i64, Micros)> {
    const COUNT: &str = "INSERT INTO rule_counts \
        (space_id, rule_id, account_id, topic, ends_at, count) VALUES ($1, $2, $3, $4, $5, 1) \
        ON CONFLICT (space_id, rule_id, account_id, topic) DO UPDATE SET \
        count = CASE WHEN rule_counts.ends_at <= $6 THEN 1 ELSE rule_counts.count + 1 END, \
        ends_at = CASE WHEN rule_counts.ends_at <= $6 THEN $5 ELSE rule_counts.ends_at END \
        RETURNING count, ends_at";
    let ends_at = now.plus(one.window);
    let fields = (space, one.rule, author, one.topic, ends_at, now);
    tx.one(COUNT, fields).await
}

/// Deletes counts that are over.
pub(super) async fn delete_old_counts(db: &Db) -> Result<()> {
    const DELETE: &str = "DELETE FROM rule_counts WHERE (space_id, rule_id, account_id, topic) IN \
        (SELECT space_id, rule_id, account_id, topic FROM rule_counts WHERE ends_at <= $1 \
        ORDER BY ends_at LIMIT $2)";
    loop {
        let write = db.write_queued(async move |tx| {
            tx.execute(DELETE, (Micros::now(), MAX_DELETED_COUNTS))
                .await
        });
        if write.await? < MAX_DELETED_COUNTS as u64 {
            return Ok(());
        }
    }
}
