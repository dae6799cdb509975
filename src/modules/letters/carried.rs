//! Letters on their way by hand, as couriers and organisers see them.

use std::collections::BTreeMap;

use sqlx::FromRow;

use super::bags::BagId;
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
    pub(super) bag_id: Option<BagId>,
    pub(super) assigned_to: Option<AccountId>,
    pub(super) assigned_until: Option<Micros>,
    pub(super) escalated: i64,
}

impl Carried {
    pub(super) fn is_late(&self) -> bool {
        let travels = matches!(self.state, Where::Posted | Where::InTransit);
        travels && self.due_at.is_some_and(|at| at < Micros::now())
    }

    /// Until when its courier should have it moved on, or picked up.
    pub(super) fn until(&self) -> Option<Micros> {
        match self.assigned_to {
            Some(_) => self.assigned_until,
            None => self.due_at,
        }
    }

    pub(super) fn is_lost(&self) -> bool {
        self.state == Where::Lost
    }

    /// Whether it can be put into a bag.
    pub(super) fn is_packable(&self) -> bool {
        self.state == Where::InTransit && self.offered_to.is_none()
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
         COALESCE(r.name, '') AS recipient, l.bag_id, l.assigned_to, l.assigned_until, \
         l.escalated FROM letters l \
         LEFT JOIN letter_places p ON p.id = l.place_id \
         LEFT JOIN accounts h ON h.id = l.holder_id \
         LEFT JOIN accounts r ON r.id = l.recipient_id "
    };
}

impl Letters {
    /// The letters that a courier has, and those that are offered to them, what is due first.
    pub(super) async fn held_by(&self, space: SpaceId, courier: AccountId) -> Result<Vec<Carried>> {
        // Each by its own index; one query with OR would read all letters that are carried.
        const HELD: &str = concat!(
            carried_columns!(),
            "WHERE l.holder_id = $2 AND l.space_id = $1 \
             AND l.state IN ('in_transit', 'undeliverable') ORDER BY l.due_at, l.id LIMIT $3"
        );
        const OFFERED: &str = concat!(
            carried_columns!(),
            "WHERE l.offered_to = $2 AND l.space_id = $1 \
             AND l.state IN ('in_transit', 'undeliverable') ORDER BY l.due_at, l.id LIMIT $3"
        );
        let row = (space, courier, MAX_CARRIED_SHOWN);
        let mut all: Vec<Carried> = self.engine.db.all(HELD, row).await?;
        all.extend(self.engine.db.all::<Carried>(OFFERED, row).await?);
        Ok(all)
    }

    /// The letters that a courier should pick up, what is due first.
    pub(super) async fn assigned_to(
        &self,
        space: SpaceId,
        courier: AccountId,
    ) -> Result<Vec<Carried>> {
        const READ: &str = concat!(
            carried_columns!(),
            "WHERE l.assigned_to = $2 AND l.space_id = $1 AND l.state = 'posted' \
             ORDER BY l.assigned_until, l.id LIMIT $3"
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

    /// The letters of a branch about which somebody may have to decide: those that are late, stuck
    /// or lost, what is due first.
    pub(super) async fn in_trouble(&self, space: SpaceId, branch: &str) -> Result<Vec<Carried>> {
        const STOPPED: &str = concat!(
            carried_columns!(),
            "WHERE l.space_id = $1 AND l.way = 'hand' AND l.state IN ('undeliverable', 'lost') \
             AND COALESCE(p.code, '') LIKE $2 || '%' ORDER BY l.due_at, l.id LIMIT $3"
        );
        const LATE: &str = concat!(
            carried_columns!(),
            "WHERE l.space_id = $1 AND l.way = 'hand' AND l.state = $2 AND l.due_at < $3 \
             AND COALESCE(p.code, '') LIKE $4 || '%' ORDER BY l.due_at, l.id LIMIT $5"
        );
        let (db, now) = (&self.engine.db, Micros::now());
        let mut all: Vec<Carried> = db.all(STOPPED, (space, branch, MAX_CARRIED_SHOWN)).await?;
        for state in [Where::InTransit, Where::Posted] {
            let row = (space, state, now, branch, MAX_CARRIED_SHOWN);
            all.extend(db.all::<Carried>(LATE, row).await?);
        }
        // What somebody was asked about comes first.
        all.sort_by_key(|one| (one.escalated == 0, one.due_at, one.id));
        all.truncate(usize::try_from(MAX_CARRIED_SHOWN).unwrap_or_default());
        Ok(all)
    }

    /// How many letters of a branch are on their way by hand, by the area that they go to.
    pub(super) async fn area_counts(
        &self,
        space: SpaceId,
        branch: &str,
    ) -> Result<BTreeMap<String, AreaCounts>> {
        // Counted by place first: an index has all that is needed for that.
        const READ: &str = "SELECT COALESCE(p.code, '') AS code, c.state, c.letters, c.late FROM \
            (SELECT place_id, state, COUNT(*) AS letters, \
            CAST(SUM(CASE WHEN due_at < $3 AND state IN ('posted', 'in_transit') THEN 1 ELSE 0 END) \
            AS BIGINT) AS late FROM letters WHERE space_id = $1 AND way = 'hand' \
            AND state IN ('posted', 'in_transit', 'undeliverable', 'lost') \
            GROUP BY place_id, state) c LEFT JOIN letter_places p ON p.id = c.place_id \
            WHERE COALESCE(p.code, '') LIKE $2 || '%'";
        let row = (space, branch, Micros::now());
        let found: Vec<(String, Where, i64, i64)> = self.engine.db.all(READ, row).await?;
        let mut areas: BTreeMap<String, AreaCounts> = BTreeMap::new();
        for (code, state, letters, late) in found {
            let counts = areas.entry(area_of(&code)).or_default();
            match state {
                Where::Posted => counts.waiting += letters,
                Where::InTransit => counts.carried += letters,
                Where::Undeliverable => counts.stuck += letters,
                _ => counts.lost += letters,
            }
            counts.late += late;
        }
        Ok(areas)
    }
}

/// How many letters are on their way to an area.
#[derive(Default)]
pub(super) struct AreaCounts {
    pub(super) waiting: i64,
    pub(super) carried: i64,
    pub(super) late: i64,
    pub(super) stuck: i64,
    pub(super) lost: i64,
}
