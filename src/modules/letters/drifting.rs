//! Letters that drift: joining those who take them, how one finds somebody, and letting it drift
//! on.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::drift::{
    ANSWER_TIME, DRIFT_TIME, DRIFTED_ON_REST, FINDER_REST, Seeker, Tastes, choose, slots,
};
use super::input::LetterInput;
use super::journey::Move;
use super::letter::{Letter, Role};
use super::model::{Actor, State, Step, Way};
use super::settings::{check_takes_letters, in_tx};
use super::{Letters, WRITE, drift_store, store, tide};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::community::permissions::READ;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

/// Until a letter that found nobody looks again.
const SEARCH_INTERVAL: Duration = Duration::from_secs(3_600);
/// Bytes of the field of interests.
const MAX_INTERESTS_BYTES: usize = 4_096;

#[derive(Deserialize)]
pub(super) struct JoinInput {
    space: SpaceId,
    /// Codes of languages.
    #[serde(default)]
    languages: Vec<String>,
    /// Parted by commas or lines.
    #[serde(default)]
    interests: String,
}

/// `letters.join-drift`: takes drifting letters of these languages and interests, and may send
/// them.
pub(super) async fn join(letters: Letters, viewer: Viewer, input: JoinInput) -> Result<Outcome> {
    if input.interests.len() > MAX_INTERESTS_BYTES {
        return Err(Error::field("interests", "error-drift-interests"));
    }
    let tastes = Tastes::checked(&input.languages, &input.interests)?;
    let (space, account) = (input.space, viewer.account);
    let work = async move |tx: &mut Tx| {
        if !in_tx(tx, space).await?.has(Way::Drift) {
            return Err(Error::Conflict("error-letters-off"));
        }
        drift_store::join(tx, space, account, &tastes).await
    };
    letters.permitted(account, &WRITE, space, work).await?;
    let location = format!("/spaces/{space}/letters/drift");
    let note = viewer.lang.t("letters-saved").to_owned();
    Ok(Outcome::new(json!({ "joined": true }), location).note(note))
}

#[derive(Deserialize)]
pub(super) struct LeaveInput {
    space: SpaceId,
}

/// `letters.leave-drift`: takes no drifting letters any more. Those that came stay.
pub(super) async fn leave(letters: Letters, viewer: Viewer, input: LeaveInput) -> Result<Outcome> {
    let (space, account) = (input.space, viewer.account);
    let work = async move |tx: &mut Tx| drift_store::leave(tx, space, account).await;
    letters.permitted(account, &READ, space, work).await?;
    let location = format!("/spaces/{space}/letters/drift");
    Ok(Outcome::new(json!({ "joined": false }), location))
}

/// `letters.drift-on`: who found a letter lets it drift on, to somebody else.
pub(super) async fn drift_on(
    letters: Letters,
    viewer: Viewer,
    input: LetterInput,
) -> Result<Outcome> {
    let (id, account) = (input.letter, viewer.account);
    let found = store::find(&letters.engine.db, id).await?;
    let is_for =
        move |letter: &Letter| letter.way == Way::Drift && letter.role(account) == Role::Recipient;
    if !is_for(&found) {
        return Err(Error::NotFound);
    }
    let (space, context) = (found.space_id, letters.clone());
    let work = async move |tx: &mut Tx| {
        let mut letter = store::lock(tx, id).await?;
        if !is_for(&letter) {
            return Err(Error::NotFound);
        }
        let by = (Actor::Recipient, Some(account));
        context.send_on(tx, &mut letter, by, Micros::now()).await
    };
    letters.permitted(account, &READ, space, work).await?;
    let location = format!("/spaces/{space}/letters");
    let note = viewer.lang.t("letters-drifted-on").to_owned();
    Ok(Outcome::new(json!({ "drifts": true }), location).note(note))
}

/// Checks that an author may have a further letter drift, in the transaction that seals it.
///
/// # Errors
/// `Conflict` for who takes none themselves, and with no slot left.
pub(super) async fn check_slot(tx: &mut Tx, space: SpaceId, author: AccountId) -> Result<()> {
    if drift_store::lock(tx, space, author).await?.is_none() {
        return Err(Error::Conflict("error-drift-join"));
    }
    let (drifting, answered) = drift_store::experience_in(tx, space, author).await?;
    match drifting < slots(answered) {
        true => Ok(()),
        false => Err(Error::Conflict("error-drift-slots")),
    }
}

