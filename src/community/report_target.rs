//! People as what can be reported: to the moderators of a space that both are members of, or to the
//! host.

use super::permissions::READ;
use super::{Community, Scope};
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::engine::reportable::{Reported, Target};
use crate::engine::viewer::Viewer;

/// # Errors
/// `NotFound` for who does not see the person, or not in that space.
pub(super) async fn account(
    community: Community,
    viewer: Viewer,
    target: Target,
) -> Result<Reported> {
    let account = AccountId(target.id);
    let profile = community.profile_for(viewer.account, account).await?;
    if let Some(space) = target.space {
        let access = &community.access;
        let scope = Scope::Space(space);
        access.permit(viewer.account, &READ, scope).await?;
        access
            .member(account, space)
            .await?
            .ok_or(Error::NotFound)?;
    }
    let lines = [
        format!("{} (@{})", profile.name, profile.user_name),
        profile.pronouns,
        format!("{} {}", profile.status_emoji, profile.status),
        profile.bio,
    ];
    let lines = lines.iter().map(|line| line.trim());
    let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    Ok(Reported {
        space: target.space,
        room: None,
        author: account,
        shown_author: None,
        excerpt: lines.join("\n"),
        href: match target.space {
            Some(space) => format!("/spaces/{space}/members/{account}"),
            None => format!("/people/{account}"),
        },
        at: None,
    })
}
