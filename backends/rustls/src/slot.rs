//! Passes results of a verifier to the connection that it verified for.
//!
//! rustls has one verifier for all connections, does not tell it which connection it verifies for, and returns only
//! the kind of its error. Both run on the same thread during one poll of the handshake.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;

use turnkey_backend::{Certificate, Refused, Vouched};

thread_local! {
    static SLOT: Cell<Word> = const { Cell::new(Word { refused: None, shown: None, verified: None }) };
}

/// The values for a handshake.
#[derive(Debug, Default)]
pub(crate) struct Word {
    /// Why the client's certificate was refused.
    pub(crate) refused: Option<Refused>,
    /// Our certificate that the client got.
    pub(crate) shown: Option<Certificate>,
    /// The verified path of the client's certificate.
    pub(crate) verified: Option<Vouched>,
}

/// Stores a refusal for the handshake that is being polled.
pub(crate) fn put(refused: Refused) {
    let word = take();
    replace(Word { refused: Some(refused), ..word });
}

/// Stores our certificate for the handshake that is being polled.
pub(crate) fn show(ours: Certificate) {
    let word = take();
    replace(Word { shown: Some(ours), ..word });
}

/// Stores the verified path of the client's certificate for the handshake that is being polled.
pub(crate) fn verified(path: Vouched) {
    let word = take();
    replace(Word { verified: Some(path), ..word });
}

/// Runs a handshake, and returns its result with the values that were stored for it.
pub(crate) async fn collecting<F: Future + Unpin>(mut handshake: F) -> (F::Output, Word) {
    let mut collected = Word::default();
    let output = poll_fn(|cx| {
        // Emptied before, in case a handshake that panicked left something, and after: the next poll may be on
        // another thread, and another handshake may be polled before it.
        take();
        let polled = Pin::new(&mut handshake).poll(cx);
        let Word { refused, shown, verified } = take();
        collected.refused = refused.or(collected.refused.take());
        collected.shown = shown.or(collected.shown.take());
        collected.verified = verified.or(collected.verified.take());
        polled
    })
    .await;
    (output, collected)
}

fn take() -> Word {
    replace(Word::default())
}

fn replace(new: Word) -> Word {
    // A thread that is ending has no slot any more. Only an explanation is lost.
    SLOT.try_with(|slot| slot.replace(new)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};
    use std::thread;

    use rcgen::{CertificateParams, KeyPair};
    use turnkey_backend::{Certificate, Fault};

    use super::*;

    fn refused(fault: Fault) -> Refused {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::default().self_signed(&key).unwrap();
        Refused::new(Certificate::from_der(certificate.der()).unwrap(), fault)
    }

    /// A handshake that stores a value and waits, then ends.
    fn handshake(fault: Option<Fault>) -> impl Future<Output = ()> + Unpin {
        let mut polls = 0;
        poll_fn(move |_| {
            if let Some(fault) = fault.clone().filter(|_| polls == 0) {
                put(refused(fault));
            }
            polls += 1;
            if polls == 2 { Poll::Ready(()) } else { Poll::Pending }
        })
    }

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn one_that_panicked_leaves_nothing_behind() {
        put(refused(Fault::Revoked));
        let mut good = Box::pin(collecting(handshake(None)));
        assert!(poll(good.as_mut()).is_pending());
        let Poll::Ready(((), none)) = poll(good.as_mut()) else { panic!("not ready") };
        assert!(none.refused.is_none());
    }

    #[test]
    fn each_handshake_gets_what_was_left_for_it() {
        let mut revoked = Box::pin(collecting(handshake(Some(Fault::Revoked))));
        let mut good = Box::pin(collecting(handshake(None)));
        let mut expired = Box::pin(collecting(handshake(Some(Fault::Expired))));
        for pending in [&mut revoked, &mut expired] {
            assert!(poll(pending.as_mut()).is_pending());
        }
        assert!(poll(good.as_mut()).is_pending());

        let Poll::Ready(((), none)) = poll(good.as_mut()) else { panic!("not ready") };
        assert!(none.refused.is_none());
        for (mut handshake, fault) in [(expired, Fault::Expired), (revoked, Fault::Revoked)] {
            // A task moves between threads.
            let ready = thread::spawn(move || poll(handshake.as_mut())).join().unwrap();
            let Poll::Ready(((), Word { refused: Some(refused), .. })) = ready else {
                panic!("nothing was left")
            };
            assert_eq!(*refused.fault(), fault);
        }
    }
}
