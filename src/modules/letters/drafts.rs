//! Drafts: begun, saved with versions, and thrown away.

use serde::Deserialize;
use serde_json::json;
use sqlx::FromRow;

use super::contests::DesignId;
use super::envelopes::item_of;
use super::input::{LetterInput, optional_id};
use super::letter::{Letter, Role};
use super::model::{Kind, LetterId, Signature, State, Way};
use super::settings::{in_tx, takes_letters};
use super::store::{DraftText, NewLetter};
use super::text::{
    MAX_LETTER_KEY_BYTES, PAPERS, checked_body, checked_paper, checked_pen_name, checked_stamp,
};
use super::{Letters, WRITE, drifting, kindness, pages, points, store};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{self, AccountId, SpaceId};
use crate::base::local_time::parse_field;
use crate::base::text::is_blank;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

/// Drafts of one account in a space.
pub const MAX_DRAFTS: i64 = 50;
/// Versions of a draft that are kept.
pub const MAX_LETTER_VERSIONS: i64 = 20;
/// A version is kept when the one before it is older than this, in microseconds.
const VERSION_INTERVAL: i64 = 60_000_000;

#[derive(Deserialize)]
pub(super) struct WriteInput {
    space: SpaceId,
    /// `person`, `future` or `open`; of an answer `person`.
    kind: Kind,
    /// `tide` or `hand`.
    #[serde(default = "by_tide")]
    way: Way,
    /// Whom it is to; not of an open letter. Oneself for a future letter.
    #[serde(default, deserialize_with = "optional_id")]
    to: Option<i64>,
    /// The letter that it answers.
    #[serde(default, deserialize_with = "optional_id")]
    reply_to: Option<i64>,
    /// Idempotency key chosen by the client, at most 64 bytes.
    #[serde(default)]
    key: String,
}

fn by_tide() -> Way {
    Way::Tide
}

/// `letters.write`: begins a draft, and leads to its desk.
pub(super) async fn write(letters: Letters, viewer: Viewer, input: WriteInput) -> Result<Outcome> {
    if input.key.len() > MAX_LETTER_KEY_BYTES {
        return Err(Error::field("key", "error-message-shape"));
    }
    let key = match input.key.is_empty() {
        true => ids::next().to_string(),
        false => input.key,
    };
    let (space, author) = (input.space, viewer.account);
    let mut new = NewLetter {
        space,
        author,
        recipient: input.to.map(AccountId),
        recipient_name: String::new(),
        kind: input.kind,
        way: input.way,
        reply_to: input.reply_to.map(LetterId),
        thread: None,
        key,
    };
    let lang = viewer.lang;
    let work = async move |tx: &mut Tx| {
        if !in_tx(tx, space).await?.has(new.way) {
            return Err(Error::Conflict("error-letters-off"));
        }
        if let Some(answered) = new.reply_to {
            let letter = tx_letter(tx, answered).await?;
            address_answer(&mut new, &letter, author, lang)?;
            kindness::check_goes_on(tx, letter.thread_id).await?;
            // Its address would say who they are.
            if new.way == Way::Hand && !new.recipient_name.is_empty() {
                return Err(Error::Conflict("error-letter-answer-by-tide"));
            }
        }
        check_address(tx, &new).await?;
        let (id, is_new) = store::add(tx, &new, PAPERS[0]).await?;
        if is_new && store::count_drafts(tx, author, space).await? > MAX_DRAFTS {
            return Err(Error::Full("error-letter-drafts-full"));
        }
        Ok(id)
    };
    let id = letters.permitted(author, &WRITE, space, work).await?;
    let location = format!("/letters/{id}/desk");
    Ok(Outcome::new(json!({ "letter": id }), location))
}

async fn tx_letter(tx: &mut Tx, id: LetterId) -> Result<Letter> {
    store::lock(tx, id).await
}

/// Addresses an answer to who wrote the letter, by the name that they signed with.
fn address_answer(
    new: &mut NewLetter,
    letter: &Letter,
    author: AccountId,
    lang: crate::base::locale::Lang,
) -> Result<()> {
    let is_mine = letter.role(author) == Role::Recipient && letter.is_readable_by(author);
    if letter.space_id != new.space || !is_mine || letter.is_to_self() {
        return Err(Error::NotFound);
    }
    new.kind = Kind::Person;
    new.recipient = Some(letter.author_id);
    new.recipient_name = match letter.is_signed() {
        true => String::new(),
        false => letter.author_name(lang),
    };
    new.thread = Some(letter.thread_id);
    Ok(())
}

async fn check_takes_new(tx: &mut Tx, new: &NewLetter, to: AccountId) -> Result<()> {
    let is_named = new.recipient_name.is_empty();
    takes_letters(tx, new.space, (new.author, to), is_named).await
}

