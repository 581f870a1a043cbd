//! Timers fire in time, in order, and wake the right tasks.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use smol::Executor;

use super::drive;
use crate::{Reactor, Timer};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn they_say_when() {
    let now = Instant::now();
    let mut timer = Timer::at(now);
    assert_eq!(timer.time(), Some(now));
    timer.set_at(now + millis(1));
    assert_eq!(timer.time(), Some(now + millis(1)));
    assert!(Timer::after(millis(10)).time() >= Some(now + millis(10)));
    assert_eq!(Timer::after(Duration::MAX).time(), None, "the clock cannot tell");
}

#[test]
fn they_go_off_in_order_and_never_early() {
    let order = Mutex::new(Vec::new());
    let executor = Executor::new();
    drive(executor.run(async {
        let start = Instant::now();
        let tasks: Vec<_> = [40, 10, 30, 20, 10]
            .into_iter()
            .map(|after| {
                let order = &order;
                executor.spawn(async move {
                    Timer::at(start + millis(after)).await;
                    assert!(start.elapsed() >= millis(after), "early");
                    order.lock().unwrap().push(after);
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
    }));
    assert_eq!(*order.lock().unwrap(), [10, 10, 20, 30, 40]);
}

#[test]
fn one_that_is_dropped_wakes_nobody() {
    let mut reactor = Reactor::new().unwrap();
    let pending = smol::future::poll_once(Timer::after(millis(10)));
    assert!(reactor.drive(pending).unwrap().is_none());
    assert_eq!(reactor.shared.timers().count(), 0);
}

#[test]
fn they_are_set_anew() {
    drive(async {
        let start = Instant::now();
        for (first, then) in [(3_600_000, 20), (10, 30)] {
            let mut timer = Timer::after(millis(first));
            assert!(smol::future::poll_once(&mut timer).await.is_none());
            timer.set_at(start + millis(then));
            (&mut timer).await;
            assert!(start.elapsed() >= millis(then), "early");
        }
        assert!(start.elapsed() < Duration::from_secs(5));
    });
}

/// The reactor sleeps until another timer, or without limit.
#[test]
fn one_that_another_thread_sets_is_not_slept_over() {
    let mut reactor = Reactor::new().unwrap();
    let mut timer = Timer::after(Duration::from_secs(3600));
    let start = Instant::now();
    // From here on it belongs to the reactor.
    let pending = reactor.drive(smol::future::poll_once(&mut timer)).unwrap();
    assert!(pending.is_none());
    let (done, gone_off) = smol::channel::bounded::<()>(1);
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(millis(30));
            timer.set_at(start + millis(50));
            smol::future::block_on(&mut timer);
            drop(done);
        });
        let late = async { Timer::after(Duration::from_secs(5)).await };
        let ended = smol::future::or(async { _ = gone_off.recv().await }, late);
        reactor.drive(ended).unwrap();
    });
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[test]
fn a_time_beyond_the_clock_is_never() {
    let never = drive(smol::future::poll_once(Timer::after(Duration::MAX)));
    assert!(never.is_none());
}
