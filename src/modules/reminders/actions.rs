//! `reminders.add` and `reminders.remove`.

use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::json;

use super::{NewReminder, Reminder, ReminderId, Reminders, store, when};
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::local_time::{field_value, parse_field, time_zone};
use crate::base::locale::Lang;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

/// Bytes of a client's key.
const MAX_KEY_BYTES: usize = 64;

#[derive(Deserialize)]
pub(super) struct AddInput {
    /// What to be reminded of; may be empty with `about`.
    #[serde(default)]
    text: String,
    /// The path of a message.
    #[serde(default)]
    about: String,
    /// One of the offered times: `20m`, `1h`, `3h`, `tomorrow`, `monday`.
    #[serde(default)]
    when: String,
    /// `2026-12-01T18:30`, by the clock of `zone`; stands before `when`.
    #[serde(default)]
    at: String,
    /// The time zone of the browser; without it the account's.
    #[serde(default)]
    zone: String,
    /// Idempotency key chosen by the client, at most 64 bytes; without it a minute and text are
    /// meant once.
    #[serde(default)]
    key: String,
}

pub(super) async fn add(reminders: Reminders, viewer: Viewer, input: AddInput) -> Result<Outcome> {
    let zone = reminders.zone(viewer.account, &input.zone).await?;
    let due_at = match input.at.trim().is_empty() {
        true => when::offered(&input.when, Micros::now(), zone),
        false => parse_field(&input.at, zone),
    };
    if input.key.len() > MAX_KEY_BYTES {
        return Err(Error::field("key", "error-message-shape"));
    }
    let key = match input.key.is_empty() {
        true => {
            let minute = due_at.map_or(0, |at| at.0 / 60_000_000);
            let text: String = input.text.chars().take(200).collect();
            format!("{minute}-{}-{text}", input.about)
        }
        false => input.key,
    };
    let new = NewReminder::new(&input.text, &input.about, due_at, key)?;
    let reminder = reminders.add(viewer.account, new).await?;
    let result = json!({ "reminder": reminder.id, "at": reminder.due_at.rfc3339() });
    let location = match reminder.href.is_empty() {
        true => "/reminders".to_owned(),
        false => reminder.href.clone(),
    };
    let note = reminders.said(&reminder, zone, viewer.lang);
    Ok(Outcome::new(result, location).note(note))
}

#[derive(Deserialize)]
pub(super) struct RemoveInput {
    reminder: ReminderId,
}

pub(super) async fn remove(
    reminders: Reminders,
    viewer: Viewer,
    input: RemoveInput,
) -> Result<Outcome> {
    let (account, jobs) = (viewer.account, reminders.engine.jobs.clone());
    let write = reminders.engine.db.write(async move |tx| {
        let job = store::remove(tx, account, input.reminder).await?;
        // Or else one could fill the queue by adding and removing.
        jobs.withdraw(tx, job).await
    });
    write.await?;
    Ok(Outcome::new(json!({ "removed": true }), "/reminders"))
}

impl Reminders {
    /// The time zone of a browser where it says one, else the account's, else UTC.
    pub(super) async fn zone(&self, account: AccountId, browser: &str) -> Result<Tz> {
        let own = self.community.time_zone(account).await?;
        Ok(time_zone([browser, own.as_str()]))
    }

    /// What the note says of a reminder that is kept.
    pub(super) fn said(&self, reminder: &Reminder, zone: Tz, lang: Lang) -> String {
        let at = field_value(reminder.due_at, zone).replace('T', " ");
        lang.with("reminder-kept", &[("at", at.as_str().into())])
    }
}
