//! A terminal: the end of its log, its screen, and the next frame for each who follows it.

use std::collections::VecDeque;

use super::frame::{Frame, Size};
use super::log::ByteLog;
use super::screen::Screen;
use super::signals::Signal;

/// Bytes of output that a follower is sent before it has acknowledged others.
pub const MAX_UNACKED_BYTES: u64 = 256 << 10;
/// Bytes of output of one frame.
const MAX_OUTPUT_BYTES: usize = 16 << 10;
/// Changes of the size that are kept beside the log.
const MAX_RESIZES: usize = 256;

/// A frame does not continue what has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("output between {expected} and {got} is missing")]
pub struct Gap {
    /// The position that was expected.
    pub expected: u64,
    /// The one that came.
    pub got: u64,
}

/// What a follower has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The position of the next byte that it gets; none: it has nothing yet, and gets the screen.
    position: Option<u64>,
    /// Everything before has arrived there.
    acked: u64,
    /// The next change of the size that it gets.
    resize: u64,
    has_exit: bool,
}

impl Cursor {
    /// Of somebody who has nothing yet.
    pub const NEW: Self = Self {
        position: None,
        acked: 0,
        resize: 0,
        has_exit: false,
    };

    /// Everything before a position has arrived.
    pub fn ack(&mut self, position: u64) {
        let sent = self.position.unwrap_or_default();
        self.acked = self.acked.max(position.min(sent));
    }

    /// The position before which everything has arrived.
    pub fn acked(&self) -> u64 {
        self.acked
    }

    /// Has it begin with the screen again.
    pub fn restart(&mut self) {
        *self = Self::NEW;
    }
}

/// A terminal, as far as one has to remember it. Its memory is bounded: the log, and two screens.
pub struct Terminal {
    log: ByteLog,
    screen: Screen,
    /// Where the size changed, oldest first.
    resizes: VecDeque<(u64, Size)>,
    /// The number of the first of them.
    first_resize: u64,
    exit: Option<i32>,
    /// Bytes that the sharer had to leave out.
    lost: u64,
}

/// A screen that is drawn before a terminal gets it: drawing takes time in which others read that.
pub struct NewScreen(Screen);

impl NewScreen {
    /// An empty one.
    pub fn new(size: Size) -> Self {
        Self(Screen::new(size))
    }

    /// Adds a piece of what draws it.
    pub fn draw(&mut self, bytes: &[u8]) {
        self.0.feed(bytes);
    }
}

impl Terminal {
    /// A terminal that has shown nothing yet.
    pub fn new(size: Size) -> Self {
        Self {
            log: ByteLog::default(),
            screen: Screen::new(size),
            resizes: VecDeque::new(),
            first_resize: 0,
            exit: None,
            lost: 0,
        }
    }

    /// The number of bytes of output so far.
    pub fn end(&self) -> u64 {
        self.log.end()
    }

    /// Columns and rows.
    pub fn size(&self) -> Size {
        self.screen.size()
    }

    /// The exit code of its program, if that has ended.
    pub fn exit(&self) -> Option<i32> {
        self.exit
    }

    /// Bytes of output that are not in the log and never were: the connection was away for too
    /// long. The screen is right nevertheless.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// The title that the program has set; may be empty.
    pub fn title(&self) -> &str {
        self.screen.title()
    }

    /// The screen as text.
    pub fn text(&self) -> String {
        self.screen.text()
    }

    /// The cells of the screen.
    pub fn cells(&self) -> &avt::Terminal {
        self.screen.cells()
    }

    /// What the program has said since this was last called.
    pub fn take_signals(&mut self) -> Vec<Signal> {
        self.screen.take_signals()
    }

    /// Adds output.
    pub fn write(&mut self, bytes: &[u8]) {
        self.log.append(bytes);
        self.screen.feed(bytes);
        let start = self.log.start();
        while self.resizes.front().is_some_and(|(at, _)| *at < start) {
            self.drop_resize();
        }
    }

    /// Changes the size, if it is another.
    pub fn resize(&mut self, size: Size) {
        if size == self.size() {
            return;
        }
        self.screen.resize(size);
        self.resizes.push_back((self.log.end(), size));
        if self.resizes.len() > MAX_RESIZES {
            self.drop_resize();
        }
    }

    fn drop_resize(&mut self) {
        self.resizes.pop_front();
        self.first_resize += 1;
    }

    /// Notes that the program has ended.
    pub fn end_with(&mut self, code: i32) {
        self.exit = Some(code);
    }

