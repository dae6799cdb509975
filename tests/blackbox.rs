//! Black-box tests: the real binary, real sockets, people who act. Each test has a server of its
//! own unless it only reads, and its name says what is guaranteed.

mod support;

mod blackbox {
    mod attachments;
    mod authorization;
    mod client;
    mod connection_limits;
    mod direct_conversations;
    mod durability;
    mod emoji;
    mod error_answers;
    mod files;
    mod frame_compression;
    mod frame_rendering;
    mod fresh_pages;
    mod health;
    mod history;
    mod idempotency;
    mod invites;
    mod jobs;
    mod live;
    mod live_overload;
    mod messages;
    mod outside_modules;
    mod page_cache;
    mod page_delivery;
    mod pages;
    mod portraits;
    mod presence;
    mod private_files;
    mod private_rooms;
    mod rate_limits;
    mod request_concurrency;
    mod resume;
    mod revocation;
    mod rooms;
    mod sessions;
    mod setup;
    mod shutdown;
    mod sign_in;
    mod sign_in_limits;
    mod socket_limits;
    mod socket_messages;
    mod socket_opening;
    mod socket_resume;
    mod spaces;
    mod typing;
    mod unread;
    mod web_security;
}
