//! Templates.

use askama::Template;
use tidepool::base::ids::SpaceId;
use tidepool::base::locale::Lang;
use tidepool::community::Shell;
use tidepool::engine::forms::Form;
use tidepool::engine::web::Head;

use crate::model::Item;

/// One item. Identical for every viewer of one language, so that it can be published.
#[derive(Template)]
#[template(path = "todo/row.html")]
struct Row<'a> {
    item: &'a Item,
    lang: Lang,
}

impl Row<'_> {
    fn text(&self, key: &str) -> String {
        let title = self.item.title.as_str().into();
        self.lang.with(key, &[("title", title)])
    }
}

/// The HTML of an item.
pub fn row(item: &Item, lang: Lang) -> String {
    // Rendering fails only when a value in the template does, and these do not.
    Row { item, lang }.render().unwrap_or_default()
}

/// A space's list.
#[derive(Template)]
#[template(path = "todo/list.html", blocks = ["region"])]
pub struct ListPage {
    pub head: Head,
    pub shell: Shell,
    pub form: Form,
    pub space: SpaceId,
    /// The feed with its cursor.
    pub feed: String,
    /// The form's idempotency key: sent twice, it adds one item.
    pub key: i64,
    pub rows: Vec<String>,
}
