//! The places of matrices, right-hand sides and results in the buffers of a job, and what is wrong with them.

use super::descriptor::JobDescriptor;
use crate::data::error::JobError;
use crate::data::layout::Layout;
use crate::data::on_failure::OnFailure;

/// The bound parts of the buffers, and the layouts counted from their beginnings.
pub struct Place<'a> {
    /// `None` in the buffer of the output.
    pub input: Option<wgpu::BufferBinding<'a>>,
    pub input_layout: Layout,
    /// `None` in the buffer of the output, or if there are none.
    pub rhs: Option<wgpu::BufferBinding<'a>>,
    pub rhs_layout: Layout,
    /// `None` if there are only determinants.
    pub output: Option<wgpu::BufferBinding<'a>>,
    pub output_layout: Layout,
    /// `None` in the job's own buffer, which can be bound as a whole.
    pub statuses: Option<wgpu::BufferBinding<'a>>,
    pub rconds: Option<wgpu::BufferBinding<'a>>,
    pub dets: Option<wgpu::BufferBinding<'a>>,
}

impl<'a> Place<'a> {
    /// Checks that the buffers hold the matrices, right-hand sides and results, and that no result overwrites what
    /// another one needs.
    pub fn new(
        descriptor: &JobDescriptor<'a>,
        target: Option<(&'a wgpu::Buffer, Layout)>,
        device: &wgpu::Device,
    ) -> Result<Self, JobError> {
        let (capacity, size) = (descriptor.capacity, descriptor.scalar.size() as u64);
        let source = Part { what: "input", place: descriptor.input, shape: descriptor.matrix(), capacity };
        let rhs = descriptor.rhs.map(|(buffer, layout, _)| Part {
            what: RHS,
            place: (buffer, layout),
            shape: descriptor.result(),
            capacity,
        });
        let target = target.map(|place| Part { what: "output", place, shape: descriptor.result(), capacity });
        for part in [Some(&source), rhs.as_ref(), target.as_ref()].into_iter().flatten() {
            holds(part.place.0, part.what, part.elements().1.saturating_mul(size))?;
        }
        if let Some(target) = &target {
            if !target.place.1.is_injective(target.shape, capacity) {
                return Err(JobError::Overlap);
            }
            // A result may replace its own matrix or, if systems are solved, its own right-hand side.
            let replaced = match &rhs {
                None => target.replaces(&source) || target.replaces_transposed(&source),
                Some(rhs) => target.replaces(rhs),
            };
            let apart = match &rhs {
                None => replaced || target.is_apart_from(&source),
                Some(rhs) => target.is_apart_from(&source) && (replaced || target.is_apart_from(rhs)),
            };
            if !apart {
                return Err(JobError::Overlap);
            }
            if replaced && descriptor.on_failure == OnFailure::Input {
                return Err(JobError::Replaced);
            }
        }
        let (len, real) = (u64::from(capacity), descriptor.scalar.real_size() as u64);
        binds(device, "statuses", len * 4)?;
        let words = |buffer: Option<&'a wgpu::Buffer>, what, needed| {
            buffer.map(|buffer| part(device, buffer, what, needed)).transpose()
        };
        let statuses = words(descriptor.statuses, "statuses", len * 4)?;
        let rconds = words(descriptor.rconds, "rconds", len * real)?;
        let dets = words(descriptor.determinants, DETERMINANTS, 2 * len * size)?;

        // Parts in the buffer of the output share its binding.
        let shares = |part: &Part<'a>| target.as_ref().is_some_and(|target| target.place.0 == part.place.0);
        let bind = |part: &Part<'a>| bound(part.place.0, part.what, part.elements(), size, device);
        let output = target.as_ref().map(|target| {
            let parts = [Some(target), Some(&source), rhs.as_ref()];
            let shared = parts.into_iter().flatten().filter(|part| shares(part)).map(Part::elements);
            let both = shared.fold(target.elements(), |all, own| (all.0.min(own.0), all.1.max(own.1)));
            let what = if shares(&source) { source.what } else { target.what };
            bound(target.place.0, what, both, size, device)
        });
        let output = output.transpose()?;
        let of_output = |layout: Layout| output.as_ref().map_or(layout, |&(_, base)| layout.from(base));
        let own = |part: Option<&Part<'a>>| -> Result<_, JobError> {
            match part {
                Some(part) if !shares(part) => {
                    let (binding, base) = bind(part)?;
                    Ok((Some(binding), part.place.1.from(base)))
                }
                Some(part) => Ok((None, of_output(part.place.1))),
                None => Ok((None, Layout::columns(descriptor.order, 0))),
            }
        };
        let (input, input_layout) = own(Some(&source))?;
        let (rhs, rhs_layout) = own(rhs.as_ref())?;
        let output_layout =
            target.as_ref().map_or(Layout::columns(descriptor.order, 0), |part| of_output(part.place.1));
        let output = output.map(|(binding, _)| binding);
        Ok(Self { input, input_layout, rhs, rhs_layout, output, output_layout, statuses, rconds, dets })
    }
}

/// The names of these buffers in errors.
const RHS: &str = "right-hand sides";
const DETERMINANTS: &str = "determinants";

/// Matrices, right-hand sides or results in a buffer.
struct Part<'a> {
    what: &'static str,
    place: (&'a wgpu::Buffer, Layout),
    /// Rows and columns.
    shape: [u32; 2],
    capacity: u32,
}

