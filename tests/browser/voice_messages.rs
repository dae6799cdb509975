//! Voice messages: recorded in the page, listened to, sent and played, with the browser's own fake
//! microphone, which beeps once a second.

use serde_json::json;

use super::driver::acquire_browsers;
use super::pages::assert_accessible;
use super::session::{Browser, Kind};
use super::two_people;
use crate::support::{Person, TestServer, new_key};

const ESCAPE: &str = "\u{e00c}";
const END: &str = "\u{e010}";
const HOME: &str = "\u{e011}";
const LEFT: &str = "\u{e012}";
const RIGHT: &str = "\u{e014}";

/// Sound that begins as what a browser records; it is not played.
fn sound() -> Vec<u8> {
    let head = b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\
        \xff\xff\x16\x54\xae\x6b\x85\xae\x83\x83\x81\x02";
    [&head[..], &[0; 256]].concat()
}

/// Posts a voice message of 14 seconds in the first room.
pub(super) async fn post_voice(person: &Person) {
    let file = person.attach("general", "voice.webm", &sound()).await;
    let fields = json!({ "room": person.room("general"), "key": new_key(), "files": [file],
        "voices": ["14200 00ff7f"] });
    person.act("chat.post", fields).await.done();
}

/// Keeps what pages record and play where a test finds it: `microphones` and `sound`.
const SPY: &str = "window.microphones = []; \
    const { mediaDevices } = navigator, ask = mediaDevices?.getUserMedia; \
    if (ask) mediaDevices.getUserMedia = async (wanted) => { \
        const stream = await ask.call(mediaDevices, wanted); \
        window.microphones.push(...stream.getTracks()); return stream; }; \
    const Sound = window.Audio; \
    window.Audio = function () { return window.sound = new Sound(); };";

const RELEASED: &str =
    "microphones.length > 0 && microphones.every((one) => one.readyState === 'ended')";
const POSTED: &str = ".region .msg:not([data-pending]) .player";

impl Browser {
    async fn watch_sound(&self) {
        let script = json!({ "source": SPY });
        self.devtools("Page.addScriptToEvaluateOnNewDocument", script)
            .await;
    }

    /// Records for some seconds.
    async fn record(&self, seconds: u32) {
        self.click("[data-record]").await;
        self.wait_recorded(seconds).await;
    }

    async fn wait_recorded(&self, seconds: u32) {
        self.wait_until(&format!(
            "Number(document.querySelector('.recorder .live .time')?.textContent.slice(2)) >= \
                {seconds}"
        ))
        .await;
    }

    /// Waits until more than this part, in percent, of a voice message was played.
    async fn wait_played(&self, percent: u32) {
        self.wait_until(&format!(
            "parseFloat(document.querySelector('{POSTED} .wave').style\
                .getPropertyValue('--played')) > {percent}"
        ))
        .await;
    }

    async fn press_on_wave(&self, key: &str, shown: &str) {
        self.type_into(&format!("{POSTED} .wave"), key).await;
        self.wait_until(&format!(
            "document.querySelector('{POSTED} .wave').ariaValueText === '{shown}'"
        ))
        .await;
    }

    async fn number(&self, expression: &str) -> f64 {
        let value = self.js(expression).await;
        value
            .as_f64()
            .unwrap_or_else(|| panic!("{expression} is {value}"))
    }
}

