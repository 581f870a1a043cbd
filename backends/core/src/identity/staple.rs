use std::time::{Duration, SystemTime};

use super::Identity;
use crate::time::unix_seconds;
use crate::{OcspError, OcspResponse};

/// How far the responder's clock may be ahead of ours.
const SKEW: Duration = Duration::from_secs(5 * 60);

impl Identity {
    /// The same identity with a response of its CA's OCSP responder, which tells clients that the certificate is
    /// not revoked (RFC 6066 §8).
    ///
    /// The response must be about the leaf, with the status good, and valid at `now`. Its signature is **not**
    /// checked: clients do that.
    pub fn with_ocsp(&self, response: &OcspResponse, now: SystemTime) -> Result<Self, OcspError> {
        // Without the issuer's certificate, only its name and the serial number are compared.
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

    /// Whether it has a response of an OCSP responder, also if that has expired.
    #[must_use]
    pub fn is_stapled(&self) -> bool {
        self.staple.is_some()
    }

    /// Its OCSP response, also if that has expired.
    #[must_use]
    pub fn ocsp_response(&self) -> Option<&OcspResponse> {
        self.staple.as_ref()
    }

    /// The DER of the response for clients at `now`; `None` if there is none or it has expired: clients reject an
    /// expired one, and accept none.
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
