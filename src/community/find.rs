//! Finding rooms, people and spaces by their names, from everywhere: the page `/find`, and the list
//! of results alone for the dialog.
//!
//! The dialog asks for each key that is typed. People are looked up in an index of each space
//! (`find/people.rs`); rooms, conversations and spaces are few and are read from the lists that the
//! sidebar uses, so that everything found is something the viewer may read.

mod people;
mod words;

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use askama::Template;
use axum::extract::{Query, State};
use axum::routing::get;
use serde::Deserialize;

use super::shell::{Layout, Shell};
use super::spaces::Space;
use super::{Community, Face, names};
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::module::{Audience, Module};
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Html, PageAnswer, Wants, app_page, icon_address};
pub(super) use people::PeopleIndexes;
pub(super) use words::Pattern;
pub(super) use words::Rank;

/// Results of one query.
const MAX_RESULTS: usize = 20;
/// Bytes of a query; the rest is ignored. Names are shorter.
const MAX_QUERY_BYTES: usize = 256;
/// Keys of results that a browser may name as often used.
const MAX_USED: usize = 40;

/// What stands for a result: its picture, or a symbol of the sprite.
enum Sign {
    Icon(&'static str),
    Face(Face),
    Emblem(SpaceId, String),
}

/// One result.
struct Found {
    /// Names the result in the browser's own list of what was used: `r12` for a room or
    /// conversation, `s3` for a space, `p7` for a person without a conversation.
    key: String,
    label: String,
    /// Where it is: the name of its space; may be empty.
    detail: String,
    sign: Sign,
    /// The page it leads to. `None`: a person with whom a conversation has to be opened.
    href: Option<String>,
    person: Option<AccountId>,
    rank: Rank,
}

impl Found {
    fn emblem(&self) -> askama::filters::Safe<String> {
        match &self.sign {
            Sign::Emblem(space, _) => super::portraits::emblem_img(*space),
            _ => askama::filters::Safe(String::new()),
        }
    }
}

#[derive(Template)]
#[template(path = "community/find.html", blocks = ["app"])]
struct FindPage {
    head: Head,
    shell: Shell,
    query: String,
    found: Vec<Found>,
}

#[derive(Template)]
#[template(path = "community/found.html")]
struct ResultList {
    found: Vec<Found>,
}

impl FindPage {
    fn icon(&self, name: &str) -> String {
        icon_address(name)
    }
}

impl ResultList {
    fn icon(&self, name: &str) -> String {
        icon_address(name)
    }
}

#[derive(Deserialize)]
struct FindQuery {
    #[serde(default)]
    q: String,
    /// Keys of results that were used before, the most used first, separated by commas.
    #[serde(default)]
    used: String,
}

impl FindQuery {
    fn text(&self) -> &str {
        let end = self.q.floor_char_boundary(MAX_QUERY_BYTES);
        &self.q[..end]
    }

    fn used(&self) -> HashMap<&str, usize> {
        let keys = self.used.split(',').take(MAX_USED).enumerate();
        keys.map(|(index, key)| (key, index)).collect()
    }
}

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module.page(Audience::SignedIn, "/find", get(find)).page(
        Audience::SignedIn,
        "/find/results",
        get(results),
    )
}

/// `GET /find?q=`: the page, which needs no scripts.
async fn find(
    State(community): State<Community>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Query(query): Query<FindQuery>,
) -> Result<PageAnswer> {
    let shell = layout.shell(&viewer, None, "/find").await?;
    let found = community.find(&viewer, &query).await?;
    let head = community.head(&viewer, viewer.lang.t("goto-title"));
    let query = query.text().to_owned();
    app_page!(
        wants,
        FindPage {
            head,
            shell,
            query,
            found
        }
    )
}

/// `GET /find/results?q=&used=`: the list alone.
async fn results(
    State(community): State<Community>,
    viewer: Viewer,
    Query(query): Query<FindQuery>,
) -> Result<Html> {
    let found = community.find(&viewer, &query).await?;
    Html::of(&ResultList { found })
}

