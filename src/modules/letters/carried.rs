//! Letters on their way by hand, as couriers and organisers see them.

use sqlx::FromRow;

use super::model::{LetterId, State as Where};
use super::places::area_of;
use super::{Letters, codes};
use crate::base::clock::Micros;
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};

/// Letters that a round or a board lists.
const MAX_CARRIED_SHOWN: i64 = 200;

/// A letter that is carried, without its text and without who wrote it.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Carried {
    pub(super) id: LetterId,
    pub(super) code: Option<String>,
    pub(super) state: Where,
    pub(super) holder_id: Option<AccountId>,
    pub(super) holder: String,
    pub(super) offered_to: Option<AccountId>,
    pub(super) due_at: Option<Micros>,
    pub(super) to_code: String,
    pub(super) to_name: String,
    pub(super) to_kind: String,
    pub(super) from_code: String,
    pub(super) recipient: String,
}

impl Carried {
    pub(super) fn is_late(&self) -> bool {
        let travels = matches!(self.state, Where::Posted | Where::InTransit);
        travels && self.due_at.is_some_and(|at| at < Micros::now())
    }

    pub(super) fn is_lost(&self) -> bool {
        self.state == Where::Lost
    }

    /// Whether it can be put back where couriers take it.
    pub(super) fn is_held(&self) -> bool {
        matches!(self.state, Where::InTransit | Where::Undeliverable)
    }

    pub(super) fn is_stuck(&self) -> bool {
        self.state == Where::Undeliverable
    }

    /// The code of its sticker as people read it.
    pub(super) fn shown(&self) -> String {
        self.code.as_deref().map(codes::shown).unwrap_or_default()
    }

    pub(super) fn scan(&self) -> String {
        format!("/l/{}", self.code.as_deref().unwrap_or_default())
    }

    pub(super) fn area(&self) -> String {
        area_of(&self.to_code)
    }
}

macro_rules! carried_columns {
    () => {
        "SELECT l.id, l.code, l.state, l.holder_id, COALESCE(h.name, '') AS holder, \
         l.offered_to, l.due_at, COALESCE(p.code, '') AS to_code, \
         COALESCE(p.name, '') AS to_name, COALESCE(p.kind, '') AS to_kind, \
         COALESCE((SELECT MIN(d.code) FROM letter_places d WHERE d.resident_id = l.author_id \
         AND d.space_id = l.space_id AND d.state = 'open'), '') AS from_code, \
         COALESCE(r.name, '') AS recipient FROM letters l \
         LEFT JOIN letter_places p ON p.id = l.place_id \
         LEFT JOIN accounts h ON h.id = l.holder_id \
         LEFT JOIN accounts r ON r.id = l.recipient_id "
    };
}

impl Letters {
    /// The letters that a courier has, and those that are offered to them, what is due first.
    pub(super) async fn held_by(&self, space: SpaceId, courier: AccountId) -> Result<Vec<Carried>> {
        const READ: &str = concat!(
            carried_columns!(),
            "WHERE l.space_id = $1 AND l.way = 'hand' \
             AND l.state IN ('in_transit', 'undeliverable') \
             AND (l.holder_id = $2 OR l.offered_to = $2) ORDER BY l.due_at, l.id LIMIT $3"
        );
        let row = (space, courier, MAX_CARRIED_SHOWN);
        self.engine.db.all(READ, row).await
    }

    /// The letters that wait for a courier between places of a branch, what is due first.
    pub(super) async fn waiting_in(&self, space: SpaceId, branch: &str) -> Result<Vec<Carried>> {
        const READ: &str = concat!(
            carried_columns!(),
            "WHERE l.space_id = $1 AND l.way = 'hand' AND l.state = 'posted' \
             AND (p.code LIKE $2 || '%' OR EXISTS (SELECT 1 FROM letter_places d \
             WHERE d.resident_id = l.author_id AND d.space_id = l.space_id AND d.state = 'open' \
             AND d.code LIKE $2 || '%')) ORDER BY l.due_at, l.id LIMIT $3"
        );
        let row = (space, branch, MAX_CARRIED_SHOWN);
        self.engine.db.all(READ, row).await
    }

    /// The letters of a space that are on their way by hand, stuck or lost, what is due first.
    pub(super) async fn carried(&self, space: SpaceId) -> Result<Vec<Carried>> {
        const READ: &str = concat!(
            carried_columns!(),
            "WHERE l.space_id = $1 AND l.way = 'hand' \
             AND l.state IN ('posted', 'in_transit', 'undeliverable', 'lost') \
             ORDER BY l.due_at, l.id LIMIT $2"
        );
        self.engine.db.all(READ, (space, MAX_CARRIED_SHOWN)).await
    }
}
