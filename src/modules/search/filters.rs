//! What a query asks for: its words, and its filters as facets.

use serde::Deserialize;

use super::SearchPages;
use crate::base::clock::Micros;
use crate::base::error::Result;
use crate::base::ids;
use crate::base::locale::Lang;
use crate::community::search_scope::{by_author, in_room, in_space, mentions_account};
use crate::engine::search::query::{MAX_QUERY_BYTES, Query};
use crate::engine::search::{Facet, Selection};
use crate::engine::viewer::Viewer;
use crate::id;

id!(
    /// A result, as addresses name the place in a list.
    ResultId
);

/// The filters of a query.
const FILTERS: &[&str] = &[
    "from", "in", "space", "before", "after", "has", "is", "mentions",
];

/// A query with the order and the place in it, as addresses and forms have them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// The query.
    pub(super) q: String,
    /// `best`, or else the newest first.
    pub(super) sort: String,
    /// Results before this one.
    pub(super) before: Option<ResultId>,
}

impl Asked {
    /// The part of the query that is read.
    pub(super) fn text(&self) -> &str {
        let end = self.q.floor_char_boundary(MAX_QUERY_BYTES);
        &self.q[..end]
    }
}

/// A query that was understood.
#[derive(Default)]
pub(super) struct Request {
    /// Nothing can be found without one.
    pub(super) selection: Option<Selection>,
    /// The best first, or else the newest.
    pub(super) is_best: bool,
    /// What of the query means nothing, in words.
    pub(super) notes: Vec<String>,
}

impl SearchPages {
    /// Reads a query for a viewer: names in it are those that they know.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn request(&self, viewer: &Viewer, asked: &Asked) -> Result<Request> {
        let query = Query::parse(asked.text(), FILTERS);
        let mut request = Request {
            is_best: asked.sort == "best",
            ..Request::default()
        };
        let mut selection = Selection {
            terms: query.terms,
            before: asked.before.map_or(i64::MAX, |result| result.0),
            ..Selection::default()
        };
        let needed = selection.terms.iter().any(|term| !term.is_excluded);
        if !needed && query.filters.is_empty() {
            return Ok(request);
        }
        for (name, value) in &query.filters {
            let facets = match *name {
                "before" | "after" => {
                    match (read_date(value), *name) {
                        (Some(date), "before") => selection.before = selection.before.min(date),
                        (Some(date), _) => selection.after = selection.after.max(date - 1),
                        (None, _) => request.note(viewer.lang, "search-no-date", value),
                    }
                    continue;
                }
                "has" | "is" => self.engine.search.filter(value),
                "mentions" => self.mentions(viewer, value).await?,
                _ => self.named(viewer, name, value).await?,
            };
            if facets.is_empty() {
                request.note(viewer.lang, "search-no-name", value);
            }
            selection.any.push(facets);
        }
        let scope = self.community.search_scope(viewer.account).await?;
        selection.any.push(scope.any.clone());
        selection.none.extend(&scope.none);
        request.selection = Some(selection);
        Ok(request)
    }

    /// The facets of what mentions the viewer, or somebody else.
    async fn mentions(&self, viewer: &Viewer, value: &str) -> Result<Vec<Facet>> {
        let (community, account) = (&self.community, viewer.account);
        let name = value.trim_start_matches('@');
        if name == "me" {
            return community.mentions_of(account).await;
        }
        let people = community.people_named(account, name).await?;
        Ok(people.into_iter().map(mentions_account).collect())
    }

    /// The facets of the people, rooms or spaces that a filter names.
    async fn named(&self, viewer: &Viewer, filter: &str, value: &str) -> Result<Vec<Facet>> {
        let (community, account) = (&self.community, viewer.account);
        let name = value.trim_start_matches(['@', '#']);
        Ok(match filter {
            "from" if name == "me" => vec![by_author(account)],
            "from" => {
                let people = community.people_named(account, name).await?;
                people.into_iter().map(by_author).collect()
            }
            "space" => {
                let spaces = community.spaces_named(account, name).await?;
                spaces.into_iter().map(in_space).collect()
            }
            _ => {
                let rooms = community.rooms_named(account, name).await?;
                rooms.into_iter().map(in_room).collect()
            }
        })
    }
}

impl Request {
    fn note(&mut self, lang: Lang, key: &str, value: &str) {
        // Set apart from the direction of the text around it.
        let value = format!("\u{2068}{value}\u{2069}");
        self.notes
            .push(lang.with(key, &[("value", value.as_str().into())]));
    }
}

/// The least id of a day, month or year in UTC: `2026-11-28`, `2026-11`, `2026`.
fn read_date(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let year: i32 = parts.next()?.parse().ok()?;
    let month: u8 = parts.next().map_or(Some(1), |month| month.parse().ok())?;
    let day: u8 = parts.next().map_or(Some(1), |day| day.parse().ok())?;
    let month = time::Month::try_from(month).ok()?;
    let date = time::Date::from_calendar_date(year, month, day).ok()?;
    let seconds = date.midnight().assume_utc().unix_timestamp();
    Some(ids::first_at(Micros(seconds.saturating_mul(1_000_000))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_months_or_years() {
        let of = |text| read_date(text).map(|id| ids::time_of(id).rfc3339());
        assert_eq!(of("2026-11-28").as_deref(), Some("2026-11-28T00:00:00Z"));
        assert_eq!(of("2026-11"), of("2026-11-01"));
        assert_eq!(of("2026"), of("2026-01-01"));
        for wrong in [
            "",
            "x",
            "2026-13",
            "2026-02-30",
            "99999999999",
            "2026-1-1-1",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
