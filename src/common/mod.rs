//! What every room uses: addresses, header fields, dates, limits, units and the shutdown signal.

pub(crate) mod address;
pub(crate) mod answer;
pub(crate) mod buffered;
pub(crate) mod buffers;
pub(crate) mod causes;
pub(crate) mod date;
pub(crate) mod field;
pub(crate) mod fields;
pub(crate) mod limits;
pub(crate) mod refusal;
pub(crate) mod request_id;
pub(crate) mod setting_names;
pub(crate) mod shutdown;
pub(crate) mod units;
pub(crate) mod within;
