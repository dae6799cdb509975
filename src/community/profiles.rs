//! What people tell about themselves: the name that is shown, pronouns, a text, a time zone and a
//! status. Everybody who shares a space or conversation with them may read it.

use std::time::Duration;

use sqlx::FromRow;

use super::Community;
use super::accounts::MAX_NAME_CHARS;
use super::names::check_name_of;
use super::portraits::Face;
use super::topics::{ProfileChanged, StatusChanged};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::base::text::{check_short_text, normalize_optional_line};
use crate::engine::bus::Origin;

const MAX_PRONOUNS_CHARS: usize = 40; // graphemes
const MAX_BIO_CHARS: usize = 500; // graphemes
const MAX_STATUS_CHARS: usize = 100; // graphemes
/// The longest name of the IANA database has 32 letters.
const MAX_ZONE_BYTES: usize = 64;
/// Conversations whose pages learn at once that somebody in them has another name.
const MAX_TOLD: i64 = 2_000;

/// What others may read of an account.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Profile {
    pub(super) id: AccountId,
    /// The name that is shown: the display name, else the user name.
    pub(super) name: String,
    /// Unique, and what one signs in with.
    pub(super) user_name: String,
    pub(super) pronouns: String,
    pub(super) bio: String,
    /// A name of the IANA database; empty if none was given.
    pub(super) time_zone: String,
    /// One emoji, or nothing.
    pub(super) status_emoji: String,
    pub(super) status: String,
    /// When the status ends; never, if none.
    pub(super) status_until: Option<Micros>,
    pub(super) created_at: Micros,
}

impl Profile {
    pub(super) fn face(&self) -> Face {
        Face::of(self.id, &self.name)
    }

    /// Whether there is a status that has not ended.
    pub(super) fn has_status(&self) -> bool {
        let is_over = self
            .status_until
            .is_some_and(|until| until <= Micros::now());
        !is_over && (!self.status.is_empty() || !self.status_emoji.is_empty())
    }

    /// The emoji of the status; empty once it has ended.
    pub(super) fn shown_emoji(&self) -> &str {
        if self.has_status() {
            &self.status_emoji
        } else {
            ""
        }
    }

    /// The text of the status; empty once it has ended.
    pub(super) fn shown_status(&self) -> &str {
        if self.has_status() { &self.status } else { "" }
    }

    /// The display name; empty if the user name is shown.
    pub(super) fn display_name(&self) -> &str {
        if self.name == self.user_name {
            ""
        } else {
            &self.name
        }
    }
}

/// The fields of the form of a profile, normalized.
pub(super) struct NewProfile {
    pub(super) display_name: String,
    pub(super) pronouns: String,
    pub(super) bio: String,
    pub(super) time_zone: String,
}

impl NewProfile {
    /// # Errors
    /// `Invalid` with the fields that are too long or otherwise refused.
    pub(super) fn check(mut self) -> Result<Self> {
        let mut check = Check::default();
        self.display_name = normalize_optional_line(&self.display_name);
        if !self.display_name.is_empty() {
            let name = &self.display_name;
            self.display_name = check_name_of(MAX_NAME_CHARS, name, "display_name", &mut check);
        }
        self.pronouns = normalize_optional_line(&self.pronouns);
        check_short_text(&self.pronouns, "pronouns", MAX_PRONOUNS_CHARS, &mut check);
        let lines = self.bio.trim().lines().map(normalize_optional_line);
        self.bio = lines.collect::<Vec<_>>().join("\n");
        check_short_text(&self.bio, "bio", MAX_BIO_CHARS, &mut check);
        self.time_zone = self.time_zone.trim().to_owned();
        check.that(is_zone(&self.time_zone), "time_zone", "error-time-zone", 0);
        check.done()?;
        Ok(self)
    }
}

/// Whether a text has the form of a time zone's name. Browsers, which know the list, decide whether
/// there is one of this name.
fn is_zone(text: &str) -> bool {
    let is_part = |part: &str| {
        let mut chars = part.chars();
        chars.next().is_some_and(|c| c.is_ascii_alphabetic())
            && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+'))
    };
    text.is_empty() || (text.len() <= MAX_ZONE_BYTES && text.split('/').all(is_part))
}

/// A status, checked.
pub(super) struct NewStatus {
    emoji: String,
    text: String,
    until: Option<Micros>,
}

impl NewStatus {
    /// `ends` is one of the values that the form offers.
    ///
    /// # Errors
    /// `Invalid` for a long text, what is no emoji, or an unknown end.
    pub(super) fn new(emoji: &str, text: &str, ends: &str) -> Result<Self> {
        const MINUTE: u64 = 60;
        let (emoji, text) = (emoji.trim().to_owned(), normalize_optional_line(text));
        let mut check = Check::default();
        let is_emoji = emoji.is_empty() || emojis::get(&emoji).is_some();
        check.that(is_emoji, "emoji", "error-status-emoji", 0);
        check_short_text(&text, "text", MAX_STATUS_CHARS, &mut check);
        check.done()?;
        let now = Micros::now();
        let day = now.calendar();
        let to_midnight = 24 * 60 * MINUTE
            - u64::from(day.hour()) * 60 * MINUTE
            - u64::from(day.minute()) * MINUTE;
        let days_left = 7 - u64::from(day.weekday().number_from_monday());
        let seconds = match ends {
            "" => None,
            "30m" => Some(30 * MINUTE),
            "1h" => Some(60 * MINUTE),
            "4h" => Some(240 * MINUTE),
            "today" => Some(to_midnight),
            "week" => Some(to_midnight + days_left * 24 * 60 * MINUTE),
            _ => return Err(Error::field("ends", "error-message-shape")),
        };
        let until = seconds.map(|seconds| now.plus(Duration::from_secs(seconds)));
        Ok(Self { emoji, text, until })
    }
}

