use std::fs::File;
use std::io;

/// Reads `file` from `offset` on, as `read` would; that may wait for the disk.
pub(crate) fn read_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(file, buf, offset);
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(file, buf, offset);
        match read {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// The same for what is in memory already; where it is not, or the system does not tell, the error is
/// of the kind `WouldBlock`.
pub(crate) fn read_now(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    #[cfg(target_os = "linux")]
    {
        use rustix::io::{Errno, ReadWriteFlags, preadv2};
        let flags = ReadWriteFlags::NOWAIT;
        preadv2(file, &mut [io::IoSliceMut::new(buf)], offset, flags).map_err(|e| match e {
            // Not every file system can.
            Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::INTR => {
                io::ErrorKind::WouldBlock.into()
            }
            other => other.into(),
        })
    }
    #[cfg(not(target_os = "linux"))]
    {
        _ = (file, buf, offset);
        Err(io::ErrorKind::WouldBlock.into())
    }
}
