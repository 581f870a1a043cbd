//! Edge-triggered events: the kernel reports each change once.

use std::future::poll_fn;
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use mio::{Events, Interest};
use smol::Executor;

use super::{drive, pair, read, write};
use crate::readiness::{Direction, Ready};
use crate::registration::Registration;
use crate::{Reactor, Socket, current};

#[test]
fn data_and_the_end_may_come_in_one_event() {
    let (ours, mut theirs) = pair();
    theirs.write_all(b"abcdef").unwrap();
    theirs.shutdown(Shutdown::Write).unwrap();
    drive(async {
        let mut ours = Socket::tcp(ours).unwrap();
        let mut buf = [0; 4];
        assert_eq!(read(&mut ours, &mut buf).await.unwrap(), 4);
        // Fewer bytes than requested, and no later event reports that there is more to read.
        assert_eq!(read(&mut ours, &mut buf).await.unwrap(), 2);
        assert_eq!(read(&mut ours, &mut buf).await.unwrap(), 0);
        assert_eq!(read(&mut ours, &mut buf).await.unwrap(), 0);
        assert_eq!(write(&mut ours, b"still").await.unwrap(), 5);
    });
    let mut answer = String::new();
    theirs.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "still");
}

#[test]
fn the_end_may_come_later() {
    let (ours, mut theirs) = pair();
    drive(async {
        let mut ours = Socket::tcp(ours).unwrap();
        let mut buf = [0; 64];
        theirs.write_all(b"abc").unwrap();
        assert_eq!(read(&mut ours, &mut buf).await.unwrap(), 3);
        let ending = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            theirs.shutdown(Shutdown::Write).unwrap();
            theirs
        });
        assert_eq!(read(&mut ours, &mut buf).await.unwrap(), 0);
        ending.join().unwrap();
    });
}

#[test]
fn a_reset_is_seen() {
    let (ours, theirs) = pair();
    drive(async {
        let mut ours = Socket::tcp(ours).unwrap();
        let mut ending = Some(theirs);
        let error = poll_fn(|cx| {
            let read = io_read(&mut ours, cx);
            if let Some(theirs) = ending.take() {
                assert!(read.is_pending());
                rustix::net::sockopt::set_socket_linger(&theirs, Some(Duration::ZERO)).unwrap();
            }
            read
        });
        assert_eq!(error.await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    });
}

fn io_read(socket: &mut Socket, cx: &mut std::task::Context<'_>) -> Poll<io::Result<usize>> {
    futures_io::AsyncRead::poll_read(std::pin::Pin::new(socket), cx, &mut [0; 8])
}

#[test]
fn a_full_socket_is_written_to_again_when_it_has_room() {
    const ALL: usize = 20_000_000;
    let (ours, mut theirs) = pair();
    let reading = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        let mut all = Vec::new();
        theirs.read_to_end(&mut all).unwrap();
        all
    });
    drive(async {
        let mut ours = Socket::tcp(ours).unwrap();
        let bytes: Vec<u8> = (0..251).cycle().take(ALL).collect();
        let mut written = 0;
        while written < ALL {
            written += write(&mut ours, &bytes[written..]).await.unwrap();
        }
        ours.shutdown_write().unwrap();
    });
    let all = reading.join().unwrap();
    assert_eq!(all.len(), ALL);
    assert!(all.iter().zip((0..251).cycle()).all(|(&byte, n)| byte == n));
}

/// One registration serves both, and no task takes an event that the other waits for.
#[test]
fn one_handle_reads_while_another_writes() {
    const ALL: usize = 5_000_000;
    let (ours, mut theirs) = pair();
    let mut back = theirs.try_clone().unwrap();
    let echo = thread::spawn(move || io::copy(&mut theirs, &mut back).unwrap());
    let executor = Executor::new();
    let read_all = drive(executor.run(async {
        let mut reader = Socket::tcp(ours).unwrap();
        let mut writer = reader.clone();
        let writing = executor.spawn(async move {
            let bytes = vec![b'x'; 64 * 1024];
            let mut left = ALL;
            while left > 0 {
                let piece = &bytes[..bytes.len().min(left)];
                left -= write(&mut writer, piece).await.unwrap();
            }
            writer.shutdown_write().unwrap();
        });
        let reading = executor.spawn(async move {
            let mut buf = vec![0; 10_000];
            let mut all = 0;
            loop {
                match read(&mut reader, &mut buf).await.unwrap() {
                    0 => return all,
                    n => all += n,
                }
            }
        });
        writing.await;
        reading.await
    }));
    assert_eq!(read_all, ALL);
    echo.join().unwrap();
}

