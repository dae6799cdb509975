//! Reading and overwriting parts of a file whose structure is not trusted.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Parts of a file that are looked at. Files of normal cameras have some hundred.
const MAX_READS: u32 = 1 << 20;
/// Bytes that are read: so many times the size of the file, and some for small files.
const MAX_PASSES: u64 = 3;
const MIN_READ_BYTES: u64 = 16 << 20;
/// Bytes that are compared and overwritten at once.
const PIECE_BYTES: usize = 64 << 10;

/// Why no more metadata can be removed.
#[derive(Debug)]
pub(super) enum Malformed {
    /// The structure leads outside the file, or goes on for ever: programs do not find more, either.
    Damaged,
    /// The structure is valid, but not understood.
    Unsupported,
    Io(io::Error),
}

impl From<io::Error> for Malformed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

pub(super) type Result<T, E = Malformed> = std::result::Result<T, E>;

/// A file that is being cleared of metadata.
pub(super) struct Patch<'a> {
    file: &'a File,
    size: u64,
    reads: u32,
    /// Bytes that may still be read.
    allowance: u64,
    is_changed: bool,
}

impl<'a> Patch<'a> {
    pub(super) fn new(file: &'a File, size: u64) -> Self {
        Self {
            file,
            size,
            reads: 0,
            allowance: size.saturating_mul(MAX_PASSES).max(MIN_READ_BYTES),
            is_changed: false,
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// Fills `buffer` from `at` on.
    pub(super) fn read(&mut self, at: u64, buffer: &mut [u8]) -> Result<()> {
        self.reads += 1;
        let end = at.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.size) || self.reads > MAX_READS {
            return Err(Malformed::Damaged);
        }
        let length = buffer.len() as u64;
        let allowance = self.allowance.checked_sub(length);
        self.allowance = allowance.ok_or(Malformed::Damaged)?;
        Ok(self.file.read_exact_at(buffer, at)?)
    }

    pub(super) fn bytes<const N: usize>(&mut self, at: u64) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read(at, &mut bytes)?;
        Ok(bytes)
    }

    /// Reads `length` bytes, at most `max` of them.
    pub(super) fn part(&mut self, at: u64, length: u64, max: usize) -> Result<Vec<u8>> {
        let length = usize::try_from(length).unwrap_or(max).min(max);
        let rest = usize::try_from(self.size.saturating_sub(at)).unwrap_or(length);
        let mut bytes = vec![0; length.min(rest)];
        self.read(at, &mut bytes)?;
        Ok(bytes)
    }

    /// Overwrites bytes, unless they are the same already: the file may be a hard link to content
    /// that is stored, and cleared.
    pub(super) fn write(&mut self, at: u64, bytes: &[u8]) -> Result<()> {
        let mut present = vec![0; bytes.len()];
        self.read(at, &mut present)?;
        if present != bytes {
            self.file.write_all_at(bytes, at)?;
            self.is_changed = true;
        }
        Ok(())
    }

    /// Overwrites `length` bytes with zeros, as far as the file has them.
    pub(super) fn zero(&mut self, at: u64, length: u64) -> Result<()> {
        static ZEROS: [u8; PIECE_BYTES] = [0; PIECE_BYTES];
        let end = at.saturating_add(length).min(self.size);
        let mut at = at;
        while at < end {
            let piece = PIECE_BYTES.min(usize::try_from(end - at).unwrap_or(PIECE_BYTES));
            self.write(at, &ZEROS[..piece])?;
            at += piece as u64;
        }
        Ok(())
    }
}
