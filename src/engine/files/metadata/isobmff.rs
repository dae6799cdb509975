//! MP4, QuickTime, HEIF and AVIF: boxes within boxes (ISO/IEC 14496-12, section 4.2).

use super::patch::{Malformed, Patch, Result};

/// Boxes within boxes: the deepest that is looked into is `stsd`, on level six.
const MAX_DEPTH: usize = 8;
/// The largest list of items that is read, in bytes. A picture in 512 tiles has some 20 KiB.
const MAX_ITEMS_BYTES: usize = 4 << 20;

/// A box: its name, and where its content is.
#[derive(Clone, Copy)]
struct BoxRange {
    name: [u8; 4],
    start: u64,
    content: u64,
    end: u64,
}

/// Parts of all items together.
const MAX_PARTS: usize = 65_536;

pub(super) fn is_one(head: &[u8]) -> bool {
    const FIRST: [&[u8]; 6] = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"];
    head.get(4..8).is_some_and(|name| FIRST.contains(&name))
}

/// Clears what describes videos and pictures.
///
/// # Errors
/// `Unsupported` for videos with a track of positions, and pictures whose metadata is derived.
pub(super) fn clear(patch: &mut Patch) -> Result<()> {
    // Titles and covers of music are what it is shared with.
    let brand: [u8; 4] = patch.bytes(8)?;
    if matches!(&brand, b"M4A " | b"M4B ") {
        return Ok(());
    }
    clear_boxes(patch, 0, patch.size(), 0)
}

fn clear_boxes(patch: &mut Patch, from: u64, to: u64, depth: usize) -> Result<()> {
    let mut at = from;
    while at + 8 <= to {
        let one = read_box(patch, at, to)?;
        clear_box(patch, one, depth)?;
        at = one.end;
    }
    Ok(())
}

/// Reads the header of a box: its length, or 1 for a length of 64 bits, or 0 for the rest.
fn read_box(patch: &mut Patch, at: u64, to: u64) -> Result<BoxRange> {
    let short = u64::from(u32::from_be_bytes(patch.bytes(at)?));
    let name = patch.bytes(at + 4)?;
    let (header, length) = match short {
        0 => (8, to - at),
        1 => (16, u64::from_be_bytes(patch.bytes(at + 8)?)),
        _ => (8, short),
    };
    let end = at.checked_add(length).ok_or(Malformed::Damaged)?;
    if length < header || at + header > patch.size() {
        return Err(Malformed::Damaged);
    }
    Ok(BoxRange {
        name,
        start: at,
        content: at + header,
        end: end.min(patch.size()),
    })
}

fn clear_box(patch: &mut Patch, one: BoxRange, depth: usize) -> Result<()> {
    match &one.name {
        b"meta" if depth == 0 => clear_items(patch, one),
        b"udta" | b"meta" | b"uuid" | b"Xtra" => hide(patch, one),
        b"stsd" => check_track(patch, one),
        b"moov" | b"trak" | b"mdia" | b"minf" | b"stbl" | b"moof" | b"traf"
            if depth < MAX_DEPTH =>
        {
            clear_boxes(patch, one.content, one.end, depth + 1)
        }
        _ => Ok(()),
    }
}

/// Makes a box one that is skipped, without content.
fn hide(patch: &mut Patch, one: BoxRange) -> Result<()> {
    patch.write(one.start + 4, b"free")?;
    patch.zero(one.content, one.end - one.content)
}

/// Refuses tracks that record positions: GoPro's `gpmd`, and `camm` (camera motion).
fn check_track(patch: &mut Patch, one: BoxRange) -> Result<()> {
    let format: [u8; 4] = patch.bytes(one.content + 12)?;
    if matches!(&format, b"gpmd" | b"camm" | b"rtmd") {
        return Err(Malformed::Unsupported);
    }
    Ok(())
}

