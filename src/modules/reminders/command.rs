//! `/remind`: keeps a reminder from where one writes messages.

use serde_json::json;

use super::{NewReminder, Reminders, when};
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::engine::actions::Outcome;
use crate::engine::commands::{Command, CommandAnswer, CommandCall};
use crate::engine::viewer::Viewer;

pub(super) static REMIND: Command = Command {
    name: "remind",
    usage: "command-remind-usage",
    about: "command-remind",
    permission: None,
};

/// Keeps what stands after the time.
pub(super) async fn remind(
    reminders: Reminders,
    viewer: Viewer,
    call: CommandCall,
) -> Result<CommandAnswer> {
    let zone = reminders.zone(viewer.account, &call.time_zone).await?;
    let now = Micros::now();
    let Some((due_at, text)) = when::parse(&call.text, now, zone) else {
        return Err(Error::field("body", "error-reminder-usage"));
    };
    let key = match call.key.is_empty() {
        // A form that is sent twice within a minute is meant once.
        true => format!("{}-{}", due_at.0 / 60_000_000, text),
        false => call.key,
    };
    let new = NewReminder::new(text, "", Some(due_at), key).map_err(|error| match error {
        // The composer has one field.
        Error::Invalid(mut errors) => {
            errors.iter_mut().for_each(|error| error.field = "body");
            Error::Invalid(errors)
        }
        other => other,
    })?;
    let reminder = reminders.add(viewer.account, new).await?;
    let at = reminder.due_at.rfc3339();
    let outcome = Outcome::new(json!({ "reminder": reminder.id, "at": at }), "/reminders");
    let note = reminders.said(&reminder, zone, viewer.lang);
    Ok(CommandAnswer::Done(outcome.note(note)))
}
