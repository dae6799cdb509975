//! Every action by who has which rank in a space: what each may do, and that the others are
//! refused. The actions are named once; the table of those who are outside is in `actions.rs`.

use serde_json::{Value, json};

use super::actions::ACTIONS;
use crate::support::{Person, TestServer};

/// The least that somebody has to be for an action, in an open room of their space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Least {
    /// About one's own account, or reading: guests and members who are timed out, too.
    Reader,
    /// A member who is not restricted.
    Member,
    /// With the role of moderators.
    Moderator,
    /// An owner.
    Owner,
    /// The host of the server.
    Host,
}

use Least::{Host, Member, Moderator, Owner, Reader};

#[rustfmt::skip]
const LEAST: &[(&str, Least)] = &[
    ("admin.cancel-job", Host),
    ("admin.discard-letter", Host),
    ("admin.pause-jobs", Host),
    ("admin.replay-letter", Host),
    ("admin.retry-job", Host),
    ("chat.bookmark", Reader),
    ("chat.cancel-scheduled", Reader),
    ("chat.delete", Moderator),
    ("chat.delete-many", Moderator),
    ("chat.discard-held", Moderator),
    ("chat.dismiss-preview", Moderator),
    ("chat.edit", Host), // nobody but the author
    ("chat.end-poll", Moderator),
    ("chat.follow-thread", Reader),
    ("chat.forward", Member),
    ("chat.history", Reader),
    ("chat.new-post", Member),
    ("chat.pin", Moderator),
    ("chat.poll", Member),
    ("chat.post", Member),
    ("chat.react", Member),
    ("chat.read", Reader),
    ("chat.read-all", Reader),
    ("chat.release-held", Moderator),
    ("chat.rename-thread", Owner),
    ("chat.schedule", Member),
    ("chat.send-scheduled", Reader),
    ("chat.set-tags", Owner),
    ("chat.thread", Member),
    ("chat.type", Member),
    ("chat.unbookmark", Reader),
    ("chat.unpin", Moderator),
    ("chat.vote", Member),
    ("community.accept-rules", Reader),
    ("community.add-emoji", Owner),
    ("community.add-note", Moderator),
    ("community.answer-application", Moderator),
    ("community.apply", Reader),
    ("community.archive-room", Owner),
    ("community.ban", Moderator),
    ("community.ban-network", Host),
    ("community.block", Reader),
    ("community.change-email", Reader),
    ("community.change-group", Owner),
    ("community.change-name", Reader),
    ("community.change-password", Reader),
    ("community.change-role", Owner),
    ("community.change-room", Owner),
    ("community.choose-role", Member),
    ("community.create-category", Owner),
    ("community.create-group", Owner),
    ("community.create-role", Owner),
    ("community.create-room", Owner),
    ("community.create-space", Host),
    ("community.delete-account", Reader),
    ("community.delete-category", Owner),
    ("community.delete-group", Owner),
    ("community.delete-role", Owner),
    ("community.delete-room", Owner),
    ("community.delete-space", Owner),
    ("community.end-other-sessions", Reader),
    ("community.end-session", Reader),
    ("community.export-data", Reader),
    ("community.give-role", Owner),
    ("community.invite", Moderator),
    ("community.join-group", Member),
    ("community.join-space", Reader),
    ("community.leave-room", Reader),
    ("community.lift-server-ban", Host),
    ("community.link-identity", Reader),
    ("community.move-category", Owner),
    ("community.move-role", Owner),
    ("community.move-room", Owner),
    ("community.move-space", Reader),
    ("community.open-direct", Reader),
    ("community.order-spaces", Reader),
    ("community.put-category", Owner),
    ("community.put-room", Owner),
    ("community.remove-emoji", Owner),
    ("community.remove-joined", Moderator),
    ("community.remove-member", Moderator),
    ("community.remove-passkey", Reader),
    ("community.rename-category", Owner),
    ("community.rename-space", Owner),
    ("community.restore-room", Owner),
    ("community.restore-space", Reader), // not found for all, as it is not deleted
    ("community.revoke-invite", Moderator),
    ("community.set-category", Owner),
    ("community.set-emblem", Owner),
    ("community.set-everyone", Owner),
    ("community.set-group-member", Owner),
    ("community.set-joining", Owner),
    ("community.set-language", Reader),
    ("community.set-owner", Owner),
    ("community.set-portrait", Reader),
    ("community.set-presence", Reader),
    ("community.set-profile", Reader),
    ("community.set-registration", Host),
    ("community.set-raid-mode", Moderator),
    ("community.set-room-permissions", Owner),
    ("community.set-rules-text", Owner),
    ("community.set-slow-mode", Owner),
    ("community.set-status", Reader),
    ("community.set-receipts", Reader),
    ("community.set-theme", Reader),
    ("community.set-welcome", Owner),
    ("community.set-web", Owner),
    ("community.set-writers", Reader),
    ("community.suspend", Host),
    ("community.tell-joins", Owner),
    ("community.time-out", Moderator),
    ("community.turn-off-totp", Reader),
    ("community.unban", Moderator),
    ("community.unblock", Reader),
    ("community.unlink-identity", Reader),
    ("community.withdraw-application", Reader),
    ("moderation.appeal", Reader),
    ("moderation.report", Reader),
    // Who may not review does not learn that there is nothing: reports.rs and appeals.rs.
    ("moderation.resolve", Moderator),
    ("moderation.resolve-appeal", Moderator),
    ("moderation.delete-rule", Moderator),
    ("moderation.save-rule", Moderator),
    ("moderation.set-raid-limits", Moderator),
    ("moderation.switch-rule", Moderator),
    ("presence.active", Reader),
    ("notices.subscribe-device", Reader),
    ("notices.unsubscribe-device", Reader),
    ("notices.read", Reader),
    ("notices.read-all", Reader),
    ("notices.set-level", Reader),
    ("notices.set-digest", Reader),
    ("notices.set-quiet-hours", Reader),
    ("reminders.add", Reader),
    ("reminders.remove", Reader),
    ("search.clear-recent", Reader),
    ("search.find", Reader),
    ("search.rebuild", Host),
    ("letters.write", Member),
    ("letters.save", Member),
    ("letters.restore", Member),
    ("letters.discard", Member),
    ("letters.seal", Member),
    ("letters.recall", Member),
    ("letters.open", Reader),
    ("letters.hide", Moderator),
    ("letters.refuse", Member),
    ("letters.configure", Owner),
    ("letters.add-place", Owner),
    ("letters.apply-place", Member),
    ("letters.decide-place", Owner),
    ("letters.retire-place", Owner),
    ("letters.apply-courier", Member),
    ("letters.appoint", Owner),
    ("letters.pause", Member),
    ("letters.print-sheet", Owner),
    ("letters.bind", Member),
    ("letters.take", Member),
    ("letters.hand-over", Member),
    ("letters.deliver", Member),
    ("letters.fail", Member),
    ("letters.retry", Member),
    ("letters.receive", Reader),
    ("letters.settle", Owner),
    ("letters.suggest", Member),
    ("letters.open-contest", Owner),
    ("letters.close-contest", Owner),
    ("letters.propose-design", Member),
    ("letters.vote", Member),
    ("letters.withdraw-design", Reader),
    ("letters.pack-bag", Member),
    ("letters.unpack", Member),
    ("letters.carry-bag", Member),
    ("letters.escalate", Member),
    ("letters.set-shift", Member),
    ("letters.set-substitute", Owner),
    ("letters.decide-promotion", Owner),
    ("letters.set-courier-rules", Owner),
    ("letters.join-drift", Member),
    ("letters.leave-drift", Reader),
    ("letters.drift-on", Reader),
    ("letters.add-page", Member),
    ("letters.arrange-page", Member),
    ("letters.away", Reader),
    ("letters.ask-here", Member),
    ("letters.answer-here", Reader),
    ("letters.send-back", Member),
    ("letters.scan", Member),
    ("letters.set-exhibition", Moderator),
    ("letters.remove-exhibition", Moderator),
    ("letters.place-exhibit", Moderator),
    ("letters.heart", Reader),
    ("letters.note", Member),
    ("letters.remove-note", Reader),
    ("letters.buy", Member),
    ("letters.set-points", Owner),
    ("letters.give", Reader),
    ("letters.curate", Moderator),
    ("terminals.open-shell", Owner),
    ("terminals.revoke-link", Reader),
    ("terminals.set-role", Reader),
    ("terminals.raise-hand", Reader),
    ("terminals.lock", Reader),
    ("terminals.one-at-a-time", Reader),
    ("terminals.take-baton", Reader),
    ("terminals.pass-baton", Reader),
    ("terminals.send-file", Reader),
    ("terminals.end", Reader),
    ("terminals.delete-recording", Reader),
    ("terminals.revoke-token", Reader),
    ("terminals.operate-end", Host),
    ("voice.join", Member),
    ("voice.negotiate", Member),
    ("voice.receive", Member),
    ("voice.set-doing", Member),
    ("voice.leave", Reader),
    ("voice.decline", Member),
    ("voice.set-speaker", Moderator),
    ("voice.move", Moderator),
    ("voice.set-rules", Owner),
    ("voice.test", Reader),
    ("voice.silence", Moderator),
    ("voice.disconnect", Moderator),
];

