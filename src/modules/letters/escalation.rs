//! Asking the rank above to decide about a letter: its courier does, and time does when it is late.

use serde_json::json;

use super::carry::ends;
use super::couriers::{self, DIRECTOR, Post};
use super::input::LetterInput;
use super::letter::Letter;
use super::model::{LetterId, State, Way};
use super::{ESCALATED, Letters, WRITE, store};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{self, AccountId};
use crate::engine::actions::Outcome;
use crate::engine::notices::{NewNotice, Recipients};
use crate::engine::viewer::Viewer;

/// Above all couriers: who runs the letters of the space.
const ORGANISERS: i64 = DIRECTOR + 1;

/// Whether a courier decides about a letter in their branch: their rank was asked to.
pub(super) fn may_decide(post: &Post, letter: &Letter) -> bool {
    letter.escalated > 0 && post.is_active() && post.rank >= letter.escalated
}

/// `letters.escalate`: who has a letter, or was asked about it, asks the rank above to decide.
pub(super) async fn escalate(
    letters: Letters,
    viewer: Viewer,
    input: LetterInput,
) -> Result<Outcome> {
    let (id, by, context) = (input.letter, viewer.account, letters.clone());
    let space = store::find(&letters.engine.db, id).await?.space_id;
    let work = async move |tx: &mut Tx| {
        let letter = store::lock(tx, id).await?;
        let post = couriers::in_tx(tx, space, by).await?;
        let post = post.filter(Post::is_active).ok_or(Error::NotFound)?;
        let is_mine = letter.holder_id == Some(by);
        let was_asked = may_decide(&post, &letter) && ends(tx, id).await?.concern(&post);
        if letter.way != Way::Hand || !(is_mine || was_asked) {
            return Err(Error::NotFound);
        }
        if !matches!(letter.state, State::InTransit | State::Undeliverable) {
            return Err(Error::Conflict("error-letter-state"));
        }
        if letter.escalated > post.rank {
            // Asked already.
            return Ok(());
        }
        context.ask_above(tx, &letter, post.rank + 1).await
    };
    letters.permitted(by, &WRITE, space, work).await?;
    let location = format!("/spaces/{space}/letters/round");
    let note = viewer.lang.t("letters-escalated").to_owned();
    Ok(Outcome::new(json!({ "letter": id }), location).note(note))
}

impl Letters {
    /// Has a rank decide about a letter: the next one above that somebody has there. Where nobody
    /// has one, who appointed its courier is told.
    async fn ask_above(&self, tx: &mut Tx, letter: &Letter, rank: i64) -> Result<()> {
        const SET: &str = "UPDATE letters SET escalated = $2 WHERE id = $1";
        const APPOINTED_BY: &str = "SELECT c.appointed_by FROM letter_couriers c \
            JOIN members m ON m.space_id = c.space_id AND m.account_id = c.appointed_by \
            WHERE c.space_id = $1 AND c.account_id = $2";
        let space = letter.space_id;
        let to = ends(tx, letter.id).await?.to;
        let (rank, people) = match couriers::overseers(tx, space, (rank, &to)).await? {
            Some(found) => found,
            None => {
                let by: Option<AccountId> = tx
                    .optional_scalar(APPOINTED_BY, (space, letter.holder_id))
                    .await?;
                (ORGANISERS, by.into_iter().collect())
            }
        };
        tx.execute(SET, (letter.id, rank)).await?;
        let people = people
            .into_iter()
            .filter(|one| Some(*one) != letter.holder_id);
        self.tell_board(tx, letter, people.collect()).await?;
        self.publish_moved(tx, letter);
        Ok(())
    }

    async fn tell_board(&self, tx: &mut Tx, letter: &Letter, people: Vec<AccountId>) -> Result<()> {
        if people.is_empty() {
            return Ok(());
        }
        let notice = NewNotice {
            kind: &ESCALATED,
            item: ids::next(),
            actor: None,
            space: Some(letter.space_id),
            room: None,
            href: format!("/spaces/{}/letters/board", letter.space_id),
            text: String::new(),
            to: vec![Recipients::Accounts(people)],
        };
        self.engine.notices.add(tx, notice).await
    }

    /// Asks the rank above about a letter that its courier has for too long.
    pub(super) async fn escalate_late(&self, tx: &mut Tx, id: LetterId, now: Micros) -> Result<()> {
        let letter = store::lock(tx, id).await?;
        let is_late = letter.due_at.is_some_and(|at| at <= now);
        if letter.state != State::InTransit || letter.escalated > 0 || !is_late {
            return Ok(());
        }
        let post = match letter.holder_id {
            Some(holder) => couriers::in_tx(tx, letter.space_id, holder).await?,
            None => None,
        };
        let rank = post.map_or(1, |post| post.rank);
        self.ask_above(tx, &letter, rank + 1).await
    }
}
