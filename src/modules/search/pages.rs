//! The page of results, its list alone, and the few results of the dialog that goes anywhere.

use axum::extract::{Query, State};

use super::filters::{Asked, Request};
use super::views::{BriefList, ResultList, SearchPage, items};
use super::{PAGE_SIZE, REBUILD, SearchPages};
use crate::base::error::Result;
use crate::community::permissions::is_granted;
use crate::community::{Layout, Scope};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Html, IsPrefetch, PageAnswer, Wants, app_page};

type Here = State<SearchPages>;

/// Results that the dialog shows.
const MAX_BRIEF: usize = 5;

/// `GET /search?q=&sort=&before=`: the page, which needs no scripts. It keeps what was looked for.
pub(super) async fn search(
    State(search): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    prefetch: IsPrefetch,
    Query(asked): Query<Asked>,
) -> Result<PageAnswer> {
    let shell = layout.shell(&viewer, None, "/search").await?;
    let list = result_list(&search, &viewer, &asked).await?;
    if list.is_asked && asked.before.is_none() && !prefetch.0 {
        // What was found is worth more than to remember that it was looked for.
        if let Err(error) = search.keep(viewer.account, asked.text()).await {
            tracing::warn!(%error, "a search was not kept");
        }
    }
    let recent = match list.is_asked {
        true => Vec::new(),
        false => search.recent(viewer.account).await?,
    };
    let access = &search.community.access;
    let may = access.permit(viewer.account, &REBUILD, Scope::Server).await;
    let head = search
        .community
        .head(&viewer, viewer.lang.t("search-title"));
    app_page!(
        wants,
        SearchPage {
            head,
            shell,
            list,
            recent,
            may_rebuild: is_granted(may)?,
        }
    )
}

/// `GET /search/results`: the list alone, while somebody types.
pub(super) async fn results(
    State(search): Here,
    viewer: Viewer,
    Query(asked): Query<Asked>,
) -> Result<Html> {
    Html::of(&result_list(&search, &viewer, &asked).await?)
}

/// `GET /search/brief`: the newest few, as the dialog lists them.
pub(super) async fn brief(
    State(search): Here,
    viewer: Viewer,
    Query(asked): Query<Asked>,
) -> Result<Html> {
    let request = search.request(&viewer, &asked).await?;
    let results = search.find(viewer.account, &request, MAX_BRIEF).await?;
    let list = BriefList {
        lang: viewer.lang,
        query: asked.text().to_owned(),
        found: items(&request, results.found, viewer.lang),
    };
    Html::of(&list)
}

async fn result_list(search: &SearchPages, viewer: &Viewer, asked: &Asked) -> Result<ResultList> {
    let request: Request = search.request(viewer, asked).await?;
    let results = search.find(viewer.account, &request, PAGE_SIZE).await?;
    let progress = search.engine.search.progress().await?;
    let unfinished = progress.iter().filter(|progress| !progress.is_done);
    Ok(ResultList {
        lang: viewer.lang,
        asked: asked.clone(),
        is_asked: request.selection.is_some(),
        is_complete: unfinished.count() == 0,
        items: items(&request, results.found, viewer.lang),
        next: results.next,
        notes: request.notes,
    })
}
