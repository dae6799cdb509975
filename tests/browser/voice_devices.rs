//! What people choose for voice on their device: the page of devices, and what a call makes of it.
//! The fake microphone beeps once a second, at about -10 dB.

use super::driver::acquire_browsers;
use super::pages::assert_accessible;
use super::session::{Browser, Kind};
use super::voice_rooms::lounge;
use crate::support::TestServer;

impl Browser {
    /// Chooses something for voice, as if on the page of devices in another tab.
    async fn prefer(&self, changes: &str) {
        self.js(&format!(
            "import(document.querySelector('script[src*=\"js/voice.js\"]').src\
                .replace('voice.js', 'voice/preferences.js'))\
                .then((module) => module.changePreferences({changes}))"
        ))
        .await;
    }

    /// Holds a key of the keyboard, or lets it go.
    async fn hold_key(&self, code: &str, is_down: bool) {
        let kind = if is_down { "keydown" } else { "keyup" };
        self.js(&format!(
            "document.body.dispatchEvent(new KeyboardEvent('{kind}', \
                {{ code: '{code}', bubbles: true, cancelable: true }}))"
        ))
        .await;
    }

    /// Waits until a second has passed in which nothing was heard on the first line.
    async fn hears_nothing(&self) {
        self.js("window.before = { energy: voice.sounds[0].energy, at: performance.now() }")
            .await;
        self.wait_until(
            "(() => { const { energy, at } = voice.sounds[0]; \
                if (energy - before.energy > 0.01) window.before = { energy, at }; \
                return at - before.at > 1600; })()",
        )
        .await;
    }
}

#[tokio::test]
async fn devices_page_meters_the_voice_and_tests_the_connection() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let page = Browser::signed_in(&ann, &server.base()).await;
    page.go("/account/voice").await;
    page.wait_visible("[data-do=listen]").await;
    assert_accessible(&page, "the page of devices", &["light", "dark"]).await;
    // The browser has three fake microphones; the system's choice comes first.
    page.wait_until("document.querySelector('#f-microphone').options.length > 1")
        .await;
    let level = "Number(document.querySelector('.voice-meter').ariaValueNow)";
    page.click("[data-do=listen]").await;
    page.wait_until(&format!("{level} > -40")).await;
    page.wait_visible(".voice-meter[data-open]").await;
    // Only what is louder than the threshold: nothing is, at 0 dB.
    page.click("input[value=gate]").await;
    page.wait_visible("#f-threshold").await;
    page.prefer("{ threshold: 0 }").await;
    page.wait_hidden(".voice-meter[data-open]").await;
    let count = "(() => { window.at = performance.now(); window.opened = 0; \
        setInterval(() => opened += document.querySelectorAll('.voice-meter[data-open]').length, 20); })()";
    page.js(count).await;
    page.wait_until("performance.now() - at > 1500").await;
    assert_eq!(page.js("opened").await, 0);
    page.prefer("{ threshold: -50 }").await;
    page.wait_visible(".voice-meter[data-open]").await;
    // RNNoise runs: it says nothing of a fault, and the sound goes on.
    page.prefer("{ noise: 'rnnoise', mode: 'open' }").await;
    page.wait_until(&format!("{level} > -60")).await;
    page.wait_hidden("[data-problem]").await;
    page.click("[data-do=listen]").await;
    page.wait_until("document.querySelector('[data-do=listen]').ariaPressed === 'false'")
        .await;
    page.click("[data-do=preview]").await;
    page.wait_until("document.querySelector('.voice-preview').videoWidth > 0")
        .await;
    page.click("[data-do=test]").await;
    page.wait_until("document.querySelector('[data-result]').dataset.way === 'udp'")
        .await;
    page.wait_text("[data-result]", "Round trip").await;
    // What was chosen is still chosen after a reload.
    page.reload().await;
    page.wait_until("document.querySelector('#f-noise').value === 'rnnoise'")
        .await;
    page.close().await;
}

#[tokio::test]
async fn connection_test_without_udp_says_tcp() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let kind = Kind {
        without_udp: true,
        ..Kind::default()
    };
    let page = Browser::signed_in_as(kind, &ann, &server.base()).await;
    page.go("/account/voice").await;
    page.click("[data-do=test]").await;
    page.wait_until("document.querySelector('[data-result]').dataset.way === 'tcp'")
        .await;
    page.wait_text("[data-result]", "UDP port").await;
    page.close().await;
}

#[tokio::test]
async fn call_follows_push_to_talk_threshold_and_volume() {
    let _browsers = acquire_browsers(2).await;
    let lounge = lounge(&["Ann", "Bob"]).await;
    let (ann, bob) = (&lounge.browsers[0], &lounge.browsers[1]);
    bob.hears(1).await;
    // Push-to-talk: heard while the key is held, or the button is.
    ann.prefer("{ mode: 'key', key: 'F9' }").await;
    ann.wait_text("#voice-bar .hold-to-talk", "F9").await;
    bob.hears_nothing().await;
    ann.hold_key("F9", true).await;
    bob.hears(1).await;
    ann.hold_key("F9", false).await;
    bob.hears_nothing().await;
    // A gate that opens for nothing, and one that opens for the beep.
    ann.prefer("{ mode: 'gate', threshold: 0 }").await;
    ann.wait_hidden("#voice-bar .hold-to-talk").await;
    bob.hears_nothing().await;
    ann.prefer("{ threshold: -50 }").await;
    bob.hears(1).await;
    // Who talks while muted is told. A beep is too short for that, as a key that is typed is.
    ann.js(
        "(() => { const context = new AudioContext(); const tone = new OscillatorNode(context); \
            const output = context.createMediaStreamDestination(); tone.connect(output); tone.start(); \
            navigator.mediaDevices.getUserMedia = async () => output.stream; })()",
    )
    .await;
    ann.prefer("{ echo: false }").await;
    ann.click("#voice-bar [data-do=mute]").await;
    ann.wait_text("#voice-bar .problem", "You are muted").await;
    ann.click("#voice-bar [data-do=mute]").await;
    bob.hears(1).await;
    // How loud somebody is heard is remembered.
    bob.click("#voice-bar .volumes summary").await;
    bob.wait_visible("#voice-bar .volumes input").await;
    let turn_down = "(() => { const slider = document.querySelector('#voice-bar .volumes input'); \
        slider.value = 25; slider.dispatchEvent(new Event('input', { bubbles: true })); })()";
    bob.js(turn_down).await;
    let quiet = "[...document.querySelectorAll('#voice-bar audio')]\
        .some(({ volume }) => Math.abs(volume - 0.25) < 0.01)";
    bob.wait_until(quiet).await;
    bob.reload().await;
    bob.wait_connected().await;
    bob.wait_until(quiet).await;
    for browser in lounge.browsers {
        browser.close().await;
    }
}
