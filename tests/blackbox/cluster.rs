//! Several instances behind a proxy: what happens on one shows on all, whatever fails between them.

mod failures;
mod follower;
mod poster;
mod revocation;
