//! GIF: a list of blocks, each of which is a list of sub-blocks (GIF89a specification).

use super::patch::{Malformed, Patch, Result};

/// Clears comments, texts and the data of applications, and whatever follows the picture.
pub(super) fn clear(patch: &mut Patch) -> Result<()> {
    let [flags] = patch.bytes(10)?;
    let mut at = 13 + color_table_bytes(flags);
    loop {
        match patch.bytes(at)? {
            [0x21] => {
                let [label] = patch.bytes(at + 1)?;
                let is_cleared = match label {
                    0xf9 => false,
                    // How often to repeat (NETSCAPE2.0, ANIMEXTS1.0): one sub-block of three bytes.
                    0xff => patch.bytes(at + 14)? != [3_u8],
                    _ => true,
                };
                at = sub_blocks(patch, at + 2, is_cleared)?;
            }
            [0x2c] => {
                let [flags] = patch.bytes(at + 9)?;
                at = sub_blocks(patch, at + 11 + color_table_bytes(flags), false)?;
            }
            [0x3b] => return patch.zero(at + 1, patch.size()),
            _ => return Err(Malformed::Damaged),
        }
    }
}

fn color_table_bytes(flags: u8) -> u64 {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    }
}

/// Where the sub-blocks from `at` on end.
fn sub_blocks(patch: &mut Patch, mut at: u64, is_cleared: bool) -> Result<u64> {
    loop {
        let [length] = patch.bytes(at)?;
        let length = u64::from(length);
        if is_cleared {
            patch.zero(at + 1, length)?;
        }
        at += 1 + length;
        if length == 0 {
            return Ok(at);
        }
    }
}
