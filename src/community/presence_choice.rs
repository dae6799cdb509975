//! How an account chose to be seen by others: as its sockets tell, as somebody who is not to be
//! disturbed, or not at all; for some time, or until it is changed.

use std::time::Duration;

use super::Community;
use super::topics::PresenceChosen;
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::engine::bus::Origin;
use crate::text_enum;

/// How an account is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresenceChoice {
    /// Here, idle or away, as its sockets tell.
    Automatic,
    /// Not to be disturbed while it is here: nothing draws its attention.
    Busy,
    /// As away.
    Invisible,
}

text_enum!(PresenceChoice {
    Automatic = "automatic",
    Busy = "busy",
    Invisible = "invisible",
});

/// What the form offers: the value, and the key of its text.
pub(super) const ENDS: [(&str, &str); 5] = [
    ("", "presence-ends-never"),
    ("30m", "status-ends-30m"),
    ("1h", "status-ends-1h"),
    ("4h", "status-ends-4h"),
    ("8h", "presence-ends-8h"),
];

/// The end that a value of the form stands for; `None` for never.
fn end_of(ends: &str) -> Result<Option<Micros>> {
    let minutes = match ends {
        "" => return Ok(None),
        "30m" => 30,
        "1h" => 60,
        "4h" => 240,
        "8h" => 480,
        _ => return Err(Error::field("ends", "error-message-shape")),
    };
    Ok(Some(Micros::now().plus(Duration::from_secs(minutes * 60))))
}

impl Community {
    /// Chooses how an account is seen.
    ///
    /// # Errors
    /// `Invalid` for another choice or end than the form offers.
    pub(super) async fn choose_presence(
        &self,
        account: AccountId,
        choice: &str,
        ends: &str,
    ) -> Result<()> {
        const SET: &str = "UPDATE accounts SET presence = $2, presence_until = $3 WHERE id = $1";
        let choice = match choice {
            "automatic" => PresenceChoice::Automatic,
            "busy" => PresenceChoice::Busy,
            "invisible" => PresenceChoice::Invisible,
            _ => return Err(Error::field("presence", "error-message-shape")),
        };
        let until = match choice {
            PresenceChoice::Automatic => None,
            _ => end_of(ends)?,
        };
        let bus = self.engine().bus.clone();
        let feed = super::ACCOUNT_FEED.name(account);
        let write = self.engine().db.write(async move |tx| {
            tx.execute(SET, (account, choice, until)).await?;
            let origin = Origin::new(account, None);
            let event = PresenceChosen { account };
            bus.publish_on(tx, &[feed], origin, event).await?;
            Ok(())
        });
        write.await
    }
}
