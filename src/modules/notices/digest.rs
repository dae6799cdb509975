//! The mail digest: what stayed unread in an inbox, mailed once a day or a week to who wants that.

mod mail;
mod send_job;
mod stop_page;
mod store;

use axum::routing::get;
use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::json;

use super::Notices;
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::local_time::{at_time, days_to_monday, next_time, time_zone};
use crate::engine::actions::{Class, Outcome};
use crate::engine::jobs::{JobKind, Schedule};
use crate::engine::mail::sending;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::text_enum;
pub(super) use store::{erase, rhythm_of};

/// By the clock of the reader.
const DIGEST_HOUR: u32 = 8;
/// Notices that a mail shows; more are counted.
const MAX_NOTICES_MAILED: usize = 20;

pub(super) fn declare(module: Module<Notices>) -> Module<Notices> {
    module
        .job(JobKind::new(
            send_job::DUE,
            "Finds whose mail digest is due",
            send_job::find_due,
        ))
        .schedule(Schedule::new(send_job::DUE, "*/10 * * * *"))
        .job(sending(JobKind::new(
            send_job::SEND,
            "Mails what stayed unread in an inbox",
            send_job::send,
        )))
        .page(
            Audience::Anyone,
            "/digest/{token}",
            get(stop_page::ask).post(stop_page::stop),
        )
        .action(
            "notices.set-digest",
            "Sets how often one is mailed what stayed unread",
            Class::Write,
            set_digest,
        )
}

/// How often a digest is mailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rhythm {
    Daily,
    /// On Mondays.
    Weekly,
}

text_enum!(Rhythm {
    Daily = "daily",
    Weekly = "weekly",
});

impl Rhythm {
    /// When the next digest is due.
    fn next(self, now: Micros, zone: Tz) -> Micros {
        let hour = NaiveTime::from_hms_opt(DIGEST_HOUR, 0, 0).unwrap_or_default();
        let next = match self {
            Self::Daily => next_time(now, zone, hour),
            Self::Weekly => at_time(now, zone, days_to_monday(now, zone), hour),
        };
        // None at the end of the calendar.
        next.unwrap_or(Micros(i64::MAX))
    }
}

#[derive(Deserialize)]
struct DigestInput {
    /// `never`, `daily` or `weekly`.
    every: String,
}

/// `notices.set-digest`
async fn set_digest(notices: Notices, viewer: Viewer, input: DigestInput) -> Result<Outcome> {
    let account = viewer.account;
    let rhythm = match input.every.as_str() {
        "never" => None,
        "daily" => Some(Rhythm::Daily),
        "weekly" => Some(Rhythm::Weekly),
        _ => return Err(Error::field("every", "error-message-shape")),
    };
    let own = notices.community.accounts.get(account).await?;
    if rhythm.is_some() && (!notices.engine.mail.is_configured() || own.guest_until.is_some()) {
        return Err(Error::Conflict("error-no-mail"));
    }
    let zone = notices.community.time_zone(account).await?;
    let next = rhythm.map(|rhythm| {
        let next = rhythm.next(Micros::now(), time_zone([zone.as_str()]));
        (rhythm, next)
    });
    let write = notices
        .engine
        .db
        .write(async move |tx: &mut Tx| match next {
            Some((rhythm, next)) => store::set(tx, account, rhythm, next).await,
            None => store::erase(tx, account).await,
        });
    write.await?;
    Ok(Outcome::new(json!({}), "/account/notices"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_is_due_in_the_morning_of_the_reader() {
        let now = Micros(1_795_228_260_000_000); // Saturday, 2026-11-21, 02:31 UTC
        let next = |rhythm: Rhythm, zone: Tz| {
            let next = rhythm.next(now, zone);
            assert!(next > now);
            next.rfc3339()
        };
        assert_eq!(next(Rhythm::Daily, Tz::UTC), "2026-11-21T08:00:00Z");
        // There it is 11:31.
        let tokyo = Tz::Asia__Tokyo;
        assert_eq!(next(Rhythm::Daily, tokyo), "2026-11-21T23:00:00Z");
        assert_eq!(next(Rhythm::Weekly, tokyo), "2026-11-22T23:00:00Z");
    }
}
