//! The journey of a letter: every change of its state goes through [`Letters::advance`], which asks
//! the table, and adds an entry, the notices and the event in the same transaction.

use sqlx::FromRow;

use super::letter::Letter;
use super::model::{Actor, JourneyId, LetterId, LetterboxId, State, Step, Told, next};
use super::topics::LetterMoved;
use super::{ARRIVED, CAME_BACK, HANDED, Letters, MOVED, points, store};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::bus::Origin;
use crate::engine::notices::{NewNotice, NoticeKind, Recipients};

/// Entries of a journey that are shown.
const MAX_ENTRIES_SHOWN: i64 = 100;

/// Something that happens to a letter.
pub(super) struct Move {
    pub(super) step: Step,
    pub(super) actor: Actor,
    /// Who does it, if a person does.
    pub(super) account: Option<AccountId>,
    /// Where: a city, or the code of a place; may be empty.
    pub(super) place: String,
    /// Why it failed; else empty.
    pub(super) detail: String,
}

impl Move {
    pub(super) fn new(step: Step, actor: Actor, account: Option<AccountId>) -> Self {
        Self {
            step,
            actor,
            account,
            place: String::new(),
            detail: String::new(),
        }
    }

    pub(super) fn at(mut self, place: impl Into<String>) -> Self {
        self.place = place.into();
        self
    }
}

/// An entry of a journey.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Entry {
    pub(super) event: Step,
    /// What who did it is called now.
    pub(super) name: String,
    pub(super) place: String,
    pub(super) detail: String,
    pub(super) at: Micros,
}

/// The journey of a letter, from its first step on.
pub(super) async fn entries(db: &Db, letter: LetterId) -> Result<Vec<Entry>> {
    const READ: &str = "SELECT j.event, COALESCE(a.name, '') AS name, j.place, j.detail, j.at \
        FROM letter_journey j \
        LEFT JOIN accounts a ON a.id = j.account_id WHERE j.letter_id = $1 \
        ORDER BY j.id LIMIT $2";
    db.all(READ, (letter, MAX_ENTRIES_SHOWN)).await
}

async fn record(
    tx: &mut Tx,
    letter: LetterId,
    step: &Move,
    to: State,
    at: Micros,
) -> Result<JourneyId> {
    const ADD: &str = "INSERT INTO letter_journey \
        (id, letter_id, event, state, actor, account_id, place, detail, at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let id = JourneyId::new();
    let row = (
        id,
        letter,
        step.step,
        to,
        step.actor,
        step.account,
        &step.place,
        &step.detail,
        at,
    );
    tx.execute(ADD, row).await?;
    Ok(id)
}

impl Letters {
    /// Has something happen to a letter that the transaction has locked.
    ///
    /// # Errors
    /// `Conflict` for what the table of states does not have.
    pub(super) async fn advance(&self, tx: &mut Tx, letter: &mut Letter, step: Move) -> Result<()> {
        let (entry, told) = self.advance_untold(tx, letter, step).await?;
        self.tell(tx, letter, told, entry).await
    }

    /// The same without the notices: gives the entry, and who is to be told of it.
    ///
    /// # Errors
    /// As there.
    pub(super) async fn advance_untold(
        &self,
        tx: &mut Tx,
        letter: &mut Letter,
        step: Move,
    ) -> Result<(JourneyId, Told)> {
        let row = next(letter.way, letter.state, step.step, step.actor)
            .ok_or(Error::Conflict("error-letter-state"))?;
        let now = Micros::now();
        store::set_state(tx, letter.id, row.to, now).await?;
        letter.state = row.to;
        let entry = record(tx, letter.id, &step, row.to, now).await?;
        if points::is_arrival(step.step) {
            points::award_arrival(tx, letter, &step, now).await?;
        }
        self.publish_moved(tx, letter);
        Ok((entry, row.told))
    }

    /// Tells those whom the table names; the notices say nothing of the letter but where it is.
    pub(super) async fn tell(
        &self,
        tx: &mut Tx,
        letter: &Letter,
        told: Told,
        entry: JourneyId,
    ) -> Result<()> {
        let of_author: &'static NoticeKind = match letter.state.has_arrived() {
            true => &MOVED,
            false => &CAME_BACK,
        };
        let recipient = letter.recipient_id.filter(|_| told == Told::Both);
        let author = match told {
            Told::Author | Told::Both => Some(letter.author_id),
            Told::Nobody | Told::Courier => None,
        };
        let courier = letter.offered_to.filter(|_| told == Told::Courier);
        let is_to_self = recipient == author;
        for (kind, account) in [
            (&ARRIVED, recipient),
            (of_author, author.filter(|_| !is_to_self)),
            (&HANDED, courier),
        ] {
            let Some(account) = account else { continue };
            let href = match kind.name == HANDED.name {
                true => format!("/spaces/{}/letters/round", letter.space_id),
                false => format!("/letters/{}", letter.id),
            };
            let notice = NewNotice {
                kind,
                item: entry.0,
                actor: None,
                space: Some(letter.space_id),
                room: None,
                href,
                text: String::new(),
                to: vec![Recipients::Accounts(vec![account])],
            };
            self.engine.notices.add(tx, notice).await?;
        }
        Ok(())
    }

    /// Publishes after the commit that a letter moved.
    pub(super) fn publish_moved(&self, tx: &mut Tx, letter: &Letter) {
        self.publish_moved_to(tx, letter, None);
    }

    /// The same, to somebody more: who had it, and has it no longer.
    pub(super) fn publish_moved_to(&self, tx: &mut Tx, letter: &Letter, former: Option<AccountId>) {
        let people = [
            former,
            Some(letter.author_id),
            // Nobody learns of a letter that has not come.
            letter.recipient_id.filter(|_| letter.state.has_arrived()),
            letter.holder_id,
            letter.offered_to,
            letter.assigned_to,
        ];
        let mut boxes: Vec<_> = people.into_iter().flatten().collect();
        boxes.sort_unstable();
        boxes.dedup();
        let event = LetterMoved {
            letter: letter.id,
            boxes: boxes.into_iter().map(|one| LetterboxId(one.0)).collect(),
            state: letter.state,
        };
        let origin = Origin {
            actor: None,
            space: Some::<SpaceId>(letter.space_id),
        };
        self.engine.bus.publish_after_commit(tx, origin, event);
    }
}
