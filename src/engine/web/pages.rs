//! What every page starts with, and how a page answers.

use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::assets::{VERSION, asset_address};
use super::page_parts::{has_parts, rendered};
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::locale::Lang;

/// The style sheets and scripts of the modules. Cheap to clone.
#[derive(Clone, Default)]
pub struct Pages(Arc<Links>);

#[derive(Default)]
struct Links {
    styles: Vec<String>,
    scripts: Vec<String>,
}

impl Pages {
    /// Pages that link these addresses.
    pub fn new(styles: &[String], scripts: &[String]) -> Self {
        Self(Arc::new(Links {
            styles: styles.to_vec(),
            scripts: scripts.to_vec(),
        }))
    }

    /// The head of a page with this title.
    pub fn head(&self, lang: Lang, account: Option<AccountId>, title: impl Into<String>) -> Head {
        Head {
            lang,
            account,
            title: title.into(),
            pages: self.clone(),
        }
    }
}

/// What `base.html` needs.
pub struct Head {
    /// The page's language.
    pub lang: Lang,
    /// The person's account, whose controls a style sheet of theirs switches on.
    pub account: Option<AccountId>,
    /// The page's title, without the server's name.
    pub title: String,
    pages: Pages,
}

impl Head {
    /// Address of an asset.
    pub fn asset(&self, path: &str) -> String {
        asset_address(path)
    }

    /// Address of the icon sprite's symbol.
    pub fn icon(&self, name: &str) -> String {
        asset_address(&format!("icons.svg#{name}"))
    }

    /// Version of the assets.
    pub fn version(&self) -> &'static str {
        VERSION
    }

    /// Addresses of the modules' style sheets.
    pub fn styles(&self) -> impl Iterator<Item = &str> {
        self.pages.0.styles.iter().map(String::as_str)
    }

    /// Addresses of the modules' scripts.
    pub fn scripts(&self) -> impl Iterator<Item = &str> {
        self.pages.0.scripts.iter().map(String::as_str)
    }
}

/// HTML on its way to the browser: a page or a fragment, with an entity tag over its bytes.
pub struct Html(pub String);

impl Html {
    /// A rendered template.
    ///
    /// # Errors
    /// `Internal` when the template fails, which only a failing value in it can cause, or when
    /// parts stand in it.
    pub fn of(template: &impl Template) -> Result<Self> {
        let html = rendered(template)?;
        if has_parts(&html) {
            return Err(Error::Internal(anyhow::anyhow!(
                "a page with parts has to be a PageAnswer, which puts them in"
            )));
        }
        Ok(Self(html))
    }
}

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        let mut hasher = DefaultHasher::new();
        hasher.write(self.0.as_bytes());
        // Weak, because the same page leaves here under several compressions.
        let tag = format!("W/\"{:016x}\"", hasher.finish());
        let mut response = axum::response::Html(self.0).into_response();
        let headers = response.headers_mut();
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-cache"),
        );
        headers.insert(
            header::VARY,
            HeaderValue::from_static("accept-language, cookie, hx-request"),
        );
        response
    }
}

/// Renders a page inside the shell: whole, or only its `app` block when htmx asks for it.
macro_rules! app_page {
    ($wants:expr, $view:expr) => {{
        let view = $view;
        match $wants {
            $crate::engine::web::Wants::Fragment => {
                $crate::engine::web::PageAnswer::of(&view.as_app(), &view.shell.parts)
            }
            _ => $crate::engine::web::PageAnswer::of(&view, &view.shell.parts),
        }
    }};
}
pub(crate) use app_page;
