//! What people do with a letter that is written: seal it, take it back, open it, take it down.

use serde::Deserialize;
use serde_json::json;

use super::drafts::{SaveInput, save_in};
use super::input::LetterInput;
use super::journey::Move;
use super::letter::{Letter, Role};
use super::model::{Actor, Kind, LetterId, Signature, State, Step, Way};
use super::places::door_of;
use super::settings::{LetterSettings, check_takes_letters, in_tx};
use super::travel::{self, city};
use super::{Letters, MODERATE, WRITE, drifting, pages, store, tide};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::local_time::time_zone;
use crate::base::locale::Lang;
use crate::base::secrets;
use crate::base::text::is_blank;
use crate::community::Scope;
use crate::community::audit::{self, Act};
use crate::community::permissions::READ;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

/// Letters that one account seals in a space within a day.
pub const MAX_LETTERS_PER_DAY: i64 = 50;
/// A day in microseconds.
const DAY: i64 = 86_400_000_000;
/// The nearest day of a future letter, in microseconds from now.
const MIN_FUTURE: i64 = 3_600_000_000;
/// The furthest day of a future letter, in years of 366 days.
pub const MAX_FUTURE_YEARS: i64 = 20;

/// `letters.seal`: saves the text, and seals it for ever.
pub(super) async fn seal(letters: Letters, viewer: Viewer, input: SaveInput) -> Result<Outcome> {
    let text = input.checked(&letters, &viewer).await?;
    let (id, author, revision) = (input.letter, viewer.account, input.revision);
    let space = letters.own(id, author).await?.space_id;
    let zone = letters.community.time_zone(author).await?;
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        let mut letter = store::lock(tx, id).await?;
        if letter.author_id == author && letter.state != State::Draft {
            // Sent twice: it is sealed once.
            return Ok(());
        }
        save_in(tx, &mut letter, author, &revision, &text).await?;
        let settings = in_tx(tx, space).await?;
        check_sealable(&context, tx, &letter, &settings).await?;
        context.seal_in(tx, &mut letter, &settings, &zone).await
    };
    letters.permitted(author, &WRITE, space, work).await?;
    Ok(Outcome::new(
        json!({ "sealed": true }),
        format!("/letters/{id}"),
    ))
}

/// Checks what a draft may lack, and a letter may not.
async fn check_sealable(
    letters: &Letters,
    tx: &mut Tx,
    letter: &Letter,
    settings: &LetterSettings,
) -> Result<()> {
    let now = Micros::now();
    if !settings.has(letter.way) {
        return Err(Error::Conflict("error-letters-off"));
    }
    let pages = pages::count_ready(letters, tx, letter.id).await?;
    if is_blank(&letter.body) && pages == 0 {
        return Err(Error::field("body", "error-letter-empty"));
    }
    if !settings.allows(letter.signature) {
        return Err(Error::field("signature", "error-letter-signature"));
    }
    if letter.signature == Signature::Pen && is_blank(&letter.pen_name) {
        return Err(Error::field("pen_name", "error-letter-pen-name"));
    }
    let furthest = MAX_FUTURE_YEARS * 366 * DAY;
    let is_day = |at: Micros| (now.0 + MIN_FUTURE..=now.0 + furthest).contains(&at.0);
    if letter.kind == Kind::Future && !letter.opens_at.is_some_and(is_day) {
        return Err(Error::field("opens_at", "error-letter-day"));
    }
    if letter.closes && letter.reply_to.is_none() {
        return Err(Error::Conflict("error-letter-closes"));
    }
    match (letter.kind, letter.recipient_id) {
        (Kind::Open, _) => {}
        _ if letter.way == Way::Drift => {
            drifting::check_slot(tx, letter.space_id, letter.author_id).await?;
        }
        (_, Some(to)) => check_takes_letters(tx, letter, to).await?,
        (_, None) => return Err(Error::Conflict("error-letter-not-taken")),
    }
    let since = Micros(now.0 - DAY);
    let sealed = store::count_sealed(tx, letter.author_id, letter.space_id, since).await?;
    match sealed < MAX_LETTERS_PER_DAY {
        true => Ok(()),
        false => Err(Error::Conflict("error-letters-per-day")),
    }
}

