//! A connection to a daemon that speaks in lines: sends, and reads replies of bounded length.
//!
//! While it sends it listens: a daemon that has seen enough (clamd at its size limit, SSSP's `REJ`) answers and closes
//! in the middle of the message, and that answer must not be lost to a broken pipe.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, BytesMut};
use net::stream::Stream;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::address::Address;
use crate::finding::{Unavailable, UnavailableCause};
use crate::limits;

const READ_BYTES: usize = 4096;

/// Opens a connection to a daemon.
pub(crate) async fn dial(address: &Address) -> Result<Stream, Unavailable> {
    let stream = match address {
        Address::Tcp(host, port) => {
            TcpStream::connect((host.as_str(), *port))
                .await
                .and_then(|stream| {
                    stream.set_nodelay(true)?;
                    Ok(Stream::Tcp(stream))
                })
        }
        Address::Unix(path) => UnixStream::connect(path).await.map(Stream::Unix),
    };
    stream.map_err(|error| {
        Unavailable::new(
            UnavailableCause::Connect,
            format!("cannot connect to {address}: {error}"),
        )
    })
}

/// A connection with the bytes that were read ahead.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    input: BytesMut,
    heard: bool,
}

impl Wire {
    pub(crate) fn new(stream: Stream) -> Wire {
        Wire {
            stream,
            input: BytesMut::new(),
            heard: false,
        }
    }

    /// Begins an exchange: from here on [`Wire::is_unanswered`] counts.
    pub(crate) fn begin(&mut self) {
        self.heard = false;
    }

    /// Whether nothing was received since the exchange began.
    pub(crate) fn is_unanswered(&self) -> bool {
        !self.heard
    }

    /// Whether the peer has neither closed the idle connection nor spoken out of turn.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.input.is_empty() && self.poll_receive(&mut cx).is_pending()
    }

    /// Sends all of `data`. If the peer answers and closes in the middle, this is no error: the reply is there to read.
    pub(crate) async fn send(&mut self, mut data: impl Buf) -> Result<(), Unavailable> {
        let sent = poll_fn(|cx| self.poll_send(cx, &mut data)).await;
        match sent {
            Ok(()) => self
                .stream
                .flush()
                .await
                .or_else(|error| self.or_answered(&error)),
            Err(error) => self.or_last_words(&error).await,
        }
    }

    /// The bytes up to `end`, which is taken off.
    pub(crate) async fn until(
        &mut self,
        end: u8,
        bytes_max: usize,
    ) -> Result<Vec<u8>, Unavailable> {
        let mut searched = 0;
        loop {
            if let Some(at) = memchr::memchr(end, self.input.get(searched..).unwrap_or_default()) {
                let mut line = self.input.split_to(searched + at + 1).to_vec();
                line.pop();
                return Ok(line);
            }
            searched = self.input.len();
            self.more(bytes_max).await?;
        }
    }

    /// One line without its CRLF or LF.
    pub(crate) async fn line(&mut self) -> Result<Vec<u8>, Unavailable> {
        let mut line = self.until(b'\n', limits::REPLY_LINE_BYTES_MAX).await?;
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(line)
    }

    /// Lines up to and including the empty line that ends them.
    pub(crate) async fn lines_to_empty(
        &mut self,
        bytes_max: usize,
    ) -> Result<Vec<u8>, Unavailable> {
        let mut text = Vec::new();
        loop {
            let line = self.line().await?;
            text.extend_from_slice(&line);
            text.extend_from_slice(b"\r\n");
            if line.is_empty() {
                return Ok(text);
            }
            if text.len() > bytes_max {
                return Err(too_long());
            }
        }
    }

    /// Everything up to the end of the stream, or `length` bytes if the peer has said how many follow.
    pub(crate) async fn rest(
        &mut self,
        length: Option<usize>,
        bytes_max: usize,
    ) -> Result<Vec<u8>, Unavailable> {
        if length.is_some_and(|length| length > bytes_max) {
            return Err(too_long());
        }
        while length.is_none_or(|length| self.input.len() < length) {
            if self.input.len() >= bytes_max {
                return Err(too_long());
            }
            match poll_fn(|cx| self.poll_receive(cx)).await {
                Ok(0) if length.is_none() => break,
                Ok(0) => return Err(closed()),
                Ok(_) => {}
                Err(error) => return Err(broken(&error)),
            }
        }
        let length = length.unwrap_or(self.input.len());
        Ok(self.input.split_to(length).to_vec())
    }

    /// Reads more, unless `bytes_max` bytes wait already.
    async fn more(&mut self, bytes_max: usize) -> Result<(), Unavailable> {
        if self.input.len() >= bytes_max {
            return Err(too_long());
        }
        match poll_fn(|cx| self.poll_receive(cx)).await {
            Ok(0) => Err(closed()),
            Ok(_) => Ok(()),
            Err(error) => Err(broken(&error)),
        }
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [0; READ_BYTES];
        let mut space = ReadBuf::new(&mut space);
        match Pin::new(&mut self.stream).poll_read(cx, &mut space) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => {
                self.input.extend_from_slice(space.filled());
                self.heard |= !space.filled().is_empty();
                Poll::Ready(Ok(space.filled().len()))
            }
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, data: &mut impl Buf) -> Poll<io::Result<()>> {
        while data.has_remaining() {
            let mut slices = [IoSlice::new(&[]); 8];
            let count = data.chunks_vectored(&mut slices);
            let slices = slices.get(..count).unwrap_or_default();
            match Pin::new(&mut self.stream).poll_write_vectored(cx, slices) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => data.advance(count),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if self.input.len() >= limits::REPLY_LINE_BYTES_MAX => {
                    return Poll::Pending;
                }
                Poll::Pending => match self.poll_receive(cx) {
                    Poll::Ready(Ok(0)) => {
                        return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
                    }
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
        Poll::Ready(Ok(()))
    }

    fn or_answered(&self, error: &io::Error) -> Result<(), Unavailable> {
        if self.heard {
            Ok(())
        } else {
            Err(broken(error))
        }
    }

    /// After a failed write: what the peer said before it closed may still be unread.
    async fn or_last_words(&mut self, error: &io::Error) -> Result<(), Unavailable> {
        if self.input.is_empty() {
            // Its outcome is of no interest: either something was received or the write's own error is told.
            let _ = poll_fn(|cx| self.poll_receive(cx)).await;
        }
        self.or_answered(error)
    }
}

/// The reply exceeds its bound.
pub(crate) fn too_long() -> Unavailable {
    Unavailable::new(UnavailableCause::Protocol, "the reply is too long")
}

fn closed() -> Unavailable {
    Unavailable::new(
        UnavailableCause::Connect,
        "the daemon closed the connection before its reply was complete",
    )
}

fn broken(error: &io::Error) -> Unavailable {
    Unavailable::new(
        UnavailableCause::Connect,
        format!("the connection broke: {error}"),
    )
}

#[cfg(test)]
mod tests;