/// A space with somebody of each rank. The host owns it; the others are set in the database, as if
/// they had been made so.
struct Ranks {
    server: TestServer,
    host: Person,
    people: Vec<(Least, &'static str, Person)>,
    /// Somebody of no rank, for acts on a member.
    victim: Person,
}

impl Ranks {
    async fn start() -> Self {
        let mut server = TestServer::start().await;
        let host = server.owner("ann").await;
        let mut people = Vec::new();
        for (rank, name) in [
            (Reader, "guest"),
            (Reader, "pending"),
            (Reader, "silenced"),
            (Member, "member"),
            (Moderator, "moderator"),
            (Owner, "owner"),
        ] {
            people.push((rank, name, server.member(name).await));
        }
        let victim = server.member("victim").await;
        server.stop().await;
        for (_, name, person) in &people {
            let change = match *name {
                "guest" => "guest = TRUE",
                "pending" => "pending = TRUE",
                "silenced" => "timed_out_until = 9000000000000000",
                "owner" => "role = 'owner'",
                _ => continue,
            };
            let id = &person.id;
            server
                .change_rows(&format!(
                    "UPDATE members SET {change} WHERE account_id = {id}"
                ))
                .await;
        }
        let moderator = &people[4].2.id;
        server
            .change_rows(&format!(
                "INSERT INTO member_roles SELECT space_id, {moderator}, id FROM roles \
                 WHERE space_id = {}",
                host.space
            ))
            .await;
        server.start_again().await;
        Self {
            server,
            host,
            people,
            victim,
        }
    }

