//! Searching the text of a terminal: in what has scrolled away, as far as it is in the log, and on
//! the screen.

use std::time::{Duration, Instant};

use regex::{Regex, RegexBuilder};
use tokio::sync::Semaphore;

use super::Terminals;
use super::core::{Frame, Size, history_lines};
use super::model::TerminalRow;
use super::open::{Begin, Who};
use super::watching::ToWatcher;
use crate::base::error::{Error, Result};
use crate::engine::rate_limit::Rate;
use crate::engine::viewer::Viewer;

/// Characters of what is searched; what is longer is cut.
const MAX_QUERY_CHARS: usize = 100;
/// Lines with hits that are shown, the last ones. All are counted.
const MAX_HIT_LINES: usize = 200;
/// Characters of such a line, and those before its first hit.
const MAX_LINE_CHARS: usize = 300;
const CHARS_BEFORE_HIT: usize = 60;
/// For drawing all output again. What takes longer is searched on the screen only.
const DRAW_TIMEOUT: Duration = Duration::from_secs(1);
/// Searches of one account in a minute, on one instance.
const MAX_SEARCHES_PER_MINUTE: u32 = 30;
/// Searches of one instance at once.
const MAX_SEARCHES: usize = 2;

static SEARCHES: Semaphore = Semaphore::const_new(MAX_SEARCHES);

/// A line in which something was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HitLine {
    /// From 1.
    pub(super) number: usize,
    /// Its text in pieces; the flag says which are hits.
    pub(super) pieces: Vec<(String, bool)>,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The last lines with hits, in their order.
    pub(super) lines: Vec<HitLine>,
    /// All hits.
    pub(super) hits: usize,
    /// Lines that were searched.
    pub(super) searched: usize,
    /// Whether only the screen was searched.
    pub(super) is_screen_only: bool,
}

/// What is searched: of one line, and not empty.
pub(super) fn query_of(text: &str) -> Option<String> {
    let visible = text.chars().filter(|letter| !letter.is_control());
    let query: String = visible.take(MAX_QUERY_CHARS).collect();
    (!query.trim().is_empty()).then_some(query)
}

impl Terminals {
    /// Searches a terminal for a text, without regard to case unless it has capitals.
    ///
    /// # Errors
    /// `TooMany` for who searches often.
    pub(super) async fn search(
        &self,
        viewer: Viewer,
        row: &TerminalRow,
        query: &str,
    ) -> Result<Option<Found>> {
        let rate: &Rate<_> = &self.searches;
        rate.check(&viewer.account)?;
        let _permit = SEARCHES.acquire().await;
        let who = Who::Member(viewer);
        let Some((size, end, screen)) = self.snapshot_of(who.clone(), row).await else {
            return Ok(None);
        };
        let frames = self.log_of(who, row, end).await.unwrap_or_default();
        let pattern = pattern_of(query)?;
        let searching = tokio::task::spawn_blocking(move || {
            let lines = match frames.is_empty() {
                true => None,
                false => history_lines(size, &frames, Instant::now() + DRAW_TIMEOUT),
            };
            let is_screen_only = lines.is_none();
            let lines = lines.unwrap_or_else(|| screen.lines().map(str::to_owned).collect());
            Found {
                is_screen_only,
                ..find(&lines, &pattern)
            }
        });
        let found = searching.await;
        found
            .map(Some)
            .map_err(|error| Error::Internal(error.into()))
    }

    /// The size of a terminal, the position that its screen is at, and its text.
    async fn snapshot_of(&self, who: Who, row: &TerminalRow) -> Option<(Size, u64, String)> {
        let (_incoming, mut outgoing) = self.open_link(row, who, Begin::Screen).await.ok()?;
        while let Some(message) = outgoing.recv().await {
            let ToWatcher::Frame(bytes) = message else {
                continue;
            };
            let frame = Frame::decode(&bytes).ok()?;
            let Frame::Snapshot { position, size, .. } = frame else {
                return None;
            };
            let mut screen = super::core::Terminal::new(size);
            screen.apply(&frame).ok()?;
            return Some((size, position, screen.text()));
        }
        None
    }