impl Community {
    /// The profile of an account, for those who share a space or conversation with it.
    ///
    /// # Errors
    /// `NotFound` for everybody else.
    pub(super) async fn profile_for(
        &self,
        viewer: AccountId,
        account: AccountId,
    ) -> Result<Profile> {
        const READ: &str = "SELECT id, name, coalesce(user_name, name) AS user_name, pronouns, \
            bio, time_zone, status_emoji, status, status_until, created_at \
            FROM accounts WHERE id = $1 AND (id = $2 \
            OR EXISTS (SELECT 1 FROM members mine JOIN members theirs \
            ON theirs.space_id = mine.space_id \
            WHERE mine.account_id = $2 AND theirs.account_id = $1) \
            OR EXISTS (SELECT 1 FROM room_members mine JOIN room_members theirs \
            ON theirs.room_id = mine.room_id \
            WHERE mine.account_id = $2 AND theirs.account_id = $1))";
        self.engine().db.one(READ, (account, viewer)).await
    }

    /// The time zone that an account gives in its profile: a name of the IANA database, or nothing.
    ///
    /// # Errors
    /// `NotFound`; the database's.
    pub async fn time_zone(&self, account: AccountId) -> Result<String> {
        const READ: &str = "SELECT time_zone FROM accounts WHERE id = $1";
        self.engine().db.scalar(READ, (account,)).await
    }

    /// The names of the spaces that two accounts are both in, at most 100.
    ///
    /// # Errors
    /// The database's.
    pub async fn common_spaces(
        &self,
        one: AccountId,
        other: AccountId,
    ) -> Result<Vec<(SpaceId, String)>> {
        const READ: &str = "SELECT s.id, s.name FROM spaces s \
            JOIN members mine ON mine.space_id = s.id AND mine.account_id = $1 \
            JOIN members theirs ON theirs.space_id = s.id AND theirs.account_id = $2 \
            WHERE s.deleted_at IS NULL ORDER BY s.name LIMIT 100";
        self.engine().db.all(READ, (one, other)).await
    }

    /// Stores a profile. Open pages show the new name.
    pub(super) async fn set_profile(&self, account: AccountId, new: NewProfile) -> Result<()> {
        const SET: &str = "UPDATE accounts SET user_name = coalesce(user_name, name), \
            name = CASE WHEN $2 = '' THEN coalesce(user_name, name) ELSE $2 END, \
            pronouns = $3, bio = $4, time_zone = $5 WHERE id = $1";
        let bus = self.engine().bus.clone();
        let write = self.engine().db.write(async move |tx| {
            let values = (
                account,
                new.display_name,
                new.pronouns,
                new.bio,
                new.time_zone,
            );
            tx.execute(SET, values).await?;
            let event = profile_changed(tx, account).await?;
            let feeds = event.feeds();
            bus.publish_on(tx, &feeds, Origin::new(account, None), event)
                .await?;
            Ok(())
        });
        write.await
    }

    /// Stores a status; one without emoji and text clears it.
    pub(super) async fn set_status(&self, account: AccountId, new: NewStatus) -> Result<()> {
        const SET: &str = "UPDATE accounts SET status_emoji = $2, status = $3, status_until = $4 \
            WHERE id = $1";
        let bus = self.engine().bus.clone();
        let write = self.engine().db.write(async move |tx| {
            tx.execute(SET, (account, new.emoji, new.text, new.until))
                .await?;
            bus.publish_after_commit(tx, Origin::new(account, None), StatusChanged { account });
            Ok(())
        });
        write.await
    }
}

/// The event for an account, with everything whose pages show its name.
async fn profile_changed(tx: &mut Tx, account: AccountId) -> Result<ProfileChanged> {
    const NAME: &str = "SELECT name FROM accounts WHERE id = $1";
    const SPACES: &str = "SELECT space_id FROM members WHERE account_id = $1 ORDER BY space_id";
    const ROOMS: &str = "SELECT m.room_id FROM room_members m \
        JOIN rooms r ON r.id = m.room_id AND r.space_id IS NULL \
        WHERE m.account_id = $1 ORDER BY m.room_id DESC LIMIT $2";
    let spaces: Vec<SpaceId> = tx.scalars(SPACES, (account,)).await?;
    let rooms: Vec<RoomId> = tx.scalars(ROOMS, (account, MAX_TOLD)).await?;
    let name = tx.scalar(NAME, (account,)).await?;
    Ok(ProfileChanged {
        account,
        name,
        spaces,
        rooms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zone_of_other_characters_is_refused() {
        for zone in [
            "",
            "UTC",
            "Europe/Vienna",
            "America/Argentina/Buenos_Aires",
            "Etc/GMT+5",
        ] {
            assert!(is_zone(zone), "{zone}");
        }
        for text in ["/", "Europe/", "<b>", "Europe/../x", "Ö", "a b"] {
            assert!(!is_zone(text), "{text}");
        }
    }

    #[test]
    fn status_of_unknown_end_or_emoji_is_refused() {
        assert!(NewStatus::new("🎉", "out", "30m").is_ok());
        assert!(NewStatus::new("", "", "").is_ok());
        assert!(NewStatus::new("x", "out", "").is_err());
        assert!(NewStatus::new("", "out", "later").is_err());
    }
}
