//! Files that others offer: each is asked about on the user's own terminal, and written only when
//! they take it.

use std::collections::VecDeque;
use std::path::PathBuf;

use tokio::sync::mpsc;

use super::ask::Ask;
use super::folder;
use super::received_file::{ReceivedFile, clean_name};
use crate::base::bytes_in_words;
use crate::modules::terminals::hello::{ServerNote, SharerNote};

/// Offers that wait for their question; further ones are not taken.
const MAX_OFFERS: usize = 8;
/// Characters of the name of who offers a file.
const MAX_NAME_CHARS: usize = 60;
/// Bytes of a file that is taken, whatever the server says.
const MAX_TAKEN_BYTES: u64 = 64 << 20;

/// What comes from the server.
#[derive(Debug)]
pub(super) enum FileEvent {
    Note(ServerNote),
    /// Bytes of the file that was taken.
    Piece(Vec<u8>),
    /// A new connection: nothing that was offered is any more.
    Reconnected,
}

/// Both ends of the task that takes files.
pub(super) struct FileLink {
    pub(super) events: mpsc::Sender<FileEvent>,
    pub(super) notes: mpsc::Receiver<SharerNote>,
}

struct Offer {
    file: String,
    name: String,
    size: u64,
    by: String,
}

/// A file on its way.
struct Taken {
    file: String,
    name: String,
    written: ReceivedFile,
}

/// Asks about files, and writes those that are taken, as long as the program runs.
pub(super) struct FileTaker {
    ask: Ask,
    root: u32,
    events: mpsc::Receiver<FileEvent>,
    notes: mpsc::Sender<SharerNote>,
    offers: VecDeque<Offer>,
    taken: Option<Taken>,
}

impl FileTaker {
    /// `root`: the program in whose folder they are written.
    pub(super) fn new(ask: Ask, root: u32) -> (Self, FileLink) {
        let (to_taker, events) = mpsc::channel(64);
        let (to_server, notes) = mpsc::channel(64);
        let taker = Self {
            ask,
            root,
            events,
            notes: to_server,
            offers: VecDeque::new(),
            taken: None,
        };
        let link = FileLink {
            events: to_taker,
            notes,
        };
        (taker, link)
    }

    /// Runs until the connection is given up.
    pub(super) async fn run(mut self) {
        loop {
            let next = self.offers.pop_front_if(|_| self.taken.is_none());
            match next {
                Some(offer) => {
                    if self.ask_about(offer).await.is_none() {
                        return;
                    }
                }
                None => match self.events.recv().await {
                    Some(event) => self.handle(event).await,
                    None => return,
                },
            }
        }
    }

    async fn send(&self, note: SharerNote) {
        drop(self.notes.send(note).await);
    }

    async fn handle(&mut self, event: FileEvent) {
        match event {
            FileEvent::Note(ServerNote::FileOffer {
                file,
                name,
                size,
                by,
            }) => {
                if self.offers.len() >= MAX_OFFERS || size > MAX_TAKEN_BYTES {
                    return self
                        .send(SharerNote::FileAnswer { file, takes: false })
                        .await;
                }
                let by = by.chars().filter(|letter| !letter.is_control());
                self.offers.push_back(Offer {
                    file,
                    name: clean_name(&name),
                    size,
                    by: by.take(MAX_NAME_CHARS).collect(),
                });
            }
            FileEvent::Note(ServerNote::FileWithdrawn { file }) => {
                self.offers.retain(|offer| offer.file != file);
                self.taken.take_if(|taken| taken.file == file);
            }
            FileEvent::Piece(bytes) => self.write(&bytes).await,
            FileEvent::Reconnected => {
                self.offers.clear();
                self.taken = None;
            }
        }
    }

    /// Asks about a file, unless it is withdrawn meanwhile. `None` when there is no server any more.
    async fn ask_about(&mut self, offer: Offer) -> Option<()> {
        let place = folder::of_process(folder::foreground(self.root), self.root);
        let place = place.unwrap_or_else(|| PathBuf::from("."));
        let question = format!(
            "[tidepool] {} wants to put {}, {}, into {}?",
            offer.by,
            offer.name,
            bytes_in_words(offer.size),
            folder::short(&place)
        );
        let ask = self.ask.clone();
        let mut asking = Box::pin(async move { ask.ask(&question).await });
        let takes = loop {
            tokio::select! {
                takes = &mut asking => break takes,
                event = self.events.recv() => {
                    let is_over = match event.as_ref()? {
                        FileEvent::Reconnected => true,
                        FileEvent::Note(ServerNote::FileWithdrawn { file }) => *file == offer.file,
                        _ => false,
                    };
                    self.handle(event?).await;
                    if is_over {
                        return Some(());
                    }
                }
            }
        };
        drop(asking);
        let file = offer.file.clone();
        if takes {
            match ReceivedFile::begin(&place, offer.size) {
                Ok(written) => {
                    self.taken = Some(Taken {
                        file: offer.file,
                        name: offer.name,
                        written,
                    });
                }
                // It is taken and then not written, which is what others are told.
                Err(_) => {
                    self.send(SharerNote::FileAnswer {
                        file: file.clone(),
                        takes,
                    })
                    .await;
                    self.send(SharerNote::FileEnd {
                        file,
                        stored_as: None,
                    })
                    .await;
                    return Some(());
                }
            }
        }
        self.send(SharerNote::FileAnswer { file, takes }).await;
        Some(())
    }

    async fn write(&mut self, bytes: &[u8]) {
        let Some(mut taken) = self.taken.take() else {
            return;
        };
        let stored_as = match taken.written.write(bytes) {
            Ok(false) => {
                self.taken = Some(taken);
                return;
            }
            Ok(true) => taken.written.finish(&taken.name).ok(),
            Err(_) => None,
        };
        self.send(SharerNote::FileEnd {
            file: taken.file,
            stored_as,
        })
        .await;
    }
}
