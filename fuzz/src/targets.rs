//! The fuzz targets. Each takes arbitrary bytes, and panics if a promise is broken.

mod engines;
mod npy;
mod npz;
mod shapes;

pub use engines::engines;
pub use npy::npy;
pub use npz::npz;
pub use shapes::shapes;

/// Makes numbers from bytes, and zeros after the last byte.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self.0.split_at(self.0.len().min(N));
        self.0 = rest;
        let mut bytes = [0; N];
        bytes[..taken.len()].copy_from_slice(taken);
        bytes
    }

    fn byte(&mut self) -> u8 {
        self.take::<1>()[0]
    }

    fn below(&mut self, end: usize) -> usize {
        usize::from(u16::from_le_bytes(self.take())) % end
    }

    /// A size: usually small, occasionally huge or at the limit of an integer type.
    fn size(&mut self) -> u64 {
        let small = u64::from(self.byte());
        match self.byte() % 16 {
            0 => u64::from_le_bytes(self.take()),
            1 => u64::MAX - small,
            2 => (1 << 63) - small,
            3 => (1 << 32) - small,
            4 => (1 << 31) - small,
            5 => (1 << 32) + small,
            6 => 1 << (small % 64),
            _ => small,
        }
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}
