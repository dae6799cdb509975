//! `/rooms/{room}/menu`: the pages of a room, for windows whose header has no room for all of them.

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;

use super::{Chat, POST};
use crate::base::error::Result;
use crate::base::ids::RoomId;
use crate::community::permissions::{MANAGE_ROOMS, READ, is_granted};
use crate::community::{Layout, Shell};
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    module.page(Audience::SignedIn, "/rooms/{room}/menu", get(menu))
}

#[derive(Template)]
#[template(path = "chat/room_menu.html", blocks = ["app"])]
struct RoomMenuPage {
    head: Head,
    shell: Shell,
    room: RoomId,
    may_manage: bool,
    may_post: bool,
}

async fn menu(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(room): Path<RoomId>,
) -> Result<PageAnswer> {
    let access = &chat.community.access;
    let room = access.permit_in_room(viewer.account, &READ, room).await?;
    let managed = access.permit_in_room(viewer.account, &MANAGE_ROOMS, room.id);
    let may_manage = room.space.is_some() && is_granted(managed.await)?;
    let posting = access.permit_in_room(viewer.account, &POST, room.id);
    let may_post = is_granted(posting.await)?;
    let here = format!("/rooms/{}", room.id);
    let shell = layout.shell(&viewer, room.space, &here).await?;
    let title = chat.community.rooms.title(viewer.account, &room).await?;
    app_page!(
        wants,
        RoomMenuPage {
            head: chat.community.head(&viewer, title),
            shell,
            room: room.id,
            may_manage,
            may_post,
        }
    )
}
