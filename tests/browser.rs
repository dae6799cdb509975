//! Browser tests: real Chromium, real server, people who look, type and click. Everybody has a
//! browser of their own, and a test fails if a console says anything went wrong.

mod support;

mod browser {
    mod driver;
    mod person;
    mod proxy;
    mod scene;

    mod evening;
    mod files;
    mod history;
    mod links;
    mod live;
    mod offline;
    mod pages;
    mod phone;
    mod pictures;
    mod plain;
    mod portraits;
    mod probes;
}
