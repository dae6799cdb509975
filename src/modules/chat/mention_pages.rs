//! `/mentions`: the latest messages that mention the viewer, wherever they are.

use axum::extract::{Query, State};
use axum::routing::get;

use super::mention_completion::mentionable;
use super::message_list::{ListPage, ListQuery, MAX_ON_PAGE};
use super::model::MessageId;
use super::{Chat, mention_store};
use crate::base::error::Result;
use crate::community::Layout;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    module
        .page(Audience::SignedIn, "/mentions", get(mentions))
        .page(
            Audience::SignedIn,
            "/rooms/{room}/mentionable",
            get(mentionable),
        )
}

/// `GET /mentions?before=`. Messages in rooms that the viewer may not read are left out: a page may
/// be short.
async fn mentions(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Query(query): Query<ListQuery>,
) -> Result<PageAnswer> {
    let before = query.before.unwrap_or(MessageId(i64::MAX));
    let shell = layout.shell(&viewer, None, "/mentions").await?;
    let db = &chat.engine.db;
    let found = mention_store::newest(db, viewer.account, before, MAX_ON_PAGE + 1).await?;
    let (entries, next) = chat.list(&viewer, found).await?;
    let title = viewer.lang.t("mentions-title");
    app_page!(
        wants,
        ListPage {
            head: chat.community.head(&viewer, title),
            shell,
            entries,
            next: next.map(|next| format!("/mentions?before={next}")),
            empty: "mentions-none",
        }
    )
}
