//! Offers of permessage-deflate, and which of them is accepted (RFC 7692, section 7.1).

/// How far back a compressed message may refer for this client to inflate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// 8 to 15: the window has two to the power of so many bytes.
    pub(super) bits: u8,
}

impl Window {
    /// 32 KiB: what every client can inflate with unless it says otherwise.
    pub const MAX: Self = Self { bits: 15 };

    /// Whether a message of this many bytes, before compression, may be sent compressed to this
    /// client. No message refers further back than to its own first byte, so one compressed with a
    /// larger window is fine if it fits into this one; any other goes out as it is (RFC 7692,
    /// section 6, lets each message choose).
    pub fn takes(self, len: usize) -> bool {
        self == Self::MAX || len <= 1 << self.bits
    }
}

/// An offer of permessage-deflate that we accept.
#[derive(Clone, Copy)]
pub(super) struct Offer {
    /// What `server_max_window_bits` asks for.
    pub(super) window: Option<Window>,
}

impl Offer {
    /// The header that accepts it. A server may demand that neither side carries its context over,
    /// whatever was offered (RFC 7692, section 7.1.1). The server inflates any window, so it does
    /// not limit the client's.
    pub(super) fn answer(self) -> String {
        let mut answer =
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover".to_owned();
        if let Some(Window { bits }) = self.window {
            // Has to be confirmed (RFC 7692, section 7.1.2.1).
            answer += &format!("; server_max_window_bits={bits}");
        }
        answer
    }
}

/// The first offer of a header line that can be accepted.
pub(super) fn acceptable_offer(line: &str) -> Option<Offer> {
    split_outside_quotes(line, ',').find_map(parse_offer)
}

/// Reads one offer. None if it is for another extension, or has a parameter that is unknown, there
/// twice or with a value that it must not have: such an offer has to be declined (RFC 7692, section
/// 7.1).
fn parse_offer(offer: &str) -> Option<Offer> {
    let mut parts = split_outside_quotes(offer, ';').map(str::trim);
    if parts.next() != Some("permessage-deflate") {
        return None;
    }
    let (mut window, mut seen) = (None, Vec::new());
    for parameter in parts {
        let (name, value) = match parameter.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(unquoted(value.trim_start()))),
            None => (parameter, None),
        };
        if seen.contains(&name) {
            return None;
        }
        seen.push(name);
        match (name, value) {
            (
                "server_no_context_takeover"
                | "client_no_context_takeover"
                | "client_max_window_bits",
                None,
            ) => {}
            ("client_max_window_bits", Some(value)) => drop(window_of(value)?),
            ("server_max_window_bits", Some(value)) => window = Some(window_of(value)?),
            _ => return None,
        }
    }
    Some(Offer { window })
}

/// 8 to 15, without leading zeros (RFC 7692, section 7.1.2).
fn window_of(value: &str) -> Option<Window> {
    let bits = value.parse().ok().filter(|bits| (8..=15).contains(bits))?;
    (!value.starts_with(['0', '+'])).then_some(Window { bits })
}

fn unquoted(value: &str) -> &str {
    value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value)
}

/// Splits at a separator, but not inside a quoted string (RFC 6455, section 9.1).
fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |next| {
        let literal = std::mem::take(&mut escaped);
        match next {
            '"' if !literal => quoted = !quoted,
            '\\' if quoted && !literal => escaped = true,
            _ => {}
        }
        next == separator && !quoted
    })
}