#[tokio::test]
async fn voice_message_is_recorded_sent_and_played() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (page, other) = (&people.ann_browser, &people.bob_browser);
    for one in [page, other] {
        one.watch_sound().await;
        one.reload().await;
        one.wait_live().await;
    }
    page.type_into(".compose textarea", "half a thought").await;
    page.record(2).await;
    page.wait_hidden(".compose textarea").await;
    page.wait_text(".recorder .state", "10 minutes at most")
        .await;
    // The beep is seen: some bar is not flat.
    page.wait_until("/v(1\\d|2\\d)/.test(document.querySelector('.level path').getAttribute('d'))")
        .await;
    page.click(".recorder [data-do=pause]").await;
    page.wait_visible(".recorder[data-paused]").await;
    page.click(".recorder [data-do=resume]").await;
    page.wait_recorded(4).await;
    assert_accessible(page, "a recording", &["light", "dark"]).await;
    page.click(".recorder [data-do=stop]").await;
    page.wait_visible(".recorder .player").await;
    page.wait_until(RELEASED).await;
    // Heard before it is sent.
    page.click(".recorder .player .play").await;
    page.wait_until("sound.currentTime > 0.5").await;
    page.click(".recorder [data-do=send]").await;
    page.wait_visible(POSTED).await;
    page.wait_hidden(".recorder").await;
    page.wait_hidden(".tray").await;
    assert_eq!(
        page.js("document.querySelector('.compose textarea').value")
            .await,
        "half a thought"
    );
    // The other one sees and hears it.
    other.wait_visible(POSTED).await;
    let length = other
        .number(&format!(
            "Number(document.querySelector('{POSTED}').dataset.duration)"
        ))
        .await;
    assert!((3_000.0..30_000.0).contains(&length), "{length} ms");
    let path = format!("document.querySelector('{POSTED} .wave path').getAttribute('d')");
    let bars = other.js(&format!("{path}.split('M').length - 1")).await;
    assert_eq!(bars, 64);
    assert_eq!(other.js(&format!("/v2\\d/.test({path})")).await, true);
    assert_accessible(other, "a voice message", &["light", "dark"]).await;
    other.click(&format!("{POSTED} .play")).await;
    other.wait_played(10).await;
    // Frames change the log and the message itself, and it plays on.
    let message = other
        .js(&format!(
            "document.querySelector('{POSTED}').closest('.msg').id.slice(2)"
        ))
        .await;
    let fields = json!({ "message": message, "emoji": "👍" });
    people.ann.act("chat.react", fields).await.done();
    other.wait_visible(".msg .reaction").await;
    people.ann.post("general", "and on").await;
    other.wait_message("and on").await;
    let at = other.number("sound.currentTime").await;
    other
        .wait_until(&format!(
            "(sound.currentTime > {at} && !sound.paused) || sound.ended || sound.currentTime < 1"
        ))
        .await;
    // At another speed, which stays.
    other.click(&format!("{POSTED} .speed")).await;
    other.wait_text(&format!("{POSTED} .speed"), "1.5×").await;
    assert_eq!(other.js("sound.playbackRate").await, 1.5);
    other.reload().await;
    other.wait_live().await;
    other.wait_text(&format!("{POSTED} .speed"), "1.5×").await;
    // By keys, before anything was played.
    let all = other.text(&format!("{POSTED} .time")).await;
    other.press_on_wave(END, &format!("{all} of {all}")).await;
    other.press_on_wave(HOME, &format!("0:00 of {all}")).await;
    // As long as the machine had it take.
    let step = (length / 4000.0).min(5.0);
    let moved = format!("0:{:02} of {all}", step.round());
    other.press_on_wave(RIGHT, &moved).await;
    other.press_on_wave(LEFT, &format!("0:00 of {all}")).await;
    other.press_on_wave(RIGHT, &moved).await;
    let reached = format!("Math.abs(sound.currentTime - {step}) < 0.3");
    other
        .wait_until(&format!("sound.duration < 1e6 && {reached}"))
        .await;
    other.press_on_wave(END, &format!("{all} of {all}")).await;
    other.press_on_wave(HOME, &format!("0:00 of {all}")).await;
    other.type_into(&format!("{POSTED} .wave"), " ").await;
    other.wait_visible(&format!("{POSTED}[data-playing]")).await;
    assert_eq!(other.js("sound.playbackRate").await, 1.5);
    // And by a click, where the pointer is.
    let middle = format!(
        "(() => {{ const wave = document.querySelector('{POSTED} .wave'), \
            box = wave.getBoundingClientRect(); \
            wave.dispatchEvent(new PointerEvent('pointerdown', {{ bubbles: true, button: 0, \
                clientX: box.left + box.width * 0.75, clientY: box.top + 5 }})); \
            dispatchEvent(new PointerEvent('pointerup')); return true; }})()"
    );
    other.js(&middle).await;
    other
        .wait_until(&format!("sound.currentTime >= {}", length * 0.7 / 1000.0))
        .await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn discarded_recording_releases_the_microphone() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    ann.create_room("elsewhere").await;
    let page = Browser::signed_in(&ann, &server.base()).await;
    page.watch_sound().await;
    page.open_room(&ann.room("general")).await;
    page.record(1).await;
    page.type_into(".recorder [data-do=stop]", ESCAPE).await;
    page.wait_hidden(".recorder").await;
    page.wait_until(RELEASED).await;
    page.wait_until("document.activeElement.matches('[data-record]')")
        .await;
    page.wait_visible(".compose textarea").await;
    // What is longer is not lost by one key, and ends by itself at the limit.
    let later = async |time: u32| {
        let script = format!(
            "(() => {{ const now = performance.now.bind(performance); \
                performance.now = () => now() + {time}; return true; }})()"
        );
        page.js(&script).await;
    };
    page.record(1).await;
    later(20_000).await;
    page.wait_recorded(20).await;
    page.type_into(".recorder [data-do=stop]", ESCAPE).await;
    page.wait_text(".recorder .state", "once more").await;
    page.wait_visible(".recorder .player").await;
    page.wait_until(RELEASED).await;
    page.type_into(".recorder .play", ESCAPE).await;
    page.wait_hidden(".recorder").await;
    page.record(1).await;
    later(600_000).await;
    page.wait_visible(".recorder .player").await;
    page.wait_text(".recorder .state", "more is not possible")
        .await;
    page.wait_until(RELEASED).await;
    page.click(".recorder [data-do=cancel]").await;
    page.wait_hidden(".recorder").await;
    // Leaving the room keeps what was recorded, among the files of its next message.
    page.record(1).await;
    page.click(&format!(".side a[href='/rooms/{}']", ann.room("elsewhere")))
        .await;
    page.wait_text("main h1", "elsewhere").await;
    page.wait_until(RELEASED).await;
    page.click(&format!(".side a[href='/rooms/{}']", ann.room("general")))
        .await;
    page.wait_visible(".upload[data-state=ready]").await;
    page.wait_text(".upload .name", "Voice message").await;
    page.send_message("from before").await;
    page.wait_visible(POSTED).await;
    page.wait_message("from before").await;
    // Without a microphone, or the right to use it, it is said what to do.
    for (name, words) in [
        ("NotAllowedError", "Allow it"),
        ("NotFoundError", "No microphone"),
        ("NotReadableError", "Another program"),
    ] {
        page.js(&format!(
            "(navigator.mediaDevices.getUserMedia = async () => {{ \
                throw new DOMException('', '{name}'); }}, true)"
        ))
        .await;
        page.click("[data-record]").await;
        page.wait_text(".compose .error", words).await;
        assert_eq!(page.count(".recorder").await, 0);
    }
    page.close().await;
}

#[tokio::test]
async fn voice_message_is_played_without_scripts() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    post_voice(&ann).await;
    let kind = Kind {
        without_scripts: true,
        ..Kind::default()
    };
    let page = Browser::signed_in_as(kind, &ann, &server.base()).await;
    page.go(&format!("/rooms/{}", ann.room("general"))).await;
    page.wait_visible(".msg audio[controls]").await;
    page.wait_visible(".msg .player .wave path").await;
    page.wait_text(".msg .player .time", "0:14").await;
    page.wait_hidden(".msg .player button").await;
    page.wait_hidden("[data-record]").await;
    page.close().await;
}
