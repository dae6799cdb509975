//! What pages show of the terminals of a room and of the people in one, read for all languages.

use std::collections::BTreeSet;

use super::model::{Role, Roles, TerminalId, TerminalRow};
use super::views::{People, PersonView, Shown, ShownTerminal};
use super::{Terminals, store};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::community::Face;

impl Terminals {
    /// The terminals of a room.
    pub(super) async fn shown(&self, room: RoomId) -> Result<Shown> {
        let mut all = Vec::new();
        for row in store::of_room(&self.engine.db, room).await? {
            all.push(self.shown_one(row).await?);
        }
        Ok(Shown { room, all })
    }

    pub(super) async fn shown_one(&self, row: TerminalRow) -> Result<ShownTerminal> {
        let (summary, thumbnail) = self.summaries.get(row.id).unzip();
        Ok(ShownTerminal {
            host: self.name_of(row.host).await?.unwrap_or_default(),
            summary,
            thumbnail: thumbnail.unwrap_or_default(),
            row,
        })
    }

    /// The name of an account; `None` when it was just deleted.
    pub(super) async fn name_of(&self, account: AccountId) -> Result<Option<String>> {
        match self.community.accounts.get(account).await {
            Ok(account) => Ok(Some(account.name.clone())),
            Err(Error::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Who is in a terminal: its host, who watches, who may type, and who was removed.
    pub(super) async fn people(&self, id: TerminalId) -> Result<Option<People>> {
        let row = match store::get(&self.engine.db, id).await {
            Ok(row) => row,
            Err(Error::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        let roles: Roles = store::roles(&self.engine.db, &row).await?;
        let summary = self.summaries.get(id).map(|(summary, _)| summary);
        let guests = summary.as_ref().map_or(0, |summary| summary.guests);
        let watchers = summary.map(|summary| summary.watchers).unwrap_or_default();
        let watchers: BTreeSet<AccountId> = watchers.into_iter().collect();
        let mut accounts = watchers.clone();
        accounts.insert(row.host);
        let with_part = roles.people.iter().filter(|(_, standing)| {
            standing.role != Role::Viewer || standing.raised_hand || standing.typed > 0
        });
        accounts.extend(with_part.map(|(account, _)| *account));
        let mut people = Vec::new();
        for account in accounts {
            let Some(name) = self.name_of(account).await? else {
                continue;
            };
            let standing = roles.standing(account);
            people.push(PersonView {
                account,
                face: Face::of(account, &name),
                name,
                role: roles.of(account),
                watches: watchers.contains(&account),
                raised_hand: standing.raised_hand,
                typed: standing.typed,
            });
        }
        people.sort_by_key(|one| (one.role != Role::Host, !one.raised_hand, one.account));
        Ok(Some(People {
            files: self.sent_files(id).await?,
            row,
            people,
            guests,
        }))
    }
}