    /// Does what a frame of the terminal that this one mirrors says. What it has already changes
    /// nothing. Input and acknowledgements are no such frames, and ignored.
    ///
    /// # Errors
    /// When output between is missing.
    pub fn apply(&mut self, frame: &Frame) -> Result<(), Gap> {
        match frame {
            Frame::Output { position, bytes } => {
                let known = self.known(*position)?;
                if let Some(new) = bytes.get(known..) {
                    self.write(new);
                }
            }
            Frame::Resize { position, size } => {
                if self.known(*position)? == 0 {
                    self.resize(*size);
                }
            }
            Frame::Snapshot {
                position,
                size,
                bytes,
            } => {
                let mut screen = NewScreen::new(*size);
                screen.draw(bytes);
                self.replace(*position, screen);
            }
            Frame::Exit { position, code } => {
                self.known(*position)?;
                self.end_with(*code);
            }
            Frame::Input { .. }
            | Frame::Ack { .. }
            | Frame::FilePiece { .. }
            | Frame::Ping { .. }
            | Frame::Pong { .. } => {}
        }
        Ok(())
    }

    /// How many bytes after a position are here already.
    fn known(&self, position: u64) -> Result<usize, Gap> {
        let expected = self.log.end();
        match expected.checked_sub(position) {
            Some(known) => Ok(usize::try_from(known).unwrap_or(usize::MAX)),
            None => Err(Gap {
                expected,
                got: position,
            }),
        }
    }

    /// Has another screen from a position on, as a snapshot says.
    pub fn replace(&mut self, position: u64, screen: NewScreen) {
        let is_begun = self.log.end() > 0;
        if is_begun && position > self.log.end() {
            let lost = position - self.log.end();
            self.lost = self.lost.saturating_add(lost);
        }
        self.log = ByteLog::starting_at(position);
        self.screen = screen.0;
        // Everybody who had something from before gets the screen.
        self.first_resize += self.resizes.len() as u64 + 1;
        self.resizes.clear();
    }

    /// A cursor that goes on at a position, if everything after it is still here.
    pub fn resume(&self, position: u64) -> Cursor {
        let is_kept = (self.log.start()..=self.log.end()).contains(&position);
        if !is_kept {
            return Cursor::NEW;
        }
        // A change of the size at the very position may have arrived or not: it is sent again.
        let passed = self.resizes.iter().filter(|(at, _)| *at < position);
        Cursor {
            position: Some(position),
            acked: position,
            resize: self.first_resize + passed.count() as u64,
            has_exit: false,
        }
    }

    /// A cursor at the first byte that is still here.
    pub fn resume_at_start(&self) -> Cursor {
        self.resume(self.log.start())
    }

    /// The screen in one frame.
    pub fn snapshot(&self) -> Frame {
        Frame::Snapshot {
            position: self.log.end(),
            size: self.size(),
            bytes: self.screen.dump(),
        }
    }

    /// The next frame for somebody, with the cursor moved behind it. None: there is nothing new, or
    /// too much is not acknowledged.
    pub fn next(&self, cursor: &mut Cursor) -> Option<Frame> {
        let kept = cursor.position.filter(|position| {
            (self.log.start()..=self.log.end()).contains(position)
                && cursor.resize >= self.first_resize
        });
        let Some(position) = kept else {
            return self.next_snapshot(cursor);
        };
        let next_resize = cursor.resize.checked_sub(self.first_resize);
        let resize = next_resize.and_then(|index| self.resizes.get(index as usize));
        if let Some((_, size)) = resize.filter(|(at, _)| *at <= position) {
            cursor.resize += 1;
            let size = *size;
            return Some(Frame::Resize { position, size });
        }
        let until = resize.map_or(self.log.end(), |(at, _)| *at);
        if position == until {
            let code = self.exit.filter(|_| !cursor.has_exit)?;
            cursor.has_exit = true;
            return Some(Frame::Exit { position, code });
        }
        let credit = (cursor.acked + MAX_UNACKED_BYTES).saturating_sub(position);
        let max = (until - position).min(credit).min(MAX_OUTPUT_BYTES as u64);
        if max == 0 {
            return None;
        }
        let bytes = self.log.read(position, max as usize);
        cursor.position = Some(position + bytes.len() as u64);
        Some(Frame::Output { position, bytes })
    }

    /// The screen, once all that was sent before has arrived: at most one waits for a follower.
    fn next_snapshot(&self, cursor: &mut Cursor) -> Option<Frame> {
        let sent = cursor.position.unwrap_or_default();
        if sent > cursor.acked {
            return None;
        }
        let end = self.log.end();
        let is_first = cursor.position.is_none();
        cursor.position = Some(end);
        cursor.resize = self.first_resize + self.resizes.len() as u64;
        if is_first {
            cursor.acked = end;
        }
        Some(self.snapshot())
    }
}
