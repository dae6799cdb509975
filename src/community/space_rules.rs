//! The rules of a space, which members accept before they write, and the page that welcomes them.

use serde_json::json;

use super::audit::{self, Act};
use super::member_roles::publish_member;
use super::permissions::{MANAGE_SPACE, READ};
use super::redirects::landing_page;
use super::topics::SpaceRulesChanged;
use super::{Community, SPACE_FEED, Scope};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::base::text::{check_short_text, is_blank, normalize_optional_line};
use crate::engine::bus::Origin;

/// Graphemes of the rules of a space.
const MAX_RULES_CHARS: usize = 10_000;
/// Graphemes of the text that welcomes members.
const MAX_WELCOME_CHARS: usize = 2_000;
/// Rooms that the welcome points to.
pub(super) const MAX_WELCOME_ROOMS: usize = 10;
/// Characters of a text that the audit log keeps.
const LOGGED_CHARS: usize = 500;

/// Several lines as they are stored: each normalized, none at the ends.
fn normalize_lines(text: &str) -> String {
    let lines = text.trim().lines().map(normalize_optional_line);
    let text = lines.collect::<Vec<_>>().join("\n");
    match is_blank(&text) {
        true => String::new(),
        false => text,
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(LOGGED_CHARS).collect()
}

/// Paragraphs of a text: lines without an empty one between them.
pub(super) fn paragraphs(text: &str) -> Vec<Vec<String>> {
    let mut paragraphs = vec![Vec::new()];
    for line in text.lines() {
        match (line.is_empty(), paragraphs.last_mut()) {
            (false, Some(last)) => last.push(line.to_owned()),
            _ => paragraphs.push(Vec::new()),
        }
    }
    paragraphs.retain(|lines| !lines.is_empty());
    paragraphs
}

/// What the welcome of a space shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Welcome {
    pub(super) text: String,
    /// The rooms it points to.
    pub(super) rooms: Vec<RoomId>,
}

impl Community {
    /// The rules of a space, and when they were changed last; for its members.
    ///
    /// # Errors
    /// `NotFound` for everybody else.
    pub(super) async fn rules_of(
        &self,
        viewer: AccountId,
        space: SpaceId,
    ) -> Result<(String, Micros)> {
        const READ_RULES: &str = "SELECT rules, rules_at FROM spaces WHERE id = $1";
        let scope = Scope::Space(space);
        self.access.permit(viewer, &READ, scope).await?;
        self.engine().db.one(READ_RULES, (space,)).await
    }

    /// Sets the rules of a space; with `asks_again` every member but owners has to accept them
    /// before they write again. Without rules nobody has to.
    ///
    /// # Errors
    /// `Invalid` for rules that are too long.
    pub(super) async fn set_rules(
        &self,
        by: AccountId,
        space: SpaceId,
        rules: &str,
        asks_again: bool,
    ) -> Result<()> {
        let mut check = Check::default();
        let rules = normalize_lines(rules);
        check_short_text(&rules, "rules", MAX_RULES_CHARS, &mut check);
        check.done()?;
        let bus = self.engine().bus.clone();
        let write = async move |tx: &mut Tx| {
            const RULES: &str = "SELECT rules FROM spaces WHERE id = $1";
            const SET: &str = "UPDATE spaces SET rules = $2, rules_at = $3 WHERE id = $1";
            const ASK: &str = "UPDATE members SET pending = TRUE \
                WHERE space_id = $1 AND role <> 'owner' AND NOT guest";
            const FREE: &str = "UPDATE members SET pending = FALSE \
                WHERE space_id = $1 AND pending";
            let before: String = tx.scalar(RULES, (space,)).await?;
            if before != rules {
                tx.execute(SET, (space, &rules, Micros::now())).await?;
            }
            if rules.is_empty() {
                tx.execute(FREE, (space,)).await?;
            } else if asks_again {
                tx.execute(ASK, (space,)).await?;
            }
            let act = Act {
                space: Some(space),
                actor: Some(by),
                act: "space.rules-changed",
                subject: None,
                name: "",
                before: json!({ "rules": excerpt(&before) }),
                after: json!({ "rules": excerpt(&rules), "asks-again": asks_again }),
            };
            audit::record(tx, act).await?;
            let (origin, feed) = (Origin::new(by, Some(space)), SPACE_FEED.name(space));
            bus.publish_on(tx, &[feed], origin, SpaceRulesChanged { space })
                .await?;
            Ok(())
        };
        self.access
            .permitted_write(by, &MANAGE_SPACE, Scope::Space(space), write)
            .await
    }

