//! The types of RFC 6960 §4.2.1, as far as they are needed; the other parts are `Any`.

#![allow(clippy::unnested_or_patterns, reason = "as `Choice` is derived")]

use der::asn1::{AnyRef, BitStringRef, GeneralizedTime, Null, ObjectIdentifier, OctetStringRef};
use der::{Choice, Enumerated, Sequence};

#[derive(Sequence)]
pub(super) struct Outer<'a> {
    pub(super) status: Status,
    #[asn1(context_specific = "0", optional = "true", tag_mode = "EXPLICIT")]
    pub(super) body: Option<Body<'a>>,
}

#[derive(Enumerated, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Status {
    Successful = 0,
    MalformedRequest = 1,
    InternalError = 2,
    TryLater = 3,
    SigRequired = 5,
    Unauthorized = 6,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Successful => "successful",
            Self::MalformedRequest => "malformedRequest",
            Self::InternalError => "internalError",
            Self::TryLater => "tryLater",
            Self::SigRequired => "sigRequired",
            Self::Unauthorized => "unauthorized",
        }
    }
}

#[derive(Sequence)]
pub(super) struct Body<'a> {
    pub(super) kind: ObjectIdentifier,
    pub(super) response: &'a OctetStringRef,
}

#[derive(Sequence)]
pub(super) struct Basic<'a> {
    pub(super) data: ResponseData<'a>,
    pub(super) algorithm: AnyRef<'a>,
    pub(super) signature: BitStringRef<'a>,
    #[asn1(context_specific = "0", optional = "true", tag_mode = "EXPLICIT")]
    pub(super) certificates: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
pub(super) struct ResponseData<'a> {
    #[asn1(context_specific = "0", optional = "true", tag_mode = "EXPLICIT")]
    pub(super) version: Option<u8>,
    pub(super) responder: AnyRef<'a>,
    pub(super) produced_at: GeneralizedTime,
    pub(super) answers: Vec<SingleResponse<'a>>,
    #[asn1(context_specific = "1", optional = "true", tag_mode = "EXPLICIT")]
    pub(super) extensions: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
pub(super) struct SingleResponse<'a> {
    pub(super) id: CertId<'a>,
    pub(super) status: CertStatus<'a>,
    pub(super) this_update: GeneralizedTime,
    #[asn1(context_specific = "0", optional = "true", tag_mode = "EXPLICIT")]
    pub(super) next_update: Option<GeneralizedTime>,
    #[asn1(context_specific = "1", optional = "true", tag_mode = "EXPLICIT")]
    pub(super) extensions: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
pub(super) struct CertId<'a> {
    pub(super) hash: Algorithm<'a>,
    pub(super) issuer_name_hash: &'a OctetStringRef,
    pub(super) issuer_key_hash: &'a OctetStringRef,
    pub(super) serial: AnyRef<'a>,
}

#[derive(Sequence)]
pub(super) struct Algorithm<'a> {
    pub(super) oid: ObjectIdentifier,
    pub(super) parameters: Option<AnyRef<'a>>,
}

#[derive(Choice)]
pub(super) enum CertStatus<'a> {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    Good(Null),
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true")]
    Revoked(RevokedInfo<'a>),
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT")]
    Unknown(Null),
}

#[derive(Sequence)]
pub(super) struct RevokedInfo<'a> {
    pub(super) at: GeneralizedTime,
    #[asn1(context_specific = "0", optional = "true", tag_mode = "EXPLICIT")]
    pub(super) reason: Option<AnyRef<'a>>,
}
