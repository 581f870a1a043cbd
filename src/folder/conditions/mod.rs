use std::time::SystemTime;

use http_types::{Method, Request};

use super::entity_tag::{EntityTag, Tags};
use crate::common::fields::Fields;

/// The validators of a representation (RFC 9110 §8.8).
#[derive(Debug, Clone)]
pub(super) struct Validators {
    pub(super) tag: EntityTag,
    /// When it was modified, in whole seconds since the epoch.
    pub(super) modified: u64,
    /// Whether that was long enough ago for the time to be a strong validator (RFC 9110 §8.8.2.2).
    pub(super) settled: bool,
}

/// The conditions of a request (RFC 9110 §13.1).
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_field_names, reason = "so the fields are called")]
pub(super) struct Conditions {
    if_match: Option<Tags>,
    if_unmodified_since: Option<u64>,
    if_none_match: Option<Tags>,
    if_modified_since: Option<u64>,
    if_range: Option<IfRange>,
}

/// The condition of `If-Range`.
#[derive(Debug, Clone)]
enum IfRange {
    Tag(EntityTag),
    Date(u64),
    /// Malformed, so it never matches.
    Malformed,
}

/// The result of the conditions for a request that would otherwise get 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precondition {
    /// 412 (RFC 9110 §15.5.13).
    Failed,
    /// 304 (RFC 9110 §15.4.5).
    NotModified,
    /// 200, or 206 if a part is requested and `part` allows it.
    Proceed { part: bool },
}

impl Conditions {
    /// The conditions of `request`. A malformed date, or one of several, is ignored
    /// (RFC 9110 §13.1.3, §13.1.4).
    pub(super) fn of(request: &Request) -> Self {
        let fields = Fields::of(request);
        // An entity tag may have bytes beyond ASCII (RFC 9110 §8.8.3). Ours have none, so it matches nothing.
        let tags = |name: &str| {
            let values: Vec<_> = fields.texts(name).collect();
            (!values.is_empty()).then(|| Tags::parse(values.iter().map(|value| &**value)))
        };
        let only = |name: &str| {
            let mut values = fields.texts(name);
            let only = values.next()?;
            values.next().is_none().then_some(only)
        };
        let date = |name: &str| only(name).and_then(|value| date(&value));
        let reads = matches!(request.method(), Method::Get | Method::Head);
        Self {
            if_match: tags("if-match"),
            if_unmodified_since: date("if-unmodified-since"),
            if_none_match: tags("if-none-match"),
            if_modified_since: date("if-modified-since").filter(|_| reads),
            if_range: fields.values("if-range").next().map(|_| {
                let value = only("if-range").unwrap_or_default();
                let tag = EntityTag::parse_only(&value).map(IfRange::Tag);
                tag.or_else(|| date_of(&value)).unwrap_or(IfRange::Malformed)
            }),
        }
    }

    /// Evaluates them in the order of RFC 9110 §13.2.2.
    pub(super) fn evaluate(&self, now: &Validators) -> Precondition {
        let holds = match (&self.if_match, self.if_unmodified_since) {
            (Some(tags), _) => tags.any(&now.tag, EntityTag::is),
            (None, Some(date)) => now.modified <= date,
            (None, None) => true,
        };
        if !holds {
            return Precondition::Failed;
        }
        let modified = match (&self.if_none_match, self.if_modified_since) {
            (Some(tags), _) => !tags.any(&now.tag, EntityTag::is_like),
            (None, Some(date)) => now.modified > date,
            (None, None) => true,
        };
        if !modified {
            return Precondition::NotModified;
        }
        let part = match &self.if_range {
            None => true,
            Some(IfRange::Tag(tag)) => tag.is(&now.tag),
            Some(IfRange::Date(date)) => now.settled && now.modified == *date,
            Some(IfRange::Malformed) => false,
        };
        Precondition::Proceed { part }
    }
}

fn date_of(value: &str) -> Option<IfRange> {
    date(value).map(IfRange::Date)
}

/// Seconds since the epoch, of a date in one of the three forms of RFC 9110 §5.6.7.
fn date(value: &str) -> Option<u64> {
    let time = httpdate::parse_http_date(value.trim_matches([' ', '\t'])).ok()?;
    time.duration_since(SystemTime::UNIX_EPOCH).ok().map(|since| since.as_secs())
}

#[cfg(test)]
mod tests;
