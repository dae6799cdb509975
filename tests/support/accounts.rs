//! Accounts: people who set a server up, join it and sign in.

use std::sync::Arc;
use std::time::Instant;

use reqwest::Client;
use reqwest::cookie::Jar;
use serde_json::{Value, json};

use super::{Answer, POLL_INTERVAL, Person, TestServer, WAIT_TIMEOUT, text};

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";

impl TestServer {
    /// Someone who just came by: no account, no cookie.
    pub fn visitor(&self) -> Person {
        let jar = Arc::new(Jar::default());
        let web = client()
            .cookie_provider(jar.clone())
            .redirect(reqwest::redirect::Policy::none())
            .timeout(WAIT_TIMEOUT)
            .build();
        let endpoints = self.endpoints();
        let rooms = Arc::default();
        let (name, id, space) = <(String, String, String)>::default();
        Person {
            name,
            id,
            space,
            endpoints,
            web: web.expect("a client can be made"),
            jar,
            rooms,
        }
    }

    /// The token of the link that a server without an owner has printed, once it has.
    pub async fn setup_token(&self) -> String {
        let deadline = Instant::now() + WAIT_TIMEOUT;
        loop {
            let output = self.instances[0].output();
            let rest = output.rsplit_once("/setup?token=").map(|(_, rest)| rest);
            if let Some((token, _)) = rest.and_then(|rest| rest.split_once('\n')) {
                return token.to_owned();
            }
            assert!(Instant::now() < deadline, "no setup link in {output}");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Sets the server up; this person owns it.
    pub async fn owner(&self, name: &str) -> Person {
        let mut person = self.visitor();
        let fields = json!({ "community": "Glasshouse", "name": name, "email": email(name),
            "password": PASSWORD, "token": self.setup_token().await });
        // Each instance has a token of its own, and this one is the first one's.
        let first = person.at_instance(self, 0);
        let made = first.submit("/setup", &fields).await.done();
        person.set_account(name, &made["account"], &made["space"]);
        let general = person
            .get("/")
            .await
            .location()
            .rsplit('/')
            .next()
            .expect("a room")
            .to_owned();
        person.remember_room("general", &general);
        // Tests write much in a short time. Not where few writes are allowed at all.
        if !self.instances[0].has_variable("TIDEPOOL_WRITES_PER_10_SECONDS", "5") {
            let first = person.at_instance(self, 0);
            first.switch_floods("no").await;
        }
        assert!(
            self.owner.set(person.clone()).is_ok(),
            "a server has one owner"
        );
        person
    }

    /// Someone the owner invited, who joined.
    pub async fn member(&self, name: &str) -> Person {
        let owner = self.owner.get().expect("the owner comes first");
        let link = owner.invite().await;
        let mut person = self.visitor();
        person.rooms = owner.rooms.clone();
        person.join(&link, name).await.done();
        person
    }

    /// Someone with an account on this server who belongs to another space.
    pub async fn stranger(&self, name: &str) -> Person {
        let owner = self.owner.get().expect("the owner comes first");
        let space = owner
            .act("community.create-space", json!({ "name": "Elsewhere" }))
            .await
            .done();
        let invite = owner
            .act("community.invite", json!({ "space": space["space"] }))
            .await
            .done();
        let mut person = self.visitor();
        person
            .join(invite["link"].as_str().expect("a link"), name)
            .await
            .done();
        person
    }
}

impl Person {
    fn set_account(&mut self, name: &str, id: &Value, space: &Value) {
        self.name = name.to_owned();
        self.id = id.as_str().unwrap_or_default().to_owned();
        self.space = space.as_str().unwrap_or_default().to_owned();
    }

    /// Switches the flood protection on or off that a space begins with.
    pub async fn switch_floods(&self, on: &str) {
        let rule = json!({ "space": self.space, "rule": "1", "on": on });
        self.act("moderation.switch-rule", rule).await.done();
    }

    /// Makes an invitation without limits. Its path.
    pub async fn invite(&self) -> String {
        self.invite_with(json!({})).await
    }

    /// Makes an invitation with `uses` or `expires`. Its path.
    pub async fn invite_with(&self, mut limits: Value) -> String {
        limits["space"] = json!(self.space);
        self.act("community.invite", limits).await.done()["link"]
            .as_str()
            .expect("a link")
            .to_owned()
    }

    /// Joins through a link under a name, and is that person from then on if it works.
    pub async fn join(&mut self, link: &str, name: &str) -> Answer {
        let answer = self
            .submit(
                link,
                &json!({ "name": name, "email": email(name), "password": PASSWORD }),
            )
            .await;
        if answer.status == 200 {
            let space = answer.json()["space"].clone();
            // Not from a socket's hello: an open socket changes presence, which pages show.
            let page = self.page("/account").await;
            let id = &text::attributes(&page, "data-me")[0];
            self.set_account(name, &json!(id), &space);
        }
        answer
    }

    /// Tries to sign in.
    pub async fn sign_in(&self, login: &str, password: &str) -> Answer {
        self.submit("/sign-in", &json!({ "login": login, "password": password }))
            .await
    }

    /// The same person on another device, signed in anew.
    pub async fn other_device(&self, server: &TestServer) -> Person {
        let device = Person {
            name: self.name.clone(),
            id: self.id.clone(),
            space: self.space.clone(),
            rooms: self.rooms.clone(),
            ..server.visitor()
        };
        device.sign_in(&self.name, PASSWORD).await.done();
        device
    }
}

/// The address of a person of this name.
pub fn email(name: &str) -> String {
    format!(
        "{}@example.org",
        name.to_lowercase()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "-")
    )
}

/// A client to set up. The feature that lets the server choose its cryptography asks the same of
/// everyone in the program.
pub fn client() -> reqwest::ClientBuilder {
    // Fails when it is chosen already, which is as good.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    // A connection for each request: one that was kept may end with a server that a test restarts,
    // just as the next request is sent on it.
    Client::builder().pool_max_idle_per_host(0)
}
