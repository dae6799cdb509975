//! The places of a space, and one of them with its whole code.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use serde::Deserialize;

use super::Letters;
use super::places::{self, Place, PlaceId, may_manage};
use super::standing::Standing;
use crate::base::error::{Error, Result};
use crate::base::ids::SpaceId;
use crate::community::{Layout, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, IsPrefetch, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module
        .page(
            Audience::SignedIn,
            "/spaces/{space}/letters/places",
            get(places_page),
        )
        .page(
            Audience::SignedIn,
            "/letters/places/{place}",
            get(place_page),
        )
}

/// A place in the list.
struct PlaceView {
    place: Place,
    /// Its code, without the last pair where that is private.
    code: String,
    is_mine: bool,
    /// Whether the viewer decides about it.
    is_managed: bool,
    is_applied: bool,
}

#[derive(Template)]
#[template(path = "letters/places.html", blocks = ["app"])]
struct PlacesPage {
    head: Head,
    shell: Shell,
    form: Form,
    space: SpaceId,
    standing: Standing,
    places: Vec<PlaceView>,
    areas: Vec<(String, String)>,
    /// The last place of this page, if there are more.
    next: Option<PlaceId>,
}

#[derive(Deserialize)]
struct PlacesQuery {
    after: Option<PlaceId>,
}

async fn places_page(
    State(letters): State<Letters>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Path(space): Path<SpaceId>,
    Query(query): Query<PlacesQuery>,
) -> Result<PageAnswer> {
    let standing = letters.standing(&viewer, space).await?;
    let (all, next) = places::list(&letters.engine.db, space, query.after).await?;
    let areas = places::areas(&letters.engine.db, space).await?;
    let views = all.into_iter().map(|place| {
        let is_mine = place.resident_id == Some(viewer.account);
        let is_applied = place.state == "applied";
        PlaceView {
            code: match is_mine && !is_applied {
                true => place.code.clone(),
                false => place.public_code(),
            },
            is_mine,
            is_managed: may_manage(standing.is_organiser, standing.post.as_ref(), &place.code),
            is_applied,
            place,
        }
    });
    // Doors are known to who runs their branch, and to who lives there.
    let places = views.filter(|one| !one.place.is_door() || one.is_mine || one.is_managed);
    let here = format!("/spaces/{space}/letters/places");
    app_page!(
        wants,
        PlacesPage {
            head: letters
                .community
                .head(&viewer, viewer.lang.t("letters-places")),
            shell: layout.shell(&viewer, Some(space), &here).await?,
            form,
            space,
            places: places.collect(),
            areas,
            next,
            standing,
        }
    )
}

#[derive(Template)]
#[template(path = "letters/place.html", blocks = ["app"])]
struct PlacePage {
    head: Head,
    shell: Shell,
    place: Place,
}

/// `GET /letters/places/{place}`: the whole code. Each look-up is in the audit log.
async fn place_page(
    State(letters): State<Letters>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    IsPrefetch(is_prefetch): IsPrefetch,
    Path(id): Path<PlaceId>,
) -> Result<PageAnswer> {
    let place = places::find(&letters.engine.db, id).await?;
    let standing = letters.standing(&viewer, place.space_id).await?;
    let is_mine = place.resident_id == Some(viewer.account);
    let manages = may_manage(standing.is_organiser, standing.post.as_ref(), &place.code);
    if place.state != "open" || is_prefetch || !(is_mine || manages) {
        return Err(Error::NotFound);
    }
    if !is_mine && place.is_door() {
        places::record_look_up(&letters, viewer.account, &place).await?;
    }
    let here = format!("/spaces/{}/letters/places", place.space_id);
    let space = place.space_id;
    app_page!(
        wants,
        PlacePage {
            head: letters
                .community
                .head(&viewer, viewer.lang.t("letters-place")),
            shell: layout.shell(&viewer, Some(space), &here).await?,
            place,
        }
    )
}
