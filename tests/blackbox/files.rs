//! Files: uploads that survive everything, limits told before, rights asked every time, pictures
//! made anew.

mod bucket;
mod crashes;
mod limits;
mod media;
mod metadata;
mod picture_bounds;
pub(super) mod pictures;
mod reference;
mod senders;
mod served;
mod upload_access;
mod upload_resume;
mod uploads;

use crate::support::{Person, TestServer};

/// A server with a cabinet, its owner, and a member of her space.
async fn start_server() -> (TestServer, Person, Person) {
    start_server_with(&[]).await
}

async fn start_server_with(overrides: &[(&str, &str)]) -> (TestServer, Person, Person) {
    let server = TestServer::example_with("cabinet", overrides).await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    (server, ann, bob)
}