/// The time zone of an account, as it is stored.
async fn zone_of(tx: &mut Tx, account: AccountId) -> Result<String> {
    const ZONE: &str = "SELECT time_zone FROM accounts WHERE id = $1";
    tx.scalar(ZONE, (account,)).await
}

impl Letters {
    async fn seal_in(
        &self,
        tx: &mut Tx,
        letter: &mut Letter,
        settings: &LetterSettings,
        zone: &str,
    ) -> Result<()> {
        let author = Some(letter.author_id);
        let place = match letter.signature {
            Signature::Own if letter.way != Way::Drift => city(zone),
            _ => String::new(),
        };
        // The city is not in the journey, which is for ever: it goes with its author.
        let seal = Move::new(Step::Seal, Actor::Author, author);
        self.advance(tx, letter, seal).await?;
        if letter.way == Way::Hand {
            self.address(tx, letter).await?;
        } else {
            // How long it takes would tell where somebody lives who does not say who they are.
            let is_named = letter.signature == Signature::Own && letter.recipient_name.is_empty();
            let other = match letter.recipient_id.filter(|_| is_named) {
                Some(to) => zone_of(tx, to).await?,
                None => zone.to_owned(),
            };
            let zones = (time_zone([zone]), time_zone([&*other]));
            let now = Micros::now();
            let voyage = match (letter.kind, letter.opens_at) {
                (Kind::Future, Some(at)) => travel::until(now, at),
                _ => {
                    let hours = (settings.min_hours, settings.max_hours);
                    travel::voyage(now, zones, secrets::seed(), hours)
                }
            };
            let times = (voyage.departs_at, voyage.arrives_at);
            store::set_voyage(tx, letter.id, times, &place).await?;
            self.advance(tx, letter, Move::new(Step::Post, Actor::Author, author))
                .await?;
            tide::schedule(self, tx, letter, voyage.departs_at).await?;
        }
        if let Some(answered) = letter.reply_to {
            self.mark_answered(tx, answered, letter).await?;
        }
        Ok(())
    }

    /// Addresses a letter by hand to the door of its recipient.
    async fn address(&self, tx: &mut Tx, letter: &Letter) -> Result<()> {
        const SET: &str = "UPDATE letters SET place_id = $2 WHERE id = $1";
        let door = match letter.recipient_id {
            Some(to) => door_of(tx, letter.space_id, to).await?,
            None => None,
        };
        let (place, _) = door.ok_or(Error::Conflict("error-letter-no-door"))?;
        tx.execute(SET, (letter.id, place)).await?;
        Ok(())
    }

    /// Records on the letter that was answered that it was, if its answer may still be counted.
    /// Who answers a letter that drifted learns who wrote it, if it says so.
    async fn mark_answered(&self, tx: &mut Tx, id: LetterId, answer: &Letter) -> Result<()> {
        const NAME: &str = "UPDATE letters SET recipient_name = $2 WHERE id = $1";
        let by = answer.author_id;
        let mut letter = match store::lock(tx, id).await {
            Ok(letter) => letter,
            // It was erased with its author.
            Err(Error::NotFound) => return Ok(()),
            Err(error) => return Err(error),
        };
        let drifts = letter.way == Way::Drift;
        if drifts && letter.recipient_id != Some(by) {
            return Err(Error::Conflict("error-letter-drifted"));
        }
        if !matches!(letter.state, State::Read | State::Replied) {
            return Ok(());
        }
        let step = Move::new(Step::Answer, Actor::Recipient, Some(by));
        self.advance(tx, &mut letter, step).await?;
        if drifts {
            let name = match letter.is_signed() {
                true => String::new(),
                false => letter.author_name(Lang::default()),
            };
            tx.execute(NAME, (answer.id, &name)).await?;
        }
        Ok(())
    }

