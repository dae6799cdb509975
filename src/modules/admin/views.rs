//! The templates of the host's pages.

use askama::Template;

use crate::community::Shell;
use crate::engine::bus::DeadLetter;
use crate::engine::jobs::Overview;
use crate::engine::web::Head;

#[derive(Template)]
#[template(path = "admin/dead_letters.html", blocks = ["app"])]
pub(super) struct DeadLettersPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) letters: Vec<DeadLetter>,
}

#[derive(Template)]
#[template(path = "admin/jobs.html", blocks = ["app", "region"])]
pub(super) struct JobsPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) feed: String,
    pub(super) overview: Overview,
}
