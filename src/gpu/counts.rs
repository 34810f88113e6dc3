//! The table of counts on the device: every number of matrices that a dispatch may need. A dynamic offset selects
//! one.

use super::filled::filled;
use crate::plan::gpu::program::{CountTable, Dispatch, Program};

/// Bytes of `Params` in the shaders.
pub const ENTRY: u64 = 16;

/// A table of counts in a uniform buffer.
#[derive(Debug)]
pub struct Counts {
    buffer: wgpu::Buffer,
    table: CountTable,
    /// Bytes from one entry to the next.
    stride: u32,
}

impl Counts {
    /// The table for any program whose dispatches take one row of workgroups.
    pub fn one_row(device: &wgpu::Device) -> Self {
        Self::new(device, CountTable::one_row())
    }

    /// Writes the table.
    pub fn new(device: &wgpu::Device, table: CountTable) -> Self {
        let stride = stride(device);
        let size = table.entries.len() as u64 * u64::from(stride);
        let buffer = filled(device, "batchinv counts", size, wgpu::BufferUsages::UNIFORM, |view| {
            for (index, [base, last]) in table.entries.iter().enumerate() {
                let start = index * stride as usize;
                let entry = [*base, *last, 0, 0];
                view.slice(start..start + ENTRY as usize).copy_from_slice(bytemuck::cast_slice(&entry));
            }
        });
        Self { buffer, table, stride }
    }

    /// One entry, at a dynamic offset.
    pub fn binding(&self) -> wgpu::BufferBinding<'_> {
        entry(&self.buffer)
    }

    /// The offset of the entry for a dispatch of this program.
    pub fn offset(&self, program: Program, dispatch: Dispatch) -> u32 {
        self.table.entry(program, dispatch) * self.stride
    }
}

/// The first entry of a table.
pub fn entry(buffer: &wgpu::Buffer) -> wgpu::BufferBinding<'_> {
    wgpu::BufferBinding { buffer, offset: 0, size: wgpu::BufferSize::new(ENTRY) }
}

/// Bytes from one entry of a table to the next.
pub fn stride(device: &wgpu::Device) -> u32 {
    device.limits().min_uniform_buffer_offset_alignment.max(2 * ENTRY as u32)
}
