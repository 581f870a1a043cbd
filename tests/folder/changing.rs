//! Files that change while they are sent.

use std::fs::File;
use std::io::Write;
use std::thread;
use std::time::Duration;

use crate::support::{Stack, table};
use crate::{Answer, Folder, Served};

table! {
    columns {
        plain = Stack::Plain;
        rustls = Stack::Rustls;
        openssl = Stack::OpenSsl;
        native_tls = Stack::NativeTls;
    } rows {
        one_that_shrinks_does_not_pass_for_whole
        one_that_grows_is_what_it_was
        one_that_is_removed_is_sent_all_the_same
    }
}

/// More than there is room for on the way.
const SIZE: u64 = 32 << 20;

/// Asks for a file of zeros, changes it while the client takes nothing, and reads on: what came, and
/// how that ended.
fn get_while(
    stack: Stack,
    fields: &str,
    change: impl FnOnce(&Served, &File),
) -> (Vec<u8>, std::io::Result<()>) {
    let folder = Folder::new();
    let path = folder.file("a.txt", "");
    let file = File::options().append(true).open(path).unwrap();
    if fields.contains("gzip") {
        (&file).write_all(&noise()).unwrap();
    } else {
        file.set_len(SIZE).unwrap();
    }
    let served = Served::limited(stack, folder, &[], &[("--write-timeout", "10")]);
    let mut conn = served.site.open();
    let get = format!("GET /a.txt HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n{fields}\r\n");
    conn.send(get.as_bytes()).unwrap();
    thread::sleep(Duration::from_millis(300));
    change(&served, &file);
    let end = loop {
        match conn.read_some() {
            Ok(0) => break Ok(()),
            Ok(_) => {}
            Err(error) => break Err(error),
        }
    };
    (conn.ahead().to_vec(), end)
}

fn one_that_shrinks_does_not_pass_for_whole(stack: Stack) {
    for fields in ["", "Accept-Encoding: gzip\r\n", "Range: bytes=0-20000000,25000000-\r\n"] {
        let (came, end) = get_while(stack, fields, |_, file| file.set_len(1000).unwrap());
        let end_of_head = came.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
        let head = String::from_utf8_lossy(&came[..end_of_head]);
        let body = &came[end_of_head..];
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        match length {
            Some(length) => assert!(body.len() < length.parse().unwrap(), "{head}"),
            None => assert!(!body.ends_with(b"0\r\n\r\n"), "{head}"),
        }
        if stack.is_tls() {
            assert!(end.is_err(), "it ended as if it were whole");
        }
    }
}

/// What gzip makes no less of: it looks back 32 KiB.
fn noise() -> Vec<u8> {
    let mut state = 1_u64;
    let bytes = std::iter::repeat_with(move || {
        // Knuth's MMIX generator.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    });
    let block: Vec<u8> = bytes.take(64 << 10).collect();
    block.repeat(usize::try_from(SIZE).unwrap() / block.len())
}

fn one_that_grows_is_what_it_was(stack: Stack) {
    let (came, end) = get_while(stack, "", |_, mut file| {
        // Behind what there is, since it is opened to append.
        file.write_all(&vec![b'x'; 1 << 20]).unwrap();
    });
    end.unwrap();
    let answer = Answer::read(&came);
    assert_eq!((answer.status, answer.body.len() as u64), (200, SIZE));
    assert!(answer.body.iter().all(|&byte| byte == 0));
}

fn one_that_is_removed_is_sent_all_the_same(stack: Stack) {
    let (came, end) = get_while(stack, "", |served, _| {
        std::fs::remove_file(served.folder.path().join("a.txt")).unwrap();
    });
    end.unwrap();
    assert_eq!(Answer::read(&came).body.len() as u64, SIZE);
}

/// One that is replaced again and again, as those do it who write a new one and rename it, is always
/// one or the other.
#[test]
fn one_that_is_replaced_is_always_one_or_the_other() {
    let folder = Folder::new();
    folder.file("a.txt", vec![b'a'; 200_000]);
    let served = Served::new(folder);
    let (path, new) = (served.folder.path().join("a.txt"), served.folder.path().join("b.txt"));
    let over = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for (byte, size) in [(b'b', 100_000), (b'a', 200_000)].into_iter().cycle() {
                std::fs::write(&new, vec![byte; size]).unwrap();
                std::fs::rename(&new, &path).unwrap();
                if over.load(std::sync::atomic::Ordering::SeqCst) {
                    return;
                }
            }
        });
        let _over = crate::support::Raise(&over);
        let mut conn = served.site.open();
        for _ in 0..300 {
            conn.send(b"GET /a.txt HTTP/1.1\r\nHost: a.test\r\n\r\n").unwrap();
            let body = conn.response().body;
            let whole = [vec![b'b'; 100_000], vec![b'a'; 200_000]];
            assert!(whole.contains(&body), "{} bytes of both", body.len());
        }
    });
}
