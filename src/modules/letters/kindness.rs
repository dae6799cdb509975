//! Making silence gentle: one question after a long one, and a last letter that ends a
//! correspondence.

use serde::Deserialize;
use serde_json::json;
use sqlx::FromRow;

use super::input::LetterInput;
use super::letter::{Letter, Role};
use super::model::{Kind, LetterId, State, Way};
use super::settings::check_takes_letters;
use super::{ASKED, Letters, SAID, WRITE, store};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{self, AccountId};
use crate::base::locale::Lang;
use crate::community::permissions::READ;
use crate::engine::actions::Outcome;
use crate::engine::notices::{NewNotice, NoticeKind, Recipients};
use crate::engine::viewer::Viewer;

/// Silence after which one may ask, in microseconds: 30 days.
const SILENCE: i64 = 30 * 86_400_000_000;

/// A question about a letter, with its answer.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Question {
    /// `here` or `rest`; empty while it is open.
    answer: String,
}

impl Question {
    pub(super) fn is_open(&self) -> bool {
        self.answer.is_empty()
    }

    pub(super) fn words(&self, lang: &Lang) -> &'static str {
        match self.answer.as_str() {
            "here" => lang.t("letters-question-here"),
            "rest" => lang.t("letters-question-rest"),
            _ => lang.t("letters-question-open"),
        }
    }
}

/// The question about a letter, if there is one.
pub(super) async fn question(db: &Db, letter: LetterId) -> Result<Option<Question>> {
    const READ: &str = "SELECT answer FROM letter_questions WHERE letter_id = $1";
    db.optional(READ, (letter,)).await
}

/// Whether an account may ask about a letter: its author, once it lay unanswered for a month. One
/// that drifts has its own end.
pub(super) fn may_ask(letter: &Letter, account: AccountId, now: Micros) -> bool {
    let is_waiting = matches!(letter.state, State::Delivered | State::Read);
    let is_long = letter
        .delivered_at
        .is_some_and(|at| now.0 - at.0 >= SILENCE);
    letter.author_id == account
        && letter.kind != Kind::Open
        && letter.way != Way::Drift
        && !letter.is_to_self()
        && letter.recipient_id.is_some()
        && is_waiting
        && is_long
}

const IS_CLOSED: &str = "SELECT EXISTS (SELECT 1 FROM letters WHERE thread_id = $1 AND closes \
    AND state IN ('delivered', 'read', 'replied'))";

/// Whether a last letter of a correspondence has arrived.
pub(super) async fn is_closed(db: &Db, thread: LetterId) -> Result<bool> {
    db.scalar(IS_CLOSED, (thread,)).await
}

/// Checks that a correspondence has not ended.
///
/// # Errors
/// `Conflict`.
pub(super) async fn check_goes_on(tx: &mut Tx, thread: LetterId) -> Result<()> {
    match tx.scalar(IS_CLOSED, (thread,)).await? {
        true => Err(Error::Conflict("error-letter-closed")),
        false => Ok(()),
    }
}

impl Letters {
    async fn tell_about(
        &self,
        tx: &mut Tx,
        letter: &Letter,
        kind: &'static NoticeKind,
        to: AccountId,
    ) -> Result<()> {
        let notice = NewNotice {
            kind,
            item: ids::next(),
            actor: None,
            space: Some(letter.space_id),
            room: None,
            href: format!("/letters/{}", letter.id),
            text: String::new(),
            to: vec![Recipients::Accounts(vec![to])],
        };
        self.engine.notices.add(tx, notice).await
    }
}

/// `letters.ask-here`: asks once, after a month, whether the other one is still here.
pub(super) async fn ask(letters: Letters, viewer: Viewer, input: LetterInput) -> Result<Outcome> {
    const ADD: &str = "INSERT INTO letter_questions (letter_id, asked_at) VALUES ($1, $2) \
        ON CONFLICT (letter_id) DO NOTHING";
    let (id, author) = (input.letter, viewer.account);
    let space = letters.own(id, author).await?.space_id;
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        let letter = store::lock(tx, id).await?;
        let now = Micros::now();
        let to = letter
            .recipient_id
            .filter(|_| may_ask(&letter, author, now));
        let to = to.ok_or(Error::Conflict("error-letter-ask-early"))?;
        check_takes_letters(tx, &letter, to).await?;
        if tx.execute(ADD, (id, now)).await? == 0 {
            return Ok(());
        }
        context.tell_about(tx, &letter, &ASKED, to).await?;
        context.publish_moved(tx, &letter);
        Ok(())
    };
    letters.permitted(author, &WRITE, space, work).await?;
    Ok(Outcome::new(
        json!({ "asked": true }),
        format!("/letters/{id}"),
    ))
}

#[derive(Deserialize)]
pub(super) struct AnswerInput {
    letter: LetterId,
    /// `here`, or `rest`: it need not go on.
    answer: String,
}

/// `letters.answer-here`: the recipient answers whether they are still here, by a button.
pub(super) async fn answer(
    letters: Letters,
    viewer: Viewer,
    input: AnswerInput,
) -> Result<Outcome> {
    const SET: &str = "UPDATE letter_questions SET answer = $2, answered_at = $3 \
        WHERE letter_id = $1 AND answer = ''";
    let answer = match input.answer.as_str() {
        "here" => "here",
        "rest" => "rest",
        _ => return Err(Error::field("answer", "error-message-shape")),
    };
    let (id, account) = (input.letter, viewer.account);
    let found = store::find(&letters.engine.db, id).await?;
    let is_for = move |letter: &Letter| {
        letter.role(account) == Role::Recipient && letter.is_visible_to(account)
    };
    if !is_for(&found) {
        return Err(Error::NotFound);
    }
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        let letter = store::lock(tx, id).await?;
        if !is_for(&letter) {
            return Err(Error::NotFound);
        }
        if tx.execute(SET, (id, answer, Micros::now())).await? == 0 {
            return Err(Error::Conflict("error-letter-asked"));
        }
        context
            .tell_about(tx, &letter, &SAID, letter.author_id)
            .await?;
        context.publish_moved(tx, &letter);
        Ok(())
    };
    letters
        .permitted(account, &READ, found.space_id, work)
        .await?;
    Ok(Outcome::new(
        json!({ "answer": answer }),
        format!("/letters/{id}"),
    ))
}
