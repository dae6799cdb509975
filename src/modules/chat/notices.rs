//! What chat tells people of: messages that call them, those of direct conversations, and all of a
//! room for who wants that.

use super::Chat;
use super::mention_targets::{NewMentions, Target};
use super::model::Message;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::SpaceId;
use crate::engine::notices::{NewNotice, NoticeKind, Recipients, ToldAt};

static MENTION: NoticeKind = NoticeKind {
    name: "chat.mention",
    line: "notice-mention",
    told_at: ToldAt::Mentions,
};
static DIRECT: NoticeKind = NoticeKind {
    name: "chat.direct",
    line: "notice-direct",
    told_at: ToldAt::All,
};
static MESSAGE: NoticeKind = NoticeKind {
    name: "chat.message",
    line: "notice-message",
    told_at: ToldAt::All,
};

/// The kinds, whose texts are those of the messages.
pub(super) const KINDS: &[&NoticeKind] = &[&MENTION, &DIRECT, &MESSAGE];

/// Whom the mentions of a message call.
fn called(new: &NewMentions) -> Vec<Recipients> {
    let mut accounts: Vec<_> = new.mentions.accounts().collect();
    let mut called = Vec::new();
    for target in new.mentions.targets() {
        match target {
            Target::Account { .. } => {}
            Target::Role { id } => called.push(Recipients::Role(id.0)),
            Target::Group { id } => called.push(Recipients::Group(id.0)),
            Target::Here => accounts.extend(&new.present),
            Target::Room => called.push(Recipients::Readers),
        }
    }
    if !accounts.is_empty() {
        called.push(Recipients::Accounts(accounts));
    }
    called
}

impl Chat {
    /// Publishes what a new message tells people of.
    pub(super) async fn publish_notices(
        &self,
        tx: &mut Tx,
        space: Option<SpaceId>,
        message: &Message,
        new: &NewMentions,
    ) -> Result<()> {
        // First: somebody whom it calls is told that, and not of a message.
        self.publish_mention_notice(tx, space, message, new).await?;
        let kind = if space.is_some() { &MESSAGE } else { &DIRECT };
        let to = vec![Recipients::Followers];
        let notice = notice(kind, space, message, to);
        self.engine.notices.add(tx, notice).await
    }

    /// Publishes that a message calls people. Those who were told of it already are not told again.
    pub(super) async fn publish_mention_notice(
        &self,
        tx: &mut Tx,
        space: Option<SpaceId>,
        message: &Message,
        new: &NewMentions,
    ) -> Result<()> {
        let notice = notice(&MENTION, space, message, called(new));
        self.engine.notices.add(tx, notice).await
    }
}

fn notice(
    kind: &'static NoticeKind,
    space: Option<SpaceId>,
    message: &Message,
    to: Vec<Recipients>,
) -> NewNotice {
    NewNotice {
        kind,
        item: message.id.0,
        actor: Some(message.author),
        space,
        room: Some(message.room),
        href: format!("/messages/{}", message.id),
        text: String::new(),
        to,
    }
}
