//! People, and what they do over HTTP.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, Url};
use serde_json::{Value, json};

use super::{Answer, NewRoom, PATIENCE, Socket, TestServer, text};

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";

/// Someone with a browser of their own: an account and its cookie, or nobody yet.
#[derive(Clone)]
pub struct Person {
    /// The name they joined under; empty for a visitor.
    pub name: String,
    /// The account's id; empty for a visitor.
    pub id: String,
    /// The space they belong to.
    pub space: String,
    base: Url,
    web: Client,
    jar: Arc<Jar>,
    rooms: Arc<Mutex<HashMap<String, String>>>,
}

/// A message as the server tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// The room it stands in.
    pub room: String,
    /// The author's id.
    pub author: String,
    /// The text as written.
    pub body: String,
    /// The author's key of it.
    pub key: String,
    /// How often it changed, from 1.
    pub revision: i64,
    /// Whether it shares the header of the one before.
    pub continues: bool,
}

impl Message {
    /// From its JSON.
    #[track_caller]
    pub fn of(value: &Value) -> Self {
        let text = |name: &str| {
            value[name]
                .as_str()
                .unwrap_or_else(|| panic!("{name} of {value}"))
                .to_owned()
        };
        Self {
            id: text("id"),
            room: text("room"),
            author: text("author"),
            body: text("body"),
            key: text("key"),
            revision: value["revision"].as_i64().expect("a revision is a number"),
            continues: value["continues"].as_bool().expect("it continues or not"),
        }
    }
}

impl TestServer {
    /// Someone who just came by: no account, no cookie.
    pub fn visitor(&self) -> Person {
        let jar = Arc::new(Jar::default());
        let web = client()
            .cookie_provider(jar.clone())
            .redirect(reqwest::redirect::Policy::none())
            .build();
        let base = self.base().parse().expect("the base is an address");
        let rooms = Arc::default();
        let (name, id, space) = <(String, String, String)>::default();
        Person {
            name,
            id,
            space,
            base,
            web: web.expect("a client can be made"),
            jar,
            rooms,
        }
    }

    /// Sets the server up; this person owns it.
    pub async fn owner(&self, name: &str) -> Person {
        let mut person = self.visitor();
        let fields = json!({ "community": "Glasshouse", "name": name, "email": email(name), "password": PASSWORD });
        let made = person.submit("/setup", &fields).await.done();
        person.set_identity(name, &made["account"], &made["space"]);
        let general = person
            .get("/")
            .await
            .location()
            .rsplit('/')
            .next()
            .expect("a room")
            .to_owned();
        person.remember_room("general", &general);
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

/// The address of a person of this name.
pub fn email(name: &str) -> String {
    format!(
        "{}@example.org",
        name.to_lowercase()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "-")
    )
}

impl Person {
    fn set_identity(&mut self, name: &str, id: &Value, space: &Value) {
        self.name = name.to_owned();
        self.id = id.as_str().unwrap_or_default().to_owned();
        self.space = space.as_str().unwrap_or_default().to_owned();
    }

    fn url(&self, path: &str) -> Url {
        self.base.join(path).expect("paths are paths")
    }

    /// The client itself, for what has no word here.
    pub fn web(&self) -> &Client {
        &self.web
    }

    /// A request with this person's cookie.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.web
            .request(method.parse().expect("a method"), self.url(path))
    }

