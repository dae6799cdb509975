//! Chat: messages in rooms and direct conversations, live, with history, unread marks and typing.

mod actions;
mod attachments;
mod history;
pub mod markdown;
mod model;
mod pages;
mod presenter;
mod store;
mod topics;
mod unread;
mod views;

use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId};
use crate::community::{Community, Permission};
use crate::engine::Engine;
use crate::engine::live::FeedSpec;
use crate::engine::module::Module;
use crate::engine::viewer::Viewer;
use unread::Unread;

/// The chat module. Cheap to clone.
#[derive(Clone)]
pub struct Chat {
    engine: Engine,
    community: Community,
    unread: Unread,
}

impl Chat {
    /// Chat in the rooms of this community.
    pub fn new(community: &Community) -> Self {
        Self {
            engine: community.engine().clone(),
            community: community.clone(),
            unread: Unread::default(),
        }
    }

    async fn may_read(&self, account: AccountId, room: RoomId) -> Result<bool> {
        Ok(self
            .community
            .permit_in_room(account, Permission::Read, room)
            .await
            .is_ok())
    }

    fn readable(
        &self,
    ) -> impl Fn(Viewer, Vec<i64>) -> futures_util::future::BoxFuture<'static, Result<bool>>
    + Send
    + Sync
    + 'static {
        let chat = self.clone();
        move |viewer, ids| {
            let chat = chat.clone();
            Box::pin(async move { chat.may_read(viewer.account, RoomId(ids[0])).await })
        }
    }

    /// All that it adds to the engine.
    pub fn module(&self) -> Module {
        let nav = self.clone();
        let module = Module::new("chat")
            .publishes::<topics::MessagePosted>()
            .publishes::<topics::MessageEdited>()
            .publishes::<topics::MessageDeleted>()
            .publishes::<topics::AttachmentsReady>()
            .publishes::<topics::TypingStarted>()
            .publishes::<topics::UnreadChanged>()
            .publishes::<topics::RoomRead>()
            .feed(FeedSpec::new(
                "room/{room}",
                "Messages of a room as they are posted, edited and deleted",
                self.readable(),
            ))
            .feed(
                FeedSpec::new(
                    "room/{room}/typing",
                    "Who is writing in a room right now",
                    self.readable(),
                )
                .ephemeral(),
            )
            .files(attachments::kind(self))
            .stylesheet("css/chat.css")
            .script("js/chat.js")
            .nav(move |viewer, space, deps| {
                let chat = nav.clone();
                async move { chat.sections(&deps, &viewer, space).await }
            })
            .subscriber(presenter::presenter(self))
            .subscriber(unread::watcher(self))
            .task(unread::flush(self.clone()));
        actions::declare(self, pages::declare(self, module))
    }

    /// Lets ids go on after the newest stored message, whatever the clock says. Called at boot.
    pub async fn resume_ids(&self) -> Result<()> {
        if let Some(newest) = store::newest_of_all(&self.engine.db).await? {
            crate::base::ids::at_least(newest.0);
        }
        Ok(())
    }
}
