//! The pages of a space's settings, as links above each of them.

use super::Community;
use super::permission_set::PermissionSet;
use crate::base::error::Result;
use crate::base::ids::SpaceId;

/// A link to one of the pages.
pub struct Tab {
    /// Its path.
    pub href: String,
    /// The message key of its name.
    pub label: &'static str,
    /// Whether this is the page, or one below it.
    pub current: bool,
}

impl Community {
    /// The pages of a space's settings that a member who holds this may open. `here` is the path
    /// of the present one.
    ///
    /// # Errors
    /// `Internal` for a permission that is not declared.
    pub fn space_tabs(&self, held: PermissionSet, space: SpaceId, here: &str) -> Result<Vec<Tab>> {
        let (mut tabs, space) = (Vec::new(), space.to_string());
        for tab in &self.space_tabs {
            let needed = match tab.permission {
                Some(permission) => self.access.declared.only(permission)?,
                None => PermissionSet::default(),
            };
            if held.contains(needed) {
                let href = tab.path.replace("{space}", &space);
                let below = here.strip_prefix(&*href);
                tabs.push(Tab {
                    current: below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
                    href,
                    label: tab.label,
                });
            }
        }
        Ok(tabs)
    }
}
