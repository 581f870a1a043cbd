use http_types::{Body, Response, StatusCode};
use serde_json::json;

use super::entries::Entry;
use super::page::date;

/// The entries as a list of objects.
pub(super) fn answer(entries: &[Entry]) -> Response {
    let entries: Vec<_> = entries
        .iter()
        .map(|entry| {
            json!({
                // JSON cannot contain a name that is not Unicode. The page has its link.
                "name": entry.name.to_string_lossy(),
                "type": if entry.is_folder { "folder" } else { "file" },
                "size": entry.size,
                "modified": date(entry.modified),
            })
        })
        .collect();
    let mut text = serde_json::Value::from(entries).to_string();
    text.push('\n');
    let mut response = Response::new(StatusCode::Ok);
    response.set_body(Body::from_string(text));
    response.insert_header("content-type", "application/json");
    response.insert_header("x-content-type-options", "nosniff");
    response.insert_header("vary", "accept");
    response
}
