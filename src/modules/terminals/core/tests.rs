//! Logs, screens and followers, without sockets.

use proptest::prelude::*;

use super::screen::Screen;
use super::*;

const SIZE: Size = Size { cols: 20, rows: 6 };

/// Pieces of output that change every kind of state.
const PIECES: [&str; 26] = [
    "hello ",
    "\r\n",
    "世界",
    "🌊👩‍👩‍👧",
    "é̂",
    "\x1b[31;1m",
    "\x1b[38;2;10;200;90m",
    "\x1b[0m",
    "\x1b[2J\x1b[H",
    "\x1b[?1049h",
    "\x1b[?1049l",
    "\x1b[?25l",
    "\x1b[?25h",
    "\x1b[?1;2004h",
    "\x1b[?2004l",
    "\x1b[?1002;1006h",
    "\x1b[?1002l",
    "\x1b]2;vim\x07",
    "\x1b[2;4r",
    "\x1b[4;9H",
    "\x1b7",
    "\x1b8",
    "\x1b[3L",
    "\x07",
    "\x1b[?6h",
    "שלום",
];

fn assert_same(one: &Screen, other: &Screen) {
    let rows = |screen: &Screen| -> Vec<Vec<avt::Cell>> {
        let lines = screen.cells().screen().visible_lines();
        lines.map(|line| line.cells().to_vec()).collect()
    };
    assert_eq!(rows(one), rows(other));
    assert_eq!(one.cells().cursor(), other.cells().cursor());
    assert_eq!(one.dump(), other.dump());
}

