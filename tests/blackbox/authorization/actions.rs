//! Every action as somebody who may not do it.

use serde_json::{Value, json};

use super::fixture::{Fixture, MARK};
use crate::support::text;

/// Action, its fields in the private room, and the codes that a stranger, a member outside and a
/// member inside get; an empty code is success.
pub(super) const ACTIONS: &[(&str, &str, [&str; 3])] = &[
    (
        "chat.post",
        r#"{"room":"ROOM","body":"hi","key":"walk-KEY"}"#,
        ["not_found", "not_found", ""],
    ),
    (
        "chat.new-post",
        r#"{"room":"ROOM","title":"hi","body":"hi","key":"post-KEY"}"#,
        ["not_found", "not_found", "conflict"],
    ),
    (
        "chat.set-tags",
        r#"{"room":"ROOM","tags":"help"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "chat.thread",
        r#"{"message":"MESSAGE"}"#,
        ["not_found", "not_found", ""],
    ),
    (
        "chat.follow-thread",
        r#"{"thread":"ROOM","follow":"yes"}"#,
        ["not_found", "not_found", "not_found"],
    ),
    (
        "chat.rename-thread",
        r#"{"thread":"ROOM","name":"mine"}"#,
        ["not_found", "not_found", "not_found"],
    ),
    (
        "chat.edit",
        r#"{"message":"MESSAGE","body":"hi"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "chat.delete",
        r#"{"message":"MESSAGE"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "chat.delete-many",
        r#"{"messages":["MESSAGE"]}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "chat.react",
        r#"{"message":"MESSAGE","emoji":"👍"}"#,
        ["not_found", "not_found", ""],
    ),
    // What one may not read is not marked.
    ("chat.read-all", r#"{}"#, ["", "", ""]),
    (
        "chat.poll",
        r#"{"room":"ROOM","body":"hi","answers":["a","b"]}"#,
        ["not_found", "not_found", ""],
    ),
    // The message is no poll.
    (
        "chat.vote",
        r#"{"message":"MESSAGE","answer":0}"#,
        ["not_found", "not_found", "not_found"],
    ),
    (
        "chat.end-poll",
        r#"{"message":"MESSAGE"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "chat.schedule",
        r#"{"room":"ROOM","body":"hi","at":"2099-01-01T10:00"}"#,
        ["not_found", "not_found", "invalid"],
    ),
    // One's own alone, of which there are none.
    (
        "chat.cancel-scheduled",
        r#"{"scheduled":"1"}"#,
        ["not_found", "not_found", "not_found"],
    ),
    (
        "chat.send-scheduled",
        r#"{"scheduled":"1"}"#,
        ["not_found", "not_found", "not_found"],
    ),
    (
        "chat.forward",
        r#"{"message":"MESSAGE","room":"ROOM"}"#,
        ["not_found", "not_found", ""],
    ),
    (
        "reminders.add",
        r#"{"text":"hi","when":"20m"}"#,
        ["", "", ""],
    ),
    (
        "reminders.remove",
        r#"{"reminder":"1"}"#,
        ["not_found", "not_found", "not_found"],
    ),
    (
        "chat.pin",
        r#"{"message":"MESSAGE"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "chat.unpin",
        r#"{"message":"MESSAGE"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "chat.dismiss-preview",
        r#"{"message":"MESSAGE"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "chat.bookmark",
        r#"{"message":"MESSAGE"}"#,
        ["not_found", "not_found", ""],
    ),
    // One's own list alone.
    ("chat.unbookmark", r#"{"message":"MESSAGE"}"#, ["", "", ""]),
    (
        "chat.type",
        r#"{"room":"ROOM"}"#,
        ["not_found", "not_found", ""],
    ),
    (
        "chat.read",
        r#"{"room":"ROOM","message":"MESSAGE"}"#,
        ["not_found", "not_found", ""],
    ),
    (
        "chat.history",
        r#"{"room":"ROOM"}"#,
        ["not_found", "not_found", ""],
    ),
    ("presence.active", "{}", ["", "", ""]),
    ("notices.subscribe-device", "{}", ["invalid"; 3]),
    (
        "notices.unsubscribe-device",
        r#"{"device":"1"}"#,
        ["", "", ""],
    ),
    ("notices.read", r#"{"notice":"1"}"#, ["", "", ""]),
    ("notices.read-all", "{}", ["", "", ""]),
    (
        "notices.set-level",
        r#"{"room":"ROOM","level":"all"}"#,
        ["not_found", "not_found", ""],
    ),
    ("notices.set-quiet-hours", "{}", ["", "", ""]),
    ("notices.set-digest", r#"{"every":"never"}"#, ["", "", ""]),
    (
        "letters.write",
        r#"{"space":"SPACE","kind":"open","key":"walk-KEY"}"#,
        ["not_found", "", ""],
    ),
    (
        "letters.save",
        r#"{"letter":"1","revision":"0","body":"hi","paper":"plain","signature":"own"}"#,
        ["not_found"; 3],
    ),
    (
        "letters.restore",
        r#"{"letter":"1","revision":1}"#,
        ["not_found"; 3],
    ),
    ("letters.discard", r#"{"letter":"1"}"#, ["not_found"; 3]),
    (
        "letters.seal",
        r#"{"letter":"1","revision":"0","body":"hi","paper":"plain","signature":"own"}"#,
        ["not_found"; 3],
    ),
    ("letters.recall", r#"{"letter":"1"}"#, ["not_found"; 3]),
    ("letters.open", r#"{"letter":"1"}"#, ["not_found"; 3]),
    (
        "letters.hide",
        r#"{"letter":"1","hide":"yes"}"#,
        ["not_found"; 3],
    ),
    (
        "letters.refuse",
        r#"{"space":"SPACE","refuse":"no"}"#,
        ["not_found", "", ""],
    ),
    (
        "letters.configure",
        r#"{"space":"SPACE","tide":"yes","min_hours":"1","max_hours":"2"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "letters.add-place",
        r#"{"space":"SPACE","code":"AA","name":"x","kind":"school"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "letters.apply-place",
        r#"{"space":"SPACE","area":"AABB","name":"x"}"#,
        ["not_found", "invalid", "invalid"],
    ),
    (
        "letters.decide-place",
        r#"{"place":"1","approve":"no"}"#,
        ["not_found"; 3],
    ),
    ("letters.retire-place", r#"{"place":"1"}"#, ["not_found"; 3]),
    (
        "letters.apply-courier",
        r#"{"space":"SPACE","branch":"AABB"}"#,
        ["not_found", "invalid", "invalid"],
    ),
    (
        "letters.appoint",
        r#"{"space":"SPACE","account":"BOB","rank":"4"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "letters.pause",
        r#"{"space":"SPACE","pause":"yes"}"#,
        ["not_found"; 3],
    ),
    (
        "letters.print-sheet",
        r#"{"space":"SPACE"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "letters.bind",
        r#"{"letter":"1","code":"AAAAAAA6"}"#,
        ["not_found"; 3],
    ),
    ("letters.take", r#"{"letter":"1"}"#, ["not_found"; 3]),
    (
        "letters.hand-over",
        r#"{"letter":"1","to":"OWNER"}"#,
        ["not_found"; 3],
    ),
    ("letters.deliver", r#"{"letter":"1"}"#, ["not_found"; 3]),
    (
        "letters.fail",
        r#"{"letter":"1","reason":"absent"}"#,
        ["not_found"; 3],
    ),
    ("letters.retry", r#"{"letter":"1"}"#, ["not_found"; 3]),
    (
        "letters.receive",
        r#"{"letter":"1","code":"AAAAAAAA"}"#,
        ["not_found"; 3],
    ),
    (
        "letters.settle",
        r#"{"letter":"1","step":"lose"}"#,
        ["not_found"; 3],
    ),
    ("letters.suggest", r#"{"letter":"1"}"#, ["not_found"; 3]),
    (
        "letters.open-contest",
        r#"{"space":"SPACE","title":"80"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "letters.close-contest",
        r#"{"contest":"1"}"#,
        ["not_found"; 3],
    ),
    (
        "letters.propose-design",
        r#"{"contest":"1","title":"80"}"#,
        ["not_found"; 3],
    ),
    ("letters.vote", r#"{"design":"1"}"#, ["not_found"; 3]),
    (
        "letters.withdraw-design",
        r#"{"design":"1"}"#,
        ["not_found"; 3],
    ),
    (
        "letters.pack-bag",
        r#"{"space":"SPACE","code":"AAAAAAA6","letters":["1"]}"#,
        ["not_found"; 3],
    ),
    ("letters.unpack", r#"{"letter":"1"}"#, ["not_found"; 3]),
    (
        "letters.carry-bag",
        r#"{"bag":"1","deed":"open"}"#,
        ["not_found"; 3],
    ),
    ("letters.escalate", r#"{"letter":"1"}"#, ["not_found"; 3]),
    (
        "letters.set-shift",
        r#"{"space":"SPACE","days":["0"],"from_hour":"8","until_hour":"20"}"#,
        ["not_found"; 3],
    ),
    (
        "letters.set-substitute",
        r#"{"space":"SPACE","account":"BOB","substitute":""}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "letters.decide-promotion",
        r#"{"space":"SPACE","account":"BOB","approve":"no"}"#,
        ["not_found"; 3],
    ),
    (
        "letters.set-courier-rules",
        r#"{"space":"SPACE","assigns":"yes","take_hours":"24","max_load":"20",
            "promote_delivered":"50","promote_percent":"95"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "letters.join-drift",
        r#"{"space":"SPACE","languages":["en"]}"#,
        ["not_found", "", ""],
    ),
    (
        "letters.leave-drift",
        r#"{"space":"SPACE"}"#,
        ["not_found", "", ""],
    ),
    ("letters.drift-on", r#"{"letter":"1"}"#, ["not_found"; 3]),
    ("letters.add-page", r#"{"letter":"1"}"#, ["not_found"; 3]),
    (
        "letters.arrange-page",
        r#"{"letter":"1","page":"1","step":"up"}"#,
        ["not_found"; 3],
    ),
    (
        "letters.away",
        r#"{"space":"SPACE"}"#,
        ["not_found", "", ""],
    ),
    ("letters.ask-here", r#"{"letter":"1"}"#, ["not_found"; 3]),
    (
        "letters.answer-here",
        r#"{"letter":"1","answer":"here"}"#,
        ["not_found"; 3],
    ),
    ("letters.send-back", r#"{"letter":"1"}"#, ["not_found"; 3]),
    (
        "letters.scan",
        r#"{"code":"AAAAAAA6","deed":"take"}"#,
        ["not_found"; 3],
    ),
    (
        "letters.set-exhibition",
        r#"{"space":"SPACE","title":"x","opens":"2026-01-01","closes":"2026-01-02"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "letters.remove-exhibition",
        r#"{"exhibition":"1"}"#,
        ["not_found"; 3],
    ),
    (
        "letters.place-exhibit",
        r#"{"letter":"1"}"#,
        ["not_found"; 3],
    ),
    (
        "letters.heart",
        r#"{"letter":"1","heart":"yes"}"#,
        ["not_found"; 3],
    ),
    (
        "letters.note",
        r#"{"letter":"1","body":"x"}"#,
        ["not_found"; 3],
    ),
    (
        "letters.buy",
        r#"{"space":"SPACE","item":"kraft"}"#,
        ["not_found", "conflict", "conflict"],
    ),
    (
        "letters.set-points",
        r#"{"space":"SPACE","written":"1","delivered":"1","carried":"1","hung":"1","daily":"9"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    ("letters.remove-note", r#"{"note":"1"}"#, ["not_found"; 3]),
    (
        "letters.give",
        r#"{"letter":"1","give":"yes"}"#,
        ["not_found"; 3],
    ),
    (
        "letters.curate",
        r#"{"letter":"1","decision":"hang"}"#,
        ["not_found"; 3],
    ),
    (
        "voice.join",
        r#"{"room":"ROOM","offer":"v=0"}"#,
        ["not_found", "not_found", "invalid"],
    ),
    (
        "voice.negotiate",
        r#"{"room":"ROOM","participant":"1","offer":"v=0"}"#,
        ["not_found", "not_found", "not_found"],
    ),
    (
        "voice.receive",
        r#"{"room":"ROOM","participant":"1","streams":[]}"#,
        ["not_found", "not_found", "not_found"],
    ),
    (
        "voice.set-doing",
        r#"{"room":"ROOM","participant":"1","muted":true}"#,
        ["not_found", "not_found", "not_found"],
    ),
    (
        "voice.leave",
        r#"{"room":"ROOM","participant":"1"}"#,
        ["not_found", "not_found", "not_found"],
    ),
    (
        "voice.decline",
        r#"{"room":"ROOM"}"#,
        ["not_found", "not_found", ""],
    ),
    (
        "voice.set-speaker",
        r#"{"room":"ROOM","participant":"1","speaks":"yes"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "voice.move",
        r#"{"room":"ROOM","participant":"1","to":"ROOM"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "voice.set-rules",
        r#"{"room":"ROOM","bitrate":"40"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "voice.test",
        r#"{"offer":"v=0"}"#,
        ["invalid", "invalid", "invalid"],
    ),
    (
        "voice.silence",
        r#"{"room":"ROOM","participant":"1","silenced":"yes"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "voice.disconnect",
        r#"{"room":"ROOM","participant":"1"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "terminals.open-shell",
        r#"{"room":"ROOM"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "terminals.revoke-link",
        r#"{"terminal":"1","link":"1"}"#,
        ["not_found"; 3],
    ),
    (
        "terminals.set-role",
        r#"{"terminal":"1","account":"BOB","role":"viewer"}"#,
        ["not_found"; 3],
    ),
    (
        "terminals.raise-hand",
        r#"{"terminal":"1","raised":"yes"}"#,
        ["not_found"; 3],
    ),
    (
        "terminals.lock",
        r#"{"terminal":"1","locked":"yes"}"#,
        ["not_found"; 3],
    ),
    (
        "terminals.one-at-a-time",
        r#"{"terminal":"1","on":"yes"}"#,
        ["not_found"; 3],
    ),
    (
        "terminals.take-baton",
        r#"{"terminal":"1"}"#,
        ["not_found"; 3],
    ),
    (
        "terminals.pass-baton",
        r#"{"terminal":"1","account":"BOB"}"#,
        ["not_found"; 3],
    ),
    (
        "terminals.send-file",
        r#"{"terminal":"1"}"#,
        ["not_found"; 3],
    ),
    ("terminals.end", r#"{"terminal":"1"}"#, ["not_found"; 3]),
    (
        "terminals.delete-recording",
        r#"{"terminal":"1"}"#,
        ["not_found"; 3],
    ),
    (
        "terminals.revoke-token",
        r#"{"token":"1"}"#,
        ["not_found"; 3],
    ),
    (
        "terminals.operate-end",
        r#"{"terminal":"1"}"#,
        ["forbidden"; 3],
    ),
    ("search.find", r#"{"q":"secret"}"#, ["", "", ""]),
    ("search.clear-recent", "{}", ["", "", ""]),
    ("search.rebuild", "{}", ["forbidden"; 3]),
    ("community.change-name", "{}", ["invalid"; 3]),
    ("community.change-email", "{}", ["invalid"; 3]),
    ("community.change-password", "{}", ["invalid"; 3]),
    ("community.export-data", "{}", ["invalid"; 3]),
    ("community.delete-account", "{}", ["invalid"; 3]),
    (
        "community.link-identity",
        r#"{"current_password":"no"}"#,
        ["invalid"; 3],
    ),
    (
        "community.unlink-identity",
        r#"{"current_password":"no"}"#,
        ["invalid"; 3],
    ),
    (
        "community.remove-passkey",
        r#"{"passkey":"no","current_password":"no"}"#,
        ["invalid"; 3],
    ),
    (
        "community.turn-off-totp",
        r#"{"current_password":"no"}"#,
        ["invalid"; 3],
    ),
    (
        "community.create-space",
        r#"{"name":"Mine"}"#,
        ["forbidden"; 3],
    ),
    (
        "community.rename-space",
        r#"{"space":"SPACE","name":"Mine"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.remove-member",
        r#"{"space":"SPACE","account":"OWNER"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.time-out",
        r#"{"space":"SPACE","account":"OWNER","minutes":"0"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.ban",
        r#"{"space":"SPACE","account":"1"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.unban",
        r#"{"space":"SPACE","ban":"1"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.add-note",
        r#"{"space":"SPACE","account":"OWNER","note":"hi"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "chat.release-held",
        r#"{"held":"1"}"#,
        ["not_found", "not_found", "not_found"],
    ),
    (
        "chat.discard-held",
        r#"{"held":"1"}"#,
        ["not_found", "not_found", "not_found"],
    ),
    (
        "community.set-raid-mode",
        r#"{"space":"SPACE","on":"no"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.remove-joined",
        r#"{"space":"SPACE"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "moderation.save-rule",
        r#"{"space":"SPACE","kind":"words","name":"Mine","words":"shoes","action":"hold"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "moderation.switch-rule",
        r#"{"space":"SPACE","rule":"1","on":"no"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "moderation.delete-rule",
        r#"{"space":"SPACE","rule":"2"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "moderation.set-raid-limits",
        r#"{"space":"SPACE","joins":"0","minutes":"5","length":"30"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.set-slow-mode",
        r#"{"room":"ROOM","seconds":"0"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "community.invite",
        r#"{"space":"SPACE"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.revoke-invite",
        r#"{"space":"SPACE","invite":"1"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.set-joining",
        r#"{"space":"SPACE","mode":"invitation"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.join-space",
        r#"{"space":"SPACE"}"#,
        ["not_found", "", ""],
    ),
    ("community.apply", r#"{"space":"SPACE"}"#, ["not_found"; 3]),
    (
        "community.withdraw-application",
        r#"{"space":"SPACE"}"#,
        ["not_found"; 3],
    ),
    (
        "community.answer-application",
        r#"{"space":"SPACE","request":"1","accept":"yes"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.set-rules-text",
        r#"{"space":"SPACE","rules":""}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.accept-rules",
        r#"{"space":"SPACE","version":"0"}"#,
        ["not_found", "", ""],
    ),
    (
        "community.set-welcome",
        r#"{"space":"SPACE"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    ("community.set-registration", "{}", ["forbidden"; 3]),
    (
        "community.create-room",
        r#"{"space":"SPACE","name":"mine"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.change-room",
        r#"{"room":"ROOM","name":"mine"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "community.archive-room",
        r#"{"room":"ROOM","archive":"yes"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "community.delete-space",
        r#"{"space":"SPACE"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.restore-space",
        r#"{"space":"SPACE"}"#,
        ["not_found"; 3],
    ),
    (
        "community.delete-room",
        r#"{"room":"ROOM"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "community.restore-room",
        r#"{"room":"ROOM"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    // Not of the room: who is in it would be no longer. `readers.rs` has that.
    ("community.leave-room", r#"{"room":"1"}"#, ["not_found"; 3]),
    (
        "community.move-space",
        r#"{"space":"SPACE","to":"up"}"#,
        ["not_found", "", ""],
    ),
    (
        "community.order-spaces",
        r#"{"spaces":["SPACE"]}"#,
        ["", "", ""],
    ),
    (
        "community.put-room",
        r#"{"room":"ROOM"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "community.put-category",
        r#"{"space":"SPACE","category":"1"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.set-web",
        r#"{"space":"SPACE"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.create-category",
        r#"{"space":"SPACE","name":"Mine"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.rename-category",
        r#"{"space":"SPACE","category":"1","name":"Mine"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.delete-category",
        r#"{"space":"SPACE","category":"1"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.move-category",
        r#"{"space":"SPACE","category":"1","to":"up"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.move-room",
        r#"{"room":"ROOM","to":"up"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "community.set-category",
        r#"{"room":"ROOM","category":""}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "community.set-room-permissions",
        r#"{"room":"ROOM","subject":"everyone","chat.post":"deny"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "community.open-direct",
        r#"{"people":["BOB","CEM"]}"#,
        ["not_found", "", ""],
    ),
    (
        "community.end-session",
        r#"{"session":"SESSION"}"#,
        ["not_found"; 3],
    ),
    ("community.end-other-sessions", "{}", ["", "", ""]),
    ("community.set-language", r#"{"language":""}"#, ["", "", ""]),
    ("community.set-theme", r#"{"theme":""}"#, ["", "", ""]),
    (
        "community.set-profile",
        r#"{"display_name":""}"#,
        ["", "", ""],
    ),
    ("community.set-status", r#"{"text":""}"#, ["", "", ""]),
    (
        "community.set-presence",
        r#"{"presence":"automatic"}"#,
        ["", "", ""],
    ),
    (
        "community.create-group",
        r#"{"space":"SPACE","name":"Mine"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.change-group",
        r#"{"space":"SPACE","group":"1","name":"Mine"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.delete-group",
        r#"{"space":"SPACE","group":"1"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.set-group-member",
        r#"{"space":"SPACE","group":"1","account":"OWNER"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.join-group",
        r#"{"space":"SPACE","group":"1","join":"yes"}"#,
        ["not_found"; 3],
    ),
    (
        "community.set-receipts",
        r#"{"shares_reads":"yes"}"#,
        ["", "", ""],
    ),
    (
        "community.set-writers",
        r#"{"writers":"spaces"}"#,
        ["", "", ""],
    ),
    (
        "community.block",
        r#"{"account":"OWNER","kind":"ignore"}"#,
        ["", "", ""],
    ),
    ("community.unblock", r#"{"account":"OWNER"}"#, ["", "", ""]),
    (
        "community.tell-joins",
        r#"{"space":"SPACE","tell":"yes"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.create-role",
        r#"{"space":"SPACE","name":"Mine"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.change-role",
        r#"{"space":"SPACE","role":"1","name":"Mine"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.delete-role",
        r#"{"space":"SPACE","role":"1"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.move-role",
        r#"{"space":"SPACE","role":"1","to":"up"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.set-everyone",
        r#"{"space":"SPACE","permissions":["community.read","chat.post","chat.attach"]}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.give-role",
        r#"{"space":"SPACE","account":"OWNER","role":"1","give":"yes"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.set-owner",
        r#"{"space":"SPACE","account":"OWNER","owner":"no"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.choose-role",
        r#"{"space":"SPACE","role":"1","take":"yes"}"#,
        ["not_found"; 3],
    ),
    (
        "admin.replay-letter",
        r#"{"event":"1","subscriber":"chat.presenter"}"#,
        ["forbidden"; 3],
    ),
    (
        "admin.discard-letter",
        r#"{"event":"1","subscriber":"chat.presenter"}"#,
        ["forbidden"; 3],
    ),
    (
        "community.set-portrait",
        r#"{"account":"OWNER"}"#,
        ["not_found"; 3],
    ),
    (
        "community.set-emblem",
        r#"{"space":"SPACE"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.add-emoji",
        r#"{"space":"SPACE","name":"tide"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.remove-emoji",
        r#"{"space":"SPACE","name":"tide"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "moderation.report",
        // Of a message in a room: reports.rs.
        r#"{"kind":"nothing","thing":"1","reason":"spam"}"#,
        ["not_found"; 3],
    ),
    (
        "moderation.resolve",
        r#"{"case":"1","outcome":"acted"}"#,
        ["not_found"; 3],
    ),
    (
        "moderation.appeal",
        r#"{"space":"SPACE","words":"hi"}"#,
        ["not_found"; 3],
    ),
    (
        "moderation.resolve-appeal",
        r#"{"appeal":"1","outcome":"upheld"}"#,
        ["not_found"; 3],
    ),
    (
        "community.suspend",
        r#"{"account":"BOB","reason":"hi"}"#,
        ["forbidden"; 3],
    ),
    (
        "community.ban-network",
        r#"{"network":"192.0.2.1","reason":"hi"}"#,
        ["forbidden"; 3],
    ),
    (
        "community.lift-server-ban",
        r#"{"ban":"1"}"#,
        ["forbidden"; 3],
    ),
    ("admin.retry-job", r#"{"job":"1"}"#, ["forbidden"; 3]),
    ("admin.cancel-job", r#"{"job":"1"}"#, ["forbidden"; 3]),
    (
        "admin.pause-jobs",
        r#"{"kind":"files.picture","pause":true}"#,
        ["forbidden"; 3],
    ),
];

#[tokio::test]
async fn actions_refuse_the_unauthorised() {
    let fixture = Fixture::start().await;
    let visitor = fixture.server.visitor();
    let page = fixture
        .ann
        .other_device(&fixture.server)
        .await
        .page("/account")
        .await;
    let session = text::attributes(&page, "value")
        .into_iter()
        .find(|value| value.len() == 43)
        .expect("a session");
    for (action, template, codes) in ACTIONS {
        let fields = |number: usize| -> Value {
            let text = fixture
                .fill(&template.replace("SESSION", &session))
                .replace("KEY", &format!("{action}-{number}").replace('.', "-"));
            serde_json::from_str(&text).expect("JSON")
        };
        assert_eq!(
            visitor.act(action, fields(0)).await.expect(401).code(),
            "sign_in_first",
            "{action}"
        );
        assert_eq!(
            visitor.form(&format!("/act/{action}"), &[]).await.status,
            401,
            "{action}"
        );
        for (number, (person, code)) in fixture.people.iter().zip(codes).enumerate() {
            let what = format!("{} does {action}", person.name);
            let over_http = person.act(action, fields(number)).await;
            let over_socket = person.socket().await.act(action, fields(number)).await;
            if code.is_empty() {
                assert_eq!(over_http.status, 200, "{what}: {}", over_http.body);
                assert_eq!(over_socket["type"], "reply", "{what}: {over_socket}");
            } else {
                assert_eq!(over_http.code(), *code, "{what}");
                assert_eq!(over_socket["error"]["code"], *code, "{what}");
            }
            assert!(
                number == 2
                    || !over_http.body.contains(MARK) && !over_socket.to_string().contains(MARK),
                "{what} and gets data"
            );
        }
    }
    assert_eq!(visitor.act("chat.unheard-of", json!({})).await.status, 401);
    assert_eq!(
        fixture.ann.act("chat.unheard-of", json!({})).await.status,
        404
    );
    let kept = fixture.ann.history(&fixture.room).await;
    assert_eq!(kept[0], fixture.message, "nobody changed it");
    assert!(
        kept[1..]
            .iter()
            .all(|message| message.author == fixture.people[2].id),
        "{kept:#?}"
    );
}
