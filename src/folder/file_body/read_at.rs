use std::fs::File;
use std::io;

/// Reads `file` from `offset` on, like `read`; this may wait for the disk.
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

/// The same for data in memory. The error is `WouldBlock` if it is not in memory, at the end of the file,
/// or if the system does not know.
pub(crate) fn read_now(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    #[cfg(target_os = "linux")]
    {
        use rustix::io::{Errno, ReadWriteFlags, preadv2};
        match preadv2(file, &mut [io::IoSliceMut::new(buf)], offset, ReadWriteFlags::NOWAIT) {
            // Linux 5.9 and 5.10 return this also if nothing is in memory (BUGS in preadv2(2)).
            Ok(0) => Err(io::ErrorKind::WouldBlock.into()),
            Ok(n) => Ok(n),
            // Not every file system supports it.
            Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::INTR) => {
                Err(io::ErrorKind::WouldBlock.into())
            }
            Err(other) => Err(other.into()),
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        _ = (file, buf, offset);
        Err(io::ErrorKind::WouldBlock.into())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn only_what_waits_tells_the_end() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"text").unwrap();
        let mut buf = [0; 8];
        assert_eq!(read_at(&file, &mut buf, 0).unwrap(), 4);
        assert_eq!(read_at(&file, &mut buf, 4).unwrap(), 0);
        let error = read_now(&file, &mut buf, 4).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }
}