impl Community {
    /// What the viewer may open and the query fits, at most [`MAX_RESULTS`]: what was used before,
    /// then names that begin with the query, then others, each by name.
    async fn find(&self, viewer: &Viewer, query: &FindQuery) -> Result<Vec<Found>> {
        let deps = self.engine().versions.dependencies();
        let (pattern, used) = (Pattern::new(query.text()), query.used());
        let spaces = self.spaces.of(&deps, viewer.account).await?;
        let mut found = self.find_spaces(&spaces, &pattern);
        found.extend(self.find_rooms(&deps, viewer, &spaces, &pattern).await?);
        let direct = self.rooms.direct_of(&deps, viewer.account).await?;
        let mut conversations: HashMap<AccountId, RoomId> = HashMap::new();
        for room in direct.iter() {
            conversations.extend(room.other.map(|other| (other, room.id)));
            let Some(rank) = pattern.rank(&room.title) else {
                continue;
            };
            found.push(match room.other {
                Some(other) => person(other, &room.title, Some(room.id), rank),
                None => Found {
                    key: format!("r{}", room.id),
                    label: room.title.clone(),
                    detail: String::new(),
                    sign: Sign::Icon("people"),
                    href: Some(format!("/rooms/{}", room.id)),
                    person: None,
                    rank,
                },
            });
        }
        let mut listed: HashSet<AccountId> = conversations.keys().copied().collect();
        listed.insert(viewer.account);
        for space in spaces.iter() {
            let index = self.people_indexes.of(&deps, space.id).await?;
            for (account, name, user_name, rank) in
                index.find_among(&pattern, MAX_RESULTS, |_| true)
            {
                if listed.insert(account) {
                    // Two people may be shown by one name.
                    let detail = user_name.map(|name| format!("@{name}"));
                    found.push(Found {
                        detail: detail.unwrap_or_default(),
                        ..person(account, name, None, rank)
                    });
                }
            }
        }
        found.sort_by_cached_key(|one| {
            let used = used.get(one.key.as_str()).copied().unwrap_or(MAX_USED);
            (
                used,
                one.rank,
                Reverse(one.href.is_some()),
                one.label.to_lowercase(),
            )
        });
        found.truncate(MAX_RESULTS);
        Ok(found)
    }

    /// The open rooms and conversations of a viewer whose names a text fits, conversations first:
    /// each with its title and the name of its space, which is empty for a conversation.
    ///
    /// # Errors
    /// The database's.
    pub async fn rooms_by_name(
        &self,
        viewer: &Viewer,
        text: &str,
    ) -> Result<Vec<(RoomId, String, String)>> {
        let deps = self.engine().versions.dependencies();
        let pattern = Pattern::new(&text[..text.floor_char_boundary(MAX_QUERY_BYTES)]);
        let mut found = Vec::new();
        for room in self.rooms.direct_of(&deps, viewer.account).await?.iter() {
            if let Some(rank) = pattern.rank(&room.title) {
                found.push((rank, (room.id, room.title.clone(), String::new())));
            }
        }
        for space in self.spaces.of(&deps, viewer.account).await?.iter() {
            let rooms = self.rooms.open_in(&deps, viewer.account, space.id).await?;
            for room in rooms.iter() {
                if let Some(rank) = pattern.rank(&room.name) {
                    found.push((rank, (room.id, room.name.clone(), space.name.clone())));
                }
            }
        }
        found.sort_by_key(|(rank, _)| *rank);
        Ok(found.into_iter().map(|(_, room)| room).collect())
    }

    fn find_spaces(&self, spaces: &[Space], pattern: &Pattern) -> Vec<Found> {
        let found = spaces.iter().filter_map(|space| {
            Some(Found {
                rank: pattern.rank(&space.name)?,
                key: format!("s{}", space.id),
                label: space.name.clone(),
                detail: String::new(),
                sign: Sign::Emblem(space.id, names::initials(&space.name)),
                href: Some(format!("/spaces/{}", space.id)),
                person: None,
            })
        });
        found.collect()
    }

    async fn find_rooms(
        &self,
        deps: &Dependencies,
        viewer: &Viewer,
        spaces: &[Space],
        pattern: &Pattern,
    ) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for space in spaces {
            let rooms = self.rooms.open_in(deps, viewer.account, space.id).await?;
            for room in rooms.iter() {
                let Some(rank) = pattern.rank(&room.name) else {
                    continue;
                };
                found.push(Found {
                    key: format!("r{}", room.id),
                    label: room.name.clone(),
                    detail: space.name.clone(),
                    sign: Sign::Icon(room.icon()),
                    href: Some(format!("/rooms/{}", room.id)),
                    person: None,
                    rank,
                });
            }
        }
        Ok(found)
    }
}

fn person(account: AccountId, name: &str, room: Option<RoomId>, rank: Rank) -> Found {
    Found {
        key: room.map_or_else(|| format!("p{account}"), |room| format!("r{room}")),
        label: name.to_owned(),
        detail: String::new(),
        sign: Sign::Face(Face::of(account, name)),
        href: room.map(|room| format!("/rooms/{room}")),
        person: Some(account),
        rank,
    }
}
