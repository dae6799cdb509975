//! Voice rooms: browsers with a fake microphone, which beeps once a second, and a fake camera talk
//! through the server.

use std::time::Duration;

use serde_json::json;

use super::driver::acquire_browsers;
use super::pages::assert_accessible;
use super::session::{Browser, Kind, is_network_error};
use crate::support::{Person, TestServer};

/// Watches the page's connection: `voice` has, for each line in order, what came on it. What the
/// server sends to try how much gets through has no source (its SSRC is 0), and is no media.
const SPY: &str = "const Peer = window.RTCPeerConnection; window.voice = { sounds: [], pictures: [] }; \
    window.RTCPeerConnection = class extends Peer { \
        constructor(...all) { super(...all); window.voice.peer = this; } }; \
    setInterval(async () => { \
        const { voice } = window; \
        const stats = await voice.peer?.getStats(); \
        if (!stats) return; \
        const all = [...stats.values()]; \
        const lines = (kind) => all.filter((one) => one.type === 'inbound-rtp' && one.kind === kind && one.ssrc) \
            .sort((one, other) => Number(one.mid) - Number(other.mid)); \
        voice.sounds = lines('audio').map((one) => ({ energy: one.totalAudioEnergy ?? 0, \
            packets: one.packetsReceived, lost: one.packetsLost, at: performance.now() })); \
        voice.pictures = lines('video').map((one) => ({ frames: one.framesDecoded ?? 0, \
            width: one.frameWidth, height: one.frameHeight })); \
        const transport = all.find((one) => one.type === 'transport'); \
        const pair = stats.get(transport?.selectedCandidatePairId); \
        voice.way = stats.get(pair?.localCandidateId)?.protocol; }, 100);";

/// A beep of the fake microphone adds about this.
const BEEP: f64 = 0.05;

impl Browser {
    pub(super) async fn watch_voice(&self) {
        let script = json!({ "source": SPY });
        self.devtools("Page.addScriptToEvaluateOnNewDocument", script)
            .await;
    }

    pub(super) async fn join_voice(&self, room: &str) {
        self.open_room(room).await;
        self.click("[data-voice-join]").await;
        self.wait_connected().await;
    }

    pub(super) async fn wait_connected(&self) {
        self.wait_until("document.querySelector('#voice-bar')?.dataset.state === 'connected'")
            .await;
    }

    /// Waits until two further beeps came on each of the first lines.
    pub(super) async fn hears(&self, lines: usize) {
        self.js("window.before = structuredClone(voice.sounds)")
            .await;
        self.wait_until(&format!(
            "Array.from({{ length: {lines} }}, (_, line) => (voice.sounds[line]?.energy ?? 0) - \
                (before[line]?.energy ?? 0)).every((more) => more > {})",
            2.0 * BEEP
        ))
        .await;
    }

    /// Packets that came on a line so far.
    pub(super) async fn packets(&self, line: usize) -> f64 {
        let packets = self
            .js(&format!("voice.sounds[{line}]?.packets ?? 0"))
            .await;
        packets.as_f64().expect("a number")
    }

    /// Waits until the samples are newer than now.
    pub(super) async fn wait_for_new_sample(&self) {
        self.js("window.asked = performance.now()").await;
        self.wait_until("voice.sounds[0]?.at > asked + 300").await;
    }
}

async fn voice_room(server: &TestServer, owner: &Person) -> String {
    let fields = json!({ "space": owner.space, "name": "Lounge", "kind": "voice" });
    let made = owner.act("community.create-room", fields).await;
    assert!(server.instances() > 0);
    made.done()["room"].as_str().expect("a room").to_owned()
}

pub(super) struct Lounge {
    pub(super) server: TestServer,
    pub(super) room: String,
    pub(super) people: Vec<Person>,
    pub(super) browsers: Vec<Browser>,
}

/// People inside a voice room; the first owns the space.
pub(super) async fn lounge(names: &[&str]) -> Lounge {
    let server = TestServer::start().await;
    let mut people = vec![server.owner(names[0]).await];
    for name in &names[1..] {
        people.push(server.member(name).await);
    }
    let room = voice_room(&server, &people[0]).await;
    let base = server.base();
    let mut browsers = Vec::new();
    for person in &people {
        let browser = Browser::signed_in(person, &base).await;
        browser.watch_voice().await;
        browser.join_voice(&room).await;
        browsers.push(browser);
    }
    Lounge {
        server,
        room,
        people,
        browsers,
    }
}

pub(super) fn is_refused_request(entry: &str) -> bool {
    entry.contains("/act/voice.") || entry.contains("Failed to load resource")
}

