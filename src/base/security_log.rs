//! Security events: one log line each (level `info`, target `security`) and one counter,
//! `tidepool_security_events_total{event=…}`. A line names the account, the network address and the
//! reason; never a password, token, cookie, invitation or e-mail address.

use std::net::IpAddr;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Instant;

use super::ids::AccountId;

/// What happened. The names are those of the log and of `/metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityEvent {
    /// The server got its owner.
    SetUp,
    /// An account was created through an invitation.
    AccountCreated,
    /// Somebody signed in.
    SignedIn,
    /// A sign-in was refused: wrong, or too many tries.
    SignInRefused,
    /// An account was deleted.
    AccountDeleted,
    /// The name, address, password or another credential of an account changed.
    CredentialChanged,
    /// Somebody asked for a link to reset a password.
    ResetAsked,
    /// A session ended: signed out, ended from another device, replaced or expired.
    SessionEnded,
    /// What an account may do changed: it joined, left or was removed, or a room's members changed.
    RightsChanged,
    /// An invitation was made.
    InviteMade,
    /// An invitation was used.
    InviteUsed,
    /// An invitation was taken back.
    InviteEnded,
    /// A rate limit or quota refused a request.
    LimitReached,
    /// A request for a host name that the server does not answer to, or a setup without its token.
    RequestRefused,
}

impl SecurityEvent {
    /// The name in the log and in `/metrics`.
    pub fn name(self) -> &'static str {
        match self {
            Self::SetUp => "set_up",
            Self::AccountCreated => "account_created",
            Self::SignedIn => "signed_in",
            Self::SignInRefused => "sign_in_refused",
            Self::AccountDeleted => "account_deleted",
            Self::CredentialChanged => "credential_changed",
            Self::ResetAsked => "reset_asked",
            Self::SessionEnded => "session_ended",
            Self::RightsChanged => "rights_changed",
            Self::InviteMade => "invite_made",
            Self::InviteUsed => "invite_used",
            Self::InviteEnded => "invite_ended",
            Self::LimitReached => "limit_reached",
            Self::RequestRefused => "request_refused",
        }
    }

    /// Logs and counts the event: for which account, from which address, and why.
    pub fn record(
        self,
        account: impl Into<Option<AccountId>>,
        address: impl Into<Option<IpAddr>>,
        reason: &'static str,
    ) {
        let event = self.name();
        let account = account.into().map(|account| account.0);
        let address = address.into().map(tracing::field::display);
        if is_within_rate() {
            tracing::info!(target: "security", event, account, address, reason);
        }
        metrics::counter!("tidepool_security_events_total", "event" => event).increment(1);
    }
}

/// Lines in a minute. Whoever is refused may make thousands in a second; `/metrics` counts all.
const MAX_LINES_PER_MINUTE: u64 = 1_000;

/// Whether another line may be written in this minute.
fn is_within_rate() -> bool {
    static LINES: Mutex<(u64, u64)> = Mutex::new((0, 0));
    static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);
    let minute = STARTED.elapsed().as_secs() / 60;
    let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    if lines.0 != minute {
        if lines.1 > MAX_LINES_PER_MINUTE {
            let left_out = lines.1 - MAX_LINES_PER_MINUTE;
            tracing::warn!(target: "security", left_out, "security events were only counted");
        }
        *lines = (minute, 0);
    }
    lines.1 += 1;
    lines.1 <= MAX_LINES_PER_MINUTE
}
