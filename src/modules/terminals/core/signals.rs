//! What a program says to its terminal besides drawing: the modes of its input, its title, the
//! bell, and marks of prompts (OSC 133).
//!
//! Nothing that a program says is ever answered or done: OSC 52 (the clipboard), for instance, is
//! not even read.

use std::fmt::Write;

/// Bytes of a parameter or of a string that are read; what is longer is ignored.
const MAX_PARAMS: usize = 64;
const MAX_STRING: usize = 1_024;
/// Characters of a title.
const MAX_TITLE_CHARS: usize = 120;
/// Signals that wait to be taken; further ones are dropped.
const MAX_SIGNALS: usize = 64;

/// Input modes that viewers have to know of, by their numbers in DECSET: mouse (9, 1000, 1002,
/// 1003) with its encodings (1005, 1006, 1015, 1016), focus (1004), bracketed paste (2004).
/// The keys' mode (1) and all that is drawn is the screen's.
const MODES: [u16; 10] = [9, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004];

/// Something that a program said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// It has another title.
    Titled,
    /// It rang the bell.
    Bell,
    /// It is in this folder, as an address (OSC 7).
    Folder(String),
    /// A shell waits for a command (OSC 133 A).
    Prompt,
    /// A command of a shell began (OSC 133 C).
    CommandStarted,
    /// It ended (OSC 133 D), with its exit code if the shell says so.
    CommandEnded(Option<i32>),
}

#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Ground,
    Escape,
    Control,
    /// An OSC string.
    Command,
    /// Another string (DCS, SOS, PM, APC), which means nothing here.
    Ignored,
    /// A string may end: an escape came.
    Ending(bool),
}

/// Follows the output of a program.
#[derive(Default)]
pub(super) struct Signals {
    state: State,
    /// Parameters or a string, as far as they came.
    text: String,
    /// Which of [`MODES`] are set.
    modes: [bool; MODES.len()],
    application_keypad: bool,
    title: String,
    waiting: Vec<Signal>,
}

impl Signals {
    pub(super) fn title(&self) -> &str {
        &self.title
    }

    pub(super) fn take(&mut self) -> Vec<Signal> {
        std::mem::take(&mut self.waiting)
    }

    /// What gives a new terminal the same modes and title.
    pub(super) fn dump(&self) -> String {
        let mut dump = String::new();
        for (number, _) in MODES.iter().zip(self.modes).filter(|(_, is_set)| *is_set) {
            // Writing into a string does not fail.
            let _ = write!(dump, "\x1b[?{number}h");
        }
        if self.application_keypad {
            dump.push_str("\x1b=");
        }
        if !self.title.is_empty() {
            let _ = write!(dump, "\x1b]2;{}\x07", self.title);
        }
        dump
    }

    pub(super) fn feed(&mut self, text: &str) {
        for letter in text.chars() {
            self.take_char(letter);
        }
    }

    fn take_char(&mut self, letter: char) {
        let before = self.state;
        self.state = match (before, letter) {
            (State::Command | State::Ignored, '\x1b') => State::Ending(before == State::Command),
            (State::Command, '\x07' | '\u{9c}') | (State::Ending(true), '\\') => {
                self.end_command();
                State::Ground
            }
            (State::Ending(_), '\\') | (State::Ignored, '\u{9c}') => State::Ground,
            (State::Command, _) => {
                self.keep(letter, MAX_STRING);
                State::Command
            }
            (State::Ignored, '\x18' | '\x1a') => State::Ground,
            (State::Ignored, _) => State::Ignored,
            (_, '\x1b') => State::Escape,
            (_, '\u{9b}') => self.begin(State::Control),
            (_, '\u{9d}') => self.begin(State::Command),
            (_, '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}') => State::Ignored,
            (State::Escape | State::Ending(_), _) => self.escape(letter),
            (State::Control, '\x20'..='\x3f') => {
                self.keep(letter, MAX_PARAMS);
                State::Control
            }
            (State::Control, '\x40'..='\x7e') => {
                self.end_control(letter);
                State::Ground
            }
            (State::Control, '\0'..='\x17') => before,
            (_, '\x07') => {
                self.signal(Signal::Bell);
                State::Ground
            }
            _ => State::Ground,
        };
    }

    fn begin(&mut self, state: State) -> State {
        self.text.clear();
        state
    }

    fn keep(&mut self, letter: char, max: usize) {
        if self.text.len() < max {
            self.text.push(letter);
        }
    }

    fn signal(&mut self, signal: Signal) {
        if self.waiting.len() < MAX_SIGNALS {
            self.waiting.push(signal);
        }
    }

    /// The character after an escape.
    fn escape(&mut self, letter: char) -> State {
        match letter {
            '[' => return self.begin(State::Control),
            ']' => return self.begin(State::Command),
            'P' | 'X' | '^' | '_' => return State::Ignored,
            'c' => {
                self.modes = Default::default();
                self.application_keypad = false;
            }
            '=' => self.application_keypad = true,
            '>' => self.application_keypad = false,
            // Part of the sequence: another character ends it.
            '\x20'..='\x2f' => return State::Escape,
            _ => {}
        }
        State::Ground
    }

    /// A control sequence is complete.
    fn end_control(&mut self, last: char) {
        let Some(numbers) = self.text.strip_prefix('?') else {
            return;
        };
        let is_set = match last {
            'h' => true,
            'l' => false,
            _ => return,
        };
        for number in numbers
            .split(';')
            .filter_map(|number| number.parse::<u16>().ok())
        {
            let modes = MODES.iter().zip(&mut self.modes);
            for (_, mode) in modes.filter(|(mode, _)| **mode == number) {
                *mode = is_set;
            }
        }
    }

    /// An OSC string is complete.
    fn end_command(&mut self) {
        let text = std::mem::take(&mut self.text);
        let Some((number, rest)) = text.split_once(';') else {
            return;
        };
        match number {
            "0" | "2" => {
                let visible = rest.chars().filter(|letter| !letter.is_control());
                let title: String = visible.take(MAX_TITLE_CHARS).collect();
                if title != self.title {
                    self.title = title;
                    self.signal(Signal::Titled);
                }
            }
            "7" => self.signal(Signal::Folder(rest.to_owned())),
            "133" => {
                let mut parts = rest.split(';');
                match parts.next() {
                    Some("A") => self.signal(Signal::Prompt),
                    Some("C") => self.signal(Signal::CommandStarted),
                    Some("D") => {
                        let code = parts.next().and_then(|code| code.parse().ok());
                        self.signal(Signal::CommandEnded(code));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}