/// Clears the items of a HEIF file that hold Exif or XMP (ISO/IEC 23008-12, annex A).
fn clear_items(patch: &mut Patch, meta: BoxRange) -> Result<()> {
    let (mut private, mut locations, mut data) = (Vec::new(), None, 0);
    let mut at = meta.content + 4; // version and flags
    while at + 8 <= meta.end {
        let one = read_box(patch, at, meta.end)?;
        match &one.name {
            b"iinf" => private = private_items(patch, one)?,
            b"iloc" => locations = Some(one),
            b"idat" => data = one.content,
            b"udta" | b"uuid" | b"ilst" | b"xml " | b"bxml" => hide(patch, one)?,
            _ => {}
        }
        at = one.end;
    }
    let Some(locations) = locations else {
        return Ok(());
    };
    let length = locations.end - locations.content;
    if length > MAX_ITEMS_BYTES as u64 {
        return Err(Malformed::Unsupported);
    }
    let bytes = patch.part(locations.content, length, MAX_ITEMS_BYTES)?;
    for (item, from, length) in parse_locations(&bytes, data)? {
        if private.contains(&item) {
            patch.zero(from, length)?;
        }
    }
    Ok(())
}

/// The ids of items of the types `Exif` and `mime`, which is XMP.
fn private_items(patch: &mut Patch, list: BoxRange) -> Result<Vec<u32>> {
    let version = patch.bytes::<1>(list.content)?[0];
    let mut at = list.content + if version == 0 { 6 } else { 8 };
    let mut found = Vec::new();
    while at + 8 <= list.end {
        let one = read_box(patch, at, list.end)?;
        let version = patch.bytes::<1>(one.content)?[0];
        let (id, kind) = match version {
            2 => (
                u32::from(u16::from_be_bytes(patch.bytes(one.content + 4)?)),
                patch.bytes(one.content + 8)?,
            ),
            3 => (
                u32::from_be_bytes(patch.bytes(one.content + 4)?),
                patch.bytes(one.content + 10)?,
            ),
            _ => return Err(Malformed::Unsupported),
        };
        if matches!(&kind, b"Exif" | b"mime") {
            found.push(id);
        }
        at = one.end;
    }
    Ok(found)
}

/// Numbers of given sizes from a list of bytes.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn next(&mut self, bytes: usize) -> Result<u64> {
        let (number, rest) = self.0.split_at_checked(bytes).ok_or(Malformed::Damaged)?;
        self.0 = rest;
        Ok(number
            .iter()
            .fold(0, |all, byte| all << 8 | u64::from(*byte)))
    }
}

/// The parts of each item: its id, and where they are. `data` is where the box `idat` begins.
fn parse_locations(bytes: &[u8], data: u64) -> Result<Vec<(u32, u64, u64)>> {
    let mut numbers = Numbers(bytes);
    let version = numbers.next(1)?;
    numbers.next(3)?;
    let (sizes, more) = (numbers.next(1)? as usize, numbers.next(1)? as usize);
    let (offset_size, length_size, base_size) = (sizes >> 4, sizes & 15, more >> 4);
    let index_size = if version == 0 { 0 } else { more & 15 };
    let id_size = if version < 2 { 2 } else { 4 };
    let mut found = Vec::new();
    for _ in 0..numbers.next(id_size)? {
        let id = numbers.next(id_size)? as u32;
        let method = if version == 0 {
            0
        } else {
            numbers.next(2)? & 15
        };
        numbers.next(2)?; // which file: this one
        let base = numbers.next(base_size)?;
        for _ in 0..numbers.next(2)? {
            numbers.next(index_size)?;
            let offset = base.wrapping_add(numbers.next(offset_size)?);
            let length = match numbers.next(length_size)? {
                0 => u64::MAX, // all of it
                length => length,
            };
            if found.len() >= MAX_PARTS {
                return Err(Malformed::Unsupported);
            }
            match method {
                0 => found.push((id, offset, length)),
                1 => found.push((id, data.wrapping_add(offset), length)),
                _ => return Err(Malformed::Unsupported),
            }
        }
    }
    Ok(found)
}
