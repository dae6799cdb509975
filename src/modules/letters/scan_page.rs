//! `/l/{code}`: where a sticker leads, for who is looking: its author, its recipient, a courier, a
//! member who has a letter to put it on, or somebody who found it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use super::bags::{self, Bag};
use super::carry::REASONS;
use super::couriers::{self, Post};
use super::letter::{Letter, letter_columns};
use super::model::{State as Where, Way};
use super::places::{self, Place};
use super::stickers::{self, Sticker};
use super::views::{reason_words, state_words};
use super::{Letters, codes, store};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::locale::Lang;
use crate::community::Scope;
use crate::community::permissions::{READ, is_granted};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Html};

/// Letters that wait for a sticker, of one author.
const MAX_SEALED_SHOWN: i64 = 20;

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module.page(Audience::Anyone, "/l/{code}", get(scan))
}

/// What the viewer can do with the sticker.
#[allow(clippy::large_enum_variant, reason = "one for each request")]
enum View {
    /// Nothing: what this is.
    Stranger,
    /// Put it on one of these letters.
    Bind(Vec<Letter>),
    /// Say that it arrived.
    Recipient(Letter),
    /// Carry it on.
    Courier(Box<CourierView>),
    /// Carry a bag on, or open it.
    Bag(Box<BagView>),
    /// A bag that was opened: letters can be put into it.
    EmptyBag(SpaceId),
}

/// A bag for a courier.
struct BagView {
    bag: Bag,
    is_mine: bool,
    is_offered: bool,
    /// Whether the viewer opens it.
    is_openable: bool,
    /// To whom it can be handed over.
    others: Vec<Post>,
}

/// A letter for a courier: where it goes, and nothing of its text.
struct CourierView {
    letter: Letter,
    /// Where it goes, with its whole code where that is in the courier's branch.
    to: String,
    place: String,
    is_mine: bool,
    /// Whether it can be taken.
    is_takeable: bool,
    /// Whether its address is in the courier's branch.
    is_deliverable: bool,
    /// Whether it is in a bag.
    is_bagged: bool,
    /// Whether the rank above can be asked about it.
    is_escalatable: bool,
    /// To whom it can be handed over.
    others: Vec<Post>,
}

#[derive(Template)]
#[template(path = "letters/scan.html")]
struct ScanPage {
    head: Head,
    lang: Lang,
    form: Form,
    /// The code as it is stored.
    code: String,
    shown: String,
    view: View,
    is_signed_in: bool,
}

impl ScanPage {
    fn state(&self, letter: &Letter) -> &'static str {
        state_words(letter.state, self.lang)
    }

    fn from(&self, letter: &Letter) -> String {
        letter.author_name(self.lang)
    }

    fn to(&self, letter: &Letter) -> String {
        letter.recipient_shown(self.lang)
    }

    /// Why it cannot be delivered, with words.
    fn reasons(&self) -> Vec<(&'static str, String)> {
        let words = |reason| (reason, reason_words(reason, self.lang));
        REASONS.into_iter().map(words).collect()
    }

    fn is_in_transit(&self, letter: &Letter) -> bool {
        letter.state == Where::InTransit
    }

    fn is_stuck(&self, letter: &Letter) -> bool {
        letter.state == Where::Undeliverable
    }
}

async fn scan(
    State(letters): State<Letters>,
    viewer: Option<Viewer>,
    lang: Lang,
    form: Form,
    Path(code): Path<String>,
) -> Result<Response> {
    let code = codes::parse(&code).ok_or(Error::NotFound)?;
    let view = match &viewer {
        // Whether there is such a sticker is for members to know.
        None => View::Stranger,
        Some(viewer) => match letters.scan_view(viewer, &code).await? {
            Ok(view) => view,
            Err(to) => return Ok(Redirect::to(&to).into_response()),
        },
    };
    let title = lang.t("letters-scan-title");
    let mut head = letters.engine.pages.head(lang, None, title);
    if let Some(viewer) = &viewer {
        head.theme = viewer.theme;
    }
    let page = ScanPage {
        head,
        lang,
        form,
        shown: codes::shown(&code),
        code,
        view,
        is_signed_in: viewer.is_some(),
    };
    Ok(Html::of(&page)?.into_response())
}

