//! `/letters/{letter}`: the sheet, and its journey beside it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use super::envelopes::EnvelopeView;
use super::journey::entries;
use super::kindness::{self, Question};
use super::letter::{Letter, Role};
use super::model::{Kind, LetterId, State as Where, Way};
use super::museum;
use super::places;
use super::text::paragraphs;
use super::views::{EntryView, RowView, journey_views, state_words};
use super::{LETTER_FEED, Letters, MODERATE, store};
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids;
use crate::base::locale::Lang;
use crate::community::permissions::{READ, is_granted};
use crate::community::{Layout, Scope, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Html, PageAnswer, Wants, app_page, icon_address};

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module
        .page(Audience::SignedIn, "/letters/{letter}", get(show))
        .page(
            Audience::SignedIn,
            "/letters/{letter}/journey",
            get(journey),
        )
}

/// The journey, and what may be done.
#[derive(Template)]
#[template(path = "letters/journey.html")]
struct JourneyView {
    /// Of a sticker's code.
    form: Form,
    lang: Lang,
    letter: Letter,
    feed: String,
    role: Role,
    state: &'static str,
    entries: Vec<EntryView>,
    /// When it is expected; only while it travels by tide.
    expected: Option<Micros>,
    moderates: bool,
    /// Where a letter by hand goes, for its author: code, and what the place is called.
    address: Option<(String, String)>,
    /// What was given of it to the museum; nothing where it cannot be given.
    gift: Option<GiftView>,
    /// Whether its recipient may answer.
    is_answerable: bool,
    /// What was asked after a long silence, and the answer.
    question: Option<Question>,
    /// Whether its author may ask whether the other one is still here.
    may_ask: bool,
    /// The form's idempotency key.
    key: i64,
}

/// What one side gave.
struct GiftView {
    /// Whether the viewer gives it.
    gives: bool,
    /// Whether the other one does.
    other_gives: bool,
    named: bool,
    is_hung: bool,
}

impl JourneyView {
    fn is_author(&self) -> bool {
        self.role == Role::Author
    }

    fn is_reportable(&self) -> bool {
        match self.role {
            Role::Recipient => self.letter.state != Where::Delivered && !self.letter.is_to_self(),
            Role::Reader => true,
            Role::Author | Role::Stranger => false,
        }
    }

    /// Whether it waits for a sticker.
    fn is_unposted(&self) -> bool {
        let is_sealed = self.letter.state == Where::Sealed && self.letter.way == Way::Hand;
        is_sealed && self.is_author()
    }

    /// How an answer travels.
    fn answer_way(&self) -> &'static str {
        match self.letter.way {
            Way::Hand => "hand",
            Way::Tide | Way::Drift => "tide",
        }
    }

    /// Whether who found it may let it drift on.
    fn may_drift_on(&self) -> bool {
        let is_open = matches!(self.letter.state, Where::Delivered | Where::Read);
        self.letter.way == Way::Drift && self.role == Role::Recipient && is_open
    }

    fn is_unopened(&self) -> bool {
        self.role == Role::Recipient && self.letter.state == Where::Delivered
    }

    fn icon(&self, name: &str) -> String {
        icon_address(name)
    }
}

#[derive(Template)]
#[template(path = "letters/letter.html", blocks = ["app"])]
struct LetterPage {
    head: Head,
    shell: Shell,
    form: Form,
    letter: Letter,
    journey: JourneyView,
    from: String,
    is_readable: bool,
    paragraphs: Vec<String>,
    thread: Vec<RowView>,
    /// Photographs, where the viewer may read it.
    pages: String,
    /// The envelope that it lies in, if it has one of its own.
    envelope: Option<EnvelopeView>,
    /// Whom it is to, on its envelope.
    to: String,
}

impl LetterPage {
    /// What the stamp says.
    fn stamp(&self) -> &'static str {
        match self.letter.way {
            Way::Tide => self.head.lang.t("letters-stamp-tide"),
            Way::Hand => self.head.lang.t("letters-stamp-hand"),
            Way::Drift => self.head.lang.t("letters-stamp-drift"),
        }
    }

    fn code(&self) -> String {
        match &self.letter.code {
            Some(code) => super::codes::shown(code),
            None => String::new(),
        }
    }
}

impl Letters {
    /// A letter for somebody who may know of it.
    ///
    /// # Errors
    /// `NotFound` for everybody else.
    pub(super) async fn visible(&self, viewer: &Viewer, id: LetterId) -> Result<Letter> {
        let letter = store::find(&self.engine.db, id).await?;
        let access = &self.community.access;
        let scope = Scope::Space(letter.space_id);
        access.permit(viewer.account, &READ, scope).await?;
        match letter.is_visible_to(viewer.account) {
            true => Ok(letter),
            false => Err(Error::NotFound),
        }
    }

