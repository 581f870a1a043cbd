//! Sends files with the kernel where possible, so that their bytes are not copied through this process.

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;

use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use http_types::Response;
use turnkey_backend::Socket;

use super::out::{GATHER, Out};
use crate::folder::file_body::{FileBody, Piece, shrunk};
use crate::wire::transport::{Shared, lock};

/// How much the kernel sends in one call, in bytes: the call blocks a thread while the disk reads.
const AT_ONCE: u64 = 2 * 1024 * 1024;

/// The file behind the body of `response`, and the connection over which the kernel can send it, if that is not
/// encrypted. `None` if the body is sent as well in the usual way.
pub(super) fn body(shared: &Shared, response: &mut Response) -> Option<(Option<Socket>, FileBody)> {
    if !FileBody::may_be_of(response) {
        return None;
    }
    let socket = lock(shared).bare();
    // With its head, it is one write or little more.
    if socket.is_none() && response.len().is_none_or(|length| length <= GATHER) {
        return None;
    }
    Some((socket, FileBody::of(response)?))
}

impl Out<'_> {
    /// Sends `body`, behind a head that gives its length.
    pub(super) async fn send_file(
        &mut self,
        socket: Option<&Socket>,
        body: FileBody,
    ) -> io::Result<()> {
        let Some(socket) = socket else { return self.pass(&mut body.reader()).await };
        for piece in &*body.pieces {
            match piece {
                Piece::Bytes(bytes) => _ = self.copy(&mut &**bytes).await?,
                Piece::File(range) => self.send_range(socket, &body, range.clone()).await?,
            }
        }
        Ok(())
    }

    async fn send_range(
        &mut self,
        socket: &Socket,
        body: &FileBody,
        mut left: Range<u64>,
    ) -> io::Result<()> {
        self.write().await?;
        while !left.is_empty() {
            let (socket, file, offset) = (socket.clone(), Arc::clone(&body.file), left.start);
            let count = usize::try_from(AT_ONCE.min(left.end - left.start)).unwrap_or(usize::MAX);
            match smol::unblock(move || socket.send_file(&file, offset, count)).await {
                Ok(0) => return Err(shrunk()),
                Ok(n) => {
                    left.start += n as u64;
                    lock(self.shared).took(n);
                    if n == count {
                        continue;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                    return self.copy_range(body, left).await;
                }
                Err(error) => {
                    lock(self.shared).failed(&error);
                    return Err(error);
                }
            }
            // The socket is full.
            poll_fn(|cx| lock(self.shared).poll_room(cx)).await?;
        }
        Ok(())
    }

    /// Reads and sends what the kernel cannot.
    async fn copy_range(&mut self, body: &FileBody, range: Range<u64>) -> io::Result<()> {
        let pieces = Arc::new([Piece::File(range)]);
        let part = FileBody { file: Arc::clone(&body.file), pieces };
        self.pass(&mut part.reader()).await
    }
}
