//! A private room, and people who may and may not see it.

use crate::support::{Message, Person, TestServer};

/// Text that only members of the room may get.
pub const MARK: &str = "moonwort-marker";

/// A server with a private room in which something is written, and three people who are told apart.
pub struct Scene {
    pub server: TestServer,
    pub ann: Person,
    pub people: [Person; 3],
    pub room: String,
    pub message: Message,
}

impl Scene {
    pub async fn set_up() -> Self {
        let server = TestServer::start().await;
        let ann = server.owner("ann").await;
        let people = [
            server.stranger("eve").await,
            server.member("bob").await,
            server.member("cem").await,
        ];
        let room = ann
            .create_room("whisper")
            .about(MARK)
            .private()
            .with(&[&people[2]])
            .await;
        let message = ann.post(&room, MARK).await;
        Self {
            server,
            ann,
            people,
            room,
            message,
        }
    }

    /// A path or fields with their placeholders filled in.
    pub fn fill(&self, template: &str) -> String {
        [
            ("room", &self.room),
            ("space", &self.ann.space),
            ("account", &self.ann.id),
            ("message", &self.message.id),
        ]
        .iter()
        .fold(
            template.replace("{code}", "AAAAAAAAAAAAAAAA"),
            |text, (name, value)| {
                text.replace(&format!("{{{name}}}"), value)
                    .replace(&name.to_uppercase(), value)
            },
        )
        .replace("OWNER", &self.ann.id)
        .replace("BOB", &self.people[1].id)
        .replace("CEM", &self.people[2].id)
    }
}
