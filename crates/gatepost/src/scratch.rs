//! Reading without a buffer per connection: bytes arrive in a buffer of the thread and are handed on at once.
//!
//! Ten thousand idle connections then cost ten thousand sockets, not ten thousand buffers.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::ready;

use tokio::io::{AsyncRead, ReadBuf};

/// Bytes read at a time, at most.
const SCRATCH_BYTES: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH_BYTES]);
}

/// Waits until `stream` has something and gives it to `take`; an empty slice is the end of the stream.
pub async fn read<S, T>(stream: &mut S, mut take: impl FnMut(&[u8]) -> T) -> io::Result<T>
where
    S: AsyncRead + Unpin,
{
    std::future::poll_fn(|cx| {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer))?;
            Ok(take(buffer.filled())).into()
        })
    })
    .await
}

#[cfg(test)]
mod tests;
