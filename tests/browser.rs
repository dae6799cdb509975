//! Browser tests: real Chromium, real server, people who look, type and click. Everybody has a
//! browser of their own, and a test fails if a console says anything went wrong.

mod support;

mod browser {
    mod driver;
    mod file_transfer;
    mod page;
    mod proxy;
    mod session;
    mod two_people;

    mod editing;
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
    mod printing;
    mod sign_out;
    mod text;
    mod times;
    mod upload_resume;
    mod without_scripts;
    mod writing;
}
