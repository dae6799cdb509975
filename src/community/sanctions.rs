//! What moderators did to a member, and what they note about one. Time-outs are in `time_outs.rs`,
//! bans in `bans.rs`.

use sqlx::FromRow;

use super::access_store::hold_member;
use super::actor::actor;
use super::permissions::{READ as READ_SPACE, TIME_OUT};
use super::{Access, Community, Scope};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::text::{check_short_text, normalize_optional_line};
use crate::engine::Engine;
use crate::{id, text_enum};

id!(
    /// A sanction in the history of a member.
    SanctionId
);
id!(
    /// A note about a member.
    NoteId
);

/// Graphemes of the reason of a time-out, removal or ban.
pub(super) const MAX_REASON_CHARS: usize = 300;
/// Graphemes of a note.
const MAX_NOTE_CHARS: usize = 1000;
/// Sanctions, and notes, that a member's page shows.
const MAX_HISTORY: i64 = 100;
/// Notes about one member.
const MAX_NOTES: i64 = 100;

/// What was done to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SanctionKind {
    /// May only read for a while.
    TimeOut,
    /// Was removed, and may come back.
    Removal,
    /// Was removed, and may not come back.
    Ban,
}

text_enum!(SanctionKind {
    TimeOut = "time-out",
    Removal = "removal",
    Ban = "ban",
});

/// A sanction, for the page of a member.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Sanction {
    kind: SanctionKind,
    /// The name of who did it; `None` when their account is gone.
    pub(super) by: Option<String>,
    pub(super) reason: String,
    pub(super) at: Micros,
    /// `None`: has no end.
    pub(super) until: Option<Micros>,
    pub(super) ended_at: Option<Micros>,
}

impl Sanction {
    /// The message key of its name.
    pub(super) fn label(&self) -> &'static str {
        Self::label_of(self.kind)
    }

    /// That of any sanction of a kind.
    pub(super) fn label_of(kind: SanctionKind) -> &'static str {
        match kind {
            SanctionKind::TimeOut => "sanction-time-out",
            SanctionKind::Removal => "sanction-removal",
            SanctionKind::Ban => "sanction-ban",
        }
    }
}

/// A note about a member.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Note {
    /// The name of who wrote it; `None` when their account is gone.
    pub(super) by: Option<String>,
    pub(super) body: String,
    pub(super) at: Micros,
}

/// Time-outs, bans, and the history of members. Cheap to clone.
#[derive(Clone)]
pub struct Sanctions {
    pub(super) engine: Engine,
    pub(super) access: Access,
}

/// A reason as it is stored.
///
/// # Errors
/// `Invalid` when it is too long.
pub(super) fn check_reason(text: &str) -> Result<String> {
    let mut check = Check::default();
    let reason = normalize_optional_line(text);
    check_short_text(&reason, "reason", MAX_REASON_CHARS, &mut check);
    check.done()?;
    Ok(reason)
}

/// Adds a sanction to a member's history, in the transaction in which it is imposed.
pub(super) async fn insert(
    tx: &mut Tx,
    kind: SanctionKind,
    (by, space, account): (AccountId, SpaceId, AccountId),
    reason: &str,
    until: Option<Micros>,
) -> Result<()> {
    insert_row(tx, kind, (Some(by), space, account), reason, until).await
}

/// The same for a sanction that a rule of the space imposes; its name is the reason.
pub(super) async fn insert_by_rule(
    tx: &mut Tx,
    kind: SanctionKind,
    (space, account): (SpaceId, AccountId),
    rule: &str,
    until: Option<Micros>,
) -> Result<()> {
    insert_row(tx, kind, (None, space, account), rule, until).await
}

async fn insert_row(
    tx: &mut Tx,
    kind: SanctionKind,
    (by, space, account): (Option<AccountId>, SpaceId, AccountId),
    reason: &str,
    until: Option<Micros>,
) -> Result<()> {
    const INSERT: &str = "INSERT INTO sanctions \
        (id, space_id, account_id, kind, by_id, reason, at, until) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let now = Micros::now();
    let row = (
        SanctionId::new(),
        space,
        account,
        kind,
        by,
        reason,
        now,
        until,
    );
    tx.execute(INSERT, row).await?;
    Ok(())
}

/// Marks the sanctions of a kind that are in force as taken back.
pub(super) async fn end(
    tx: &mut Tx,
    kind: SanctionKind,
    space: SpaceId,
    account: AccountId,
) -> Result<()> {
    const END: &str = "UPDATE sanctions SET ended_at = $4 WHERE account_id = $2 \
        AND space_id = $1 AND kind = $3 AND ended_at IS NULL AND (until IS NULL OR until > $4)";
    tx.execute(END, (space, account, kind, Micros::now()))
        .await?;
    Ok(())
}

