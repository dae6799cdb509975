//! People, and what they do over HTTP.

use std::sync::Arc;

use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, HeaderMap};
use reqwest::{Client, RequestBuilder, Url};
use serde_json::Value;

use crate::Feed;

/// Someone with a browser of their own.
#[derive(Clone)]
pub struct Person {
    /// The id of their account; empty for a visitor.
    pub account: String,
    /// The space they belong to; empty for a visitor.
    pub space: String,
    base: Url,
    client: Client,
    jar: Arc<Jar>,
}

impl Person {
    pub(crate) fn new(base: &str) -> Self {
        // Fails when one is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let jar = Arc::new(Jar::default());
        let client = Client::builder()
            .cookie_provider(jar.clone())
            .redirect(reqwest::redirect::Policy::none())
            .build();
        Self {
            account: String::new(),
            space: String::new(),
            base: base.parse().expect("the base is an address"),
            client: client.expect("a client can be made"),
            jar,
        }
    }

    /// A request with this person's cookie.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let url = self.base.join(path).expect("a path");
        self.client.request(method.parse().expect("a method"), url)
    }

    /// Gets what a link leads to; redirects are not followed.
    pub async fn get(&self, path: &str) -> Answer {
        let request = self.request("GET", path).header(ACCEPT, "text/html");
        Answer::of(request).await
    }

    /// Gets a page that must be there.
    pub async fn page(&self, path: &str) -> String {
        self.get(path).await.expect(200).body
    }

    /// Gets a page that must be there, in a language such as `qps-ploc`.
    pub async fn page_in(&self, language: &str, path: &str) -> String {
        let request = self.request("GET", path).header(ACCEPT, "text/html");
        let answer = Answer::of(request.header(ACCEPT_LANGUAGE, language)).await;
        answer.expect(200).body
    }

    /// Does an action with a form, as a browser without JavaScript. `page` is where the form is.
    pub async fn form(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self
            .request("POST", &format!("/act/{action}"))
            .header(ACCEPT, "text/html")
            .header("referer", self.base.join(page).expect("a path").as_str())
            .form(fields);
        Answer::of(request).await
    }

    /// Does an action with JSON, as a program.
    pub async fn act(&self, action: &str, fields: Value) -> Answer {
        let request = self.request("POST", &format!("/act/{action}"));
        Answer::of(request.header(ACCEPT, "application/json").json(&fields)).await
    }

    /// Posts a form to a path and asks for JSON.
    pub async fn submit(&self, path: &str, fields: &Value) -> Answer {
        let request = self.request("POST", path);
        Answer::of(request.header(ACCEPT, "application/json").form(fields)).await
    }

    /// Follows a feed as a program does: its events, as JSON.
    pub async fn follow(&self, feed: &str) -> Feed {
        self.try_follow(feed)
            .await
            .unwrap_or_else(|| panic!("{feed} is refused"))
    }

    /// The same; nothing when it is refused.
    pub async fn try_follow(&self, feed: &str) -> Option<Feed> {
        Feed::open(&self.base, "/live/data", &self.cookies(), feed).await
    }

    /// Follows a feed as a page does: its frames, as HTML.
    pub async fn follow_html(&self, feed: &str) -> Feed {
        Feed::open(&self.base, "/live", &self.cookies(), feed)
            .await
            .unwrap_or_else(|| panic!("{feed} is refused"))
    }

    fn cookies(&self) -> String {
        self.jar
            .cookies(&self.base)
            .map(|value| value.to_str().expect("cookies are text").to_owned())
            .unwrap_or_default()
    }
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: String,
}

impl Answer {
    async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("the server answers");
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await.expect("the body arrives"),
        }
    }

    /// Fails unless the status is this one; gives the answer back.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// The JSON of an action that must have worked.
    #[track_caller]
    pub fn done(self) -> Value {
        self.expect(200).json()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("{} is no JSON: {}", self.status, self.body))
    }

    /// A header's value; empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("headers are text"))
    }
}