fn output() -> impl Strategy<Value = (Vec<u8>, usize)> {
    let pieces = prop::collection::vec(prop::sample::select(&PIECES[..]), 1..60);
    let bytes = pieces.prop_map(|pieces| pieces.concat().into_bytes());
    bytes.prop_flat_map(|bytes| {
        let cut = 0..=bytes.len();
        (Just(bytes), cut)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whoever joins in the middle, even of a character or an escape sequence, sees the same.
    #[test]
    fn snapshot_and_rest_equal_the_whole((bytes, cut) in output()) {
        let mut whole = Screen::new(SIZE);
        whole.feed(&bytes);
        let (mut first, mut second) = (Screen::new(SIZE), Screen::new(SIZE));
        first.feed(&bytes[..cut]);
        second.feed(&first.dump());
        second.feed(&bytes[cut..]);
        assert_same(&whole, &second);
    }

    /// A mirror that gets frames of any size, some twice, ends equal, also in another size.
    #[test]
    fn mirror_equals_its_original((bytes, cut) in output(), again in 0_u64..40) {
        let mut original = Terminal::new(SIZE);
        let mut mirror = Terminal::new(SIZE);
        let mut cursor = Cursor::NEW;
        original.write(&bytes[..cut]);
        follow(&original, &mut mirror, &mut cursor);
        original.resize(Size::new(31, 9));
        original.write(&bytes[cut..]);
        let mut late = original.resume(mirror.end().saturating_sub(again));
        follow(&original, &mut mirror, &mut late);
        prop_assert_eq!(mirror.end(), original.end());
        prop_assert_eq!(mirror.text(), original.text());
        prop_assert_eq!(mirror.size(), original.size());
    }
}

/// Sends everything that a follower may get, and acknowledges it.
fn follow(from: &Terminal, to: &mut Terminal, cursor: &mut Cursor) -> Vec<Frame> {
    let mut sent = Vec::new();
    while let Some(frame) = from.next(cursor) {
        let frame = Frame::decode(&frame.encode()).expect("a frame");
        to.apply(&frame).expect("no gap");
        cursor.ack(to.end());
        sent.push(frame);
    }
    sent
}

#[test]
fn slow_follower_gets_a_snapshot_and_holds_nobody() {
    let mut original = Terminal::new(SIZE);
    let (mut slow, mut cursor) = (Terminal::new(SIZE), Cursor::NEW);
    follow(&original, &mut slow, &mut cursor);
    let mut sent = 0;
    for number in 0..40_000 {
        original.write(format!("line {number} of a long output that nobody reads\r\n").as_bytes());
        // It takes what it may, and acknowledges nothing.
        while let Some(frame) = original.next(&mut cursor) {
            assert!(slow.apply(&frame).is_ok());
            sent += frame.encode().len() as u64 - 9;
        }
    }
    assert!(sent < MAX_UNACKED_BYTES + 4_096, "{sent} bytes were sent");
    cursor.ack(slow.end());
    let frames = follow(&original, &mut slow, &mut cursor);
    assert!(
        matches!(frames[..], [Frame::Snapshot { .. }]),
        "{}",
        frames.len()
    );
    assert_eq!(slow.text(), original.text());
    assert!(slow.text().contains("line 39999"));
    assert!(slow.lost() > 1_000_000);
}

#[test]
fn cut_connection_resumes_from_the_acknowledged_position() {
    let mut original = Terminal::new(SIZE);
    let (mut mirror, mut cursor) = (Terminal::new(SIZE), Cursor::NEW);
    original.write(b"one\r\n");
    follow(&original, &mut mirror, &mut cursor);
    original.write(b"two\r\n");
    original.next(&mut cursor).expect("a frame, which is lost");
    original.end_with(3);
    let mut again = original.resume(mirror.end());
    let frames = follow(&original, &mut mirror, &mut again);
    assert!(matches!(frames[0], Frame::Output { position: 5, .. }));
    assert_eq!((mirror.text(), mirror.exit()), (original.text(), Some(3)));
    assert_eq!(mirror.lost(), 0);
    let far = Frame::Output {
        position: 99,
        bytes: vec![1],
    };
    assert_eq!(
        mirror.apply(&far),
        Err(Gap {
            expected: 10,
            got: 99
        })
    );
}

#[test]
fn signals_are_read_across_pieces_and_titles_are_text() {
    let mut terminal = Terminal::new(SIZE);
    for piece in [
        "\x1b]0;a\u{202e}b\n<b>c\x1b",
        "\\\x07\x1b]133;C\x07x\x1b]133;D;2",
        "\x07\x1b]52;c;eA==\x07",
    ] {
        terminal.write(piece.as_bytes());
    }
    assert_eq!(terminal.title(), "a\u{202e}b<b>c");
    assert_eq!(
        terminal.take_signals(),
        [
            Signal::Titled,
            Signal::Bell,
            Signal::CommandStarted,
            Signal::CommandEnded(Some(2)),
        ]
    );
    assert_eq!(terminal.text(), "x");
}

#[test]
fn colours_of_a_snapshot_are_written_as_xterm_reads_them() {
    let mut terminal = Terminal::new(SIZE);
    terminal.write(b"\x1b[1;38;2;250;120;10;48;5;99m38:2:1 \x1b[0m");
    let Frame::Snapshot { bytes, .. } = terminal.snapshot() else {
        panic!("a snapshot");
    };
    let dump = String::from_utf8_lossy(&bytes).into_owned();
    assert!(dump.contains("38;2;250;120;10;48;5;99m38:2:1"), "{dump:?}");
}

#[test]
fn frame_with_a_wrong_size_or_length_is_refused() {
    let size = Size::new(80, 24);
    let snapshot = Frame::Snapshot {
        position: 7,
        size,
        bytes: b"x".to_vec(),
    };
    assert_eq!(Frame::decode(&snapshot.encode()), Ok(snapshot.clone()));
    let mut wrong = snapshot.encode();
    wrong[9..11].copy_from_slice(&0_u16.to_be_bytes());
    assert_eq!(Frame::decode(&wrong), Err(Malformed));
    let mut far = snapshot.encode();
    far[1..9].copy_from_slice(&(MAX_POSITION + 1).to_be_bytes());
    assert_eq!(Frame::decode(&far), Err(Malformed));
    for bytes in [
        &b""[..],
        b"\x01",
        b"\x03\0\0\0\0\0\0\0\x01",
        b"\x0a\0\0\0\0\0\0\0\x01",
    ] {
        assert_eq!(Frame::decode(bytes), Err(Malformed));
    }
    assert_eq!(
        Size::new(5_000, 5_000),
        Size {
            cols: 1_000,
            rows: 200
        }
    );
}
