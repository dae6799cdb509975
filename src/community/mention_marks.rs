//! What shows that the viewer is mentioned: the number beside a room, and which roles and groups
//! stand for them.

use super::Community;
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::base::locale::Lang;
use crate::engine::versions::Dependencies;

/// The number of unread mentions as HTML. From 100 on, which stands for more, it is `99+`.
pub fn mention_mark(lang: Lang, count: i64) -> String {
    count_mark(lang, count, "count-mentions")
}

/// The same of what a message with this key counts.
pub fn count_mark(lang: Lang, count: i64, counts: &'static str) -> String {
    let shown = match count {
        100.. => "99+".to_owned(),
        count => count.to_string(),
    };
    let words = lang.with(counts, &[("count", count.into())]);
    format!(
        "<span class=\"pill mention\" aria-hidden=\"true\">{shown}</span>\
         <i class=\"sr\">, {words}</i>"
    )
}

impl Community {
    /// The roles and groups of a member, as the marks of messages name them: `role-5 group-9`.
    pub(super) async fn marks_of(
        &self,
        page: &Dependencies,
        account: AccountId,
        space: SpaceId,
    ) -> Result<String> {
        page.add(account);
        let Some(member) = self.access.member(account, space).await? else {
            return Ok(String::new());
        };
        let groups = self.groups.of_member(page, account, space).await?;
        let roles = member.roles.iter().map(|role| format!("role-{role}"));
        let groups = groups.iter().map(|group| format!("group-{group}"));
        Ok(roles.chain(groups).collect::<Vec<_>>().join(" "))
    }
}
