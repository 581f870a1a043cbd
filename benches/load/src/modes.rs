use std::cell::Cell;
use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use smol::LocalExecutor;

use crate::http::{Connection, buffer};
use crate::target::Target;

/// How many connections are begun at a time, so that no server has to turn any away.
const BEGUN_AT_A_TIME: usize = 64;

/// Opens `count` connections and sends a request over each.
pub(crate) async fn open(target: &Target, count: usize) -> Result<Vec<Connection>> {
    let mut open = Vec::with_capacity(count);
    while open.len() < count {
        let batch = BEGUN_AT_A_TIME.min(count - open.len());
        let begun = each((0..batch).map(|_| async {
            let mut connection = target.connect().await?;
            connection.ask(&target.request(), &mut buffer()).await?;
            Ok(connection)
        }));
        open.extend(begun.await?);
    }
    Ok(open)
}

/// Sends `count` requests in all over `connections`, over each one after the other.
pub(crate) async fn requests(
    connections: Vec<Connection>,
    target: &Target,
    count: u64,
) -> Result<()> {
    let left = Left::new(count);
    let tasks = connections.into_iter().map(|mut connection| {
        let left = left.clone();
        async move {
            let (request, mut buffer) = (target.request(), buffer());
            while left.take() {
                connection.ask(&request, &mut buffer).await?;
            }
            Ok(connection)
        }
    });
    each(tasks).await.map(drop)
}

/// Clients that have a session to resume, if sessions are to be resumed.
pub(crate) async fn prime(target: &Target, count: usize) -> Result<Vec<Target>> {
    let workers: Vec<_> = (0..count).map(|_| target.with_own_sessions()).collect();
    for worker in &workers {
        let mut connection = worker.connect().await?;
        let mut buffer = buffer();
        connection.ask(&worker.request(), &mut buffer).await?;
        connection.close(&mut buffer).await?;
    }
    Ok(workers)
}

/// Makes `count` connections in all, and sends a request over each.
pub(crate) async fn handshakes(workers: Vec<Target>, count: u64) -> Result<()> {
    let left = Left::new(count);
    let tasks = workers.into_iter().map(|worker| {
        let left = left.clone();
        async move {
            let (request, mut buffer) = (worker.request(), buffer());
            while left.take() {
                let mut connection = worker.connect().await?;
                ensure!(worker.is_as_asked(&connection), "the handshake was of the other kind");
                connection.ask(&request, &mut buffer).await?;
                connection.close(&mut buffer).await?;
            }
            Ok(())
        }
    });
    each(tasks).await.map(drop)
}

/// Runs all of `tasks` at the same time.
async fn each<'a, T: 'a>(
    tasks: impl Iterator<Item = impl Future<Output = Result<T>> + 'a>,
) -> Result<Vec<T>> {
    let executor = LocalExecutor::new();
    let tasks: Vec<_> = tasks.map(|task| executor.spawn(task)).collect();
    executor
        .run(async {
            let mut done = Vec::with_capacity(tasks.len());
            for task in tasks {
                done.push(task.await.context("the load broke off")?);
            }
            Ok(done)
        })
        .await
}

/// What is left to do, for all tasks together.
#[derive(Debug, Clone)]
struct Left(Rc<Cell<u64>>);

impl Left {
    fn new(count: u64) -> Self {
        Self(Rc::new(Cell::new(count)))
    }

    fn take(&self) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        left > 0
    }
}