impl Part<'_> {
    /// The places of the first element and of the end of the last.
    fn elements(&self) -> (u64, u64) {
        self.place.1.elements(self.shape, self.capacity)
    }

    /// Returns whether every matrix of these lies in the place of its own of the others.
    fn replaces(&self, other: &Self) -> bool {
        self.place == other.place
    }

    fn replaces_transposed(&self, other: &Self) -> bool {
        self.place == (other.place.0, other.place.1.transposed())
    }

    /// Returns whether these and the others share no element: they lie in other buffers or behind each other, or each
    /// lies in a struct beside its own of the others, or beside another's at the same distance. They then never
    /// overlap, for any number of matrices.
    fn is_apart_from(&self, other: &Self) -> bool {
        let (own, others) = (self.elements(), other.elements());
        if self.place.0 != other.place.0 || others.1 <= own.0 || own.1 <= others.0 {
            return true;
        }
        let (input, output) = (other.place.1, self.place.1);
        let (read, written) = (input.elements(other.shape, 1), output.elements(self.shape, 1));
        let stride = u64::from(input.matrix);
        // The distance from the start of a matrix to the start of the next result.
        let apart = (written.0 % stride.max(1) + stride - read.0 % stride.max(1)) % stride.max(1);
        input.matrix == output.matrix && apart >= read.1 - read.0 && apart + (written.1 - written.0) <= stride
    }
}

/// Checks that statuses, condition numbers and determinants have buffers of their own. In a shared buffer they would
/// overwrite other data of the job, or wgpu would refuse the buffer, but only when the commands are finished.
pub fn check_sharing(descriptor: &JobDescriptor<'_>) -> Result<(), JobError> {
    let others = descriptor.buffers();
    let own =
        [("statuses", descriptor.statuses), ("rconds", descriptor.rconds), (DETERMINANTS, descriptor.determinants)];
    for (index, (what, buffer)) in own.into_iter().enumerate() {
        // An error about two of these names the later one first.
        let not_yet = &own[index..];
        let others = others.iter().filter(|(with, _)| not_yet.iter().all(|(name, _)| name != with));
        if let Some(&(with, _)) = others.into_iter().find(|(_, other)| Some(*other) == buffer) {
            return Err(JobError::Shared { what, with });
        }
    }
    Ok(())
}

/// The part of a buffer that holds these elements, and the number of elements before it. A binding begins at a
/// multiple of the device's `min_storage_buffer_offset_alignment`.
fn bound<'a>(
    buffer: &'a wgpu::Buffer,
    what: &'static str,
    elements: (u64, u64),
    size: u64,
    device: &wgpu::Device,
) -> Result<(wgpu::BufferBinding<'a>, u64), JobError> {
    let alignment = u64::from(device.limits().min_storage_buffer_offset_alignment).max(size);
    let offset = elements.0 * size / alignment * alignment;
    let bytes = elements.1 * size - offset;
    binds(device, what, bytes)?;
    Ok((wgpu::BufferBinding { buffer, offset, size: wgpu::BufferSize::new(bytes) }, offset / size))
}

/// Checks that a shader can bind this many bytes. A binding is limited in bytes, and shaders index elements, of at
/// least 4 bytes each, with 32 bits.
pub fn binds(device: &wgpu::Device, what: &'static str, bytes: u64) -> Result<(), JobError> {
    let limit = device.limits().max_storage_buffer_binding_size.min(u64::from(u32::MAX) * 4);
    if bytes > limit {
        return Err(JobError::TooLarge { what, bytes, limit });
    }
    Ok(())
}

/// The first `needed` bytes of a buffer that the job writes to.
fn part<'a>(
    device: &wgpu::Device,
    buffer: &'a wgpu::Buffer,
    what: &'static str,
    needed: u64,
) -> Result<wgpu::BufferBinding<'a>, JobError> {
    holds(buffer, what, needed)?;
    binds(device, what, needed)?;
    Ok(wgpu::BufferBinding { buffer, offset: 0, size: wgpu::BufferSize::new(needed) })
}

/// Checks that the count lies in its buffer, and that shaders may read it.
pub fn check_count(descriptor: &JobDescriptor<'_>) -> Result<(), JobError> {
    let Some((buffer, offset)) = descriptor.count else { return Ok(()) };
    let fits = offset.is_multiple_of(4) && offset.checked_add(4).is_some_and(|end| end <= buffer.size());
    if !fits {
        return Err(JobError::Count { offset, size: buffer.size() });
    }
    usage(buffer, "the count", wgpu::BufferUsages::STORAGE)
}

/// Checks that shaders may use the buffer, and that it holds `needed` bytes.
pub fn holds(buffer: &wgpu::Buffer, what: &'static str, needed: u64) -> Result<(), JobError> {
    usage(buffer, what, wgpu::BufferUsages::STORAGE)?;
    if needed > buffer.size() {
        return Err(JobError::TooSmall { what, needed, size: buffer.size() });
    }
    Ok(())
}

/// Checks that a buffer was created with a usage.
pub fn usage(buffer: &wgpu::Buffer, what: &'static str, usage: wgpu::BufferUsages) -> Result<(), JobError> {
    if buffer.usage().contains(usage) {
        return Ok(());
    }
    Err(JobError::Usage { what, usage: if usage == wgpu::BufferUsages::STORAGE { "STORAGE" } else { "COPY_SRC" } })
}
