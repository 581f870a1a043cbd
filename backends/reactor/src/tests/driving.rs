//! A future runs when there is a reason, and the thread sleeps when there is none.

use std::future::{pending, poll_fn};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use super::{drive, pair, read};
use crate::{Acceptor, Reactor, Socket, Timer, current};

/// A thread wakes another at all points of its way to sleep, until the time is up. If a wake is lost, the waking
/// thread reports it, and wakes again so that the test ends.
#[test]
fn no_wake_is_lost_on_the_way_to_sleep() {
    const ROUNDS: u32 = 50_000;
    const END: u32 = u32::MAX;
    let said = AtomicU32::new(0);
    let heard = AtomicU32::new(0);
    let waker: Mutex<Option<Waker>> = Mutex::default();
    let lost = AtomicBool::new(false);
    let say = |what, waker: &Waker| {
        said.store(what, Ordering::Relaxed);
        waker.wake_by_ref();
        let start = Instant::now();
        while heard.load(Ordering::Relaxed) != what {
            if start.elapsed() > Duration::from_secs(2) {
                lost.store(true, Ordering::Relaxed);
                return;
            }
            thread::yield_now();
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            let waker = loop {
                if let Some(waker) = waker.lock().unwrap().take() {
                    break waker;
                }
            };
            let start = Instant::now();
            for round in 1..=ROUNDS {
                if start.elapsed() > Duration::from_secs(4) || lost.load(Ordering::Relaxed) {
                    break;
                }
                for _ in 0..round % 300 {
                    std::hint::spin_loop();
                }
                say(round, &waker);
            }
            say(END, &waker);
        });
        drive(poll_fn(|cx| {
            waker.lock().unwrap().get_or_insert_with(|| cx.waker().clone());
            let now = said.load(Ordering::Relaxed);
            heard.store(now, Ordering::Relaxed);
            // Leaves time for a wake that is too late for this turn, and must not be lost.
            for _ in 0..now % 400 {
                std::hint::spin_loop();
            }
            if now == END { Poll::Ready(()) } else { Poll::Pending }
        }));
    });
    assert!(!lost.into_inner());
}

/// The same without chance: while the future runs, and when the thread has decided to sleep.
#[test]
fn a_wake_is_heard_whenever_it_comes() {
    let mut polls = 0;
    drive(poll_fn(|cx| {
        polls += 1;
        let waker = cx.waker().clone();
        thread::spawn(move || waker.wake()).join().unwrap();
        if polls < 3 { Poll::Pending } else { Poll::Ready(()) }
    }));
    let mut reactor = Reactor::new().unwrap();
    reactor.shared.run();
    assert!(reactor.shared.sleep());
    reactor.shared.wake_up();
    let start = Instant::now();
    reactor.poll.poll(&mut reactor.events, Some(Duration::from_secs(10))).unwrap();
    assert!(start.elapsed() < Duration::from_secs(5), "it sleeps all the same");
}

#[test]
fn who_wakes_itself_keeps_nobody_waiting() {
    let (ours, mut theirs) = pair();
    let busy = poll_fn(|cx| {
        cx.waker().wake_by_ref();
        Poll::<usize>::Pending
    });
    drive(async {
        let mut ours = Socket::tcp(ours).unwrap();
        std::io::Write::write_all(&mut theirs, b"!").unwrap();
        let read = async { read(&mut ours, &mut [0; 8]).await.unwrap() };
        assert_eq!(smol::future::or(busy, read).await, 1);
    });
}

#[test]
fn a_thread_with_nothing_to_do_sleeps() {
    let mut polls = 0;
    let mut timer = Timer::after(Duration::from_millis(50));
    drive(poll_fn(|cx| {
        polls += 1;
        std::pin::Pin::new(&mut timer).poll(cx)
    }));
    assert_eq!(polls, 2);
}

#[test]
fn a_listener_gives_all_that_wait_before_it_waits() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let clients: Vec<_> = (0..5).map(|_| TcpStream::connect(address).unwrap()).collect();
    drive(async {
        let acceptor = Acceptor::tcp(listener).unwrap();
        acceptor.accept().await.unwrap();
        for _ in 1..clients.len() {
            let at_once = smol::future::poll_once(acceptor.accept()).await;
            at_once.expect("it waits while there are some").unwrap();
        }
        assert!(smol::future::poll_once(acceptor.accept()).await.is_none());
        let _sixth = TcpStream::connect(address).unwrap();
        acceptor.accept().await.unwrap().into_socket().unwrap();
    });
}

/// A thread that drives no reactor is woken by the fallback, which has its own thread.
#[test]
fn elsewhere_it_works_as_well() {
    let (ours, mut theirs) = pair();
    let mut ours = Socket::tcp(ours).unwrap();
    assert!(!ours.is_local());
    smol::block_on(async {
        Timer::after(Duration::from_millis(10)).await;
        std::io::Write::write_all(&mut theirs, b"!").unwrap();
        assert_eq!(read(&mut ours, &mut [0; 8]).await.unwrap(), 1);
    });
}

#[test]
fn sockets_belong_to_the_thread_that_they_begin_on() {
    let mut reactor = Reactor::new().unwrap();
    let socket = reactor.drive(async { Socket::tcp(pair().0).unwrap() }).unwrap();
    assert!(!socket.is_local());
    let again = async { (socket.is_local(), current::is(&Reactor::new().unwrap().shared)) };
    assert_eq!(reactor.drive(again).unwrap(), (true, false));
}

#[test]
fn a_future_that_panics_leaves_nothing_behind() {
    let panicked = std::panic::catch_unwind(|| drive(async { panic!("as it should") }));
    assert!(panicked.is_err());
    assert!(!Socket::tcp(pair().0).unwrap().is_local());
    let late = async {
        Timer::after(Duration::from_millis(1)).await;
    };
    drive(smol::future::or(pending(), late));
}