    async fn gift_view(&self, letter: &Letter, role: Role) -> Result<Option<GiftView>> {
        let is_one_of_both = matches!(role, Role::Author | Role::Recipient);
        if !is_one_of_both || !museum::is_givable(letter) {
            return Ok(None);
        }
        let found = museum::of_letter(&self.engine.db, letter.id).await?;
        let is_author = role == Role::Author;
        Ok(Some(match found {
            None => GiftView {
                gives: false,
                other_gives: false,
                named: false,
                is_hung: false,
            },
            Some(exhibit) => {
                let (author, recipient) = (exhibit.author_gives, exhibit.recipient_gives);
                GiftView {
                    gives: if is_author { author } else { recipient },
                    other_gives: if is_author { recipient } else { author },
                    named: match is_author {
                        true => exhibit.author_named,
                        false => exhibit.recipient_named,
                    },
                    is_hung: exhibit.hung_at.is_some() && author && recipient,
                }
            }
        }))
    }

    async fn journey_view(
        &self,
        viewer: &Viewer,
        letter: Letter,
        form: Form,
    ) -> Result<JourneyView> {
        // Taken before the journey is read: later changes arrive as frames.
        let feed = LETTER_FEED.position(letter.id, &self.engine.live).await?;
        let (access, lang) = (&self.community.access, viewer.lang);
        let letter = store::find(&self.engine.db, letter.id).await?;
        let scope = Scope::Space(letter.space_id);
        let moderates = access.permit(viewer.account, &MODERATE, scope).await;
        let all = entries(&self.engine.db, letter.id).await?;
        let role = letter.role(viewer.account);
        let address = match letter.place_id.filter(|_| role == Role::Author) {
            // The door only once a sticker is bound to it, for ever; before that the area.
            Some(place) => {
                let place = places::find(&self.engine.db, place).await?;
                Some(match letter.code {
                    Some(_) => (place.code, place.name),
                    None => (places::area_of(&place.code), String::new()),
                })
            }
            None => None,
        };
        let db = &self.engine.db;
        let is_closed = kindness::is_closed(db, letter.thread_id).await?;
        let question = match role {
            Role::Author | Role::Recipient => kindness::question(db, letter.id).await?,
            Role::Reader | Role::Stranger => None,
        };
        let travels = matches!(letter.state, Where::Posted | Where::InTransit);
        Ok(JourneyView {
            form: form.of("letters.bind"),
            lang,
            feed,
            role,
            state: state_words(letter.state, lang),
            entries: journey_views(&letter, &all, lang),
            expected: letter
                .arrives_at
                .filter(|_| travels && letter.way != Way::Drift),
            address,
            gift: self.gift_view(&letter, role).await?,
            moderates: is_granted(moderates)? && role != Role::Author,
            is_answerable: role == Role::Recipient
                && letter.kind != Kind::Open
                && letter.state != Where::Delivered
                && !letter.is_to_self()
                && !is_closed,
            may_ask: question.is_none()
                && kindness::may_ask(&letter, viewer.account, Micros::now()),
            question,
            key: ids::next(),
            letter,
        })
    }
}

async fn show(
    State(letters): State<Letters>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Path(id): Path<LetterId>,
) -> Result<Response> {
    let letter = letters.visible(&viewer, id).await?;
    if letter.state == Where::Draft {
        return Ok(Redirect::to(&format!("/letters/{id}/desk")).into_response());
    }
    let (lang, account) = (viewer.lang, viewer.account);
    let is_author = letter.role(account) == Role::Author;
    let is_readable = letter.is_readable_by(account);
    let others = store::thread(&letters.engine.db, letter.thread_id).await?;
    let thread = others
        .iter()
        .filter(|other| other.id != id && other.is_visible_to(account))
        .map(|other| RowView::new(other, account, lang))
        .collect();
    let (from, to) = (letter.author_name(lang), letter.recipient_shown(lang));
    let title = match is_author {
        true => lang.with("letters-to", &[("name", to.as_str().into())]),
        false => lang.with("letters-from", &[("name", from.as_str().into())]),
    };
    let here = match is_author {
        true => format!("/spaces/{}/letters/sent", letter.space_id),
        false => format!("/spaces/{}/letters", letter.space_id),
    };
    let space = letter.space_id;
    let answer: Result<PageAnswer> = app_page!(
        wants,
        LetterPage {
            head: letters.community.head(&viewer, &title),
            shell: layout.shell(&viewer, Some(space), &here).await?,
            journey: letters
                .journey_view(&viewer, letter.clone(), form.clone())
                .await?,
            form,
            from: match is_author {
                true => letter.own_signature(lang),
                false => from,
            },
            is_readable,
            envelope: letters.envelope_of(&letter).await?,
            to: match letter.role(account) {
                Role::Author => to,
                // As they are called; of an open letter nothing.
                _ => letter.recipient_account.clone(),
            },
            paragraphs: match is_readable {
                true => paragraphs(&letter.body),
                false => Vec::new(),
            },
            thread,
            pages: match is_readable {
                true => letters.pages_view(&letter, lang).await?.to_string(),
                false => String::new(),
            },
            letter,
        }
    );
    Ok(answer?.into_response())
}

/// `GET /letters/{letter}/journey`: the journey alone.
async fn journey(
    State(letters): State<Letters>,
    viewer: Viewer,
    Path(id): Path<LetterId>,
) -> Result<Html> {
    let letter = letters.visible(&viewer, id).await?;
    let form = Form::default();
    Html::of(&letters.journey_view(&viewer, letter, form).await?)
}
