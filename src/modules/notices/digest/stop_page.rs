//! `/digest/{token}`: ends the mails of an account without signing in. Programs of mail post to the
//! address that the headers of a mail name (RFC 8058); people get a page with a button.

use askama::Template;
use axum::extract::{Path, State};

use super::super::Notices;
use super::store;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::locale::Lang;
use crate::engine::web::{Head, Html};

/// Characters of a token, see [`crate::base::secrets::token`].
const TOKEN_CHARS: usize = 43;

#[derive(Template)]
#[template(path = "notices/digest_stop.html")]
struct StopPage {
    head: Head,
    /// Nothing once they are ended.
    token: Option<String>,
}

fn page(notices: &Notices, lang: Lang, token: Option<String>) -> Result<Html> {
    let title = lang.t("digest-stop-title");
    let head = notices.engine.pages.head(lang, None, title);
    Html::of(&StopPage { head, token })
}

pub(super) async fn ask(
    State(notices): State<Notices>,
    lang: Lang,
    Path(token): Path<String>,
) -> Result<Html> {
    page(&notices, lang, Some(token))
}

/// Tells nobody whether there was such a token.
pub(super) async fn stop(
    State(notices): State<Notices>,
    lang: Lang,
    Path(token): Path<String>,
) -> Result<Html> {
    if token.len() == TOKEN_CHARS {
        let db = &notices.engine.db;
        db.write(async move |tx: &mut Tx| store::stop(tx, &token).await)
            .await?;
    }
    page(&notices, lang, None)
}
