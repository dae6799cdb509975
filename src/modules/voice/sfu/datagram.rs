//! What can be told of a datagram before anybody is known: whom a STUN request is for.

/// Bytes of a STUN header (RFC 8489, section 5).
const HEADER_BYTES: usize = 20;
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const USERNAME: u16 = 0x0006;
/// Attributes that are looked at before the name: it is the first that browsers send.
const MAX_ATTRIBUTES: usize = 16;

/// The name that a STUN request of a browser calls: the part of its USERNAME before the colon, which
/// the server chose (RFC 8445, section 7.2.2). Nothing for every other datagram.
pub fn addressed_ufrag(bytes: &[u8]) -> Option<&str> {
    let header = bytes.get(..HEADER_BYTES)?;
    if header[..2] != BINDING_REQUEST || header[4..8] != MAGIC_COOKIE {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let mut rest = bytes.get(HEADER_BYTES..HEADER_BYTES + length)?;
    for _ in 0..MAX_ATTRIBUTES {
        let [kind_high, kind_low, length_high, length_low, ..] = *rest else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([length_high, length_low]));
        let value = rest.get(4..4 + length)?;
        if u16::from_be_bytes([kind_high, kind_low]) == USERNAME {
            let name = std::str::from_utf8(value).ok()?;
            return name.split_once(':').map(|(ours, _)| ours);
        }
        rest = rest.get(4 + length.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (kind, value) in attributes {
            body.extend(kind.to_be_bytes());
            body.extend(u16::try_from(value.len()).expect("short").to_be_bytes());
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let length = u16::try_from(body.len()).expect("short").to_be_bytes();
        [
            &BINDING_REQUEST[..],
            &length,
            &MAGIC_COOKIE,
            &[9; 12],
            &body,
        ]
        .concat()
    }

    #[test]
    fn name_is_that_before_the_colon() {
        assert_eq!(
            addressed_ufrag(&request(&[(6, b"ours:theirs")])),
            Some("ours")
        );
        let later = request(&[(0x8022, b"abc"), (6, b"ours:theirs")]);
        assert_eq!(addressed_ufrag(&later), Some("ours"));
    }

    #[test]
    fn what_is_no_request_names_nobody() {
        let good = request(&[(6, b"ours:theirs")]);
        let mut response = good.clone();
        response[0] = 1;
        let mut other_magic = good.clone();
        other_magic[5] = 0;
        let mut too_long = good.clone();
        too_long[3] = 200;
        for bytes in [
            &response[..],
            &other_magic,
            &too_long,
            &good[..19],
            &request(&[(6, b"ours")]),
            &request(&[(6, &[0xff, b':'])]),
            b"",
        ] {
            assert_eq!(addressed_ufrag(bytes), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, cut in 0usize..64) {
            addressed_ufrag(&bytes);
            let mut damaged = request(&[(6, b"ours:theirs"), (0x24, &[0; 4])]);
            for (index, byte) in bytes.iter().enumerate().take(damaged.len()) {
                damaged[index] ^= byte;
            }
            damaged.truncate(cut);
            addressed_ufrag(&damaged);
        }
    }
}
