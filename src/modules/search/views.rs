//! What the pages of search show.

use askama::Template;

use super::filters::{Asked, Request};
use crate::base::clock::Micros;
use crate::base::locale::Lang;
use crate::community::{Face, Shell};
use crate::engine::search::Found;
use crate::engine::search::query::Term;
use crate::engine::search::snippet::{Piece, snippet};
use crate::engine::web::{Head, icon_address};

/// One result.
pub(super) struct Item {
    pub(super) id: i64,
    pub(super) face: Face,
    pub(super) author: String,
    pub(super) place: String,
    pub(super) is_direct: bool,
    pub(super) href: String,
    pub(super) at: Micros,
    pub(super) pieces: Vec<Piece>,
}

impl Item {
    fn new(found: Found, terms: &[Term], lang: Lang) -> Self {
        Self {
            id: found.id,
            face: Face::of(found.author, &found.author_name),
            pieces: snippet(&found.shown_text(lang), terms),
            author: found.author_name,
            place: found.place,
            is_direct: found.is_direct,
            href: found.href,
            at: found.at,
        }
    }
}

/// What was found for a request, as it is shown.
pub(super) fn items(request: &Request, found: Vec<Found>, lang: Lang) -> Vec<Item> {
    let terms = request
        .selection
        .as_ref()
        .map(|selection| &*selection.terms);
    let terms = terms.unwrap_or_default();
    let found = found.into_iter();
    found.map(|one| Item::new(one, terms, lang)).collect()
}

#[derive(Template)]
#[template(path = "search/search.html", blocks = ["app"])]
pub(super) struct SearchPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) list: ResultList,
    pub(super) recent: Vec<String>,
    pub(super) may_rebuild: bool,
}

#[derive(Template)]
#[template(path = "search/results.html")]
pub(super) struct ResultList {
    pub(super) lang: Lang,
    pub(super) asked: Asked,
    /// Whether something was looked for.
    pub(super) is_asked: bool,
    /// Whether the index has everything.
    pub(super) is_complete: bool,
    pub(super) items: Vec<Item>,
    pub(super) next: Option<i64>,
    pub(super) notes: Vec<String>,
}

#[derive(Template)]
#[template(path = "search/brief.html")]
pub(super) struct BriefList {
    pub(super) lang: Lang,
    pub(super) query: String,
    pub(super) found: Vec<Item>,
}

impl BriefList {
    fn icon(&self, name: &str) -> String {
        icon_address(name)
    }
}