async fn check_address(tx: &mut Tx, new: &NewLetter) -> Result<()> {
    match (new.kind, new.recipient) {
        (Kind::Open, None) => match new.way {
            Way::Tide => Ok(()),
            Way::Hand | Way::Drift => Err(Error::field("way", "error-message-shape")),
        },
        (Kind::Person, None) if new.way == Way::Drift => {
            drifting::check_joined(tx, new.space, new.author).await
        }
        _ if new.way == Way::Drift => Err(Error::field("way", "error-message-shape")),
        (Kind::Person, Some(to)) if to != new.author => check_takes_new(tx, new, to).await,
        (Kind::Future, Some(to)) if new.way == Way::Tide => check_takes_new(tx, new, to).await,
        _ => Err(Error::field("to", "error-letter-recipient")),
    }
}

#[derive(Deserialize)]
pub(super) struct SaveInput {
    pub(super) letter: LetterId,
    /// The revision that the text was written on.
    pub(super) revision: String,
    pub(super) body: String,
    pub(super) paper: String,
    pub(super) signature: Signature,
    #[serde(default)]
    pub(super) pen_name: String,
    /// `2026-12-01T18:30`, of a future letter.
    #[serde(default)]
    pub(super) opens_at: String,
    /// `yes`: the last letter of a correspondence.
    #[serde(default)]
    pub(super) closes: String,
    /// Empty: that of its way.
    #[serde(default)]
    pub(super) stamp: String,
    /// A design that won and was bought; empty: a plain envelope.
    #[serde(default, deserialize_with = "optional_id")]
    pub(super) envelope: Option<i64>,
    /// The time zone of the browser.
    #[serde(default)]
    pub(super) zone: String,
}

impl SaveInput {
    /// What was sent, checked.
    ///
    /// # Errors
    /// `Invalid`.
    pub(super) async fn checked(&self, letters: &Letters, viewer: &Viewer) -> Result<DraftText> {
        let zone = letters.zone(viewer.account, &self.zone).await?;
        let opens_at = parse_field(&self.opens_at, zone);
        if !self.opens_at.is_empty() && opens_at.is_none() {
            return Err(Error::field("opens_at", "error-letter-day"));
        }
        Ok(DraftText {
            body: checked_body(&self.body)?,
            paper: checked_paper(&self.paper)?,
            signature: self.signature,
            pen_name: checked_pen_name(&self.pen_name)?,
            opens_at,
            closes: self.closes == "yes",
            stamp: checked_stamp(&self.stamp)?,
            envelope: self.envelope.map(DesignId),
        })
    }
}

/// Saves a draft that the transaction has locked, unless another window saved it meanwhile.
///
/// # Errors
/// `NotFound` for who did not write it, `Conflict` when it is sealed or was changed elsewhere.
pub(super) async fn save_in(
    tx: &mut Tx,
    letter: &mut Letter,
    author: AccountId,
    revision: &str,
    text: &DraftText,
) -> Result<()> {
    if letter.author_id != author {
        return Err(Error::NotFound);
    }
    if letter.state != State::Draft {
        return Err(Error::Conflict("error-letter-sealed"));
    }
    check_bought(tx, letter, text).await?;
    let is_same = letter.body == text.body;
    if letter.revision.to_string() != revision && !is_same {
        return Err(Error::Conflict("error-letter-changed"));
    }
    if !is_same && !is_blank(&letter.body) {
        keep_version(tx, letter).await?;
    }
    letter.revision = store::save(tx, letter.id, text).await?;
    letter.body.clone_from(&text.body);
    letter.signature = text.signature;
    letter.pen_name.clone_from(&text.pen_name);
    letter.opens_at = text.opens_at;
    letter.closes = text.closes;
    Ok(())
}

/// Checks that paper and stamp of a draft are its author's to use.
///
/// # Errors
/// `Invalid`.
async fn check_bought(tx: &mut Tx, letter: &Letter, text: &DraftText) -> Result<()> {
    if PAPERS.contains(&text.paper) && text.stamp.is_empty() && text.envelope.is_none() {
        return Ok(());
    }
    let mine = points::bought_in(tx, letter.space_id, letter.author_id).await?;
    let is_mine = |name: &str| mine.iter().any(|one| one == name);
    if !PAPERS.contains(&text.paper) && !is_mine(text.paper) {
        return Err(Error::field("paper", "error-paper-not-bought"));
    }
    if text.envelope.is_some_and(|id| !is_mine(&item_of(id))) {
        return Err(Error::field("envelope", "error-paper-not-bought"));
    }
    match text.stamp.is_empty() || is_mine(text.stamp) {
        true => Ok(()),
        false => Err(Error::field("stamp", "error-paper-not-bought")),
    }
}

