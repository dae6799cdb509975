//! `/letters/{letter}/desk`: where a letter is written.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use super::Letters;
use super::absence::Absence;
use super::contests::Design;
use super::drafts::{Version, versions};
use super::letter::Letter;
use super::model::{Kind, LetterId, State as Where, Way};
use super::pages_view::PagesView;
use super::settings::LetterSettings;
use super::text::{BOUGHT_PAPERS, PAPERS, STAMPS};
use super::views::{paper_words, stamp_words};
use super::{points, prompts};
use crate::base::error::Result;
use crate::base::local_time::field_value;
use crate::community::{Layout, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module.page(Audience::SignedIn, "/letters/{letter}/desk", get(desk))
}

#[derive(Template)]
#[template(path = "letters/desk.html", blocks = ["app"])]
struct DeskPage {
    head: Head,
    shell: Shell,
    form: Form,
    letter: Letter,
    settings: LetterSettings,
    to: String,
    opens_at: String,
    versions: Vec<Version>,
    pages: PagesView,
    /// Papers and stamps that the author bought.
    bought: Vec<String>,
    /// Envelopes that the author bought.
    envelopes: Vec<Design>,
    /// Whether a machine can be asked for questions.
    suggests: bool,
    /// Of whom it is to, while they are away.
    absence: Option<Absence>,
}

impl DeskPage {
    /// The kinds of paper, with their names.
    fn papers(&self) -> Vec<(&'static str, &'static str)> {
        let bought = BOUGHT_PAPERS.into_iter().filter(|one| self.has_bought(one));
        let all = PAPERS.into_iter().chain(bought);
        all.map(|paper| (paper, paper_words(paper, self.head.lang)))
            .collect()
    }

    /// The stamps that the author bought, with their names.
    fn stamps(&self) -> Vec<(&'static str, &'static str)> {
        let bought = STAMPS.into_iter().filter(|one| self.has_bought(one));
        bought
            .map(|stamp| (stamp, stamp_words(stamp, self.head.lang)))
            .collect()
    }

    /// The envelope that the draft lies in, as a form sends it.
    fn envelope(&self) -> String {
        let id = self.letter.envelope_id;
        id.map(|id| id.to_string()).unwrap_or_default()
    }

    fn has_bought(&self, name: &str) -> bool {
        self.bought.iter().any(|one| one == name)
    }

    /// How one may sign here, with words.
    fn signatures(&self) -> Vec<(&'static str, &'static str)> {
        let lang = self.head.lang;
        let mut all = vec![("own", lang.t("letters-sign-own"))];
        if self.settings.pen_names {
            all.push(("pen", lang.t("letters-sign-pen")));
        }
        if self.settings.unsigned {
            all.push(("none", lang.t("letters-sign-none")));
        }
        all
    }

    /// The form that was refused, if one of the two was.
    fn refused<'a>(&self, saved: &'a Form, sealed: &'a Form) -> &'a Form {
        match sealed.is_blank() {
            true => saved,
            false => sealed,
        }
    }

    fn is_future(&self) -> bool {
        self.letter.kind == Kind::Future
    }

    /// Prompts for a blank page: each mood with its questions.
    fn prompts(&self) -> Vec<(&'static str, [&'static str; 3])> {
        prompts::by_mood(self.head.lang)
    }

    /// The moods, with their words, of which one can be chosen for a machine's questions.
    fn moods(&self) -> [(&'static str, &'static str); 6] {
        prompts::moods(self.head.lang)
    }

    fn suggested(&self) -> Vec<&str> {
        self.letter.suggested.lines().collect()
    }

    fn is_by_hand(&self) -> bool {
        self.letter.way == Way::Hand
    }

    /// What of an earlier text is shown.
    fn lead(&self, version: &Version) -> String {
        version.body.chars().take(200).collect()
    }
}

async fn desk(
    State(letters): State<Letters>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Path(id): Path<LetterId>,
) -> Result<Response> {
    let letter = letters.own(id, viewer.account).await?;
    let settings = letters.settings_for(&viewer, letter.space_id).await?;
    if letter.state != Where::Draft {
        return Ok(Redirect::to(&format!("/letters/{id}")).into_response());
    }
    let bought = points::bought(&letters.engine.db, letter.space_id, viewer.account).await?;
    let zone = letters.zone(viewer.account, "").await?;
    let here = format!("/letters/{id}/desk");
    let space = letter.space_id;
    let answer: Result<PageAnswer> = app_page!(
        wants,
        DeskPage {
            head: letters
                .community
                .head(&viewer, viewer.lang.t("letters-desk")),
            shell: layout.shell(&viewer, Some(space), &here).await?,
            form,
            to: letter.recipient_shown(viewer.lang),
            opens_at: match letter.opens_at {
                Some(at) => field_value(at, zone),
                None => String::new(),
            },
            versions: versions(&letters.engine.db, id).await?,
            pages: letters.pages_view(&letter, viewer.lang).await?,
            envelopes: letters.bought_envelopes(space, &bought).await?,
            bought,
            suggests: letters.prompter.is_some(),
            absence: letters.absence_of_recipient(&letter).await?,
            settings,
            letter,
        }
    );
    Ok(answer?.into_response())
}
