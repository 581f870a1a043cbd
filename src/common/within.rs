//! What has so much time, and no more.

use std::future::Future;
use std::time::Duration;

use smol::future::FutureExt;
use turnkey_backend::Timer;

/// What comes of `doing`, or `None` if nothing has by the end of `limit`.
pub(crate) async fn within<T>(limit: Duration, doing: impl Future<Output = T>) -> Option<T> {
    let late = async {
        Timer::after(limit).await;
        None
    };
    async { Some(doing.await) }.or(late).await
}
