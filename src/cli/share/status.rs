//! What others are told of the shared program beside its output: its folder, the Git working tree
//! there, and what its processes take.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::Shared;
use super::folder::{self, Folder, SaidFolder};
use super::git_status::git_status;
use crate::base::process_usage::UsageMeter;
use crate::modules::terminals::hello::Status;

/// Between two looks at the folder. Git is asked no more often, and only when something was done.
const LOOK_INTERVAL: Duration = Duration::from_secs(3);
/// Looks between two at what the processes take.
const USAGE_EVERY: u32 = 2;

/// What the program has said since the start, by escape sequences.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    /// Its folder, as an address; may be empty.
    pub(super) folder: String,
    /// How many prompts a shell has marked.
    pub(super) prompts: u64,
}

/// What of a terminal was there when Git was asked last: if it is the same, nothing was done.
#[derive(PartialEq)]
struct Asked {
    folder: PathBuf,
    foreground: Option<i32>,
    prompts: u64,
}

/// Looks again and again, as long as the program runs.
pub(super) async fn watch_status(root: u32, has_git: bool, shared: Shared) {
    let mut said_folder = SaidFolder::default();
    let mut asked: Option<Asked> = None;
    let mut meter: Option<UsageMeter> = None;
    let mut status = Status::default();
    for round in 0_u32.. {
        let said = shared.said.borrow().clone();
        let foreground = folder::foreground(root);
        said_folder.note(&said.folder, foreground);
        let found = said_folder.get();
        let found = found.or_else(|| folder::of_process(foreground, root).map(Folder::Here));
        match found {
            Some(Folder::Here(path)) => {
                status.folder = folder::short(&path);
                let now = Asked {
                    folder: path,
                    foreground,
                    prompts: said.prompts,
                };
                if has_git && asked.as_ref() != Some(&now) {
                    status.git = git_of(&now.folder).await;
                    asked = Some(now);
                }
            }
            Some(Folder::Elsewhere(place)) => {
                (status.folder, status.git) = (place, String::new());
                asked = None;
            }
            None => {}
        }
        if round.is_multiple_of(USAGE_EVERY) {
            let last = meter.take();
            let looked = spawn_blocking(move || {
                let mut meter = last.unwrap_or_else(|| UsageMeter::new(root));
                let usage = meter.read();
                (meter, usage)
            });
            if let Ok((used, usage)) = looked.await {
                meter = Some(used);
                // The first look has nothing to compare with.
                let usage = usage.filter(|_| round > 0);
                status.cpu_percent = usage.map(|usage| usage.cpu_percent);
                status.memory_mib = usage.map(|usage| usage.memory >> 20);
            }
        }
        let limited = status.clone().limited();
        shared.status.send_if_modified(|last| {
            let is_other = *last != limited;
            *last = limited;
            is_other
        });
        sleep(LOOK_INTERVAL).await;
    }
}

async fn git_of(folder: &Path) -> String {
    git_status(folder).await.unwrap_or_default()
}