    /// Sends a request and reads the answer.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        Answer::of(request.send().await.expect("the server answers")).await
    }

    /// A page as a link gives it; redirects are not followed.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path).header(ACCEPT, "text/html"))
            .await
    }

    /// A page that must be there.
    pub async fn page(&self, path: &str) -> String {
        self.get(path).await.expect(200).body
    }

    /// The piece of a page that htmx fetches.
    pub async fn fragment(&self, path: &str) -> Answer {
        self.send(self.request("GET", path).header("HX-Request", "true"))
            .await
    }

    /// Posts a form as a browser without JavaScript does.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(
            self.request("POST", path)
                .header(ACCEPT, "text/html")
                .form(fields),
        )
        .await
    }

    /// Posts a form and asks for JSON.
    pub async fn submit(&self, path: &str, fields: &Value) -> Answer {
        self.send(
            self.request("POST", path)
                .header(ACCEPT, "application/json")
                .form(fields),
        )
        .await
    }

    /// Does an action, in JSON.
    pub async fn act(&self, action: &str, fields: Value) -> Answer {
        let request = self
            .request("POST", &format!("/act/{action}"))
            .header(ACCEPT, "application/json");
        self.send(
            request
                .header(CONTENT_TYPE, "application/json")
                .body(fields.to_string()),
        )
        .await
    }

    /// The same of a server that may go away meanwhile: nothing when it did.
    pub async fn try_act(&self, action: &str, fields: Value) -> Option<Answer> {
        let request = self
            .request("POST", &format!("/act/{action}"))
            .header(ACCEPT, "application/json");
        let response = request
            .header(CONTENT_TYPE, "application/json")
            .body(fields.to_string())
            .send()
            .await
            .ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Some(Answer {
            status,
            headers,
            body: response.text().await.ok()?,
        })
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
            // Not from a socket: its presence would end seconds later, in the middle of a test.
            let id = text::attributes(&self.page("/account").await, "data-me").remove(0);
            self.set_identity(name, &json!(id), &space);
        }
        answer
    }

    /// Tries to sign in.
    pub async fn sign_in(&self, login: &str, password: &str) -> Answer {
        self.submit("/sign-in", &json!({ "login": login, "password": password }))
            .await
    }

    /// The same person on another device, signed in anew.
    pub async fn on_new_device(&self, server: &TestServer) -> Person {
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

    /// The cookies as a request carries them.
    pub fn cookies(&self) -> String {
        self.jar
            .cookies(&self.base)
            .map(|value| value.to_str().expect("cookies are text").to_owned())
            .unwrap_or_default()
    }

    /// The room of this name, by id. What is no known name is taken for an id.
    pub fn room(&self, name: &str) -> String {
        self.rooms
            .lock()
            .expect("the rooms are whole")
            .get(name)
            .cloned()
            .unwrap_or_else(|| name.to_owned())
    }

    /// Remembers what a room is called.
    pub fn remember_room(&self, name: &str, id: &str) {
        self.rooms
            .lock()
            .expect("the rooms are whole")
            .insert(name.to_owned(), id.to_owned());
    }

    /// Begins to make a room: await it for a public one.
    pub fn create_room(&self, name: &str) -> NewRoom<'_> {
        NewRoom::new(self, name)
    }

    /// The direct conversation with these people, by id.
    pub async fn direct(&self, people: &[&Person]) -> String {
        let ids: Vec<_> = people.iter().map(|person| &person.id).collect();
        self.act("community.open-direct", json!({ "people": ids }))
            .await
            .done()["room"]
            .as_str()
            .expect("a room")
            .to_owned()
    }

    /// Posts under a key; what comes back.
    pub async fn try_post(&self, room: &str, body: &str, key: &str) -> Answer {
        self.act(
            "chat.post",
            json!({ "room": self.room(room), "body": body, "key": key }),
        )
        .await
    }

    /// Posts a message.
    pub async fn post(&self, room: &str, body: &str) -> Message {
        Message::of(&self.try_post(room, body, &new_key()).await.done()["message"])
    }

    /// Edits a message.
    pub async fn edit(&self, message: &Message, body: &str) -> Message {
        Message::of(
            &self
                .act("chat.edit", json!({ "message": message.id, "body": body }))
                .await
                .done()["message"],
        )
    }

    /// Deletes a message.
    pub async fn delete(&self, message: &Message) -> Message {
        Message::of(
            &self
                .act("chat.delete", json!({ "message": message.id }))
                .await
                .done()["message"],
        )
    }

    /// The newest messages of a room, oldest first.
    pub async fn history(&self, room: &str) -> Vec<Message> {
        let answer = self
            .act("chat.history", json!({ "room": self.room(room) }))
            .await
            .done();
        answer["messages"]
            .as_array()
            .expect("a list")
            .iter()
            .map(Message::of)
            .collect()
    }

    /// A socket that speaks JSON.
    pub async fn socket(&self) -> Socket {
        self.socket_at("/live/data").await
    }

    /// A socket that speaks HTML, as pages have it.
    pub async fn html_socket(&self) -> Socket {
        self.socket_at("/live").await
    }

    /// A socket at this path, which may name feeds.
    pub async fn socket_at(&self, path: &str) -> Socket {
        Socket::open(&self.base, path, &self.cookies()).await
    }

    /// A socket that speaks JSON and reads only while the test waits for a message.
    pub async fn stalled_socket(&self) -> Socket {
        Socket::open_stalled(&self.base, "/live/data", &self.cookies()).await
    }

    /// A JSON socket that follows a feed; `room/general` may name the room.
    pub async fn following(&self, feed: &str) -> Socket {
        let mut socket = self.socket().await;
        socket.follow(&self.feed(feed)).await;
        socket
    }

    /// A feed's name with its room's name replaced by the id.
    pub fn feed(&self, feed: &str) -> String {
        let Some(rest) = feed.strip_prefix("room/") else {
            return feed.to_owned();
        };
        let (room, rest) = rest
            .split_once('/')
            .map_or((rest, String::new()), |(room, rest)| {
                (room, format!("/{rest}"))
            });
        format!("room/{}{rest}", self.room(room))
    }
}

/// A key no post has had.
pub fn new_key() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("key-{:012}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A client to set up. The feature that lets the server choose its cryptography asks the same of
/// everyone in the program.
pub fn client() -> reqwest::ClientBuilder {
    // Fails when it is chosen already, which is as good.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    Client::builder().timeout(PATIENCE)
}