    /// Accepts the rules of a space that were changed last at `version`.
    ///
    /// # Errors
    /// `Conflict` when they were changed since, `NotFound` for who is no member.
    pub(super) async fn accept_rules(
        &self,
        account: AccountId,
        space: SpaceId,
        version: i64,
    ) -> Result<()> {
        let engine = self.engine().clone();
        let write = async move |tx: &mut Tx| {
            const RULES_AT: &str = "SELECT rules_at FROM spaces WHERE id = $1";
            const ACCEPT: &str = "UPDATE members SET pending = FALSE \
                WHERE space_id = $1 AND account_id = $2 AND pending AND NOT guest";
            let rules_at: i64 = tx.scalar(RULES_AT, (space,)).await?;
            if rules_at != version {
                return Err(Error::Conflict("error-rules-changed"));
            }
            if tx.execute(ACCEPT, (space, account)).await? == 0 {
                return Ok(());
            }
            publish_member(tx, &engine, account, space, account).await
        };
        self.access
            .permitted_write(account, &READ, Scope::Space(space), write)
            .await
    }

    /// What the welcome of a space shows, for its members.
    ///
    /// # Errors
    /// `NotFound` for everybody else.
    pub(super) async fn welcome_of(&self, viewer: AccountId, space: SpaceId) -> Result<Welcome> {
        const TEXT: &str = "SELECT welcome FROM spaces WHERE id = $1";
        const ROOMS: &str = "SELECT w.room_id FROM welcome_rooms w \
            JOIN rooms r ON r.id = w.room_id WHERE w.space_id = $1 AND r.archived_at IS NULL \
            ORDER BY r.position, r.name";
        let scope = Scope::Space(space);
        self.access.permit(viewer, &READ, scope).await?;
        let db = &self.engine().db;
        Ok(Welcome {
            text: db.scalar(TEXT, (space,)).await?,
            rooms: db.scalars(ROOMS, (space,)).await?,
        })
    }

    /// Sets the welcome of a space.
    ///
    /// # Errors
    /// `Invalid` for a text that is too long, `NotFound` for a room of another space.
    pub(super) async fn set_welcome(
        &self,
        by: AccountId,
        space: SpaceId,
        text: &str,
        rooms: Vec<RoomId>,
    ) -> Result<()> {
        let mut check = Check::default();
        let text = normalize_lines(text);
        check_short_text(&text, "welcome", MAX_WELCOME_CHARS, &mut check);
        check.done()?;
        let write = async move |tx: &mut Tx| {
            const BEFORE: &str = "SELECT welcome FROM spaces WHERE id = $1";
            const SET: &str = "UPDATE spaces SET welcome = $2 WHERE id = $1";
            const CLEAR: &str = "DELETE FROM welcome_rooms WHERE space_id = $1";
            const ADD: &str = "INSERT INTO welcome_rooms (space_id, room_id) \
                SELECT space_id, id FROM rooms WHERE space_id = $1 AND id = $2 \
                ON CONFLICT DO NOTHING";
            const COUNT: &str = "SELECT COUNT(*) FROM rooms WHERE space_id = $1 AND id = $2";
            let before: String = tx.scalar(BEFORE, (space,)).await?;
            tx.execute(SET, (space, &text)).await?;
            tx.execute(CLEAR, (space,)).await?;
            for room in &rooms {
                if tx.scalar::<i64>(COUNT, (space, *room)).await? == 0 {
                    return Err(Error::NotFound);
                }
                tx.execute(ADD, (space, *room)).await?;
            }
            let act = Act {
                space: Some(space),
                actor: Some(by),
                act: "space.welcome-changed",
                subject: None,
                name: "",
                before: json!({ "welcome": excerpt(&before) }),
                after: json!({ "welcome": excerpt(&text), "rooms": rooms.len() }),
            };
            audit::record(tx, act).await
        };
        self.access
            .permitted_write(by, &MANAGE_SPACE, Scope::Space(space), write)
            .await
    }

    /// Where somebody goes who has joined a space, or accepted its rules: to the rules that are yet
    /// to be accepted, else to its welcome, else to its first room.
    pub(super) async fn first_page(&self, account: AccountId, space: SpaceId) -> Result<String> {
        let member = self.access.member(account, space).await?;
        let member = member.ok_or(Error::NotFound)?;
        if member.is_pending && !member.is_owner && !member.is_guest {
            return Ok(format!("/spaces/{space}/rules-text"));
        }
        let welcome = self.welcome_of(account, space).await?;
        match welcome.text.is_empty() && welcome.rooms.is_empty() {
            true => landing_page(self, account, space).await,
            false => Ok(format!("/spaces/{space}/welcome")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_normalized_and_make_paragraphs() {
        let text = normalize_lines("  1. Be  kind\r\n2. \u{202e}Listen\n \n\nBye \n");
        assert_eq!(text, "1. Be kind\n2. Listen\n\n\nBye");
        assert_eq!(
            paragraphs(&text),
            [vec!["1. Be kind", "2. Listen"], vec!["Bye"]]
        );
        assert_eq!(normalize_lines(" \u{200b}\n "), "");
    }
}
