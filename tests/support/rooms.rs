//! Creating rooms: a builder of what `community.create-room` takes.

use std::future::IntoFuture;
use std::pin::Pin;

use serde_json::json;

use super::{Answer, Person};

/// A room about to be made; awaiting it makes it and gives its id.
pub struct NewRoom<'a> {
    by: &'a Person,
    name: String,
    about: String,
    private: bool,
    members: Vec<String>,
}

impl<'a> NewRoom<'a> {
    pub(super) fn new(by: &'a Person, name: &str) -> Self {
        Self {
            by,
            name: name.to_owned(),
            about: String::new(),
            private: false,
            members: Vec::new(),
        }
    }

    /// With a description.
    pub fn about(mut self, about: &str) -> Self {
        about.clone_into(&mut self.about);
        self
    }

    /// Only for its members.
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// With these people in it, besides its maker.
    pub fn with(mut self, people: &[&Person]) -> Self {
        self.members = people.iter().map(|person| person.id.clone()).collect();
        self
    }

    /// Asks for it; what comes back.
    pub async fn attempt(self) -> Answer {
        let private = if self.private { "yes" } else { "" };
        let fields = json!({
            "space": self.by.space, "name": self.name, "about": self.about, "private": private,
                "members": self.members,
        });
        self.by.act("community.create-room", fields).await
    }
}

impl<'a> IntoFuture for NewRoom<'a> {
    type Output = String;
    type IntoFuture = Pin<Box<dyn Future<Output = String> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (by, name) = (self.by, self.name.clone());
            let made = self.attempt().await.done();
            let id = made["room"].as_str().expect("a room has an id");
            by.remember_room(&name, id);
            id.to_owned()
        })
    }
}
