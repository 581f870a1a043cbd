use std::fs;
use std::io::Write;

use smol::io::AsyncReadExt;

use super::*;

/// A file of `size` bytes without short repetitions.
fn file(size: usize) -> (tempfile::NamedTempFile, Vec<u8>) {
    let bytes: Vec<u8> = (0..size).map(|n| u8::try_from(n % 251).unwrap()).collect();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&bytes).unwrap();
    (file, bytes)
}

fn body(file: &tempfile::NamedTempFile, pieces: &[Piece]) -> FileBody {
    let file = Arc::new(File::open(file.path()).unwrap());
    FileBody { file, pieces: pieces.into() }
}

fn read(body: &FileBody) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    smol::block_on(body.reader().read_to_end(&mut bytes)).map(|_| bytes)
}

#[test]
fn pieces_follow_each_other() {
    let (file, bytes) = file(300_000);
    let pieces = [
        Piece::Bytes(b"head".to_vec()),
        Piece::File(0..10),
        Piece::Bytes(Vec::new()),
        Piece::File(10..10),
        Piece::File(5..299_999),
        Piece::Bytes(b"tail".to_vec()),
    ];
    let body = body(&file, &pieces);
    let wanted = [b"head", &bytes[..10], &bytes[5..299_999], b"tail"].concat();
    assert_eq!(body.length(), wanted.len() as u64);
    assert_eq!(read(&body).unwrap(), wanted);
    // It may be read again: the body stores the position, not the file.
    assert_eq!(read(&body).unwrap(), wanted);
}

#[test]
fn a_file_that_became_shorter_is_an_error_and_one_that_grew_is_none() {
    let (file, bytes) = file(200_000);
    let body = body(&file, &[Piece::File(0..200_000)]);
    fs::OpenOptions::new().append(true).open(file.path()).unwrap().write_all(b"more").unwrap();
    assert_eq!(read(&body).unwrap(), bytes);
    file.as_file().set_len(150_000).unwrap();
    let error = read(&body).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof, "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_read_at_all_is_an_error() {
    let (file, _) = file(10);
    let write_only = fs::OpenOptions::new().write(true).open(file.path()).unwrap();
    let mut buf = [0; 10];
    for result in [read_now(&write_only, &mut buf, 0), read_at(&write_only, &mut buf, 0)] {
        let error = result.unwrap_err();
        assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "{error}");
    }
    let body = FileBody { file: Arc::new(write_only), pieces: [Piece::File(0..5)].into() };
    let error = read(&body).unwrap_err();
    assert_ne!(error.kind(), std::io::ErrorKind::UnexpectedEof, "{error}");
}

/// If a read has to wait for the disk (here: if that is unknown), another thread reads.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_had_at_once_is_read_elsewhere() {
    let file = File::open("/proc/self/status").unwrap();
    let mut buf = [0; 100];
    let error = read_now(&file, &mut buf, 0).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    let body = FileBody { file: Arc::new(file), pieces: [Piece::File(0..5)].into() };
    assert_eq!(read(&body).unwrap(), b"Name:");
}
