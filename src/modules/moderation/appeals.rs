//! Appeals: who was timed out, removed or banned asks once that moderators look again.

use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::FromRow;

use super::reports::check_words;
use super::topics::QueueChanged;
use super::{Moderation, REVIEW};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{self, AccountId, SpaceId};
use crate::community::audit::{self, Act};
use crate::community::{SanctionId, Scope};
use crate::engine::actions::{Class, Outcome};
use crate::engine::bus::Origin;
use crate::engine::module::Module;
use crate::engine::notices::{NewNotice, NoticeKind, Recipients, ToldAt};
use crate::engine::viewer::Viewer;
use crate::text_enum;

/// Graphemes of an appeal, and of the answer.
const MAX_APPEAL_CHARS: usize = 1000;
/// Appeals that the queue lists.
const MAX_LISTED_APPEALS: i64 = 50;

static APPEAL_LIFTED: NoticeKind = NoticeKind {
    name: "moderation.appeal-lifted",
    line: "notice-appeal-lifted",
    told_at: ToldAt::Every,
};
static APPEAL_UPHELD: NoticeKind = NoticeKind {
    name: "moderation.appeal-upheld",
    line: "notice-appeal-upheld",
    told_at: ToldAt::Every,
};

/// What became of an appeal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum AppealOutcome {
    /// The sanction was taken back.
    Lifted,
    /// It stays.
    Upheld,
}

text_enum!(AppealOutcome {
    Lifted = "lifted",
    Upheld = "upheld",
});

/// An appeal, for who made it and for who reviews it.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Appeal {
    pub(super) sanction_id: SanctionId,
    pub(super) space_id: SpaceId,
    pub(super) account_id: AccountId,
    pub(super) name: String,
    pub(super) words: String,
    pub(super) at: Micros,
    pub(super) resolved_at: Option<Micros>,
    pub(super) outcome: Option<AppealOutcome>,
    pub(super) answer: String,
}

impl Appeal {
    /// The message key of how it stands.
    pub(super) fn state(&self) -> &'static str {
        match self.outcome {
            None => "appeal-state-open",
            Some(AppealOutcome::Lifted) => "appeal-state-lifted",
            Some(AppealOutcome::Upheld) => "appeal-state-upheld",
        }
    }
}

macro_rules! appeal_columns {
    () => {
        "SELECT p.sanction_id, p.space_id, p.account_id, a.name, p.words, p.at, p.resolved_at, \
         p.outcome, p.answer FROM appeals p JOIN accounts a ON a.id = p.account_id "
    };
}

pub(super) fn declare(module: Module<Moderation>) -> Module<Moderation> {
    module
        .notice_kind(&APPEAL_LIFTED)
        .notice_kind(&APPEAL_UPHELD)
        .action(
            "moderation.appeal",
            "Asks moderators once to look again at a time-out, removal or ban",
            Class::Create,
            appeal,
        )
        .action(
            "moderation.resolve-appeal",
            "Takes a sanction back on appeal, or upholds it",
            Class::Write,
            resolve,
        )
}

impl Moderation {
    /// The appeals of a space that are open, or those that are resolved, newest first, at most
    /// fifty. The caller has checked the permission.
    pub(super) async fn appeals(&self, space: SpaceId, resolved: bool) -> Result<Vec<Appeal>> {
        const READ: &str = concat!(
            appeal_columns!(),
            "WHERE p.space_id = $1 AND (p.resolved_at IS NOT NULL) = $2 \
             ORDER BY p.sanction_id DESC LIMIT $3"
        );
        let db = &self.engine.db;
        db.all(READ, (space, resolved, MAX_LISTED_APPEALS)).await
    }

    /// How many appeals of a space are open.
    pub(super) async fn open_appeals(&self, space: SpaceId) -> Result<i64> {
        const COUNT: &str = "SELECT COUNT(*) FROM appeals \
            WHERE space_id = $1 AND resolved_at IS NULL";
        self.engine.db.scalar(COUNT, (space,)).await
    }

    /// The appeal against a sanction, if there is one.
    pub(super) async fn find_appeal(&self, sanction: SanctionId) -> Result<Option<Appeal>> {
        const READ: &str = concat!(appeal_columns!(), "WHERE p.sanction_id = $1");
        self.engine.db.optional(READ, (sanction,)).await
    }

    /// The newest appeal of an account in a space, if it made one.
    pub(super) async fn last_appeal(
        &self,
        account: AccountId,
        space: SpaceId,
    ) -> Result<Option<Appeal>> {
        const READ: &str = concat!(
            appeal_columns!(),
            "WHERE p.account_id = $1 AND p.space_id = $2 ORDER BY p.sanction_id DESC LIMIT 1"
        );
        self.engine.db.optional(READ, (account, space)).await
    }

    /// An appeal, for who reviews it.
    ///
    /// # Errors
    /// `NotFound` for everybody else.
    pub(super) async fn appeal_for(&self, viewer: &Viewer, id: SanctionId) -> Result<Appeal> {
        let appeal = self.find_appeal(id).await?.ok_or(Error::NotFound)?;
        let reviews = self.check_reviewer(viewer.account, Some(appeal.space_id));
        match reviews.await {
            Ok(()) => Ok(appeal),
            Err(Error::Forbidden(_)) => Err(Error::NotFound),
            Err(error) => Err(error),
        }
    }
}

