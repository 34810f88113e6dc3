//! The parts of a zip file, which are little-endian fields one after the other (PKWARE's APPNOTE, section 4.3).

/// A file's header, before its bytes.
pub const LOCAL: u32 = 0x0403_4b50;
/// An entry of the directory.
pub const CENTRAL: u32 = 0x0201_4b50;
/// The end of the file.
pub const END: u32 = 0x0605_4b50;
/// The end with 64-bit numbers, and the field that says where it begins.
pub const END_64: u32 = 0x0606_4b50;
pub const LOCATOR_64: u32 = 0x0706_4b50;
/// The record behind bytes whose checksum was not known when their header was written.
pub const DESCRIPTOR: u32 = 0x0807_4b50;

/// The kind of an extra field with 64-bit numbers, which stand in for those that are [`LARGE`].
pub const EXTRA_64: u16 = 1;
pub const LARGE: u32 = u32::MAX;

/// Flags of an entry.
pub const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
pub const WITH_DESCRIPTOR: u16 = 1 << 3;
pub const UTF_8: u16 = 1 << 11;

/// Fields that are still to be read.
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.bytes(2)?.try_into().ok()?))
    }

    pub fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))
    }

    pub fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?))
    }
}
