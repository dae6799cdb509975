//! Every route, action and feed as somebody who may not: never data. The tables must name all there
//! is, so whoever adds one lists it here.

mod actions;
mod completeness;
mod feeds;
mod fixture;
mod ranks;
mod routes;
