//! What the community of one instance learns from the others.

use super::Community;
use super::topics::{ServerSetUp, SignInTried};
use crate::base::error::Result;
use crate::engine::bus::{Envelope, Origin, Subscriber};

/// [`SignInTried::kind`].
const SIGN_IN: u64 = 0;
const JOIN: u64 = 1;

pub(super) fn subscriber() -> Subscriber<Community> {
    Subscriber::new("community.instances")
        .on(server_set_up)
        .on(sign_in_tried)
}

async fn server_set_up(community: &Community, event: &ServerSetUp, _: &Envelope) -> Result<()> {
    community.engine().hosts.restrict_to(&event.host);
    Ok(())
}

async fn sign_in_tried(
    community: &Community,
    event: &SignInTried,
    envelope: &Envelope,
) -> Result<()> {
    let limiter = &community.sign_in_limiter;
    if envelope.is_remote && event.kind == SIGN_IN {
        limiter.count(&event.login, event.network);
    } else if envelope.is_remote && event.kind == JOIN {
        limiter.count_join(event.network);
    }
    Ok(())
}

impl Community {
    /// Has other instances count a try to sign in.
    pub(super) fn tell_sign_in(&self, login: &str, address: std::net::IpAddr) {
        let (login, network) = super::SignInLimiter::keys(login, address);
        self.tell(SignInTried {
            kind: SIGN_IN,
            login,
            network,
        });
    }

    /// Has other instances count a try to join.
    pub(super) fn tell_join(&self, address: std::net::IpAddr) {
        let (_, network) = super::SignInLimiter::keys("", address);
        self.tell(SignInTried {
            kind: JOIN,
            login: String::new(),
            network,
        });
    }

    fn tell(&self, tried: SignInTried) {
        if !self.engine().settings.nats.is_empty() {
            self.engine().bus.publish(Origin::default(), tried);
        }
    }
}
