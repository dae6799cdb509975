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

    mod account_security;
    mod editing;
    mod files;
    mod find;
    mod first_evening;
    mod folds;
    mod forum;
    mod held_messages;
    mod history;
    mod injection;
    mod joins;
    mod letters;
    mod link_previews;
    mod links;
    mod live;
    mod media;
    mod mentions;
    mod message_marks;
    mod message_parts;
    mod moderation;
    mod new_host;
    mod notices;
    mod offline;
    mod pages;
    mod phone;
    mod pictures;
    mod places;
    mod plain_http;
    mod portraits;
    mod printing;
    mod questions;
    mod readers;
    mod reports;
    mod roles;
    mod rooms;
    mod search;
    mod sending;
    mod settings;
    mod sign_in_steps;
    mod sign_out;
    mod sorting;
    mod terminal_corpus;
    mod terminals;
    mod text;
    mod threads;
    mod times;
    mod unread_elsewhere;
    mod upload_resume;
    mod viewer;
    mod voice_devices;
    mod voice_messages;
    mod voice_rooms;
    mod ways_in;
    mod without_scripts;
    mod writing;
}
