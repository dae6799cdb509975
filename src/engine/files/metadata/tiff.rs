//! TIFF, and the raw formats of cameras that are built like it (TIFF 6.0, section 2): directories
//! of entries, each with a tag and a value or the offset of one.

use super::patch::{Malformed, Patch, Result};

/// Directories in a file. More are damage, or a loop.
const MAX_DIRECTORIES: usize = 256;
/// Values that are cleared: XMP, IPTC, Photoshop's resources, GPS, the maker's note, the user's
/// comment, names and serial numbers, the private data of DNG.
const PRIVATE_TAGS: [u16; 14] = [
    0x010e, 0x013b, 0x02bc, 0x8298, 0x83bb, 0x8649, 0x927c, 0x9286, 0xa430, 0xa431, 0xa435, 0xc62f,
    0xc634, 0xc65b,
];
const GPS_DIRECTORY: u16 = 0x8825;
/// SubIFDs, Exif, and Exif's interoperability directory.
const DIRECTORY_TAGS: [u16; 3] = [0x014a, 0x8769, 0xa005];

/// One TIFF within a file.
struct Tiff<'p, 'f> {
    patch: &'p mut Patch<'f>,
    base: u64,
    is_little_endian: bool,
    /// Offsets of directories to be read, and how many were.
    waiting: Vec<(u64, bool)>,
    read: usize,
}

struct Entry {
    tag: u16,
    /// Where the value is, in the file.
    value: u64,
    /// Its length, in bytes.
    length: u64,
    kind: u16,
}

/// Clears the TIFF of `size` bytes at `base`.
pub(super) fn clear(patch: &mut Patch, base: u64, size: u64) -> Result<()> {
    let order: [u8; 2] = patch.bytes(base)?;
    let mut tiff = Tiff {
        patch,
        base,
        is_little_endian: &order == b"II",
        waiting: Vec::new(),
        read: 0,
    };
    if tiff.u16(base + 2)? != 42 {
        return Err(Malformed::Unsupported); // BigTIFF
    }
    let first = tiff.u32(base + 4)?;
    tiff.waiting.push((first, false));
    while let Some((directory, is_gps)) = tiff.waiting.pop() {
        tiff.read += 1;
        if tiff.read > MAX_DIRECTORIES || directory >= size {
            return Err(Malformed::Damaged);
        }
        tiff.clear_directory(base + directory, is_gps)?;
    }
    Ok(())
}

impl Tiff<'_, '_> {
    fn u16(&mut self, at: u64) -> Result<u16> {
        let bytes = self.patch.bytes(at)?;
        Ok(match self.is_little_endian {
            true => u16::from_le_bytes(bytes),
            false => u16::from_be_bytes(bytes),
        })
    }

    fn u32(&mut self, at: u64) -> Result<u64> {
        let bytes = self.patch.bytes(at)?;
        Ok(u64::from(match self.is_little_endian {
            true => u32::from_le_bytes(bytes),
            false => u32::from_be_bytes(bytes),
        }))
    }

    fn clear_directory(&mut self, at: u64, is_gps: bool) -> Result<()> {
        let count = u64::from(self.u16(at)?);
        for index in 0..count {
            let entry = self.entry(at + 2 + index * 12)?;
            if is_gps || PRIVATE_TAGS.contains(&entry.tag) {
                self.patch.zero(entry.value, entry.length)?;
            } else if entry.tag == GPS_DIRECTORY || DIRECTORY_TAGS.contains(&entry.tag) {
                self.add_directories(&entry)?;
            }
        }
        let next = self.u32(at + 2 + count * 12)?;
        if next != 0 {
            self.waiting.push((next, is_gps));
        }
        Ok(())
    }

    /// Reads an entry: tag, type, number of values, and the value if it has at most four bytes.
    fn entry(&mut self, at: u64) -> Result<Entry> {
        let (tag, kind) = (self.u16(at)?, self.u16(at + 2)?);
        let unit = match kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            _ => 8,
        };
        let length = self.u32(at + 4)? * unit;
        let value = match length {
            0..=4 => at + 8,
            _ => self.base + self.u32(at + 8)?,
        };
        Ok(Entry {
            tag,
            value,
            length,
            kind,
        })
    }

    /// Adds the directories that an entry refers to by their offsets.
    fn add_directories(&mut self, entry: &Entry) -> Result<()> {
        if !matches!(entry.kind, 4 | 13) {
            return Err(Malformed::Damaged);
        }
        for index in 0..(entry.length / 4).min(MAX_DIRECTORIES as u64) {
            let directory = self.u32(entry.value + index * 4)?;
            self.waiting.push((directory, entry.tag == GPS_DIRECTORY));
        }
        Ok(())
    }
}
