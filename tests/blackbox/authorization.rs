//! Every route, feed and action, used by people who may not: they never get data. The tables must
//! name all there is, so that what is added fails `tables` until it is listed.

mod actions;
mod feeds;
mod routes;
mod scene;
mod tables;