/// Deletes all but the latest versions.
const TRIM: &str = "DELETE FROM letter_versions WHERE letter_id = $1 AND revision NOT IN \
    (SELECT revision FROM letter_versions WHERE letter_id = $1 \
    ORDER BY revision DESC LIMIT $2)";

/// Keeps the present text as a version, at most once in a while, and only the latest.
async fn keep_version(tx: &mut Tx, letter: &Letter) -> Result<()> {
    const KEEP: &str = "INSERT INTO letter_versions (letter_id, revision, body, saved_at) \
        SELECT $1, $2, $3, $4 WHERE NOT EXISTS \
        (SELECT 1 FROM letter_versions WHERE letter_id = $1 AND saved_at > $5) \
        ON CONFLICT DO NOTHING";
    let now = Micros::now();
    let row = (
        letter.id,
        letter.revision,
        &letter.body,
        now,
        now.0 - VERSION_INTERVAL,
    );
    if tx.execute(KEEP, row).await? > 0 {
        tx.execute(TRIM, (letter.id, MAX_LETTER_VERSIONS)).await?;
    }
    Ok(())
}

/// `letters.save`.
pub(super) async fn save(letters: Letters, viewer: Viewer, input: SaveInput) -> Result<Outcome> {
    let text = input.checked(&letters, &viewer).await?;
    let (id, author, revision) = (input.letter, viewer.account, input.revision);
    let space = store::find(&letters.engine.db, id).await?.space_id;
    let work = async move |tx: &mut Tx| {
        let mut letter = store::lock(tx, id).await?;
        save_in(tx, &mut letter, author, &revision, &text).await?;
        Ok(letter.revision)
    };
    let revision = letters.permitted(author, &WRITE, space, work).await?;
    let result = json!({ "letter": id, "revision": revision });
    let note = viewer.lang.t("letters-saved").to_owned();
    Ok(Outcome::new(result, format!("/letters/{id}/desk")).note(note))
}

/// `letters.discard`: throws a draft away.
pub(super) async fn discard(
    letters: Letters,
    viewer: Viewer,
    input: LetterInput,
) -> Result<Outcome> {
    let (id, author) = (input.letter, viewer.account);
    let space = letters.own(id, author).await?.space_id;
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        let letter = store::lock(tx, id).await?;
        if letter.author_id != author || letter.state != State::Draft {
            return Err(Error::NotFound);
        }
        pages::release(&context, tx, &[id]).await?;
        store::discard(tx, author, id).await
    };
    letters.permitted(author, &WRITE, space, work).await?;
    let location = format!("/spaces/{space}/letters/drafts");
    Ok(Outcome::new(json!({ "discarded": true }), location))
}

#[derive(Deserialize)]
pub(super) struct RestoreInput {
    letter: LetterId,
    revision: i64,
}

/// `letters.restore`: makes an earlier version the text of a draft; the present one is kept.
pub(super) async fn restore(
    letters: Letters,
    viewer: Viewer,
    input: RestoreInput,
) -> Result<Outcome> {
    const FIND: &str = "SELECT body FROM letter_versions WHERE letter_id = $1 AND revision = $2";
    const KEEP: &str = "INSERT INTO letter_versions (letter_id, revision, body, saved_at) \
        VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    const SET: &str = "UPDATE letters SET body = $2, revision = revision + 1 WHERE id = $1";
    let (id, author, revision) = (input.letter, viewer.account, input.revision);
    let space = letters.own(id, author).await?.space_id;
    let work = async move |tx: &mut Tx| {
        let letter = store::lock(tx, id).await?;
        if letter.author_id != author || letter.state != State::Draft {
            return Err(Error::NotFound);
        }
        let body: String = tx.scalar(FIND, (id, revision)).await?;
        let row = (id, letter.revision, &letter.body, Micros::now());
        tx.execute(KEEP, row).await?;
        tx.execute(TRIM, (id, MAX_LETTER_VERSIONS)).await?;
        tx.execute(SET, (id, &body)).await?;
        Ok(())
    };
    letters.permitted(author, &WRITE, space, work).await?;
    Ok(Outcome::new(
        json!({ "restored": true }),
        format!("/letters/{id}/desk"),
    ))
}

/// An earlier text of a draft.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Version {
    pub(super) revision: i64,
    pub(super) body: String,
    pub(super) saved_at: Micros,
}

/// The earlier texts of a draft, the latest first.
pub(super) async fn versions(db: &Db, id: LetterId) -> Result<Vec<Version>> {
    const READ: &str = "SELECT revision, body, saved_at FROM letter_versions \
        WHERE letter_id = $1 ORDER BY revision DESC LIMIT $2";
    db.all(READ, (id, MAX_LETTER_VERSIONS)).await
}
