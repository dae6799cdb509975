//! A browser and its WebDriver session: starting it, its tabs, its console, and closing it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use axum::http::Method;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use super::driver::driver;
use crate::support::{Folder, Person};

/// How long one script may run in a page: axe takes its time on a loaded machine.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(180);

/// For a browser to end.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// How a browser is started.
#[derive(Clone, Default)]
pub struct Kind {
    /// Whether pages may run scripts.
    pub without_scripts: bool,
    /// What it asks for in `Accept-Language`.
    pub language: Option<&'static str>,
    /// A phone: 390 × 844, touched.
    pub phone: bool,
    /// A name that leads to this machine, as one of a home network does.
    pub host: Option<&'static str>,
    /// A network that lets no UDP through.
    pub without_udp: bool,
}

/// A browser, and somebody before it.
pub struct Browser {
    /// The driver's client, for commands that have no method here.
    pub client: Client,
    pub(super) base: String,
    /// Where its session is known to the driver.
    session: String,
    is_closed: bool,
    _profile: Folder,
}

/// A test that fails leaves its browser in the middle of something, which would take time from the
/// tests that are still to come.
impl Drop for Browser {
    fn drop(&mut self) {
        if !self.is_closed {
            end_session(&self.session);
        }
    }
}

/// Ends a session by its address, without the client, whose runtime may be gone.
fn end_session(session: &str) {
    let Some((address, path)) = session.split_once('/') else {
        return;
    };
    let Ok(mut connection) = TcpStream::connect(address) else {
        return;
    };
    let request =
        format!("DELETE /{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    let patience = connection.set_read_timeout(Some(END_TIMEOUT));
    if patience.is_ok() && connection.write_all(request.as_bytes()).is_ok() {
        // It has ended once that is answered.
        drop(connection.read(&mut [0; 64]));
    }
}

/// A command of chromedriver that WebDriver does not have.
#[derive(Debug)]
struct Extension(&'static str, Value);

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(
        &self,
        base: &reqwest::Url,
        session: Option<&str>,
    ) -> Result<reqwest::Url, <reqwest::Url as std::str::FromStr>::Err> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.0
        ))
    }

    fn method_and_body(&self, _: &reqwest::Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.1.to_string()))
    }
}

impl Browser {
    /// A fresh browser that finds the server at `base`.
    pub async fn open(base: &str) -> Self {
        Self::of(Kind::default(), base).await
    }

