//! How far an upload is.

/// How far an upload is; what [`UploadFile::progress`](super::UploadFile::progress) is called with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadProgress {
    /// What it is doing.
    pub step: UploadStep,
    /// How many bytes that step has done; never less than before within a step.
    pub bytes: u64,
    /// How many it has to do, where that is known.
    pub total: Option<u64>,
}

/// What an upload is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UploadStep {
    /// It reads the file and takes its digests.
    Reading,
    /// It sends. Of an upload in parts, the bytes are those of parts that the platform has confirmed.
    Sending,
    /// The platform has it.
    Done,
}

/// What is called at each step.
pub(super) type Callback = Box<dyn FnMut(UploadProgress) + Send>;

/// Tells the caller, where it wants to know.
#[derive(Default)]
pub(super) struct Reporter(pub(super) Option<Callback>);

impl Reporter {
    pub(super) fn report(&mut self, step: UploadStep, bytes: u64, total: Option<u64>) {
        if let Some(callback) = &mut self.0 {
            callback(UploadProgress { step, bytes, total });
        }
    }
}
