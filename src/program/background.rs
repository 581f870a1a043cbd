use std::io;
use std::sync::mpsc::{self, Sender};
use std::thread;

/// A thread that runs one job after the other, for a task that must not block.
///
/// `smol::unblock` would run each job on any thread of its pool. Allocators, above all the C library's, give each
/// thread its own memory, so reloads would fill that of one thread of the pool after the other. The pool would also
/// start a new thread for a job that comes once a second.
#[derive(Debug)]
pub(crate) struct Background {
    jobs: Sender<Job>,
}

type Job = Box<dyn FnOnce() + Send>;

impl Background {
    /// A thread called `name`, which ends when this is dropped.
    pub(crate) fn new(name: &str) -> io::Result<Self> {
        let (jobs, todo) = mpsc::channel::<Job>();
        let work = move || todo.into_iter().for_each(|job| job());
        thread::Builder::new().name(name.to_owned()).spawn(work)?;
        Ok(Self { jobs })
    }

    /// The result of `job`, which runs even if nobody waits for it any more. `None` if it, or an earlier job, has
    /// panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (done, result) = smol::channel::bounded(1);
        self.jobs.send(Box::new(move || _ = done.try_send(job()))).ok()?;
        result.recv().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_jobs_are_done_by_one_thread() {
        let background = Background::new("background").unwrap();
        let whose = || thread::current().name().map(str::to_owned);
        let id = || thread::current().id();
        smol::block_on(async {
            assert_eq!(background.run(whose).await.unwrap().as_deref(), Some("background"));
            let first = background.run(id).await;
            assert_ne!(first, Some(id()));
            assert_eq!(background.run(id).await, first);
        });
    }

    #[test]
    fn a_job_is_done_though_nobody_waits() {
        let background = Background::new("background").unwrap();
        let (go_on, told) = mpsc::channel::<()>();
        let (done, seen) = mpsc::channel();
        let job = background.run(move || {
            told.recv().unwrap();
            done.send(()).unwrap();
        });
        assert_eq!(smol::block_on(smol::future::poll_once(job)), None);
        go_on.send(()).unwrap();
        seen.recv().unwrap();
    }

    #[test]
    fn a_panic_is_told() {
        let background = Background::new("background").unwrap();
        smol::block_on(async {
            assert_eq!(background.run(|| -> u8 { panic!("on purpose") }).await, None);
            assert_eq!(background.run(|| 1).await, None);
        });
    }
}
