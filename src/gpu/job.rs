//! Inverting matrices where they already lie: in the caller's buffers, in the caller's encoder.

pub mod descriptor;
mod make;
mod origin;
mod place;

use self::place::usage;
use super::counts::Counts;
use super::device::GpuInverter;
use super::encode::{Bindings, Steps};
use super::indirect::{COUNTED_AT, Indirect};
use crate::data::error::{Error, JobError};
use crate::data::status::Status;

/// Everything needed to invert matrices in given buffers, or to solve systems or compute determinants with them, made
/// once and encoded any number of times. "Inverted" below stands for each of these.
///
/// Nothing is copied to the host, and encoding neither allocates GPU memory nor submits nor waits.
#[derive(Debug)]
pub struct Job {
    gpu: GpuInverter,
    capacity: u32,
    steps: Steps,
    bindings: Bindings,
    /// The job's own, if its capacity takes more than one row of workgroups.
    counts: Option<Counts>,
    output: wgpu::Buffer,
    statuses: wgpu::Buffer,
    indirect: Option<Indirect>,
}

impl Job {
    /// The largest number of matrices.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// The buffer with the inverses or solutions: that of the matrices or right-hand sides if they are replaced, the
    /// caller's, or the job's own. For determinants alone, the buffer of the matrices.
    pub fn output(&self) -> &wgpu::Buffer {
        &self.output
    }

    /// The buffer with the status words, the caller's or the job's own, which has the usages `STORAGE`, `COPY_SRC` and
    /// `COPY_DST`. The words of the job's own are -1 until a matrix was inverted or found to be singular.
    pub fn statuses(&self) -> &wgpu::Buffer {
        &self.statuses
    }

    /// Encodes the inversion of the first `len` matrices, in a compute pass of its own. The caller submits it. A
    /// driver may treat a submission of more than
    /// [`plan::SUBMISSION_MULTIPLY_ADDS`](crate::plan::SUBMISSION_MULTIPLY_ADDS) as hung.
    ///
    /// # Errors
    /// [`Error::Job`] if `len` is above the capacity; nothing is encoded then.
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder, len: u32) -> Result<(), Error> {
        self.check(len)?;
        let mut pass = encoder
            .begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("batchinv"), timestamp_writes: None });
        self.encode_in_pass(&mut pass, len)
    }

    /// Encodes the inversion in the caller's compute pass. Afterwards, the job's pipeline and bind group 0 are
    /// still set.
    ///
    /// # Errors
    /// The same as for [`Job::encode`].
    pub fn encode_in_pass(&self, pass: &mut wgpu::ComputePass<'_>, len: u32) -> Result<(), Error> {
        self.check(len)?;
        let counts = self.counts.as_ref().unwrap_or(&self.gpu.0.counts);
        let all = self.steps.schedule.piece(0, 1);
        self.steps.dispatch(pass, all, &self.bindings, counts, len);
        Ok(())
    }

    /// Encodes the inversion of as many matrices as the buffer given with
    /// [`JobDescriptor::count`](descriptor::JobDescriptor::count) says when the commands run, but no more than the
    /// capacity, in a compute pass of its own. Nothing beyond that count is written, no status either. The advice of
    /// [`Job::encode`] on large submissions applies here too.
    ///
    /// # Errors
    /// [`Error::Job`] if the job was made without that buffer.
    pub fn encode_indirect(&self, encoder: &mut wgpu::CommandEncoder) -> Result<(), Error> {
        let mut pass = encoder
            .begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("batchinv"), timestamp_writes: None });
        self.encode_indirect_in_pass(&mut pass)
    }

    /// Encodes the indirect inversion in the caller's compute pass. Afterwards, the job's pipeline and bind group
    /// 0 are still set.
    ///
    /// # Errors
    /// The same as for [`Job::encode_indirect`].
    pub fn encode_indirect_in_pass(&self, pass: &mut wgpu::ComputePass<'_>) -> Result<(), Error> {
        let indirect = self.indirect.as_ref().ok_or(JobError::NoCount)?;
        indirect.dispatch(pass, &self.steps);
        Ok(())
    }

    /// The statuses of the first `len` matrices, after everything submitted so far. It waits without blocking any
    /// executor: a thread of the engine polls the device. Callbacks of wgpu's may run on that thread and must not block
    /// on this future there.
    ///
    /// Only the matrices of an encoding get a status from it. In the job's own buffer, the words of matrices that
    /// none has inverted yet are -1. After a [`Job::encode_indirect`] that inverted fewer matrices than one before,
    /// the words beyond its count are still those of the earlier one:
    /// [`read_indirect_statuses`](Job::read_indirect_statuses) leaves them out.
    ///
    /// # Errors
    /// [`Error::Job`] if `len` is above the capacity, or the caller's buffer lacks the usage `COPY_SRC`;
    /// [`Error::OutOfMemory`] if the device has no memory for a copy, [`Error::DeviceLost`] from the device.
    pub async fn read_statuses(&self, len: u32) -> Result<Vec<Status>, Error> {
        self.check(len)?;
        usage(&self.statuses, "statuses", wgpu::BufferUsages::COPY_SRC)?;
        let mut statuses = vec![Status::INVERTED; len as usize];
        if len > 0 {
            let bytes = bytemuck::cast_slice_mut(&mut statuses);
            let read = self.gpu.0.read_back([(&self.statuses, bytes)]).await;
            read.map_err(|error| error.at(0, len as usize))?;
        }
        Ok(statuses)
    }

    /// The statuses of the matrices that the last [`Job::encode_indirect`] inverted, after everything submitted so
    /// far: as many as it found in its buffer, up to the capacity, and none if it has not run yet. It waits as
    /// [`Job::read_statuses`] does.
    ///
    /// # Errors
    /// [`Error::Job`] if the job was made without a count, or the caller's buffer lacks the usage `COPY_SRC`;
    /// [`Error::OutOfMemory`] if the device has no memory for a copy, [`Error::DeviceLost`] from the device.
    pub async fn read_indirect_statuses(&self) -> Result<Vec<Status>, Error> {
        let indirect = self.indirect.as_ref().ok_or(JobError::NoCount)?;
        usage(&self.statuses, "statuses", wgpu::BufferUsages::COPY_SRC)?;
        let mut entry = [0_u32; COUNTED_AT + 1];
        let mut statuses = vec![Status::INVERTED; self.capacity as usize];
        let (count, words) = (bytemuck::bytes_of_mut(&mut entry), bytemuck::cast_slice_mut(&mut statuses));
        let read = self.gpu.0.read_back([(indirect.entries(), count), (&self.statuses, words)]).await;
        read.map_err(|error| error.at(0, self.capacity as usize))?;
        statuses.truncate(entry[COUNTED_AT] as usize);
        Ok(statuses)
    }

    /// Position and status of the first of `len` matrices that was not inverted, after everything submitted so far.
    ///
    /// # Errors
    /// The same as for [`Job::read_statuses`].
    pub async fn first_failure(&self, len: u32) -> Result<Option<(usize, Status)>, Error> {
        let statuses = self.read_statuses(len).await?;
        Ok(statuses.into_iter().enumerate().find(|(_, status)| !status.is_inverted()))
    }

    fn check(&self, len: u32) -> Result<(), Error> {
        if len > self.capacity {
            return Err(JobError::TooMany { len, capacity: self.capacity }.into());
        }
        Ok(())
    }
}
