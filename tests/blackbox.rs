//! Black-box tests: the real binary, real sockets, people who act. Each test has a server of its
//! own unless it only reads, and its name says what is guaranteed.

mod support;

mod blackbox {
    mod attachments;
    mod client;
    mod durability;
    mod emoji;
    mod files;
    mod frame_rendering;
    mod fresh_pages;
    mod idempotency;
    mod invites;
    mod jobs;
    mod live;
    mod live_overload;
    mod messages;
    mod outside_modules;
    mod page_cache;
    mod pages;
    mod portraits;
    mod presence;
    mod private_files;
    mod request_limits;
    mod resume;
    mod revocation;
    mod rooms;
    mod route_authorization;
    mod setup;
    mod sign_in;
    mod sockets;
    mod web;
}
