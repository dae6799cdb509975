//! Times as their readers write them, and the turn of the day.

use serde_json::json;

use super::driver::acquire_browsers;
use super::session::Browser;
use crate::support::TestServer;

impl Browser {
    /// Has the browser ask for pages in a language, from the next page on.
    async fn prefer_language(&self, tag: &str) {
        let agent = self.js("navigator.userAgent").await;
        self.devtools(
            "Emulation.setUserAgentOverride",
            json!({ "userAgent": agent, "acceptLanguage": tag }),
        )
        .await;
    }
}

/// Tags whose hours the browser itself knows.
const TAGS: &str = "['en-US', 'en', 'en-GB', 'en-AU', 'en-IN', 'en-IE', 'en-ZA', 'en-CA', 'de', \
    'de-CH', 'fr', 'fr-CA', 'es', 'es-MX', 'es-419', 'es-CO', 'pt-BR', 'pt-PT', 'it', 'nl', 'sv', \
    'pl', 'ru', 'uk', 'tr', 'el', 'he', 'ar', 'ar-EG', 'ar-MA', 'fa', 'hi', 'bn', 'ta', 'ur', \
    'ja', 'ko', 'zh-CN', 'zh-TW', 'zh-HK', 'zh-Hant', 'th', 'vi', 'id', 'ms', 'fil', 'am', 'sw']";

#[tokio::test]
async fn times_follow_the_language_of_the_reader() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    ann.post("general", "hello").await;
    let browser = Browser::signed_in(&ann, &server.base()).await;
    for (tag, options) in [
        ("en-US", "{ hour: 'numeric', minute: '2-digit' }"),
        ("en-GB", "{ hour: '2-digit', minute: '2-digit' }"),
        ("de-DE", "{ hour: '2-digit', minute: '2-digit' }"),
    ] {
        browser.prefer_language(tag).await;
        browser.open_room(&ann.room("general")).await;
        let expected = format!(
            "new Date(document.querySelector('.msg').dataset.at)\
                .toLocaleTimeString('{tag}', {options}).replace(/\\s/g, ' ')"
        );
        browser
            .wait_until(&format!(
                "document.querySelector('.msg .when time').textContent === {expected}"
            ))
            .await;
    }
    // A setting of the account is stronger than the language.
    browser.go("/account").await;
    browser.wait_text(".row time", "today, ").await;
    browser.click("#f-clock option[value='12']").await;
    browser.click("form:has(#f-clock) .btn").await;
    browser
        .wait_until("document.querySelector('#app').dataset.clock === '12'")
        .await;
    browser.open_room(&ann.room("general")).await;
    browser
        .wait_until(
            "/^\\d+:\\d\\d [AP]M$/.test(document.querySelector('.msg .when time').textContent)",
        )
        .await;
    let wrong = format!(
        "(async () => {{
            const loaded = performance.getEntriesByType('resource').map((entry) => entry.name);
            const {{ countsToTwelve }} = await import(loaded.find((name) => \
                /times[^/]*\\.js/.test(name)));
            window.wrongTags = {TAGS}.filter((tag) => countsToTwelve(tag) !== \
                new Intl.DateTimeFormat(tag, {{ hour: 'numeric' }}).resolvedOptions().hour12);
        }})()"
    );
    browser.js(&format!("({wrong}, true)")).await;
    browser.wait_until("window.wrongTags !== undefined").await;
    assert_eq!(browser.js("window.wrongTags").await, json!([]));
    browser.close().await;
}

/// A clock that a test sets: `setClock(hours, days)` makes it that time of the day that it was at
/// the start, or of a later one.
const CLOCK: &str = "{
    const Real = Date;
    let shift = 0;
    const start = new Real();
    window.setClock = (hours, days = 0) => {
        const wanted = new Real(start).setHours(0, 0, 0, 0) + (days * 24 + hours) * 3600000;
        shift = wanted - Real.now();
    };
    setClock(12);
    window.Date = class extends Real {
        constructor(...given) { given.length ? super(...given) : super(Real.now() + shift); }
        static now() { return Real.now() + shift; }
    };
}";

#[tokio::test]
async fn today_becomes_yesterday_at_midnight() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    ann.post("general", "hello").await;
    let browser = Browser::signed_in(&ann, &server.base()).await;
    browser
        .devtools(
            "Page.addScriptToEvaluateOnNewDocument",
            json!({ "source": CLOCK }),
        )
        .await;
    browser.open_room(&ann.room("general")).await;
    browser.wait_text(".log > .day", "Today").await;
    // The page has been away, and is back half a second before midnight.
    let wake = "document.dispatchEvent(new Event('visibilitychange')), true";
    browser
        .js(&format!("(setClock(24 - 0.5 / 3600), {wake})"))
        .await;
    browser.wait_text(".log > .day", "Yesterday").await;
    // The computer slept for a day.
    browser.js(&format!("(setClock(1, 2), {wake})")).await;
    browser
        .wait_until(
            "/^(Sun|Mon|Tues|Wednes|Thurs|Fri|Satur)day, /.test(\
                document.querySelector('.log > .day').textContent)",
        )
        .await;
    browser.close().await;
}