/// Checks in a transaction that `by` stands above a member. The space's row is locked.
///
/// # Errors
/// `Forbidden` for who stands as high, `NotFound` for who is no member.
pub(super) async fn check_above(
    tx: &mut Tx,
    access: &Access,
    (by, space, account): (AccountId, SpaceId, AccountId),
) -> Result<super::Member> {
    let actor = actor(tx, &access.declared, space, by).await?;
    let (member, rules) = hold_member(tx, &access.declared, space, account).await?;
    actor.check_above(rules.rank(&member))?;
    Ok(member)
}

impl Community {
    /// Checks in a transaction that `by` stands above another member of a space, as whoever does
    /// something to somebody has to. The space's row is locked.
    ///
    /// # Errors
    /// `Forbidden` for who stands as high, `NotFound` for who is no member.
    pub async fn check_above(
        &self,
        tx: &mut Tx,
        people: (AccountId, SpaceId, AccountId),
    ) -> Result<()> {
        check_above(tx, &self.access, people).await.map(drop)
    }
}

impl Sanctions {
    /// What was done to an account in a space, newest first, at most a hundred; for who may time
    /// members out, and for the account itself.
    ///
    /// # Errors
    /// `Forbidden` for others.
    pub(super) async fn history(
        &self,
        viewer: AccountId,
        space: SpaceId,
        account: AccountId,
    ) -> Result<Vec<Sanction>> {
        const READ: &str = "SELECT s.kind, a.name AS \"by\", s.reason, s.at, s.until, s.ended_at \
            FROM sanctions s LEFT JOIN accounts a ON a.id = s.by_id \
            WHERE s.account_id = $1 AND s.space_id = $2 ORDER BY s.id DESC LIMIT $3";
        let needed = if viewer == account {
            &READ_SPACE
        } else {
            &TIME_OUT
        };
        let scope = Scope::Space(space);
        self.access.permit(viewer, needed, scope).await?;
        let db = &self.engine.db;
        db.all(READ, (account, space, MAX_HISTORY)).await
    }

    /// The notes about an account in a space, newest first, at most a hundred.
    ///
    /// # Errors
    /// As [`history`](Self::history).
    pub(super) async fn notes(
        &self,
        viewer: AccountId,
        space: SpaceId,
        account: AccountId,
    ) -> Result<Vec<Note>> {
        const READ: &str = "SELECT a.name AS \"by\", n.body, n.at FROM member_notes n \
            LEFT JOIN accounts a ON a.id = n.by_id \
            WHERE n.account_id = $1 AND n.space_id = $2 ORDER BY n.id DESC LIMIT $3";
        let scope = Scope::Space(space);
        self.access.permit(viewer, &TIME_OUT, scope).await?;
        let db = &self.engine.db;
        db.all(READ, (account, space, MAX_HISTORY)).await
    }

    /// Adds a note about a member.
    ///
    /// # Errors
    /// `Invalid` for an empty or long one, `Conflict` at a hundred, `NotFound` for who is no
    /// member.
    pub(super) async fn add_note(
        &self,
        by: AccountId,
        space: SpaceId,
        account: AccountId,
        body: &str,
    ) -> Result<()> {
        let mut check = Check::default();
        let body = normalize_optional_line(body);
        check.that(!body.is_empty(), "note", "error-note-empty", 0);
        check_short_text(&body, "note", MAX_NOTE_CHARS, &mut check);
        check.done()?;
        let access = self.access.clone();
        let write = async move |tx: &mut Tx| {
            const COUNT: &str = "SELECT COUNT(*) FROM member_notes \
                WHERE account_id = $1 AND space_id = $2";
            const INSERT: &str = "INSERT INTO member_notes \
                (id, space_id, account_id, by_id, body, at) VALUES ($1, $2, $3, $4, $5, $6)";
            hold_member(tx, &access.declared, space, account).await?;
            let count: i64 = tx.scalar(COUNT, (account, space)).await?;
            if count >= MAX_NOTES {
                return Err(Error::Conflict("error-notes-full"));
            }
            let row = (NoteId::new(), space, account, by, &body, Micros::now());
            tx.execute(INSERT, row).await?;
            Ok(())
        };
        self.access
            .permitted_write(by, &TIME_OUT, Scope::Space(space), write)
            .await
    }
}