#[derive(Deserialize)]
struct AppealInput {
    space: SpaceId,
    words: String,
}

/// Whoever it was done to may be no member any more: the sanction in force is the permission.
async fn appeal(moderation: Moderation, viewer: Viewer, input: AppealInput) -> Result<Outcome> {
    let words = check_words(&input.words, "words", MAX_APPEAL_CHARS)?;
    if words.is_empty() {
        return Err(Error::field("words", "error-appeal-words"));
    }
    let (own, account, space) = (moderation.clone(), viewer.account, input.space);
    let write = moderation.engine.db.write(async move |tx| {
        const INSERT: &str = "INSERT INTO appeals \
            (sanction_id, space_id, account_id, words, at, answer) \
            VALUES ($1, $2, $3, $4, $5, '') ON CONFLICT (sanction_id) DO NOTHING";
        let sanctions = &own.community.sanctions;
        let sanction = sanctions.hold_in_force(tx, account, space).await?;
        let sanction = sanction.ok_or(Error::NotFound)?.id;
        let row = (sanction, space, account, &words, Micros::now());
        if tx.execute(INSERT, row).await? == 0 {
            return Err(Error::Conflict("error-appealed-already"));
        }
        let (bus, space) = (&own.engine.bus, Some(space));
        let origin = Origin::new(account, space);
        bus.publish_after_commit(tx, origin, QueueChanged { space });
        Ok(())
    });
    write.await?;
    Ok(Outcome::new(Value::Null, format!("/spaces/{space}/appeal")))
}

#[derive(Deserialize)]
struct Resolve {
    appeal: SanctionId,
    outcome: AppealOutcome,
    #[serde(default)]
    answer: String,
}

/// Settles an open appeal in a transaction.
///
/// # Errors
/// `Conflict` when it is settled already.
async fn settle(
    tx: &mut Tx,
    moderation: &Moderation,
    by: AccountId,
    appeal: &Appeal,
    (outcome, answer): (AppealOutcome, &str),
) -> Result<()> {
    const RESOLVE: &str = "UPDATE appeals SET resolved_at = $2, resolved_by = $3, outcome = $4, \
        answer = $5 WHERE sanction_id = $1 AND resolved_at IS NULL";
    let row = (appeal.sanction_id, Micros::now(), by, outcome, answer);
    if tx.execute(RESOLVE, row).await? == 0 {
        return Err(Error::Conflict("error-case-resolved"));
    }
    let space = Some(appeal.space_id);
    let act = Act {
        space,
        actor: Some(by),
        act: match outcome {
            AppealOutcome::Lifted => "appeal.lifted",
            AppealOutcome::Upheld => "appeal.upheld",
        },
        subject: Some(appeal.account_id.0),
        name: "",
        before: Value::Null,
        after: json!({ "answer": answer }),
    };
    audit::record(tx, act).await?;
    tell_outcome(tx, moderation, appeal, outcome).await?;
    let (bus, origin) = (&moderation.engine.bus, Origin::new(by, space));
    bus.publish_after_commit(tx, origin, QueueChanged { space });
    Ok(())
}

/// Tells who appealed what became of it.
async fn tell_outcome(
    tx: &mut Tx,
    moderation: &Moderation,
    appeal: &Appeal,
    outcome: AppealOutcome,
) -> Result<()> {
    const NAME: &str = "SELECT name FROM spaces WHERE id = $1";
    let space = appeal.space_id;
    let notice = NewNotice {
        kind: match outcome {
            AppealOutcome::Lifted => &APPEAL_LIFTED,
            AppealOutcome::Upheld => &APPEAL_UPHELD,
        },
        item: ids::next(),
        // The decision is that of the space: who made it is not told.
        actor: None,
        space: Some(space),
        room: None,
        href: format!("/spaces/{space}/appeal"),
        text: tx.scalar(NAME, (space,)).await?,
        to: vec![Recipients::Accounts(vec![appeal.account_id])],
    };
    moderation.engine.notices.add(tx, notice).await
}

async fn resolve(moderation: Moderation, viewer: Viewer, input: Resolve) -> Result<Outcome> {
    let answer = check_words(&input.answer, "answer", MAX_APPEAL_CHARS)?;
    let appeal = moderation.appeal_for(&viewer, input.appeal).await?;
    let (own, by) = (moderation.clone(), viewer.account);
    let (space, id, account) = (appeal.space_id, appeal.sanction_id, appeal.account_id);
    let community = &moderation.community;
    match input.outcome {
        AppealOutcome::Lifted => {
            let access = &community.access;
            access.permit(by, &REVIEW, Scope::Space(space)).await?;
            let settled = async move |tx: &mut Tx| {
                let decision = (AppealOutcome::Lifted, answer.as_str());
                settle(tx, &own, by, &appeal, decision).await
            };
            community
                .sanctions
                .take_back(by, space, id, settled)
                .await?;
        }
        AppealOutcome::Upheld => {
            let write = async move |tx: &mut Tx| {
                let people = (by, space, account);
                own.community.sanctions.check_may_judge(tx, people).await?;
                let decision = (AppealOutcome::Upheld, answer.as_str());
                settle(tx, &own, by, &appeal, decision).await
            };
            let scope = Scope::Space(space);
            community
                .access
                .permitted_write(by, &REVIEW, scope, write)
                .await?;
        }
    }
    Ok(Outcome::new(Value::Null, format!("/spaces/{space}/queue")))
}
