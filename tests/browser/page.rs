//! What a person does on a page and sees there. Every wait is for something on the page and ends
//! after [`WAIT_TIMEOUT`].

use std::time::{Duration, Instant};

use fantoccini::Locator;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::session::Browser;
use crate::support::WAIT_TIMEOUT;

/// Between two looks at a page: long enough for the browser to do something.
const POLL_INTERVAL: Duration = Duration::from_millis(25);

impl Browser {
    /// Opens an address of the server.
    pub async fn go(&self, path: &str) {
        self.client
            .goto(&format!("{}{path}", self.base))
            .await
            .expect("the page loads");
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.client.refresh().await.expect("the page loads");
    }

    /// Path and what follows it in the address bar.
    pub async fn path(&self) -> String {
        let url = self
            .client
            .current_url()
            .await
            .expect("there is an address");
        url.as_str()
            .strip_prefix(&self.base)
            .unwrap_or(url.as_str())
            .to_owned()
    }

    /// The value of an expression on the page.
    pub async fn js(&self, expression: &str) -> Value {
        self.try_js(expression)
            .await
            .unwrap_or_else(|problem| panic!("{expression}: {problem}"))
    }

    async fn try_js(&self, expression: &str) -> Result<Value, fantoccini::error::CmdError> {
        self.client
            .execute(&format!("return ({expression})"), Vec::new())
            .await
    }

    /// Waits until an expression is true on the page; its value then.
    pub async fn wait_until(&self, expression: &str) -> Value {
        let started = Instant::now();
        loop {
            // A page that is just being replaced cannot answer.
            let last = self.try_js(expression).await;
            match &last {
                Ok(Value::Null | Value::Bool(false)) | Err(_) => {}
                Ok(Value::String(text)) if text.is_empty() => {}
                Ok(value) => return value.clone(),
            }
            if started.elapsed() > WAIT_TIMEOUT {
                let text = self
                    .try_js("document.querySelector('main').innerText.slice(-1500)")
                    .await;
                panic!(
                    "not in time: {expression} (last {last:?})\nat {}\n{text:?}\n{:?}",
                    self.path().await,
                    self.console().await
                );
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Waits until something that can be seen fits the selector.
    pub async fn wait_visible(&self, css: &str) {
        self.wait_until(&format!(
            "[...document.querySelectorAll({})].some((one) => one.checkVisibility())",
            json!(css)
        ))
        .await;
    }

    /// Waits until nothing that can be seen fits the selector.
    pub async fn wait_hidden(&self, css: &str) {
        self.wait_until(&format!(
            "[...document.querySelectorAll({})].every((one) => !one.checkVisibility())",
            json!(css)
        ))
        .await;
    }

    /// Waits until the selected part of the page says this.
    pub async fn wait_text(&self, css: &str, text: &str) {
        let (css, text) = (json!(css), json!(text));
        self.wait_until(&format!(
            "[...document.querySelectorAll({css})].some((one) => one.checkVisibility() && \
                one.textContent.includes({text}))"
        ))
        .await;
    }

    /// The text of the first that fits.
    pub async fn text(&self, css: &str) -> String {
        self.wait_until(&format!(
            "document.querySelector({})?.textContent.trim()",
            json!(css)
        ))
        .await
        .as_str()
        .unwrap_or_default()
        .to_owned()
    }

    /// How many fit.
    pub async fn count(&self, css: &str) -> u64 {
        self.js(&format!("document.querySelectorAll({}).length", json!(css)))
            .await
            .as_u64()
            .expect("a number")
    }

    /// Clicks where a hand would, as soon as it can be clicked.
    pub async fn click(&self, css: &str) {
        let started = Instant::now();
        loop {
            let clicked = match self.client.find(Locator::Css(css)).await {
                Ok(element) => element.click().await,
                Err(problem) => Err(problem),
            };
            match clicked {
                Ok(()) => return,
                Err(problem) if started.elapsed() > WAIT_TIMEOUT => {
                    panic!("{css} cannot be clicked: {problem}")
                }
                Err(_) => sleep(POLL_INTERVAL).await,
            }
        }
    }

    /// Types into a field.
    pub async fn type_into(&self, css: &str, text: &str) {
        self.wait_visible(css).await;
        self.client
            .find(Locator::Css(css))
            .await
            .expect("it is there")
            .send_keys(text)
            .await
            .expect("it takes text");
    }

    /// Empties a field and types into it.
    pub async fn fill(&self, css: &str, text: &str) {
        self.wait_visible(css).await;
        self.client
            .find(Locator::Css(css))
            .await
            .expect("it is there")
            .clear()
            .await
            .expect("it can be emptied");
        self.type_into(css, text).await;
    }

    /// Presses a key together with Ctrl, wherever the focus is.
    pub async fn press_with_ctrl(&self, key: &str) {
        let value = key.chars().next().expect("a key");
        let (down, up) = (
            |value| KeyAction::Down { value },
            |value| KeyAction::Up { value },
        );
        let keys = KeyActions::new("keys".into())
            .then(down('\u{e009}'))
            .then(down(value))
            .then(up(value))
            .then(up('\u{e009}'));
        let done = self.client.perform_actions(keys).await;
        done.expect("the key is pressed");
    }

    /// Writes a message in the open room and sends it.
    pub async fn send_message(&self, text: &str) {
        self.type_into(".compose textarea", text).await;
        self.type_into(".compose textarea", "\u{e007}").await;
    }
}
