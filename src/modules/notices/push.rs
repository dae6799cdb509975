//! Web push: notices on devices whose pages are closed. The server sends straight to the push
//! service of the browser, encrypted for the browser alone (RFC 8030, 8291, 8292).

mod client;
mod encrypt;
mod payload;
mod send_job;
mod store;
mod subscriptions;
mod vapid;

use std::time::Duration;

use crate::engine::actions::Class;
use crate::engine::jobs::JobKind;
use crate::engine::module::Module;
pub(super) use client::PushClient;
pub(super) use send_job::add_jobs;
pub(super) use store::{ListedDevice, devices};
pub(super) use vapid::public_key;

use super::Notices;

/// The delay before a device is told: what is read meanwhile is not sent.
const PUSH_DELAY: Duration = Duration::from_secs(5);
/// Attempts at one push message, over some ten minutes: it is of no use later.
const PUSH_ATTEMPTS: u32 = 8;
const PUSH_BACKOFF: Duration = Duration::from_secs(5);
/// A whole request to a push service, and a job around it.
const PUSH_TIMEOUT: Duration = Duration::from_secs(10);
const PUSH_JOB_TIMEOUT: Duration = Duration::from_secs(20);
/// Push messages that are sent at once.
const PUSH_CONCURRENCY: usize = 8;

pub(super) fn declare(module: Module<Notices>) -> Module<Notices> {
    module
        .job(JobKind::new(
            send_job::SPREAD,
            "Finds the devices that a notice is sent to",
            send_job::spread,
        ))
        .job(
            JobKind::new(
                send_job::SEND,
                "Sends a notice to the push service of a device",
                send_job::send,
            )
            .concurrency(PUSH_CONCURRENCY)
            .timeout(PUSH_JOB_TIMEOUT)
            .max_attempts(PUSH_ATTEMPTS)
            .backoff(PUSH_BACKOFF),
        )
        .action(
            "notices.subscribe-device",
            "Has notices sent to this device while its pages are closed",
            Class::Write,
            subscriptions::subscribe,
        )
        .action(
            "notices.unsubscribe-device",
            "Sends a device no notices any more",
            Class::Write,
            subscriptions::unsubscribe,
        )
}