#[test]
fn what_is_registered_once_is_heard_again_and_again() {
    let (ours, mut theirs) = pair();
    theirs.set_nodelay(true).unwrap();
    let asking = thread::spawn(move || {
        let mut answer = [0; 3];
        for _ in 0..2_000 {
            theirs.write_all(b"ask").unwrap();
            theirs.read_exact(&mut answer).unwrap();
        }
    });
    drive(async {
        let mut ours = Socket::tcp(ours).unwrap();
        let mut rounds = 0;
        while read(&mut ours, &mut [0; 64]).await.unwrap() > 0 {
            assert_eq!(write(&mut ours, b"yes").await.unwrap(), 3);
            rounds += 1;
        }
        assert_eq!(rounds, 2_000);
    });
    asking.join().unwrap();
}

/// This holds even if there are other handles, which keep the registration in the kernel.
#[test]
fn a_socket_that_is_dropped_is_not_heard_of_any_more() {
    let (ours, mut theirs) = pair();
    let held = ours.try_clone().unwrap();
    let mut reactor = Reactor::new().unwrap();
    reactor
        .drive(async {
            let mut ours = Socket::tcp(ours).unwrap();
            theirs.write_all(b"!").unwrap();
            assert_eq!(read(&mut ours, &mut [0; 8]).await.unwrap(), 1);
        })
        .unwrap();
    theirs.write_all(b"!").unwrap();
    let mut events = Events::with_capacity(8);
    reactor.poll.poll(&mut events, Some(Duration::from_millis(50))).unwrap();
    assert!(events.is_empty(), "{events:?}");
    drop(held);
}

#[test]
fn an_event_in_the_middle_of_an_attempt_counts() {
    let (ours, mut theirs) = pair();
    let mut reactor = Reactor::new().unwrap();
    let _entered = current::enter(&reactor.shared);
    ours.set_nonblocking(true).unwrap();
    let ours = mio::net::TcpStream::from_std(ours);
    let ours = Registration::new(ours, Interest::READABLE, Ready::No).unwrap();
    theirs.write_all(b"1").unwrap();
    reactor.turn().unwrap();
    let mut attempts = 0;
    let read = smol::future::poll_once(poll_fn(|cx| {
        ours.poll_io(Direction::Read, cx, |mut io| {
            attempts += 1;
            if attempts == 1 {
                // It finds nothing, and an event comes before it can report that.
                theirs.write_all(b"2").unwrap();
                reactor.turn().unwrap();
                return Err(io::ErrorKind::WouldBlock.into());
            }
            io.read(&mut [0; 8])
        })
    }));
    let read = smol::future::block_on(read);
    assert_eq!(read.expect("it waits for what has happened").unwrap(), 2);
}

#[test]
fn whoever_is_displaced_is_woken() {
    let (ours, _theirs) = pair();
    drive(async {
        let mut ours = Socket::tcp(ours).unwrap();
        let mut other = ours.clone();
        let executor = Executor::new();
        let mut polls = 0;
        let displaced = executor.spawn(async move {
            poll_fn(|cx| {
                polls += 1;
                assert!(polls == 2 || io_read(&mut other, cx).is_pending());
                if polls < 2 { Poll::Pending } else { Poll::Ready(()) }
            })
            .await;
        });
        executor.try_tick();
        let waits = poll_fn(|cx| Poll::Ready(io_read(&mut ours, cx).is_pending()));
        assert!(waits.await);
        executor.run(displaced).await;
    });
}

#[test]
fn a_connection_that_nobody_takes_is_an_error() {
    let (ours, theirs) = pair();
    let free = theirs.local_addr().unwrap();
    drop((ours, theirs));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drive(async {
        let error = Socket::connect(free).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let mut socket = Socket::connect(address).await.unwrap();
        assert_eq!(write(&mut socket, b"!").await.unwrap(), 1);
    });
}
