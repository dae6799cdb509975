//! A server with a private room, and three people of different rights.

use crate::support::{Message, Person, TestServer};

pub(super) const MARK: &str = "moonwort-marker";

/// A server with a private room in which something is written, and three people who are told apart.
pub(super) struct Fixture {
    pub(super) server: TestServer,
    pub(super) ann: Person,
    pub(super) people: [Person; 3],
    pub(super) room: String,
    pub(super) message: Message,
}

impl Fixture {
    pub(super) async fn start() -> Self {
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

    pub(super) fn fill(&self, template: &str) -> String {
        [
            ("room", &self.room),
            ("space", &self.ann.space),
            ("account", &self.ann.id),
            ("message", &self.message.id),
        ]
        .iter()
        .fold(
            template
                .replace("{code}", "AAAAAAAAAAAAAAAA")
                .replace("{invite}", "1")
                .replace("{file}/{name}", "1/a")
                .replace("{kind}/{thing}", "nothing/1")
                .replace("{case}", "1")
                .replace("{appeal}", "1")
                .replace("{notice}", "1")
                .replace("{group}", "1")
                .replace("{participant}", "1")
                .replace("{letter}", "1")
                .replace("{place}", "1")
                .replace("{sheet}", "1")
                .replace("{terminal}", "1"),
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
