//! Time limits.

use std::future::Future;
use std::time::Duration;

use smol::future::FutureExt;
use turnkey_backend::Timer;

/// The output of `doing`, or `None` if it is not ready within `limit`.
pub(crate) async fn within<T>(limit: Duration, doing: impl Future<Output = T>) -> Option<T> {
    let late = async {
        Timer::after(limit).await;
        None
    };
    async { Some(doing.await) }.or(late).await
}