/// Checks that who writes a letter to whom the tide finds takes such letters.
///
/// # Errors
/// `Conflict`.
pub(super) async fn check_joined(tx: &mut Tx, space: SpaceId, author: AccountId) -> Result<()> {
    match drift_store::lock(tx, space, author).await? {
        Some(_) => Ok(()),
        None => Err(Error::Conflict("error-drift-join")),
    }
}

impl Letters {
    /// What the tide does with a drifting letter whose time has come: it finds somebody, or looks
    /// again later; who did not answer loses it; after two months it ends.
    pub(super) async fn drift(&self, tx: &mut Tx, letter: &mut Letter, now: Micros) -> Result<()> {
        let sealed_at = letter.sealed_at.unwrap_or(letter.created_at);
        let ended = now.0 - sealed_at.0 >= DRIFT_TIME || letter.hidden_at.is_some();
        if ended || !self.is_author_here(tx, letter).await? {
            let (finder, expire) = (letter.recipient_id, Step::Expire);
            self.advance(tx, letter, Move::new(expire, Actor::Clock, None))
                .await?;
            self.publish_moved_to(tx, letter, finder);
            return drift_store::set_recipient(tx, letter, None).await;
        }
        if letter.state != State::InTransit {
            return self.send_on(tx, letter, (Actor::Clock, None), now).await;
        }
        let next = match self.find_reader(tx, letter, now).await? {
            Some(finder) => {
                let rest = Micros(now.0 + FINDER_REST);
                drift_store::record_meeting(tx, letter, finder, (now, rest)).await?;
                letter.recipient_id = Some(finder);
                let deliver = Move::new(Step::Deliver, Actor::Clock, None);
                self.advance(tx, letter, deliver).await?;
                Micros(now.0 + ANSWER_TIME)
            }
            None => now.plus(SEARCH_INTERVAL),
        };
        drift_store::set_next(tx, letter, next).await?;
        tide::schedule(self, tx, letter, next).await
    }

    async fn is_author_here(&self, tx: &mut Tx, letter: &Letter) -> Result<bool> {
        const IS_MEMBER: &str =
            "SELECT EXISTS (SELECT 1 FROM members WHERE space_id = $1 AND account_id = $2)";
        tx.scalar(IS_MEMBER, (letter.space_id, letter.author_id))
            .await
    }

    /// Whom a letter finds now. Both rows are locked: another letter waits, and sees that they rest
    /// and that the two have met. Who was found by another one meanwhile is left for the next time:
    /// no third row is locked.
    async fn find_reader(
        &self,
        tx: &mut Tx,
        letter: &Letter,
        now: Micros,
    ) -> Result<Option<AccountId>> {
        let space = letter.space_id;
        let author = letter.author_id;
        let Some(tastes) = drift_store::tastes_in(tx, space, author).await? else {
            return Ok(None);
        };
        let seeker = Seeker {
            author,
            sealed_at: letter.sealed_at.unwrap_or(letter.created_at),
            tastes,
        };
        let languages = &seeker.tastes.languages;
        let mut all = drift_store::candidates(tx, letter, languages, now).await?;
        while let Some(chosen) = choose(&seeker, &all, now) {
            all.retain(|one| one.account != chosen);
            if check_takes_letters(tx, letter, chosen).await.is_err() {
                continue;
            }
            drift_store::lock_both(tx, space, [author, chosen]).await?;
            let still = drift_store::candidates(tx, letter, languages, now).await?;
            let still: Vec<_> = still
                .into_iter()
                .filter(|one| one.account == chosen)
                .collect();
            return Ok(choose(&seeker, &still, now));
        }
        Ok(None)
    }

    /// Sends a letter on from who has it: they rest for a while, and it looks for somebody else.
    async fn send_on(
        &self,
        tx: &mut Tx,
        letter: &mut Letter,
        (actor, account): (Actor, Option<AccountId>),
        now: Micros,
    ) -> Result<()> {
        let finder = letter.recipient_id;
        self.advance(tx, letter, Move::new(Step::Drift, actor, account))
            .await?;
        drift_store::set_recipient(tx, letter, None).await?;
        self.publish_moved_to(tx, letter, finder);
        letter.recipient_id = None;
        if let Some(finder) = finder {
            let until = Micros(now.0 + DRIFTED_ON_REST);
            drift_store::rest(tx, letter.space_id, finder, until).await?;
        }
        if let (Actor::Recipient, Some(job)) = (actor, letter.job_id) {
            self.engine.jobs.withdraw(tx, job).await?;
        }
        let next = now.plus(SEARCH_INTERVAL);
        drift_store::set_next(tx, letter, next).await?;
        tide::schedule(self, tx, letter, next).await
    }
}
