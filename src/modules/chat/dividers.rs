//! The dividers of a room's log: where a day begins, and where unread messages begin. The browser
//! redraws them in its own time zone and as messages are posted (`assets/js/chat/dividers.js`).

use std::sync::Arc;

use super::model::MessageId;
use super::store::Stub;
use crate::base::ids::{self, AccountId};

/// One message and the dividers before it.
pub(super) struct Entry {
    pub(super) id: MessageId,
    /// The date, if a UTC day begins with this message.
    pub(super) day: Option<String>,
    /// Whether the 'New' divider is drawn before it.
    pub(super) new: bool,
    pub(super) html: Arc<str>,
}

/// The entries of a page of messages. 'New' is drawn before the first message after `read_to` that
/// was written by somebody else.
pub(super) fn entries(
    stubs: &[Stub],
    html: Vec<Arc<str>>,
    read_to: Option<MessageId>,
    reader: AccountId,
) -> Vec<Entry> {
    let is_new = |stub: &Stub, read| stub.id > read && stub.author != reader;
    let first_new = read_to.and_then(|read| stubs.iter().position(|stub| is_new(stub, read)));
    let mut last_day = String::new();
    let entries = stubs.iter().zip(html).enumerate().map(|(n, (stub, html))| {
        let day = ids::time_of(stub.id.0).date();
        let begins = day != last_day;
        last_day.clone_from(&day);
        Entry {
            id: stub.id,
            day: begins.then_some(day),
            new: first_new == Some(n),
            html,
        }
    });
    entries.collect()
}
