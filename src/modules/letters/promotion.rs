//! Promotion: who delivered enough letters in time is proposed for the next rank, and who appoints
//! that rank decides.

use serde::Deserialize;
use serde_json::json;
use sqlx::FromRow;

use super::courier_actions::{record, set};
use super::courier_rules::{self, Record, next_post};
use super::couriers::{self, Post, may_oversee};
use super::{Letters, PROPOSED, WRITE};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{self, AccountId, SpaceId};
use crate::engine::actions::Outcome;
use crate::engine::notices::{NewNotice, Recipients};
use crate::engine::viewer::Viewer;

/// Proposals that a page lists.
const MAX_PROPOSALS_LISTED: i64 = 100;

/// Somebody who is proposed for the next rank.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Proposal {
    pub(super) account_id: AccountId,
    pub(super) name: String,
    rank: i64,
    branch: String,
    pub(super) done: i64,
    on_time: i64,
    lapsed: i64,
}

impl Proposal {
    /// The rank and branch that they would get.
    pub(super) fn next(&self) -> (i64, String) {
        next_post(self.rank, &self.branch)
    }

    /// Letters in time, of a hundred.
    pub(super) fn percent(&self) -> i64 {
        self.on_time * 100 / (self.done + self.lapsed).max(1)
    }
}

macro_rules! proposal_query {
    () => {
        "SELECT c.account_id, a.name, c.rank, c.branch, c.done, c.on_time, c.lapsed \
         FROM letter_couriers c JOIN accounts a ON a.id = c.account_id \
         JOIN members m ON m.space_id = c.space_id AND m.account_id = c.account_id \
         WHERE c.space_id = $1 "
    };
}

/// The proposals of a space, the earliest first.
pub(super) async fn list(db: &Db, space: SpaceId) -> Result<Vec<Proposal>> {
    const READ: &str = concat!(
        proposal_query!(),
        "AND c.proposed_at IS NOT NULL ORDER BY c.proposed_at, c.account_id LIMIT $2"
    );
    db.all(READ, (space, MAX_PROPOSALS_LISTED)).await
}

impl Letters {
    /// Counts a letter that a courier delivered, and proposes them when that is enough.
    pub(super) async fn count_delivery(
        &self,
        tx: &mut Tx,
        post: &Post,
        space: SpaceId,
        is_on_time: bool,
    ) -> Result<()> {
        const COUNT: &str = "UPDATE letter_couriers SET delivered = delivered + 1, \
            done = done + 1, on_time = on_time + $3 WHERE space_id = $1 AND account_id = $2";
        const READ: &str = concat!(
            proposal_query!(),
            "AND c.account_id = $2 AND c.proposed_at IS NULL"
        );
        const PROPOSE: &str = "UPDATE letter_couriers SET proposed_at = $3 \
            WHERE space_id = $1 AND account_id = $2";
        let account = post.account_id;
        let row = (space, account, i64::from(is_on_time));
        tx.execute(COUNT, row).await?;
        let found: Option<Proposal> = tx.optional(READ, (space, account)).await?;
        let rules = courier_rules::in_tx(tx, space).await?;
        let is_due = |one: &Proposal| {
            let record = Record {
                done: one.done,
                on_time: one.on_time,
                lapsed: one.lapsed,
            };
            rules.is_promotion_due(one.rank, record)
        };
        let Some(proposal) = found.filter(is_due) else {
            return Ok(());
        };
        let row = (space, account, Micros::now());
        tx.execute(PROPOSE, row).await?;
        self.tell_proposal(tx, space, &proposal).await
    }

    /// Tells who appoints the next rank: the one above it, else who gave the courier their post.
    async fn tell_proposal(&self, tx: &mut Tx, space: SpaceId, of: &Proposal) -> Result<()> {
        const APPOINTED_BY: &str = "SELECT c.appointed_by FROM letter_couriers c \
            JOIN members m ON m.space_id = c.space_id AND m.account_id = c.appointed_by \
            WHERE c.space_id = $1 AND c.account_id = $2";
        let (rank, branch) = of.next();
        let found = couriers::overseers(tx, space, (rank + 1, &branch)).await?;
        let people = match found {
            Some((_, people)) => people,
            None => tx.scalars(APPOINTED_BY, (space, of.account_id)).await?,
        };
        if people.is_empty() {
            return Ok(());
        }
        let notice = NewNotice {
            kind: &PROPOSED,
            item: ids::next(),
            actor: None,
            space: Some(space),
            room: None,
            href: format!("/spaces/{space}/letters/board"),
            text: String::new(),
            to: vec![Recipients::Accounts(people)],
        };
        self.engine.notices.add(tx, notice).await
    }
}

#[derive(Deserialize)]
pub(super) struct DecideInput {
    space: SpaceId,
    account: AccountId,
    /// `yes` or `no`: their letters are counted anew.
    approve: String,
}

/// `letters.decide-promotion`: gives somebody who is proposed the next rank, or declines.
pub(super) async fn decide(
    letters: Letters,
    viewer: Viewer,
    input: DecideInput,
) -> Result<Outcome> {
    const FIND: &str = concat!(
        proposal_query!(),
        "AND c.account_id = $2 AND c.proposed_at IS NOT NULL"
    );
    const DECLINE: &str = "UPDATE letter_couriers SET proposed_at = NULL, done = 0, on_time = 0, \
        lapsed = 0 WHERE space_id = $1 AND account_id = $2";
    let (space, by, account) = (input.space, viewer.account, input.account);
    let approves = input.approve == "yes";
    let is_organiser = letters.is_organiser(by, space).await?;
    let work = async move |tx: &mut Tx| {
        let own = couriers::in_tx(tx, space, by).await?;
        let found: Option<Proposal> = tx.optional(FIND, (space, account)).await?;
        let found = found.ok_or(Error::NotFound)?;
        let (rank, branch) = found.next();
        if !may_oversee(is_organiser, own.as_ref(), (rank, &branch)) {
            return Err(Error::Forbidden("error-letters-branch"));
        }
        tx.execute(DECLINE, (space, account)).await?;
        if !approves {
            return Ok(());
        }
        let post = (rank, &*branch, "active");
        set(tx, (space, account), post, ("", Some(by))).await?;
        record(
            tx,
            space,
            (by, account),
            "courier.appointed",
            (rank, &branch),
        )
        .await
    };
    letters.permitted(by, &WRITE, space, work).await?;
    let location = format!("/spaces/{space}/letters/board");
    Ok(Outcome::new(json!({ "approved": approves }), location))
}