#[tokio::test]
async fn three_people_hear_one_another_and_everybody_sees_them() {
    let _browsers = acquire_browsers(4).await;
    let Lounge {
        server,
        room,
        people: _people,
        browsers,
    } = lounge(&["Ann", "Bob", "Cy"]).await;
    for browser in &browsers {
        browser.hears(2).await;
    }
    // Who is not inside sees who is, with every page, and who speaks.
    let dan = server.member("Dan").await;
    let outside = Browser::signed_in(&dan, &server.base()).await;
    outside.open_room(&dan.room("general")).await;
    outside
        .wait_until(&format!(
            "document.querySelectorAll('.side #voice-side-{room} [data-participant]').length === 3"
        ))
        .await;
    outside
        .wait_visible(".side [data-participant][data-is-speaking]")
        .await;
    assert_accessible(&outside, "beside a voice room", &["light", "dark"]).await;
    assert_accessible(&browsers[0], "in a voice room", &["light", "dark"]).await;
    let (ann, bob) = (&browsers[0], &browsers[1]);
    // Muted in the media, and drawn.
    bob.click("#voice-bar [data-do=mute]").await;
    outside
        .wait_text(&format!("#voice-side-{room} [data-muted]"), "Bob")
        .await;
    ann.wait_for_new_sample().await;
    let before = ann.packets(0).await;
    ann.js("window.before = structuredClone(voice.sounds)")
        .await;
    ann.wait_until(&format!(
        "voice.sounds[1].energy - before[1].energy > {}",
        2.0 * BEEP
    ))
    .await;
    let after = ann.packets(0).await;
    assert!((before - after).abs() < 0.5, "{before} {after}");
    bob.click("#voice-bar [data-do=mute]").await;
    ann.hears(2).await;
    // Who is deafened gets nothing, and is not heard.
    ann.click("#voice-bar [data-do=deafen]").await;
    outside
        .wait_text(&format!("#voice-side-{room} [data-deafened]"), "Ann")
        .await;
    ann.wait_for_new_sample().await;
    let before = (ann.packets(0).await, ann.packets(1).await);
    ann.wait_for_new_sample().await;
    ann.wait_for_new_sample().await;
    assert_eq!(before, (ann.packets(0).await, ann.packets(1).await));
    ann.click("#voice-bar [data-do=deafen]").await;
    ann.hears(2).await;
    // The call goes on while one browses, and leaving ends it.
    ann.click(".side a[data-room]:not([aria-current])").await;
    ann.hears(2).await;
    ann.click("#voice-bar [data-do=leave]").await;
    ann.wait_hidden("#voice-bar").await;
    outside
        .wait_until(&format!(
            "document.querySelectorAll('.side #voice-side-{room} [data-participant]').length === 2"
        ))
        .await;
    outside.close().await;
    for browser in browsers {
        browser.close().await;
    }
}

#[tokio::test]
async fn reload_and_restart_of_the_server_go_on_with_the_call() {
    let _browsers = acquire_browsers(2).await;
    let mut lounge = lounge(&["Ann", "Bob"]).await;
    let (ann, bob) = (&lounge.browsers[0], &lounge.browsers[1]);
    bob.hears(1).await;
    ann.reload().await;
    ann.wait_connected().await;
    ann.hears(1).await;
    bob.hears(1).await;
    bob.click("#voice-bar [data-do=mute]").await;
    lounge.server.restart().await;
    let started = std::time::Instant::now();
    bob.hears(1).await;
    tracing_time("heard again", started.elapsed());
    // Who was muted still is.
    bob.wait_until("document.querySelector('#voice-bar [data-do=mute]').ariaPressed === 'true'")
        .await;
    for browser in lounge.browsers {
        let expected = |entry: &str| is_network_error(entry) || is_refused_request(entry);
        browser.close_expecting(expected).await;
    }
}

fn tracing_time(what: &str, time: Duration) {
    println!("{what} after {} ms", time.as_millis());
}

#[tokio::test]
async fn who_is_taken_out_or_loses_the_right_hears_nothing_and_stays_out() {
    let _browsers = acquire_browsers(3).await;
    let lounge = lounge(&["Ann", "Bob", "Cy"]).await;
    let [ann, bob, cy] = &lounge.browsers[..] else {
        unreachable!()
    };
    ann.hears(2).await;
    let room = &lounge.room;
    let id_of = |name: &str| {
        format!(
            "document.querySelector('#voice-call-{room} [data-name={name}]').dataset.participant"
        )
    };
    let participant = ann.js(&id_of("Bob")).await;
    let fields = json!({ "room": room, "participant": participant });
    let owner = &lounge.people[0];
    let refused = lounge.people[2].act("voice.disconnect", fields).await;
    assert_eq!(refused.code(), "forbidden");
    // Who may do it sees the button, and nobody at their own entry.
    let buttons = |name: &str| format!("#voice-room-{room} [data-name={name}] .move-others button");
    bob.wait_hidden(&buttons("Cy")).await;
    ann.wait_hidden(&buttons("Ann")).await;
    ann.js("window.stays = true").await;
    ann.click(&buttons("Bob")).await;
    bob.wait_until("['closed', 'failed'].includes(voice.peer.connectionState)")
        .await;
    bob.wait_hidden("#voice-bar").await;
    bob.wait_text(".note-line", "taken out").await;
    ann.wait_until(&format!(
        "document.querySelectorAll('#voice-call-{room} [data-participant]').length === 2"
    ))
    .await;
    // Whoever takes somebody out stays in the call, and on the page.
    assert_eq!(ann.js("window.stays").await, true);
    // Muted by a moderator: not heard, and does not change that.
    let participant = ann.js(&id_of("Cy")).await;
    let fields = json!({ "room": room, "participant": participant, "silenced": "yes" });
    owner.act("voice.silence", fields).await.done();
    ann.wait_visible(&format!("#voice-side-{room} [data-silenced]"))
        .await;
    ann.wait_for_new_sample().await;
    let before = [ann.packets(0).await, ann.packets(1).await];
    ann.wait_for_new_sample().await;
    ann.wait_for_new_sample().await;
    assert_eq!(before, [ann.packets(0).await, ann.packets(1).await]);
    // Removed from the space: out within a second.
    let fields = json!({ "space": owner.space, "account": lounge.people[2].id });
    owner.act("community.remove-member", fields).await.done();
    cy.wait_until("location.pathname.endsWith('/closed')").await;
    let people = "tidepool_voice_people";
    lounge
        .server
        .metric_reaches(people, |count| count == 1.0)
        .await;
    let log = owner.page(&format!("/spaces/{}/audit", owner.space)).await;
    assert!(
        log.contains("Took out of voice") && log.contains("Muted in voice"),
        "{log}"
    );
    for browser in lounge.browsers {
        browser.close_expecting(is_refused_request).await;
    }
}

