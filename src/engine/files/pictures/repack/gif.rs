//! GIF: a list of blocks.

use super::{Parts, Repacked};

/// GIF (GIF89a specification): keeps frames, their control blocks, and the number of repeats.
pub(super) fn copy(parts: &mut Parts) -> Option<Repacked> {
    let head = parts.take(13)?;
    if !head.starts_with(b"GIF8") {
        return None;
    }
    let (mut bytes, mut frames) = (head.to_vec(), 0_u32);
    bytes.extend(parts.take(color_table_bytes(head[10]))?);
    // A file that breaks off ends with its last whole frame, as browsers show it.
    while gif_block(parts, head, &mut bytes, &mut frames).is_some() {}
    bytes.push(0x3b);
    (frames > 0).then_some(Repacked {
        bytes,
        is_animated: frames > 1,
    })
}

/// Copies one block. Nothing at the end, or where the structure is damaged.
fn gif_block(parts: &mut Parts, head: &[u8], to: &mut Vec<u8>, frames: &mut u32) -> Option<()> {
    match parts.take(1)?[0] {
        0x21 => {
            let label = parts.take(1)?[0];
            let blocks = sub_blocks(parts)?;
            let is_needed = match label {
                0xf9 => blocks.len() == 6,
                // The application extension that says how often to repeat (length 3, id 1).
                0xff => blocks.len() == 17 && blocks[12..14] == [3, 1],
                _ => false,
            };
            if is_needed {
                to.extend([0x21, label]);
                to.extend(blocks);
            }
        }
        0x2c => {
            let place = parts.take(9)?;
            let table = parts.take(color_table_bytes(place[8]))?;
            let code_size = parts.take(1)?;
            let pixels = sub_blocks(parts)?;
            // A frame that exceeds the screen would make browsers reserve more than was checked.
            let ends_within = |at: usize| {
                let number =
                    |from: &[u8], at| u32::from(u16::from_le_bytes([from[at], from[at + 1]]));
                number(place, at) + number(place, at + 4) <= number(head, at + 6)
            };
            if ends_within(0) && ends_within(2) {
                to.push(0x2c);
                [place, table, code_size, pixels]
                    .iter()
                    .for_each(|part| to.extend(*part));
                *frames += 1;
            }
        }
        _ => return None,
    }
    Some(())
}

/// The size of the color table that the flags of a screen or a frame announce.
fn color_table_bytes(flags: u8) -> usize {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    }
}

/// Sub-blocks with their lengths, up to and with the empty one.
fn sub_blocks<'a>(parts: &mut Parts<'a>) -> Option<&'a [u8]> {
    let mut length = 0;
    loop {
        let block = usize::from(*parts.0.get(length)?);
        length += 1 + block;
        if block == 0 {
            return parts.take(length);
        }
    }
}
