//! Lists the entries of a folder, as a page or as JSON.

mod entries;
mod json;
mod order;
mod page;

use std::fs::File;

use http_types::Response;

use self::entries::entries;
use self::order::Order;
use super::asked::{Asked, Likes};
use super::open::{Missed, Root};

/// Lists `folder`, which was opened below `root`. It reads the disk.
pub(super) fn answer(root: &Root, folder: &File, asked: &Asked) -> Result<Response, Missed> {
    let order = Order::of(&asked.query);
    let mut entries = entries(root, folder, &asked.place.relative)?;
    order.sort(&mut entries);
    let mut response = match asked.likes {
        Likes::Json => json::answer(&entries),
        Likes::Page | Likes::Whatever | Likes::NoPage => page::answer(asked, &entries, order),
    };
    // The entries may change at any time.
    response.insert_header("cache-control", "no-cache");
    Ok(response)
}
