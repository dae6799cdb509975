//! The `<head>` of every page: title, language, style sheets and scripts.

use std::sync::Arc;

use super::assets::{VERSION, asset_address, icon_address};
use crate::base::ids::AccountId;
use crate::base::locale::Lang;
use crate::engine::viewer::Theme;

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
            theme: Theme::default(),
            pages: self.clone(),
        }
    }
}

/// What `base.html` needs.
pub struct Head {
    /// The page's language.
    pub lang: Lang,
    /// The viewer's account: style sheets switch on by it what only the viewer sees.
    pub account: Option<AccountId>,
    /// The page's title, without the server's name.
    pub title: String,
    /// The page's colours.
    pub theme: Theme,
    pages: Pages,
}

impl Head {
    /// Address of an asset.
    pub fn asset(&self, path: &str) -> String {
        asset_address(path)
    }

    /// Address of the icon sprite's symbol.
    pub fn icon(&self, name: &str) -> String {
        icon_address(name)
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
