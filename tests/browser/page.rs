//! Reading and using the page in a browser. Every wait is for something on the page and ends after
//! [`PATIENCE`].

use std::time::Instant;

use fantoccini::Locator;
use serde_json::{Value, json};

use super::session::Browser;
use crate::support::{PATIENCE, POLL_INTERVAL};

impl Browser {
    async fn try_js(&self, expression: &str) -> Result<Value, fantoccini::error::CmdError> {
        self.client
            .execute(&format!("return ({expression})"), Vec::new())
            .await
    }

    /// Waits until an expression is true on the page; its value then.
    pub async fn until(&self, expression: &str) -> Value {
        let started = Instant::now();
        loop {
            // A page that is just being replaced cannot answer.
            let last = self.try_js(expression).await;
            match &last {
                Ok(Value::Null | Value::Bool(false)) | Err(_) => {}
                Ok(Value::String(text)) if text.is_empty() => {}
                Ok(value) => return value.clone(),
            }
            if started.elapsed() > PATIENCE {
                let text = self
                    .try_js("document.querySelector('main').innerText.slice(-1500)")
                    .await;
                panic!(
                    "not in time: {expression} (last {last:?})\nat {}\n{text:?}\n{:?}",
                    self.path().await,
                    self.console().await
                );
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Waits until something that can be seen fits the selector.
    pub async fn wait_for_visible(&self, css: &str) {
        self.until(&format!(
            "[...document.querySelectorAll({})].some((one) => one.checkVisibility())",
            json!(css)
        ))
        .await;
    }

    /// Waits until nothing that can be seen fits the selector.
    pub async fn wait_for_hidden(&self, css: &str) {
        self.until(&format!(
            "[...document.querySelectorAll({})].every((one) => !one.checkVisibility())",
            json!(css)
        ))
        .await;
    }

    /// Waits until the selected part of the page says this.
    pub async fn wait_for_text(&self, css: &str, text: &str) {
        let (css, text) = (json!(css), json!(text));
        self.until(&format!(
            "[...document.querySelectorAll({css})].some((one) => one.checkVisibility() \
             && one.textContent.includes({text}))"
        ))
        .await;
    }

    /// The text of the first that fits.
    pub async fn text(&self, css: &str) -> String {
        self.until(&format!(
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
                Err(problem) if started.elapsed() > PATIENCE => {
                    panic!("{css} cannot be clicked: {problem}")
                }
                Err(_) => tokio::time::sleep(POLL_INTERVAL).await,
            }
        }
    }

    /// Types into a field.
    pub async fn type_into(&self, css: &str, text: &str) {
        self.wait_for_visible(css).await;
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
        self.wait_for_visible(css).await;
        self.client
            .find(Locator::Css(css))
            .await
            .expect("it is there")
            .clear()
            .await
            .expect("it can be emptied");
        self.type_into(css, text).await;
    }

    /// Writes a message in the open room and sends it.
    pub async fn post_message(&self, text: &str) {
        self.type_into(".compose textarea", text).await;
        self.type_into(".compose textarea", "\u{e007}").await;
    }

    /// The value of an expression on the page.
    pub async fn js(&self, expression: &str) -> Value {
        self.try_js(expression)
            .await
            .unwrap_or_else(|problem| panic!("{expression}: {problem}"))
    }
}
