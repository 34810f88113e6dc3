//! The engine's own threads, and the blocking calls that would wait on one of them for itself.

use std::cell::Cell;
use std::fmt::{self, Debug, Formatter};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

/// A thread that works on messages.
///
/// Dropping it ends the thread and waits for its end. A thread that still held the device at the end of the
/// process would destroy it while the driver's own exit hooks run, which crashed Mesa.
pub struct Worker<M> {
    messages: Option<mpsc::Sender<M>>,
    thread: Option<JoinHandle<()>>,
}

impl<M: Send + 'static> Worker<M> {
    /// Starts a thread, which ends when `work` returns. That must be soon after the messages end.
    pub fn new(name: &str, work: impl FnOnce(mpsc::Receiver<M>) + Send + 'static) -> Self {
        let (messages, received) = mpsc::channel();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || work(received)).ok();
        Self { messages: Some(messages), thread }
    }

    /// Hands over a message, or returns it if there is no thread.
    pub fn send(&self, message: M) -> Result<(), M> {
        match &self.messages {
            Some(messages) => messages.send(message).map_err(|mpsc::SendError(message)| message),
            None => Err(message),
        }
    }
}

impl<M> Worker<M> {
    /// Returns whether the caller runs on this thread.
    pub fn is_current(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| thread.thread().id() == thread::current().id())
    }
}

impl<M> Drop for Worker<M> {
    fn drop(&mut self) {
        self.messages = None;
        // A callback of the caller's may drop the engine on this very thread.
        if !self.is_current()
            && let Some(thread) = self.thread.take()
        {
            // A panic on the thread is caught there.
            let _ = thread.join();
        }
    }
}

impl<M> Debug for Worker<M> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Worker").field(&self.thread).finish()
    }
}

thread_local! {
    static BLOCKING: Cell<bool> = const { Cell::new(false) };
}

/// Runs a call that blocks this thread until it returns.
pub fn blocking<R>(call: impl FnOnce() -> R) -> R {
    /// Also if the call panics.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            BLOCKING.set(self.0);
        }
    }
    let _restore = Restore(BLOCKING.replace(true));
    call()
}

/// Returns whether a call blocks this thread until it returns.
pub fn is_blocking() -> bool {
    BLOCKING.get()
}
