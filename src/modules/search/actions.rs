//! The actions of search.

use serde::Deserialize;
use serde_json::json;

use super::filters::Asked;
use super::{PAGE_SIZE, REBUILD, SearchPages};
use crate::base::error::Result;
use crate::community::Scope;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

/// `search.find`: a page of results, for programs.
pub(super) async fn find(search: SearchPages, viewer: Viewer, asked: Asked) -> Result<Outcome> {
    let request = search.request(&viewer, &asked).await?;
    let results = search.find(viewer.account, &request, PAGE_SIZE).await?;
    let found = results.found.iter().map(|one| {
        json!({
            "id": one.id.to_string(),
            "author": one.author,
            "author_name": one.author_name,
            "place": one.place,
            "href": one.href,
            "at": one.at.rfc3339(),
            "text": one.text,
        })
    });
    let found: Vec<_> = found.collect();
    let answer = json!({
        "found": found,
        "next": results.next.map(|next| next.to_string()),
        "notes": request.notes,
    });
    Ok(Outcome::new(answer, "/search"))
}

#[derive(Deserialize)]
pub(super) struct Nothing {}

/// `search.clear-recent`
pub(super) async fn clear_recent(
    search: SearchPages,
    viewer: Viewer,
    _: Nothing,
) -> Result<Outcome> {
    search.clear_recent(viewer.account).await?;
    Ok(Outcome::new(json!({}), "/search"))
}

/// `search.rebuild`
pub(super) async fn rebuild(search: SearchPages, viewer: Viewer, _: Nothing) -> Result<Outcome> {
    let access = &search.community.access;
    access
        .permit(viewer.account, &REBUILD, Scope::Server)
        .await?;
    search.engine.search.rebuild().await?;
    Ok(Outcome::new(json!({}), "/search"))
}
