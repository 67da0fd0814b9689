//! Work that would hold up everything else on an asynchronous thread: decompression, hashing, files.

/// Runs `work` on a thread of its own.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        // A task that started is never cancelled, so it panicked: its panic is ours.
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}
