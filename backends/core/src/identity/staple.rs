use std::time::{Duration, SystemTime};

use super::Identity;
use crate::time::unix_seconds;
use crate::{OcspError, OcspResponse};

/// How far the responder's clock may be ahead of ours.
const SKEW: Duration = Duration::from_secs(5 * 60);

impl Identity {
    /// The same identity with a response of its CA's OCSP responder, which clients are shown beside
    /// the chain (RFC 6066 §8): that the certificate is not revoked.
    ///
    /// The response must be about the leaf, call it good, and hold at `now`. Its signature is **not**
    /// checked: that is for clients to do.
    pub fn with_ocsp(&self, response: &OcspResponse, now: SystemTime) -> Result<Self, OcspError> {
        // Without the issuer at hand, its name and the serial number have to do.
        let issuer = self.chain().get(1);
        response.check_good(self.leaf(), issuer)?;
        let this_update = response.this_update();
        if this_update.duration_since(now).is_ok_and(|ahead| ahead > SKEW) {
            return Err(OcspError::NotYetValid { this_update, now });
        }
        match response.next_update() {
            Some(next_update) if has_passed(next_update, now) => {
                Err(OcspError::Expired { next_update, now })
            }
            _ => Ok(Self { parts: self.parts.clone(), staple: Some(response.clone()) }),
        }
    }

    /// Whether a response of an OCSP responder goes with it, expired since or not.
    #[must_use]
    pub fn is_stapled(&self) -> bool {
        self.staple.is_some()
    }

    /// The response that goes with it, expired since or not.
    #[must_use]
    pub fn ocsp_response(&self) -> Option<&OcspResponse> {
        self.staple.as_ref()
    }

    /// The DER of the response to show to clients at `now`; `None` when there is none, or when it
    /// has expired: clients refuse an old one, and take none.
    #[must_use]
    pub fn ocsp(&self, now: SystemTime) -> Option<&[u8]> {
        let response = self.staple.as_ref()?;
        let expired = response.next_update().is_some_and(|next| has_passed(next, now));
        (!expired).then(|| response.der())
    }
}

/// OCSP counts whole seconds.
fn has_passed(time: SystemTime, now: SystemTime) -> bool {
    unix_seconds(now) > unix_seconds(time)
}
