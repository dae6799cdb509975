//! What a file of WebM or MP4 holds: browsers record sound in the containers of videos.

/// Boxes of MP4, and elements of WebM, that are looked at: what comes first tells.
const MAX_PARTS: usize = 512;

/// Whether the tracks that the beginning of a file declares are all sound. Those of a file that
/// declares them at its end are not known.
pub(super) fn is_sound_only(head: &[u8]) -> bool {
    let mut tracks = Tracks::default();
    let mut parts = MAX_PARTS;
    match head.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) {
        true => read_webm(head, &mut tracks, &mut parts),
        false => read_mp4(head, &mut tracks, &mut parts),
    };
    tracks.sound > 0 && tracks.others == 0
}

/// How many tracks there are of each kind.
#[derive(Default)]
struct Tracks {
    sound: usize,
    others: usize,
}

impl Tracks {
    fn add(&mut self, is_sound: bool) {
        match is_sound {
            true => self.sound += 1,
            false => self.others += 1,
        }
    }
}

/// A number of EBML of variable length (RFC 8794, section 4), and the bytes it takes. `None` for
/// an unknown size. Ids keep the bits that tell their length.
fn ebml_number(bytes: &[u8], keeps_marker: bool) -> Option<(Option<u64>, usize)> {
    let first = *bytes.first()?;
    let length = first.leading_zeros() as usize + 1;
    let digits = bytes.get(..length).filter(|_| length <= 8)?;
    let mut value = 0_u64;
    for digit in digits {
        value = value << 8 | u64::from(*digit);
    }
    let marker = 1_u64 << (7 * length);
    let is_unknown = value == marker | (marker - 1);
    Some(match (keeps_marker, is_unknown) {
        (true, _) => (Some(value), length),
        (false, true) => (None, length),
        (false, false) => (Some(value & (marker - 1)), length),
    })
}

/// Reads the elements that `bytes` begin with, and those within the ones that lead to tracks (RFC
/// 9559, section 5.1). False once there is no more to read.
fn read_webm(mut bytes: &[u8], tracks: &mut Tracks, parts: &mut usize) -> bool {
    const SEGMENT: u64 = 0x1853_8067;
    const TRACKS: u64 = 0x1654_ae6b;
    const TRACK_ENTRY: u64 = 0xae;
    const TRACK_TYPE: u64 = 0x83;
    const CLUSTER: u64 = 0x1f43_b675;
    const SOUND: u8 = 2;
    while !bytes.is_empty() {
        *parts = parts.saturating_sub(1);
        let Some((Some(id), of_id)) = ebml_number(bytes, true) else {
            return false;
        };
        let Some((size, of_size)) = ebml_number(&bytes[of_id..], false) else {
            return false;
        };
        let content = &bytes[of_id + of_size..];
        // One whose end is not known ends with the file.
        let end = size.map_or(content.len(), |size| {
            usize::try_from(size).unwrap_or(usize::MAX)
        });
        let inner = &content[..end.min(content.len())];
        let goes_on = match id {
            SEGMENT | TRACKS | TRACK_ENTRY => read_webm(inner, tracks, parts),
            TRACK_TYPE => {
                tracks.add(inner == [SOUND]);
                true
            }
            // Tracks are declared before what is in them.
            CLUSTER => false,
            _ => true,
        };
        if !goes_on || *parts == 0 || end > content.len() {
            return false;
        }
        bytes = &content[end..];
    }
    true
}

/// The same for the boxes of MP4 (ISO/IEC 14496-12, sections 4.2 and 8.4.3).
fn read_mp4(mut bytes: &[u8], tracks: &mut Tracks, parts: &mut usize) -> bool {
    while bytes.len() >= 8 {
        *parts = parts.saturating_sub(1);
        let short = bytes
            .first_chunk()
            .map_or(0, |size| u32::from_be_bytes(*size));
        let name = &bytes[4..8];
        let (header, size) = match short {
            0 => (8, bytes.len()),
            1 => match bytes.get(8..16).and_then(|long| long.try_into().ok()) {
                Some(long) => {
                    let size = u64::from_be_bytes(long);
                    (16, usize::try_from(size).unwrap_or(usize::MAX))
                }
                None => return false,
            },
            size => (8, size as usize),
        };
        let Some(inner) = bytes.get(header..size.min(bytes.len())) else {
            return false;
        };
        let goes_on = match name {
            b"moov" | b"trak" | b"mdia" => read_mp4(inner, tracks, parts),
            // Version and flags, and four bytes that are zero, come before the kind.
            b"hdlr" => {
                tracks.add(inner.get(8..12) == Some(b"soun"));
                true
            }
            _ => true,
        };
        if !goes_on || *parts == 0 || size > bytes.len() {
            return false;
        }
        bytes = &bytes[size..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An element of an id in hexadecimal.
    fn element(id: u32, content: &[u8]) -> Vec<u8> {
        let id = id.to_be_bytes();
        let id = &id[id.iter().position(|byte| *byte != 0).unwrap()..];
        let size = [0x40 | (content.len() >> 8) as u8, content.len() as u8];
        [id, &size, content].concat()
    }

    fn webm(kinds: &[u8]) -> Vec<u8> {
        let entry = |kind: &u8| {
            element(
                0xae,
                &[element(0xd7, &[1]), element(0x83, &[*kind])].concat(),
            )
        };
        let tracks: Vec<u8> = kinds.iter().flat_map(entry).collect();
        let header = element(0x1a45_dfa3, &element(0x4282, b"webm"));
        // A recording does not know how long it is: its segment has no size.
        let segment = [
            0x18, 0x53, 0x80, 0x67, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        ];
        [
            &header[..],
            &segment,
            &element(0x1654_ae6b, &tracks),
            &[0x1f, 0x43, 0xb6, 0x75],
        ]
        .concat()
    }

    fn boxed(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = (content.len() as u32 + 8).to_be_bytes();
        [&size[..], name, content].concat()
    }

    fn mp4(kinds: &[&[u8; 4]]) -> Vec<u8> {
        let track = |kind: &&[u8; 4]| {
            let handler = boxed(b"hdlr", &[&[0; 8][..], &kind[..], &[0; 12]].concat());
            boxed(b"trak", &boxed(b"mdia", &handler))
        };
        let tracks: Vec<u8> = kinds.iter().flat_map(track).collect();
        let first = boxed(b"ftyp", b"iso5\0\0\0\0");
        [first, boxed(b"moov", &tracks), boxed(b"mdat", &[0; 9])].concat()
    }

    #[test]
    fn sound_in_containers_of_videos_is_told() {
        for (kinds, is_sound) in [
            (&[2][..], true),
            (&[2, 2], true),
            (&[1, 2], false),
            (&[], false),
        ] {
            assert_eq!(is_sound_only(&webm(kinds)), is_sound, "{kinds:?}");
        }
        assert!(is_sound_only(&mp4(&[b"soun"])));
        assert!(!is_sound_only(&mp4(&[b"soun", b"vide"])));
        assert!(!is_sound_only(&mp4(&[])));
    }

    proptest::proptest! {
        #[test]
        fn any_beginning_is_read(bytes: Vec<u8>, cut in 0_usize..200) {
            for head in [webm(&[1, 2]), mp4(&[b"vide", b"soun"])] {
                let cut = &head[..cut.min(head.len())];
                is_sound_only(&[cut, &bytes[..]].concat());
            }
        }
    }
}