#[tokio::test]
async fn camera_and_screen_are_seen_in_the_size_they_are_shown() {
    let _browsers = acquire_browsers(2).await;
    let lounge = lounge(&["Ann", "Bob"]).await;
    let (ann, bob) = (&lounge.browsers[0], &lounge.browsers[1]);
    ann.click("#voice-bar [data-do=camera]").await;
    bob.wait_until("voice.pictures[0]?.frames > 10").await;
    let small = bob.js("voice.pictures[0].width").await;
    bob.click("#voice-bar .stage figure").await;
    bob.wait_until(&format!("voice.pictures[0].width > {small}"))
        .await;
    bob.click("#voice-bar .stage figure").await;
    ann.click("#voice-bar [data-do=camera]").await;
    bob.wait_hidden("#voice-bar .stage").await;
    // A screen, with what it plays.
    ann.click("#voice-bar [data-do=share]").await;
    bob.wait_text("#voice-bar figcaption", "Screen of Ann")
        .await;
    bob.wait_visible(".side .voice-people .live").await;
    bob.wait_until("voice.pictures.some((one) => one.frames > 5 && one.width >= 320)")
        .await;
    ann.click("#voice-bar [data-do=share]").await;
    bob.wait_hidden("#voice-bar .stage").await;
    // On again, on the same line.
    ann.click("#voice-bar [data-do=camera]").await;
    bob.js("window.before = voice.pictures[0].frames").await;
    bob.wait_until("voice.pictures[0].frames > before + 10")
        .await;
    for browser in lounge.browsers {
        browser.close().await;
    }
}

#[tokio::test]
async fn network_without_udp_is_served_over_tcp() {
    let _browsers = acquire_browsers(2).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let bob = server.member("Bob").await;
    let room = voice_room(&server, &ann).await;
    let base = server.base();
    let kind = Kind {
        without_udp: true,
        ..Kind::default()
    };
    let tcp = Browser::signed_in_as(kind, &ann, &base).await;
    let udp = Browser::signed_in(&bob, &base).await;
    for browser in [&tcp, &udp] {
        browser.watch_voice().await;
        browser.join_voice(&room).await;
    }
    tcp.hears(1).await;
    udp.hears(1).await;
    assert_eq!(tcp.js("voice.way").await, "tcp");
    assert_eq!(udp.js("voice.way").await, "udp");
    tcp.close().await;
    udp.close().await;
}

#[tokio::test]
async fn phone_keeps_the_composer_in_view_and_pages_without_scripts_say_who_is_inside() {
    let _browsers = acquire_browsers(2).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let room = voice_room(&server, &ann).await;
    let base = server.base();
    let kind = Kind {
        phone: true,
        ..Kind::default()
    };
    let phone = Browser::signed_in_as(kind, &ann, &base).await;
    phone.watch_voice().await;
    phone.join_voice(&room).await;
    phone
        .wait_until(
            "document.querySelector('.compose').getBoundingClientRect().bottom <= \
                document.querySelector('#voice-bar').getBoundingClientRect().top + 1",
        )
        .await;
    assert_accessible(&phone, "voice on a phone", &["light"]).await;
    let kind = Kind {
        without_scripts: true,
        ..Kind::default()
    };
    let bob = server.member("Bob").await;
    let plain = Browser::signed_in_as(kind, &bob, &base).await;
    plain.go(&format!("/rooms/{room}")).await;
    let page = bob.page(&format!("/rooms/{room}")).await;
    assert!(page.contains("needs JavaScript"), "{page}");
    plain.close().await;
    phone.close().await;
}
