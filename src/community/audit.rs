//! The audit log: every administrative act in a space or on the server, with who did what to whom,
//! and what it was before and after. Rows are written in the transaction of the act; the database
//! refuses to change or delete them.

use serde_json::Value;

use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::id;

id!(
    /// An entry of the audit log.
    AuditId
);

/// An administrative act, for [`record`].
pub struct Act<'a> {
    /// Where; `None` for the whole server.
    pub space: Option<SpaceId>,
    /// Who; `None` for the server itself.
    pub actor: Option<AccountId>,
    /// `noun.past-tense-verb`, such as `member.banned`; pages show the message `act-<noun>-<verb>`.
    pub act: &'static str,
    /// The account, room, role … it was done to.
    pub subject: Option<i64>,
    /// What that was called then; empty for accounts, which are shown by their present name.
    pub name: &'a str,
    /// What was there before; `Null` for nothing.
    pub before: Value,
    /// What is there now.
    pub after: Value,
}

/// Adds an act to the log, in the transaction in which it is done.
///
/// # Errors
/// The database's.
pub async fn record(tx: &mut Tx, act: Act<'_>) -> Result<()> {
    const INSERT: &str = "INSERT INTO audit_log \
        (id, space_id, actor_id, act, subject_id, subject, before, after, at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        value => value.to_string(),
    };
    let row = (
        AuditId::new(),
        act.space,
        act.actor,
        act.act,
        act.subject,
        act.name,
        text(&act.before),
        text(&act.after),
        Micros::now(),
    );
    tx.execute(INSERT, row).await?;
    Ok(())
}
