//! People, and what they do over HTTP.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::{ACCEPT, CONTENT_TYPE, REFERER};
use reqwest::{Client, RequestBuilder, Url};
use serde_json::{Value, json};

use super::endpoints::Endpoints;
use super::{Answer, NewRoom, Socket, TestServer};

/// Someone with a browser of their own: an account and its cookie, or nobody yet.
#[derive(Clone)]
pub struct Person {
    /// The name they joined under; empty for a visitor.
    pub name: String,
    /// The account's id; empty for a visitor.
    pub id: String,
    /// The space they belong to.
    pub space: String,
    /// Where requests and sockets go, by turns.
    pub(super) endpoints: Endpoints,
    pub(super) web: Client,
    pub(super) jar: Arc<Jar>,
    pub(super) rooms: Arc<Mutex<HashMap<String, String>>>,
}

impl Person {
    fn url(&self, path: &str) -> Url {
        self.endpoints.next().join(path).expect("paths are paths")
    }

    /// The same person, all of whose requests go to one instance.
    pub fn at_instance(&self, server: &TestServer, number: usize) -> Self {
        let endpoint = server.instances[number].endpoint();
        Self {
            endpoints: Endpoints::new(vec![endpoint]),
            ..self.clone()
        }
    }

    /// The client itself, for requests that have no method here.
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

    /// Sends a form as a browser does from the page that shows it.
    pub async fn form_from(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.request("POST", path);
        // The page was of the instance that gets the form.
        let whole = request.try_clone().expect("a request without a stream");
        let whole = whole.build().expect("a request");
        let referer = whole.url().join(page).expect("paths are paths").to_string();
        let request = request.header(ACCEPT, "text/html").header(REFERER, referer);
        self.send(request.form(fields)).await
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

    /// The cookies as a request carries them.
    pub fn cookies(&self) -> String {
        self.jar
            .cookies(self.endpoints.first())
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
        Socket::open(self.endpoints.next(), path, &self.cookies()).await
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
