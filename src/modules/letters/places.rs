//! Places of a space, as a tree of codes: `AA` a school or town, `AABB` an area of it, `AABBCC` a
//! point: a door, a shop or a box. The last pair of a door is told only to who lives there, who
//! writes to them, and the couriers of its branch.

use sqlx::FromRow;

use super::couriers::Post;
use super::{Letters, ORGANISE};
use crate::base::db::{Db, Tx};
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::community::Scope;
use crate::community::audit::{self, Act};
use crate::community::permissions::is_granted;
use crate::id;

id!(
    /// A place: a school or town, an area of it, or a point of that.
    PlaceId
);

/// Places of a space.
pub const MAX_PLACES: i64 = 10_000;
/// Doors that one account applies for or has in a space.
pub const MAX_DOORS: i64 = 3;
/// Characters (graphemes) of the name of a place.
pub const MAX_PLACE_NAME_CHARS: usize = 60;
/// Areas of which who applies for a door chooses.
const MAX_AREAS_LISTED: i64 = 1_000;
/// Places that a page lists.
const MAX_PLACES_LISTED: i64 = 500;

/// A place.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Place {
    pub(super) id: PlaceId,
    pub(super) space_id: SpaceId,
    /// Of an application for a door that of its area.
    pub(super) code: String,
    pub(super) name: String,
    /// `school`, `area`, `door`, `shop` or `box`.
    pub(super) kind: String,
    /// `applied`, `open` or `retired`.
    pub(super) state: String,
    pub(super) resident_id: Option<AccountId>,
    pub(super) resident: String,
}

macro_rules! place_columns {
    () => {
        "p.id, p.space_id, p.code, p.name, p.kind, p.state, p.resident_id, \
         COALESCE(a.name, '') AS resident FROM letter_places p \
         LEFT JOIN accounts a ON a.id = p.resident_id "
    };
}

impl Place {
    /// Whether its last pair is private.
    pub(super) fn is_door(&self) -> bool {
        self.kind == "door"
    }

    /// Its code for somebody who may not know the last pair.
    pub(super) fn public_code(&self) -> String {
        match (self.is_door(), self.code.get(..4)) {
            (true, Some(area)) => format!("{area}··"),
            _ => self.code.clone(),
        }
    }
}

/// The area of a code: its first two pairs.
pub(super) fn area_of(code: &str) -> String {
    code.get(..4).unwrap_or(code).to_owned()
}

/// A code as it is stored: two, four or six letters and digits; nothing for anything else.
pub(super) fn parse_code(typed: &str) -> Option<String> {
    let code = typed.trim().to_ascii_uppercase();
    let is_code = matches!(code.len(), 2 | 4 | 6);
    (is_code && code.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(code)
}

/// The kinds of places that a code of this length may have.
pub(super) fn fits_kind(code: &str, kind: &str) -> bool {
    match code.len() {
        2 => kind == "school",
        4 => kind == "area",
        _ => matches!(kind, "door" | "shop" | "box"),
    }
}

/// A place of a space.
///
/// # Errors
/// `NotFound`.
pub(super) async fn find(db: &Db, id: PlaceId) -> Result<Place> {
    const FIND: &str = concat!("SELECT ", place_columns!(), "WHERE p.id = $1");
    db.one(FIND, (id,)).await
}

/// The open places of a space and the applications, by code: a page after one of them. The code of
/// that one is looked up here, since an address must not have it.
pub(super) async fn list(
    db: &Db,
    space: SpaceId,
    after: Option<PlaceId>,
) -> Result<(Vec<Place>, Option<PlaceId>)> {
    const READ: &str = concat!(
        "SELECT ",
        place_columns!(),
        "WHERE p.space_id = $1 AND p.state <> 'retired' AND ($2 IS NULL OR EXISTS \
         (SELECT 1 FROM letter_places o WHERE o.id = $2 AND (p.code > o.code \
         OR (p.code = o.code AND p.id > o.id)))) ORDER BY p.code, p.id LIMIT $3"
    );
    let row = (space, after, MAX_PLACES_LISTED + 1);
    let mut found: Vec<Place> = db.all(READ, row).await?;
    let most = usize::try_from(MAX_PLACES_LISTED).unwrap_or_default();
    let has_more = found.len() > most;
    found.truncate(most);
    let last = found.last().map(|last| last.id);
    Ok((found, last.filter(|_| has_more)))
}

/// The open areas of a space, by code, as code and name.
pub(super) async fn areas(db: &Db, space: SpaceId) -> Result<Vec<(String, String)>> {
    const READ: &str = "SELECT code, name FROM letter_places WHERE space_id = $1 \
        AND kind = 'area' AND state = 'open' ORDER BY code LIMIT $2";
    db.all(READ, (space, MAX_AREAS_LISTED)).await
}

/// The open door of an account in a space.
pub(super) async fn door_of(
    tx: &mut Tx,
    space: SpaceId,
    account: AccountId,
) -> Result<Option<(PlaceId, String)>> {
    const FIND: &str = "SELECT id, code FROM letter_places WHERE resident_id = $1 \
        AND space_id = $2 AND state = 'open' ORDER BY id LIMIT 1";
    tx.optional(FIND, (account, space)).await
}

/// Records in the audit log that somebody looked up whose door it is.
pub(super) async fn record_look_up(letters: &Letters, by: AccountId, place: &Place) -> Result<()> {
    let (space, id, name) = (place.space_id, place.id, place.public_code());
    let write = letters.engine.db.write_queued(async move |tx| {
        let act = act(space, by, "place.looked-up", id, &name);
        audit::record(tx, act).await
    });
    write.await
}

pub(super) fn act<'a>(
    space: SpaceId,
    by: AccountId,
    act: &'static str,
    id: PlaceId,
    name: &'a str,
) -> Act<'a> {
    Act {
        space: Some(space),
        actor: Some(by),
        act,
        subject: Some(id.0),
        name,
        before: serde_json::Value::Null,
        after: serde_json::Value::Null,
    }
}

/// What somebody may do with places: an organiser everything, a courier from sorter on in their
/// branch.
pub(super) fn may_manage(is_organiser: bool, post: Option<&Post>, code: &str) -> bool {
    is_organiser
        || post.is_some_and(|post| {
            post.is_active()
                && post.rank >= 2
                && post.covers(code)
                && code.len() > post.branch.len()
        })
}

impl Letters {
    /// Whether an account runs the letters of a space.
    pub(super) async fn is_organiser(&self, account: AccountId, space: SpaceId) -> Result<bool> {
        let access = &self.community.access;
        let asked = access.permit(account, &ORGANISE, Scope::Space(space));
        is_granted(asked.await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_place_has_two_four_or_six_characters() {
        assert_eq!(parse_code(" bj7x "), Some("BJ7X".to_owned()));
        for wrong in ["", "A", "ABC", "AB-D", "ÄB", "ABCDEFG", "AB··"] {
            assert_eq!(parse_code(wrong), None, "{wrong}");
        }
        assert_eq!(area_of("AABBCC"), "AABB");
        assert!(fits_kind("AB", "school") && fits_kind("AB12CD", "box"));
        assert!(!fits_kind("AB12", "door") && !fits_kind("AB12CD", "area"));
    }
}
