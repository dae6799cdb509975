//! Black-box tests: the real binary, real sockets, people who act. Each test has a server of its
//! own unless it only reads, and its name says what is guaranteed.

mod support;

mod blackbox {
    mod attachments;
    mod authorization;
    mod client;
    mod concurrency_limits;
    mod connection_limits;
    mod cursors;
    mod daily_limits;
    mod damage;
    mod direct_conversations;
    mod durability;
    mod emoji;
    mod feeds;
    mod files;
    mod frame_rendering;
    mod fresh_pages;
    mod history;
    mod http_caching;
    mod http_errors;
    mod idempotency;
    mod invites;
    mod jobs;
    mod live_overload;
    mod log_secrets;
    mod message_frames;
    mod messages;
    mod metrics;
    mod outside_modules;
    mod page_cache;
    mod pages;
    mod portraits;
    mod presence;
    mod private_files;
    mod private_rooms;
    mod rate_limits;
    mod resume;
    mod revocation;
    mod rooms;
    mod security_headers;
    mod sessions;
    mod setup;
    mod shutdown;
    mod sidebar;
    mod sign_in;
    mod sign_in_limits;
    mod socket_auth;
    mod socket_compression;
    mod socket_limits;
    mod socket_messages;
    mod spaces;
    mod typing;
    mod unread;
    mod write_queue;
}
