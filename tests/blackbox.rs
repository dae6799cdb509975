//! Black-box tests: the real binary, real sockets, people who act. Each test has a server of its
//! own unless it only reads, and its name says what is guaranteed.

mod support;

mod blackbox {
    mod absence;
    mod admission;
    mod attachments;
    mod builders;
    mod client;
    mod emoji;
    mod files;
    mod fresh_pages;
    mod idempotency;
    mod invites;
    mod jobs;
    mod live;
    mod live_overload;
    mod messages;
    mod page_cache;
    mod pages;
    mod portraits;
    mod presence;
    mod render_once;
    mod revocation;
    mod rooms;
    mod setup;
    mod sign_in;
    mod sockets;
    mod storm;
    mod walk;
    mod web;
}