    /// A fresh browser of this kind.
    pub async fn of(kind: Kind, base: &str) -> Self {
        let profile = Folder::new();
        let mut arguments: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            // A microphone that beeps once a second, and nobody who has to allow its use.
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            // A server on this machine, which browsers else do not look for there.
            "--allow-loopback-in-peer-connection",
            "--autoplay-policy=no-user-gesture-required",
            "--window-size=1280,800",
        ]
        .map(str::to_owned)
        .to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        if let Some(host) = kind.host {
            arguments.push(format!("--host-resolver-rules=MAP {host} 127.0.0.1"));
        }
        let mut preferences = json!({ "credentials_enable_service": false });
        if kind.without_udp {
            preferences["webrtc.ip_handling_policy"] = json!("disable_non_proxied_udp");
        }
        if kind.without_scripts {
            preferences["profile.managed_default_content_settings.javascript"] = json!(2);
        }
        if let Some(language) = kind.language {
            preferences["intl.accept_languages"] = json!(language);
        }
        let mut options = json!({ "args": arguments, "prefs": preferences });
        if kind.phone {
            options["mobileEmulation"] = json!({ "deviceMetrics": { "width": 390, "height": 844,
                "pixelRatio": 2.0, "touch": true } });
        }
        let capabilities = json!({
            "browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "script": SCRIPT_TIMEOUT.as_millis() as u64 },
        });
        let Value::Object(capabilities) = capabilities else {
            unreachable!()
        };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let driver = driver().await;
        let client = builder
            .capabilities(capabilities)
            .connect(&driver)
            .await
            .expect("a browser starts");
        let id = client.session_id().await.expect("a session");
        let driver = driver.trim_start_matches("http://");
        Self {
            client,
            base: base.to_owned(),
            session: format!("{driver}/session/{}", id.unwrap_or_default()),
            is_closed: false,
            _profile: profile,
        }
    }

    /// A browser in which this person is signed in already.
    pub async fn signed_in(person: &Person, base: &str) -> Self {
        Self::signed_in_as(Kind::default(), person, base).await
    }

    /// The same in a browser of some kind.
    pub async fn signed_in_as(kind: Kind, person: &Person, base: &str) -> Self {
        let browser = Self::of(kind, base).await;
        for cookie in person.cookies().split("; ") {
            let (name, value) = cookie.split_once('=').expect("a cookie");
            browser
                .devtools(
                    "Network.setCookie",
                    json!({ "url": base, "name": name, "value": value, "httpOnly": true }),
                )
                .await;
        }
        browser
    }

    /// A command of chromedriver's own.
    pub async fn extension(&self, name: &'static str, body: Value) -> Value {
        self.client
            .issue_cmd(Extension(name, body))
            .await
            .expect("chromedriver knows the command")
    }

    /// A command of the DevTools protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.extension(
            "goog/cdp/execute",
            json!({ "cmd": command, "params": parameters }),
        )
        .await
    }

    /// Opens another tab and is in it from then on. The handle of the one left.
    pub async fn new_tab(&self) -> fantoccini::wd::WindowHandle {
        let before = self.client.window().await.expect("there is a tab");
        let tab = self.client.new_window(true).await.expect("a tab opens");
        self.client
            .switch_to_window(tab.handle)
            .await
            .expect("it can be used");
        before
    }

    /// Goes on in another tab, once it knows that it is looked at.
    pub async fn to_tab(&self, tab: fantoccini::wd::WindowHandle) {
        self.client
            .switch_to_window(tab)
            .await
            .expect("the tab is there");
        // Switching alone only changes who is spoken to.
        self.devtools("Page.bringToFront", json!({})).await;
        self.wait_until("!document.hidden && document.hasFocus()")
            .await;
    }

    /// What the console holds since it was last asked: errors and failures only.
    pub async fn console(&self) -> Vec<String> {
        let entries = self.extension("se/log", json!({ "type": "browser" })).await;
        let entries = entries.as_array().expect("a list").iter();
        entries
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].to_string())
            .collect()
    }

    /// Leaves; fails if the console held an error.
    pub async fn close(self) {
        self.close_expecting(|_| false).await;
    }

    /// Leaves a network that failed; the console may say so and nothing else.
    pub async fn close_after_network_errors(self) {
        self.close_expecting(is_network_error).await;
    }

    /// The same after an upload that was interrupted while it was sent: a piece that was still on
    /// its way may have moved the offset, so the next one is refused with a conflict, after which
    /// the page asks for the offset again.
    pub async fn close_after_interrupted_upload(self) {
        let is_conflict =
            |entry: &str| entry.contains("/uploads/") && entry.contains("status of 409");
        self.close_expecting(|entry| is_network_error(entry) || is_conflict(entry))
            .await;
    }

    /// Leaves; fails if the console held an error that is not expected.
    pub async fn close_expecting(mut self, expected: impl Fn(&str) -> bool) {
        let errors: Vec<_> = self
            .console()
            .await
            .into_iter()
            .filter(|entry| !expected(entry))
            .collect();
        self.client
            .clone()
            .close()
            .await
            .expect("the browser closes");
        self.is_closed = true;
        assert!(errors.is_empty(), "the console says {errors:#?}");
    }
}

pub(super) fn is_network_error(entry: &str) -> bool {
    let lost = [
        "net::ERR_",
        "WebSocket connection to",
        "htmx:ws:error",
        "status of 503",
    ];
    lost.iter().any(|words| entry.contains(words))
}
