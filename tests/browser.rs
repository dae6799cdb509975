//! Browser tests: real Chromium, real server, people who look, type and click. Everybody has a
//! browser of their own, and a test fails if a console says anything went wrong.

mod support;

mod browser {
    mod driver;
    mod page;
    mod proxy;
    mod scene;
    mod session;

    mod file_input;
    mod files;
    mod first_evening;
    mod history;
    mod injection;
    mod links;
    mod live;
    mod offline;
    mod pages;
    mod phone;
    mod pictures;
    mod portraits;
    mod upload_interruptions;
    mod without_scripts;
}