impl Letters {
    /// What somebody can do with a sticker, or the page that they go to instead.
    async fn scan_view(
        &self,
        viewer: &Viewer,
        code: &str,
    ) -> Result<std::result::Result<View, String>> {
        let Some(sticker) = stickers::find(&self.engine.db, code).await? else {
            return Ok(Ok(View::Stranger));
        };
        let scope = Scope::Space(sticker.space_id);
        let access = &self.community.access;
        if !is_granted(access.permit(viewer.account, &READ, scope).await)? {
            return Ok(Ok(View::Stranger));
        }
        if sticker.is_bag {
            let view = self.bag_view(viewer.account, &sticker).await?;
            return Ok(Ok(view));
        }
        let Some(id) = sticker.letter_id else {
            let sealed = self.unposted(viewer.account, sticker.space_id).await?;
            return Ok(Ok(View::Bind(sealed)));
        };
        let letter = match store::find(&self.engine.db, id).await {
            Ok(letter) => letter,
            Err(Error::NotFound) => return Ok(Ok(View::Stranger)),
            Err(error) => return Err(error),
        };
        let account = viewer.account;
        if letter.author_id == account {
            return Ok(Err(format!("/letters/{id}")));
        }
        if letter.recipient_id == Some(account) {
            return Ok(match letter.state.has_arrived() {
                true => Err(format!("/letters/{id}")),
                false => Ok(View::Recipient(letter)),
            });
        }
        let post = couriers::of(&self.engine.db, letter.space_id, account).await?;
        match post.filter(Post::is_active) {
            Some(post) => self.courier_view(letter, &post).await.map(Ok),
            None => Ok(Ok(View::Stranger)),
        }
    }

    async fn bag_view(&self, account: AccountId, sticker: &Sticker) -> Result<View> {
        let (db, space) = (&self.engine.db, sticker.space_id);
        let post = couriers::of(db, space, account).await?;
        let is_courier = post.is_some_and(|post| post.is_active());
        let is_organiser = self.is_organiser(account, space).await?;
        if !is_courier && !is_organiser {
            return Ok(View::Stranger);
        }
        let Some(bag) = bags::with_code(db, &sticker.code).await? else {
            return Ok(View::EmptyBag(space));
        };
        let is_mine = is_courier && bag.holder_id == Some(account);
        let all = match is_mine {
            true => couriers::list(db, space, None).await?,
            false => Vec::new(),
        };
        let is_other = |post: &Post| post.is_active() && post.account_id != account;
        let others = all.into_iter().filter(is_other).collect();
        Ok(View::Bag(Box::new(BagView {
            others: bags::concerned(db, bag.id, others).await?,
            is_mine,
            is_offered: is_courier && bag.offered_to == Some(account),
            is_openable: is_mine || is_organiser,
            bag,
        })))
    }

    /// The letters of an author that are sealed and have no sticker yet.
    async fn unposted(&self, author: AccountId, space: SpaceId) -> Result<Vec<Letter>> {
        const READ: &str = concat!(
            "SELECT ",
            letter_columns!(),
            "WHERE l.author_id = $1 AND l.space_id = $2 AND l.way = $3 AND l.state = 'sealed' \
             ORDER BY l.id DESC LIMIT $4"
        );
        let key = (author, space, Way::Hand, MAX_SEALED_SHOWN);
        self.engine.db.all(READ, key).await
    }

    async fn courier_view(&self, letter: Letter, post: &Post) -> Result<View> {
        let ends = self.ends_of(letter.id).await?;
        let (holder, offered) = (letter.holder_id, letter.offered_to);
        let is_mine = holder == Some(post.account_id);
        let is_left = |one: Option<AccountId>| one.is_some_and(|one| post.stands_in_for(one));
        let is_offered =
            offered == Some(post.account_id) || is_left(offered) || (!is_mine && is_left(holder));
        let is_with_courier = matches!(letter.state, Where::InTransit | Where::Undeliverable);
        if !(ends.concern(post) || is_mine || is_offered) {
            return Ok(View::Stranger);
        }
        let place: Option<Place> = match letter.place_id {
            Some(place) => Some(places::find(&self.engine.db, place).await?),
            None => None,
        };
        let is_deliverable = !ends.to.is_empty() && post.covers(&ends.to);
        let all = match is_mine {
            true => couriers::list(&self.engine.db, letter.space_id, None).await?,
            false => Vec::new(),
        };
        let others = all.into_iter().filter(|other| {
            other.is_active() && other.account_id != post.account_id && ends.concern(other)
        });
        Ok(View::Courier(Box::new(CourierView {
            to: match (&place, is_deliverable) {
                (Some(place), true) => place.code.clone(),
                (Some(place), false) => place.public_code(),
                (None, _) => String::new(),
            },
            place: match (place, is_deliverable) {
                (Some(place), true) => place.name,
                _ => String::new(),
            },
            is_mine,
            is_takeable: letter.state == Where::Posted
                || (letter.state == Where::InTransit && is_offered),
            is_deliverable,
            is_bagged: letter.bag_id.is_some(),
            is_escalatable: is_mine && is_with_courier && letter.escalated <= post.rank,
            others: others.collect(),
            letter,
        })))
    }
}