    /// Everything that is left of a terminal's output before a position.
    async fn log_of(&self, who: Who, row: &TerminalRow, end: u64) -> Option<Vec<Frame>> {
        let (incoming, mut outgoing) = self.open_link(row, who, Begin::Log).await.ok()?;
        let ping = Frame::Ping { position: 0 };
        incoming.send(ping.clone()).await.ok()?;
        let (mut frames, mut has_news) = (Vec::new(), false);
        while let Some(message) = outgoing.recv().await {
            let ToWatcher::Frame(bytes) = message else {
                continue;
            };
            let frame = Frame::decode(&bytes).ok()?;
            match &frame {
                Frame::Output { position, bytes } => {
                    let position = position + bytes.len() as u64;
                    incoming.send(Frame::Ack { position }).await.ok()?;
                    has_news = true;
                    frames.push(frame);
                    if position >= end {
                        return Some(frames);
                    }
                }
                Frame::Resize { .. } => frames.push(frame),
                // Nothing has come since it was asked: there is no more.
                Frame::Pong { .. } if !has_news => return Some(frames),
                Frame::Pong { .. } => {
                    has_news = false;
                    incoming.send(ping.clone()).await.ok()?;
                }
                _ => return Some(frames),
            }
        }
        None
    }
}

/// Takes hits in linear time, whatever is searched.
fn pattern_of(query: &str) -> Result<Regex> {
    let has_capitals = query.chars().any(char::is_uppercase);
    let pattern = RegexBuilder::new(&regex::escape(query))
        .case_insensitive(!has_capitals)
        .build();
    pattern.map_err(|error| Error::Internal(error.into()))
}

fn find(lines: &[String], pattern: &Regex) -> Found {
    let mut found = Found {
        searched: lines.len(),
        ..Found::default()
    };
    for (index, line) in lines.iter().enumerate().rev() {
        let hits = pattern.find_iter(line).count();
        found.hits += hits;
        if hits > 0 && found.lines.len() < MAX_HIT_LINES {
            found.lines.push(HitLine {
                number: index + 1,
                pieces: pieces_of(line, pattern),
            });
        }
    }
    found.lines.reverse();
    found
}

/// The part of a line around its first hit, cut at hits.
fn pieces_of(line: &str, pattern: &Regex) -> Vec<(String, bool)> {
    let first = pattern.find(line).map_or(0, |hit| hit.start());
    let mut before = line[..first].char_indices().rev();
    let start = before.nth(CHARS_BEFORE_HIT - 1).map_or(0, |(at, _)| at);
    let line = &line[start..];
    let end = line.char_indices().nth(MAX_LINE_CHARS);
    let line = &line[..end.map_or(line.len(), |(at, _)| at)];
    let mut pieces = Vec::new();
    let mut push = |text: &str, is_hit: bool| {
        if !text.is_empty() {
            pieces.push((text.to_owned(), is_hit));
        }
    };
    let mut taken = 0;
    for hit in pattern.find_iter(line) {
        push(&line[taken..hit.start()], false);
        push(hit.as_str(), true);
        taken = hit.end();
    }
    push(&line[taken..], false);
    pieces
}

/// The searches of accounts.
pub(super) fn rate() -> Rate<crate::base::ids::AccountId> {
    Rate::new(MAX_SEARCHES_PER_MINUTE, Duration::from_secs(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: &[&str], query: &str) -> Found {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        find(&lines, &pattern_of(query).expect("a pattern"))
    }

    #[test]
    fn hits_are_counted_and_marked_in_their_lines() {
        let found = found(&["Error: an error", "fine", "a.b", "axb"], "error");
        assert_eq!((found.hits, found.searched), (2, 4));
        let piece = |text: &str, is_hit: bool| (text.to_owned(), is_hit);
        let pieces = vec![
            piece("Error", true),
            piece(": an ", false),
            piece("error", true),
        ];
        assert_eq!(found.lines, [HitLine { number: 1, pieces }]);
    }

    #[test]
    fn capitals_count_and_signs_mean_themselves() {
        assert_eq!(found(&["Error", "error"], "Error").hits, 1);
        assert_eq!(found(&["a.b", "axb"], "a.b").hits, 1);
        assert_eq!(query_of(" \x1b "), None);
    }

    #[test]
    fn long_lines_are_cut_around_the_first_hit() {
        let line = format!("{}世界{}", "ä".repeat(1_000), "ö".repeat(1_000));
        let found = found(&[&line], "世");
        let shown: String = found.lines[0]
            .pieces
            .iter()
            .map(|(text, _)| &**text)
            .collect();
        assert_eq!(shown.chars().count(), MAX_LINE_CHARS);
        assert!(found.lines[0].pieces[1] == ("世".to_owned(), true));
    }

    #[test]
    fn only_the_last_lines_are_shown() {
        let lines: Vec<String> = (0..500).map(|number| format!("x {number}")).collect();
        let found = find(&lines, &pattern_of("x").expect("a pattern"));
        assert_eq!((found.hits, found.lines.len()), (500, MAX_HIT_LINES));
        assert_eq!(found.lines[199].number, 500);
    }
}
