//! The connection test of the page of devices: a browser sends to the media server for a few
//! seconds, where nobody hears it, and measures how that goes.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::addresses::announced;
use super::media::Joining;
use super::request::{Fault, Sources, checked};
use super::sfu::Gates;
use super::{Voice, media::Media};
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::public_address::is_public;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

/// Tests at once, of different accounts.
const MAX_TESTS: usize = 16;
/// After this a test is ended, if its page has not ended it.
const TEST_TIMEOUT: Duration = Duration::from_secs(20);

/// The tests that run, by account, and who they are in the media. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Tests(Arc<Mutex<HashMap<AccountId, i64>>>);

impl Tests {
    /// Takes note of a test, and says which one of the account it replaces.
    ///
    /// # Errors
    /// `Full` when there are as many as there may be.
    fn begin(&self, account: AccountId, id: i64) -> Result<Option<i64>> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if running.len() >= MAX_TESTS && !running.contains_key(&account) {
            return Err(Error::Full("error-voice-tests"));
        }
        Ok(running.insert(account, id))
    }

    fn end(&self, account: AccountId, id: i64) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if running.get(&account) == Some(&id) {
            running.remove(&account);
        }
    }
}

#[derive(Deserialize)]
pub(super) struct TestInput {
    offer: String,
    #[serde(default)]
    sources: Sources,
    #[serde(default)]
    host: String,
}

/// Whether people outside of the server's own network cannot reach any of these.
fn is_private(addresses: &[SocketAddr]) -> bool {
    !addresses.is_empty() && !addresses.iter().any(|address| is_public(address.ip()))
}

/// Begins a test: answers the offer, and says where the server can be reached.
pub(super) async fn test(voice: Voice, viewer: Viewer, input: TestInput) -> Result<Outcome> {
    let media = voice.media().ok_or(Error::Unavailable)?;
    let offer = checked(&input.offer, &input.sources)?;
    let engine = &voice.engine;
    let configured = &engine.settings.voice_addresses;
    let addresses = announced(configured, &input.host, &engine.hosts, media.port).await;
    let id = crate::base::ids::next();
    let replaced = voice.tests.begin(viewer.account, id)?;
    if let Some(before) = replaced {
        media.leave(before).await;
    }
    // Ends by itself, whatever becomes of this request.
    tokio::spawn(end_later(
        media.clone(),
        voice.tests.clone(),
        viewer.account,
        id,
    ));
    let joining = Joining {
        id,
        room: id,
        gates: Gates::CLOSED,
        offer,
        sources: input.sources,
        addresses: addresses.clone(),
    };
    let answer = media.join(joining).await.map_err(Fault::from)?;
    let ips: Vec<String> = addresses.iter().map(|one| one.ip().to_string()).collect();
    let result = json!({
        "answer": answer, "port": media.port, "addresses": ips,
        "isPrivate": is_private(&addresses),
    });
    Ok(Outcome::new(result, "/account/voice"))
}

async fn end_later(media: Media, tests: Tests, account: AccountId, id: i64) {
    tokio::time::sleep(TEST_TIMEOUT).await;
    media.leave(id).await;
    tests.end(account, id);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_has_one_test_and_tests_are_bounded() {
        let tests = Tests::default();
        assert_eq!(tests.begin(AccountId(1), 10).expect("a place"), None);
        assert_eq!(tests.begin(AccountId(1), 11).expect("a place"), Some(10));
        for account in 2..=MAX_TESTS as i64 {
            tests.begin(AccountId(account), account).expect("a place");
        }
        assert!(matches!(
            tests.begin(AccountId(99), 99),
            Err(Error::Full(_))
        ));
        // One that was replaced frees no place when its time is over.
        tests.end(AccountId(1), 10);
        assert!(tests.begin(AccountId(99), 99).is_err());
        tests.end(AccountId(1), 11);
        tests.begin(AccountId(99), 99).expect("a place");
    }

    #[test]
    fn addresses_are_private_when_none_is_public() {
        let of = |ip: &str| SocketAddr::new(ip.parse().expect("an address"), 3478);
        assert!(is_private(&[of("10.0.0.2"), of("fe80::1")]));
        assert!(!is_private(&[of("10.0.0.2"), of("8.8.8.8")]));
        assert!(!is_private(&[]));
    }
}