    /// Has the room or space open again after an action that closed it.
    async fn undo(&self, action: &str) {
        let (room, space) = (self.host.room("general"), &self.host.space);
        let (undo, fields) = match action {
            "community.archive-room" => (action, json!({ "room": room, "archive": "no" })),
            "community.delete-room" => ("community.restore-room", json!({ "room": room })),
            "community.delete-space" => ("community.restore-space", json!({ "space": space })),
            _ => return,
        };
        self.host.act(undo, fields).await.done();
    }

    async fn fields(&self, action: &str, template: &str, by: &str) -> Value {
        let general = self.host.room("general");
        let message = match template.contains("MESSAGE") {
            true => self.victim.post("general", by).await.id,
            false => String::new(),
        };
        let account = match action {
            "community.set-portrait" => self.host.id.as_str(),
            _ => self.victim.id.as_str(),
        };
        let text = template
            .replace("ROOM", &general)
            .replace("SPACE", &self.host.space)
            .replace("MESSAGE", &message)
            .replace("OWNER", account)
            .replace("BOB", &self.victim.id)
            .replace("CEM", &self.host.id)
            .replace("KEY", &format!("{action}-{by}").replace('.', "-"))
            .replace("\"Mine\"", &format!("\"Mine {by}\""))
            .replace("\"mine\"", &format!("\"mine-{by}\""));
        serde_json::from_str(&text).expect("JSON")
    }
}

#[tokio::test]
async fn each_action_is_open_from_its_rank_on() {
    let ranks = Ranks::start().await;
    for (action, template, _) in ACTIONS {
        let least = LEAST.iter().find(|(name, _)| name == action);
        let (_, least) = least.unwrap_or_else(|| panic!("{action}: who may do it?"));
        for (rank, name, person) in &ranks.people {
            // Removed for good by whoever may: only the lowest tries.
            if *action == "community.remove-member" && *rank > Moderator {
                continue;
            }
            let fields = ranks.fields(action, template, name).await;
            let answer = person.act(action, fields).await;
            let code = match answer.status {
                200 => String::new(),
                _ => answer.code(),
            };
            if rank >= least {
                assert_ne!(code, "forbidden", "{action} by {name}: {}", answer.body);
            } else {
                let is_refused = ["forbidden", "not_found"].contains(&code.as_str());
                assert!(is_refused, "{action} by {name}: {code:?} {}", answer.body);
            }
            if code.is_empty() {
                ranks.undo(action).await;
            }
        }
    }
    ranks.server.assert_undamaged();
}

#[tokio::test]
async fn each_rank_follows_the_feeds_of_its_space() {
    let ranks = Ranks::start().await;
    let (space, general) = (&ranks.host.space, ranks.host.room("general"));
    for (_, name, person) in &ranks.people {
        for (feed, allowed) in [
            (format!("room/{general}"), true),
            (format!("room/{general}/typing"), true),
            (format!("space/{space}"), true),
            (format!("account/{}", person.id), true),
            (format!("account/{}", ranks.host.id), false),
            (format!("account/{}/unread", ranks.host.id), false),
        ] {
            let mut socket = person.socket().await;
            let answer = socket.subscribe(&feed, None).await;
            assert_eq!(
                answer["type"] == "subscribed",
                allowed,
                "{name} {feed}: {answer}"
            );
        }
        let audit = person.get(&format!("/spaces/{space}/audit")).await;
        let may_read = ["moderator", "owner"].contains(name);
        assert_eq!(audit.status, if may_read { 200 } else { 403 }, "{name}");
    }
}
