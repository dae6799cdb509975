//! When somebody is away: shown to those who write to them, so that nobody waits in vain.

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::json;
use sqlx::FromRow;

use super::Letters;
use super::letter::Letter;
use super::model::Way;
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::locale::Lang;
use crate::base::text::{check_short_text, normalize_optional_line};
use crate::community::permissions::READ;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

/// How far ahead an absence may end, in days.
pub const MAX_AWAY_DAYS: i64 = 366;
/// Characters (graphemes) of the line that others read.
pub const MAX_AWAY_NOTE_CHARS: usize = 200;
/// A day in microseconds.
pub(super) const DAY: i64 = 86_400_000_000;

/// When somebody is away. Days are counted from 1970-01-01, UTC.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Absence {
    from_day: i64,
    until_day: i64,
    pub(super) note: String,
}

impl Absence {
    /// The first day, as a field of a form has it.
    pub(super) fn first_day(&self) -> String {
        Micros(self.from_day * DAY).date()
    }

    /// The last day, as a field of a form has it.
    pub(super) fn last_day(&self) -> String {
        Micros(self.until_day * DAY).date()
    }

    pub(super) fn words(&self, lang: &Lang) -> String {
        let (from, until) = (self.first_day(), self.last_day());
        let days = [
            ("from", from.as_str().into()),
            ("until", until.as_str().into()),
        ];
        lang.with("letters-away-words", &days)
    }
}

/// When somebody is away, now or soon.
pub(super) async fn of(
    db: &Db,
    space: SpaceId,
    account: AccountId,
    now: Micros,
) -> Result<Option<Absence>> {
    const READ: &str = "SELECT from_day, until_day, note FROM letter_absences \
        WHERE space_id = $1 AND account_id = $2 AND until_day >= $3";
    db.optional(READ, (space, account, now.0 / DAY)).await
}

impl Letters {
    /// When the recipient of a letter is away. Not of one whom its author does not know.
    pub(super) async fn absence_of_recipient(&self, letter: &Letter) -> Result<Option<Absence>> {
        let is_known = letter.recipient_name.is_empty() && letter.way != Way::Drift;
        match letter.recipient_id.filter(|_| is_known) {
            Some(to) => of(&self.engine.db, letter.space_id, to, Micros::now()).await,
            None => Ok(None),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct AwayInput {
    space: SpaceId,
    /// `2026-12-24`; empty: one is back.
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    note: String,
}

/// The day of a field, counted from 1970-01-01.
pub(super) fn day(field: &str) -> Option<i64> {
    let date = NaiveDate::parse_from_str(field.trim(), "%Y-%m-%d").ok()?;
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    Some(days)
}

/// `letters.away`: says when one is away, or that one is back.
pub(super) async fn set(letters: Letters, viewer: Viewer, input: AwayInput) -> Result<Outcome> {
    const SET: &str = "INSERT INTO letter_absences \
        (space_id, account_id, from_day, until_day, note) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (space_id, account_id) DO UPDATE SET from_day = excluded.from_day, \
        until_day = excluded.until_day, note = excluded.note";
    const END: &str = "DELETE FROM letter_absences WHERE space_id = $1 AND account_id = $2";
    let (space, account) = (input.space, viewer.account);
    let is_away = !(input.from.is_empty() && input.until.is_empty());
    let today = Micros::now().0 / DAY;
    let note = normalize_optional_line(&input.note);
    let mut check = Check::default();
    check_short_text(&note, "note", MAX_AWAY_NOTE_CHARS, &mut check);
    check.done()?;
    let days = match (day(&input.from), day(&input.until)) {
        _ if !is_away => (0, 0),
        (Some(from), Some(until))
            if from <= until && (today..=today + MAX_AWAY_DAYS).contains(&until) =>
        {
            (from.max(today - MAX_AWAY_DAYS), until)
        }
        _ => return Err(Error::field("until", "error-letter-away")),
    };
    let work = async move |tx: &mut Tx| {
        match is_away {
            true => {
                tx.execute(SET, (space, account, days.0, days.1, &note))
                    .await?
            }
            false => tx.execute(END, (space, account)).await?,
        };
        Ok(())
    };
    letters.permitted(account, &READ, space, work).await?;
    let location = format!("/spaces/{space}/letters");
    let note = viewer.lang.t("letters-saved").to_owned();
    Ok(Outcome::new(json!({ "away": is_away }), location).note(note))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_of_field_is_counted_from_1970() {
        assert_eq!(day("1970-01-02"), Some(1));
        assert_eq!(
            day(" 2026-12-24 ")
                .map(|day| Micros(day * DAY).date())
                .as_deref(),
            Some("2026-12-24")
        );
        assert_eq!(day("2026-02-30"), None);
        assert_eq!(day(""), None);
    }
}
