//! Black-box tests: the real binary, real sockets, people who act. Each test has a server of its own unless it only
//! reads, and its name says what is guaranteed.

mod support;

mod blackbox {
    mod idempotency;
    mod invites;
    mod messages;
    mod rooms;
    mod setup;
    mod sign_in;
}