    /// A letter for its author.
    ///
    /// # Errors
    /// `NotFound` for everybody else.
    pub(super) async fn own(&self, id: LetterId, author: AccountId) -> Result<Letter> {
        let letter = store::find(&self.engine.db, id).await?;
        match letter.author_id == author {
            true => Ok(letter),
            false => Err(Error::NotFound),
        }
    }
}

/// `letters.recall`: takes a letter back before it is picked up, or, by tide, before it arrives.
pub(super) async fn recall(
    letters: Letters,
    viewer: Viewer,
    input: LetterInput,
) -> Result<Outcome> {
    let (id, author) = (input.letter, viewer.account);
    let space = letters.own(id, author).await?.space_id;
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        let mut letter = store::lock(tx, id).await?;
        if letter.state == State::Recalled {
            return Ok(());
        }
        let recall = Move::new(Step::Recall, Actor::Author, Some(author));
        context.advance(tx, &mut letter, recall).await?;
        if let Some(job) = letter.job_id {
            context.engine.jobs.withdraw(tx, job).await?;
            store::set_job(tx, id, None).await?;
        }
        Ok(())
    };
    letters.permitted(author, &WRITE, space, work).await?;
    Ok(Outcome::new(
        json!({ "recalled": true }),
        format!("/letters/{id}"),
    ))
}

/// `letters.open`: the recipient opens a letter that has arrived.
pub(super) async fn open(letters: Letters, viewer: Viewer, input: LetterInput) -> Result<Outcome> {
    let (id, account) = (input.letter, viewer.account);
    let letter = store::find(&letters.engine.db, id).await?;
    let is_for = move |letter: &Letter| {
        letter.role(account) == Role::Recipient && letter.is_visible_to(account)
    };
    if !is_for(&letter) {
        return Err(Error::NotFound);
    }
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        let mut letter = store::lock(tx, id).await?;
        if !is_for(&letter) {
            return Err(Error::NotFound);
        }
        if letter.state != State::Delivered {
            return Ok(());
        }
        let open = Move::new(Step::Open, Actor::Recipient, Some(account));
        context.advance(tx, &mut letter, open).await
    };
    letters
        .permitted(account, &READ, letter.space_id, work)
        .await?;
    Ok(Outcome::new(
        json!({ "opened": true }),
        format!("/letters/{id}"),
    ))
}

#[derive(Deserialize)]
pub(super) struct HideInput {
    letter: LetterId,
    /// `yes`: it is taken down; `no`: it is brought back.
    hide: String,
}

/// `letters.hide`: moderators take a letter down for all but its author. Its state stays.
pub(super) async fn hide(letters: Letters, viewer: Viewer, input: HideInput) -> Result<Outcome> {
    let (id, by, is_hidden) = (input.letter, viewer.account, input.hide == "yes");
    let space = store::find(&letters.engine.db, id).await?.space_id;
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        let letter = store::lock(tx, id).await?;
        if letter.state == State::Draft || letter.hidden_at.is_some() == is_hidden {
            return Ok(());
        }
        let at = is_hidden.then(Micros::now);
        store::set_hidden(tx, id, at).await?;
        let act = Act {
            space: Some(space),
            actor: Some(by),
            act: match is_hidden {
                true => "letter.hidden",
                false => "letter.shown",
            },
            subject: Some(id.0),
            name: "",
            before: serde_json::Value::Null,
            after: serde_json::Value::Null,
        };
        audit::record(tx, act).await?;
        context.publish_moved(tx, &letter);
        context.publish_museum(tx, space);
        Ok(())
    };
    let access = &letters.community.access;
    access
        .permitted_protective_write(by, &MODERATE, Scope::Space(space), work)
        .await?;
    let location = match is_hidden {
        true => format!("/spaces/{space}/letters/plaza"),
        false => format!("/spaces/{space}/letters/hidden"),
    };
    Ok(Outcome::new(json!({ "hidden": is_hidden }), location))
}
